"""The raw tables and the one way into them.

In: :class:`~loaders.columns.DocumentRows`, made where the documents were read. Out: rows of schema ``raw``, one
transaction a call of :func:`stage`. A document that is staged again replaces all of its rows, so staging twice leaves
the same rows as staging once. A document's own row goes in by value, the others
come as Arrow batches that are put together.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
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
    ?
"""
# The tables in which a document has rows besides its own.
_PARTS = ("reports", "metric_rows", "issues", "attachments")


@dataclass(frozen=True, slots=True)
class Staged:
    """A document as it goes into the tables, with the version it was read under."""

    rows: DocumentRows
    loader_version: str


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """What the work file already says of a document; ``reject_code`` is null for one that was loaded."""

    loader_version: str
    reject_code: str | None

    @property
    def is_rejected(self) -> bool:
        """Whether the document gave no report."""
        return self.reject_code is not None


def create_raw(con: duckdb.DuckDBPyConnection) -> None:
    """Make the raw tables where they are missing."""
    con.execute(RAW_DDL)


def known_documents(con: duckdb.DuckDBPyConnection, document_ids: Sequence[str]) -> dict[str, KnownDocument]:
    """Those of ``document_ids`` that are staged, with the version they were read under."""
    rows = con.execute(
        "select document_id, loader_version, reject_code from raw.documents where document_id in (select unnest(?))",
        [list(document_ids)],
    ).fetchall()
    return {document_id: KnownDocument(version, reject_code) for document_id, version, reject_code in rows}


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
        _delete_documents(con, list(known_documents(con, [staged.rows.document_id for staged in batch])))
        con.execute(_INSERT_DOCUMENTS, [*_document_columns(batch), run_id, loaded_at])
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
