"""Identification on the golden corpus; skipped where ``GONGKAI_CORPUS`` names none."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from loaders.identify import classify_document, find_report_titles, identify_report
from loaders.model import Document, Hints, Identity
from loaders.readers.flat_text import read_blocks
from loaders.text.fold import detect_script
from tests.loaders.test_identify import document

CORPUS = os.environ.get("GONGKAI_CORPUS")
pytestmark = pytest.mark.skipif(CORPUS is None, reason="GONGKAI_CORPUS is not set")

EXPECTED = {
    "000": (
        "北京市西城区统计局",
        ("北京市西城区经济社会调查队",),
        "西城区统计局 西城区经济社会调查队",
        2018,
        "own",
        None,
    ),
    "001": ("北京市大兴区统计局", (), "北京市大兴区统计局", 2020, "own", None),
    "002": ("成都市统计局", (), "成都市統計局", 2018, "own", None),
    "003": ("北京市西城区人民政府", (), "北京市西城區人民政府", 2018, "area_aggregate", date(2019, 3, 19)),
    "004": ("吉林市统计局龙潭分局", (), "统计龙潭分局", 2017, "own", date(2018, 3, 1)),
}
TITLES = {
    "000": "西城区统计局 西城区经济社会调查队2018年政府信息公开工作年度报告",
    "001": "北京市大兴区统计局2020年政府信息公开工作年度报告",
    "003": "北京市西城區人民政府2018年政府信息公開工作年度報告",
}


def _documents(number: str) -> list[Document]:
    root = Path(str(CORPUS))
    path = next(p for p in sorted(root.rglob("*.txt")) if p.name.startswith(number))
    text = path.read_text(encoding="utf-8")
    read = Document(text, "utf-8", detect_script(text), tuple(read_blocks(text)), "text/plain")
    return [document(text), read]


@pytest.mark.parametrize("number", EXPECTED)
def test_golden_identity(number: str) -> None:
    for read in _documents(number):
        found: Identity = identify_report(read, Hints(), None)
        assert (
            found.agency_name,
            found.co_agency_names,
            found.agency_name_raw,
            found.report_year,
            found.scope.value,
            found.published_date,
        ) == EXPECTED[number]
        assert found.title == TITLES.get(number)
        assert found.issues == ()
        for evidence in found.evidence:
            if evidence.place is not None and evidence.rule != "title":
                assert read.text[evidence.place.start : evidence.place.end] == evidence.snippet


@pytest.mark.parametrize("number", EXPECTED)
def test_golden_kind(number: str) -> None:
    for read in _documents(number):
        assert classify_document(read, False, False) is None
        assert classify_document(read, True, True) is None
        assert len(find_report_titles(read)) == (1 if number in TITLES else 0)
