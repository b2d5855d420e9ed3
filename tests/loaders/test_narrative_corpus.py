"""Narrative figures on the golden corpus; skipped where ``GONGKAI_CORPUS`` names none."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from loaders.extract.narrative import extract_narrative
from loaders.model import MetricRow, Paragraph, Place
from loaders.text.fold import detect_script

CORPUS = os.environ.get("GONGKAI_CORPUS")
pytestmark = pytest.mark.skipif(CORPUS is None, reason="GONGKAI_CORPUS is not set")
REPORTS = {
    "000": ("nat2014", 2018),
    "001": ("fmt2019", 2020),
    "002": ("nat2014", 2018),
    "003": ("nat2014", 2018),
    "004": ("nat2014", 2017),
}


def read_report(number: str) -> tuple[str, list[MetricRow]]:
    """The text of a report and the figures of its prose; table lines are left out."""
    assert CORPUS is not None
    path = next((Path(CORPUS) / "reports").glob(f"{number}_*.txt"))
    text = path.read_bytes().decode("utf-8")
    paragraphs, at = [], 0
    for line_number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.startswith("\t") and not line.rstrip().endswith("|"):
            paragraphs.append(Paragraph(line, Place(at, at + len(line), line_number)))
        at += len(line) + 1
    form_code, year = REPORTS[number]
    return text, extract_narrative(paragraphs, form_code, detect_script(text), year)[0]


def read_truth(number: str) -> Counter[tuple[str | None, Decimal | None]]:
    """The keyed figures of the prose."""
    assert CORPUS is not None
    with (Path(CORPUS) / "truth.csv").open(encoding="utf-8-sig", newline="") as file:
        return Counter(
            (row["metric_code"], Decimal(row["value"]))
            for row in csv.DictReader(file)
            if row["seed_file"].startswith(number) and row["source_kind"] == "narrative"
        )


@pytest.mark.parametrize("number", sorted(REPORTS))
def test_the_prose_is_read_as_keyed(number: str) -> None:
    text, rows = read_report(number)
    assert Counter((r.metric_code, r.value) for r in rows) == read_truth(number)
    for row in rows:
        assert re.sub(r"\s+", " ", text[row.place.start : row.place.end]).strip() == row.snippet
