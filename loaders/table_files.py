"""Marts as files: Parquet, CSV for spreadsheets and programs, and by way of :mod:`loaders.workbooks` XLSX.

In: a connection to a release, tables of :mod:`loaders.tables` and a folder. Out: the files, and an account of what a
format could not hold as it stands. The same rows give the same bytes, in whatever order the database holds them.

In a release a mart of facts with more than :data:`MAX_CELLS_TOGETHER` cells is a folder with a file a year: a new
report then changes the files of its year alone, and each year has a workbook as long as one can hold it.

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.tables import Table
from loaders.warehouse import quote_text
from loaders.workbooks import MAX_ROWS, ROWS, CellAccount, write_workbooks

if TYPE_CHECKING:
    import duckdb

FORMATS = ("parquet", "csv", "xlsx")
# Of one file of facts: a workbook of so many is written and read back in a second.
MAX_CELLS_TOGETHER = 50_000
_FACTS = ("fct_", "rpt_")
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
class Part:
    """The rows of a table that go into files of their own: all, or those of a year, None where it is not known."""

    table: Table
    rows: int
    is_year: bool = False
    year: int | None = None

    @property
    def name(self) -> str:
        """Its files without their suffixes, within the folder of a format."""
        if not self.is_year:
            return self.table.name
        return f"{self.table.name}/{'unknown' if self.year is None else self.year}"

    @property
    def condition(self) -> str:
        """Which rows of the table it has."""
        return (
            f"report_year is not distinct from {'null' if self.year is None else self.year}" if self.is_year else "true"
        )


@dataclass(frozen=True, slots=True)
class TableFiles:
    """What was written of one part in one format; ``cells`` says what the format could not hold as it stands."""

    part: Part
    paths: tuple[Path, ...]
    cells: tuple[CellAccount, ...] = ()


def whole(con: duckdb.DuckDBPyConnection, table: Table) -> Part:
    """All rows of a table."""
    return Part(table, int(con.execute(f"select count(*) from {table.relation}").fetchall()[0][0]))


def split(con: duckdb.DuckDBPyConnection, table: Table) -> list[Part]:
    """The parts of a table in a release: one, or one a year where it has many cells."""
    together = whole(con, table)
    has_years = "report_year" in {column.name for column in table.columns}
    if not (table.name.startswith(_FACTS) and has_years and together.rows * len(table.columns) > MAX_CELLS_TOGETHER):
        return [together]
    years = con.execute(f"select report_year, count(*) from {table.relation} group by 1 order by 1 nulls last")
    return [Part(table, rows, True, year) for year, rows in years.fetchall()]


def write_part(con: duckdb.DuckDBPyConnection, part: Part, folders: Mapping[str, Path]) -> dict[str, TableFiles]:
    """Write a part in some of :data:`FORMATS`, each below a folder of its own, and return the files of each.

    Raises:
        GongkaiError: when a workbook, read back, is not what was written.
    """
    con.execute(
        f"create or replace temp table {ROWS} as select * from {part.table.relation} "
        f"where {part.condition} order by {part.table.order}"
    )
    try:
        written = {}
        for output_format, folder in folders.items():
            (folder / part.name).parent.mkdir(exist_ok=True)
            written[output_format] = _WRITERS[output_format](con, part, folder)
        return written
    finally:
        con.execute(f"drop table {ROWS}")


def describe_file(folder: Path, path: Path) -> dict[str, str | int]:
    """Path within a folder, size and checksum of a file."""
    found = path.stat()
    digest = _digest(str(path), found.st_ino, found.st_size, found.st_mtime_ns)
    return {"path": path.relative_to(folder).as_posix(), "bytes": found.st_size, "sha256": digest}


@lru_cache(maxsize=4096)
def _digest(path: str, *_: int) -> str:
    """The checksum of a file as it stands: package, catalogue and manifest all name it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_parquet(con: duckdb.DuckDBPyConnection, part: Part, folder: Path) -> TableFiles:
    path = folder / f"{part.name}.parquet"
    con.execute(f"copy {ROWS} to {quote_text(path)} (format parquet, compression zstd)")
    return TableFiles(part, (path,))


def _write_csv(con: duckdb.DuckDBPyConnection, part: Part, folder: Path) -> TableFiles:
    table = part.table
    is_small = part.rows <= MAX_ROWS
    path = folder / f"{part.name}.csv{'' if is_small else '.gz'}"
    guarded = _count_formulas(con, table)
    names = {column.name: f'"{column.name}"' for column in table.columns}
    for column in guarded:
        found = f"regexp_matches({names[column]}, {quote_text(FORMULA)}, 's')"
        names[column] = f"case when {found} then '''' || {names[column]} else {names[column]} end"
    columns = ", ".join(
        # The mark stands before the name of the first column: no second pass over the file.
        f'{expression} as "{"" if n else _BYTE_ORDER_MARK}{name}"'
        for n, (name, expression) in enumerate(names.items())
    )
    compression = "none" if is_small else "gzip"
    con.execute(
        f"copy (select {columns} from {ROWS}) to {quote_text(path)} (format csv, header, compression {compression})"
    )
    cells = tuple(CellAccount(table.name, column, "guarded_formula", count) for column, count in guarded.items())
    return TableFiles(part, (path,), cells)


def _write_xlsx(con: duckdb.DuckDBPyConnection, part: Part, folder: Path) -> TableFiles:
    paths, cells = write_workbooks(con, part.table, folder / part.name, part.rows)
    return TableFiles(part, paths, cells)


_WRITERS = {"parquet": _write_parquet, "csv": _write_csv, "xlsx": _write_xlsx}


def _count_formulas(con: duckdb.DuckDBPyConnection, table: Table) -> dict[str, int]:
    """The text columns in which a spreadsheet would see formulas, and in how many cells."""
    texts = [column.name for column in table.columns if column.type == "VARCHAR"]
    if not texts:
        return {}
    counts = ", ".join(
        # Few texts begin like this, and a number is compared faster than a pattern.
        f'count(*) filter (where unicode("{name}") in {_FORMULA_STARTS} '
        f"and regexp_matches(\"{name}\", {quote_text(FORMULA)}, 's'))"
        for name in texts
    )
    found: Sequence[int] = con.execute(f"select {counts} from {ROWS}").fetchall()[0]
    return {name: count for name, count in zip(texts, found, strict=True) if count}
