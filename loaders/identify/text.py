"""The text of a document as compact lines and prose, with the way back to the printed characters.

In: a :class:`Document`. Out: a :class:`Page` of lines (simplified, NFKC, no white space) and of running prose.
Every character knows where it was printed, so that a match in folded text yields verbatim evidence.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, partial
from itertools import chain, groupby
from typing import NamedTuple

from loaders.model import Document, Evidence, Paragraph, Place, Script, Table
from loaders.text.fold import fold

_NEWLINES = "\n\r\u2028\u2029\x0b\x0c\x85"
# A prose line that was wrapped is long and stops without a full stop.
_WRAPPED_LINE = 30
_SENTENCE_END = tuple("。!?;:》)】”.")
_ENUMERATED = re.compile(
    r"^(?:[一二三四五六七八九十]{1,3}[、.,:]|\([一二三四五六七八九十\d]{1,3}\)|\d{1,2}[.、,](?!\d)|第[一二三四五六七八九十]+[章部条]|附)"
)


class Line(NamedTuple):
    """One printed line without white space; ``gaps`` are the positions before which white space stood.

    Character ``i`` was printed from ``starts[i]`` to ``ends[i]`` of ``source``.
    """

    text: str
    source: str
    starts: Sequence[int]
    ends: Sequence[int]
    gaps: frozenset[int]
    follows_blank: bool
    block_place: Place
    is_verbatim: bool
    is_table: bool
    simplified: bool

    def printed(self, start: int = 0, end: int | None = None) -> str:
        """The characters as printed."""
        end = len(self.text) if end is None else end
        return self.source[self.starts[start] : self.ends[end - 1]] if end > start else ""

    def named(self, start: int, end: int) -> str:
        """The characters in Simplified script without white space; punctuation as printed where it can be."""
        if not self.simplified:
            return self.text[start:end]
        return _INVISIBLE.sub("", self.printed(start, end))

    def place(self, start: int = 0, end: int | None = None) -> Place:
        """Where the characters stand in the document."""
        block = self.block_place
        end = len(self.text) if end is None else end
        if not self.is_verbatim or end <= start:
            return block
        first, last = self.starts[start], self.ends[end - 1]
        line = block.line + len(_LINE_END.findall(self.source, 0, first))
        return Place(block.start + first, block.start + last, line, block.table, block.row, block.column)


_INVISIBLE = re.compile(r"[\s\u200b\ufeff]+")
_LINE_END = re.compile(r"\r\n|\n|\r")
_NO_GAPS: frozenset[int] = frozenset()
_RUN = re.compile(rf"[{_NEWLINES}]|\S+")
_LONGEST_CACHED = 60
_MOST_CACHED = 8192
_as_line = partial(tuple.__new__, Line)


class _Print(NamedTuple):
    """A line as its source has it, wherever that stands: what :class:`Line` begins with."""

    text: str
    source: str
    starts: Sequence[int]
    ends: Sequence[int]
    gaps: frozenset[int]
    follows_blank: bool


def _lines_of(text: str, place: Place, document: Document, is_table: bool) -> list[Line]:
    prints = (_short_prints if len(text) <= _LONGEST_CACHED else _prints)(text, document.script)
    return _placed(prints, text, place, document, is_table)


def _placed(prints: Sequence[_Print], text: str, place: Place, document: Document, is_table: bool) -> list[Line]:
    """The lines of a text where they stand in a document."""
    is_verbatim = place.end - place.start == len(text) and document.text.startswith(text, place.start)
    rest = (place, is_verbatim, is_table, document.script is Script.SIMPLIFIED)
    return [_as_line((*line, *rest)) for line in prints]


def _lines_of_table(table: Table, document: Document) -> Iterator[Line]:
    """The lines of the cells; a blank cell or a number that cannot be a year tells nothing of who reports or when."""
    cells = list(chain.from_iterable(table.rows))
    texts = [cell.text for cell in cells]
    prints = map(_cell_prints(document.script).__getitem__, texts)
    for cell, text, found in zip(cells, texts, prints, strict=True):
        if found:
            yield from _placed(found, text, cell.place, document, is_table=True)


class _CellPrints(dict[str, tuple[_Print, ...]]):
    """The lines of the texts of cells, none for those that tell nothing. Only short texts are kept."""

    def __init__(self, script: Script) -> None:
        """Start with none."""
        self._script = script

    def __missing__(self, text: str) -> tuple[_Print, ...]:
        bare = text.strip()
        is_telling = bool(bare) and (not bare.isdigit() or len(bare) == 4)
        found = _prints(text, self._script) if is_telling else ()
        if len(text) <= _LONGEST_CACHED:
            if len(self) >= _MOST_CACHED:
                self.clear()
            self[text] = found
        return found


@cache
def _cell_prints(script: Script) -> _CellPrints:
    return _CellPrints(script)


def _prints(source: str, script: Script) -> tuple[_Print, ...]:
    """The lines of a text."""
    folded, offsets = fold(source, script)
    is_one_to_one = script is Script.SIMPLIFIED and len(folded) == len(source)
    lines: list[_Print] = []
    runs: list[tuple[int, int]] = []
    gaps: set[int] = set()
    breaks = length = before = 0
    for match in _RUN.finditer(folded):
        first, last = match.span()
        if folded[first] in _NEWLINES:
            if length:
                if first > before:
                    gaps.add(length)
                lines.append(_print(source, folded, offsets, runs, gaps, breaks > 1, is_one_to_one))
                runs, length, breaks = [], 0, 0
            gaps = set()
            breaks += 1
        else:
            if first > before:
                gaps.add(length)
            for start, end in ((first, last),) if folded[first:last].isprintable() else _visible(folded, first, last):
                runs.append((start, end))
                length += end - start
        before = last
    if before < len(folded):
        gaps.add(length)
    if length:
        lines.append(_print(source, folded, offsets, runs, gaps, breaks > 1, is_one_to_one))
    return tuple(lines)


_short_prints = lru_cache(maxsize=_MOST_CACHED)(_prints)


def _visible(folded: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """The parts of a run between its control and format characters."""
    for is_shown, at in groupby(range(first, last), lambda at: unicodedata.category(folded[at]) not in ("Cf", "Cc")):
        if is_shown:
            part = tuple(at)
            yield part[0], part[-1] + 1


def _print(
    source: str,
    folded: str,
    offsets: Sequence[int],
    runs: list[tuple[int, int]],
    gaps: set[int],
    follows_blank: bool,
    is_one_to_one: bool,
) -> _Print:
    starts: Sequence[int]
    ends: Sequence[int]
    if len(runs) == 1:
        ((first, last),) = runs
        text, starts, ends = folded[first:last], offsets[first:last], offsets[first + 1 : last + 1]
    else:
        text = "".join([folded[first:last] for first, last in runs])
        starts = [at for first, last in runs for at in offsets[first:last]]
        ends = [at for first, last in runs for at in offsets[first + 1 : last + 1]]
    if not is_one_to_one:
        # A character that folds into several ends behind its one original.
        ends = [max(start + 1, end) for start, end in zip(starts, ends, strict=True)]
    return _Print(text, source, starts, ends, frozenset(gaps) if gaps else _NO_GAPS, follows_blank)


def fold_lines(text: str, document: Document) -> list[Line]:
    """The lines of a text that belongs to a document but is not part of its text."""
    return _lines_of(text, Place(0, 0, 0), document, is_table=False)


@dataclass(frozen=True, slots=True)
class Prose:
    """Lines as one text, wrapped lines joined, others separated by a line feed.

    ``lines`` are those of the page; the ones in the prose are ``indexes``, and ``starts`` is where each begins in the
    text, its line feed included.
    """

    text: str
    starts: tuple[int, ...]
    indexes: tuple[int, ...]
    lines: tuple[Line, ...]

    def where(self, at: int) -> tuple[int, int]:
        """The index of the line a character stands on, and its position there; a line feed has that behind it."""
        number = bisect_right(self.starts, at) - 1
        start = self.starts[number]
        return self.indexes[number], max(0, at - start - (self.text[start] == "\n"))

    def _ends(self, start: int, end: int) -> tuple[int, int]:
        while start < end - 1 and self.text[start] == "\n":
            start += 1
        while end > start + 1 and self.text[end - 1] == "\n":
            end -= 1
        return start, end

    def evidence(self, attribute: str, rule: str, start: int, end: int, document: Document) -> Evidence:
        """The printed words between two positions as evidence."""
        start, end = self._ends(start, end)
        (first_line, first), (last_line, last) = self.where(start), self.where(end - 1)
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


@lru_cache(maxsize=2)
def read_page(document: Document) -> Page:
    """Fold a document into lines and prose."""
    lines: list[Line] = []
    for block in document.blocks:
        if isinstance(block, Paragraph):
            lines += _lines_of(block.text, block.place, document, is_table=False)
        elif isinstance(block, Table):
            lines += _lines_of_table(block, document)
    found = tuple(lines)
    return Page(document, found, _join(found))


def _join(lines: tuple[Line, ...]) -> Prose:
    """The lines outside tables as prose."""
    text: list[str] = []
    starts: list[int] = []
    indexes: list[int] = []
    length = 0
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
        starts.append(length)
        indexes.append(index)
        if not is_wrapped:
            text.append("\n")
            length += 1
        text.append(line.text)
        length += len(line.text)
        previous = line.text
    return Prose("".join(text), tuple(starts), tuple(indexes), lines)
