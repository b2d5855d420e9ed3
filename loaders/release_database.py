"""The database of a release, written whole or made from that of the release before by what differs.

In: the work file, and the database of an earlier release that the same code wrote. Out: a new database file with the
schemas of ``PUBLISHED_SCHEMAS``, and for each relation what differs from the earlier one. A view becomes a table of
what it shows.

What differs is asked of the rows themselves, by the tokens of a report's rows (:mod:`loaders.row_tokens`), not of who
changed what. Where tables, types, constraints or comments differ, the file is written whole. The caller compares the
content of every schema with the work file in the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.row_tokens import PUBLISHED_SCHEMAS, row_group, write_row_tokens
from loaders.tables import read_tables
from loaders.warehouse import STORAGE_VERSION, quote_text

if TYPE_CHECKING:
    import duckdb

_SPILL = ".spill"
_SCHEMAS = ", ".join(f"'{schema}'" for schema in PUBLISHED_SCHEMAS)


@dataclass(frozen=True, slots=True)
class Change:
    """A relation differs from what it was; ``years`` are those of the rows, None without such a column."""

    years: frozenset[int | None] | None

    def touches(self, year: int | None) -> bool:
        """Whether rows of a year may differ."""
        return self.years is None or year in self.years


def write_database(work_file: Path, target: Path) -> None:
    """Write the published schemas with their constraints and comments."""
    with _open(work_file, target) as con:
        for schema in PUBLISHED_SCHEMAS:
            con.execute(f"create schema if not exists release.{schema}")
        con.execute("use work")
        orders = {("marts", table.name): f"order by {table.order}" for table in read_tables(con)}
        con.execute("use release")
        comments = _comments(con)
        for schema, name, ddl in _relations(con):
            relation = f'"{schema}"."{name}"'
            if ddl is None:
                con.execute(f"create table release.{relation} as select * from work.{relation}")
            else:
                con.execute(ddl)
                order = orders.get((schema, name), "")
                con.execute(f"insert into release.{relation} select * from work.{relation} {order}")
            # In one transaction: each comment of its own writes to the disk, most of the time of a small release.
            con.execute("; ".join(["begin", *comments.get((schema, name), ()), "commit"]))


def update_database(
    work_file: Path, target: Path, rows: Path, earlier_rows: Path
) -> dict[tuple[str, str], Change] | None:
    """Bring a copy of an earlier database to what the work file holds.

    Args:
        work_file: Where the rows come from.
        target: The copy.
        rows: The tokens of the rows of the work file.
        earlier_rows: Those of the rows of the copy; written there when the file is missing or not whole.

    Returns:
        What differs, by schema and name; None when the one cannot be made from the other, and the copy is of no use.
    """
    with _open(work_file, target) as con:
        if _catalogue(con, "work") != _catalogue(con, "release"):
            return None
        _find_differing(con, rows, earlier_rows)
        relations = con.execute(
            "select schema_name, table_name, list(column_name order by column_index) from duckdb_columns() "
            f"where database_name = 'release' and schema_name in ({_SCHEMAS}) "
            "and (schema_name, table_name) in (select (schema_name, table_name) from differing) "
            "group by all order by 1, 2"
        ).fetchall()
        return {(schema, name): _bring_up(con, schema, name, columns) for schema, name, columns in relations}


@contextmanager
def _open(work_file: Path, target: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    # What does not fit into memory goes where the release goes, not where the command was started.
    spill = target.with_name(_SPILL)
    con = duckdb.connect(config={"temp_directory": str(spill)})
    try:
        con.execute(f"attach {quote_text(work_file)} as work (read_only)")
        con.execute(f"attach {quote_text(target)} as release (storage_version '{STORAGE_VERSION}')")
        con.execute("use release")
        yield con
        con.execute("checkpoint release")
        con.execute("use memory")
        con.execute("detach release")
    finally:
        con.close()
        shutil.rmtree(spill, ignore_errors=True)


def _relations(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str | None]]:
    return con.execute(
        "select schema_name, table_name, sql from duckdb_tables() "
        f"where database_name = 'work' and schema_name in ({_SCHEMAS}) "
        "union all "
        "select schema_name, view_name, null from duckdb_views() "
        f"where database_name = 'work' and schema_name in ({_SCHEMAS}) and not internal "
        "order by 1, 2"
    ).fetchall()


def _comments(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[str]]:
    """The statements that give each relation of the release the comments of the work file."""
    statements: dict[tuple[str, str], list[str]] = {}
    for schema, name, column, comment in con.execute(
        "select schema_name, table_name, null, comment from duckdb_tables() where database_name = 'work' "
        "union all "
        "select schema_name, view_name, null, comment from duckdb_views() where database_name = 'work' "
        "union all "
        "select schema_name, table_name, column_name, comment from duckdb_columns() where database_name = 'work'"
    ).fetchall():
        if comment:
            relation = f'release."{schema}"."{name}"'
            target = f"table {relation}" if column is None else f'column {relation}."{column}"'
            statements.setdefault((schema, name), []).append(f"comment on {target} is {quote_text(comment)}")
    return statements


def _catalogue(con: duckdb.DuckDBPyConnection, database: str) -> list[tuple[object, ...]]:
    """All that a database says of its relations beside their rows."""
    return con.execute(
        "select 'relation', schema_name, table_name, comment, null, null from duckdb_tables() "
        f"where database_name = $1 and schema_name in ({_SCHEMAS}) "
        "union all "
        "select 'relation', schema_name, view_name, comment, null, null from duckdb_views() "
        f"where database_name = $1 and schema_name in ({_SCHEMAS}) and not internal "
        "union all "
        "select column_name, schema_name, table_name, comment, data_type, column_index from duckdb_columns() "
        f"where database_name = $1 and schema_name in ({_SCHEMAS}) "
        "union all "
        "select constraint_type, schema_name, table_name, constraint_text, null, null from duckdb_constraints() "
        f"where database_name = $1 and schema_name in ({_SCHEMAS}) "
        "order by all",
        [database],
    ).fetchall()


def _find_differing(con: duckdb.DuckDBPyConnection, rows: Path, earlier_rows: Path) -> None:
    """Put the groups of rows that differ into the table ``differing``."""
    import duckdb

    asked = (
        "create temp table differing as select schema_name, table_name, row_group "
        f"from read_parquet({quote_text(rows)}) as w full join read_parquet({quote_text(earlier_rows)}) as r "
        "using (schema_name, table_name, row_group) "
        "where (w.row_count, w.token) is distinct from (r.row_count, r.token)"
    )
    try:
        con.execute(asked)
    except duckdb.Error:
        write_row_tokens(con, "release", earlier_rows)
        con.execute(asked)


def _bring_up(con: duckdb.DuckDBPyConnection, schema: str, name: str, columns: list[str]) -> Change:
    """Put the rows of the work file in the place of those of the release, for each group in which they differ."""
    relation = f'"{schema}"."{name}"'
    is_differing = (
        f"{row_group(columns)} in (select row_group from differing "
        f"where schema_name = {quote_text(schema)} and table_name = {quote_text(name)})"
    )
    years = None
    if "report_year" in columns:
        found = " union ".join(
            f"select report_year from {database}.{relation} where {is_differing}" for database in ("work", "release")
        )
        years = frozenset(year for (year,) in con.execute(found).fetchall())
    # Not in one transaction: a key that is taken out is free only after it.
    con.execute(f"delete from release.{relation} where {is_differing}")
    con.execute(f"insert into release.{relation} select * from work.{relation} where {is_differing} order by all")
    return Change(years)
