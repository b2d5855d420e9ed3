"""Statutory tables to metric rows.

In: the tables of a document. Out: :class:`TableReading`, the figures with their evidence, which form the
tables are, and what was not understood. A row's values are taken only when its label is matched to the form and
it has exactly as many cells as the form has columns; the headings must be those of the form. A row whose label
is not in the form is kept without a metric. Blank cells are rows with status ``blank``, never zero.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from loaders.extract.layout import join_continued, lay_open, own_cells, stitch_rows, unfold
from loaders.extract.local_tables import LOCAL_FORM, LocalReading, read_local_table
from loaders.extract.recall import Look, follow, look_of, recall, remember
from loaders.forms.align import Match, align, exact_cores
from loaders.forms.columns import MISSING, Heading, find_columns, match_columns, match_grouped_columns, printed
from loaders.model import (
    Block,
    Cell,
    Document,
    Issue,
    MetricRow,
    Paragraph,
    Place,
    Script,
    SourceKind,
    Table,
    ValueStatus,
)
from loaders.text.fold import cache_short, fold
from loaders.text.labels import Label, compact, read_label
from loaders.text.numbers import MONEY_UNITS, convert_unit, is_unit, is_value, parse_cell
from loaders.vocabulary import FormRow, FormTable, load_vocabulary

_ARTICLE20 = re.compile("^第(?:二十|20)条第([一二三四五六七八九]|[1-9])项$")
_TABLE_YEAR = re.compile(r"^\s*[(（]?\s*((?:19|20)\d{2})\s*年\s*度?\s*[)）]?\s*$")
_TITLE_YEAR = re.compile(r"((?:19|20)\d{2})\s*年\s*度?")
# A figure that a reader could not make out, with its readings: 3|8, 4?1.
_DOUBTFUL_VALUE = re.compile(r"^[\d|?.,+\-—\s]+$")
# A figure with letters in it, as recognition leaves them: l8, O, 1Z.
_MISREAD = re.compile(r"^[0-9A-Za-z|!]{1,6}$")
_MYRIADS = re.compile("[万萬亿億]")
_MIN_LABELS = 3
_MIN_FIGURES = 5
_MAX_JOINED = 4
_MIN_GAPS = 2
_LONGEST_REMEMBERED = 40
_LOOK_AHEAD = 24


@dataclass(frozen=True, slots=True)
class TableReading:
    """What the tables of a document say.

    ``form_votes`` counts rows that only one form has; ``tables_seen`` counts statutory tables, read or not.
    """

    metric_rows: tuple[MetricRow, ...]
    issues: tuple[Issue, ...]
    form_votes: dict[str, int]
    table_year: int | None
    tables_seen: int


@dataclass(frozen=True, slots=True)
class _Item:
    """A label and the cells printed after it; ``above`` are label cells of the same row or run before it.

    ``is_refused`` says that the cells do not show which value stands under which heading.
    """

    label: Cell
    above: tuple[Cell, ...]
    values: tuple[Cell, ...]
    is_refused: bool = False


@dataclass(slots=True)
class _Found:
    script: Script
    rows: list[MetricRow] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    votes: Counter[str] = field(default_factory=Counter)
    seen: int = 0
    complete: int = 0
    printed_rows: list[tuple[Cell, tuple[Cell, ...]]] = field(default_factory=list)
    has_other_unit: bool = False


@lru_cache(maxsize=16)
def _form_tables(part: str) -> tuple[FormTable, ...]:
    return tuple(t for t in load_vocabulary().tables if part in t.table_code)


def extract_tables(document: Document) -> TableReading:
    """Read every statutory table of a document."""
    found = _Found(document.script)
    table_year = None
    blocks = document.blocks
    local_readings: list[LocalReading] = []
    unknown: list[Table] = []
    for index, block in join_continued(blocks):
        # A table with row ends has one view, and looks as its reader gave it; else each view has its own look.
        source = [block] if block.has_rows else list(_views(block))
        looks = [look_of(view, document.script) for view in source]
        readings = [_read_as_before(view, look, document.script) for view, look in zip(source, looks, strict=True)]
        if None in readings:
            views = list(_views(block)) if block.has_rows else source
            if not any(look is not None and recall(look) for look in looks):
                before = blocks[max(0, index - 6) : index]
                local = read_local_table(views, block, before, document.script, read_value)
                if local is not None:
                    local_readings.append(local)
                    continue
            readings = [
                _read_afresh(view, table, look, document.script) if reading is None else reading
                for view, table, look, reading in zip(views, source, looks, readings, strict=True)
            ]
        best = max((reading for reading in readings if reading is not None), key=lambda f: f.complete)
        found.rows += best.rows
        found.issues += best.issues
        found.votes += best.votes
        found.seen += best.seen
        if not best.seen and _is_mostly_figures(block):
            unknown.append(block)
        if best.votes["nat2014"] and table_year is None:
            table_year = _table_year(blocks[max(0, index - 6) : index], block, document.script)
    has_national_form = any(found.votes.values())
    for local in local_readings:
        # Beside a table of a national form, one in the words of the local forms is not the report's own.
        if local.form_code != LOCAL_FORM or not has_national_form:
            found.rows += local.metric_rows
            found.issues += local.issues
            found.votes[local.form_code] += local.form_votes
            found.seen += 1
            table_year = table_year or local.table_year
    if has_national_form:
        found.issues += [
            Issue("table_unread", "a table of figures has no heading or row label of a form", table.place.locator())
            for table in unknown
        ]
    return TableReading(tuple(found.rows), tuple(found.issues), dict(found.votes), table_year, found.seen)


def _is_mostly_figures(table: Table) -> bool:
    """Whether a table may be one of the form whose headings are lost, as where they are pictures."""
    cells = [cell for row in table.rows for cell in row if not cell.is_blank]
    figures = sum(is_value(cell.plain) for cell in cells)
    return figures >= _MIN_FIGURES and figures * 2 > len(cells)


def _views(table: Table) -> Iterator[Table]:
    """The readings of a table in which empty lines may be blank cells or nothing at all."""
    if table.has_rows:
        yield stitch_rows(unfold(lay_open(table)))
        return
    yield (
        replace(table, rows=tuple(tuple(c for c in row if not c.is_blank) for row in table.rows))
        if (table.style == "lines")
        else table
    )
    if table.style == "lines" and (cells := _cells_with_blanks(table.rows[0])):
        yield replace(table, rows=(cells,))


def _cells_with_blanks(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cells with those empty lines that stand for blank cells; none when no empty line must be one.

    Cells parted by an empty line everywhere leave every second further one as a blank cell. Where most labels
    follow an empty line, that line parts rows.
    """
    runs: list[tuple[list[Cell], Cell]] = []
    gap: list[Cell] = []
    for cell in cells:
        if cell.is_blank:
            gap.append(cell)
        else:
            runs.append((gap, cell))
            gap = []
    if not any(before and is_value(cell.plain) for before, cell in runs[1:]):
        # No empty line stands before a value: they part rows or paragraphs, and none is a cell.
        return ()
    after_value = [(before, cell) for (_, last), (before, cell) in pairwise(runs) if is_value(last.plain)]
    between = [len(before) for before, cell in after_value if is_value(cell.plain)]
    parted = bool(between) and min(between) > 0
    at_labels = [len(before) for before, cell in after_value if not is_value(cell.plain)]
    rows_parted = not parted and sum(n > 0 for n in at_labels) * 2 > len(at_labels)
    kept: list[Cell] = []
    found = False
    for before, cell in runs:
        blanks = before[1::2] if parted else before
        if rows_parted and not is_value(cell.plain):
            blanks = blanks[1:]
        found = found or bool(blanks and kept)
        kept += [*blanks, cell]
    kept += gap[1::2] if parted else gap[1:] if rows_parted else gap
    return tuple(kept) if found else ()


def _table_year(before: Sequence[Block], table: Table, script: Script) -> int | None:
    """The year a statistics table is headed with: in its own line or cell near the title."""
    cells = [cell.plain for row in table.rows[:6] for cell in row[:6]]
    lines = [fold(block.text, script).text for block in before if isinstance(block, Paragraph)]
    for text in (*cells[:8], *reversed(lines)):
        if match := _TABLE_YEAR.match(fold(text).text):
            return int(match[1])
    titles = [t for t in (*cells[:8], *reversed(lines)) if "统计表" in fold(t).text]
    for text in titles:
        if len(text) <= 60 and (match := _TITLE_YEAR.search(fold(text).text)):
            return int(match[1])
    return None


# ---- segments: which part of a printed table is which table of the form


def _read_as_before(table: Table, look: Look | None, script: Script) -> _Found | None:
    """Read a table by the recipe of one that looked the same; null where there is none or it does not fit."""
    recipe = recall(look) if look is not None else None
    rows = follow(recipe, table, read_value) if recipe is not None else None
    if recipe is None or rows is None:
        return None
    return _Found(script, rows, [], Counter(recipe.votes), recipe.seen, recipe.complete)


def _read_afresh(view: Table, source: Table, look: Look | None, script: Script) -> _Found:
    """Read a view of a table, and remember how, when nothing is in doubt."""
    found = _read_view(view, script)
    is_plain = not found.issues and not found.has_other_unit and len(found.printed_rows) == len(found.rows)
    if look is not None and is_plain and recall(look) is None:
        remember(look, source, found.rows, found.printed_rows, found.votes, found.seen, found.complete)
    return found


def _read_view(table: Table, script: Script) -> _Found:
    found = _Found(script)
    rows = tuple(tuple(part for cell in row for part in _split_heading(cell)) for row in table.rows)
    table = replace(table, rows=rows)
    for kind, rows in _segments(table):
        reader = {"article20": _read_article20, "requests": _read_requests, "remedies": _read_remedies}.get(
            kind, _read_statistics
        )
        reader(replace(table, rows=rows), found)
    return found


@lru_cache(maxsize=16)
def _row_cores(part: str) -> frozenset[str]:
    return frozenset().union(*(exact_cores(table.rows) for table in _form_tables(part)))


def _anchor(cell: Cell, after: Sequence[Cell]) -> str | None:
    """The kind of table that starts at a label cell."""
    text = compact(cell.plain)
    if _ARTICLE20.match(text):
        return "title20"
    if text == "信息内容":
        return "article20"
    if "勾稽关系" in text or text == "申请人情况":
        return "requests"
    if ("行政复议" in text or "行政诉讼" in text) and "结果维持" in compact("".join(c.plain for c in after)):
        return "remedies"
    if "统计指标" in text or read_label(cell.plain).core == "主动公开情况":
        return "statistics"
    return None


def _split_heading(cell: Cell) -> Iterator[Cell]:
    """A heading row printed as one line of words is cut into its cells."""
    if "信息" not in cell.plain:
        yield cell
        return
    words = list(re.finditer(r"\S+", cell.text))
    plain = cell.plain.split()
    if len(words) < 2 or len(plain) != len(words) or compact(plain[0]) != "信息内容":
        yield cell
        return
    for word, simplified in zip(words, plain, strict=True):
        start = cell.place.start + word.start()
        yield Cell(word.group(), replace(cell.place, start=start, end=start + len(word.group())), simplified)


def _segments(table: Table) -> Iterator[tuple[str, tuple[tuple[Cell, ...], ...]]]:
    """Cut a printed table at the headings of the form's tables."""
    flat = [(r, c, cell) for r, row in enumerate(table.rows) for c, cell in enumerate(row)]
    starts: list[tuple[int, str]] = []
    for at, (_, _, cell) in enumerate(flat):
        if cell.is_blank or is_value(cell.plain):
            continue
        kind = _anchor(cell, [other for _, _, other in flat[at + 1 : at + 1 + _LOOK_AHEAD]])
        if kind is None and not starts:
            kind = _anchor_by_rows(cell)
        if kind is not None and (not starts or starts[-1][1] != kind or kind == "article20"):
            starts.append((at, kind))
    for n, (at, kind) in enumerate(starts):
        stop = starts[n + 1][0] if n + 1 < len(starts) else len(flat)
        if kind == "title20":
            continue
        if table.has_rows and not any(flat[i][0] == flat[at][0] for i, _ in starts[:n]):
            # A heading may have other cells before it in its row.
            at -= flat[at][1]
        if n + 1 < len(starts) and table.has_rows and flat[stop][0] > flat[at][0]:
            stop -= flat[stop][1]
        rows: dict[int, list[Cell]] = {}
        for r, _, cell in flat[at:stop]:
            rows.setdefault(r, []).append(cell)
        yield kind, tuple(tuple(row) for row in rows.values())


def _anchor_by_rows(cell: Cell) -> str | None:
    """A table without its headings is known by a row that only one table of the forms has."""
    core = read_label(cell.plain).core
    if len(core) < _MIN_LABELS + 1:
        return None
    return next((k for k in ("requests", "statistics") if core in _row_cores(k)), None)


# ---- items: labels with their values


def _is_label(cell: Cell) -> bool:
    return not cell.is_blank and _is_words(cell.plain)


@cache_short
def _is_words(text: str) -> bool:
    """Whether the text of a cell is neither a value nor a figure that could not be made out."""
    is_illegible = parse_cell(text).status is ValueStatus.ILLEGIBLE
    return is_illegible and not is_value(text) and not _DOUBTFUL_VALUE.match(text)


def _joined_labels(cells: Sequence[Cell], cores: frozenset[str]) -> list[Cell]:
    """Labels broken over several cells are put together where only the whole is a row of the form."""
    out: list[Cell] = []
    at = 0
    while at < len(cells):
        # The longest whole that is a row of the form, so that a note printed apart stays with its label.
        width = next(
            (
                n
                for n in range(min(_MAX_JOINED, len(cells) - at), 1, -1)
                if read_label("".join(c.plain for c in cells[at : at + n])).core in cores
                and not any(read_label(c.plain).core in cores for c in cells[at + 1 : at + n])
            ),
            1,
        )
        part = cells[at : at + width]
        if width == 1:
            out.append(part[0])
        else:
            place = replace(part[0].place, end=part[-1].place.end)
            out.append(Cell("".join(c.text for c in part), place, "".join(c.plain for c in part)))
        at += width
    return out


def _items(table: Table, form: FormTable, arity: int, has_unit: bool, columns: _Columns | None) -> list[_Item]:
    """The labels of a table in order, each with the cells that follow it."""
    items: list[_Item] = []
    cores = exact_cores(form.rows)
    if table.has_rows:
        for row in table.rows:
            found = None if columns is None else _positioned_items(row, columns, cores)
            items += _row_items(own_cells(row), arity, cores, has_unit) if found is None else found
        return items
    labels: list[Cell] = []
    values: list[Cell] = []
    for cell in (*table.rows[0], None):
        starts_label = cell is not None and _is_label(cell) and not (has_unit and is_unit(cell.plain))
        if (cell is None or starts_label) and values:
            items += _run_items(labels, values, cores)
            labels, values = [], []
        if cell is None:
            items += _run_items(labels, values, cores)
        elif starts_label:
            labels.append(cell)
        elif labels:
            values.append(cell)
    return items


def _without_next_group(cells: tuple[Cell, ...] | None, arity: int) -> tuple[Cell, ...] | None:
    """Where row ends are not marked, blank cells of merged groups of the next row follow the values."""
    if cells and len(cells) > arity and not cells[0].is_blank and all(cell.is_blank for cell in cells[arity:]):
        return cells[:arity]
    return cells


def _without_last_gap(cells: tuple[Cell, ...], arity: int) -> tuple[Cell, ...]:
    """Empty lines after the last row part the table from what follows and are no cells."""
    if len(cells) > arity and all(cell.is_blank for cell in cells[arity:]):
        return cells[:arity]
    return cells


def _values(table: Table, items: Sequence[_Item], heading: Heading, form: FormTable) -> list[tuple[Cell, ...] | None]:
    if table.has_rows:
        return [None if item.is_refused else item.values for item in items]
    arity = len(heading.labels)
    # An empty line of plain text may be no cell at all: counting proves nothing there.
    gaps = [None] * len(items) if table.style == "lines" else _gaps(items, form)
    known = [(item.values, gap) for item, gap in zip(items, gaps, strict=True) if gap is not None]
    kept = sum(gap > 0 and len(cells) == arity + gap and _ends_at(cells, arity) for cells, gap in known)
    if kept >= _MIN_GAPS:
        if any(_shows_its_end(cells, arity) and len(cells) > arity + gap for cells, gap in known):
            # With blanks that the form does not explain, no count of cells tells that none is missing.
            gaps = [None] * len(items)
        return [_before_gap(item.values, gap, arity) for item, gap in zip(items, gaps, strict=True)]
    has_none = any(gap > 0 and len(cells) == arity and not cells[-1].is_blank for cells, gap in known)
    values = [_without_next_group(item.values, arity) for item in items]
    # Where blank cells of groups are or may be printed, a row just as long with a blank at its end may be a cell short.
    extra = [0, *(len(item.values) - arity for item in items), 0]
    for n, cells in enumerate(values):
        may_be_short = max(extra[n], extra[n + 2]) > 0 or (bool(gaps[n]) and not has_none)
        if cells and extra[n + 1] == 0 and cells[-1].is_blank and may_be_short:
            values[n] = None
    if table.style == "lines" and values:
        values[-1] = _without_last_gap(items[-1].values, arity)
        values = [None if _has_doubtful_blank(cells, heading) else cells for cells in values]
        return _without_displaced(values, items, arity, _value_cores(form))
    return values


@lru_cache(maxsize=64)
def _depths(form: FormTable) -> tuple[int, ...]:
    """In how many groups each row of a form stands."""
    at = {row.row_code: n for n, row in enumerate(form.rows)}
    depths: list[int] = []
    for row in form.rows:
        depths.append(depths[at[row.parent_row_code]] + 1 if row.parent_row_code else 0)
    return tuple(depths)


def _gaps(items: Sequence[_Item], form: FormTable) -> list[int | None]:
    """How many blank cells of merged groups may be printed before the row after each item, none after the last.

    The form says how many there are: one for each group of the row that is not named before it. Null where the
    row after an item is not one of the form.
    """
    depths = _depths(form)
    matches = align([read_label(item.label.plain) for item in items], form.rows)
    gaps: list[int | None] = [None] * len(items)
    following: int | None = 0
    for n in range(len(items) - 1, -1, -1):
        gaps[n] = following
        # The last label of a run is the row, those above it are the groups that it opens.
        if n + 1 == len(items) or len(items[n + 1].above) != len(items[n].above) + 1:
            match = matches[n]
            gap = -1 if match is None else depths[match.index] - len(items[n].above)
            following = gap if gap >= 0 else None
    return gaps


def _shows_its_end(cells: tuple[Cell, ...], arity: int) -> bool:
    """Whether a row starts and ends with a value and has nothing but blank cells behind it."""
    return _ends_at(cells, arity) and not cells[0].is_blank


def _ends_at(cells: tuple[Cell, ...], arity: int) -> bool:
    return len(cells) >= arity and not cells[arity - 1].is_blank and all(cell.is_blank for cell in cells[arity:])


def _before_gap(cells: tuple[Cell, ...], gap: int | None, arity: int) -> tuple[Cell, ...] | None:
    """The values of a row without the blank cells of the next row's groups; null where it may lack a cell."""
    if not cells:
        return cells
    has_all = gap is not None and len(cells) == arity + gap and all(cell.is_blank for cell in cells[arity:])
    return cells[:arity] if has_all or _shows_its_end(cells, arity) else None


def _has_doubtful_blank(cells: tuple[Cell, ...] | None, heading: Heading) -> bool:
    """Whether an empty line in a row may be no cell at all: the figures do not add up to the last with it."""
    has_total = compact(heading.labels[-1]) == "总计"
    if not has_total or not cells or len(cells) != len(heading.labels) or not any(cell.is_blank for cell in cells):
        return False
    numbers = [parse_cell(cell.plain).number for cell in cells]
    values = [Decimal(0) if number is None else number.value for number in numbers]
    return any(number is not None for number in numbers) and sum(values[:-1]) != values[-1]


def _without_displaced(
    values: Sequence[tuple[Cell, ...] | None], items: Sequence[_Item], arity: int, cores: frozenset[str]
) -> list[tuple[Cell, ...] | None]:
    """The values without those that may be of another row, where the text is not printed row by row.

    Where a row has no values at all and others have more than the form, or values follow a word that is no row,
    values were moved away from their labels: those beside such a row may be its own. A row that has all its cells
    when misread figures are counted has its own values.
    """
    counts = [sum(not cell.is_blank for cell in cells or ()) for cells in values]
    is_leaf = [read_label(item.label.plain).core in cores for item in items]
    is_hollow = [leaf and not count for leaf, count in zip(is_leaf, counts, strict=True)]
    is_stray = [bool(count) and (not leaf or count > arity) for leaf, count in zip(is_leaf, counts, strict=True)]
    for row in _misread_rows(items, is_leaf, counts, arity):
        is_hollow[row.start] = False
        is_stray[row.start : row.stop] = [False] * len(row)
    if not any(is_hollow) or not any(is_stray):
        return list(values)
    around = [any(is_hollow[max(0, n - 1) : n + 2]) or is_stray[n] for n in range(len(values))]
    return [None if odd else cells for cells, odd in zip(values, around, strict=True)]


def _misread_rows(
    items: Sequence[_Item], is_leaf: Sequence[bool], counts: Sequence[int], arity: int
) -> Iterator[range]:
    """Rows cut at figures that were misread as words (l8, O): they and the values beside them are the row's cells."""
    for start, leaf in enumerate(is_leaf):
        stop = start + 1
        while leaf and stop < len(items) and not is_leaf[stop] and _MISREAD.match(compact(items[stop].label.plain)):
            stop += 1
        if stop > start + 1 and sum(counts[start:stop]) + stop - start - 1 == arity:
            yield range(start, stop)


@lru_cache(maxsize=64)
def _value_cores(form: FormTable) -> frozenset[str]:
    """The labels of the rows that have values."""
    codes = {row for row, _ in form.cells}
    return exact_cores(tuple(row for row in form.rows if row.row_code in codes))


def _run_items(labels: Sequence[Cell], values: Sequence[Cell], cores: frozenset[str]) -> list[_Item]:
    joined = _joined_labels(labels, cores)
    return [
        _Item(cell, tuple(joined[:n]), tuple(values) if n + 1 == len(joined) else ()) for n, cell in enumerate(joined)
    ]


def _row_items(row: Sequence[Cell], arity: int, cores: frozenset[str], has_unit: bool) -> list[_Item]:
    last = max((n for n, c in enumerate(row) if _is_label(c) and not (has_unit and is_unit(c.plain))), default=None)
    if last is None:
        return []
    width = arity + has_unit
    if len(row) - last - 1 != width and len(row) > width:
        # A value that cannot be read looks like a label; the row's shape tells where the label must be.
        candidate = len(row) - width - 1
        # What stands after it must not be a label of the form itself: then the row lacks a cell.
        if (
            candidate < last
            and _is_label(row[candidate])
            and read_label(row[candidate].plain).core in cores
            and not any(read_label(cell.plain).core in cores for cell in row[candidate + 1 : last + 1])
        ):
            last = candidate
    labels = [cell for cell in row[: last + 1] if not cell.is_blank]
    return _run_items(labels, row[last + 1 :], cores)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the values of a table stand: positions in the order of the form, and all positions with a heading."""

    positions: tuple[int, ...]
    headed: frozenset[int]
    is_whole: bool
    heading: Heading

    @property
    def first(self) -> int:
        return min(position for position in self.positions if position != MISSING)


def _find_columns(table: Table, form: FormTable, cores: frozenset[str]) -> _Columns | None:
    """In a table whose rows are all equally wide: where the form's columns are printed.

    The heading of a column is the lowest label printed in it above the first row of the form. Null when the rows
    differ in width, the headings are not the form's columns, or the body does not stand under them.
    """
    if not table.has_rows or len({len(row) for row in table.rows}) != 1:
        return None
    leaves: dict[int, Cell] = {}
    for row in table.rows:
        first = next((cell for cell in row if not cell.is_blank), None)
        if first is not None and (read_label(first.plain).core in cores or any(is_value(cell.plain) for cell in row)):
            break
        leaves |= {n: cell for n, cell in enumerate(row) if _is_label(cell)}
    found = find_columns(leaves, form) if leaves else None
    if found is None:
        return None
    first_column = min(position for position in found.positions if position != MISSING)
    headed = frozenset(n for n in leaves if n >= first_column)
    filled = [{n for n, cell in enumerate(row) if is_value(cell.plain)} for row in table.rows]
    outside = sum(bool(at - headed) for at in filled)
    # Where rows have values elsewhere, the headings do not stand above the body.
    if outside * 4 > sum(map(bool, filled)) - outside:
        return None
    return _Columns(found.positions, headed, found.is_whole, found.heading)


def _find_statistics_columns(table: Table) -> _Columns | None:
    """In a statistics table whose rows are all equally wide: where unit and value are printed."""
    if not table.has_rows or len({len(row) for row in table.rows}) != 1:
        return None
    for row in table.rows:
        words = [compact(cell.plain) for cell in row]
        units = [n for n, word in enumerate(words) if word in ("单位", "计量单位")]
        values = [n for n, word in enumerate(words) if word == "统计数"]
        if len(units) == len(values) == 1 and units < values:
            at = (units[0], values[0])
            is_whole = not any(words[values[0] + 1 :])
            headed = frozenset(n for n in range(units[0], len(words)) if words[n])
            return _Columns(at, headed, is_whole, Heading(("统计数",), (None,), 100.0))
    return None


_NOT_PRINTED = Cell("", Place(0, 0, 0), None, 0, 0)


def _under(columns: _Columns, row: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cells of a row under the headings; a column that the body left out has none."""
    return tuple(_NOT_PRINTED if n == MISSING else row[n] for n in columns.positions)


def _positioned_items(row: Sequence[Cell], columns: _Columns, cores: frozenset[str]) -> list[_Item] | None:
    """A row of an equally wide table: its values stand under the headings and nowhere else.

    Null where the row does not keep to the headings but may be read by counting its cells; marked where a value
    is merged over several slots.
    """
    last_label = max((n for n, cell in enumerate(row[: columns.first]) if _is_label(cell)), default=-1)
    labels = [cell for cell in row[: last_label + 1] if _is_label(cell)]
    if not labels:
        return [] if not columns.is_whole else None
    after = own_cells(row[last_label + 1 :])
    values = _under(columns, row)
    printed_values = [cell for cell in values if cell is not _NOT_PRINTED]
    is_off = any(n > last_label and n not in columns.headed and not cell.is_blank for n, cell in enumerate(row))
    is_merged = any(
        (cell.is_covered and (cell.place.column or 0) > columns.first) or (cell.row_span > 1 and is_value(cell.plain))
        for cell in printed_values
    )
    if not is_merged and not is_off and not any(cell.is_covered for cell in printed_values):
        return _run_items(labels, values, cores)
    if columns.is_whole and not is_merged:
        return None
    *above, item = _run_items(labels, after, cores)
    return [*above, replace(item, is_refused=True)]


# ---- the four layouts


def _read_statistics(table: Table, found: _Found) -> None:
    """The statistics table of 2014: label, unit, one value."""
    form = next(t for t in _form_tables("statistics"))
    found.seen += 1
    cores = exact_cores(form.rows)
    items = _items(table, form, 1, has_unit=True, columns=_find_statistics_columns(table))
    has_unit_column = any(compact(item.label.plain) == "单位" for item in items) or any(
        is_unit(v.plain) for item in items for v in item.values[:1]
    )
    body = [item for item in items if not _is_heading_word(item.label.plain)]
    start = next((n for n, item in enumerate(body) if read_label(item.label.plain).core in cores), 0)
    values = [None if item.is_refused else _value_cells(item.values, has_unit_column) for item in body[start:]]
    if table.style == "lines" and sum(_ends_in_value(cells) for cells in values) * 2 < len(values):
        # Most labels have no value after them: the text is not printed row by row, and an empty line is no cell.
        values = [None if cells and cells[-1].is_blank else cells for cells in values]
    _emit(form, body[start:], values, (Heading(("统计数",), (None,), 100.0)), found)


def _ends_in_value(cells: tuple[Cell, ...] | None) -> bool:
    return cells is not None and len(cells) > 0 and is_value(cells[-1].plain)


def _is_heading_word(text: str) -> bool:
    return compact(text) in ("统计指标", "单位", "统计数", "计量单位", "指标名称")


def _value_cells(cells: tuple[Cell, ...], has_unit_column: bool) -> tuple[Cell, ...] | None:
    """The value cells after the unit; null when a unit column exists and the cells do not show which is which."""
    if not has_unit_column:
        return cells
    if len(cells) == 2 and (cells[0].is_blank or is_unit(cells[0].plain) or not is_value(cells[0].plain)):
        return cells[1:]
    if len(cells) == 1 and is_value(cells[0].plain):
        return cells
    return cells[1:] if len(cells) > 2 and is_unit(cells[0].plain) else None


def _read_requests(table: Table, found: _Found) -> None:
    """The request table of 2019 and 2021: rows by applicant type; the forms differ in one group of rows."""
    forms = sorted(_form_tables("requests"), key=lambda t: -len(t.rows))
    form = forms[0]
    found.seen += 1
    arity = len(form.columns)
    columns = _find_columns(table, form, exact_cores(form.rows))
    items = _items(table, form, arity, has_unit=False, columns=columns)
    first = _first_row(items, form)
    if first is None:
        found.issues.append(_table_issue("table_unread", form, table.place, "no row label of the form was found"))
        return
    heading_cells = _cells_before(table, items[first].label)
    heading = columns.heading if columns else match_grouped_columns(heading_cells, form)
    if heading is None:
        found.issues.append(_heading_issue(form, heading_cells, table.place))
        return
    body = items[first:]
    body[0] = replace(body[0], above=())
    union = align([read_label(item.label.plain) for item in body], form.rows)
    matched = {form.rows[match.index].row_code for match in union if match is not None}
    only = {row.row_code for row in form.rows} - {row.row_code for row in forms[1].rows}
    if not matched & only:
        form = forms[1]
    before = found.complete
    matches = _emit(form, body, _values(table, body, heading, form), heading, found)
    codes = [None if match is None else form.rows[match.index].row_code for match in matches]
    if matched & only:
        found.votes[form.form_code] += len(matched & only)
    elif found.complete > before and any(
        code == "outcome_other" and len(item.values) == arity for code, item in zip(codes, body, strict=True)
    ):
        found.votes[form.form_code] += 1


def _first_row(items: Sequence[_Item], form: FormTable) -> int | None:
    matches = align([read_label(item.label.plain) for item in items], form.rows)
    return next((n for n, match in enumerate(matches) if match is not None), None)


def _cells_before(table: Table, label: Cell) -> list[Cell]:
    return [c for row in table.rows for c in row if c.place.end <= label.place.start and _is_label(c)]


def _read_article20(table: Table, found: _Found) -> None:
    """A block of article 20: one heading row, a few rows. The form is told by headings and rows together."""
    best: tuple[float, FormTable, Heading, list[_Item]] | None = None
    flat = [cell for row in table.rows for cell in row]
    for form in _form_tables("article20"):
        cores = exact_cores(form.rows)
        first = next((n for n, c in enumerate(flat) if _is_label(c) and read_label(c.plain).core in cores), None)
        if first is None:
            continue
        columns = _find_columns(table, form, cores)
        heading = columns.heading if columns else match_columns([c for c in flat[1:first] if _is_label(c)], form)
        if heading is None:
            continue
        if best is None or heading.score > best[0]:
            items = _items(table, form, len(heading.labels), has_unit=False, columns=columns)
            best = (heading.score, form, heading, [i for i in items if i.label.place.start >= flat[first].place.start])
    found.seen += 1
    if best is None:
        form = next(iter(_form_tables("article20")))
        found.issues.append(_heading_issue(form, [c for c in flat[:8] if _is_label(c)], table.place))
        return
    _, form, heading, items = best
    found.votes[form.form_code] += 1
    _emit(form, items, _values(table, items, heading, form), heading, found)


def _read_remedies(table: Table, found: _Found) -> None:
    """The remedies table: headings in several rows and one row of values."""
    flat = [cell for row in table.rows for cell in row]
    last = max(n for n, cell in enumerate(flat) if _is_label(cell))
    form = _printed_part(_form_tables("remedies")[0], [cell for cell in flat[: last + 1] if _is_label(cell)])
    found.seen += 1
    arity = len(form.columns)
    columns = _find_columns(table, form, frozenset())
    if columns is not None:
        body = [row for row in table.rows if not any(_is_label(c) for c in row)]
        if any(not cell.is_blank for row in body for n, cell in enumerate(row) if n not in columns.headed):
            found.issues.append(_table_issue("arity_mismatch", form, table.place, "values stand beside the headings"))
            return
        runs = [_under(columns, row) for row in body]
    elif table.has_rows:
        runs = [own_cells(row) for row in table.rows if not any(_is_label(c) for c in row)]
    else:
        # Empty lines after the last value part the table from what follows.
        end = max(n for n, cell in enumerate(flat) if not cell.is_blank)
        runs = [tuple(flat[last + 1 : end + 1])]
    filled = [row for row in runs if any(is_value(c.plain) for c in row)] or [r for r in runs if len(r) == arity]
    labels = [cell for cell in flat[: last + 1] if _is_label(cell)]
    heading = match_grouped_columns(labels, form)
    if heading is None:
        found.issues.append(_heading_issue(form, labels, table.place))
        return
    if len(filled) != 1 or len(filled[0]) != arity or any(c.is_covered and c is not _NOT_PRINTED for c in filled[0]):
        filled = [own_cells(row) for row in filled]
        sizes = ", ".join(str(len(row)) for row in filled) or "no"
        place = filled[0][0].place if filled and filled[0] else table.place
        found.issues.append(
            Issue("arity_mismatch", f"{form.label_zh}: {sizes} cells instead of one row of {arity}", place.locator())
        )
        return
    item = _Item(Cell("", filled[0][0].place), (), filled[0])
    _emit_row(form, form.rows[0], item, filled[0], heading, Match(0, heading.score, "exact"), "", found)
    found.complete += 1


def _printed_part(form: FormTable, labels: Sequence[Cell]) -> FormTable:
    """The remedies form, or the part of it that a table of reconsideration or litigation alone is headed with.

    The columns of all groups have the same labels, so that the words of the groups decide, and there must be as
    many runs of columns as groups.
    """
    words = compact("".join(cell.plain for cell in labels))
    groups = tuple(group for group in _groups(form) if compact(group.split(" / ")[-1]) in words)
    if not groups or words.count(compact(form.columns[0].label_zh)) != len(groups):
        return form
    return _part(form, groups)


@lru_cache(maxsize=4)
def _groups(form: FormTable) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column.parent_label_zh for column in form.columns))


@lru_cache(maxsize=32)
def _part(form: FormTable, groups: tuple[str, ...]) -> FormTable:
    columns = tuple(column for column in form.columns if column.parent_label_zh in groups)
    return form if columns == form.columns else replace(form, columns=columns)


# ---- metric rows


def _emit(
    form: FormTable,
    items: Sequence[_Item],
    values: Sequence[tuple[Cell, ...] | None],
    heading: Heading,
    found: _Found,
) -> tuple[Match | None, ...]:
    """Match the items to the form and write the rows whose cells are exactly those of the form."""
    labels = [read_label(item.label.plain) for item in items]
    arity = len(heading.labels)
    matches = _without_doubtful(align(labels, form.rows), labels, values, arity)
    by_code = {row.row_code: row for row in form.rows}
    printed_labels: dict[str, str] = {}
    value_codes = {row for row, _ in form.cells}
    metrics = load_vocabulary().metrics
    for item, label, match, cells in zip(items, labels, matches, values, strict=True):
        row = form.rows[match.index] if match else None
        if row is not None:
            printed_labels[row.row_code] = printed(item.label)
        takes_values = row is not None and (row.row_code in value_codes or row.row_code in metrics)
        if cells is not None and len(cells) == arity:
            if row is not None and match is not None and takes_values:
                if row.is_heading and not any(is_value(c.plain) for c in cells):
                    continue
                path = _path(row, by_code, printed_labels)
                _emit_row(form, row, item, cells, heading, match, path, found)
                found.complete += 1
            elif row is None and any(is_value(c.plain) for c in cells):
                _emit_unmatched(form, item, label, cells, heading, found)
        elif row is not None and takes_values and not row.is_heading and (item.values or not _has_children(row, form)):
            count = len(item.values) if cells is None else len(cells)
            found.issues.append(
                Issue(
                    "arity_mismatch",
                    f"{form.label_zh}: {printed(item.label)} is followed by {count} cells instead of {arity}",
                    item.label.place.locator(),
                )
            )
    if form.layout_code == "row_unit_value":
        found.votes[form.form_code] += sum(match is not None for match in matches)
    return matches


def _without_doubtful(
    matches: Sequence[Match | None],
    labels: Sequence[Label],
    values: Sequence[tuple[Cell, ...] | None],
    arity: int,
) -> tuple[Match | None, ...]:
    """The matches without a row printed twice with other values, and without blank rows of an inexact label.

    The first may be last year's, the second the rest of a label that was cut.
    """
    printed_rows: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for label, cells in zip(labels, values, strict=True):
        if cells is not None and len(cells) == arity and any(is_value(cell.plain) for cell in cells):
            key = (label.core, label.enumerator)
            printed_rows.setdefault(key, set()).add(tuple(compact(cell.plain) for cell in cells))
    times_matched = Counter(
        (label.core, label.enumerator) for label, match in zip(labels, matches, strict=True) if match
    )
    kept: list[Match | None] = []
    for label, match, cells in zip(labels, matches, values, strict=True):
        key = (label.core, label.enumerator)
        is_repeated = len(printed_rows.get(key, ())) > times_matched[key]
        is_blank = cells is not None and not any(is_value(cell.plain) for cell in cells)
        is_doubtful = match is not None and (
            is_repeated or (is_blank and match.method != "exact" and len(cells or ()) > 0)
        )
        kept.append(None if is_doubtful else match)
    return tuple(kept)


def _has_children(row: FormRow, form: FormTable) -> bool:
    return any(other.parent_row_code == row.row_code for other in form.rows)


def _path(row: FormRow, by_code: dict[str, FormRow], printed_labels: dict[str, str]) -> str:
    """The printed labels from the group down to the row."""
    parts = [printed_labels[row.row_code]]
    while row.parent_row_code:
        row = by_code[row.parent_row_code]
        if row.row_code in printed_labels:
            parts.insert(0, printed_labels[row.row_code])
    return " / ".join(parts)


def _snippet(item: _Item) -> str:
    """The printed row on one line."""
    return " ".join(filter(None, (printed(cell) for cell in (item.label, *item.values))))


def _emit_row(
    form: FormTable,
    row: FormRow,
    item: _Item,
    cells: Sequence[Cell],
    heading: Heading,
    match: Match,
    path: str,
    found: _Found,
) -> None:
    metrics = load_vocabulary().metrics
    columns = [column for column in form.columns if column.column_code != "in_label"]
    snippet = _snippet(item)
    for column, cell, label, unit in zip(columns, cells, heading.labels, heading.units, strict=True):
        if cell is _NOT_PRINTED:
            continue
        metric_code, applicant = form.cells.get((row.row_code, column.column_code)) or _heading_cell(
            form, row, column.column_code
        )
        metric = metrics[metric_code]
        read = read_value(cell, unit, metric.unit, metric.is_signed)
        found.has_other_unit = found.has_other_unit or unit not in (None, metric.unit)
        found.printed_rows.append((item.label, item.values))
        if read[1] is ValueStatus.ILLEGIBLE:
            found.issues.append(_illegible(path or label, cell))
        found.rows.append(
            MetricRow(
                SourceKind.TABLE,
                metric_code,
                applicant,
                path,
                label,
                cell.text.strip(),
                read[0],
                read[1],
                read[2],
                metric.unit,
                cell.place,
                snippet,
                match.method,
                min(match.score, heading.score),
            )
        )
    in_label = form.cells.get((row.row_code, "in_label"))
    if in_label is not None:
        _emit_in_label(row, item, in_label[0], path, match, found)


def _heading_cell(form: FormTable, row: FormRow, column_code: str) -> tuple[str, str | None]:
    """A group that the form leaves without cells, printed with values by the body: its own metric."""
    applicant = next(app for (_, column), (_, app) in form.cells.items() if column == column_code)
    return row.row_code, applicant


def read_value(
    cell: Cell, heading_unit: str | None, wanted: str, is_signed: bool
) -> tuple[Decimal | None, ValueStatus, bool]:
    """The value of a cell in the wanted unit, its status, and whether it is approximate.

    A unit in the cell goes before that of the heading. A count with a fraction, a negative figure where the metric
    knows no sign, and a unit of another kind are illegible.
    """
    text = cell.text if cell.simplified is None else cell.simplified
    if len(text) > _LONGEST_REMEMBERED:
        return _read_text.__wrapped__(text, heading_unit, wanted, is_signed)
    return _read_text(text, heading_unit, wanted, is_signed)


@lru_cache(maxsize=65536)
def _read_text(
    text: str, heading_unit: str | None, wanted: str, is_signed: bool
) -> tuple[Decimal | None, ValueStatus, bool]:
    parsed = parse_cell(text)
    if parsed.number is None:
        return None, parsed.status, False
    unit = parsed.number.unit
    is_money = wanted in MONEY_UNITS
    if unit is not None and wanted != "%" and (unit in MONEY_UNITS) != is_money:
        return None, ValueStatus.ILLEGIBLE, False
    if is_money and unit is None and _MYRIADS.search(text):
        # 1.6万 in a column of money is so many yuan.
        unit = "元"
    value = convert_unit(parsed.number.value, unit or heading_unit, wanted)
    is_count = not is_money and wanted != "%"
    if (is_count and value != value.to_integral_value()) or (value < 0 and not is_signed):
        return None, ValueStatus.ILLEGIBLE, False
    return value, ValueStatus.NUMBER, parsed.number.is_approximate


@lru_cache(maxsize=64)
def _in_label_pattern(label: str) -> re.Pattern[str] | None:
    """The fill-in blank that a row label carries: the gap in its parenthesis."""
    match = re.search(r"\(([^\s()]+)\s+([^\s()]+)\)", fold(label).text)
    if match is None:
        return None
    return re.compile(rf"\(\s*{re.escape(match[1])}(?P<value>[^()]*?){re.escape(match[2])}\s*\)")


def _emit_in_label(row: FormRow, item: _Item, metric_code: str, path: str, match: Match, found: _Found) -> None:
    pattern = _in_label_pattern(row.label_zh)
    folded = fold(item.label.text, found.script)
    blank = pattern.search(folded.text) if pattern else None
    if blank is None:
        return
    start, end = folded.span(blank.start("value"), blank.end("value"))
    base = item.label.place
    place = Place(base.start + start, base.start + end, base.line, base.table, base.row, base.column)
    cell = Cell(item.label.text[start:end], place)
    metric = load_vocabulary().metrics[metric_code]
    value, status, approximate = read_value(cell, None, metric.unit, metric.is_signed)
    if status is ValueStatus.ILLEGIBLE:
        found.issues.append(_illegible(path, cell))
    found.rows.append(
        MetricRow(
            SourceKind.TABLE,
            metric_code,
            None,
            path,
            None,
            cell.text.strip(),
            value,
            status,
            approximate,
            metric.unit,
            place,
            printed(item.label),
            match.method,
            match.score,
        )
    )


def _emit_unmatched(
    form: FormTable, item: _Item, label: Label, cells: Sequence[Cell], heading: Heading, found: _Found
) -> None:
    path = " / ".join(printed(cell) for cell in (*item.above[-1:], item.label))
    ambiguous = label.core in exact_cores(form.rows)
    code, why = ("ambiguous_label", "fits more than one row") if ambiguous else ("row_unmatched", "is not a row")
    found.issues.append(Issue(code, f"{form.label_zh}: the label {path} {why} of the form", item.label.place.locator()))
    for cell, column_label in zip(cells, heading.labels, strict=True):
        if cell is _NOT_PRINTED:
            continue
        parsed = parse_cell(cell.plain)
        found.rows.append(
            MetricRow(
                SourceKind.TABLE,
                None,
                None,
                path,
                column_label,
                cell.text.strip(),
                parsed.number.value if parsed.number else None,
                parsed.status,
                bool(parsed.number and parsed.number.is_approximate),
                parsed.number.unit if parsed.number else None,
                cell.place,
                _snippet(item),
                "unmatched",
                0.0,
            )
        )


def _illegible(label: str, cell: Cell) -> Issue:
    return Issue(
        "illegible_value",
        f"{label}: the cell holds {cell.text.strip()!r}, not a number of its kind",
        cell.place.locator(),
    )


def _table_issue(code: str, form: FormTable, place: Place, why: str) -> Issue:
    return Issue(code, f"{form.label_zh}: {why}", place.locator())


def _heading_issue(form: FormTable, cells: Sequence[Cell], place: Place) -> Issue:
    seen = "、".join(printed(cell) for cell in cells[:12])
    return _table_issue("columns_unmatched", form, place, f"the column headings are not those of the form: {seen}")
