"""One document to everything that is known of it.

In: the bytes, a name for messages, and what a manifest says. Out: a :class:`~loaders.model.DocumentReading`,
loaded with its report or its several reports, or rejected with a reason code. Pure: no disk, no network, no clock.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from loaders.errors import DocumentRejected
from loaders.extract.narrative import extract_narrative
from loaders.extract.second import read_tables_again
from loaders.extract.tables import TableReading, extract_tables
from loaders.forms.decide import decide_form
from loaders.identify import classify_document, identify_report
from loaders.identify.divisions import resolve_division
from loaders.identity_checks import evaluate_identities
from loaders.model import (
    Document,
    DocumentReading,
    DocumentStatus,
    Hints,
    Identity,
    Issue,
    MetricRow,
    ReportReading,
    SecondReading,
    Severity,
    SourceKind,
    ValueStatus,
)
from loaders.readers import read_bytes, sniff_media_type
from loaders.split import hints_of_parts, split_reports

_EXACT = 100.0


def read_document(data: bytes, name: str, hints: Hints | None = None) -> DocumentReading:
    """Read one document; bad input gives a rejected reading, never an exception.

    A rejected reading still has a report, without figures, where it is known whose report it is.
    """
    return read_with_document(data, name, hints)[1]


def read_with_document(data: bytes, name: str, hints: Hints | None = None) -> tuple[Document | None, DocumentReading]:
    """Read one document as :func:`read_document` does; also what it was read from, null where no reader could."""
    document_id = hashlib.sha256(data).hexdigest()
    hints = hints or Hints()
    source_uri = hints.source_uri or name
    document: Document | None = None
    try:
        document, issues = read_bytes(data)
        reports, left_out = _read_reports(document, hints)
    except DocumentRejected as rejection:
        known = rejection.identity
        return document, DocumentReading(
            document_id,
            source_uri,
            len(data),
            document.media_type if document else sniff_media_type(data),
            document.script if document else None,
            DocumentStatus.REJECTED,
            rejection.reject_code,
            () if known is None else (ReportReading(known, None, None, (), ()),),
            (Issue(rejection.reject_code, str(rejection)),),
            document.attachments if document else (),
        )
    return document, DocumentReading(
        document_id,
        source_uri,
        len(data),
        document.media_type,
        document.script,
        DocumentStatus.LOADED,
        None,
        reports,
        (*issues, *left_out),
        document.attachments,
    )


def _read_reports(document: Document, hints: Hints) -> tuple[tuple[ReportReading, ...], tuple[Issue, ...]]:
    """The reports of a document; a part that is no report is left out with an issue, and spoils no other."""
    parts = split_reports(document)
    if parts is None or len(parts) == 1:
        return (_read_report(document, hints, is_one=parts is not None),), ()
    hints, issues = hints_of_parts(parts, hints)
    reports: list[ReportReading] = []
    refusals: list[DocumentRejected] = []
    for part in parts:
        try:
            reports.append(_read_report(part, hints, is_one=True))
        except DocumentRejected as rejection:
            refusals.append(rejection)
            message = f"one of {len(parts)} parts is left out: {rejection}"
            issues += (Issue("report_left_out", message, part.blocks[0].place.locator()),)
    if not reports:
        raise refusals[0]
    known = [(r.identity.agency_name, r.identity.report_year) for r in reports if r.identity.agency_name]
    if len(set(known)) < len(known):
        raise DocumentRejected("several_reports", f"{len(parts)} reports, of which two seem to be of one body and year")
    return tuple(reports), issues


def _read_report(document: Document, hints: Hints, is_one: bool) -> ReportReading:
    tables = extract_tables(document)
    filled = any(row.value_status is ValueStatus.NUMBER for row in tables.metric_rows)
    rejection = classify_document(document, has_filled_form=filled, has_form=tables.tables_seen > 0)
    if rejection is not None:
        is_report = rejection[0] == "no_figures"
        raise DocumentRejected(*rejection, _identify(document, hints, None) if is_report else None)
    if not is_one:
        message = "the text holds several reports, and whose a figure is is not certain; split it, one file a report"
        raise DocumentRejected("several_reports", message)
    form_code, _ = decide_form(tables.form_votes, document, None)
    identity = _identify(document, hints, form_code)
    form_code, form_issue = decide_form(tables.form_votes, document, identity.report_year)
    narrative: list[MetricRow] = []
    issues = list(tables.issues)
    if form_issue is not None:
        issues.append(form_issue)
    if form_code is not None:
        narrative, narrative_issues = extract_narrative(
            document.paragraphs, form_code, document.script, identity.report_year
        )
        issues += narrative_issues
    rows = (*tables.metric_rows, *narrative)
    if not any(row.value_status in (ValueStatus.NUMBER, ValueStatus.NONE_STATED) for row in rows):
        seen = (
            f"{tables.tables_seen} statutory tables were seen" if tables.tables_seen else "no statutory table was seen"
        )
        raise DocumentRejected("no_figures", f"no figure could be read; {seen}", identity)
    if document.is_read_by_ocr:
        rows = tuple(replace(row, is_read_by_ocr=True) for row in rows)
        issues.append(Issue("read_by_ocr", "the characters were recognised in a picture; compare what is doubtful"))
    issues += _table_issues(tables, identity)
    report = ReportReading(identity, form_code, tables.table_year, rows, tuple(issues))
    return _read_doubtful_again(document, report)


def _identify(document: Document, hints: Hints, form_code: str | None) -> Identity:
    """Whose report it is, with the division of the body."""
    identity = identify_report(document, hints, form_code)
    if identity.agency_name is None:
        return identity
    return replace(identity, division_code=resolve_division(identity.agency_name, identity.report_year))


def _read_doubtful_again(document: Document, report: ReportReading) -> ReportReading:
    """The report with a second reading of its tables, where a label was not exact or the form is contradicted."""
    failed = [check for check in evaluate_identities(report) if check.severity == Severity.ERROR]
    is_exact = all(
        row.match_score == _EXACT
        for row in report.metric_rows
        if row.source_kind is SourceKind.TABLE and row.metric_code is not None
    )
    if is_exact and not failed:
        return report
    rows = read_tables_again(document, report.metric_rows)
    issues = [
        Issue(
            "second_reading_differs",
            f"{row.label_raw} / {row.column_label_raw}: read as {row.value_raw or 'blank'}, "
            f"by a second way as {'blank' if row.second_value is None else row.second_value}",
            row.place.locator(),
        )
        for row in rows
        if row.second_reading is SecondReading.DIFFERS
    ]
    agreed = sum(row.second_reading is SecondReading.AGREES for row in rows)
    if failed and agreed and not issues:
        codes = ", ".join(dict.fromkeys(check.identity_code for check in failed))
        message = f"{codes}: the figures contradict each other; {agreed} figures were read a second way alike"
        issues.append(Issue("second_reading_agrees", message))
    return replace(report, metric_rows=rows, issues=(*report.issues, *issues))


def _table_issues(tables: TableReading, identity: Identity) -> list[Issue]:
    issues = []
    if not tables.tables_seen:
        issues.append(Issue("table_missing", "the text has no statutory table; only sentences were read"))
    elif not tables.metric_rows and not any(issue.issue_code == "table_unread" for issue in tables.issues):
        issues.append(Issue("table_unread", "a statutory table is there, but no row of it could be read"))
    if tables.table_year and identity.report_year and tables.table_year != identity.report_year:
        message = f"the table is headed {tables.table_year}, the report covers {identity.report_year}; both are kept"
        issues.append(Issue("table_year_mismatch", message))
    return issues
