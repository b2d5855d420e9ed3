"""The raw tables and the one way into them.

In: :class:`~loaders.columns.DocumentRows`, made where the documents were read. Out: rows of schema ``raw``, one
transaction a call of :func:`stage`. A document that is staged again replaces all of its rows, so staging twice leaves
the same rows as staging once; it keeps the time when its bytes first came, which says what replaced what. A document's
own row goes in by value, the others come as Arrow batches that are put together.

Beside them ``loading.places`` says where the bytes of each document were last seen and what a manifest said of them,
so that it can be read again. It is of this machine: no model reads it and no release holds it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from loaders.columns import DocumentRows, join_batches
from loaders.sources.document import missing_document_id

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa  # type: ignore[import-untyped]

RAW_DDL = """
create schema if not exists raw;
create schema if not exists loading;
create table if not exists raw.documents (
    document_id varchar primary key,
    source_uri varchar not null,
    media_type varchar,
    byte_count bigint not null,
    script varchar,
    status varchar not null,
    reject_code varchar,
    loader_version varchar not null,
    run_id varchar not null,
    loaded_at timestamp not null
);
create table if not exists raw.reports (
    report_id varchar primary key,
    document_id varchar not null,
    agency_name varchar,
    co_agency_names varchar[] not null,
    agency_name_raw varchar,
    report_year integer,
    form_code varchar,
    scope varchar not null,
    title varchar,
    published_date date,
    period_start_date date,
    period_end_date date,
    table_year integer,
    division_code varchar
);
create table if not exists raw.metric_rows (
    metric_row_id varchar not null,
    report_id varchar not null,
    source_kind varchar not null,
    metric_code varchar,
    applicant_type varchar,
    label_raw varchar not null,
    column_label_raw varchar,
    value_raw varchar not null,
    value decimal(20, 4),
    value_status varchar not null,
    is_approximate boolean not null,
    unit varchar,
    page_number integer,
    locator varchar not null,
    snippet varchar not null,
    match_method varchar not null,
    match_score double not null,
    is_read_by_ocr boolean default false,
    second_reading varchar,
    second_value decimal(20, 4)
);
-- A work file of an earlier version lacks these.
alter table raw.reports add column if not exists division_code varchar;
alter table raw.metric_rows add column if not exists is_read_by_ocr boolean default false;
alter table raw.metric_rows add column if not exists second_reading varchar;
alter table raw.metric_rows add column if not exists second_value decimal(20, 4);
create table if not exists raw.attachments (
    document_id varchar not null,
    attachment_number integer not null,
    url varchar not null,
    label varchar not null
);
create table if not exists raw.issues (
    document_id varchar not null,
    report_id varchar,
    severity varchar not null,
    issue_code varchar not null,
    message varchar not null,
    locator varchar
);
create table if not exists raw.runs (
    run_id varchar primary key,
    command varchar not null,
    started_at timestamp not null,
    ended_at timestamp,
    status varchar not null,
    seen_count bigint not null,
    loaded_count bigint not null,
    unchanged_count bigint not null,
    rejected_count bigint not null,
    loader_version varchar not null,
    versions varchar not null
);
-- A name need not be UTF-8, so a path is bytes.
create table if not exists loading.places (
    document_id varchar primary key,
    path blob not null,
    hints varchar
);
"""

# As lists: Arrow would import pandas, half a second, before it makes an array of Python values.
_INSERT_DOCUMENTS = """
insert into raw.documents
    (document_id, source_uri, media_type, byte_count, script, status, reject_code, loader_version, run_id, loaded_at)
select
    unnest(cast(? as varchar[])),
    unnest(cast(? as varchar[])),
    unnest(cast(? as varchar[])),
    unnest(cast(? as bigint[])),
    unnest(cast(? as varchar[])),
    unnest(cast(? as varchar[])),
    unnest(cast(? as varchar[])),
    unnest(cast(? as varchar[])),
    ?,
    unnest(cast(? as timestamp[]))
"""
_INSERT_PLACES = """
insert into loading.places (document_id, path, hints)
select
    unnest(cast(? as varchar[])),
    unnest(cast(? as blob[])),
    unnest(cast(? as varchar[]))
on conflict (document_id) do update set path = excluded.path, hints = excluded.hints
"""
_UPDATE_PATHS = """
update loading.places set path = seen.path
from (select unnest(cast(? as varchar[])) as document_id, unnest(cast(? as blob[])) as path) as seen
where places.document_id = seen.document_id and places.path <> seen.path
"""
# The tables in which a document has rows besides its own.
_PARTS = ("reports", "metric_rows", "issues", "attachments")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of a document were seen, and what a manifest said of them, as JSON; null when none did."""

    path: bytes
    hints: str | None


@dataclass(frozen=True, slots=True)
class Staged:
    """A document as it goes into the tables, with the version it was read under; ``place`` is null without bytes."""

    rows: DocumentRows
    loader_version: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """What the work file already says of a document; ``reject_code`` is null for one that was loaded."""

    loader_version: str
    reject_code: str | None
    loaded_at: datetime

    @property
    def is_rejected(self) -> bool:
        """Whether the document gave no report."""
        return self.reject_code is not None


@dataclass(frozen=True, slots=True)
class OutdatedDocument:
    """A document that another version of the loaders read; ``place`` is null when it was not kept."""

    document_id: str
    source_uri: str
    loader_version: str
    is_rejected: bool
    place: Place | None


def create_raw(con: duckdb.DuckDBPyConnection) -> None:
    """Make the raw tables where they are missing."""
    con.execute(RAW_DDL)


def known_documents(con: duckdb.DuckDBPyConnection, document_ids: Sequence[str]) -> dict[str, KnownDocument]:
    """Those of ``document_ids`` that are staged, with the version they were read under."""
    rows = con.execute(
        "select document_id, loader_version, reject_code, loaded_at from raw.documents "
        "where document_id in (select unnest(?))",
        [list(document_ids)],
    ).fetchall()
    return {document_id: KnownDocument(*facts) for document_id, *facts in rows}


def outdated_documents(con: duckdb.DuckDBPyConnection, loader_version: str | None) -> list[OutdatedDocument]:
    """The documents that another version than ``loader_version`` read, all when None, in the order of their addresses.

    What never had bytes was not read by any.
    """
    # A work file of an earlier version has no places until something is loaded.
    (has_places,) = con.execute(
        "select count(*) > 0 from duckdb_tables() where schema_name = 'loading' and table_name = 'places'"
    ).fetchall()[0]
    places = "loading.places" if has_places else "(select null as document_id, null as path, null as hints)"
    rows = con.execute(
        "select d.document_id, d.source_uri, d.loader_version, d.status = 'rejected', p.path, p.hints "
        "from raw.documents as d "
        f"left join {places} as p on d.document_id = p.document_id "
        "where not coalesce(starts_with(d.loader_version, cast(? as varchar)), false) "
        "and d.document_id <> sha256('missing:' || d.source_uri) "
        "order by d.source_uri, d.document_id",
        [loader_version],
    ).fetchall()
    return [
        OutdatedDocument(document_id, uri, version, is_rejected, None if path is None else Place(path, hints))
        for document_id, uri, version, is_rejected, path, hints in rows
    ]


def note_paths(con: duckdb.DuckDBPyConnection, paths: Mapping[str, bytes]) -> None:
    """Keep where known documents were seen now, by document id."""
    if paths:
        con.execute(_UPDATE_PATHS, [list(paths), list(paths.values())])


def forget_missing(con: duckdb.DuckDBPyConnection, source_uris: Iterable[str]) -> None:
    """Drop the accounts of documents that had no bytes once and have them now."""
    _delete_documents(con, list(known_documents(con, [missing_document_id(uri) for uri in source_uris])))


def stage(con: duckdb.DuckDBPyConnection, batch: Sequence[Staged], *, run_id: str, loaded_at: datetime) -> None:
    """Write documents in one transaction; earlier rows of the same documents are replaced.

    Document ids must not repeat within a batch.
    """
    if not batch:
        return
    import duckdb

    con.execute("begin")
    try:
        # Looking for rows of documents that are new would take a walk over all rows.
        known = known_documents(con, [staged.rows.document_id for staged in batch])
        _delete_documents(con, list(known))
        first_loaded = [
            known[staged.rows.document_id].loaded_at if staged.rows.document_id in known else loaded_at
            for staged in batch
        ]
        con.execute(_INSERT_DOCUMENTS, [*_document_columns(batch), run_id, first_loaded])
        placed = [(staged.rows.document_id, staged.place.path, staged.place.hints) for staged in batch if staged.place]
        if placed:
            con.execute(_INSERT_PLACES, [list(column) for column in zip(*placed, strict=True)])
        for table, rows in _tables(batch):
            con.register("staged_rows", rows)
            con.execute(f"insert into raw.{table} by name select * from staged_rows")
            con.unregister("staged_rows")
        con.execute("commit")
    except BaseException:  # a Ctrl-C between two tables must not leave half a document either
        # A commit that failed, say on a full disk, has ended the transaction already; its error is the one to show.
        with contextlib.suppress(duckdb.TransactionException):
            con.execute("rollback")
        raise


def _delete_documents(con: duckdb.DuckDBPyConnection, document_ids: list[str]) -> None:
    if not document_ids:
        return
    con.execute(
        "delete from raw.metric_rows where report_id in "
        "(select report_id from raw.reports where document_id in (select unnest(?)))",
        [document_ids],
    )
    for table in ("attachments", "issues", "reports", "documents"):
        con.execute(f"delete from raw.{table} where document_id in (select unnest(?))", [document_ids])


def _document_columns(batch: Sequence[Staged]) -> list[list[str | int | None]]:
    columns = zip(
        *(
            (
                *(rows.document_id, rows.source_uri, rows.media_type, rows.byte_count, rows.script),
                *(rows.status, rows.reject_code, staged.loader_version),
            )
            for staged in batch
            for rows in (staged.rows,)
        ),
        strict=True,
    )
    return [list(column) for column in columns]


def _tables(batch: Sequence[Staged]) -> Iterator[tuple[str, pa.Table]]:
    """What goes into each of the other raw tables that has rows of the batch."""
    for table in _PARTS:
        if parts := [found for staged in batch if (found := staged.rows.batches.get(table)) is not None]:
            yield table, join_batches(table, parts)
