"""Readings made up for the tests of the rim: a fake reader of one-line documents.

``agency,year,metric=value,metric=value`` becomes a report, with ``published_date=2021-01-30`` among them a dated one;
``reject CODE`` is rejected; ``explode`` makes the reader fail.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from decimal import Decimal

from loaders.errors import DocumentRejected
from loaders.model import (
    DocumentReading,
    DocumentStatus,
    Hints,
    Identity,
    Issue,
    MetricRow,
    Place,
    ReportReading,
    Scope,
    Script,
    SourceKind,
    ValueStatus,
)
from loaders.vocabulary import load_vocabulary


def make_row(metric_code: str | None = "requests_received", value: str | None = "3", **changes: object) -> MetricRow:
    values: dict[str, object] = {
        "source_kind": SourceKind.TABLE,
        "metric_code": metric_code,
        "applicant_type": None,
        "label_raw": "（一）收到申请数",
        "column_label_raw": "统计数",
        "value_raw": value or "",
        "value": None if value is None else Decimal(value),
        "value_status": ValueStatus.BLANK if value is None else ValueStatus.NUMBER,
        "is_approximate": False,
        "unit": "件",
        "place": Place(start=10, end=12, line=2, table=1, row=3, column=2),
        "snippet": f"收到申请数 {value}",
        "match_method": "exact",
        "match_score": 100.0,
    }
    return MetricRow(**(values | changes))  # type: ignore[arg-type]


def make_report(
    agency_name: str | None = "某县人民政府",
    report_year: int | None = 2017,
    rows: tuple[MetricRow, ...] = (make_row(),),
) -> ReportReading:
    identity = Identity(
        agency_name=agency_name,
        co_agency_names=(),
        agency_name_raw=agency_name,
        report_year=report_year,
        scope=Scope.OWN,
        title=f"{agency_name}{report_year}年政府信息公开工作年度报告",
        published_date=None,
        period_start_date=None,
        period_end_date=None,
        issues=(Issue("scope_unknown", "nothing says whose figures they are", "line 1"),),
    )
    return ReportReading(identity, "nat2014", None, rows, (Issue("table_missing", "no table"),))


def make_reading(
    data: bytes = b"x", reports: tuple[ReportReading, ...] | None = None, source_uri: str = "a.txt"
) -> DocumentReading:
    return DocumentReading(
        document_id=hashlib.sha256(data).hexdigest(),
        source_uri=source_uri,
        byte_count=len(data),
        media_type="text/plain",
        script=Script.SIMPLIFIED,
        status=DocumentStatus.LOADED,
        reject_code=None,
        reports=(make_report(),) if reports is None else reports,
        issues=(),
    )


def fake_reader(data: bytes, name: str, hints: Hints | None) -> DocumentReading:
    text = data.decode().strip()
    if text.startswith("reject "):
        raise DocumentRejected(text.removeprefix("reject "), f"{name} says so")
    if text.startswith("explode"):
        raise ZeroDivisionError("the reader stumbled")
    agency, year, *cells = text.split(",")
    if hints and hints.agency_name:
        agency = hints.agency_name
    published = [date.fromisoformat(cell.partition("=")[2]) for cell in cells if cell.startswith("published_date=")]
    cells = [cell for cell in cells if not cell.startswith("published_date=")]
    metrics = load_vocabulary().metrics
    rows = tuple(
        make_row(code, value, unit=metrics[code].unit, place=Place(10, 12, 2, table=1, row=n, column=2))
        for n, (code, value) in enumerate((cell.split("=", 1) for cell in cells), start=1)
    )
    report = make_report(agency, int(year), rows)
    if published:
        report = replace(report, identity=replace(report.identity, published_date=published[0]))
    return make_reading(data, (report,), name)
