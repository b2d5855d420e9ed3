"""Printed numbers to exact decimals.

In: the text of a cell or of a number in a sentence. Out: a :class:`CellValue` or a :class:`Number`. Nothing is
rounded, nothing passes through floating point, and a blank, a dash or a slash is a kind of its own and never
zero. A percentage is no count. ``万元`` is a unit and is not multiplied out; ``1.6万件`` is 16,000 件.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from loaders.model import ValueStatus
from loaders.text.fold import cache_short, fold_text

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_DIGITS |= dict(zip("壹贰叁肆伍陆柒捌玖", range(1, 10), strict=True))
_SMALL = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
CHINESE_NUMERAL = "[零〇○一二两三四五六七八九十百千万亿廿卅壹贰叁肆伍陆柒捌玖拾佰仟]"
ARABIC_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
MONEY_UNITS = {"元": Decimal(1), "千元": Decimal(1000), "万元": Decimal(10_000), "亿元": Decimal(100_000_000)}
_COUNT_UNIT = r"人次|件次|件|条|篇|次|人|名|位|个|项|部|份|期|场|起|宗|例|家"
_UNIT = rf"(?:{'|'.join(sorted(MONEY_UNITS, key=len, reverse=True))}|{_COUNT_UNIT})"
APPROXIMATE_BEFORE = "(?:近|约|大约|超过|超|逾|多达|不少于|至少)"
APPROXIMATE_AFTER = "(?:余|多|几|左右|以上|上下|有余)"
# Traditional characters that numerals and units are printed with.
_SIMPLIFIED = str.maketrans("萬億兩條個項場餘減陸貳參", "万亿两条个项场余减陆贰叁")
_SIGN = {"+": 1, "-": -1, "−": -1, "增加": 1, "增": 1, "减少": -1, "减": -1, "下降": -1}
_NUMBER = re.compile(
    rf"(?P<sign>[+\-−]|增加|增|减少|减|下降)?(?P<before>{APPROXIMATE_BEFORE})?"
    rf"(?:(?P<arabic>{ARABIC_NUMBER})(?P<more>{APPROXIMATE_AFTER})?(?P<myriad>[万亿])?(?!元)|(?P<money>{ARABIC_NUMBER})"
    rf"|(?P<chinese>{CHINESE_NUMERAL}+?)(?={APPROXIMATE_AFTER}|{_UNIT}|$))"
    rf"(?P<after>{APPROXIMATE_AFTER})?(?P<unit>{_UNIT})?(?P<later>{APPROXIMATE_AFTER})?"
)
# A number with words in parentheses behind it: 12（含延期2件）.
_NOTE = re.compile(r"^(?P<number>[+\-]?[\d,.]+)\((?!\W*(?:千|万|亿)?元\W*\))[^()]*[\u4e00-\u9fff][^()]*\)$")
_SPLIT_DIGITS = re.compile(r"\d\s+\d")
_DASHES = re.compile(r"^[-—–―−_·]+$")
_SLASHES = re.compile(r"^[/\\]+$")


@dataclass(frozen=True, slots=True)
class Number:
    """A printed number: exact ``value`` in ``unit`` (null when none is printed)."""

    value: Decimal
    unit: str | None
    is_approximate: bool


@dataclass(frozen=True, slots=True)
class CellValue:
    """What a value cell says; ``number`` only with status ``number``."""

    status: ValueStatus
    number: Number | None = None


def _plain(text: str) -> str:
    """Folded text without white space, numerals and units in Simplified characters."""
    return "".join(fold_text(text).split()).translate(_SIMPLIFIED)


def parse_chinese_numeral(text: str) -> int | None:
    """Read a Chinese numeral such as 三千二百, 廿三, 一〇五; null when it is none."""
    text = text.replace("廿", "二十").replace("卅", "三十")
    if not text or any(c not in _DIGITS and c not in _SMALL and c not in _LARGE for c in text):
        return None
    if all(c in _DIGITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    total = section = 0
    digit: int | None = None
    for char in text:
        if char in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[char]
        elif char in _SMALL:
            section += (1 if digit is None else digit) * _SMALL[char]
            digit = None
        else:
            group = section + (digit or 0) + (total if char == "亿" else 0)
            scaled = (group or 1) * _LARGE[char]
            total = scaled if char == "亿" else total + scaled
            section, digit = 0, None
    return total + section + (digit or 0)


def parse_number(text: str) -> Number | None:
    """Read one number with its unit and marks of approximation; null when the text is anything else."""
    text = _plain(text)
    match = _NUMBER.fullmatch(text)
    if not match or text in MONEY_UNITS:
        return None
    if match["chinese"]:
        integer = parse_chinese_numeral(match["chinese"])
        # 万元 is a unit, not ten thousand yuan.
        if integer is None or (match["chinese"] + (match["unit"] or "") in MONEY_UNITS):
            return None
        value = Decimal(integer)
    else:
        value = Decimal((match["arabic"] or match["money"]).replace(",", ""))
        if match["myriad"]:
            value *= _LARGE[match["myriad"]]
    if match["sign"]:
        value *= _SIGN[match["sign"]]
    approximate = any(match[g] for g in ("before", "more", "after", "later"))
    return Number(value, match["unit"], approximate)


@cache_short
def parse_cell(text: str) -> CellValue:
    """Read a value cell: a number, blank (also dashes and 无), not applicable (slash), or illegible."""
    if _SPLIT_DIGITS.search(text.strip()) or any(unicodedata.category(char) == "No" for char in text):
        # Two numbers in one cell, one that somebody cut, or one with the mark of a note (12², 12①): which of them
        # the figure is, the cell does not say.
        return CellValue(ValueStatus.ILLEGIBLE)
    folded = _NOTE.sub(r"\g<number>", _plain(text))
    if not folded or _DASHES.match(folded) or folded in ("无", "空"):
        return CellValue(ValueStatus.BLANK)
    if _SLASHES.match(folded) or folded in ("不适用", "N/A", "n/a"):
        return CellValue(ValueStatus.NOT_APPLICABLE)
    number = parse_number(folded)
    return CellValue(ValueStatus.NUMBER, number) if number else CellValue(ValueStatus.ILLEGIBLE)


def convert_unit(value: Decimal, printed: str | None, wanted: str | None) -> Decimal:
    """Bring a value printed in one money unit to another; counts stay as printed."""
    if printed in MONEY_UNITS and wanted in MONEY_UNITS and printed != wanted:
        return value * MONEY_UNITS[printed] / MONEY_UNITS[wanted]
    return value


COUNT_UNITS = frozenset(_COUNT_UNIT.split("|"))
_UNITS = COUNT_UNITS | frozenset(MONEY_UNITS)


@cache_short
def is_unit(text: str) -> bool:
    """Whether a cell holds a unit of measurement and nothing else."""
    folded = _plain(text)
    return (folded[1:-1] if folded.startswith("(") and folded.endswith(")") else folded) in _UNITS


@cache_short
def is_value(text: str) -> bool:
    """Whether a cell reads as a value in a table: a number in digits, a dash or a slash; blank is no value here."""
    folded = _plain(text)
    if not folded:
        return False
    if not any(c.isdigit() for c in folded):
        return bool(_DASHES.match(folded) or _SLASHES.match(folded))
    return parse_number(folded) is not None
