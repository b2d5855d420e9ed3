"""Row and column labels in a form in which they compare.

A label is reduced to its core (no enumerator, no leading 其中, no explanatory parenthesis, no punctuation, no
white space) and its enumerator (``1``, ``（一）`` as ``(1)``, ``一、`` as ``一``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from loaders.text.fold import cache_short, fold_text

_SPACE = re.compile(r"\s+")
_NUMERALS = "一二三四五六七八九十"
_ENUMERATOR = re.compile(
    rf"^(?:(?P<part>[{_NUMERALS}]{{1,3}})[、.,:]|\((?P<paren>[{_NUMERALS}]{{1,3}}|\d{{1,2}})\)[、.]?|(?P<number>\d{{1,2}})[.、,](?!\d))"
)
_OF_WHICH = re.compile(r"^其中[::]?")
_PUNCTUATION = re.compile(r"""[\s"'“”‘’「」『』《》〈〉<>、,,.。;;::·•\-—–_/\\|*()()\[\]【】〔〕~～]""")
_PARENTHESIS = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Label:
    """A label taken apart: ``core`` compares, ``enumerator`` confirms, ``is_of_which`` marks 其中."""

    core: str
    enumerator: str
    is_of_which: bool


@cache_short
def read_label(text: str) -> Label:
    """Take a printed label (already simplified) apart."""
    rest = _SPACE.sub("", fold_text(text))
    enumerator, of_which = "", False
    while True:
        if match := _OF_WHICH.match(rest):
            of_which = True
        elif not enumerator and (match := _ENUMERATOR.match(rest)):
            if match["part"]:
                enumerator = match["part"]
            elif match["paren"]:
                paren = match["paren"]
                enumerator = f"({_NUMERALS.index(paren) + 1 if paren in _NUMERALS else paren})"
            else:
                enumerator = match["number"]
        else:
            break
        rest = rest[match.end() :]
    core = _PUNCTUATION.sub("", _PARENTHESIS.sub("", rest))
    if not core:
        core = _PUNCTUATION.sub("", rest)
    return Label(core, enumerator, of_which)


@cache_short
def compact(text: str) -> str:
    """Folded text without white space and punctuation."""
    return _PUNCTUATION.sub("", fold_text(text))
