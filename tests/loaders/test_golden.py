"""Keyed truth of whole documents: samples, invented reports, and the originals where they are."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from benchmarks.score import score_folder
from loaders.model import DocumentStatus
from loaders.reading import read_document
from loaders.vocabulary import PROJECT_ROOT

GOLDEN = PROJECT_ROOT / "tests" / "golden"
CORPUS = os.environ.get("GONGKAI_CORPUS")
# The least share of the narrative figures that is read; a share may rise, never fall.
FOLDERS = [
    pytest.param(PROJECT_ROOT / "samples", 0.98, id="samples"),
    pytest.param(GOLDEN / "example", 1.0, id="example"),
    pytest.param(GOLDEN / "invented_a", 0.94, id="invented_a"),
    pytest.param(GOLDEN / "invented_b", 0.91, id="invented_b"),
]
if CORPUS:
    FOLDERS.append(pytest.param(Path(CORPUS), 120 / 130, id="corpus"))


@pytest.mark.parametrize(("folder", "narrative_share"), FOLDERS)
def test_every_table_cell_is_right_and_no_figure_is_wrong(folder: Path, narrative_share: float) -> None:
    scores = score_folder(folder)
    for document, kinds in scores.items():
        table, narrative = kinds["table"], kinds["narrative"]
        assert not table.missed, document
        assert not table.wrong, document
        assert not table.extra, document
        assert not narrative.wrong, document
    right = sum(kinds["narrative"].right for kinds in scores.values())
    truth = sum(kinds["narrative"].truth for kinds in scores.values())
    assert right >= narrative_share * truth


# A bare date in parentheses at the end of a paragraph is not taken for a publication date.
UNREAD = {"B22_hubin_fangguan.txt": ("published_date",)}


def identities() -> list[object]:
    cases = []
    for folder in ("invented_a", "invented_b"):
        with (GOLDEN / folder / "identity.csv").open(encoding="utf-8", newline="") as file:
            cases += [pytest.param(folder, row, id=row["document"]) for row in csv.DictReader(file)]
    return cases


@pytest.mark.parametrize(("folder", "truth"), identities())
def test_body_year_form_scope_and_dates_are_those_of_the_text(folder: str, truth: dict[str, str]) -> None:
    path = GOLDEN / folder / "reports" / truth["document"]
    reading = read_document(path.read_bytes(), path.name)
    assert reading.status is DocumentStatus.LOADED
    (report,) = reading.reports
    identity = report.identity
    found = {
        "document": path.name,
        "agency_name": identity.agency_name or "",
        "co_agency_names": "、".join(identity.co_agency_names),
        "report_year": str(identity.report_year or ""),
        "form_code": report.form_code or "",
        "scope": identity.scope.value,
        "published_date": str(identity.published_date or ""),
        "table_year": str(report.table_year or ""),
    }
    for field in UNREAD.get(path.name, ()):
        # Left out is allowed where it is named here; another value never is.
        assert found[field] == ""
        found[field] = truth[field]
    assert found == truth


@pytest.mark.parametrize("path", sorted((GOLDEN / "rejects").iterdir()), ids=lambda path: path.stem)
def test_pages_that_are_no_reports_are_rejected_with_a_reason(path: Path) -> None:
    reading = read_document(path.read_bytes(), path.name)
    assert reading.status is DocumentStatus.REJECTED
    assert reading.reject_code in ("not_a_report", "blank_form", "no_figures")
    assert reading.issues[0].message
