"""What ``gongkai inspect`` shows of one document: as JSON, as a table for a terminal, as CSV.

In: a reading. Out: text. The JSON has the keys ``document``, ``reports`` (each with identity, ``metric_rows``,
``failed_identities`` and ``issues``) and ``issues``; values are numbers in the unit of the catalogue.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.errors import UsageError
from loaders.identity_checks import FailedIdentity, evaluate_identities
from loaders.load import read_one
from loaders.model import DocumentReading, Evidence, Issue, MetricRow, ReportReading
from loaders.settings import plain_number
from loaders.sources.files import list_file
from loaders.vocabulary import load_vocabulary

if TYPE_CHECKING:
    from rich.console import Console

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
)

_PIPED_WIDTH = 200


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


def print_reading(reading: DocumentReading, console: Console) -> None:
    """The reading for a person at a terminal."""
    console.print(
        f"[bold]{_escape(reading.source_uri)}[/bold]  {reading.media_type or 'unknown format'}, "
        f"{reading.byte_count} bytes, sha256 {reading.document_id[:16]}"
    )
    if reading.reject_code is not None:
        console.print(f"[red]rejected: {reading.reject_code}[/red]")
    for report in reading.reports:
        _print_report(report, console)
    _print_issues("Issues of the document", reading.issues, console)


def _print_report(report: ReportReading, console: Console) -> None:
    from rich.table import Table

    identity = report.identity
    console.print(
        f"\n[bold]{_escape(identity.agency_name or '(agency unknown)')}[/bold], report year "
        f"{identity.report_year or 'unknown'}, form {report.form_code or 'unknown'}, scope {identity.scope}"
    )
    table = Table("metric", "applicant", "value", "unit", "printed", "label", "place", "how", show_edge=False)
    table.columns[2].justify = "right"
    for row in report.metric_rows:
        metric = row.metric_code or "[yellow]not understood[/yellow]"
        value = f"{_number(row.value)}" if row.value is not None else row.value_status.value
        labels = " / ".join(filter(None, (row.label_raw, row.column_label_raw)))
        place = f"{row.source_kind}: {row.place.locator()}"
        cells = (metric, row.applicant_type or "", value, row.unit or "")
        table.add_row(*cells, _escape(row.value_raw), _escape(labels), place, row.match_method)
    console.print(table)
    failed = evaluate_identities(report)
    if failed:
        console.print("[bold red]Identities that fail[/bold red]")
    for check in failed:
        where = ", ".join(filter(None, (check.metric_code, check.applicant_type)))
        statement = f"{check.statement_zh} ({where})" if where else check.statement_zh
        sides = f"{_number(check.left_value)} {check.relation} {_number(check.right_value)}"
        console.print(f"  {check.severity} {check.identity_code}: {_escape(statement)}; {sides} does not hold")
    _print_issues("Issues", [*identity.issues, *report.issues], console)


def _print_issues(title: str, issues: Sequence[Issue], console: Console) -> None:
    if not issues:
        return
    console.print(f"[bold]{title}[/bold]")
    for issue in issues:
        place = f" ({issue.locator})" if issue.locator else ""
        console.print(f"  {_severity(issue)} {issue.issue_code}: {_escape(issue.message)}{place}")


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


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def show_file(file: str, output_format: str) -> None:
    """Read one file and print what was read: ``table``, ``json`` or ``csv``.

    Raises:
        UsageError: when there is no such file.
    """
    path = Path(file)
    if not path.is_file():
        raise UsageError(f"{file}: no such file; inspect reads one document")
    reading = read_one(list_file(path))
    if output_format == "json":
        print(json.dumps(reading_as_json(reading), ensure_ascii=False, indent=2))
    elif output_format == "csv":
        print(reading_as_csv(reading), end="")
    else:
        from rich.console import Console

        # Into a file or a pipe there is no window to fit: wide enough that no label is cut.
        print_reading(reading, Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH))
