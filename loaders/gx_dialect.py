"""What Great Expectations needs to work on DuckDB, and nothing else.

Great Expectations speaks to databases through SQLAlchemy and has no DuckDB backend. On top of duckdb-engine it
lacks three things, given here as the SQLAlchemy dialect ``duckdb+gx``:

* a cursor that keeps its rows: Great Expectations fetches after it has given the connection back, and DuckDB's
  cursor is the connection;
* reflection of columns from ``duckdb_columns()``: duckdb-engine asks a PostgreSQL catalogue that is incomplete;
* the types, and a dialect for which Great Expectations writes regular expressions (:data:`GX_DIALECT_MODULE`).

A test fails when plain duckdb-engine no longer needs this.
"""

from __future__ import annotations

import re
import types
from typing import Any

import duckdb_engine
import sqlalchemy as sa
from sqlalchemy import types as sql_types
from sqlalchemy.dialects import registry

_TYPES: dict[str, type[Any]] = {
    "BIGINT": sql_types.BIGINT,
    "BOOLEAN": sql_types.BOOLEAN,
    "DATE": sql_types.DATE,
    "DOUBLE": sql_types.DOUBLE,
    "HUGEINT": sql_types.NUMERIC,
    "INTEGER": sql_types.INTEGER,
    "SMALLINT": sql_types.SMALLINT,
    "TIMESTAMP": sql_types.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": sql_types.TIMESTAMP,
    "VARCHAR": sql_types.VARCHAR,
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_COLUMNS = sa.text(
    "select column_name, data_type, is_nullable from duckdb_columns() "
    "where table_name = :table_name and schema_name = coalesce(:schema_name, current_schema()) "
    "and database_name = current_database() order by column_index"
)


class BufferedCursor(duckdb_engine.CursorWrapper):
    """A cursor that holds its rows, so that they outlive the connection's next statement."""

    def __init__(self, cursor: Any, connection: Any) -> None:
        """Wrap DuckDB's cursor."""
        super().__init__(cursor, connection)
        self._duckdb_cursor = cursor
        self._rows: list[Any] = []
        self._description: Any = None

    def execute(self, statement: str, parameters: Any = None, context: Any = None) -> None:
        """Run a statement and fetch all of its rows."""
        super().execute(statement, parameters, context)
        self._description = self._duckdb_cursor.description
        self._rows = self._duckdb_cursor.fetchall() if self._description else []

    @property
    def description(self) -> Any:
        """The columns of the last statement."""
        return self._description

    @property
    def rowcount(self) -> int:
        """Unknown, as the standard allows."""
        return -1

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next ``size`` rows."""
        count = size or 1
        rows, self._rows = self._rows[:count], self._rows[count:]
        return rows

    def fetchall(self) -> list[Any]:
        """The remaining rows."""
        rows, self._rows = self._rows, []
        return rows

    def fetchone(self) -> Any:
        """The next row, or None."""
        return self._rows.pop(0) if self._rows else None


class BufferedConnection(duckdb_engine.ConnectionWrapper):
    """A connection whose cursors hold their rows."""

    def __init__(self, connection: Any) -> None:
        """Wrap DuckDB's connection."""
        super().__init__(connection)
        self._duckdb_connection = connection

    def cursor(self) -> BufferedCursor:
        """A new cursor."""
        return BufferedCursor(self._duckdb_connection, self)


class Dialect(duckdb_engine.Dialect):
    """``duckdb+gx``: duckdb-engine with buffered cursors and working reflection."""

    driver = "gx"
    supports_statement_cache = False

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        """Open a connection."""
        wrapper = super().connect(*args, **kwargs)
        return BufferedConnection(wrapper._ConnectionWrapper__c)

    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> list[Any]:
        """The columns of a table or view."""
        names = {"table_name": str(table_name), "schema_name": schema}
        rows = connection.execute(_COLUMNS, names).fetchall()
        if not rows:
            raise sa.exc.NoSuchTableError(table_name)
        return [
            {"name": name, "type": _sql_type(data_type), "nullable": bool(is_nullable), "default": None}
            for name, data_type, is_nullable in rows
        ]

    def get_pk_constraint(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """No keys: no expectation asks for them, and the catalogue query would fail."""
        return {"constrained_columns": [], "name": None}


def _sql_type(data_type: str) -> Any:
    decimal = _DECIMAL.fullmatch(data_type)
    if decimal:
        return sql_types.DECIMAL(int(decimal[1]), int(decimal[2]))
    return _TYPES.get(data_type, sql_types.VARCHAR)()


def _build_dialect_module() -> types.ModuleType:
    module = types.ModuleType("gongkai_duckdb_types")
    for sql_type in {*_TYPES.values(), sql_types.DECIMAL}:
        setattr(module, sql_type.__name__, sql_type)
    # Great Expectations knows a dialect's regular expressions by the class it finds under such a name;
    # Dremio's REGEXP_MATCHES(column, pattern) is DuckDB's, too.
    module.DremioDialect = Dialect  # type: ignore[attr-defined]
    return module


GX_DIALECT_MODULE = _build_dialect_module()

registry.register("duckdb.gx", __name__, "Dialect")
