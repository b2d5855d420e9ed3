"""Encodings, scripts, labels and numerals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opencc import OpenCC

from loaders.errors import DocumentRejected
from loaders.model import Script, ValueStatus
from loaders.text.decode import decode_text
from loaders.text.fold import detect_script, fold
from loaders.text.labels import read_label
from loaders.text.numbers import convert_unit, is_unit, is_value, parse_cell, parse_number

SIMPLIFIED = "某某县统计局2018年政府信息公开工作年度报告\n全年主动公开政府信息734条，收到申请3件。\n" * 8
TRADITIONAL = OpenCC("s2t").convert(SIMPLIFIED)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_simplified_text_decodes(encoding: str) -> None:
    assert decode_text(SIMPLIFIED.encode(encoding)).text == SIMPLIFIED


@pytest.mark.parametrize("encoding", ["utf-8", "big5", "big5hkscs", "gb18030", "utf-16"])
def test_traditional_text_decodes(encoding: str) -> None:
    assert decode_text(TRADITIONAL.encode(encoding)).text == TRADITIONAL


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_few_broken_bytes_are_replaced_and_counted(encoding: str) -> None:
    data = SIMPLIFIED.encode(encoding)
    decoded = decode_text(data[:300] + b"\xff" + data[300:])
    assert 0 < decoded.replaced < 4
    assert "主动公开政府信息734条" in decoded.text


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_document"),
        (b" \n\t \r\n", "empty_document"),
        (b"\xef\xbb\xbf", "empty_document"),
        (bytes(range(256)) * 20, "undecodable_text"),
        (b"\x00\x01\x02\x03" * 500, "undecodable_text"),
        (SIMPLIFIED.encode("gbk")[:200] + b"\xff\x81" * 200 + SIMPLIFIED.encode("gbk")[200:], "undecodable_text"),
    ],
)
def test_what_is_no_text_is_refused_with_a_code(data: bytes, code: str) -> None:
    with pytest.raises(DocumentRejected) as caught:
        decode_text(data)
    assert caught.value.reject_code == code


@given(st.binary(max_size=400))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    code = None
    try:
        decoded = decode_text(data)
    except DocumentRejected as refused:
        code = refused.reject_code
    else:
        assert decoded.text
    assert code in (None, "empty_document", "undecodable_text")


def test_scripts_are_told_apart() -> None:
    assert detect_script(SIMPLIFIED) is Script.SIMPLIFIED
    assert detect_script(TRADITIONAL) is Script.TRADITIONAL
    assert detect_script("政務微網志公開政府資訊數5970條") is Script.TRADITIONAL_TW
    assert detect_script("2018") is Script.SIMPLIFIED


@pytest.mark.parametrize(
    ("printed", "folded"),
    [
        ("政務微網志公開政府資訊數5970條", "政务微博公开政府信息数5970条"),
        ("主動公開規範性檔案31件", "主动公开规范性文件31件"),
        ("行政複議、行政復議", "行政复议、行政复议"),
        ("檔案管理", "档案管理"),
        ("線上訪談，網路提交", "在线访谈,网络提交"),
    ],
)
def test_taiwan_words_fold_to_the_words_of_the_form(printed: str, folded: str) -> None:
    assert fold(printed, Script.TRADITIONAL_TW).text == folded


def test_simplified_text_is_not_touched_by_the_overlay() -> None:
    assert fold("程式、资讯、规范性档案").text == "程式、资讯、规范性档案"


@given(st.text(alphabet="政務微網志資訊數條１２，（）ab 公開", max_size=40))
def test_every_folded_character_knows_where_it_was_printed(text: str) -> None:
    result = fold(text, Script.TRADITIONAL_TW)
    assert len(result.offsets) == len(result.text) + 1
    assert list(result.offsets) == sorted(result.offsets)
    assert result.offsets[-1] == len(text)


@pytest.mark.parametrize(
    ("printed", "core", "enumerator"),
    [
        ("（三）不予\n\n公开", "不予公开", "(3)"),
        ("3．其他情形数（含未审结   件）", "其他情形数", "3"),
        ("其中:主动公开规范性文件数", "主动公开规范性文件数", ""),
        ("1、申请人无正当理由逾期不补正", "申请人无正当理由逾期不补正", "1"),
        ("总 计", "总计", ""),
        ("一、本年新收政府信息公开申请数量", "本年新收政府信息公开申请数量", "一"),
    ],
)
def test_labels_are_taken_apart(printed: str, core: str, enumerator: str) -> None:
    label = read_label(printed)
    assert (label.core, label.enumerator) == (core, enumerator)


@pytest.mark.parametrize(
    ("printed", "value", "unit", "approximate"),
    [
        ("0", "0", None, False),
        ("1,319", "1319", None, False),
        ("１２", "12", None, False),
        ("-5", "-5", None, False),
        ("−71", "-71", None, False),
        ("减1", "-1", None, False),
        ("增加5", "5", None, False),
        ("+1036", "1036", None, False),
        ("251000元", "251000", "元", False),
        ("1646.5万元", "1646.5", "万元", False),
        ("71.9萬元", "71.9", "万元", False),
        ("2200余条", "2200", "条", True),
        ("2200餘條", "2200", "条", True),
        ("18万余条", "180000", "条", True),
        ("近70条", "70", "条", True),
        ("万余人次", "10000", "人次", True),
        ("1680万", "16800000", None, False),
        ("两次", "2", "次", False),
        ("廿三", "23", None, False),
        ("三千二百", "3200", None, False),
        ("十五万六千", "156000", None, False),
        ("187.8192", "187.8192", None, False),
    ],
)
def test_numbers_are_read_exactly(printed: str, value: str, unit: str | None, approximate: bool) -> None:
    number = parse_number(printed)
    assert number is not None
    assert (number.value, number.unit, number.is_approximate) == (Decimal(value), unit, approximate)


@pytest.mark.parametrize("printed", ["66.7%", "1,31", "l0", "O", "几十次", "万元", "件", "2018年", "3-5", "", "无"])
def test_what_is_no_number_is_not_read_as_one(printed: str) -> None:
    assert parse_number(printed) is None


@pytest.mark.parametrize(
    ("printed", "status"),
    [
        ("", ValueStatus.BLANK),
        (" \u3000\xa0", ValueStatus.BLANK),
        ("—", ValueStatus.BLANK),
        ("----", ValueStatus.BLANK),
        ("无", ValueStatus.BLANK),
        ("/", ValueStatus.NOT_APPLICABLE),
        ("0.0000", ValueStatus.NUMBER),
        ("O", ValueStatus.ILLEGIBLE),
    ],
)
def test_blank_not_applicable_and_zero_are_three_things(printed: str, status: ValueStatus) -> None:
    assert parse_cell(printed).status is status


def test_money_is_brought_to_the_unit_of_the_catalogue() -> None:
    assert convert_unit(Decimal("251000"), "元", "万元") == Decimal("25.1")
    assert convert_unit(Decimal("1.5"), "亿元", "万元") == Decimal(15000)
    assert convert_unit(Decimal(3), "项", "件") == 3


def test_a_unit_alone_is_a_unit_and_no_value() -> None:
    assert all(is_unit(text) and not is_value(text) for text in ("件", "（件）", "万元", "人次", "條"))
    assert not is_unit("件）")
