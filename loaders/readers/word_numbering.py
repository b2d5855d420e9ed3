"""The numbers that Word prints before paragraphs of a list.

In: the levels of a list as both kinds of Word file state them, and the paragraphs in order. Out: the printed
label, such as ``1.`` or ``（一）``; empty for bullets and for kinds of number that are not known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_DIGITS = "〇一二三四五六七八九"
_LEGAL = "零壹贰叁肆伍陆柒捌玖"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_MAX_NUMBER = 9999
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"))
_ROMAN_SMALL = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_COUNTING = frozenset(
    {
        "chineseCounting",
        "chineseCountingThousand",
        "japaneseCounting",
        "taiwaneseCounting",
        "taiwaneseCountingThousand",
    }
)
_DIGITAL = frozenset({"ideographDigital", "japaneseDigitalTenThousand", "taiwaneseDigital"})


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a list: first number, kind of number, text with ``%1`` to ``%9``, after which level it restarts.

    ``restart`` is the number of the level (1-based) that restarts this one, 0 for never, null for any above.
    """

    start: int = 1
    kind: str = "decimal"
    text: str = ""
    restart: int | None = None
    is_legal: bool = False
    suffix: str = "tab"


@dataclass(slots=True)
class Counters:
    """The running numbers of the lists of one document, in reading order."""

    _values: dict[object, dict[int, int]] = field(default_factory=dict)
    _started: set[tuple[object, int]] = field(default_factory=set)

    def next_label(
        self, counted_as: object, instance: object, at: int, levels: Mapping[int, Level], overrides: Mapping[int, int]
    ) -> str:
        """Count one paragraph of a list and give its label.

        ``counted_as`` is what the paragraphs of a list share, ``instance`` the use of it that may start anew at
        the numbers of ``overrides``, once.
        """
        values = self._values.setdefault(counted_as, {})
        if at in overrides and (instance, at) not in self._started:
            values[at] = overrides[at]
        else:
            values[at] = values[at] + 1 if at in values else levels[at].start if at in levels else 1
        self._started.add((instance, at))
        for deeper in [n for n in values if n > at]:
            restart = levels[deeper].restart if deeper in levels else None
            if restart is None or at < restart:
                del values[deeper]
        level = levels.get(at)
        return "" if level is None else _label(level, levels, values)


def _label(level: Level, levels: Mapping[int, Level], values: Mapping[int, int]) -> str:
    parts = []
    for part in re.split(r"(%[1-9])", level.text):
        if len(part) == 2 and part[0] == "%":
            at = int(part[1]) - 1
            one = levels.get(at, Level())
            number = format_number(values.get(at, one.start), "decimal" if level.is_legal else one.kind)
            if number is None:
                return ""
            parts.append(number)
        else:
            parts.append(part)
    label = "".join(parts)
    if level.kind in ("bullet", "none") or not label:
        return ""
    # Where a gap is printed and nothing else parts the number from the text, a space stands for it.
    return label + " " if level.suffix != "nothing" and label[-1].isalnum() else label


def format_number(number: int, kind: str) -> str | None:
    """A number in one of Word's kinds of number; null for a kind that is not known here."""
    if not 0 <= number <= _MAX_NUMBER:
        return None
    if kind == "decimal":
        return str(number)
    if kind == "decimalZero":
        return f"{number:02}"
    if kind == "decimalFullWidth":
        return "".join(chr(ord("０") + int(digit)) for digit in str(number))
    if kind in _COUNTING:
        return _chinese(number, _DIGITS, "十百千")
    if kind == "chineseLegalSimplified":
        return _chinese(number, _LEGAL, "拾佰仟")
    if kind in _DIGITAL:
        return "".join(_DIGITS[int(digit)] for digit in str(number))
    return _other_number(number, kind)


def _other_number(number: int, kind: str) -> str | None:
    if kind == "ideographTraditional" and 1 <= number <= len(_STEMS):
        return _STEMS[number - 1]
    if kind == "ideographZodiac" and 1 <= number <= len(_BRANCHES):
        return _BRANCHES[number - 1]
    if kind in ("decimalEnclosedCircle", "decimalEnclosedCircleChinese") and 1 <= number <= 20:
        return chr(ord("①") + number - 1)
    if kind == "decimalEnclosedParen" and 1 <= number <= 20:
        return chr(ord("⑴") + number - 1)
    if kind == "decimalEnclosedFullstop" and 1 <= number <= 20:
        return chr(ord("⒈") + number - 1)
    if kind == "ideographEnclosedCircle" and 1 <= number <= 10:
        return chr(ord("㊀") + number - 1)
    if kind in ("lowerLetter", "upperLetter") and number:
        letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter if kind == "lowerLetter" else letter.upper()
    if kind in ("lowerRoman", "upperRoman") and number:
        roman = ""
        for value, sign in (*_ROMAN, *_ROMAN_SMALL):
            count, number = divmod(number, value)
            roman += sign * count
        return roman if kind == "lowerRoman" else roman.upper()
    return None


def _chinese(number: int, digits: str, places: str) -> str:
    if number < 10:
        return digits[number]
    out = ""
    text = str(number)
    for at, digit in enumerate(text):
        place = len(text) - at - 1
        if digit != "0":
            out += digits[int(digit)] + (places[place - 1] if place else "")
        elif out and out[-1] != digits[0] and text[at + 1 :].strip("0"):
            out += digits[0]
    return out[1:] if 10 <= number < 20 and digits == _DIGITS else out
