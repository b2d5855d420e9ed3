"""Printed text to a form in which labels compare, with the way back.

In: text in either script. Out: :class:`Folded`, simplified, NFKC, with Taiwan words of the seed
``script_overlay`` replaced, and for every folded character the offset of the printed character it came from.
Simplified text passes through the overlay untouched: word conversion damages it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import NamedTuple, TypeVar

from opencc import OpenCC

from loaders.model import Script
from loaders.vocabulary import load_vocabulary

# Share of characters that a character table changes: 0.37 in Traditional reports, 0.000 in Simplified ones.
_TRADITIONAL_SHARE = 0.02
_NOT_HAN = re.compile("[^\u4e00-\u9fff]+")


Result = TypeVar("Result")
_LONGEST_CACHED = 200
_LONGEST_FOLDED_ONCE = 2000
# What most texts have to fold, and nothing else.
_WIDE = tuple((wide, unicodedata.normalize("NFKC", wide)) for wide in "，：；（）！？\u3000")


def cache_short(function: Callable[[str], Result]) -> Callable[[str], Result]:
    """Remember the results for short texts: labels and figures come back all the time, a hostile text never does."""
    remembered = lru_cache(maxsize=65536)(function)

    @wraps(function)
    def answer(text: str) -> Result:
        return remembered(text) if len(text) <= _LONGEST_CACHED else function(text)

    return answer


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    return OpenCC("t2s")


@lru_cache(maxsize=1)
def _overlay() -> tuple[re.Pattern[str], dict[str, str]]:
    words = load_vocabulary().script_overlay
    return re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True))), words


def detect_script(text: str) -> Script:
    """Tell Simplified from Traditional by the share of characters that simplification changes."""
    letters = "".join(_NOT_HAN.split(text))
    if not letters:
        return Script.SIMPLIFIED
    simple = _converter().convert(letters)
    if simple == letters:
        return Script.SIMPLIFIED
    changed = sum(a != b for a, b in zip(letters, simple, strict=False))
    if changed / len(letters) < _TRADITIONAL_SHARE:
        return Script.SIMPLIFIED
    pattern, _ = _overlay()
    return Script.TRADITIONAL_TW if pattern.search(text) else Script.TRADITIONAL


class Folded(NamedTuple):
    """Folded text; ``offsets[i]`` is where folded character ``i`` starts in the original, with one end mark."""

    text: str
    offsets: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original span of the folded characters ``start`` to ``end``."""
        return self.offsets[start], self.offsets[end] if end > start else self.offsets[start]


def _simplify(text: str) -> str:
    """Simplified text, one character for each of ``text``."""
    whole: str = _converter().convert(text)
    if len(whole) == len(text):
        return whole
    return "".join(simple if len(simple := _converter().convert(char)) == 1 else char for char in text)


@lru_cache(maxsize=4096)
def _nfkc(char: str) -> str:
    return unicodedata.normalize("NFKC", char)


def fold(text: str, script: Script = Script.SIMPLIFIED) -> Folded:
    """Fold ``text`` and keep the way back to the printed characters."""
    return (_fold_once if len(text) <= _LONGEST_FOLDED_ONCE else _fold)(text, script)


def _fold(text: str, script: Script) -> Folded:
    if script is Script.SIMPLIFIED:
        return _fold_characters(text, 0)
    pattern, words = _overlay()
    parts: list[Folded] = []
    at = 0
    for match in pattern.finditer(text):
        parts.append(_fold_characters(_simplify(text[at : match.start()]), at))
        word = words[match.group()]
        # The word stands for its whole original: its characters share the span evenly.
        length = match.end() - match.start()
        shares = (match.start() + i * length // len(word) for i in range(len(word)))
        parts.append(Folded(word, (*shares, match.end())))
        at = match.end()
    parts.append(_fold_characters(_simplify(text[at:]), at))
    if len(parts) == 1:
        return parts[0]
    offsets = (offset for part in parts for offset in part.offsets[:-1])
    return Folded("".join(part.text for part in parts), (*offsets, len(text)))


# Who reports and what the sentences say is read from the same paragraphs, one after the other.
_fold_once = lru_cache(maxsize=1024)(_fold)


def fold_text(text: str) -> str:
    """Simplified text folded, without the way back."""
    if unicodedata.is_normalized("NFKC", text):
        return text
    return "".join(map(_nfkc, text))


def _fold_characters(text: str, base: int) -> Folded:
    """NFKC character by character; ``base`` is where ``text`` starts in the original."""
    folded = text
    if not unicodedata.is_normalized("NFKC", text):
        for wide, narrow in _WIDE:
            folded = folded.replace(wide, narrow)
        if not unicodedata.is_normalized("NFKC", folded):
            pieces = [_nfkc(char) for char in text]
            folded = "".join(pieces)
            if len(folded) != len(text):
                offsets = [base + at for at, piece in enumerate(pieces) for _ in piece]
                return Folded(folded, (*offsets, base + len(text)))
    return Folded(folded, range(base, base + len(text) + 1))
