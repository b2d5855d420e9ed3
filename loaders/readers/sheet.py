"""Workbooks to documents: XLSX, XLS and ET, told apart by their content.

In: the bytes of a workbook. Out: a document in which every visible sheet with content is a table, its page being
the number of the sheet; lines of a single cell above and below a table (title, unit, notes) are paragraphs. Merged
cells keep their spans. Figures are written as they are stored, in the shortest form and without a trailing
``.0``; a figure whose number format prints something else than the figure (per cent, words, other scales) is
written with it. A formula without a stored result is written as the formula, never as a blank.
"""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import olefile
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from loaders.errors import DocumentRejected
from loaders.model import Document
from loaders.readers.build import MAX_SLOTS, DocumentBuilder, Slot
from loaders.readers.sheet_scan import SheetFacts, scan_workbook
from loaders.readers.sniff import XLS, XLSX

_MAX_MERGES = 50_000
_LONG_NOTE = 30
# Of a number format: words in quotes, escaped and filling characters, colours and conditions.
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|[_*](.)|\[([^\]]*)\]')
_CARRIAGE_RETURN = re.compile("_x000[dD]_\n?|\r\n?")

Merge = tuple[tuple[int, int], tuple[int, int]]


def read_sheet(data: bytes) -> Document:
    """Read a workbook.

    Raises:
        DocumentRejected: ``encrypted_document``, ``damaged_document``, ``hostile_structure``,
            ``unsupported_format``, ``too_large`` or ``empty_document``.
    """
    is_binary = data.startswith(olefile.MAGIC)
    checked, facts = scan_workbook(data)
    builder = DocumentBuilder()
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(checked)) as book:
            for number, meta in enumerate(book.sheets_metadata):
                if meta.typ is SheetTypeEnum.WorkSheet and meta.visible is SheetVisibleEnum.Visible:
                    known = facts.get(str(number) if is_binary else meta.name, SheetFacts())
                    _add_sheet(builder, _read(book.get_sheet_by_index(number), known), number + 1)
    except PasswordError as error:
        raise DocumentRejected("encrypted_document", "the workbook has a password; supply a copy without") from error
    except (CalamineError, ValueError, OSError) as error:
        raise DocumentRejected("damaged_document", f"the workbook cannot be opened: {error}") from error
    except BaseException as error:
        # A native reader that gives up raises what is not even an Exception.
        if type(error).__name__ == "PanicException":
            raise DocumentRejected("damaged_document", "the workbook is broken: its reader gave up") from error
        raise
    return builder.build(XLS if is_binary else XLSX)


@dataclass(slots=True)
class _Sheet:
    """The filled cells of a sheet (0-based row and column) and its merged cells by their first slot."""

    cells: dict[tuple[int, int], str]
    merges: dict[tuple[int, int], tuple[int, int]]

    def end_of(self, cell: tuple[int, int]) -> tuple[int, int]:
        """The last slot of a cell."""
        return self.merges.get(cell, cell)


def _read(sheet: CalamineSheet, facts: SheetFacts) -> _Sheet:
    first_row, first_column = sheet.start or (0, 0)
    cells: dict[tuple[int, int], str] = dict(facts.formulas)
    for row, values in enumerate(sheet.to_python(), start=first_row):
        for column, value in enumerate(values, start=first_column):
            if value != "":
                text = _printed(value, facts.formats.get((row, column)))
                if text.strip():
                    cells[row, column] = text
    if not cells:
        return _Sheet({}, {})
    merges = _merges(sheet.merged_cell_ranges or [], cells)
    hidden = {
        slot
        for (top, left), (bottom, right) in merges.items()
        for slot in ((r, c) for r in range(top, bottom + 1) for c in range(left, right + 1))
        if slot != (top, left)
    }
    return _Sheet({slot: text for slot, text in cells.items() if slot not in hidden}, merges)


def _merges(ranges: Sequence[Merge], cells: Iterable[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, int]]:
    """The merged cells inside the rectangle of the filled ones; of two that overlap the first."""
    if len(ranges) > _MAX_MERGES:
        raise DocumentRejected("hostile_structure", f"{len(ranges):,} merged cells; the limit is {_MAX_MERGES:,}")
    rows, columns = [row for row, _ in cells], [column for _, column in cells]
    last_row, last_column = max(rows), max(columns)
    merges: dict[tuple[int, int], tuple[int, int]] = {}
    area = 0
    for (top, left), (bottom, right) in sorted(ranges):
        if top > last_row or left > last_column or bottom < top or right < left:
            continue
        # A merge may reach beyond the last filled column, where its cell is a blank value; not beyond reason.
        bottom, right = min(bottom, last_row), min(right, max(last_column, left))
        area += (bottom - top + 1) * (right - left + 1)
        if area > MAX_SLOTS:
            raise DocumentRejected("hostile_structure", f"merged cells cover more than {MAX_SLOTS:,} slots")
        merges.setdefault((top, left), (bottom, right))
    return merges


# ---- printed values


def _printed(value: object, number_format: str | None) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return _with_format(value, number_format) if number_format else _number(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return _CARRIAGE_RETURN.sub("\n", str(value))


def _number(value: float) -> str:
    """A figure in its shortest form, with the fifteen digits that workbooks keep and never with an exponent."""
    text = format(Decimal(f"{value:.15g}"), "f")
    return "0" if text == "-0" else text


def _with_format(value: float, number_format: str) -> str:
    """A figure with what its number format adds; the format itself is added where that cannot be told."""
    sections = number_format.split(";")
    section = sections[1] if value < 0 and len(sections) > 1 else sections[0]
    before = after = ""
    bare = ""
    at = 0
    for match in _LITERAL.finditer(section):
        bare += section[at : match.start()]
        at = match.end()
        words = match[1] if match[1] is not None else match[2] or ""
        if any(c in "0#?" for c in bare):
            after += words
        else:
            before += words
    bare += section[at:]
    if bare.strip().lower() in ("", "general", "g/通用格式", "@") and not before and not after:
        return _number(value)
    if "%" in bare:
        return _number(float(Decimal(f"{value:.15g}") * 100)) + "%"
    digits = bare.strip(" ()-+¥￥$€!")
    # A comma after the last digit divides by a thousand; a letter is a date or a scale of its own.
    if re.fullmatch(r"[0#?,]*[0#?](?:\.[0#?]*)?", digits) and "!" not in bare and "." not in before + after:
        return before.strip("¥￥$€ -()") + _number(value) + after.strip("() -¥￥$€")
    return f"{_number(value)} [{number_format}]"


# ---- paragraphs and tables


def _add_sheet(builder: DocumentBuilder, sheet: _Sheet, page: int) -> None:
    """Add the lines and tables of a sheet from top to bottom."""
    filled: dict[int, list[int]] = {}
    for row, column in sorted(sheet.cells):
        filled.setdefault(row, []).append(column)
    covered = {
        row
        for top_left, (bottom, _) in sheet.merges.items()
        if top_left in sheet.cells
        for row in range(top_left[0], bottom + 1)
    }
    rows = sorted(covered | set(filled))
    at = 0
    while at < len(rows):
        if _is_line(sheet, rows[at], filled):
            _add_line(builder, sheet, rows[at], filled, page)
            at += 1
            continue
        end = at + 1
        # A gap in the rows ends a table where a line follows it.
        while end < len(rows) and not (rows[end] > rows[end - 1] + 1 and _is_line(sheet, rows[end], filled)):
            end += 1
        notes = end
        while notes > at + 1 and _is_note(sheet, rows[notes - 1], filled, rows[at:notes]):
            notes -= 1
        _add_table(builder, sheet, rows[at:notes], page)
        for row in rows[notes:end]:
            _add_line(builder, sheet, row, filled, page)
        at = end


def _add_line(builder: DocumentBuilder, sheet: _Sheet, row: int, filled: dict[int, list[int]], page: int) -> None:
    for column in filled.get(row, ()):
        builder.add_paragraph(sheet.cells[row, column], page)


def _is_line(sheet: _Sheet, row: int, filled: dict[int, list[int]]) -> bool:
    """Whether a row above a table is a line of text: one cell of words, and no heading over a part of the columns."""
    columns = filled.get(row, [])
    if len(columns) != 1 or not any(c.isalpha() for c in sheet.cells[row, columns[0]]):
        return False
    bottom, right = sheet.end_of((row, columns[0]))
    first = min(column for _, column in sheet.cells)
    if any(filled.get(below) for below in range(row + 1, bottom + 1)):
        return False
    return right == columns[0] or columns[0] <= first


def _is_note(sheet: _Sheet, row: int, filled: dict[int, list[int]], rows: Sequence[int]) -> bool:
    """Whether the last of the rows is a line of text: as wide as the table, after a gap, or too long for a label."""
    if not _is_line(sheet, row, filled):
        return False
    column = filled[row][0]
    in_table = set(rows[:-1])
    first = min(c for r, c in sheet.cells if r in in_table)
    last = max(sheet.end_of((r, c))[1] for r, c in sheet.cells if r in in_table)
    if last > first and column <= first and sheet.end_of((row, column))[1] >= last:
        return True
    return row > rows[-2] + 1 or len(sheet.cells[row, column]) >= _LONG_NOTE


def _add_table(builder: DocumentBuilder, sheet: _Sheet, rows: Sequence[int], page: int) -> None:
    numbers = {row: n for n, row in enumerate(rows)}
    cells = [cell for cell in sheet.cells if cell[0] in numbers]
    if not cells:
        return
    first = min(column for _, column in cells)
    last = max(sheet.end_of(cell)[1] for cell in cells)
    if len(rows) * (last - first + 1) > MAX_SLOTS:
        message = f"a sheet has {len(rows) * (last - first + 1):,} slots; the limit is {MAX_SLOTS:,}"
        raise DocumentRejected("hostile_structure", message)
    slots: list[Slot] = []
    taken: set[tuple[int, int]] = set()
    for row in rows:
        for column in range(first, last + 1):
            if (row, column) in taken:
                continue
            bottom, right = sheet.end_of((row, column))
            inside = [r for r in range(row, bottom + 1) if r in numbers]
            width = min(right, last) - column + 1
            taken.update((r, c) for r in inside for c in range(column, column + width))
            text = sheet.cells.get((row, column), "")
            slots.append(Slot(text, numbers[row], column - first, len(inside), width))
    builder.add_table(slots, "sheet", page)
