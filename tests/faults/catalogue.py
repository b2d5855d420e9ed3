"""The ways in which documents are spoiled, each with a name and the formats it can happen in.

A fault changes the report before its tables are laid out, the printed page, or the bytes. Where a source is wrong
but clear, the truth is what it says under its printed heading; where the print no longer shows whose figure it is,
the truth says so (``is_ambiguous``): such a figure must be left out or flagged.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

import opencc

from loaders.vocabulary import FormTable, load_vocabulary
from tests.faults.layouts import (
    Block,
    Column,
    Layout,
    PrintedCell,
    PrintedTable,
    Report,
    Row,
    Table,
    Truth,
    Value,
    all_cells,
    make_report,
    print_report,
)
from tests.faults.writers import GRID_FORMATS, HTML_FORMATS, PAGED_FORMATS, ROW_FORMATS, WRITERS
from tests.loaders.render import Noise, _spoil

ALL_FORMATS = frozenset(WRITERS)
_TEXT = frozenset(name for name in WRITERS if name.startswith("text_"))
_PADDED = frozenset({"text_tsv", "text_piped_row", "text_markdown"})
_FORMS = frozenset({"pre2014_local", "nat2014", "fmt2019", "fmt2021"})
_SINCE_2019 = frozenset({"fmt2019", "fmt2021"})
Spoil = Callable[[Report, random.Random], None]
SpoilPage = Callable[[Layout, random.Random], None]
SpoilBytes = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Fault:
    """A named way to spoil a document, and where it can happen."""

    name: str
    report: Spoil | None = None
    page: SpoilPage | None = None
    data: SpoilBytes | None = None
    formats: frozenset[str] = ALL_FORMATS
    forms: frozenset[str] = _FORMS


CATALOGUE: dict[str, Fault] = {}


def _add(fault: Fault) -> None:
    CATALOGUE[fault.name] = fault


def _on_report(
    name: str, formats: frozenset[str] = ALL_FORMATS, forms: frozenset[str] = _FORMS
) -> Callable[[Spoil], Spoil]:
    def register(spoil: Spoil) -> Spoil:
        _add(Fault(name, report=spoil, formats=formats, forms=forms))
        return spoil

    return register


def _on_page(
    name: str, formats: frozenset[str] = ALL_FORMATS, forms: frozenset[str] = _FORMS
) -> Callable[[SpoilPage], SpoilPage]:
    def register(spoil: SpoilPage) -> SpoilPage:
        _add(Fault(name, page=spoil, formats=formats, forms=forms))
        return spoil

    return register


_add(Fault("none"))


# ---- values


def _known(report: Report) -> list[Value]:
    return [value for value in report.values if value.key]


def _some(rng: random.Random, values: list[Value], share: float) -> list[Value]:
    chosen = [value for value in values if rng.random() < share]
    return chosen or values[:1]


@_on_report("blank_cells")
def _blank_cells(report: Report, rng: random.Random) -> None:
    for value in _some(rng, _known(report), 0.3):
        value.put("", None)


@_on_report("zeros_left_blank")
def _zeros_left_blank(report: Report, rng: random.Random) -> None:
    for value in _known(report):
        if value.text == "0":
            value.put("", None)


@_on_report("words_for_none")
def _words_for_none(report: Report, rng: random.Random) -> None:
    for value in _some(rng, _known(report), 0.3):
        value.put(rng.choice(("/", "—", "无", "-", "——")), None)


@_on_report("thousands_separators")
def _thousands_separators(report: Report, rng: random.Random) -> None:
    for value in _known(report):
        if re.fullmatch(r"-?\d{4,}", value.text):
            value.text = f"{int(value.text):{rng.choice((',', ','))}}"


@_on_report("full_width_digits")
def _full_width_digits(report: Report, rng: random.Random) -> None:
    for value in _some(rng, _known(report), 0.5):
        value.text = value.text.translate(str.maketrans("0123456789-.", "０１２３４５６７８９－．"))


@_on_report("units_in_cells")
def _units_in_cells(report: Report, rng: random.Random) -> None:
    metrics = load_vocabulary().metrics
    for value in _some(rng, _known(report), 0.4):
        unit = metrics[value.key[0]].unit if value.key else ""
        if not value.text or value.truth is None or value.truth.value is None:
            continue
        if unit == "万元" and rng.random() < 0.5:
            value.text = f"{int(value.truth.value * 10_000)}元"
        else:
            value.text += unit


@_on_report("split_digits", formats=GRID_FORMATS - PAGED_FORMATS)
def _split_digits(report: Report, rng: random.Random) -> None:
    # An editor's line break or blank inside a number: one number, or two; nobody can tell.
    for value in _some(rng, [v for v in _known(report) if re.fullmatch(r"\d{3,}", v.text)] or _known(report)[:1], 0.3):
        if len(value.text) > 2:
            value.text = f"{value.text[:-2]} {value.text[-2:]}"
            value.blur()


@_on_report("wrong_total")
def _wrong_total(report: Report, rng: random.Random) -> None:
    totals = {"total", "outcome_total", "reconsideration_total", "litigation_direct_total", "requests_received"}
    totals |= {"requests_concluded", "replies_total", "litigation_after_reconsideration_total", "ogi_staff_total"}
    known = [v for v in _known(report) if v.key and totals & {*v.key} and v.text]
    for value in rng.sample(known, min(2, len(known))):
        wrong = Decimal(value.text) + rng.choice((1, 2, 10, 90))
        value.put(format(wrong, "f"), wrong)
        report.noticed.append(value.key)  # type: ignore[arg-type]


_MARKED = HTML_FORMATS | {"docx"}


@_on_report("footnote_marks", formats=_MARKED)
def _footnote_marks(report: Report, rng: random.Random) -> None:
    for value in _some(rng, [v for v in _known(report) if v.text], 0.15):
        value.note = rng.choice(("1", "2", "①", "*"))


@_on_report("struck_out_values", formats=_MARKED)
def _struck_out_values(report: Report, rng: random.Random) -> None:
    for value in _some(rng, _known(report), 0.15):
        value.struck = str(rng.randint(1, 99))


@_on_report("remarks_in_cells")
def _remarks_in_cells(report: Report, rng: random.Random) -> None:
    for value in _some(rng, [v for v in _known(report) if v.text], 0.1):
        value.text += rng.choice(("（含延期2件）", "（注1）", "（3）"))


@_on_report("totals_as_formulas", formats=frozenset({"xlsx"}), forms=_SINCE_2019)
def _totals_as_formulas(report: Report, rng: random.Random) -> None:
    # Written by a program: the formula is there, its result is not.
    for value in _known(report):
        if value.key and value.key[1] == "total":
            value.formula = f"=0+{value.text}"


# ---- columns


def _blocks(report: Report, least: int) -> list[Block]:
    return [block for block in report.blocks if len(block.columns) >= least]


@_on_report("columns_swapped_with_headings", forms=_SINCE_2019)
def _columns_swapped(report: Report, rng: random.Random) -> None:
    for block in _blocks(report, 3):
        at = rng.choice(
            [n for n in range(len(block.columns) - 1) if block.columns[n].parents == block.columns[n + 1].parents]
        )
        for items in (block.columns, *(row.values for row in block.rows)):
            items[at], items[at + 1] = items[at + 1], items[at]


@_on_report("values_shifted_against_headings", forms=_SINCE_2019)
def _values_shifted(report: Report, rng: random.Random) -> None:
    for block in _blocks(report, 3):
        for row in block.rows:
            texts = [(v.text, v.truth.value if v.truth else None) for v in row.values]
            for value, (text, number) in zip(row.values, texts[1:] + texts[:1], strict=True):
                value.put(text, number)


@_on_report("extra_column")
def _extra_column(report: Report, rng: random.Random) -> None:
    for block in report.blocks:
        if block.kind == "remedies":
            continue
        block.columns.append(Column("其中：本级"))
        for row in block.rows:
            row.values.append(Value(row.values[-1].text and str(rng.randint(0, 9))))


@_on_report("columns_by_level", forms=frozenset({"nat2014"}))
def _columns_by_level(report: Report, rng: random.Random) -> None:
    for block in report.blocks:
        block.columns[:1] = [Column("本级统计数"), Column("下级统计数")]
        for row in block.rows:
            row.values.append(Value(row.values[0].text and str(rng.randint(0, 99))))
            row.values[0].blur()


@_on_report("code_column", forms=frozenset({"nat2014"}))
def _code_column(report: Report, rng: random.Random) -> None:
    _column_before(report, "代码", lambda number: f"{number:02}")


@_on_report("last_years_column", forms=frozenset({"nat2014"}))
def _last_years_column(report: Report, rng: random.Random) -> None:
    _column_before(report, "上年统计数", lambda number: str(rng.randint(0, 300)))


@_on_report("columns_headed_by_years", forms=frozenset({"nat2014"}))
def _columns_headed_by_years(report: Report, rng: random.Random) -> None:
    _column_before(report, f"{report.year - 1}年", lambda number: str(rng.randint(0, 300)))
    for block in report.blocks:
        block.columns[1].label = f"{report.year}年"


def _column_before(report: Report, heading: str, text: Callable[[int], str]) -> None:
    """A column between the labels and the figures."""
    for block in report.blocks:
        block.columns.insert(0, Column(heading))
        for number, row in enumerate(block.rows, 1):
            row.values.insert(0, Value(text(number) if row.values[0].text else ""))


@_on_report("legal_persons_in_one_column", forms=_SINCE_2019)
def _legal_persons_in_one_column(report: Report, rng: random.Random) -> None:
    block = next(b for b in report.blocks if b.kind == "requests")
    block.columns[1:6] = [Column("法人或其他组织")]
    for row in block.rows:
        row.values[1:6] = [Value(str(sum(int(v.text) for v in row.values[1:6])))]


@_on_report("total_column_absent", forms=_SINCE_2019)
def _total_column_absent(report: Report, rng: random.Random) -> None:
    block = next(b for b in report.blocks if b.kind == "requests")
    del block.columns[-1]
    for row in block.rows:
        del row.values[-1]


@_on_report("litigation_in_one_group", forms=_SINCE_2019)
def _litigation_in_one_group(report: Report, rng: random.Random) -> None:
    block = next(b for b in report.blocks if b.kind == "remedies")
    del block.columns[10:]
    for column in block.columns[5:]:
        column.parents = column.parents[:1]
    for row in block.rows:
        both = zip(row.values[5:10], row.values[10:], strict=True)
        row.values[5:] = [Value(str(int(a.text) + int(b.text))) for a, b in both]


@_on_report("last_years_table_too", forms=_SINCE_2019)
def _last_years_table_too(report: Report, rng: random.Random) -> None:
    older = make_report(report.form_code, rng.randrange(10_000))
    at = next(n for n, part in enumerate(report.parts) if isinstance(part, Table) and part.blocks[0].kind == "requests")
    for row in older.tables[1].blocks[0].rows:
        for value in row.values:
            value.key = None
    report.parts[at + 1 : at + 1] = [f"附：{report.year - 1}年度收到和处理政府信息公开申请情况", older.tables[1]]


@_on_report("headings_missing", forms=_SINCE_2019)
def _headings_missing(report: Report, rng: random.Random) -> None:
    rng.choice(report.blocks).has_heading = False


@_on_report("remedies_transposed", forms=_SINCE_2019)
def _remedies_transposed(report: Report, rng: random.Random) -> None:
    for table in report.tables:
        table.is_transposed = table.blocks[0].kind == "remedies"


# ---- rows and labels


@_on_report("rows_missing")
def _rows_missing(report: Report, rng: random.Random) -> None:
    for block in report.blocks:
        if len(block.rows) > 1:
            block.rows[:] = [row for row in block.rows if rng.random() > 0.12] or block.rows[:1]


@_on_report("rows_in_other_order", forms=_SINCE_2019)
def _rows_in_other_order(report: Report, rng: random.Random) -> None:
    # Two rows of one group change places with their labels.
    for block in report.blocks:
        pairs = [n for n in range(len(block.rows) - 1) if block.rows[n].groups[:-1] == block.rows[n + 1].groups[:-1]]
        if pairs:
            at = rng.choice(pairs)
            block.rows[at], block.rows[at + 1] = block.rows[at + 1], block.rows[at]


@_on_report("sub_rows_added")
def _sub_rows_added(report: Report, rng: random.Random) -> None:
    names = {
        "article20": ("其中：简易程序", "其中：跨区域办理"),
        "requests": ("其中：涉及房屋征收", "其中：口头申请"),
    }
    for block in report.blocks:
        if block.kind == "remedies":
            continue
        at = rng.randrange(len(block.rows))
        model = block.rows[at]
        label = rng.choice(names.get(block.kind, ("其中：乡镇街道办理数", "其中：重点领域办理数")))
        values = [Value(str(rng.randint(1, 99)) if v.key else v.text) for v in model.values]
        block.rows.insert(at + 1, Row([*model.labels[:-1], label], [*model.groups[:-1], "added"], values, model.unit))


@_on_report("row_printed_twice")
def _row_printed_twice(report: Report, rng: random.Random) -> None:
    block = rng.choice([b for b in report.blocks if b.kind != "remedies"])
    at = rng.choice([n for n, row in enumerate(block.rows) if any(v.key for v in row.values)])
    row = block.rows[at]
    again = Row(list(row.labels), list(row.groups), [Value(str(rng.randint(100, 999))) for _ in row.values], row.unit)
    for value in row.values:
        value.blur()
    block.rows.insert(at + 1, again)


@_on_report("label_split_over_rows", formats=GRID_FORMATS - PAGED_FORMATS)
def _label_split_over_rows(report: Report, rng: random.Random) -> None:
    # Tables pasted from elsewhere: the second line of a label is a row of its own, its cells are empty.
    for block in report.blocks:
        for at in range(len(block.rows) - 1, -1, -1):
            row, label = block.rows[at], block.rows[at].labels[-1]
            if len(label) > 12 and block.kind != "remedies":
                row.labels[-1] = label[:10]
                rest = Row(
                    [*row.labels[:-1], label[10:]], [*row.groups[:-1], "rest"], [Value("") for _ in row.values], ""
                )
                block.rows.insert(at + 1, replace(rest, unit=None if row.unit is None else ""))


@_on_report("beijing_service_rows", forms=frozenset({"fmt2019"}))
def _beijing_service_rows(report: Report, rng: random.Random) -> None:
    table = _form_table("fmt2019_article20_5")
    block = next(b for b in report.blocks if any(row.groups[-1] == "other_services" for row in b.rows))
    own = next(row for row in block.rows if row.groups[-1] == "other_services")
    at = block.rows.index(own)
    added = []
    for code, name in (("other_services_inspection", "行政检查"), ("other_services_confirmation", "行政确认")):
        values = [Value.of(Decimal(rng.randint(0, 60)), table.cells[code, c.column_code]) for c in table.columns]
        added.append(Row([own.labels[-1], name], ["other_services", code], values))
    block.rows[at : at + 1] = added
    block.depth = 2


def _form_table(code: str) -> FormTable:
    return next(t for t in load_vocabulary().tables if t.table_code == code)


@_on_report("other_handling_in_one_row", forms=frozenset({"fmt2021"}))
def _other_handling_in_one_row(report: Report, rng: random.Random) -> None:
    # Table 2 as of 2021, table 3 as of 2019.
    older = make_report("fmt2019", rng.randrange(10_000))
    mine, theirs = (next(b for b in r.blocks if b.kind == "requests") for r in (report, older))
    mine.rows[:] = theirs.rows
    mine.columns[:] = theirs.columns


def _label_noise(share: float) -> Spoil:
    def spoil(report: Report, rng: random.Random) -> None:
        noise = Noise(characters=share)
        for block in report.blocks:
            seen: dict[str, str] = {}
            for row in block.rows:
                row.labels = [
                    seen.setdefault(code, _spoil(label, noise, rng))
                    if n + 1 < len(row.labels)
                    else _spoil(label, noise, rng)
                    for n, (code, label) in enumerate(zip(row.groups, row.labels, strict=True))
                ]
                if row.blank is not None:
                    _read_blank(row)

    return spoil


def _read_blank(row: Row) -> None:
    """The figure inside a spoiled label is what stands there now."""
    assert row.blank is not None
    found = re.search(r"（含未审结\s*(\d*)\s*件）", row.labels[-1])
    if found is None:
        row.blank.blur()
    else:
        row.blank.put("", Decimal(found[1]) if found[1] else None)


for _percent in (5, 10, 20):
    _add(Fault(f"label_noise_{_percent}_percent", report=_label_noise(_percent / 100)))


def _relabel(report: Report, change: Callable[[str], str]) -> None:
    for row in report.rows:
        row.labels = [change(label) for label in row.labels]
    for block in report.blocks:
        for column in block.columns:
            column.label = change(column.label)


_NUMBERED = re.compile(r"^(\d)\.")
_PARENTHESISED = re.compile(r"^（([一二三四五六七八九])）")


@_on_report("enumerators_in_other_style")
def _enumerators_in_other_style(report: Report, rng: random.Random) -> None:
    dot, left, right = rng.choice((("、", "(", ")"), ("．", "（", "）"), (". ", "(", ") ")))
    _relabel(report, lambda s: _PARENTHESISED.sub(rf"{left}\1{right}", _NUMBERED.sub(rf"\1{dot}", s)))


@_on_report("enumerators_absent")
def _enumerators_absent(report: Report, rng: random.Random) -> None:
    _relabel(report, lambda s: re.sub(r"^[一二三四五六七八九]、", "", _PARENTHESISED.sub("", _NUMBERED.sub("", s))))


@_on_report("of_which_dropped", forms=frozenset({"nat2014", "pre2014_local"}))
def _of_which_dropped(report: Report, rng: random.Random) -> None:
    _relabel(report, lambda s: s.removeprefix("其中：").removeprefix("其中:"))


_RENAMED = (
    ("行政规范性文件", "规范性文件"),
    ("尚未审结", "未审结"),
    ("总计", "合计"),
    ("本年增/减", "本年增减"),
    ("危及“三安全一稳定”", "危及三安全一稳定"),
    ("申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请", "逾期不补正"),
    ("本年收费金额（单位：万元）", "本年收费金额（万元）"),
    ("法人或其他组织", "法人或者其他组织"),
    ("、行政机关不再处理", "，行政机关不再处理"),
)


@_on_report("labels_renamed")
def _labels_renamed(report: Report, rng: random.Random) -> None:
    chosen = [pair for pair in _RENAMED if rng.random() < 0.6]

    def change(text: str) -> str:
        for old, new in chosen:
            text = text.replace(old, new)
        return text

    _relabel(report, change)


@_on_report("labels_spaced")
def _labels_spaced(report: Report, rng: random.Random) -> None:
    _relabel(report, lambda s: " ".join(s) if len(s) <= 4 else "　" + s)


# ---- printed pages


@_on_report("row_shifted_right", formats=ROW_FORMATS)
def _row_shifted_right(report: Report, rng: random.Random) -> None:
    _shift(report, rng, lambda row: row.values.insert(0, Value("")))


# Where rows are padded, a cell that lacks is a blank cell at the end, and the figures stand as they are printed.
@_on_report("row_one_cell_short", formats=(HTML_FORMATS | _TEXT | {"pdf"}) - _PADDED, forms=_SINCE_2019)
def _row_one_cell_short(report: Report, rng: random.Random) -> None:
    _shift(report, rng, lambda row: row.values.pop(rng.randrange(len(row.values))))


def _shift(report: Report, rng: random.Random, spoil: Callable[[Row], object]) -> None:
    """Spoil one row of a table with several columns; its figures no longer stand under headings."""
    wide = [block for block in report.blocks if len(block.columns) > 2] or report.blocks
    row = rng.choice(rng.choice(wide).rows)
    for value in row.values:
        value.blur()
        if value.key:
            report.more_values[value.key] = Truth(None, is_ambiguous=True)
    spoil(row)


@_on_report("values_merged_across", formats=GRID_FORMATS, forms=_SINCE_2019)
def _values_merged_across(report: Report, rng: random.Random) -> None:
    for block in (b for b in report.blocks if b.kind != "article20"):
        row = rng.choice(block.rows)
        at = rng.randrange(len(row.values) - 1)
        row.values[at].columns, row.values[at + 1].columns = 2, 0
        for value in row.values[at : at + 2]:
            value.blur()


@_on_report("values_merged_down", formats=GRID_FORMATS, forms=_SINCE_2019)
def _values_merged_down(report: Report, rng: random.Random) -> None:
    block = next(b for b in report.blocks if b.kind == "requests")
    at = rng.randrange(len(block.rows) - 1)
    column = rng.randrange(len(block.columns))
    first, second = (row.values[column] for row in block.rows[at : at + 2])
    first.rows, second.rows = 2, 0
    first.blur()
    second.blur()


@_on_page("spans_dropped", formats=HTML_FORMATS)
def _spans_dropped(layout: Layout, rng: random.Random) -> None:
    for cell in all_cells(layout):
        if cell.kind != "value":
            cell.rows = 1


@_on_page("rowspan_zero", formats=HTML_FORMATS)
def _rowspan_zero(layout: Layout, rng: random.Random) -> None:
    for table in layout.tables:
        for row in table.rows:
            for cell in row[:1]:
                if cell.rows > 4:
                    cell.rows = 0


@_on_page("spurious_empty_cell_in_headings", formats=GRID_FORMATS, forms=_SINCE_2019)
def _spurious_empty_cell(layout: Layout, rng: random.Random) -> None:
    # Some editors print an empty cell below a heading instead of merging the heading down.
    for table in layout.tables:
        if table.heading_rows == 3 and table.label_columns:
            second, third = table.rows[1], table.rows[2]
            for cell in second:
                cell.rows = 1
            third.insert(0, PrintedCell("", kind="heading"))
            third.append(PrintedCell("", kind="heading"))


@_on_page("colspan_too_wide", formats=HTML_FORMATS, forms=_SINCE_2019)
def _colspan_too_wide(layout: Layout, rng: random.Random) -> None:
    for table in layout.tables:
        wide = [row[0] for row in table.rows if row and row[0].kind == "label" and row[0].columns > 1]
        for cell in wide[:1]:
            cell.columns += 1


@_on_page("label_merge_missing_column", formats=HTML_FORMATS, forms=_SINCE_2019)
def _label_merge_missing(layout: Layout, rng: random.Random) -> None:
    # The own label of a row does not reach to its values: the values stand one column to the left.
    for table in layout.tables:
        labels = [c for row in table.rows for c in row if c.kind == "label" and c.columns > 1]
        if labels:
            rng.choice(labels).columns -= 1


@_on_page("serial_column")
def _serial_column(layout: Layout, rng: random.Random) -> None:
    for table in layout.tables:
        if not table.label_columns:
            continue
        for n, row in enumerate(table.rows):
            if n == 0 and table.heading_rows:
                row.insert(0, PrintedCell("序号", table.heading_rows, 1, "heading"))
            elif n >= table.heading_rows:
                row.insert(0, PrintedCell(str(n - table.heading_rows + 1)))
        table.label_columns += 1


@_on_page("notes_in_table")
def _notes_in_table(layout: Layout, rng: random.Random) -> None:
    for table in layout.tables:
        table.rows.append([PrintedCell("注：本表由办公室12人汇总，含下属单位3个。", 1, table.width)])


@_on_page("tables_glued", forms=_SINCE_2019)
def _tables_glued(layout: Layout, rng: random.Random) -> None:
    requests, remedies = layout.tables[-2:]
    title = next(p for p in reversed(layout.parts[: layout.parts.index(remedies)]) if isinstance(p, str))
    rows = [*requests.rows, [PrintedCell(title, 1, requests.width, "heading")], *remedies.rows]
    glued = PrintedTable(rows, requests.label_columns, requests.heading_rows)
    layout.parts = [glued if p is requests else p for p in layout.parts if p is not remedies and p is not title]


@_on_page("table_inside_table", formats=HTML_FORMATS | {"docx"})
def _table_inside_table(layout: Layout, rng: random.Random) -> None:
    layout.parts = [
        PrintedTable([[PrintedCell("附表", kind="label"), PrintedCell("", inner=part)]], 1)
        if isinstance(part, PrintedTable)
        else part
        for part in layout.parts
    ]


@_on_page("text_between_rows")
def _text_between_rows(layout: Layout, rng: random.Random) -> None:
    # A paragraph cuts a table in two; merged groups end at the cut and go on below it without a label.
    table = max(layout.tables, key=lambda t: len(t.rows))
    at = rng.randrange(table.heading_rows + 1, len(table.rows))
    above = PrintedTable(
        [[replace(c) for c in row] for row in table.rows[:at]], table.label_columns, table.heading_rows
    )
    below = PrintedTable([[replace(c) for c in row] for row in table.rows[at:]], table.label_columns)
    for n, row in enumerate(above.rows):
        for cell in row:
            cell.rows = min(cell.rows, at - n)
    columns: list[PrintedCell] = []
    for r, c, cell in table.placed():
        if c < table.label_columns and r < at < r + cell.rows:
            columns.append(PrintedCell("", r + cell.rows - at, cell.columns))
    below.rows[0][:0] = columns
    index = layout.parts.index(table)
    layout.parts[index : index + 1] = [above, "以上情况由各科室汇总后填报，下同。", below]


@_on_page("page_cut_inside_row", formats=PAGED_FORMATS)
def _page_cut_inside_row(layout: Layout, rng: random.Random) -> None:
    layout.options |= {"cut_rows"}
    _lengthen(layout, rng)


@_on_page("heading_repeated_after_page", formats=PAGED_FORMATS)
def _heading_repeated(layout: Layout, rng: random.Random) -> None:
    layout.options |= {"repeat_heading"}
    _lengthen(layout, rng)


@_on_page("running_head_on_pages", formats=PAGED_FORMATS)
def _running_head(layout: Layout, rng: random.Random) -> None:
    layout.options |= {"running_head"}
    _lengthen(layout, rng)


@_on_page("no_vertical_lines", formats=PAGED_FORMATS)
def _no_vertical_lines(layout: Layout, rng: random.Random) -> None:
    layout.options |= {"no_vertical_lines"}


@_on_page("no_lines", formats=PAGED_FORMATS)
def _no_lines(layout: Layout, rng: random.Random) -> None:
    layout.options |= {"no_lines"}


_add(Fault("no_lines_and_blank_cells", report=_blank_cells, page=_no_lines, formats=PAGED_FORMATS))
_add(Fault("no_vertical_lines_and_blank_cells", report=_blank_cells, page=_no_vertical_lines, formats=PAGED_FORMATS))


@_on_page("page_cut_anywhere", formats=PAGED_FORMATS)
def _page_cut_anywhere(layout: Layout, rng: random.Random) -> None:
    _lengthen(layout, rng)


def _lengthen(layout: Layout, rng: random.Random) -> None:
    """Prose in front, so that the page ends somewhere else in the tables."""
    prose = "各科室按照要求做好公开工作，及时回应关切，扎实改进服务，不断提高水平。"
    layout.parts[3:3] = [prose] * rng.randint(1, 26)


@_on_page("traditional_characters")
def _traditional(layout: Layout, rng: random.Random) -> None:
    convert = opencc.OpenCC("s2t").convert
    layout.parts = [convert(part) if isinstance(part, str) else part for part in layout.parts]
    for cell in all_cells(layout):
        cell.text = convert(cell.text)


def _cut_text(data: bytes, rng: random.Random) -> bytes:
    """Cut after a character that is no part of a number, so that no figure is cut itself."""
    cut = data[: int(len(data) * rng.uniform(0.4, 0.95))]
    return re.sub(rb"[0-9.,\x80-\xff-]+$", b"", cut)


def _cut_bytes(data: bytes, rng: random.Random) -> bytes:
    return data[: int(len(data) * rng.uniform(0.4, 0.95))]


def _in_gb18030(data: bytes, rng: random.Random) -> bytes:
    return data.decode("utf-8").replace('<meta charset="utf-8">', "").encode("gb18030")


def _in_utf16(data: bytes, rng: random.Random) -> bytes:
    return data.decode("utf-8").replace('<meta charset="utf-8">', "").encode("utf-16")


_UTF8 = (HTML_FORMATS | _TEXT) - {"html_word"}
_add(Fault("encoded_in_gb18030", data=_in_gb18030, formats=_UTF8))
_add(Fault("encoded_in_utf16", data=_in_utf16, formats=_UTF8))
_add(Fault("truncated_text", data=_cut_text, formats=HTML_FORMATS | _TEXT))
_add(Fault("truncated_file", data=_cut_bytes, formats=ALL_FORMATS - HTML_FORMATS - _TEXT))


def make_layout(variant: str, fault: Fault, seed: int) -> Layout:
    """A report of a form, spoiled and printed; the same arguments give the same page."""
    rng = random.Random(f"{variant}/{fault.name}/{seed}")
    report = make_report(variant, seed)
    if fault.report:
        fault.report(report, rng)
    layout = print_report(report)
    if fault.page:
        fault.page(layout, rng)
    return layout


def spoil_bytes(data: bytes, fault: Fault, seed: int) -> bytes:
    """The bytes as the fault leaves them."""
    return fault.data(data, random.Random(f"{fault.name}/{seed}")) if fault.data else data
