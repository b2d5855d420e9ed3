"""Forms filled with invented figures and printed in each flattened notation: the other direction of reading."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from loaders.vocabulary import FormTable, load_vocabulary

STYLES = ("tabbed", "tsv", "piped_row", "piped_cell", "markdown", "lines", "lines_spaced", "lines_apart", "one_line")
# Notations in which a blank cell leaves a trace, so that a filled form can be read back whole.
KEEPS_BLANKS = ("tabbed", "tsv", "piped_row", "piped_cell", "markdown")
Key = tuple[str, str | None]


@dataclass
class Filled:
    """A printed form: the text, and what each figure in it is (None for a blank cell)."""

    text: str
    values: dict[Key, str | None] = field(default_factory=dict)


@dataclass
class Noise:
    """How the printer spoils a form: shares of label characters changed, cells blank, rows missing."""

    characters: float = 0.0
    blank: float = 0.0
    missing: float = 0.0


def _spoil(label: str, noise: Noise, rng: random.Random) -> str:
    out = []
    for char in label:
        if rng.random() < noise.characters:
            kind = rng.randrange(4)
            out.append({0: "", 1: char + char, 2: rng.choice("的数项情况公信申其他不同"), 3: char + " "}[kind])
        else:
            out.append(char)
    return "".join(out)


def _labelled(row, rng: random.Random) -> str:
    enumerator = row.enumerator
    if enumerator.rstrip(".").isdigit():
        enumerator = enumerator.rstrip(".") + rng.choice(".．、")
    if enumerator == "其中":
        enumerator = "其中" + rng.choice(":：")
    return enumerator + row.label_zh


def fill(form_code: str, style: str, seed: int, noise: Noise) -> Filled:
    """Fill every table of a form and print it."""
    rng = random.Random(seed)
    filled = Filled("")
    parts: list[str] = []
    gap = {"tabbed": "\n\n\n", "lines_apart": "\n\n"}.get(style, "\n\n")
    prose = "以上数据由本机关汇总。本年度工作平稳有序，未发生重大问题，下一年将继续改进相关工作。"
    blocks: list[list[Row]] = []
    for table in (t for t in load_vocabulary().tables if t.form_code == form_code):
        grid = _grid(table, rng, noise, filled)
        # The blocks of article 20 are printed as one table, the others stand in sections of their own.
        if "article20" in table.table_code and blocks:
            blocks[-1] += grid
        else:
            blocks.append(grid)
    for block in blocks:
        parts.append(_print(block, style))
    filled.text = "".join(f"{prose}\n{gap}{part}{gap}" for part in parts) + prose + "\n"
    return filled


def _value(rng: random.Random, noise: Noise, signed: bool) -> str:
    if rng.random() < noise.blank:
        return ""
    number = rng.choice((0, 0, rng.randrange(10), rng.randrange(100), rng.randrange(100000)))
    return str(-number if signed and rng.random() < 0.5 else number)


Row = tuple[list[str], list[str]]  # label cells (with blank cells of merged groups), value cells


def _grid(table: FormTable, rng: random.Random, noise: Noise, filled: Filled) -> list[Row]:
    metrics = load_vocabulary().metrics
    columns = [c for c in table.columns if c.column_code != "in_label"]
    depth = 3 if "requests" in table.table_code else 2 if table.table_code.endswith("article20_5") else 1
    grid: list[Row] = []
    if table.layout_code == "row_unit_value":
        grid.append((["统 计 指 标"], ["单位", "统计数"]))
    elif table.layout_code == "single_row":
        grid.append((["行政复议", "", "", "", "", "行政诉讼", *[""] * 9], []))
        grid.append(
            ([*[c.label_zh for c in columns[:5]], "未经复议直接起诉", "", "", "", "", "复议后起诉", "", "", "", ""], [])
        )
        grid.append(([*[""] * 5, *[c.label_zh for c in columns[5:]]], []))
    elif depth == 3:
        corner = "（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）"
        grid.append(([corner, "", "", "申请人情况", *[""] * 6], []))
        grid.append((["", "", "", "自然人", "法人或其他组织", "", "", "", "", "总计"], []))
        grid.append((["", "", "", "", *[c.label_zh for c in columns[1:6]], ""], []))
    else:
        grid.append(([table.label_zh, *[""] * (len(columns) + depth - 1)], []))
        grid.append((["信息内容", *[""] * (depth - 1), *[c.label_zh for c in columns]], []))
    printed_groups: set[str] = set()
    rows = {row.row_code: row for row in table.rows}
    variant = rng.choice(("national", "beijing"))
    for row in table.rows:
        if table.form_code == "nat2014" and row.variant_code not in ("all", variant):
            continue
        if row.is_heading and depth > 1:
            continue
        if depth == 2 and rng.random() < 0.3 and row.parent_row_code:
            continue
        if rng.random() < noise.missing:
            continue
        label = _spoil(_labelled(row, rng), noise, rng) if row.label_zh else ""
        labels = _merged(row, rows, label, depth, printed_groups, rng, noise)
        cells = []
        for column in columns:
            cell = table.cells.get((row.row_code, column.column_code))
            if cell is None:
                cells.append("")
                continue
            value = _value(rng, noise, metrics[cell[0]].is_signed)
            cells.append(value)
            filled.values[cell] = value or None
        in_label = table.cells.get((row.row_code, "in_label"))
        if in_label:
            filled.values[in_label] = None
        if table.layout_code == "row_unit_value":
            cells.insert(0, row.printed_unit or "—")
        if table.layout_code == "single_row":
            labels = []
        grid.append((labels, cells))
    return grid


def _merged(row, rows, label, depth, printed, rng, noise) -> list[str]:
    """The label cells of a row: groups in their own cells, blank once printed."""
    if depth == 1:
        return [label]
    path = []
    parent = rows.get(row.parent_row_code)
    while parent is not None:
        path.insert(0, parent)
        parent = rows.get(parent.parent_row_code)
    cells = []
    for group in path:
        cells.append("" if group.row_code in printed else _spoil(_labelled(group, rng), noise, rng))
        printed.add(group.row_code)
    return [*cells, label, *[""] * (depth - 1 - len(cells))]


def _print(grid: list[Row], style: str) -> str:
    lines: list[str] = []
    width = max(len(labels) + len(values) for labels, values in grid)
    for labels, values in grid:
        # A converter that keeps the grid pads merged cells; one that does not prints them once.
        whole = [*labels, *values]
        kept = [c for n, c in enumerate(labels) if c or (n < _last(labels))] + values
        if not values:
            kept = [c for c in labels if c] if grid[0][0][0] != "行政复议" else labels
            whole = labels
        whole = [*whole, *[""] * (width - len(whole))]
        if style == "tabbed":
            lines.append("\n".join(f"\t{cell}" for cell in kept) + "\n")
        elif style == "tsv":
            lines.append("\t".join(whole))
        elif style == "piped_row":
            lines.append(" | ".join(whole) + " |")
        elif style == "piped_cell":
            lines += [f"{cell} |" if cell else "|" for cell in kept]
        elif style == "markdown":
            lines.append("| " + " | ".join(whole) + " |")
            if len(lines) == 1:
                lines.append("|" + " --- |" * width)
        elif style == "lines":
            lines += [cell for cell in kept if cell]
        elif style == "one_line":
            lines.append(" ".join(re.sub(r"\s", "", cell) for cell in kept if cell))
        elif style == "lines_apart":
            lines += [text for cell in kept if cell for text in (cell, "")]
        elif style == "lines_spaced":
            words = [c for c in labels if c]
            # Groups stand on lines of their own, the last label on the line of its values.
            lines += words[:-1] if values else words
            if values:
                lines.append(" ".join(c for c in (*words[-1:], *values) if c))
    return (" " if style == "one_line" else "\n").join(lines)


def _last(labels: list[str]) -> int:
    return max((n for n, c in enumerate(labels) if c), default=-1)
