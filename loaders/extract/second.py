"""A second reading of the statutory tables, by another way than the first.

In: a document, the rows that were read from its tables, the form. Out: for each figure whether the second reading
agrees, differs or cannot tell. The first reading aligns cells to the skeleton and takes them by their column. The
second knows no cells: it searches the form's labels in the running text of the tables (in a PDF, in the text order
of the file instead) and takes the run of values behind each, when it is exactly as long as the form has columns.
A label that is not found to the letter is passed by, unless the rows around it are found and one run of values
stands between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from loaders.model import Cell, Document, MetricRow, SecondReading, SourceKind, ValueStatus
from loaders.text.fold import fold
from loaders.text.labels import read_label
from loaders.text.numbers import COUNT_UNITS, MONEY_UNITS, convert_unit, parse_cell
from loaders.vocabulary import FormRow, FormTable, load_vocabulary

_BLANK = "\u2205"
_ROW_END = "\u241e"
_UNITS = "|".join(sorted((*MONEY_UNITS, *COUNT_UNITS), key=len, reverse=True))
_NUMBER = rf"[+\-−]?\d[\d,]*(?:\.\d+)?(?:{_UNITS})?"
_VALUE = rf"(?:{_NUMBER}|[-—–/]+|无|{_BLANK})(?![\w.])"
_GAP = r"[\s|]"
_RUN = re.compile(rf"(?<![\w.,])({_VALUE}(?:{_GAP}+{_VALUE})*)")
_UNIT_CELL = re.compile(rf"{_GAP}*(?:(?:{_UNITS}){_GAP}+)?")
# A letter before a label, unless it ends an enumerator: 其中, (一), 1.
_WORD_BEFORE = re.compile(r"(?:[^\W\d一二三四五六七八九十中]|(?<!其)中)$")
_NOTE = r"(?:\s*[（(][^（）()]{0,60}[）)])?"

Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class _Found:
    """A row of the form in the running text: where its label starts, where its values end, and the values."""

    start: int
    end: int
    values: tuple[str, ...] | None


def read_tables_again(document: Document, rows: Sequence[MetricRow]) -> tuple[MetricRow, ...]:
    """The rows with what the second reading says of each table figure.

    Figures recognised in a picture are passed by: the second reading would see the same characters.
    """
    if document.is_read_by_ocr:
        return tuple(rows)
    texts = [fold(text, document.script).text for text in _texts(document)]
    again: dict[Key, set[str]] = {}
    for form in _forms_read(rows):
        for text in texts:
            for key, printed in _read_form(form, text):
                again.setdefault(key, set()).add(printed)
    return tuple(_compared(row, again) for row in rows)


def _forms_read(rows: Sequence[MetricRow]) -> list[FormTable]:
    """The form's tables that the figures come from: of two forms that share a figure the one with more of them."""
    left = {(row.metric_code, row.applicant_type) for row in rows if row.source_kind is SourceKind.TABLE}
    tables = []
    for form in sorted(load_vocabulary().tables, key=lambda t: -len(left & set(t.cells.values()))):
        if left & set(form.cells.values()):
            tables.append(form)
            left -= set(form.cells.values())
    return tables


def _compared(row: MetricRow, again: Mapping[Key, set[str]]) -> MetricRow:
    if row.source_kind is not SourceKind.TABLE or row.metric_code is None:
        return row
    texts = again.get((row.metric_code, row.applicant_type))
    if texts is None or row.value_status is ValueStatus.ILLEGIBLE:
        return row
    found = {parse_cell(text) for text in texts}
    # Found twice with two values, the second reading is no witness.
    if len(found) != 1:
        return row
    second, first = found.pop(), parse_cell(row.value_raw)
    if second.status is ValueStatus.ILLEGIBLE:
        return row
    if second == first or (second.number is None and row.value is None):
        return replace(row, second_reading=SecondReading.AGREES, second_value=row.value)
    value = None
    if second.number is not None:
        value = convert_unit(second.number.value, second.number.unit, row.unit)
    return replace(row, second_reading=SecondReading.DIFFERS, second_value=value)


def _texts(document: Document) -> Iterator[str]:
    if document.other_text is not None:
        yield document.other_text
        return
    for table in document.tables:
        end = _ROW_END if table.has_rows else "\t"
        # An empty line of plain text may be a blank cell or nothing.
        rows = ((cell for cell in row if table.style != "lines" or not cell.is_blank) for row in table.rows)
        yield end.join("\t".join(map(_one_line, row)) for row in rows)


def _one_line(cell: Cell) -> str:
    text = re.sub(r"\s+", "", cell.plain)
    return text or _BLANK


@lru_cache(maxsize=512)
def _label_pattern(label: str) -> re.Pattern[str] | None:
    core = read_label(label).core
    if not core:
        return None
    return re.compile(r"\W{0,4}".join(map(re.escape, core)) + _NOTE)


def _read_form(form: FormTable, text: str) -> Iterator[tuple[Key, str]]:
    columns = [column for column in form.columns if column.column_code != "in_label"]
    if form.layout_code == "single_row":
        found = {form.rows[0].row_code: _only_run(text, len(columns))}
    else:
        found = _find_rows(form, text, len(columns))
    for row_code, values in found.items():
        for column, printed in zip(columns, values or (), strict=bool(values)):
            key = form.cells.get((row_code, column.column_code))
            if key is not None:
                yield key, "" if printed == _BLANK else printed


def _only_run(text: str, arity: int) -> tuple[str, ...] | None:
    runs = [run for match in _RUN.finditer(text) if len(run := _split(match[1])) == arity]
    return runs[0] if len(runs) == 1 else None


def _split(run: str) -> tuple[str, ...]:
    return tuple(re.split(rf"{_GAP}+", run))


def _find_rows(form: FormTable, text: str, arity: int) -> dict[str, tuple[str, ...] | None]:
    """The values behind each label: rows found by a label that stands once, then the rows between two such."""
    rows = [row for row in form.rows if not row.is_heading]
    found: list[_Found | None] = [_find_label(row, form, text, arity) for row in rows]
    _drop_disordered(found)
    for n, row in enumerate(rows):
        if found[n] is None and 0 < n < len(rows) - 1 and row.variant_code == "all":
            before, after = found[n - 1], found[n + 1]
            if before is not None and after is not None:
                runs = [_split(m[1]) for m in _RUN.finditer(text, before.end, after.start)]
                if len(runs) == 1 and len(runs[0]) == arity:
                    found[n] = _Found(before.end, after.start, runs[0])
    return {row.row_code: hit.values for row, hit in zip(rows, found, strict=True) if hit is not None}


def _find_label(row: FormRow, form: FormTable, text: str, arity: int) -> _Found | None:
    """The one place where a label is printed as a row of its own, with the run of values behind it."""
    hits: dict[int, _Found] = {}
    for label in (row.label_zh, *row.aliases):
        pattern = _label_pattern(label)
        for match in pattern.finditer(text) if pattern else ():
            # Printed inside a longer label it is another row.
            if _WORD_BEFORE.search(text, max(0, match.start() - 3), match.start()):
                continue
            unit = _UNIT_CELL.match(text, match.end())
            at = unit.end() if unit else match.end()
            run = _RUN.match(text, at)
            if run is not None:
                hits[match.start()] = _Found(match.start(), run.end(), _split(run[1]))
    if len(hits) != 1:
        return None
    hit = next(iter(hits.values()))
    values = hit.values or ()
    if form.layout_code == "row_unit_value" and len(values) == 2 and values[0] in (_BLANK, "—"):
        # The unit's own cell is empty.
        values = values[1:]
    return replace(hit, values=values) if len(values) == arity else None


def _drop_disordered(found: list[_Found | None]) -> None:
    """Labels found out of the form's order are no witnesses."""
    last = -1
    for n, hit in enumerate(found):
        if hit is not None and hit.start <= last:
            found[n] = None
        elif hit is not None:
            last = hit.start
