"""The database of a release, written whole or made from that of the release before by what differs.

In: the work file, and the database of an earlier release that the same code wrote. Out: a new database file with the
schemas of :data:`PUBLISHED_SCHEMAS`, and for each relation what differs from the earlier one. A view becomes a table of
what it shows.

What differs is asked of the rows themselves, by the hashes of a report's rows, not of who changed what. In the
end the content of every schema is compared with the work file; where it is not the same, or where tables, types,
constraints or comments differ, the file is written whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.builds import data_token
from loaders.tables import read_tables
from loaders.warehouse import STORAGE_VERSION, quote_text

if TYPE_CHECKING:
    import duckdb

PUBLISHED_SCHEMAS = ("raw", "seeds", "marts", "quality")
# Rows are compared together by the first of these that a relation has, else all together.
_GROUPS = ("report_id", "report_year", "document_id", "run_id", "check_id")
_SPILL = ".spill"
_SCHEMAS = ", ".join(f"'{schema}'" for schema in PUBLISHED_SCHEMAS)


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between a relation and what it was; ``years`` are those of the rows, None without such a column."""

    is_changed: bool
    years: frozenset[int | None] | None

    def touches(self, year: int | None) -> bool:
        """Whether rows of a year may differ."""
        return self.is_changed and (self.years is None or year in self.years)


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


def update_database(work_file: Path, target: Path, tokens: dict[str, str]) -> dict[tuple[str, str], Change] | None:
    """Bring a copy of an earlier database to what the work file holds.

    Args:
        work_file: Where the rows come from.
        target: The copy.
        tokens: Content of the schemas of the work file, as far as it is known.

    Returns:
        What differs, by schema and name; None when the one cannot be made from the other, and the copy is of no use.
    """
    with _open(work_file, target) as con:
        changes = {}
        if is_whole := _catalogue(con, "work") == _catalogue(con, "release"):
            relations = con.execute(
                "select schema_name, table_name, list(column_name order by column_index) from duckdb_columns() "
                f"where database_name = 'release' and schema_name in ({_SCHEMAS}) group by all order by 1, 2"
            ).fetchall()
            for schema, name, columns in relations:
                changes[schema, name] = _bring_up(con, f'"{schema}"."{name}"', columns)
            # The sums agree with the work file, or something is not as the rows said.
            is_whole = all(
                data_token(con, schema, "release") == (tokens.get(schema) or data_token(con, schema, "work"))
                for schema in PUBLISHED_SCHEMAS
            )
    return changes if is_whole else None


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


def _bring_up(con: duckdb.DuckDBPyConnection, relation: str, columns: list[str]) -> Change:
    """Put the rows of the work file in the place of those of the release, for each report in which they differ."""
    group = next((f"coalesce(cast({column} as varchar), '')" for column in _GROUPS if column in columns), "''")
    row = ", ".join(f'"{column}"' for column in columns)
    asked = f"select {group} as row_group, count(*) as row_count, sum(hash({row})) as token from"
    con.execute(
        f"create or replace temp table differing as select row_group from ({asked} work.{relation} group by all) as w "
        f"full join ({asked} release.{relation} group by all) as r using (row_group) "
        "where (w.row_count, w.token) is distinct from (r.row_count, r.token)"
    )
    is_differing = f"{group} in (from differing)"
    years = None
    if "report_year" in columns:
        found = " union ".join(
            f"select report_year from {database}.{relation} where {is_differing}" for database in ("work", "release")
        )
        years = frozenset(year for (year,) in con.execute(found).fetchall())
    is_changed = con.execute("select count(*) from differing").fetchall() != [(0,)]
    if is_changed:
        # Not in one transaction: a key that is taken out is free only after it.
        con.execute(f"delete from release.{relation} where {is_differing}")
        con.execute(f"insert into release.{relation} select * from work.{relation} where {is_differing} order by all")
    return Change(is_changed, years)
