"""``gongkai mirror``: the marts of the current release in a PostgreSQL database, for tools that need a server.

::

    <schema>            the marts, with types, NOT NULL, keys, indexes and comments
      mirror_release    one row: which release this is
      mirror_tables     one row a table: rows and checksum
    <schema>_next       the same while it is loaded; nobody else may read it

A release is loaded and indexed in ``<schema>_next`` and compared with the file, table by table, by a checksum that
both sides compute over every cell. Then one transaction drops the old schema and renames the new one, so that no
query meets two releases. A rename alone would let it: tables of both would be found by one query.

Readers are never made to fail. The swap locks all tables or none, gives up before the server would look for
deadlocks, and tries again. Who could read the old tables can read the new ones. What the command did not make is
never dropped: a schema without ``mirror_release``, a view elsewhere that reads the marts, or a table that someone put
among them stops it. Killed at any moment, the old schema stands, and the next run begins anew.

A release holds tables only (publishing makes tables of views), and the schemas ``raw`` and ``seeds`` stay in its
file: each figure of the marts carries its evidence, and the dimensions carry the vocabulary.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.errors import GongkaiError, LockedError, UsageError
from loaders.postgres import CANCELED, Server, ServerRefusal, quote_name
from loaders.release_guard import open_release
from loaders.settings import Settings
from loaders.tables import Column, Table, read_tables
from loaders.warehouse import quote_text, utc_now

if TYPE_CHECKING:
    import duckdb

SCHEMA = "marts"
RELEASE_TABLE = "mirror_release"
TABLES_TABLE = "mirror_tables"
# PostgreSQL cuts longer names in silence, and <schema>_next must fit, too.
_LONGEST_NAME = 63
_SCHEMA_NAME = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,57}")
_BATCH_ROWS = 50_000
_LOCK_CLASS = int.from_bytes(b"gkmr", "big")
_PAUSE_SECONDS = 0.2
# How long the swap waits for locks, in turn: a long query needs patience, readers that hold one table and want
# another need many tries. It lets readers work as long as it made them wait.
_PATIENCE_SECONDS = (0.02, 0.02, 0.05, 0.05, 0.1, 0.2, 0.5)
_TYPES = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}


@dataclass(frozen=True, slots=True)
class MirrorRequest:
    """What ``gongkai mirror`` was asked for."""

    url: str
    schema: str = SCHEMA
    readers: tuple[str, ...] = ()
    force: bool = False
    wait_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Sum:
    """The rows of a table and a checksum over their cells."""

    rows: int
    checksum: str


def run_mirror(settings: Settings, request: MirrorRequest) -> None:
    """Copy the marts of the current release and answer what was done.

    Raises:
        UsageError: when nothing is published, or the address, schema or a reader cannot be.
        LockedError: when another mirror, or readers, hold the schema.
        GongkaiError: when the server refuses, or holds something else than it was given.
    """
    import duckdb

    _check_schema_name(request.schema)
    release = settings.warehouse.current_release()
    if release is None:
        raise UsageError(f"nothing is published in {settings.warehouse.root}; run `gongkai refresh SOURCE` first")
    manifest = _read_manifest(release)
    begun = time.monotonic()
    # Opened before anything else, so that this release stays readable if it is deleted meanwhile.
    con = open_release(release)
    try:
        with Server(request.url) as server:
            _lock(server, request)
            _check_readers(server, request)
            is_there = _mirrored_release(server, request.schema) == manifest["release_id"]
            if is_there and not request.force:
                _grant(server, request.schema, request.readers)
                server.commit()
                sums = {name: Sum(rows, checksum) for name, rows, checksum in _recorded_sums(server, request.schema)}
            else:
                sums = _mirror(settings, con, server, request, manifest)
            place = server.place
    except duckdb.Error as error:
        raise GongkaiError(f"cannot read release {release.name}: {str(error).splitlines()[0]}") from error
    finally:
        con.close()
    rows = sum(found.rows for found in sums.values())
    what = f"{len(sums)} tables, {rows} rows"
    text = (
        f"release {manifest['release_id']} is in {place}, schema {request.schema} already ({what}); nothing to do"
        if is_there and not request.force
        else f"mirrored release {manifest['release_id']} to {place}, schema {request.schema}: {what} in "
        f"{time.monotonic() - begun:.1f} s"
    )
    value = {
        "release_id": manifest["release_id"],
        "place": place,
        "schema": request.schema,
        "is_changed": not is_there or request.force,
        "tables": {name: {"rows": found.rows, "checksum": found.checksum} for name, found in sorted(sums.items())},
    }
    settings.answer(text, value)


def _read_manifest(release: Path) -> dict[str, Any]:
    # Of this very folder: what is current may be another by now.
    try:
        manifest: dict[str, Any] = json.loads((release / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise GongkaiError(f"cannot read the manifest of release {release.name}: {error}") from error
    return manifest


def make_statements(schema: str, table: Table) -> tuple[str, list[str]]:
    """The statement that makes a table, and those that key, index and describe it once it is filled."""
    relation = f"{quote_name(schema)}.{quote_name(table.name)}"
    columns = ", ".join(
        f"{quote_name(column.name)} {_postgres_type(table, column)}{'' if column.is_nullable else ' not null'}"
        for column in table.columns
    )
    after = []
    if table.key:
        after.append(f"alter table {relation} add primary key ({_names(table.key)})")
    after += [f"create index on {relation} ({_names(found)})" for found in table.lookups]
    if table.comment:
        after.append(f"comment on table {relation} is {quote_text(table.comment.strip())}")
    for column in table.columns:
        if column.comment:
            place = f"{relation}.{quote_name(column.name)}"
            after.append(f"comment on column {place} is {quote_text(column.comment.strip())}")
    after.append(f"analyze {relation}")
    return f"create table {relation} ({columns})", after


def _postgres_type(table: Table, column: Column) -> str:
    for name in (table.name, column.name):
        if len(name.encode()) > _LONGEST_NAME:
            raise GongkaiError(f"{table.name}.{column.name}: PostgreSQL cuts names after {_LONGEST_NAME} bytes")
    if column.type.startswith("DECIMAL("):
        return column.type.replace("DECIMAL", "numeric")
    if column.type not in _TYPES:
        raise GongkaiError(f"{table.name}.{column.name} has the type {column.type}, which cannot be mirrored yet")
    return _TYPES[column.type]


def sum_query(relation: str, table: Table, *, is_postgres: bool) -> str:
    """The question for rows and checksum: the sum, over the rows, of 60 bits of the md5 of all cells."""
    cells = " || chr(31) || ".join(
        f"coalesce(':' || {_cell_text(column, is_postgres)}, '~')" for column in table.columns
    )
    digest = f"substr(md5({cells}), 1, 15)"
    number = f"('x' || {digest})::bit(60)::bigint" if is_postgres else f"('0x' || {digest})::bigint"
    return f"select count(*), coalesce(sum({number}), 0)::text from {relation}"


def _cell_text(column: Column, is_postgres: bool) -> str:
    """A cell as text that both engines write alike."""
    name = quote_name(column.name)
    if column.type == "DOUBLE":  # digits are rounded differently, bits are the same
        return f"('x' || encode(float8send({name}), 'hex'))::bit(64)::text" if is_postgres else f"{name}::bit::text"
    if column.type == "TIMESTAMP":
        return (
            f"to_char({name}, 'YYYY-MM-DD HH24:MI:SS.US')"
            if is_postgres
            else f"strftime({name}, '%Y-%m-%d %H:%M:%S.%f')"
        )
    return f"{name}::text"


def _mirror(
    settings: Settings,
    con: duckdb.DuckDBPyConnection,
    server: Server,
    request: MirrorRequest,
    manifest: dict[str, Any],
) -> dict[str, Sum]:
    settings.say(f"reading release {manifest['release_id']}")
    tables = read_tables(con)
    # Summed up before the server is asked for anything: a transaction that idles may be ended by it.
    sums = {table.name: _sum_release(con, table) for table in tables}
    settings.say(f"loading {len(tables)} tables")
    _load(con, server, request.schema, tables, sums, manifest)
    settings.say("swapping")
    _swap(server, request)
    return sums


def _load(
    con: duckdb.DuckDBPyConnection,
    server: Server,
    schema: str,
    tables: Sequence[Table],
    sums: dict[str, Sum],
    manifest: dict[str, Any],
) -> None:
    """Fill ``<schema>_next`` and compare it, in one transaction."""
    staged = f"{schema}_next"
    _drop_leftover(server, staged)
    server.run(f"create schema {quote_name(staged)}")
    for table in tables:
        made, after = make_statements(staged, table)
        server.run(made)
        batches = con.sql(f"select * from marts.{quote_name(table.name)}").to_arrow_reader(_BATCH_ROWS)
        server.copy(staged, table.name, batches)
        for statement in after:
            server.run(statement)
        _compare(server, staged, table, sums[table.name])
    _describe_release(server, staged, manifest, sums)
    server.commit()


def _sum_release(con: duckdb.DuckDBPyConnection, table: Table) -> Sum:
    query = sum_query(f"marts.{quote_name(table.name)}", table, is_postgres=False)
    return Sum(*con.execute(query).fetchall()[0])


def _compare(server: Server, schema: str, table: Table, wanted: Sum) -> None:
    relation = f"{quote_name(schema)}.{quote_name(table.name)}"
    met = Sum(*server.rows(sum_query(relation, table, is_postgres=True))[0])
    if met != wanted:
        raise GongkaiError(
            f"{server.place} holds something else than {table.name} of the release: {met.rows} rows, checksum "
            f"{met.checksum}, wanted {wanted.rows}, {wanted.checksum}; the old schema stands"
        )


def _describe_release(server: Server, schema: str, manifest: dict[str, Any], sums: dict[str, Sum]) -> None:
    prefix = quote_name(schema)
    version = quote_text(str(manifest["gongkai_version"]))
    server.run(
        f"create table {prefix}.{RELEASE_TABLE} (release_id text primary key, gongkai_version text not null, "
        "published_at timestamp not null, mirrored_at timestamp not null)"
    )
    server.run(
        f"insert into {prefix}.{RELEASE_TABLE} values ({quote_text(manifest['release_id'])}, {version}, "
        f"timestamp {quote_text(manifest['created_at'].removesuffix('Z'))}, timestamp '{utc_now():%Y-%m-%d %H:%M:%S}')"
    )
    server.run(
        f"create table {prefix}.{TABLES_TABLE} (table_name text primary key, checksum text not null, "
        "row_count bigint not null)"
    )
    for name, found in sums.items():
        server.run(
            f"insert into {prefix}.{TABLES_TABLE} values "
            f"({quote_text(name)}, {quote_text(found.checksum)}, {found.rows})"
        )
    for table, text in (
        (RELEASE_TABLE, "The release that these marts are, times in UTC. 这些表所属的发布版本，时间为 UTC。One row."),
        (TABLES_TABLE, "Rows and checksum of each mart, as in the release. 各表的行数与校验和。One row per table."),
    ):
        server.run(f"comment on table {prefix}.{table} is {quote_text(text)}")


def _swap(server: Server, request: MirrorRequest) -> None:
    """Replace the schema in one transaction, without ever making a reader wait long or fail."""
    old, new = quote_name(request.schema), quote_name(f"{request.schema}_next")
    deadline = time.monotonic() + request.wait_seconds
    try:
        for patience in itertools.cycle(_PATIENCE_SECONDS):
            if _lock_tables(server, request.schema, patience):
                break
            if time.monotonic() >= deadline:
                raise LockedError(
                    f"queries have held the tables of schema {request.schema} for {request.wait_seconds:g} s; "
                    "the old schema stands. Run it again when they have ended, or with a longer --wait"
                )
            time.sleep(patience)
        ours = _own_tables(server, request.schema)
        if ours:
            _carry_grants(server, request.schema)
            # Without cascade: the server names what else depends on the marts instead of dropping it.
            server.run("drop table " + ", ".join(f"{old}.{quote_name(name)}" for name in ours))
            server.run(f"drop schema {old}")
        server.run(f"alter schema {new} rename to {old}")
        _grant(server, request.schema, request.readers)
        server.commit()
    except ServerRefusal as error:
        if error.sqlstate == "2BP01":  # dependent objects still exist
            raise GongkaiError(
                f"{error}. The old schema stands. Drop these, run the mirror and make them again, or keep such "
                "questions in the tool that asks them"
            ) from None
        raise


def _lock_tables(server: Server, schema: str, patience: float) -> bool:
    """Lock all tables of the mirror or none.

    While this waits, new readers wait behind it. So it waits less than ``deadlock_timeout``: past that the server
    would settle a deadlock between this and a reader of two tables, and might end the reader's query. The order is
    another each time, since readers of several tables have one of their own.
    """
    tables = _own_tables(server, schema)
    if not tables:
        return True
    ((deadlock_ms,),) = server.rows("select setting::int from pg_settings where name = 'deadlock_timeout'")
    server.run(f"set local statement_timeout to {max(1, min(int(patience * 1000), deadlock_ms // 2))}")
    names = ", ".join(f"{quote_name(schema)}.{quote_name(name)}" for name in random.sample(tables, len(tables)))
    try:
        server.run(f"lock table {names} in access exclusive mode")
        server.run("set local statement_timeout to 0")
    except ServerRefusal as error:
        if error.sqlstate != CANCELED:
            raise
        server.rollback()
        return False
    return True


def _lock(server: Server, request: MirrorRequest) -> None:
    """Admit one mirror a database and schema; the server lets go when the session ends, however it ends."""
    number = zlib.crc32(request.schema.encode()) - 2**31
    deadline = time.monotonic() + request.wait_seconds
    while True:
        ((is_held,),) = server.rows(f"select pg_try_advisory_lock({_LOCK_CLASS}, {number})")
        server.commit()
        if is_held:
            return
        if time.monotonic() >= deadline:
            holders = server.rows(
                "select a.pid, a.usename, to_char(a.backend_start at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS UTC') "
                "from pg_locks as l join pg_stat_activity as a using (pid) where l.locktype = 'advisory' and l.granted "
                f"and l.classid::bigint = {_LOCK_CLASS} and l.objid::bigint = {number % 2**32}"
            )
            who = f" ({holders[0][1]}, server process {holders[0][0]}, since {holders[0][2]})" if holders else ""
            raise LockedError(
                f"another mirror{who} is writing schema {request.schema} of {server.place}; wait for it to end or "
                "use --wait SECONDS"
            )
        time.sleep(_PAUSE_SECONDS)


def _mirrored_release(server: Server, schema: str) -> str | None:
    """The release that stands in a schema, None where there is no such schema.

    Raises:
        UsageError: when the schema is not of this command.
    """
    if not server.rows("select 1 from pg_namespace where nspname = $1", [schema]):
        return None
    if not _has_table(server, schema, RELEASE_TABLE):
        raise UsageError(
            f"{server.place} has a schema {schema} that was not made by `gongkai mirror`; nothing was touched, name "
            "another --schema"
        )
    found = server.rows(f"select release_id from {quote_name(schema)}.{RELEASE_TABLE}")
    return found[0][0] if len(found) == 1 else None


def _drop_leftover(server: Server, schema: str) -> None:
    """Drop what a mirror that was stopped left; nobody but its role could read it."""
    if _mirrored_release(server, schema) is not None:
        server.run(f"drop schema {quote_name(schema)} cascade")


def _has_table(server: Server, schema: str, table: str) -> bool:
    query = "select 1 from pg_tables where schemaname = $1 and tablename = $2"
    return bool(server.rows(query, [schema, table]))


def _own_tables(server: Server, schema: str) -> list[str]:
    if not _has_table(server, schema, RELEASE_TABLE):
        return []
    recorded = {name for name, _, _ in _recorded_sums(server, schema)}
    # One that somebody dropped by hand is not in the way.
    standing = server.rows("select tablename from pg_tables where schemaname = $1 order by 1", [schema])
    return [name for (name,) in standing if name in recorded | {RELEASE_TABLE, TABLES_TABLE}]


def _recorded_sums(server: Server, schema: str) -> list[tuple[Any, ...]]:
    return server.rows(f"select table_name, row_count, checksum from {quote_name(schema)}.{TABLES_TABLE}")


def _carry_grants(server: Server, schema: str) -> None:
    """Whoever may read the old tables may read the new ones; a new table is for those who may read all old ones."""
    staged = quote_name(f"{schema}_next")
    holder = "case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end"
    for (role,) in server.rows(
        f"select distinct {holder} from pg_namespace as n cross join lateral aclexplode(n.nspacl) as a "
        "left join pg_roles as r on r.oid = a.grantee "
        "where n.nspname = $1 and a.privilege_type = 'USAGE' and a.grantee <> n.nspowner",
        [schema],
    ):
        server.run(f"grant usage on schema {staged} to {role}")
    tables_of: dict[str, set[str]] = {}
    for role, table in server.rows(
        f"select {holder}, c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
        "cross join lateral aclexplode(c.relacl) as a left join pg_roles as r on r.oid = a.grantee "
        "where n.nspname = $1 and c.relkind = 'r' and a.privilege_type = 'SELECT' and a.grantee <> c.relowner",
        [schema],
    ):
        tables_of.setdefault(role, set()).add(table)
    marts = {name for name, _, _ in _recorded_sums(server, schema)}
    for role, tables in tables_of.items():
        if marts <= tables:
            server.run(f"grant select on all tables in schema {staged} to {role}")
            continue
        for table in sorted(tables):
            if _has_table(server, f"{schema}_next", table):
                server.run(f"grant select on {staged}.{quote_name(table)} to {role}")


def _grant(server: Server, schema: str, readers: Sequence[str]) -> None:
    for reader in readers:
        server.run(f"grant usage on schema {quote_name(schema)} to {quote_name(reader)}")
        server.run(f"grant select on all tables in schema {quote_name(schema)} to {quote_name(reader)}")


def _check_readers(server: Server, request: MirrorRequest) -> None:
    for reader in request.readers:
        if not server.rows("select 1 from pg_roles where rolname = $1", [reader]):
            raise UsageError(f"{server.place} has no role {reader}; make it with `create role {reader} login`")


def _check_schema_name(schema: str) -> None:
    if not _SCHEMA_NAME.fullmatch(schema):
        raise UsageError(
            f"{schema!r} cannot be the schema: lower-case letters, digits and underscores, at most 58, not pg_..."
        )


def _names(columns: Sequence[str]) -> str:
    return ", ".join(quote_name(name) for name in columns)
