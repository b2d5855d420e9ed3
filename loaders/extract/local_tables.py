"""The tables of the local forms before 2014, and a national table of 2014 with a column for each kind of body.

In: one printed table, the blocks before it, and how a cell is read. Out: a :class:`LocalReading`, or null when the
table is none of these. Three layouts are known. Lists of indicators have a label, a unit, sometimes a code, and
columns of which one is the year's; a printed code must be that of the label, and is never a value. Sheets of blocks
print a quantity, a share or an amount beside or above their labels; a cell counts only where one label and one
measure stand over it. National tables with several bodies are read from their total column. A label has to be one
of the form to the letter, or nearly so with the form's own code beside it. Columns that no metric stands for (a
month, a share, a running total) are left out with an issue; a table of a part of the year is not read at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from itertools import groupby

from rapidfuzz import fuzz

from loaders.extract.layout import own_cells
from loaders.forms.align import FUZZY_ALONE, Match, align
from loaders.forms.columns import printed
from loaders.model import Block, Cell, Issue, MetricRow, Paragraph, Place, Script, SourceKind, Table, ValueStatus
from loaders.text.fold import fold
from loaders.text.labels import compact, read_label
from loaders.text.numbers import MONEY_UNITS, is_unit, is_value, parse_cell
from loaders.vocabulary import FormColumn, FormRow, FormTable, Metric, load_vocabulary

LOCAL_FORM = "pre2014_local"
NATIONAL_FORM = "nat2014"

ReadValue = Callable[[Cell, str | None, str, bool], tuple[Decimal | None, ValueStatus, bool]]

_MIN_ROWS = 5
_MIN_SHEET_ROWS = 2
_MAX_TITLE = 60
_NAME_WORDS = frozenset({"指标名称", "统计指标", "指标", "项目", "项目名称", "统计项目", "内容", "类别"})
_UNIT_WORDS = frozenset({"单位", "计量单位"})
_CODE_WORDS = frozenset({"代码", "指标代码"})
# Numbers of lines: neither codes of the form nor values.
_LINE_WORDS = frozenset({"序号", "行次", "编号"})
_ONLY_COLUMN = frozenset({"数量", "数值", "数据", "数字", "统计数", "统计数据", "合计"})
_TOTAL_COLUMN = frozenset({"合计", "总计", "统计数", "总数", "合计数", "总计数"})
_COLUMN_LETTERS = frozenset("甲乙丙丁戊")
_YEAR_FIRST = re.compile(r"^((?:19|20)\d{2})年?")
_YEAR_LINE = re.compile(r"^[(（\s]*((?:19|20)\d{2})\s*年(?:\s*度|\s*1\s*[-—–至到~]\s*12\s*月)?[)）\s]*$")
_TITLE_YEAR = re.compile(r"((?:19|20)\d{2})\s*年(?!\s*\d{1,2}\s*月\s*\d)")
_TITLE_WORD = re.compile("统计|报表|情况表|附表|一览表")
_PART_OF_YEAR = re.compile(
    r"(?:前三|第?[一二三四1-4])季度|上半年|下半年|(?<!\d)[1-9一]\s*[-—–~至到]\s*(?:[1-9]|1[01])\s*月|(?<![\d至到-])\d{1,2}月份"
)
_SHARE = re.compile(r"[\d.,]+\s*[%％]")
_SCALED = re.compile("[万千百亿]")
_NOTE = re.compile(r"[(（]([^()（）]*)[)）]")


@dataclass(frozen=True, slots=True)
class LocalReading:
    """What such a table says; ``form_votes`` are the rows of the form that were met, read or not."""

    metric_rows: tuple[MetricRow, ...]
    issues: tuple[Issue, ...]
    form_code: str
    form_votes: int
    table_year: int | None


@dataclass(slots=True)
class _Found:
    read_value: ReadValue
    rows: list[MetricRow] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    votes: int = 0

    def tell(self, code: str, message: str, place: Place) -> None:
        self.issues.append(Issue(code, message, place.locator()))

    @property
    def figures(self) -> int:
        return sum(row.metric_code is not None and row.value is not None for row in self.rows)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A list of indicators: where what is printed in each of its rows, and its rows.

    ``columns`` maps the code of a form's column to its position; ``others`` are headed positions without metric.
    """

    form: FormTable
    headings: Mapping[int, Cell]
    name: int
    unit: int | None
    code: int | None
    columns: Mapping[str, int]
    others: tuple[int, ...]
    width: int
    body: tuple[tuple[Cell, ...], ...]

    @property
    def first(self) -> int:
        """The first position right of the labels."""
        positions = (self.unit, self.code, *self.columns.values(), *self.others)
        return min(p for p in positions if p is not None and p > self.name)


def read_local_table(
    views: Sequence[Table], grid: Table, before: Sequence[Block], script: Script, read_value: ReadValue
) -> LocalReading | None:
    """Read a table of a local form, or a national table that has a column for each kind of body.

    ``views`` are the readings of the table in which blank lines may or may not be cells, ``grid`` is the table as
    its reader gave it.
    """
    readings = [r for view in views if (r := _read_view(view, grid, before, script, read_value)) is not None]
    return max(readings, key=lambda r: sum(row.value is not None for row in r.metric_rows), default=None)


def _read_view(
    table: Table, grid: Table, before: Sequence[Block], script: Script, read_value: ReadValue
) -> LocalReading | None:
    cores = [read_label(cell.plain).core for row in table.rows for cell in row if _is_label(cell)]
    indicators, national = (set(cores) & set(_indicators()), set(cores) & _national_cores())
    found = _Found(read_value)
    titles = _titles(table, before, script)
    if len(national) >= _MIN_ROWS and len(national) > len(indicators):
        if (split := _split_bodies(table)) is None:
            return None
        _read_national(split, table.place, found)
        return _reading(found, NATIONAL_FORM, _year_of(titles))
    if len(indicators) >= _MIN_ROWS and len(indicators - national) >= len(national):
        sheet = _find_sheet(table)
        year = _year_of(titles)
        if isinstance(sheet, str):
            found.votes = len(indicators)
            if not _has_measures(table):
                found.tell("columns_unmatched", sheet, table.place)
                return _reading(found, LOCAL_FORM, year)
        else:
            year = _heading_year(sheet) or year
            if not _is_part_of_year((*titles, *(c.plain for c in sheet.headings.values())), table.place, found):
                _read_indicators(sheet, found)
            return _reading(found, LOCAL_FORM, year)
    if _has_measures(table):
        found = _Found(read_value)
        _read_blocks(table, grid, found)
        if found.votes >= _MIN_SHEET_ROWS:
            if _is_part_of_year(titles, table.place, found):
                found.rows = []
            return _reading(found, LOCAL_FORM, _year_of(titles))
    return None


def _reading(found: _Found, form_code: str, year: int | None) -> LocalReading:
    return LocalReading(tuple(found.rows), tuple(found.issues), form_code, found.votes, year)


# ---- the words of the forms


def _tables() -> Iterator[FormTable]:
    return (table for table in load_vocabulary().tables if table.form_code == LOCAL_FORM)


@lru_cache(maxsize=1)
def _lists() -> tuple[FormTable, ...]:
    """The forms that are a list of indicators: those with a column for the year."""
    return tuple(table for table in _tables() if any(c.column_code == "year" for c in table.columns))


@lru_cache(maxsize=1)
def _blocks() -> tuple[FormTable, ...]:
    return tuple(table for table in _tables() if table not in _lists())


def _row_cores(row: FormRow) -> set[str]:
    return {read_label(text).core for text in (row.label_zh, *row.aliases)}


@lru_cache(maxsize=1)
def _indicators() -> dict[str, tuple[str, str]]:
    """The labels of the lists of indicators: table and row code. The lists share their rows."""
    found: dict[str, tuple[str, str]] = {}
    for form in _lists():
        for row in form.rows:
            for core in _row_cores(row):
                found.setdefault(core, (form.table_code, row.row_code))
    return found


@lru_cache(maxsize=1)
def _national() -> FormTable:
    return next(table for table in load_vocabulary().tables if table.form_code == NATIONAL_FORM)


@lru_cache(maxsize=1)
def _national_cores() -> frozenset[str]:
    return frozenset().union(*map(_row_cores, _national().rows))


@lru_cache(maxsize=1)
def _block_labels() -> dict[str, tuple[tuple[FormTable, FormRow], ...]]:
    found: dict[str, list[tuple[FormTable, FormRow]]] = {}
    for form in _blocks():
        for row in form.rows:
            for core in sorted(_row_cores(row)):
                found.setdefault(core, []).append((form, row))
    return {core: tuple(rows) for core, rows in found.items()}


@lru_cache(maxsize=1)
def _measures() -> frozenset[str]:
    return frozenset().union(*(_column_cores(column) for form in _blocks() for column in form.columns))


def _column_cores(column: FormColumn) -> set[str]:
    return {_heading_core(text) for text in (column.label_zh, *column.aliases)}


def _heading_core(text: str) -> str:
    """A heading without the year it is printed with: 2009年度 and 年度 are one."""
    core = read_label(text).core
    match = _YEAR_FIRST.match(core)
    if match is None:
        return core
    return "年度" if core[match.end() :] in ("", "度", "度数", "全年", "数") else core[match.end() :]


def _is_figure(cell: Cell) -> bool:
    """Whether a cell holds a number, a dash, or a share: what no label is."""
    return is_value(cell.plain) or _SHARE.fullmatch(fold(cell.plain).text.strip()) is not None


def _is_label(cell: Cell) -> bool:
    return not cell.is_blank and not _is_figure(cell) and parse_cell(cell.plain).status is ValueStatus.ILLEGIBLE


def _is_heading_label(cell: Cell) -> bool:
    return not cell.is_blank and not is_value(cell.plain) and compact(cell.plain) not in _COLUMN_LETTERS


def _has_measures(table: Table) -> bool:
    return any(read_label(cell.plain).core in _measures() for row in table.rows for cell in row if _is_label(cell))


# ---- which year, and the whole of it


def _titles(table: Table, before: Sequence[Block], script: Script) -> tuple[str, ...]:
    """The lines that may head the table: short cells above its rows, then short lines before it, nearest first."""
    known = {*_indicators(), *_block_labels(), *_national_cores()}
    cells: list[str] = []
    for cell in (cell for row in table.rows[:6] for cell in row[:24]):
        if read_label(cell.plain).core in known:
            break
        cells.append(fold(cell.plain).text)
    lines = [fold(block.text, script).text for block in reversed(before) if isinstance(block, Paragraph)]
    return tuple(text for text in (*cells, *lines) if 0 < len(text.strip()) <= _MAX_TITLE and "。" not in text)


def _year_of(titles: Iterable[str]) -> int | None:
    titles = tuple(titles)
    for text in titles:
        if match := _YEAR_LINE.match(text):
            return int(match[1])
    for text in titles:
        if _TITLE_WORD.search(text) and (match := _TITLE_YEAR.search(text)):
            return int(match[1])
    return None


def _heading_year(sheet: _Sheet) -> int | None:
    match = _YEAR_FIRST.match(read_label(sheet.headings[sheet.columns["year"]].plain).core)
    return int(match[1]) if match else None


def _is_part_of_year(titles: Iterable[str], place: Place, found: _Found) -> bool:
    """Whether the table's own heading says that it covers less than the year."""
    for text in titles:
        is_heading = _TITLE_WORD.search(text) or len(text.strip()) <= 20
        if is_heading and (match := _PART_OF_YEAR.search(fold(text).text)):
            found.tell("table_unread", f"the table covers a part of the year: {match.group()}", place)
            return True
    return False


# ---- lists of indicators


def _find_sheet(table: Table) -> _Sheet | str:
    """The columns of a list of indicators, or why they are not understood."""
    rows = table.rows if table.has_rows else _rows_of_run(table.rows[0], set(_indicators()))
    found = _headings(rows, set(_indicators()))
    if found is None:
        return "the list of indicators has no headings"
    headings, name, width, start = found
    unit = _one(headings, _UNIT_WORDS)
    code = _one(headings, _CODE_WORDS)
    plain = {
        position: _heading_core(cell.plain)
        for position, cell in headings.items()
        if position > name and position not in (unit, code) and compact(cell.plain) not in _LINE_WORDS
    }
    matched: list[tuple[FormTable, dict[str, int]]] = []
    for form in _lists():
        columns: dict[str, int] = {}
        for column in form.columns:
            at = [position for position, core in plain.items() if core in _column_cores(column)]
            if column.column_code == "year" and len(at) > 1:
                return f"several columns are a year's: {_listed(headings[p] for p in at)}"
            if len(at) == 1:
                columns[column.column_code] = at[0]
        if "year" in columns:
            matched.append((form, columns))
    if not matched and len(plain) == 1 and set(plain.values()) <= _ONLY_COLUMN:
        matched = [(_lists()[0], {"year": next(iter(plain))})]
    if len({columns["year"] for _, columns in matched}) != 1:
        return f"the column headings are not those of a local form: {_listed(headings.values())}"
    form, columns = matched[0]
    used = {
        position
        for code_, position in columns.items()
        if any(column == code_ for _, column in form.cells) and code_ in columns
    }
    columns = {code_: position for code_, position in columns.items() if position in used}
    others = tuple(position for position in plain if position not in used)
    return _Sheet(form, headings, name, unit, code, columns, others, width, tuple(map(tuple, rows[start:])))


def _listed(cells: Iterable[Cell]) -> str:
    return "、".join(printed(cell) for cell in list(cells)[:12])


def _one(headings: Mapping[int, Cell], words: frozenset[str]) -> int | None:
    at = [position for position, cell in headings.items() if compact(cell.plain) in words]
    return at[0] if len(at) == 1 else None


def _headings(rows: Sequence[Sequence[Cell]], cores: set[str]) -> tuple[dict[int, Cell], int, int, int] | None:
    """The heading of each column, the column of the labels, how wide a row is, and where the rows start.

    In rows of equal width a heading is the lowest words above the first row; else the headings are one row.
    """
    start = next(
        (n for n, row in enumerate(rows) if any(read_label(c.plain).core in cores for c in row if _is_label(c))), None
    )
    if not start:
        return None
    if len({len(row) for row in rows}) == 1:
        heads, width = list(rows[:start]), len(rows[0])
    else:
        named = [row for row in rows[:start] if any(compact(cell.plain) in _NAME_WORDS for cell in row)]
        if not named:
            return None
        heads, width = named[-1:], len(named[-1])
    headings: dict[int, Cell] = {}
    for row in heads:
        headings |= {n: cell for n, cell in enumerate(row) if _is_heading_label(cell)}
    names = [n for n, cell in headings.items() if compact(cell.plain) in _NAME_WORDS]
    name = names[-1] if names else 0
    if not any(position > name for position in headings):
        return None
    return headings, name, width, start


def _rows_of_run(cells: Sequence[Cell], cores: set[str]) -> list[tuple[Cell, ...]]:
    """Cells without row ends as rows: the headings from the word for the labels on, then a label and what follows.

    Where units are not printed their cells are put in as blank ones, if the values alone are as many as needed.
    """
    first = next((n for n, c in enumerate(cells) if _is_label(c) and read_label(c.plain).core in cores), None)
    if first is None:
        return []
    name = max((n for n, c in enumerate(cells[:first]) if compact(c.plain) in _NAME_WORDS), default=None)
    if name is None:
        return []
    heads = tuple(cell for cell in cells[name:first] if _is_heading_label(cell))
    unit = next((n for n, cell in enumerate(heads) if compact(cell.plain) in _UNIT_WORDS), None)
    rows: list[list[Cell]] = []
    for cell in cells[first:]:
        if _is_label(cell) and not is_unit(cell.plain):
            rows.append([cell])
        else:
            rows[-1].append(cell)
    for row in rows:
        while len(row) > len(heads) and row[-1].is_blank:
            row.pop()
        if unit is not None and len(row) == len(heads) - 1 and all(is_value(cell.plain) for cell in row[1:]):
            row.insert(unit, Cell("", replace(row[0].place, start=row[0].place.end)))
    return [heads, *(tuple(row) for row in rows)]


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of a list of indicators: its label, the group label before it, all its cells, and its values."""

    label: Cell
    above: tuple[Cell, ...]
    cells: tuple[Cell, ...]
    values: Mapping[str, Cell]
    unit: Cell | None
    code: Cell | None

    @property
    def path(self) -> str:
        return " / ".join(printed(cell) for cell in (*self.above, self.label))

    @property
    def snippet(self) -> str:
        return " ".join(filter(None, (printed(cell) for cell in own_cells(self.cells))))


def _lines(sheet: _Sheet, found: _Found) -> Iterator[_Line]:
    """The rows that have a label and exactly the cells of the headings."""
    heads = {printed(cell) for cell in sheet.headings.values()}
    for row in sheet.body:
        labels = [cell for cell in row[: sheet.first] if _is_label(cell) and not is_unit(cell.plain)]
        filled = [cell for cell in row if not cell.is_blank]
        if not filled or {printed(cell) for cell in filled} <= heads:
            continue
        if not labels:
            if any(is_value(cell.plain) for cell in row[sheet.first :]):
                found.tell("row_unmatched", "a row has values and no label", filled[0].place)
            continue
        if why := _wrong_shape(row, sheet):
            if any(is_value(cell.plain) for cell in filled):
                found.tell("arity_mismatch", f"{printed(labels[-1])}: {why}", labels[-1].place)
            continue
        yield _Line(
            labels[-1],
            tuple(labels[-2:-1]),
            tuple(row),
            {code: row[position] for code, position in sheet.columns.items()},
            None if sheet.unit is None else row[sheet.unit],
            None if sheet.code is None else row[sheet.code],
        )


def _wrong_shape(row: Sequence[Cell], sheet: _Sheet) -> str | None:
    """Why the values of a row cannot stand under their headings."""
    if len(row) != sheet.width:
        return f"{len(row)} cells instead of {sheet.width}"
    if any(n >= sheet.first and n not in sheet.headings and not cell.is_blank for n, cell in enumerate(row)):
        return "a value stands under no heading"
    taken = [row[position] for position in (*sheet.columns.values(), *sheet.others)]
    if any(cell.is_covered or (max(cell.row_span, cell.column_span) > 1 and not cell.is_blank) for cell in taken):
        return "a value is merged over several cells"
    if sheet.unit is not None and is_value(row[sheet.unit].plain) and any(c.isdigit() for c in row[sheet.unit].plain):
        return "a number stands where the unit belongs"
    return None


def _read_indicators(sheet: _Sheet, found: _Found) -> None:
    lines = list(_lines(sheet, found))
    has_codes = sheet.code is not None and any(not line.code.is_blank for line in lines if line.code is not None)
    matched = [_match_indicator(line, sheet, has_codes, found) for line in lines]
    often = Counter(hit[0].row_code for hit in matched if hit is not None)
    for line, hit in zip(lines, matched, strict=True):
        if hit is not None and often[hit[0].row_code] > 1:
            found.tell("ambiguous_label", f"{line.path} is printed in several rows", line.label.place)
            hit = None
        if hit is None:
            _emit_unmatched(line, sheet, found)
            continue
        row, form, match = hit
        found.votes += 1
        for code, cell in line.values.items():
            metric = _metric(form, sheet.form, row.row_code, code)
            if metric is not None:
                heading = sheet.headings[sheet.columns[code]]
                _emit(metric, line.path, heading, cell, line.unit, line.snippet, match, found)
    left = [sheet.headings[position] for position in sheet.others]
    if left and lines:
        found.tell(
            "row_unmatched", f"no metric stands for the columns {_listed(left)}; they were not read", left[0].place
        )


def _metric(form: FormTable, heading_form: FormTable, row_code: str, column_code: str) -> Metric | None:
    key = (row_code, column_code)
    hit = heading_form.cells.get(key) or form.cells.get(key)
    return None if hit is None else load_vocabulary().metrics[hit[0]]


def _match_indicator(
    line: _Line, sheet: _Sheet, has_codes: bool, found: _Found
) -> tuple[FormRow, FormTable, Match] | None:
    """The row of the form that the label and the code both say."""
    core = read_label(line.label.plain).core
    tables = {table.table_code: table for table in _lists()}
    coded = _coded_row(line.code)
    if core in _indicators():
        table_code, row_code = _indicators()[core]
        form = tables[table_code]
        index, row = next((n, row) for n, row in enumerate(form.rows) if row.row_code == row_code)
        if has_codes and (coded is None or coded.row_code != row_code):
            said = "no code" if coded is None else f"the code of {coded.label_zh}"
            found.tell("ambiguous_label", f"{line.path} has {said}", line.label.place)
            return None
        return row, form, Match(index, 100.0, "exact")
    if not has_codes or coded is None:
        return None
    score = max(fuzz.ratio(core, known) for known in _row_cores(coded))
    # The numbers of exemptions are local: a label with one has to be that of the form to the letter.
    if score < FUZZY_ALONE or any(c.isdigit() for c in core):
        return None
    form = _lists()[0]
    return coded, form, Match(form.rows.index(coded), score, "fuzzy")


def _coded_row(cell: Cell | None) -> FormRow | None:
    """The row of the form with the printed code: codes are the order of the first list's rows."""
    text = "" if cell is None else fold(cell.plain).text.strip()
    if not re.fullmatch(r"\d{1,2}", text):
        return None
    return next((row for row in _lists()[0].rows if row.row_order == int(text)), None)


def _emit_unmatched(line: _Line, sheet: _Sheet, found: _Found) -> None:
    cell = line.values["year"]
    if not is_value(cell.plain):
        return
    if read_label(line.label.plain).core not in _indicators():
        found.tell("row_unmatched", f"the label {line.path} is not a row of the form", line.label.place)
    _emit_without_metric(line.path, sheet.headings[sheet.columns["year"]], cell, line.snippet, found)


# ---- rows


def _emit(
    metric: Metric,
    path: str,
    heading: Cell,
    cell: Cell,
    unit: Cell | None,
    snippet: str,
    match: Match,
    found: _Found,
) -> None:
    """One figure in the unit that its cell, its unit column or its heading prints."""
    if metric.unit == "%":
        cell = replace(cell, text=cell.text, simplified=re.sub("[%％]", "", cell.plain))
    unit_text = _printed_unit(unit, heading)
    value, status, is_approximate = found.read_value(
        cell, unit_text if unit_text in MONEY_UNITS else None, metric.unit, metric.is_signed
    )
    is_money = metric.unit in MONEY_UNITS
    if value is not None and unit_text and (_SCALED.search(unit_text) is not None) and unit_text not in MONEY_UNITS:
        found.tell("illegible_value", f"{path}: counted in {unit_text}, not in {metric.unit}", cell.place)
        value, status = None, ValueStatus.ILLEGIBLE
    elif value is not None and unit_text in MONEY_UNITS and not is_money:
        found.tell("illegible_value", f"{path}: an amount in {unit_text} where a count belongs", cell.place)
        value, status = None, ValueStatus.ILLEGIBLE
    elif status is ValueStatus.ILLEGIBLE:
        message = f"{path}: the cell holds {cell.text.strip()!r}, not a number of its kind"
        found.tell("illegible_value", message, cell.place)
    found.rows.append(
        MetricRow(
            SourceKind.TABLE,
            metric.metric_code,
            None,
            path,
            printed(heading),
            cell.text.strip(),
            value,
            status,
            is_approximate,
            metric.unit,
            cell.place,
            snippet,
            match.method,
            match.score,
        )
    )


def _printed_unit(unit: Cell | None, heading: Cell) -> str:
    """The unit of the row's own cell, else that in the parenthesis of the heading."""
    if unit is not None and is_unit_text(unit.plain):
        return compact(unit.plain)
    note = _NOTE.search(heading.plain)
    return compact(note[1]) if note else ""


def is_unit_text(text: str) -> bool:
    """Whether a cell says a unit: a known one, or one counted in thousands and more."""
    return is_unit(text) or (not is_value(text) and _SCALED.search(compact(text)) is not None)


def _emit_without_metric(path: str, heading: Cell, cell: Cell, snippet: str, found: _Found) -> None:
    parsed = parse_cell(cell.plain)
    number = parsed.number
    found.rows.append(
        MetricRow(
            SourceKind.TABLE,
            None,
            None,
            path,
            printed(heading),
            cell.text.strip(),
            number.value if number else None,
            parsed.status,
            bool(number and number.is_approximate),
            number.unit if number else None,
            cell.place,
            snippet,
            "unmatched",
            0.0,
        )
    )


# ---- a national table with a column for each kind of body


def _split_bodies(table: Table) -> _Sheet | str | None:
    """The total column of such a table; why there is none; or null when the table has one column of values."""
    cores = set(_national_cores())
    rows = table.rows if table.has_rows else _rows_of_run(table.rows[0], cores)
    found = _headings(rows, cores)
    if found is None:
        return None
    headings, name, width, start = found
    unit = _one(headings, _UNIT_WORDS)
    plain = {p: compact(cell.plain) for p, cell in headings.items() if p > name and p != unit}
    bodies = [p for p, text in plain.items() if text.endswith("统计数") and text != "统计数"]
    if len(bodies) < 2:
        return None
    totals = [p for p, text in plain.items() if text in _TOTAL_COLUMN]
    if len(totals) != 1:
        return f"a column for each kind of body and no total: {_listed(headings[p] for p in bodies)}"
    others = tuple(p for p in plain if p not in totals)
    body = tuple(map(tuple, rows[start:]))
    return _Sheet(_national(), headings, name, unit, None, {"year": totals[0]}, others, width, body)


def _read_national(sheet: _Sheet | str, place: Place, found: _Found) -> None:
    found.votes = _MIN_ROWS
    if isinstance(sheet, str):
        found.tell("columns_unmatched", sheet, place)
        return
    lines = list(_lines(sheet, found))
    matches = align([read_label(line.label.plain) for line in lines], sheet.form.rows)
    found.votes = sum(match is not None for match in matches)
    metrics = load_vocabulary().metrics
    for line, match in zip(lines, matches, strict=True):
        hit = None if match is None else sheet.form.cells.get((sheet.form.rows[match.index].row_code, "value"))
        cell = line.values["year"]
        heading = sheet.headings[sheet.columns["year"]]
        if match is not None and hit is not None:
            _emit(metrics[hit[0]], line.path, heading, cell, line.unit, line.snippet, match, found)
        elif match is None and is_value(cell.plain):
            found.tell("row_unmatched", f"the label {line.path} is not a row of the form", line.label.place)
            _emit_without_metric(line.path, heading, cell, line.snippet, found)


# ---- sheets of blocks


@dataclass(frozen=True, slots=True)
class _Crossing:
    """A cell with the label and the measure that stand over it; null where there is none, or two that differ."""

    cell: Cell
    label: Cell | None
    measure: Cell | None
    is_contradicted: bool


Slots = Sequence[Sequence[Cell | None]]
_Rows = dict[Place, tuple[FormTable, FormRow]]


def _read_blocks(table: Table, grid: Table, found: _Found) -> None:
    """Read every cell over which one label of a block and one measure stand."""
    bands = [grid.grid] if grid.grid is not None else _bands(table)
    labels = _label_rows(cell for band in bands for cell in _distinct(band))
    found.votes = len(labels)
    hits: dict[tuple[str, str, str], list[_Crossing]] = {}
    for band in bands:
        for crossing in _crossings(band, labels):
            _file(crossing, labels, hits, found)
    for (table_code, row_code, column_code), crossings in hits.items():
        filled = [c for c in crossings if not c.cell.is_blank] or crossings[:1]
        if len(filled) > 1:
            cell = filled[0].cell
            found.tell("ambiguous_label", f"{row_code} / {column_code} is printed several times", cell.place)
            continue
        form = next(table for table in _blocks() if table.table_code == table_code)
        metric = _metric(form, form, row_code, column_code)
        label, measure = filled[0].label, filled[0].measure
        if metric is not None and label is not None and measure is not None:
            snippet = " ".join(printed(cell) for cell in (label, measure, filled[0].cell)).strip()
            _emit(metric, printed(label), measure, filled[0].cell, None, snippet, Match(0, 100.0, "exact"), found)


def _file(crossing: _Crossing, labels: _Rows, hits: dict[tuple[str, str, str], list[_Crossing]], found: _Found) -> None:
    cell, label, measure = crossing.cell, crossing.label, crossing.measure
    if label is None or measure is None or crossing.is_contradicted:
        if not cell.is_blank and (label is not None or measure is not None or crossing.is_contradicted):
            over = "、".join(printed(c) for c in (label, measure) if c is not None) or "nothing of the form"
            found.tell("columns_unmatched", f"{cell.text.strip()} stands under {over}; it was not read", cell.place)
        return
    form, row = labels[label.place]
    core = read_label(measure.plain).core
    column = next((c for c in form.columns if core in _column_cores(c)), None)
    if column is None or max(cell.row_span, cell.column_span) > 1:
        if not cell.is_blank:
            message = f"{printed(label)} / {printed(measure)} is not a cell of the form"
            found.tell("columns_unmatched", message, cell.place)
        return
    if (row.row_code, column.column_code) in form.cells:
        hits.setdefault((form.table_code, row.row_code, column.column_code), []).append(crossing)


def _bands(table: Table) -> list[Slots]:
    """Runs of rows that are equally wide; cells without row ends are put into rows by their headings."""
    rows = table.rows if table.has_rows else _rows_of_measures(table.rows[0])
    return [list(group) for _, group in groupby(rows, key=len)]


def _rows_of_measures(cells: Sequence[Cell]) -> list[tuple[Cell, ...]]:
    """Cells without row ends: headings end with measures, and a label has a value for each of them."""
    rows: list[list[Cell]] = []
    measures: list[Cell] = []
    is_open = False
    for cell in cells:
        if _is_label(cell) and not is_unit(cell.plain):
            if read_label(cell.plain).core in _measures():
                measures = [*measures, cell] if is_open else [cell]
                is_open = True
                continue
            if is_open:
                corner = Cell("", replace(measures[0].place, end=measures[0].place.start))
                rows.append([corner, *measures])
                is_open = False
            rows.append([cell])
        elif rows and not is_open:
            rows[-1].append(cell)
    for row in rows:
        while len(row) > len(measures) + 1 and row[-1].is_blank:
            row.pop()
    return [tuple(row) for row in rows if len(row) > 1]


def _distinct(band: Slots) -> Iterator[Cell]:
    """The cells of a band in reading order, a merged one once."""
    seen: set[Place] = set()
    for row in band:
        for cell in row:
            if cell is not None and not cell.is_covered and cell.place not in seen:
                seen.add(cell.place)
                yield cell


def _label_rows(cells: Iterable[Cell]) -> _Rows:
    """The labels that are a row of a block. A label of several blocks, or a bare 其他, is of the block it follows."""
    rows: _Rows = {}
    block: FormTable | None = None
    for cell in cells:
        if not _is_label(cell):
            continue
        core = read_label(cell.plain).core
        known = _block_labels().get(core, ())
        if not known:
            # The title of the next block ends the one before it.
            block = block if core in _measures() else None
            continue
        hit = next((pair for pair in known if pair[0] is block), None)
        if hit is None and len(known) == 1 and core not in ("其他", "其它"):
            hit = known[0]
        if hit is not None:
            rows[cell.place] = hit
            block = hit[0]
    return rows


def _crossings(band: Slots, labels: _Rows) -> Iterator[_Crossing]:
    for r, row in enumerate(band):
        for c, cell in enumerate(row):
            if cell is None or cell.is_covered or _is_label(cell):
                continue
            if (c and row[c - 1] is cell) or (r and c < len(band[r - 1]) and band[r - 1][c] is cell):
                continue
            beside = [other for other in reversed(row[:c]) if other is not None and _is_label(other)]
            above = _labels_above(band, r, c)
            names = [_nearest(path, lambda other: other.place in labels) for path in (beside, above)]
            measures = [_nearest(path, _is_measure) for path in (beside, above)]
            differ = _differ(names, lambda other: labels[other.place][1].row_code) or _differ(
                measures, lambda other: read_label(other.plain).core
            )
            yield _Crossing(cell, names[0] or names[1], measures[0] or measures[1], differ)


def _labels_above(band: Slots, r: int, c: int) -> list[Cell]:
    """The labels over a cell, nearest first: the run of labels above the values of its own column."""
    found: list[Cell] = []
    for row in reversed(band[:r]):
        cell = row[c] if c < len(row) else None
        if cell is not None and _is_label(cell):
            if cell not in found:
                found.append(cell)
        elif found:
            break
    return found


def _nearest(path: Sequence[Cell], is_wanted: Callable[[Cell], bool]) -> Cell | None:
    return next((cell for cell in path if is_wanted(cell)), None)


def _is_measure(cell: Cell) -> bool:
    return read_label(cell.plain).core in _measures()


def _differ(cells: Sequence[Cell | None], say: Callable[[Cell], str]) -> bool:
    return len({say(cell) for cell in cells if cell is not None}) > 1
