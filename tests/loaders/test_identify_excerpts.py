"""Identification on short pages: a title as sites print it, what stands around it, and the first sentence or two.

Each line of ``data/title_excerpts.jsonl`` is a page keyed by hand before it was read: ``kind`` is ``report`` or what
else the page is; ``agency`` is null where the page does not say, and ``null_ok`` marks those where null will do as
well. The names of bodies are real, the pages and their sentences are not.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from loaders.identify import classify_document, identify_report
from loaders.model import Document, Hints, Identity, Metadata, MetadataName
from loaders.readers import read_bytes

_LINES = (Path(__file__).parent / "data" / "title_excerpts.jsonl").read_text(encoding="utf-8").splitlines()
EXCERPTS: list[dict[str, Any]] = [json.loads(line) for line in _LINES]
REPORTS = [excerpt for excerpt in EXCERPTS if excerpt["kind"] == "report"]
OTHERS = [excerpt for excerpt in EXCERPTS if excerpt["kind"] != "report"]
OUTSIDE_TEXT = {"page_title", "meta_publisher", "site_name", "meta_published"}


def _document(text: str, metadata: dict[str, str] | None = None) -> Document:
    document, _ = read_bytes(text.encode())
    return replace(document, metadata=tuple(Metadata(MetadataName(k), v) for k, v in (metadata or {}).items()))


def _identify(text: str, **metadata: str) -> Identity:
    return identify_report(_document(text, metadata), Hints(), None)


def test_there_are_enough_excerpts() -> None:
    assert len(REPORTS) >= 400
    assert len(OTHERS) >= 120
    assert len({excerpt["text"] + str(excerpt.get("metadata")) for excerpt in EXCERPTS}) == len(EXCERPTS)


@pytest.mark.parametrize("excerpt", REPORTS, ids=lambda e: e["id"])
def test_the_beginning_of_a_report_says_who_and_when(excerpt: dict[str, Any]) -> None:
    document = _document(excerpt["text"], excerpt.get("metadata"))
    assert classify_document(document, has_filled_form=False, has_form=False) is None
    found = identify_report(document, Hints(), None)
    if found.agency_name is not None or not excerpt.get("null_ok"):
        assert found.agency_name == excerpt["agency"]
    assert list(found.co_agency_names) == excerpt["co"]
    assert found.report_year == excerpt["year"]
    codes = {issue.issue_code for issue in found.issues}
    assert ("agency_unknown" in codes) == (found.agency_name is None)
    for evidence in found.evidence:
        assert (evidence.place is None) == (evidence.rule in OUTSIDE_TEXT)


@pytest.mark.parametrize("excerpt", OTHERS, ids=lambda e: f"{e['id']}-{e['kind']}")
def test_what_is_no_report_is_refused_as_such(excerpt: dict[str, Any]) -> None:
    found = classify_document(
        _document(excerpt["text"], excerpt.get("metadata")), has_filled_form=False, has_form=False
    )
    assert found is not None
    assert found[0] == "not_a_report"


MENU = (
    "网站首页\n新闻中心\n政务公开\n政府信息公开指南\n政府信息公开制度\n政府信息公开年报\n财政预决算\n权责清单\n政策解读\n"
    "政府工作报告\n建议提案办理\n欢迎访问！今天是2024年5月6日 星期一\n"
    "当前位置：首页 > 政府信息公开 > 政府信息公开年报 > 详情\n"
)
FOOT = "\n分享到：微信 微博\n上一篇：没有了\n下一篇：关于2019年度政府信息公开工作情况的通报\n版权所有：某某人民政府"
TRAP = "\n全年召开新闻发布会3场，答记者问2次，对落实不力的予以通报，制作一图读懂8期，要求各单位修订公开指南。"


@pytest.mark.parametrize("excerpt", REPORTS[::5], ids=lambda e: e["id"])
def test_what_a_site_prints_around_a_report_changes_nothing(excerpt: dict[str, Any]) -> None:
    document = _document(MENU + excerpt["text"] + TRAP + FOOT, excerpt.get("metadata"))
    assert classify_document(document, has_filled_form=False, has_form=False) is None
    found = identify_report(document, Hints(), None)
    if found.agency_name is not None or not excerpt.get("null_ok"):
        assert found.agency_name == excerpt["agency"]
    assert found.report_year == excerpt["year"]


@pytest.mark.parametrize("excerpt", OTHERS[::3], ids=lambda e: f"{e['id']}-{e['kind']}")
def test_what_a_site_prints_around_it_makes_nothing_a_report(excerpt: dict[str, Any]) -> None:
    found = classify_document(_document(MENU + excerpt["text"] + FOOT), has_filled_form=False, has_form=False)
    assert found is not None
    assert found[0] == "not_a_report"


def test_a_title_without_a_sentence_is_a_report_without_figures() -> None:
    text = "丰安市林业局2020年政府信息公开工作年度报告\n发布时间：2021-01-20 字体：大 中 小\n附件：报告.pdf"
    assert (classify_document(_document(text), False, False) or ("", ""))[0] == "no_figures"


TITLE, LEAD = "2020年政府信息公开工作年度报告\n", "我局根据条例编制本报告。"


def test_the_text_is_believed_before_the_page() -> None:
    text = "丰安市林业局" + TITLE + LEAD
    found = _identify(text, title="丰安市民政局2019年政府信息公开工作年度报告", publisher="丰安市财政局")
    assert (found.agency_name, found.report_year) == ("丰安市林业局", 2020)


def test_the_page_title_is_cut_from_the_name_of_the_site() -> None:
    for mark in (" - ", "_", "|", "-", " — "):
        found = _identify(TITLE + LEAD, title=f"丰安市林业局2020年政府信息公开工作年度报告{mark}丰安市人民政府门户网站")
        assert (found.agency_name, found.agency_name_raw) == ("丰安市林业局", "丰安市林业局")
        assert [e.place for e in found.evidence if e.rule == "page_title"] == [None]


def test_a_portal_does_not_name_a_department() -> None:
    assert _identify(TITLE + LEAD, site_name="丰安市人民政府门户网站").agency_name is None
    assert _identify(TITLE + LEAD, publisher="丰安市人民政府办公室").agency_name is None


def test_a_portal_names_the_government_that_speaks_for_its_area() -> None:
    text = TITLE + "2020年，我市认真贯彻条例，政府信息公开工作有序推进。"
    assert _identify(text, site_name="丰安市人民政府门户网站").agency_name == "丰安市人民政府"


def test_the_site_of_a_body_names_it() -> None:
    assert _identify(TITLE + LEAD, site_name="丰安市林业局网站").agency_name == "丰安市林业局"


def test_a_body_without_its_place_is_unknown_until_the_page_says_the_place() -> None:
    text = "市林业局" + TITLE + LEAD
    found = _identify(text)
    assert (found.agency_name, found.agency_name_raw) == (None, "市林业局")
    assert _identify(text, site_name="丰安市人民政府").agency_name == "丰安市林业局"
    assert _identify(text, site_name="云山县人民政府").agency_name is None


def test_the_date_of_the_page_is_the_date_of_publication_when_the_text_has_none() -> None:
    text = "丰安市林业局" + TITLE + LEAD
    assert _identify(text, published_date="2021-01-25 10:00:00").published_date == date(2021, 1, 25)
    dated = "丰安市林业局" + TITLE + "发布时间：2021-01-20\n" + LEAD
    assert _identify(dated, published_date="2021-01-25").published_date == date(2021, 1, 20)
