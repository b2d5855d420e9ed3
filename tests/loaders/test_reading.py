"""One document to everything that is known of it: what is refused, what is flagged, what is kept."""

from __future__ import annotations

from datetime import date

import pytest

from loaders.model import DocumentStatus, Hints, Scope, ValueStatus
from loaders.reading import read_document
from tests.loaders.render import Noise, fill

NO_TABLE = """某某县林业局2017年政府信息公开工作年度报告
一、概述
2017年，我局认真做好政府信息公开工作，年初制定计划，年中逐项检查，年末汇总整理。
二、主动公开情况
主动公开政府信息85条。
三、依申请公开情况
全年未收到政府信息公开申请。
"""


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_document"),
        (b"%PDF-1.7 binary", "damaged_document"),
        (b"PK\x03\x04rest", "unsupported_format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "damaged_document"),
        (b"Rar!\x1a\x07\x00", "unsupported_format"),
        ("<html><body><p>本局召开了工作会议。</p></body></html>".encode(), "not_a_report"),
        (bytes(range(256)) * 8, "undecodable_text"),
        ("购物清单：牛奶两盒，面包一个。".encode(), "not_a_report"),
        (fill("fmt2021", "tabbed", 1, Noise(blank=1.0)).text.split("\n\n\n")[1].encode(), "blank_form"),
    ],
)
def test_what_is_no_report_is_rejected_with_a_reason(data: bytes, code: str) -> None:
    reading = read_document(data, "document.txt")
    assert reading.status is DocumentStatus.REJECTED
    assert reading.reject_code == code
    assert not reading.reports
    assert [issue.issue_code for issue in reading.issues] == [code]
    assert reading.issues[0].message


def test_a_report_without_figures_is_rejected_and_still_says_whose_it_is() -> None:
    page = "<html><body><h1>某某县林业局2018年政府信息公开工作年度报告</h1><p>见附件。</p></body></html>"
    reading = read_document(page.encode(), "page.html")
    assert (reading.status, reading.reject_code) == (DocumentStatus.REJECTED, "no_figures")
    (report,) = reading.reports
    assert (report.identity.agency_name, report.identity.report_year) == ("某某县林业局", 2018)
    assert report.metric_rows == ()


def test_a_report_without_a_table_keeps_what_its_sentences_state() -> None:
    reading = read_document(NO_TABLE.encode(), "document.txt")
    (report,) = reading.reports
    figures = {row.metric_code: (row.value, row.value_status) for row in report.metric_rows}
    assert figures == {
        "proactive_items_total": (85, ValueStatus.NUMBER),
        "requests_received": (0, ValueStatus.NONE_STATED),
    }
    assert {"table_missing", "form_from_narrative"} <= {issue.issue_code for issue in report.issues}


def test_the_manifest_wins_over_the_text_and_says_so() -> None:
    hints = Hints("某某县林业和草原局", 2017, date(2018, 3, 2), Scope.SYSTEM_AGGREGATE, "https://example.org/1")
    reading = read_document(NO_TABLE.encode(), "document.txt", hints)
    identity = reading.reports[0].identity
    assert reading.source_uri == "https://example.org/1"
    assert (identity.agency_name, identity.report_year) == ("某某县林业和草原局", 2017)
    assert (identity.published_date, identity.scope) == (date(2018, 3, 2), Scope.SYSTEM_AGGREGATE)
    assert "hint_conflict" in [issue.issue_code for issue in identity.issues]


def test_reading_twice_gives_the_same() -> None:
    assert read_document(NO_TABLE.encode(), "a") == read_document(NO_TABLE.encode(), "a")
