"""Keyed truth of whole pages as content systems write them, and of office files: invented bodies and figures."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

from benchmarks.score import score_document
from loaders.model import DocumentReading, DocumentStatus
from loaders.reading import read_document
from loaders.vocabulary import PROJECT_ROOT

PAGES = PROJECT_ROOT / "tests" / "golden" / "pages"


def rows_of(name: str) -> list[dict[str, str]]:
    with (PAGES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


IDENTITIES = {row["document"]: row for row in rows_of("identity.csv")}
DOCUMENTS = sorted(path.name for path in (PAGES / "reports").iterdir())


@cache
def truth() -> dict[tuple[str, str], list[dict[str, str]]]:
    by_document: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows_of("truth.csv"):
        by_document.setdefault((row["document"], row["source_kind"]), []).append(row)
    return by_document


@cache
def reading(name: str) -> DocumentReading:
    path: Path = PAGES / "reports" / name
    return read_document(path.read_bytes(), name)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_cell_of_a_page_is_read_once_and_right(name: str) -> None:
    (report,) = reading(name).reports
    for kind in ("table", "narrative"):
        rows = [row for row in report.metric_rows if row.source_kind == kind]
        score = score_document(rows, truth().get((name, kind), []))
        assert (score.missed, score.wrong) == ([], [])
        assert kind == "narrative" or not score.extra


@pytest.mark.parametrize("name", DOCUMENTS)
def test_body_year_form_scope_and_dates_of_a_page(name: str) -> None:
    assert reading(name).status is DocumentStatus.LOADED
    (report,) = reading(name).reports
    identity = report.identity
    found = {
        "document": name,
        "agency_name": identity.agency_name or "",
        "co_agency_names": "、".join(identity.co_agency_names),
        "report_year": str(identity.report_year or ""),
        "form_code": report.form_code or "",
        "scope": identity.scope.value,
        "published_date": str(identity.published_date or ""),
        "table_year": str(report.table_year or ""),
    }
    assert found == IDENTITIES[name]
