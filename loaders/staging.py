"""The raw tables and the one way into them.

In: :class:`~loaders.model.DocumentReading` values. Out: rows of schema ``raw``, one transaction a call of
:func:`stage`. A document that is staged again replaces all of its rows, so staging twice leaves the same rows
as staging once. Rows travel as columns (Polars, Arrow) and are inserted set by set.

Ids: a report is ``<first 16 characters of the document id>-<n>``, a metric row ``<report id>-<00001>``.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loaders.model import DocumentReading, Issue, MetricRow, ReportReading, ValueStatus
from loaders.sources.document import missing_document_id
from loaders.vocabulary import load_vocabulary

if TYPE_CHECKING:
    import duckdb
    import polars as pl

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

_LIMIT = Decimal(10) ** 16
_STEP = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Staged:
    """A reading as it goes into the tables, with the version it was read under."""

    reading: DocumentReading
    loader_version: str


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """What the work file already says of a document."""

    loader_version: str
    is_rejected: bool


def create_raw(con: duckdb.DuckDBPyConnection) -> None:
    """Make the raw tables where they are missing."""
    con.execute(RAW_DDL)


def known_documents(con: duckdb.DuckDBPyConnection, document_ids: Sequence[str]) -> dict[str, KnownDocument]:
    """Those of ``document_ids`` that are staged, with the version they were read under."""
    rows = con.execute(
        "select document_id, loader_version, status = 'rejected' from raw.documents "
        "where document_id in (select unnest(?))",
        [list(document_ids)],
    ).fetchall()
    return {document_id: KnownDocument(version, is_rejected) for document_id, version, is_rejected in rows}


def forget_missing(con: duckdb.DuckDBPyConnection, source_uris: Iterable[str]) -> None:
    """Drop the accounts of documents that had no bytes once and have them now."""
    ids = [missing_document_id(uri) for uri in source_uris]
    if known_documents(con, ids):
        _delete_documents(con, ids)


def stage(con: duckdb.DuckDBPyConnection, batch: Sequence[Staged], *, run_id: str, loaded_at: datetime) -> None:
    """Write readings in one transaction; earlier rows of the same documents are replaced.

    Document ids must not repeat within a batch.
    """
    if not batch:
        return
    import duckdb

    frames = _build_frames(batch, run_id, loaded_at)
    con.execute("begin")
    try:
        _delete_documents(con, [staged.reading.document_id for staged in batch])
        for table, frame in frames.items():
            con.register("staged_rows", frame)
            con.execute(f"insert into raw.{table} by name select * from staged_rows")
            con.unregister("staged_rows")
        con.execute("commit")
    except BaseException:  # a Ctrl-C between two tables must not leave half a document either
        # A commit that failed, say on a full disk, has ended the transaction already; its error is the one to show.
        with contextlib.suppress(duckdb.TransactionException):
            con.execute("rollback")
        raise


def _delete_documents(con: duckdb.DuckDBPyConnection, document_ids: list[str]) -> None:
    con.execute(
        "delete from raw.metric_rows where report_id in "
        "(select report_id from raw.reports where document_id in (select unnest(?)))",
        [document_ids],
    )
    for table in ("attachments", "issues", "reports", "documents"):
        con.execute(f"delete from raw.{table} where document_id in (select unnest(?))", [document_ids])


def _build_frames(batch: Sequence[Staged], run_id: str, loaded_at: datetime) -> dict[str, pl.DataFrame]:
    documents: list[tuple[Any, ...]] = []
    reports: list[tuple[Any, ...]] = []
    metric_rows: list[tuple[Any, ...]] = []
    issues: list[tuple[Any, ...]] = []
    attachments: list[tuple[Any, ...]] = []
    for staged in batch:
        reading = staged.reading
        attachments += ((reading.document_id, n, a.url, a.label) for n, a in enumerate(reading.attachments, start=1))
        documents.append(_document_row(staged, run_id, loaded_at))
        issues += (_issue_row(reading.document_id, None, issue) for issue in reading.issues)
        for n, report in enumerate(reading.reports, start=1):
            report_id = f"{reading.document_id[:16]}-{n}"
            reports.append(_report_row(report_id, reading.document_id, report))
            found = [*report.identity.issues, *report.issues]
            for m, row in enumerate(report.metric_rows, start=1):
                fitted, issue = _fit_value(row)
                found += [issue] if issue else []
                metric_rows.append(_metric_row(f"{report_id}-{m:05d}", report_id, fitted))
            issues += (_issue_row(reading.document_id, report_id, issue) for issue in found)
    rows = {"documents": documents, "reports": reports, "metric_rows": metric_rows, "issues": issues}
    rows["attachments"] = attachments
    return {table: _frame(rows[table], schema) for table, schema in _schemas().items() if rows[table]}


def _frame(rows: list[tuple[Any, ...]], schema: Mapping[str, Any]) -> pl.DataFrame:
    import polars as pl

    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [pl.Series(name, column, dtype=dtype) for (name, dtype), column in zip(schema.items(), columns, strict=True)]
    )


def _schemas() -> dict[str, dict[str, Any]]:
    import polars as pl

    text, whole = pl.String, pl.Int32
    return {
        "documents": {
            "document_id": text,
            "source_uri": text,
            "media_type": text,
            "byte_count": pl.Int64,
            "script": text,
            "status": text,
            "reject_code": text,
            "loader_version": text,
            "run_id": text,
            "loaded_at": pl.Datetime("us"),
        },
        "reports": {
            "report_id": text,
            "document_id": text,
            "agency_name": text,
            "co_agency_names": pl.List(pl.String),
            "agency_name_raw": text,
            "report_year": whole,
            "form_code": text,
            "scope": text,
            "title": text,
            "published_date": pl.Date,
            "period_start_date": pl.Date,
            "period_end_date": pl.Date,
            "table_year": whole,
            "division_code": text,
        },
        "metric_rows": {
            "metric_row_id": text,
            "report_id": text,
            "source_kind": text,
            "metric_code": text,
            "applicant_type": text,
            "label_raw": text,
            "column_label_raw": text,
            "value_raw": text,
            "value": pl.Decimal(20, 4),
            "value_status": text,
            "is_approximate": pl.Boolean,
            "unit": text,
            "page_number": whole,
            "locator": text,
            "snippet": text,
            "match_method": text,
            "match_score": pl.Float64,
            "is_read_by_ocr": pl.Boolean,
            "second_reading": text,
            "second_value": pl.Decimal(20, 4),
        },
        "issues": {
            "document_id": text,
            "report_id": text,
            "severity": text,
            "issue_code": text,
            "message": text,
            "locator": text,
        },
        "attachments": {"document_id": text, "attachment_number": whole, "url": text, "label": text},
    }


def _document_row(staged: Staged, run_id: str, loaded_at: datetime) -> tuple[Any, ...]:
    reading = staged.reading
    return (
        reading.document_id,
        reading.source_uri,
        reading.media_type,
        reading.byte_count,
        reading.script,
        reading.status,
        reading.reject_code,
        staged.loader_version,
        run_id,
        loaded_at,
    )


def _report_row(report_id: str, document_id: str, report: ReportReading) -> tuple[Any, ...]:
    identity = report.identity
    return (
        report_id,
        document_id,
        identity.agency_name,
        list(identity.co_agency_names),
        identity.agency_name_raw,
        identity.report_year,
        report.form_code,
        identity.scope,
        identity.title,
        identity.published_date,
        identity.period_start_date,
        identity.period_end_date,
        report.table_year,
        identity.division_code,
    )


def _metric_row(metric_row_id: str, report_id: str, row: MetricRow) -> tuple[Any, ...]:
    return (
        metric_row_id,
        report_id,
        row.source_kind,
        row.metric_code,
        row.applicant_type,
        row.label_raw,
        row.column_label_raw,
        row.value_raw,
        row.value,
        row.value_status,
        row.is_approximate,
        row.unit,
        row.page_number,
        row.place.locator(),
        row.snippet,
        row.match_method,
        row.match_score,
        row.is_read_by_ocr,
        row.second_reading,
        row.second_value,
    )


def _issue_row(document_id: str, report_id: str | None, issue: Issue) -> tuple[Any, ...]:
    # A code that is in no seed still gets a row; the suite on raw.issues refuses it by name.
    severity = load_vocabulary().issue_severity.get(issue.issue_code, "error")
    return (document_id, report_id, severity, issue.issue_code, issue.message, issue.locator)


def _fit_value(row: MetricRow) -> tuple[MetricRow, Issue | None]:
    """The row as DECIMAL(20, 4) can hold it; a number that would be rounded is illegible, not altered."""
    value = row.value
    if value is None or (value.is_finite() and abs(value) < _LIMIT and value == value.quantize(_STEP)):
        return row, None
    message = f"{row.value_raw!r} has more digits than a figure of a report can have"
    unread = dataclasses.replace(row, value=None, value_status=ValueStatus.ILLEGIBLE)
    return unread, Issue("illegible_value", message, row.place.locator())
