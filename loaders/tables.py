"""The marts of a file as its catalogue describes them: columns, types, keys and comments.

In: a connection to a release or to the work file. Out: :class:`Table`, for whoever copies or writes the marts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# What people look figures up by; a table gets those that its columns allow and its key does not cover.
LOOKUPS = (
    ("agency_key", "report_year"),
    ("agency_name", "report_year"),
    ("metric_code", "report_year"),
    ("indicator_code", "report_year"),
    ("report_id",),
)
_MARTS = "database_name = current_database() and schema_name = 'marts'"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a mart."""

    name: str
    type: str
    is_nullable: bool
    comment: str | None


@dataclass(frozen=True, slots=True)
class Table:
    """A mart as the release describes it."""

    name: str
    comment: str | None
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def relation(self) -> str:
        """The mart with its schema."""
        return f'marts."{self.name}"'

    @property
    def order(self) -> str:
        """What puts the rows in one order, whatever brought them; reports stay together, which also compresses best."""
        names = {column.name for column in self.columns}
        order = [*(["report_id"] if "report_id" in names else []), *self.key]
        return ", ".join(f'"{name}"' for name in dict.fromkeys(order)) if self.key else "all"

    @property
    def lookups(self) -> list[tuple[str, ...]]:
        """The columns of the indexes beside the key."""
        names = {column.name for column in self.columns}
        return [found for found in LOOKUPS if names.issuperset(found) and self.key[: len(found)] != found]


def read_tables(con: duckdb.DuckDBPyConnection) -> list[Table]:
    """The marts of a file with their columns, keys and comments."""
    comments = con.execute(f"select table_name, comment from duckdb_tables() where {_MARTS} order by 1").fetchall()
    keys = dict(
        con.sql(
            "select table_name, constraint_column_names from duckdb_constraints() "
            f"where {_MARTS} and constraint_type = 'PRIMARY KEY'"
        ).fetchall()
    )
    columns: dict[str, list[Column]] = {name: [] for name, _ in comments}
    for table, *row in con.execute(
        "select table_name, column_name, data_type, is_nullable, comment from duckdb_columns() "
        f"where {_MARTS} order by table_name, column_index"
    ).fetchall():
        # Views have columns too.
        if table in columns:
            columns[table].append(Column(*row))
    return [
        Table(name, comment, tuple(columns[name]), tuple(keys.get(name) or _key_by_name(name, columns[name])))
        for name, comment in comments
    ]


def _key_by_name(table: str, columns: Sequence[Column]) -> tuple[str, ...]:
    """The key of a mart that grows: its contract tests it without declaring it, and it is called like the table."""
    stem = table.partition("_")[2].removesuffix("_yearly")
    first = columns[0]
    return (first.name,) if first.name == f"{stem}_key" and not first.is_nullable else ()
