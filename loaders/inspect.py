"""What ``gongkai inspect`` shows of one document: as JSON, as CSV, at a terminal, as a page.

In: a file. Out: text, or a page written to disk. The JSON has the keys ``document``, ``reports`` (each with identity,
``metric_rows``, ``failed_identities`` and ``issues``) and ``issues``; values are numbers in the unit of the catalogue.
A rejected document has a report without rows where it is known whose report it is.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from loaders.errors import UsageError
from loaders.identity_checks import FailedIdentity, evaluate_identities
from loaders.load import read_one
from loaders.model import DocumentReading, Evidence, Issue, MetricRow, ReportReading
from loaders.settings import plain_number
from loaders.sources.files import list_file
from loaders.vocabulary import load_vocabulary

FIGURE_COLUMNS = (
    "metric_code",
    "applicant_type",
    "value",
    "value_status",
    "source_kind",
    "label_raw",
    "column_label_raw",
    "value_raw",
    "is_approximate",
    "unit",
    "page_number",
    "locator",
    "snippet",
    "match_method",
    "match_score",
    "is_read_by_ocr",
    "second_reading",
    "second_value",
)

# Into a file or a pipe there is no window to fit: a page for the grids, more for the long list.
_PIPED_WIDTH = 100
_PIPED_WIDTH_OF_LIST = 200
# By name, since only the worker process imports it: the page is written where the document is read.
_PAGE_READER = "loaders.inspect_html:read_with_page"


def reading_as_json(reading: DocumentReading) -> dict[str, Any]:
    """The whole reading as plain values."""
    return {
        "document": {
            "document_id": reading.document_id,
            "source_uri": reading.source_uri,
            "media_type": reading.media_type,
            "byte_count": reading.byte_count,
            "script": reading.script,
            "status": reading.status,
            "reject_code": reading.reject_code,
            "attachments": [{"url": link.url, "label": link.label} for link in reading.attachments],
        },
        "reports": [_report_as_json(report) for report in reading.reports],
        "issues": [_issue_as_json(issue) for issue in reading.issues],
    }


def reading_as_csv(reading: DocumentReading) -> str:
    """One line a figure, with the identity of its report."""
    identity_columns = ("agency_name", "report_year", "form_code", "scope")
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [*identity_columns, *FIGURE_COLUMNS], lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for report in reading.reports:
        fields = _report_as_json(report)
        for row in fields["metric_rows"]:
            writer.writerow({**fields, **row})
    return buffer.getvalue()


def _report_as_json(report: ReportReading) -> dict[str, Any]:
    identity = report.identity
    return {
        "agency_name": identity.agency_name,
        "co_agency_names": list(identity.co_agency_names),
        "agency_name_raw": identity.agency_name_raw,
        "report_year": identity.report_year,
        "form_code": report.form_code,
        "scope": identity.scope,
        "title": identity.title,
        "published_date": _iso(identity.published_date),
        "period_start_date": _iso(identity.period_start_date),
        "period_end_date": _iso(identity.period_end_date),
        "table_year": report.table_year,
        "evidence": [_evidence_as_json(evidence) for evidence in identity.evidence],
        "metric_rows": [_row_as_json(row) for row in report.metric_rows],
        "failed_identities": [_check_as_json(check) for check in evaluate_identities(report)],
        "issues": [_issue_as_json(issue) for issue in (*identity.issues, *report.issues)],
    }


def _row_as_json(row: MetricRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in FIGURE_COLUMNS if name != "locator"}
    values |= {"locator": row.place.locator(), "value": _number(row.value)}
    values |= {"second_value": _number(row.second_value)}
    return {name: values[name] for name in FIGURE_COLUMNS}


def _check_as_json(check: FailedIdentity) -> dict[str, Any]:
    return {
        "identity_code": check.identity_code,
        "severity": check.severity,
        "statement_zh": check.statement_zh,
        "metric_code": check.metric_code,
        "applicant_type": check.applicant_type,
        "left_value": _number(check.left_value),
        "relation": check.relation,
        "right_value": _number(check.right_value),
    }


def _issue_as_json(issue: Issue) -> dict[str, Any]:
    return {
        "issue_code": issue.issue_code,
        "severity": _severity(issue),
        "message": issue.message,
        "locator": issue.locator,
    }


def _evidence_as_json(evidence: Evidence) -> dict[str, Any]:
    locator = evidence.place.locator() if evidence.place else None
    return {"attribute": evidence.attribute, "snippet": evidence.snippet, "rule": evidence.rule, "locator": locator}


def _severity(issue: Issue) -> str:
    return load_vocabulary().issue_severity.get(issue.issue_code, "error")


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _number(value: Decimal | None) -> int | float | None:
    return None if value is None else plain_number(value)


def show_file(
    file: str, output_format: str | None, *, page: str | None = None, show_all: bool = False, quiet: bool = False
) -> None:
    """Read one file and show what was read.

    Args:
        file: the document.
        output_format: ``table``, ``json`` or ``csv``; None when only the page is wanted.
        page: where to write the document with its figures marked, as one web page.
        show_all: list every figure with its place, too; for ``table`` only.
        quiet: do not say that the page was written.

    Raises:
        UsageError: when there is no such file, or the page would be written over it or cannot be written.
    """
    path = Path(file)
    if not path.is_file():
        raise UsageError(f"{file}: no such file; inspect reads one document")
    if page and Path(page).exists() and Path(page).samefile(path):
        raise UsageError(f"{page}: the page would be written over the document; name another file")
    reading = read_one(list_file(path), _PAGE_READER if page else None)
    if page:
        _write_page(reading, Path(page))
        if output_format is None and not quiet:
            print(f"{page}: written; open it in a browser")
    if output_format == "json":
        print(json.dumps(reading_as_json(reading), ensure_ascii=False, indent=2))
    elif output_format == "csv":
        print(reading_as_csv(reading), end="")
    elif output_format == "table":
        from rich.console import Console

        from loaders.inspect_text import print_reading

        width = _PIPED_WIDTH_OF_LIST if show_all else _PIPED_WIDTH
        console = Console(width=None if sys.stdout.isatty() else width, highlight=False)
        print_reading(reading, console, show_all=show_all)


def _write_page(reading: DocumentReading, target: Path) -> None:
    from loaders.inspect_html import page_of

    try:
        target.write_bytes(page_of(reading).encode("utf-8", "replace"))
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror}; name a file that can be written") from error
