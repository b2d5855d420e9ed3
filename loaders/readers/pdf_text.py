"""Characters to lines, cells and paragraphs: pure geometry of text.

In: glyphs of one page, outside or inside a cell. Out: lines with their text, where a gap is a blank and a wide gap
two; the text of a cell; paragraphs put together from wrapped lines. No white space is put between Chinese
characters at a wrap, and a number is carried over a wrap only when its first line is full.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter
from statistics import median

from loaders.readers.pdf_page import Glyph

# In heights of the font.
_NEW_LINE = 0.5
_GAP = 0.5
_GAP_LATIN = 0.17
WIDE_GAP = 1.4
_INDENT = 0.8
_NOT_FULL = 1.7
_SIZE_DIFFERS = 1.15
_PITCH_DIFFERS = 1.4
_MAX_PADDING = 6.0
# A line of one digit is full only with less room to spare: two lines may be two numbers.
_MAX_PADDING_ALONE = 5.4
_LONG_LINE = 12

_DIGITS = re.compile(r"[+\-−]?[0-9０-９][0-9０-９,，.．]*")
_NUMBER_REST = re.compile(r"[0-9０-９,，.．]+")
_FIRST_WORD = re.compile(r"[0-9A-Za-z０-９.,%．，％/]+")
ENUMERATOR = re.compile(
    r"(?:第?[一二三四五六七八九十]{1,3}[、.．]|[（(][一二三四五六七八九十\d]{1,3}[）)]|\d{1,2}[.．、](?!\d))"
)
_BY_HEIGHT, _BY_START = attrgetter("y", "x0"), attrgetter("x0")
_SENTENCE_END = re.compile(r"[。；：！？;:!?][”’）)》]?$")


@dataclass(slots=True)
class Line:
    """Characters on one baseline, from left to right."""

    glyphs: list[Glyph]
    text: str = ""
    has_wide_gap: bool = False
    page: int = 0

    @property
    def x0(self) -> float:
        """Where the line starts."""
        return self.glyphs[0].x0

    @property
    def x1(self) -> float:
        """Where the line ends."""
        return max(glyph.x1 for glyph in self.glyphs[-3:])

    @property
    def y(self) -> float:
        """The baseline."""
        return self.glyphs[0].y

    @property
    def size(self) -> float:
        """The height of the font."""
        return _middle_size(self.glyphs)


def _is_wide(char: str) -> bool:
    return char >= "\u2e80"


def _middle_size(glyphs: Sequence[Glyph]) -> float:
    sizes = sorted(glyph.size for glyph in glyphs)
    half = len(sizes) // 2
    return sizes[half] if len(sizes) % 2 else (sizes[half - 1] + sizes[half]) / 2


def _line_text(glyphs: Sequence[Glyph], size: float) -> tuple[str, bool]:
    parts = [glyphs[0].text]
    has_wide_gap = False
    least = _GAP_LATIN * size
    for before, glyph in pairwise(glyphs):
        gap = glyph.x0 - before.x1
        if gap > least:
            if gap > WIDE_GAP * size:
                parts.append("  ")
                has_wide_gap = True
            elif gap > _GAP * size or not (_is_wide(before.text) or _is_wide(glyph.text)):
                parts.append(" ")
        parts.append(glyph.text)
    return "".join(parts), has_wide_gap


def group_lines(glyphs: Iterable[Glyph]) -> list[Line]:
    """Lines from top to bottom; a character printed twice at one place, as for bold type, counts once."""
    ordered = sorted(glyphs, key=_BY_HEIGHT)
    if not ordered:
        return []
    last = ordered[0]
    rows: list[list[Glyph]] = [[last]]
    for glyph in ordered[1:]:
        if glyph.y == last.y or glyph.y - last.y <= _NEW_LINE * min(max(glyph.size, last.size), 40.0):
            rows[-1].append(glyph)
        else:
            rows.append([glyph])
        last = glyph
    lines = []
    for row in rows:
        if len(row) == 1:
            lines.append(Line(row, row[0].text))
            continue
        row.sort(key=_BY_START)
        size = _middle_size(row)
        kept = [row[0]]
        for glyph in row[1:]:
            # The copy of a character may come after its neighbour.
            if glyph.x0 - kept[-1].x0 >= 0.15 * size or all(g.text != glyph.text for g in kept[-2:]):
                kept.append(glyph)
        lines.append(Line(kept, *_line_text(kept, size)))
    return lines


# ---- cells


def cell_text(glyphs: Sequence[Glyph], width: float) -> str:
    """The text of a cell of a width, lines parted by line feeds.

    Characters of a heading printed down the cell are put in a row; a number that fills its line goes on in the next.
    """
    if not glyphs:
        return ""
    turn = glyphs[0].turn
    if any(glyph.turn != turn for glyph in glyphs):
        turn = Counter(glyph.turn for glyph in glyphs).most_common(1)[0][0]
        lines = group_lines(glyph for glyph in glyphs if glyph.turn == turn)
        others = [glyph for glyph in glyphs if glyph.turn != turn]
    else:
        lines, others = group_lines(glyphs), []
    if turn:
        width = float("inf")
    text = _join_lines(lines, width)
    # Turned brackets and dashes among upright characters belong to a heading down the cell.
    return text + "\n" + "\n".join(line.text for line in group_lines(others)) if others else text


def _join_lines(lines: list[Line], width: float) -> str:
    if len(lines) == 1:
        return lines[0].text
    if all(len(line.text) == 1 for line in lines) and any(_is_wide(line.text) for line in lines):
        return "".join(line.text for line in lines)
    parts = [lines[0].text]
    for before, line in pairwise(lines):
        parts.append("" if _is_wrapped_number(before, line, width) else "\n")
        parts.append(line.text)
    return "".join(parts)


def _is_wrapped_number(before: Line, line: Line, width: float) -> bool:
    """Whether a number stands on two lines because its first line has no room for one more digit."""
    return _is_full(before, width) and is_rest_of_number(line.text) and len(line.text) <= len(before.text)


def is_rest_of_number(text: str) -> bool:
    """Whether a text can be what is left of a number after a wrap."""
    return bool(_NUMBER_REST.fullmatch(text))


def _is_full(line: Line, width: float) -> bool:
    if not _DIGITS.fullmatch(line.text):
        return False
    digit = line.glyphs[-1].x1 - line.glyphs[-1].x0
    padding = _MAX_PADDING if len(line.text) > 1 else _MAX_PADDING_ALONE
    return line.x1 - line.x0 + digit > width - 2 * padding


def ends_full(glyphs: Sequence[Glyph], width: float) -> bool:
    """Whether the last line of a cell is a number that has no room for one more digit, so that it may go on."""
    lines = group_lines(glyph for glyph in glyphs if not glyph.turn)
    return bool(lines) and _is_full(lines[-1], width)


# ---- paragraphs


@dataclass(slots=True)
class Margins:
    """Where full lines start and end, and how far apart lines stand."""

    left: float
    right: float
    pitch: float


@dataclass(slots=True)
class TextParagraph:
    """A paragraph and the lines it was printed in."""

    lines: list[Line] = field(default_factory=list)
    text: str = ""

    def add(self, line: Line) -> None:
        """Put one more line at the end."""
        joined = self.text[-1:] and _needs_blank(self.text[-1], line.text[0])
        self.text += (" " if joined else "") + line.text
        self.lines.append(line)


def _needs_blank(before: str, after: str) -> bool:
    """A wrap between Latin words is a blank; a number that fills its line goes on in the next."""
    return (
        before.isascii()
        and after.isascii()
        and before.isalnum()
        and after.isalnum()
        and not (before.isdigit() and after.isdigit())
    )


def measure_margins(lines: Sequence[Line]) -> Margins:
    """The margins of the text that lines are set in."""
    if not lines:
        return Margins(0.0, float("inf"), float("inf"))
    long = [line for line in lines if len(line.text) >= _LONG_LINE] or list(lines)
    right = sorted(line.x1 for line in long)[int(0.9 * (len(long) - 1))]
    starts = Counter(round(line.x0) for line in long)
    # Full lines that go on start at the left margin; the first lines of paragraphs are indented.
    common = [x for x, n in starts.items() if n * 5 >= len(long)]
    left = float(min(common or starts))
    steps = [b.y - a.y for a, b in pairwise(lines) if a.page == b.page and b.y > a.y]
    return Margins(left, right, median(steps) if steps else float("inf"))


def continues(before: Line, line: Line, margins: Margins) -> bool:
    """Whether a line goes on with the paragraph of the line above."""
    size = max(before.size, line.size)
    if size > _SIZE_DIFFERS * min(before.size, line.size):
        return False
    if before.page == line.page and line.y - before.y > _PITCH_DIFFERS * min(margins.pitch, 2.2 * size):
        return False
    if line.x0 > margins.left + _INDENT * size:
        return False
    if ENUMERATOR.match(line.text) and _SENTENCE_END.search(before.text):
        return False
    if before.page != line.page and _SENTENCE_END.search(before.text):
        return False
    word = _FIRST_WORD.match(line.text)
    room = 0.0
    if word:
        room = line.glyphs[min(len(word[0].replace(" ", "")), len(line.glyphs)) - 1].x1 - line.x0
    return before.x1 + max(_NOT_FULL * size, room + 0.5 * size) >= margins.right


def join_paragraphs(lines: Sequence[Line], margins: Margins) -> list[TextParagraph]:
    """Lines to paragraphs."""
    paragraphs: list[TextParagraph] = []
    for line in lines:
        if not (paragraphs and continues(paragraphs[-1].lines[-1], line, margins)):
            paragraphs.append(TextParagraph())
        paragraphs[-1].add(line)
    return paragraphs
