"""Whole reports with the statutory tables laid out as the office templates have them, merges and all.

A form is filled with invented figures and laid out once, then written as a Word file, a workbook or a page.
"""

from __future__ import annotations

import html
import io
import random
from dataclasses import dataclass, field
from itertools import pairwise

import docx
import openpyxl
import xlwt

from loaders.readers.build import Slot
from loaders.vocabulary import FormTable, load_vocabulary

Key = tuple[str, str | None]
_CORNER = "（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）"
_SECTIONS = {
    "article20": "二、主动公开政府信息情况",
    "requests": "三、收到和处理政府信息公开申请情况",
    "remedies": "四、政府信息公开行政复议、行政诉讼情况",
    "statistics": "政府信息公开情况统计表",
}


@dataclass
class LaidOut:
    """A report: paragraphs and tables of merged cells, and what each figure in them is (None for a blank cell)."""

    title: str
    blocks: list[str | list[Slot]] = field(default_factory=list)
    values: dict[Key, str | None] = field(default_factory=dict)


def lay_out(form_code: str, seed: int, blank: float = 0.0) -> LaidOut:
    """Fill every table of a form and lay it out with the merges of its template."""
    rng = random.Random(seed)
    year = {"nat2014": 2016, "fmt2019": 2020, "fmt2021": 2023}[form_code]
    out = LaidOut(f"青禾县人民政府{year}年政府信息公开工作年度报告")
    out.blocks += [out.title, "一、总体情况", f"{year}年，本机关依照条例推进各项公开工作，现将情况报告如下。"]
    for part, section in _SECTIONS.items():
        tables = [t for t in load_vocabulary().tables if t.form_code == form_code and part in t.table_code]
        if not tables:
            continue
        slots: list[Slot] = []
        for table in tables:
            lay = {"article20": _article20, "requests": _requests, "remedies": _remedies}.get(part, _statistics)
            lay(table, slots, _Figures(table, rng, blank, out.values))
        out.blocks += [section, slots]
    out.blocks += ["五、存在的主要问题及改进情况", "下一步将加强培训，提高答复质量。"]
    return out


@dataclass
class _Figures:
    table: FormTable
    rng: random.Random
    blank: float
    values: dict[Key, str | None]

    def next(self, row_code: str, column_code: str) -> str:
        key = self.table.cells.get((row_code, column_code))
        if key is None:
            return ""
        signed = load_vocabulary().metrics[key[0]].is_signed
        text = "" if self.rng.random() < self.blank else str(self.rng.choice((0, 0, 3, 12, 187, 4051)))
        if signed and text:
            text = str(self.rng.choice((-5, 0, 7)))
        if column_code == "amount" and text:
            text = self.rng.choice(("0", "12.5", "187.8192"))
        self.values[key] = text or None
        return text


def _at(slots: list[Slot]) -> int:
    return max((slot.row + slot.row_span for slot in slots), default=0)


def _article20(table: FormTable, slots: list[Slot], figures: _Figures) -> None:
    at = _at(slots)
    spans = {1: [3], 2: [1, 2], 3: [1, 1, 1]}[len(table.columns)]
    starts = [1 + sum(spans[:n]) for n in range(len(spans))]
    slots.append(Slot(table.label_zh, at, 0, 1, 4))
    slots.append(Slot("信息内容", at + 1, 0))
    for column, start, span in zip(table.columns, starts, spans, strict=True):
        slots.append(Slot(column.label_zh, at + 1, start, 1, span))
    for n, row in enumerate(r for r in table.rows if not r.parent_row_code):
        slots.append(Slot(row.label_zh, at + 2 + n, 0))
        for column, start, span in zip(table.columns, starts, spans, strict=True):
            slots.append(Slot(figures.next(row.row_code, column.column_code), at + 2 + n, start, 1, span))


def _requests(table: FormTable, slots: list[Slot], figures: _Figures) -> None:
    slots += [Slot(_CORNER, 0, 0, 3, 3), Slot("申请人情况", 0, 3, 1, 7), Slot("自然人", 1, 3, 2, 1)]
    slots += [Slot("法人或其他组织", 1, 4, 1, 5), Slot("总计", 1, 9, 2, 1)]
    slots += [Slot(c.label_zh, 2, 3 + n) for n, c in enumerate(table.columns) if 0 < n < 6]
    parents = {row.row_code: row.parent_row_code or None for row in table.rows}
    leaves = [row for row in table.rows if not row.is_heading]
    for n, row in enumerate(leaves):
        at, path = 3 + n, [row.row_code]
        while (above := parents[path[0]]) is not None:
            path.insert(0, above)
        for level, code in enumerate(path[:-1]):
            under = [m for m, leaf in enumerate(leaves) if code in _path(leaf.row_code, parents)]
            if under[0] == n:
                group = next(r for r in table.rows if r.row_code == code)
                slots.append(Slot(group.enumerator + group.label_zh, at, level, len(under), 1))
        slots.append(Slot(row.enumerator + row.label_zh, at, len(path) - 1, 1, 4 - len(path)))
        slots += [Slot(figures.next(row.row_code, c.column_code), at, 3 + k) for k, c in enumerate(table.columns)]


def _path(code: str | None, parents: dict[str, str | None]) -> list[str]:
    out = []
    while code is not None:
        out.append(code)
        code = parents[code]
    return out


def _remedies(table: FormTable, slots: list[Slot], figures: _Figures) -> None:
    slots += [Slot("行政复议", 0, 0, 1, 5), Slot("行政诉讼", 0, 5, 1, 10)]
    slots += [Slot(c.label_zh, 1, n, 2, 1) for n, c in enumerate(table.columns[:5])]
    slots += [Slot("未经复议直接起诉", 1, 5, 1, 5), Slot("复议后起诉", 1, 10, 1, 5)]
    slots += [Slot(c.label_zh, 2, 5 + n) for n, c in enumerate(table.columns[5:])]
    slots += [Slot(figures.next("cases", c.column_code), 3, n) for n, c in enumerate(table.columns)]


def _statistics(table: FormTable, slots: list[Slot], figures: _Figures) -> None:
    slots += [Slot("统  计  指  标", 0, 0), Slot("单位", 0, 1), Slot("统计数", 0, 2)]
    rows = [row for row in table.rows if row.variant_code in ("all", "national")]
    for n, row in enumerate(rows):
        label = row.enumerator + ("：" if row.enumerator == "其中" else "") + row.label_zh
        if (row.row_code, "value") not in table.cells:
            slots += [Slot(label, n + 1, 0), Slot("——", n + 1, 1), Slot("——", n + 1, 2)]
            continue
        slots += [Slot(label, n + 1, 0), Slot(row.printed_unit or "件", n + 1, 1)]
        slots.append(Slot(figures.next(row.row_code, "value"), n + 1, 2))


# ---- writers


def _size(slots: list[Slot]) -> tuple[int, int]:
    return _at(slots), max(slot.column + slot.column_span for slot in slots)


def to_docx(report: LaidOut) -> bytes:
    """A Word file as python-docx writes it."""
    document = docx.Document()
    document.core_properties.title = report.title
    for block in report.blocks:
        if isinstance(block, str):
            document.add_paragraph(block)
            continue
        table = document.add_table(*_size(block), style="Table Grid")
        grid = [list(row.cells) for row in table.rows]
        for slot in block:
            cell = grid[slot.row][slot.column]
            if slot.row_span > 1 or slot.column_span > 1:
                cell = cell.merge(grid[slot.row + slot.row_span - 1][slot.column + slot.column_span - 1])
            cell.text = slot.text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def number(text: str) -> str | int | float:
    """What a clerk types as a number is one in the workbook."""
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def to_xlsx(report: LaidOut) -> bytes:
    """A workbook with one sheet a table, its heading above it."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for n, heading, slots in sheets(report):
        sheet = book.create_sheet(f"表{n}")
        width = _size(slots)[1]
        sheet.cell(1, 1, heading)
        sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=width)
        for slot in slots:
            if slot.text:
                sheet.cell(slot.row + 2, slot.column + 1, number(slot.text))
            if slot.row_span > 1 or slot.column_span > 1:
                sheet.merge_cells(
                    start_row=slot.row + 2,
                    start_column=slot.column + 1,
                    end_row=slot.row + slot.row_span + 1,
                    end_column=slot.column + slot.column_span,
                )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def to_xls(report: LaidOut) -> bytes:
    """A binary workbook with one sheet a table, its heading above it."""
    book = xlwt.Workbook(encoding="utf-8")
    for n, heading, slots in sheets(report):
        sheet = book.add_sheet(f"表{n}")
        sheet.write_merge(0, 0, 0, _size(slots)[1] - 1, heading)
        for slot in slots:
            last_row, last_column = slot.row + slot.row_span, slot.column + slot.column_span - 1
            sheet.write_merge(
                slot.row + 1, last_row, slot.column, last_column, number(slot.text) if slot.text else None
            )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheets(report: LaidOut) -> list[tuple[int, str, list[Slot]]]:
    """The tables of a report with their headings; the first one bears the title of the report too."""
    tables = [(before, block) for before, block in pairwise(report.blocks) if not isinstance(block, str)]
    return [
        (n, f"{report.title}\n{heading}" if n == 1 else str(heading), slots)
        for n, (heading, slots) in enumerate(tables, start=1)
    ]


def to_html(report: LaidOut) -> str:
    """A page, to be converted by an office program."""
    parts = ["<html><head><meta charset='utf-8'></head><body>"]
    for block in report.blocks:
        if isinstance(block, str):
            parts.append(f"<p>{html.escape(block)}</p>")
            continue
        parts.append("<table border='1'>")
        for row in range(_at(block)):
            parts.append("<tr>")
            for slot in sorted((s for s in block if s.row == row), key=lambda s: s.column):
                spans = f"rowspan='{slot.row_span}' colspan='{slot.column_span}'"
                parts.append(f"<td {spans}>{html.escape(slot.text)}</td>")
            parts.append("</tr>")
        parts.append("</table>")
    return "".join([*parts, "</body></html>"])
