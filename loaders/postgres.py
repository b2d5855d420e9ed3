"""A connection to a PostgreSQL server over ADBC, and its refusals in words.

In: an address ``postgresql://user@host:port/database`` in libpq's notation. Out: rows, and Arrow batches copied
into tables. Every refusal of the server or the driver becomes a ``GongkaiError`` that says what was met and what to
do; a password never stands in one. Refuses other schemes and databases that are not in UTF-8.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from loaders.errors import GongkaiError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

EXTRA = "postgres"
CANCELED = "57014"
_SCHEMES = ("postgresql", "postgres")


class ServerRefusal(GongkaiError):
    """The server refused a statement; ``sqlstate`` is its code, None when the connection is gone."""

    def __init__(self, message: str, sqlstate: str | None) -> None:
        """Refuse with a message for people and the server's code."""
        super().__init__(message)
        self.sqlstate = sqlstate


class Server:
    """One session on a PostgreSQL server; statements belong to a transaction until ``commit`` or ``rollback``."""

    def __init__(self, url: str) -> None:
        """Connect.

        Raises:
            UsageError: when the address is none, or the extra is not installed.
            GongkaiError: when the server cannot be reached or does not let us in.
        """
        self._secrets, self.place = _read_url(url)
        try:
            from adbc_driver_manager import Error
            from adbc_driver_postgresql import dbapi
        except ImportError as error:
            raise UsageError(
                f"the driver for PostgreSQL is not installed ({error.name}); run `pip install 'gongkai[{EXTRA}]'`, "
                f"in a checkout `pip install -e '.[{EXTRA}]'`"
            ) from error
        self._error = Error
        try:
            self._con = dbapi.connect(url)
        except Error as error:
            raise GongkaiError(f"cannot connect to {self.place}: {self._reason(error)}") from None
        self._cursor = self._con.cursor()
        try:
            self.run("set application_name to 'gongkai mirror'")
            ((encoding,),) = self.rows("select current_setting('server_encoding')")
            if encoding != "UTF8":
                raise UsageError(f"{self.place} is encoded in {encoding}; make a database with encoding 'UTF8'")
            self.commit()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Server:
        """The open session."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close; what was not committed is undone."""
        self.close()

    def run(self, statement: str) -> None:
        """Execute a statement that has no rows."""
        with self._clear_errors():
            self._cursor.execute(statement)

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query; parameters are ``$1``, ``$2`` and so on."""
        with self._clear_errors():
            self._cursor.execute(query, tuple(parameters) or None)
            found: list[tuple[Any, ...]] = self._cursor.fetchall()
            return found

    def copy(self, schema: str, table: str, batches: pa.RecordBatchReader) -> None:
        """Append Arrow batches to a table; names and types of their columns are those of the table."""
        with self._clear_errors():
            self._cursor.adbc_ingest(table, batches, mode="append", db_schema_name=schema)

    def commit(self) -> None:
        """End the transaction."""
        with self._clear_errors():
            self._con.commit()

    def rollback(self) -> None:
        """Undo the transaction."""
        with self._clear_errors():
            self._con.rollback()

    def close(self) -> None:
        """Leave; a connection that is broken already is left as it is."""
        with contextlib.suppress(self._error):
            self._cursor.close()
        with contextlib.suppress(self._error):
            self._con.close()

    @contextlib.contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except self._error as error:
            raise self._refusal(error) from None

    def _refusal(self, error: Any) -> ServerRefusal:
        state, reason = error.sqlstate, self._reason(error)
        if state is None or state.startswith(("08", "57P")):
            return ServerRefusal(f"the connection to {self.place} broke: {reason}; run it again", None)
        hint = {
            "42501": "; the role needs `grant create on database ...` and must own what it replaces",
            "53100": "; make room on the server and run it again",
        }.get(state, "")
        return ServerRefusal(f"{self.place} refused: {reason}{hint}", state)

    def _reason(self, error: Exception) -> str:
        # "IO: [libpq] Failed ...: ERROR:  what\nDETAIL:  more\n. SQLSTATE: 42501", with the statement in between.
        text = str(error).partition("[libpq] ")[2] or str(error)
        text = text.partition("\n\nQuery was:")[0].partition(". SQLSTATE:")[0]
        for mark in ("ERROR:  ", "FATAL:  "):
            text = text.partition(mark)[2] or text
        text = text.removeprefix("Failed to connect: ")
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def holds_password(url: str) -> bool:
    """Whether an address holds a password, which belongs nowhere that others see.

    Raises:
        UsageError: when the address is none.
    """
    _, place = _read_url(url)
    parts = urlsplit(url)
    return bool(place and (parts.password or {"password", "sslpassword"} & set(parse_qs(parts.query))))


def quote_name(name: str) -> str:
    """A name as SQL takes it whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def _read_url(url: str) -> tuple[list[str], str]:
    """The secrets of an address, and what may be said of it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        reason = "the port is no number" if "port" in str(error).lower() else "it cannot be read"
        raise UsageError(f"the address of the PostgreSQL server is wrong: {reason}; {_WANTED}") from None
    if parts.scheme not in _SCHEMES or "//" not in url:
        # What stands there may be a secret, so it is not repeated.
        raise UsageError(f"the address of the PostgreSQL server does not begin with postgresql://; {_WANTED}")
    options = parse_qs(parts.query)
    secrets = _secrets(parts, options)
    host = parts.hostname or options.get("host", ["local socket"])[0]
    shown_port = port or options.get("port", [""])[0]
    user = f"{unquote(parts.username)}@" if parts.username else ""
    return secrets, f"{user}{unquote(host)}{f':{shown_port}' if shown_port else ''}{parts.path}"


_WANTED = "write it as postgresql://user@host:5432/database"


def _secrets(parts: SplitResult, options: dict[str, list[str]]) -> list[str]:
    found = [parts.password or "", unquote(parts.password or ""), os.environ.get("PGPASSWORD", "")]
    for name in ("password", "sslpassword"):
        found += options.get(name, [])
    return sorted({secret for secret in found if secret}, key=len, reverse=True)
