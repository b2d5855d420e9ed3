"""Marts as files: Parquet, CSV for spreadsheets and programs, and by way of :mod:`loaders.workbooks` XLSX.

In: a connection to a release, tables of :mod:`loaders.tables` and a folder. Out: the files, and an account of what a
format could not hold as it stands. The same rows in the same order give the same bytes.

* Parquet (zstd) holds every cell exactly.
* CSV is UTF-8 with a byte order mark, since spreadsheets take Chinese for garbage without it; a null is nothing, an
  empty text is ``""``. A table with more rows than a spreadsheet shows is compressed, ``<table>.csv.gz``: no
  spreadsheet shows all of it, and it is a fifth as large. A text that a spreadsheet would run as a formula gets an
  apostrophe in front, since the texts come from documents that anyone may write; the account counts these cells, and
  the other formats hold them as printed. It is undone by taking one apostrophe off every text that :data:`FORMULA`
  matches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.tables import Table
from loaders.workbooks import MAX_ROWS, CellAccount, write_workbooks

if TYPE_CHECKING:
    import duckdb

FORMATS = ("parquet", "csv", "xlsx")
# What the kinds of an account mean, after the number of cells.
ACCOUNTS = {
    "guarded_formula": "have an apostrophe in front, or a spreadsheet would run them",
    "cut_text": "are longer than a cell holds and cut",
    "replaced_sign": "hold signs that a workbook does not admit, replaced by U+FFFD",
    "number_as_text": "hold a number that a workbook would round, written as text",
    "date_as_text": "hold a date that a workbook does not know, written as text",
    "empty_text": "hold an empty text, which a workbook does not tell from a null",
}
# What a spreadsheet takes for a formula, and the same with apostrophes in front, so that guarding can be undone. A sign
# alone, or before a plain number, is none. Full-width signs count in Chinese and Japanese editions.
FORMULA = r"^'*([=＝@＠\t\r\n].|[-+－＋].*[^0-9.,%\s])"
_FORMULA_STARTS = tuple(ord(sign) for sign in "'=＝@＠+＋-－\t\r\n")
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class TableFiles:
    """What was written of one table in one format; ``cells`` says what the format could not hold as it stands."""

    table: str
    rows: int
    paths: tuple[Path, ...]
    cells: tuple[CellAccount, ...] = ()


def write_table(con: duckdb.DuckDBPyConnection, table: Table, folder: Path, output_format: str) -> TableFiles:
    """Write one table in one of :data:`FORMATS`.

    Raises:
        GongkaiError: when a workbook, read back, is not what was written.
    """
    rows = count_rows(con, table)
    if output_format == "parquet":
        return TableFiles(table.name, rows, (_write_parquet(con, table, folder),))
    if output_format == "csv":
        return _write_csv(con, table, folder, rows)
    paths, cells = write_workbooks(con, table, folder, rows)
    return TableFiles(table.name, rows, paths, cells)


def count_rows(con: duckdb.DuckDBPyConnection, table: Table) -> int:
    """How many rows a table has."""
    return int(con.execute(f'select count(*) from marts."{table.name}"').fetchall()[0][0])


def describe_file(folder: Path, path: Path) -> dict[str, str | int]:
    """Path within a folder, size and checksum of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": digest}


def _write_parquet(con: duckdb.DuckDBPyConnection, table: Table, folder: Path) -> Path:
    path = folder / f"{table.name}.parquet"
    con.execute(f'copy marts."{table.name}" to {_quoted(path)} (format parquet, compression zstd)')
    return path


def _write_csv(con: duckdb.DuckDBPyConnection, table: Table, folder: Path, rows: int) -> TableFiles:
    is_small = rows <= MAX_ROWS
    path = folder / f"{table.name}.csv{'' if is_small else '.gz'}"
    guarded = _count_formulas(con, table)
    names = {column.name: f'"{column.name}"' for column in table.columns}
    for column in guarded:
        found = f"regexp_matches({names[column]}, {_quoted(FORMULA)}, 's')"
        names[column] = f"case when {found} then '''' || {names[column]} else {names[column]} end"
    columns = ", ".join(
        # The mark stands before the name of the first column: no second pass over the file.
        f'{expression} as "{"" if n else _BYTE_ORDER_MARK}{name}"'
        for n, (name, expression) in enumerate(names.items())
    )
    compression = "none" if is_small else "gzip"
    con.execute(
        f'copy (select {columns} from marts."{table.name}") to {_quoted(path)} '
        f"(format csv, header, compression {compression})"
    )
    cells = tuple(CellAccount(table.name, column, "guarded_formula", count) for column, count in guarded.items())
    return TableFiles(table.name, rows, (path,), cells)


def _count_formulas(con: duckdb.DuckDBPyConnection, table: Table) -> dict[str, int]:
    """The text columns in which a spreadsheet would see formulas, and in how many cells."""
    texts = [column.name for column in table.columns if column.type == "VARCHAR"]
    if not texts:
        return {}
    counts = ", ".join(
        # Few texts begin like this, and a number is compared faster than a pattern.
        f'count(*) filter (where unicode("{name}") in {_FORMULA_STARTS} '
        f"and regexp_matches(\"{name}\", {_quoted(FORMULA)}, 's'))"
        for name in texts
    )
    found: Sequence[int] = con.execute(f'select {counts} from marts."{table.name}"').fetchall()[0]
    return {name: count for name, count in zip(texts, found, strict=True) if count}


def _quoted(value: Path | str) -> str:
    text = str(value).replace("'", "''")
    return f"'{text}'"
