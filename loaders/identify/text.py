"""The text of a document as compact lines and prose, with the way back to the printed characters.

In: a :class:`Document`. Out: a :class:`Page` of lines (simplified, NFKC, no white space) and of running prose.
Every character knows where it was printed, so that a match in folded text yields verbatim evidence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import repeat

from loaders.model import Document, Evidence, Paragraph, Place, Script, Table
from loaders.text.fold import fold

_NEWLINES = "\n\r\u2028\u2029\x0b\x0c\x85"
# A prose line that was wrapped is long and stops without a full stop.
_WRAPPED_LINE = 30
_SENTENCE_END = tuple("。!?;:》)】”.")
_ENUMERATED = re.compile(
    r"^(?:[一二三四五六七八九十]{1,3}[、.,:]|\([一二三四五六七八九十\d]{1,3}\)|\d{1,2}[.、,](?!\d)|第[一二三四五六七八九十]+[章部条]|附)"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line without white space; ``gaps`` are the positions before which white space stood."""

    text: str
    source: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    gaps: frozenset[int]
    block_place: Place
    is_verbatim: bool
    is_table: bool
    follows_blank: bool
    simplified: bool

    def printed(self, start: int = 0, end: int | None = None) -> str:
        """The characters as printed."""
        end = len(self.text) if end is None else end
        return self.source[self.starts[start] : self.ends[end - 1]] if end > start else ""

    def named(self, start: int, end: int) -> str:
        """The characters in Simplified script without white space; punctuation as printed where it can be."""
        if not self.simplified:
            return self.text[start:end]
        return re.sub(r"[\s\u200b\ufeff]+", "", self.printed(start, end))

    def place(self, start: int = 0, end: int | None = None) -> Place:
        """Where the characters stand in the document."""
        block = self.block_place
        end = len(self.text) if end is None else end
        if not self.is_verbatim or end <= start:
            return block
        first, last = self.starts[start], self.ends[end - 1]
        line = block.line + len(re.findall(r"\r\n|\n|\r", self.source[:first]))
        return Place(block.start + first, block.start + last, line, block.table, block.row, block.column)


_NO_GAPS: frozenset[int] = frozenset()
_RUN = re.compile(rf"[{_NEWLINES}]|\S+")


def _lines_of(text: str, place: Place, document: Document, is_table: bool) -> list[Line]:
    is_simplified = document.script is Script.SIMPLIFIED
    offsets: Sequence[int]
    if is_simplified and unicodedata.is_normalized("NFKC", text):
        # Nothing to fold: most cells of a table.
        folded, offsets = text, range(len(text) + 1)
    else:
        whole = fold(text, document.script)
        folded, offsets = whole.text, whole.offsets
    is_verbatim = place.end - place.start == len(text) and document.text[place.start : place.end] == text
    is_one_to_one = is_simplified and len(folded) == len(text)
    if is_one_to_one and folded.isalnum():
        # One run of letters and digits: the whole line.
        starts_at, ends_at = tuple(offsets[:-1]), tuple(offsets[1:])
        return [Line(folded, text, starts_at, ends_at, _NO_GAPS, place, is_verbatim, is_table, False, is_simplified)]
    lines: list[Line] = []
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    gaps: set[int] = set()
    breaks = 0
    length = 0

    def close() -> None:
        nonlocal breaks, length
        if length:
            lines.append(
                Line(
                    "".join(chars),
                    text,
                    tuple(starts),
                    tuple(ends),
                    frozenset(gaps),
                    place,
                    is_verbatim,
                    is_table,
                    breaks > 1,
                    is_simplified,
                )
            )
            breaks = 0
            chars.clear()
            starts.clear()
            ends.clear()
            gaps.clear()
            length = 0
        breaks += 1

    before = 0
    for match in _RUN.finditer(folded):
        run, first, last = match.group(), match.start(), match.end()
        if run in _NEWLINES:
            if first > before:
                gaps.add(length)
            if not length:
                gaps.clear()
            close()
            before = last
            continue
        if first > before:
            gaps.add(length)
        before = last
        if run.isprintable():
            kept: Sequence[int] = range(first, last)
            chars.append(run)
            starts += offsets[first:last]
        else:
            kept = [at for at in range(first, last) if unicodedata.category(folded[at]) not in ("Cf", "Cc")]
            chars += [folded[at] for at in kept]
            starts += [offsets[at] for at in kept]
        if is_one_to_one and len(kept) == last - first:
            ends += offsets[first + 1 : last + 1]
        else:
            # A character that folds into several ends behind its one original.
            ends += [b if (b := offsets[at + 1]) > (a := offsets[at]) else a + 1 for at in kept]
        length += len(kept)
    if before < len(folded):
        gaps.add(length)
    close()
    return lines


def fold_lines(text: str, document: Document) -> list[Line]:
    """The lines of a text that belongs to a document but is not part of its text."""
    return _lines_of(text, Place(0, 0, 0), document, is_table=False)


@dataclass(frozen=True, slots=True)
class Prose:
    """Lines as one text, wrapped lines joined, others separated by a line feed; ``where`` is the way back."""

    text: str
    where: tuple[tuple[int, int], ...]
    lines: tuple[Line, ...]

    def _ends(self, start: int, end: int) -> tuple[int, int]:
        while start < end - 1 and self.text[start] == "\n":
            start += 1
        while end > start + 1 and self.text[end - 1] == "\n":
            end -= 1
        return start, end

    def named(self, start: int, end: int) -> str:
        """The characters in Simplified script without white space."""
        pieces: list[str] = []
        at = start
        while at < end:
            line, first = self.where[at]
            stop = at
            while stop < end and self.where[stop][0] == line and self.text[stop] != "\n":
                stop += 1
            if stop > at:
                pieces.append(self.lines[line].named(first, first + stop - at))
            at = max(stop, at + 1)
        return "".join(pieces)

    def evidence(self, attribute: str, rule: str, start: int, end: int, document: Document) -> Evidence:
        """The printed words between two positions as evidence."""
        start, end = self._ends(start, end)
        (first_line, first), (last_line, last) = self.where[start], self.where[end - 1]
        head = self.lines[first_line].place(first, first + 1)
        if first_line == last_line:
            line = self.lines[first_line]
            return Evidence(attribute, line.printed(first, last + 1), rule, line.place(first, last + 1))
        tail = self.lines[last_line].place(last, last + 1)
        place = Place(head.start, max(tail.end, head.start), head.line)
        return Evidence(attribute, document.text[place.start : place.end], rule, place)


@dataclass(frozen=True, eq=False)
class Page:
    """A document ready for identification: all lines in order, and the prose of the lines outside tables."""

    document: Document
    lines: tuple[Line, ...]
    prose: Prose

    @cached_property
    def text_lines(self) -> list[tuple[int, Line]]:
        """The lines outside tables with their index."""
        return [(i, line) for i, line in enumerate(self.lines) if not line.is_table]


def _is_count(text: str) -> bool:
    """Whether a cell is blank or a number that cannot be a year: nothing that tells who reports or when."""
    text = text.strip()
    return not text or (text.isdigit() and len(text) != 4)


@lru_cache(maxsize=2)
def read_page(document: Document) -> Page:
    """Fold a document into lines and prose."""
    lines: list[Line] = []
    for block in document.blocks:
        if isinstance(block, Paragraph):
            lines.extend(_lines_of(block.text, block.place, document, is_table=False))
        elif isinstance(block, Table):
            for row in block.rows:
                for cell in row:
                    if not _is_count(cell.text):
                        lines.extend(_lines_of(cell.text, cell.place, document, is_table=True))
    text: list[str] = []
    where: list[tuple[int, int]] = []
    previous = ""
    for index, line in enumerate(lines):
        if line.is_table:
            previous = ""
            continue
        is_wrapped = (
            len(previous) >= _WRAPPED_LINE
            and not previous.endswith(_SENTENCE_END)
            and not line.follows_blank
            and not _ENUMERATED.match(line.text)
        )
        if not is_wrapped:
            text.append("\n")
            where.append((index, 0))
        text.append(line.text)
        where.extend(zip(repeat(index), range(len(line.text)), strict=False))
        previous = line.text
    return Page(document, tuple(lines), Prose("".join(text), tuple(where), tuple(lines)))
