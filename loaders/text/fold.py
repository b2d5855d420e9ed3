"""Printed text to a form in which labels compare, with the way back.

In: text in either script. Out: :class:`Folded`, simplified, NFKC, with Taiwan words of the seed
``script_overlay`` replaced, and for every folded character the offset of the printed character it came from.
Simplified text passes through the overlay untouched: word conversion damages it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from opencc import OpenCC

from loaders.model import Script
from loaders.vocabulary import load_vocabulary

# Share of characters that a character table changes: 0.37 in Traditional reports, 0.000 in Simplified ones.
_TRADITIONAL_SHARE = 0.02


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    return OpenCC("t2s")


@lru_cache(maxsize=1)
def _overlay() -> tuple[re.Pattern[str], dict[str, str]]:
    words = load_vocabulary().script_overlay
    return re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True))), words


def detect_script(text: str) -> Script:
    """Tell Simplified from Traditional by the share of characters that simplification changes."""
    letters = [c for c in text if "\u4e00" <= c <= "\u9fff"]
    if not letters:
        return Script.SIMPLIFIED
    joined = "".join(letters)
    changed = sum(a != b for a, b in zip(joined, _converter().convert(joined), strict=False))
    if changed / len(letters) < _TRADITIONAL_SHARE:
        return Script.SIMPLIFIED
    pattern, _ = _overlay()
    return Script.TRADITIONAL_TW if pattern.search(text) else Script.TRADITIONAL


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text; ``offsets[i]`` is where folded character ``i`` starts in the original, with one end mark."""

    text: str
    offsets: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original span of the folded characters ``start`` to ``end``."""
        return self.offsets[start], self.offsets[end] if end > start else self.offsets[start]


def _simplify(text: str) -> list[str]:
    """Simplified text as one string a character of ``text``."""
    whole = _converter().convert(text)
    if len(whole) == len(text):
        return list(whole)
    return [_converter().convert(c) for c in text]


@lru_cache(maxsize=4096)
def _nfkc(char: str) -> str:
    return unicodedata.normalize("NFKC", char)


def fold(text: str, script: Script = Script.SIMPLIFIED) -> Folded:
    """Fold ``text`` and keep the way back to the printed characters."""
    pieces: list[str] = []
    offsets: list[int] = []

    def add(piece: str, at: int) -> None:
        pieces.append(piece)
        offsets.extend([at] * len(piece))

    def add_plain(part: str, base: int) -> None:
        simple = list(part) if script is Script.SIMPLIFIED else _simplify(part)
        for i, char in enumerate(simple):
            add(_nfkc(char), base + i)

    if script is Script.SIMPLIFIED:
        add_plain(text, 0)
    else:
        pattern, words = _overlay()
        at = 0
        for match in pattern.finditer(text):
            add_plain(text[at : match.start()], at)
            word = words[match.group()]
            # The word stands for its whole original: its characters share the span evenly.
            length = match.end() - match.start()
            for i, char in enumerate(word):
                add(char, match.start() + i * length // len(word))
            at = match.end()
        add_plain(text[at:], at)
    return Folded("".join(pieces), (*offsets, len(text)))
