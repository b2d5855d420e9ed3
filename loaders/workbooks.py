"""Marts as XLSX workbooks that are read back before anyone gets them.

In: a connection to a release with rows of a table in :data:`ROWS`. Out: ``<name>.xlsx``, and ``<name>_2.xlsx`` and
on where one file would have more than :data:`MAX_ROWS` rows or :data:`MAX_CELLS` cells, each with the names of the
columns on top. Texts are texts: none becomes a link, a number or a formula. Numbers, dates and booleans keep their
types; of a ratio (a double) 16 digits are kept.

What a cell of a workbook cannot hold is never lost in silence. It is written as near as can be and counted:

=================  ====================================================================================
``cut_text``       a text over 32,767 characters, cut, with a mark at its end
``replaced_sign``  a text with signs that XML does not admit, each replaced by U+FFFD
``number_as_text`` a decimal that 16 digits do not hold exactly, or a number not finite, written as text
``date_as_text``   a date before 1 March 1900, which the calendar of the format has wrong, or infinite, as text
``empty_text``     an empty text, which a workbook does not tell from a null
=================  ====================================================================================

Then the file is read with another library and compared cell by cell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.errors import GongkaiError
from loaders.tables import Column, Table

if TYPE_CHECKING:
    import duckdb

# The rows that are being written, in their order.
ROWS = "temp.written_rows"
# Of a sheet, without the row of names.
MAX_ROWS = 1_048_575
# What a spreadsheet opens without trouble, and what takes half a minute to write and compare at most.
MAX_CELLS = 1_000_000
MAX_TEXT = 32_767
_CUT_MARK = "…［截断 cut］"
_BATCH_ROWS = 5_000
_FIRST_DATE = date(1900, 3, 1)
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# A workbook carries the time of its making; the same rows are to give the same bytes.
_MADE_AT = datetime(1980, 1, 1)
_WIDTHS = {"VARCHAR": 24, "DATE": 12, "TIMESTAMP": 20}

Cell = str | float | int | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class CellAccount:
    """How many cells of a column a format could not hold as they stand, by what was done with them."""

    table: str
    column: str
    kind: str
    cells: int


def fits_one_workbook(table: Table, rows: int) -> bool:
    """Whether a table is one file; a larger one is several."""
    return rows <= rows_a_file(table)


def rows_a_file(table: Table) -> int:
    """How many rows of a table one workbook holds."""
    return max(1, min(MAX_ROWS, MAX_CELLS // len(table.columns)))


def write_workbooks(
    con: duckdb.DuckDBPyConnection, table: Table, stem: Path, rows: int
) -> tuple[tuple[Path, ...], tuple[CellAccount, ...]]:
    """Write so many rows of a table, which stand in :data:`ROWS`, read them back and compare.

    Raises:
        GongkaiError: when what is read back is not what was written.
        OSError: when a file cannot be written.
    """
    step = rows_a_file(table)
    paths = []
    counts: Counter[tuple[str, str]] = Counter()
    exact = _inexact_columns(con, table)
    for number, offset in enumerate(range(0, max(rows, 1), step), start=1):
        path = stem.with_name(f"{stem.name}{'' if number == 1 else f'_{number}'}.xlsx")
        met = _write_file(con, table, path, exact, (offset, step), counts)
        _compare(con, table, path, exact, (offset, step), met)
        paths.append(path)
    cells = tuple(CellAccount(table.name, column, kind, count) for (column, kind), count in sorted(counts.items()))
    return tuple(paths), cells


def _write_file(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    path: Path,
    exact: frozenset[str],
    window: tuple[int, int],
    counts: Counter[tuple[str, str]],
) -> int:
    """Write one file and return its rows."""
    import xlsxwriter
    from xlsxwriter.exceptions import XlsxWriterException

    options = {
        "constant_memory": True,
        "strings_to_urls": False,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        # On the disk of the file, whose room is what counts.
        "tmpdir": str(path.parent),
    }
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties({"title": table.name, "created": _MADE_AT})
    sheet = book.add_worksheet(table.name[:31])
    bold = book.add_format({"bold": True})
    formats = {
        "DATE": book.add_format({"num_format": "yyyy-mm-dd"}),
        "TIMESTAMP": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
    }
    sheet.freeze_panes(1, 0)
    for n, column in enumerate(table.columns):
        sheet.set_column(n, n, _WIDTHS.get(column.type, max(10, min(30, len(column.name)))), formats.get(column.type))
    for n, column in enumerate(table.columns):
        sheet.write_string(0, n, column.name, bold)
    row = 0
    for row, cells in enumerate(_cells(con, table, exact, window, counts), start=1):
        for n, cell in enumerate(cells):
            if cell is None:
                continue
            if isinstance(cell, str):
                sheet.write_string(row, n, cell)
            elif isinstance(cell, bool):
                sheet.write_boolean(row, n, cell)
            elif isinstance(cell, datetime):
                sheet.write_datetime(row, n, cell, formats["TIMESTAMP"])
            elif isinstance(cell, date):
                sheet.write_datetime(row, n, cell, formats["DATE"])
            else:
                sheet.write_number(row, n, cell)
    sheet.autofilter(0, 0, row, len(table.columns) - 1)
    try:
        book.close()
    except XlsxWriterException as error:
        # The library wraps the refusal of the system, which says more.
        cause = error.args[0] if error.args and isinstance(error.args[0], OSError) else error.__cause__
        if isinstance(cause, OSError):
            raise cause from error
        raise GongkaiError(f"cannot write {path.name}: {error}") from error
    return row


def _cells(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    exact: frozenset[str],
    window: tuple[int, int],
    counts: Counter[tuple[str, str]],
) -> Iterator[list[Cell]]:
    """The rows of a file as its cells hold them; counts what they cannot hold."""
    offset, limit = window
    columns = ", ".join(_expression(column, exact) for column in table.columns)
    cursor = con.execute(f"select {columns} from {ROWS} limit {limit} offset {offset}")
    fitting = [(n, column.name, fit) for n, column in enumerate(table.columns) if (fit := _fitting(column, exact))]
    while rows := cursor.fetchmany(_BATCH_ROWS):
        for row in rows:
            cells = list(row)
            for n, name, fit in fitting:
                if cells[n] is not None:
                    cells[n], kinds = fit(cells[n])
                    for kind in kinds:
                        counts[name, kind] += 1
            yield cells


def _expression(column: Column, exact: frozenset[str]) -> str:
    # As doubles, which is what a workbook stores, wherever nothing is lost: they are fetched in a third of the time.
    if column.type.startswith("DECIMAL") and column.name not in exact:
        return f'cast("{column.name}" as double)'
    return f'"{column.name}"'


def _inexact_columns(con: duckdb.DuckDBPyConnection, table: Table) -> frozenset[str]:
    """The columns of decimals in which a double does not hold every number."""
    decimals = [column for column in table.columns if column.type.startswith("DECIMAL")]
    if not decimals:
        return frozenset()
    asked = ", ".join(
        # Up to 15 digits there is nothing to ask.
        f'coalesce(bool_or(abs("{column.name}") >= {10.0 ** (15 - _scale(column)):.0f} and '
        f"try_cast(printf('%.16g', cast(\"{column.name}\" as double)) as {column.type}) is distinct from "
        f'"{column.name}"), false)'
        for column in decimals
    )
    found = con.execute(f"select {asked} from {ROWS}").fetchall()[0]
    return frozenset(column.name for column, is_inexact in zip(decimals, found, strict=True) if is_inexact)


def _scale(column: Column) -> int:
    return int(column.type.rstrip(")").rpartition(",")[2])


def _fitting(column: Column, exact: frozenset[str]) -> Callable[[Any], tuple[Cell, tuple[str, ...]]] | None:
    """What makes a cell of a column fit, where that is needed at all."""
    if column.type == "VARCHAR":
        return _fit_text
    if column.type in ("DATE", "TIMESTAMP"):
        return _fit_date
    if column.type in ("BIGINT", "HUGEINT", "DOUBLE") or column.name in exact:
        return _fit_number
    if column.type == "BOOLEAN" or column.type == "INTEGER" or column.type.startswith("DECIMAL"):
        return None
    raise GongkaiError(f"{column.name} has the type {column.type}, which no workbook holds yet")


def _fit_text(text: str) -> tuple[Cell, tuple[str, ...]]:
    if not text:
        return None, ("empty_text",)
    kinds = []
    if _NO_XML.search(text):
        text = _NO_XML.sub("\ufffd", text)
        kinds.append("replaced_sign")
    # The format counts the halves of UTF-16.
    if len(text) > MAX_TEXT // 2 and len(halves := text.encode("utf-16-le")) > 2 * MAX_TEXT:
        room = 2 * (MAX_TEXT - len(_CUT_MARK))
        text = halves[:room].decode("utf-16-le", "ignore") + _CUT_MARK
        kinds.append("cut_text")
    return text, tuple(kinds)


def _fit_number(number: Any) -> tuple[Cell, tuple[str, ...]]:
    as_stored = float(f"{number:.16G}")
    if as_stored - as_stored == 0 and (isinstance(number, float) or Decimal(f"{as_stored:.16G}") == number):
        return as_stored, ()
    return str(number), ("number_as_text",)


def _fit_date(day: Any) -> tuple[Cell, tuple[str, ...]]:
    only_day = day.date() if isinstance(day, datetime) else day
    # Infinite dates of the engine arrive as the first and the last that there are.
    return (day, ()) if _FIRST_DATE <= only_day < date.max else (str(day), ("date_as_text",))


def _compare(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    path: Path,
    exact: frozenset[str],
    window: tuple[int, int],
    written: int,
) -> None:
    from python_calamine import CalamineWorkbook

    rows = iter(CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).iter_rows())
    names = [column.name for column in table.columns]
    if next(rows, None) != names:
        raise GongkaiError(f"{path.name}, read back, does not begin with the names of its columns")
    met = 0
    for wanted, found in zip(_cells(con, table, exact, window, Counter()), rows, strict=False):
        met += 1
        if len(wanted) != len(found) or any(map(_differs, wanted, found)):
            name, was, now = _first_difference(names, wanted, found)
            raise GongkaiError(
                f"{path.name}, read back, has {now!r} in row {met + 1}, column {name}, where {was!r} was written"
            )
    if met != written or next(rows, None) is not None:
        raise GongkaiError(f"{path.name}, read back, has {met} rows or more where {written} were written")


def _differs(wanted: Cell, found: Any) -> bool:
    if wanted is None:
        return bool(found != "")
    if isinstance(wanted, datetime) and isinstance(found, date):
        # Midnight is read as a day. The format counts days; what it rounds is far below what is shown.
        found = found if isinstance(found, datetime) else datetime(found.year, found.month, found.day)
        return bool(abs((found - wanted).total_seconds()) > 0.001)
    if type(wanted) is bool or type(found) is bool:
        return wanted is not found
    return bool(found != wanted)


def _first_difference(names: Sequence[str], wanted: Sequence[Cell], found: Sequence[Any]) -> tuple[str, Any, Any]:
    for n, name in enumerate(names):
        met = found[n] if n < len(found) else "nothing"
        if n >= len(found) or _differs(wanted[n], met):
            return name, wanted[n], met
    return "behind the last", None, found[len(names) :]
