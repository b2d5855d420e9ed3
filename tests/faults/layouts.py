"""Filled statutory reports of invented bodies as neutral printed pages, with the key of every figure.

In: a form of the seeds and a number. Out: a :class:`Report` (headings, prose, and tables as columns and rows of
labels and values), which :func:`print_report` turns into a :class:`Layout`: paragraphs and tables whose merged
cells have their spans, as in the official templates. Leaf figures are random, totals are computed, so that every
identity of the form that is an error when broken holds. Pure: the same number gives the same report.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from loaders.vocabulary import FormRow, FormTable, load_vocabulary, read_seed

Key = tuple[str, str | None]

CORNER = "（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）"
_PLACES = ("云溪", "临川", "柏林", "望海", "石桥", "青禾", "南麓", "东岸")
_BODIES = ("水务局", "统计局", "教育局", "审计局", "民政局", "交通运输局")


@dataclass(frozen=True, slots=True)
class Truth:
    """What a document says of a figure: a value (null where the cell is blank), or nothing that is certain."""

    value: Decimal | None
    is_ambiguous: bool = False


@dataclass
class Value:
    """A printed value cell and the figure of the form that it is; no key for what is not in the form."""

    text: str
    key: Key | None = None
    truth: Truth | None = None
    columns: int = 1
    rows: int = 1
    note: str = ""
    struck: str = ""
    formula: str = ""

    @classmethod
    def of(cls, number: Decimal | None, key: Key | None) -> Value:
        text = "" if number is None else format(number, "f")
        return cls(text, key, Truth(number) if key else None)

    def put(self, text: str, value: Decimal | None) -> None:
        """Print something else, which is then what the document says."""
        self.text, self.truth = text, Truth(value) if self.key else None

    def blur(self) -> None:
        """The print no longer shows whose figure this is."""
        if self.key:
            self.truth = Truth(None, is_ambiguous=True)


@dataclass
class Row:
    """A row: the labels from the outermost group to its own, their group codes, a unit, and the values."""

    labels: list[str]
    groups: list[str]
    values: list[Value]
    unit: str | None = None
    blank: Value | None = None  # a figure to fill in inside the label


@dataclass
class Column:
    """A value column: its heading and the headings above it."""

    label: str
    parents: tuple[str, ...] = ()


@dataclass
class Block:
    """A heading row over rows: a whole table, or one block of the table of article 20."""

    kind: str
    title: str
    columns: list[Column]
    rows: list[Row]
    depth: int = 1
    has_heading: bool = True


@dataclass
class Table:
    """One printed table before its cells are laid out."""

    blocks: list[Block]
    is_transposed: bool = False


@dataclass
class Report:
    """A filled report; ``noticed`` are keys of which a failing identity must speak."""

    form_code: str
    agency: str
    year: int
    parts: list[str | Table]
    noticed: list[Key] = field(default_factory=list)
    more_values: dict[Key, Truth] = field(default_factory=dict)

    @property
    def tables(self) -> list[Table]:
        return [part for part in self.parts if isinstance(part, Table)]

    @property
    def blocks(self) -> list[Block]:
        return [block for table in self.tables for block in table.blocks]

    @property
    def rows(self) -> list[Row]:
        return [row for block in self.blocks for row in block.rows]

    @property
    def values(self) -> list[Value]:
        return [value for row in self.rows for value in row.values]

    def truth(self) -> dict[Key, Truth]:
        """What the document says of each figure."""
        found = dict(self.more_values)
        for row in self.rows:
            for value in (*row.values, *([row.blank] if row.blank else ())):
                if value.key and value.truth:
                    found[value.key] = value.truth
        return found


@dataclass
class PrintedCell:
    """A printed cell in the order of its row; ``kind`` is heading, label, unit or value."""

    text: str
    rows: int = 1
    columns: int = 1
    kind: str = "label"
    inner: PrintedTable | None = None  # a table printed inside the cell
    note: str = ""  # the raised mark of a footnote
    struck: str = ""  # an older text, struck out or deleted in a tracked change
    formula: str = ""  # what a workbook computes the figure by


@dataclass
class PrintedTable:
    """A table as rows of cells, a merged cell in its first row only."""

    rows: list[list[PrintedCell]]
    label_columns: int
    heading_rows: int = 0

    def placed(self) -> list[tuple[int, int, PrintedCell]]:
        """Every cell with the slot it starts in, as a browser places them."""
        taken: set[tuple[int, int]] = set()
        out = []
        for r, row in enumerate(self.rows):
            c = 0
            for cell in row:
                while (r, c) in taken:
                    c += 1
                out.append((r, c, cell))
                rows = min(max(cell.rows, 1), len(self.rows) - r)
                taken |= {(r + i, c + j) for i in range(rows) for j in range(cell.columns)}
                c += cell.columns
        return out

    @property
    def width(self) -> int:
        return max(c + cell.columns for _, c, cell in self.placed())


@dataclass
class Layout:
    """What a writer prints: paragraphs and tables; ``options`` are wishes about pages."""

    form_code: str
    agency: str
    year: int
    parts: list[str | PrintedTable]
    truth: dict[Key, Truth]
    noticed: list[Key]
    options: frozenset[str] = frozenset()

    @property
    def tables(self) -> list[PrintedTable]:
        return [part for part in self.parts if isinstance(part, PrintedTable)]


def form_variants() -> tuple[str, ...]:
    """The forms that can be printed, ``nat2014`` in its two variants."""
    codes = dict.fromkeys(table.form_code for table in load_vocabulary().tables)
    return tuple(v for code in codes for v in (("nat2014", "nat2014_beijing") if code == "nat2014" else (code,)))


# ---- figures


class _Numbers:
    """Random figures of one report: some reports are nearly empty, some hold large numbers."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._top = rng.choice((3, 12, 60, 900, 48_000))
        self._zeros = rng.choice((0.05, 0.3, 0.7))

    def leaf(self) -> Decimal:
        if self._rng.random() < self._zeros:
            return Decimal(0)
        return Decimal(self._rng.randint(1, self._rng.choice((self._top, 9, self._top))))

    def money(self) -> Decimal:
        return Decimal(self._rng.randint(0, 9_999_999)).scaleb(-self._rng.choice((0, 1, 2, 4)))

    def change(self) -> Decimal:
        return self.leaf() * self._rng.choice((1, 1, -1))

    def part(self, whole: Decimal) -> Decimal:
        return Decimal(self._rng.randint(0, int(whole)))


def _fill_requests(table: FormTable, numbers: _Numbers) -> dict[Key, Decimal]:
    applicants = [c.column_code for c in table.columns if c.column_code != "total"]
    values: dict[Key, Decimal] = {}
    metrics = {code for (row, _), (code, _) in table.cells.items() for code in [code]}
    for applicant in applicants:
        outcomes = sorted(m for m in metrics if m.startswith("outcome_") and m != "outcome_total")
        for metric in outcomes:
            values[metric, applicant] = numbers.leaf()
        total = sum((values[m, applicant] for m in outcomes), Decimal(0))
        carried_out = numbers.leaf()
        carried_in = numbers.part(min(total + carried_out, Decimal(40)))
        values["outcome_total", applicant] = total
        values["requests_carried_over_out", applicant] = carried_out
        values["requests_carried_over_in", applicant] = carried_in
        values["requests_received_new", applicant] = total + carried_out - carried_in
    for metric in metrics:
        values[metric, "total"] = sum((values[metric, a] for a in applicants), Decimal(0))
    return values


def _fill_remedies(table: FormTable, numbers: _Numbers) -> dict[Key, Decimal]:
    values: dict[Key, Decimal] = {}
    parts: list[Decimal] = []
    for column in table.columns:
        key = table.cells["cases", column.column_code]
        if column.column_code.endswith("_total"):
            values[key] = sum(parts, Decimal(0))
            parts = []
        else:
            parts.append(numbers.leaf())
            values[key] = parts[-1]
    return values


@lru_cache(maxsize=8)
def _sums(form_code: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Parent and parts of the sums within one report and year that the form demands."""
    kinds = {
        row["identity_code"]
        for row in read_seed("identities")
        if row["form_code"] == form_code and row["relation"] == "=" and row["kind_code"] == "sum_of_children"
    }
    sides: dict[str, dict[str, list[str]]] = {}
    for term in read_seed("identity_terms"):
        if term["identity_code"] in kinds:
            sides.setdefault(term["identity_code"], {}).setdefault(term["side"], []).append(term["metric_code"])
    return tuple((s["left"][0], tuple(s["right"])) for s in sides.values() if len(s.get("left", ())) == 1)


@lru_cache(maxsize=8)
def _bounds(form_code: str) -> tuple[tuple[str, str], ...]:
    kinds = {
        row["identity_code"]
        for row in read_seed("identities")
        if row["form_code"] == form_code and row["kind_code"] == "bound" and row["severity"] == "error"
    }
    sides: dict[str, dict[str, str]] = {}
    for term in read_seed("identity_terms"):
        if term["identity_code"] in kinds:
            sides.setdefault(term["identity_code"], {})[term["side"]] = term["metric_code"]
    return tuple((s["left"], s["right"]) for s in sides.values() if len(s) == 2)


def _fill_list(table: FormTable, rows: Sequence[FormRow], numbers: _Numbers, rng: random.Random) -> dict[Key, Decimal]:
    metrics = load_vocabulary().metrics
    codes = [row.row_code for row in rows]
    keys = [key for (row, _), key in table.cells.items() if row in codes]
    values: dict[Key, Decimal] = {}
    for key in keys:
        values[key] = numbers.money() if metrics[key[0]].unit == "万元" else numbers.leaf()
    # Several passes: a total may be a part of another total, and the other one a bound.
    for _ in range(4):
        for parent, parts in _sums(table.form_code):
            here = [(p, None) for p in parts if (p, None) in values]
            if (parent, None) in values and here:
                values[parent, None] = sum((values[k] for k in here), Decimal(0))
        for less, more in _bounds(table.form_code):
            if (less, None) in values and (more, None) in values:
                values[less, None] = min(values[less, None], values[more, None])
    return values


# ---- the tables of the forms


def _rows_of(table: FormTable, variant: str) -> list[FormRow]:
    return [row for row in table.rows if row.variant_code in ("all", variant)]


def _label(row: FormRow, rng: random.Random) -> str:
    """The label with its enumerator; 其中 with a colon."""
    return row.enumerator + ("：" if row.enumerator == "其中" else "") + row.label_zh


def _block(table: FormTable, variant: str, values: dict[Key, Decimal], rng: random.Random) -> Block:
    rows = _rows_of(table, variant)
    by_code = {row.row_code: row for row in rows}
    columns = [c for c in table.columns if c.column_code != "in_label"]
    kind = table.table_code.removeprefix(f"{table.form_code}_").split("_")[0]
    nested = kind == "requests"
    out: list[Row] = []
    for row in rows:
        keys = [table.cells.get((row.row_code, column.column_code)) for column in columns]
        if nested and not any(keys):
            continue
        path = [row]
        while nested and path[0].parent_row_code in by_code:
            path.insert(0, by_code[path[0].parent_row_code])
        printed = Row(
            [_label(r, rng) for r in path],
            [r.row_code for r in path],
            [
                # A column without a metric, such as a share, holds figures too.
                Value("" if nested else str(rng.randint(0, 99))) if key is None else Value.of(values.get(key), key)
                for key in keys
            ],
        )
        if table.layout_code == "row_unit_value":
            printed.unit = row.printed_unit or "——"
        in_label = table.cells.get((row.row_code, "in_label"))
        if in_label:
            filled = values[in_label] if rng.random() < 0.5 else None
            printed.labels[-1] = printed.labels[-1].replace(
                "含未审结 件", f"含未审结{'   ' if filled is None else f' {filled} '}件"
            )
            printed.blank = Value("", in_label, Truth(filled))
        out.append(printed)
    headings = [
        Column(c.label_zh, tuple(filter(None, c.parent_label_zh.split(" / "))) if c.parent_label_zh else ())
        for c in columns
    ]
    return Block(kind, table.label_zh, headings, out, max(len(row.labels) for row in out))


def make_report(variant: str, seed: int) -> Report:
    """Fill a form: ``variant`` is one of :func:`form_variants`."""
    rng = random.Random(f"{variant}/{seed}")
    form_code = variant.removesuffix("_beijing")
    region = "beijing" if variant.endswith("_beijing") else "national"
    numbers = _Numbers(rng)
    agency = f"{rng.choice(_PLACES)}市{rng.choice(_BODIES)}"
    first, last = next(
        (int(f["first_report_year"]), int(f["last_report_year"] or 2024))
        for f in read_seed("forms")
        if f["form_code"] == form_code
    )
    year = rng.randint(first, last)
    tables = [t for t in load_vocabulary().tables if t.form_code == form_code]
    if not form_code.startswith(("nat", "fmt")):
        # The local forms before 2014 are tables of different places: a report has one of them.
        tables = [rng.choice(tables)]
    blocks: list[Block] = []
    for table in tables:
        rows = _rows_of(table, region)
        if table.table_code.endswith("_requests"):
            values = _fill_requests(table, numbers)
        elif table.layout_code == "single_row":
            values = _fill_remedies(table, numbers)
        else:
            values = _fill_list(table, rows, numbers, rng)
            values |= {k: numbers.change() for k in values if load_vocabulary().metrics[k[0]].is_signed}
        blocks.append(_block(table, region, values, rng))
    return Report(form_code, agency, year, _compose(form_code, agency, year, blocks))


def _compose(form_code: str, agency: str, year: int, blocks: list[Block]) -> list[str | Table]:
    title = f"{agency}{year}年政府信息公开工作年度报告"
    lead = (
        f"根据《中华人民共和国政府信息公开条例》的规定，{agency}编制本报告。报告所列数据的统计期限"
        f"自{year}年1月1日起，至{year}年12月31日止。"
    )
    quiet = "本机关按照职责分工推进公开工作，及时更新栏目，认真听取意见，工作运行平稳。"
    if not form_code.startswith("fmt"):
        parts: list[str | Table] = [title, lead, "一、主要做法", quiet, "二、存在的不足和下一步打算", quiet]
        for block in blocks:
            parts += [block.title if "表" in block.title else f"{block.title}情况表", f"（{year}年度）", Table([block])]
        return [*parts, f"填报单位：{agency}"]
    by_kind: dict[str, list[Block]] = {}
    for block in blocks:
        by_kind.setdefault(block.kind, []).append(block)
    return [
        title,
        lead,
        "一、总体情况",
        quiet,
        "二、主动公开政府信息情况",
        Table(by_kind["article20"]),
        "三、收到和处理政府信息公开申请情况",
        Table(by_kind["requests"]),
        "四、政府信息公开行政复议、行政诉讼情况",
        Table(by_kind["remedies"]),
        "五、存在的主要问题及改进情况",
        "公开内容还不够丰富，队伍力量有待加强。今后将加强培训，改进服务。",
        "六、其他需要报告的事项",
        "没有其他需要报告的事项。",
    ]


# ---- printing


def print_report(report: Report) -> Layout:
    """Lay the tables out with their merged cells."""
    parts = [part if isinstance(part, str) else print_table(part) for part in report.parts]
    return Layout(report.form_code, report.agency, report.year, parts, report.truth(), list(report.noticed))


def print_table(table: Table) -> PrintedTable:
    """The cells of one table in the manner of its kind."""
    block = table.blocks[0]
    if block.kind == "article20":
        return _print_article20(table.blocks)
    if block.kind == "requests":
        return _print_requests(block)
    if block.kind == "remedies":
        return _print_transposed(block) if table.is_transposed else _print_remedies(block)
    return _print_list(block)


def _values(row: Row) -> list[PrintedCell]:
    return [
        PrintedCell(v.text, v.rows, v.columns, "value", None, v.note, v.struck, v.formula)
        for v in row.values
        if v.columns and v.rows
    ]


def _print_article20(blocks: Sequence[Block]) -> PrintedTable:
    depth = max(block.depth for block in blocks)
    width = depth + max(len(block.columns) for block in blocks)
    rows: list[list[PrintedCell]] = []
    for block in blocks:
        rows.append([PrintedCell(block.title, 1, width, "heading")])
        # The last column is as wide as what is left of the table.
        rest = width - depth - len(block.columns) + 1
        if block.has_heading:
            heads = [PrintedCell(c.label, kind="heading") for c in block.columns]
            heads[-1].columns = rest
            rows.append([PrintedCell("信息内容", 1, depth, "heading"), *heads])
        printed: dict[str, PrintedCell] = {}
        for row in block.rows:
            cells = _labels(row, depth, printed)
            values = _values(row)
            values[-1].columns += rest - 1
            rows.append([*cells, *values])
    return PrintedTable(rows, depth, 0)


def _labels(row: Row, depth: int, printed: dict[str, PrintedCell]) -> list[PrintedCell]:
    """The label cells of a row: a group once, merged down; the own label as wide as is left."""
    cells: list[PrintedCell] = []
    *groups, own = zip(row.labels, row.groups, strict=True)
    for text, code in groups:
        if code in printed:
            printed[code].rows += 1
        else:
            printed[code] = PrintedCell(text)
            cells.append(printed[code])
    cells.append(PrintedCell(own[0], 1, depth - len(groups)))
    return cells


def _print_requests(block: Block) -> PrintedTable:
    rows: list[list[PrintedCell]] = []
    heading_rows = 0
    if block.has_heading:
        group = [c for c in block.columns if c.parents]
        second: list[PrintedCell] = []
        for n, column in enumerate(block.columns):
            if not column.parents:
                second.append(PrintedCell(column.label, 2, 1, "heading"))
            elif n == 0 or block.columns[n - 1].parents != column.parents:
                second.append(PrintedCell(column.parents[0], 1, len(group), "heading"))
        rows = [
            [
                PrintedCell(CORNER, 3, block.depth, "heading"),
                PrintedCell("申请人情况", 1, len(block.columns), "heading"),
            ],
            second,
            [PrintedCell(c.label, kind="heading") for c in group],
        ]
        heading_rows = 3
    printed: dict[str, PrintedCell] = {}
    for row in block.rows:
        rows.append([*_labels(row, block.depth, printed), *_values(row)])
    return PrintedTable(rows, block.depth, heading_rows)


def _print_remedies(block: Block) -> PrintedTable:
    first: list[PrintedCell] = []
    second: list[PrintedCell] = []
    third: list[PrintedCell] = []
    above: tuple[str, ...] = ()
    for column in block.columns:
        if not above or column.parents[0] != above[0]:
            first.append(PrintedCell(column.parents[0], 1, 0, "heading"))
        first[-1].columns += 1
        if len(column.parents) == 1:
            second.append(PrintedCell(column.label, 2, 1, "heading"))
        else:
            if column.parents != above:
                second.append(PrintedCell(column.parents[1], 1, 0, "heading"))
            second[-1].columns += 1
            third.append(PrintedCell(column.label, kind="heading"))
        above = column.parents
    rows = [first, second, third] if block.has_heading else []
    return PrintedTable([*rows, *(_values(row) for row in block.rows)], 0, len(rows))


def _print_transposed(block: Block) -> PrintedTable:
    """The remedies down the page: groups merged in the first columns, one figure a row."""
    rows = []
    printed: dict[tuple[str, ...], PrintedCell] = {}
    for column, value in zip(block.columns, block.rows[0].values, strict=True):
        cells: list[PrintedCell] = []
        for level in range(len(column.parents)):
            path = column.parents[: level + 1]
            if path in printed:
                printed[path].rows += 1
            else:
                wide = 2 if len(column.parents) == 1 else 1
                printed[path] = PrintedCell(path[-1], 1, wide)
                cells.append(printed[path])
        rows.append([*cells, PrintedCell(column.label), PrintedCell(value.text, kind="value")])
    return PrintedTable(rows, 3, 0)


def _print_list(block: Block) -> PrintedTable:
    """A label, a unit, and one value or several a row."""
    has_unit = any(row.unit is not None for row in block.rows)
    heads = ["统计指标", *(["单位"] if has_unit else []), *(c.label for c in block.columns)]
    rows = [[PrintedCell(text, kind="heading") for text in heads]] if block.has_heading else []
    for row in block.rows:
        unit = [PrintedCell(row.unit or "", kind="unit")] if has_unit else []
        rows.append([PrintedCell(row.labels[-1]), *unit, *_values(row)])
    return PrintedTable(rows, 1, 1 if block.has_heading else 0)


def flatten(table: PrintedTable) -> Iterator[list[str]]:
    """The rows of a table as text, every slot that a merged cell covers blank but its first."""
    width = table.width
    grid = [[""] * width for _ in table.rows]
    for r, c, cell in table.placed():
        grid[r][c] = cell.text
    yield from grid


def all_cells(layout: Layout) -> Iterable[PrintedCell]:
    """Every printed cell."""
    return (cell for table in layout.tables for row in table.rows for cell in row)
