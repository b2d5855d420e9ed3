"""Flattened text: what is left of a report after a converter took the layout away.

In: decoded text. Out: blocks in reading order, paragraphs (one printed line each) and tables. The notations:

``tabbed``
    A cell starts with a newline and a tab, an empty line ends the row, a line without tab goes on with the
    cell; an empty tab line is a blank cell. A cell may hold an empty line.
``tsv``
    One row a line, cells parted by tabs.
``markdown``
    One row a line, cells parted by ``|``, a rule line under the first row; or an HTML table inside the text
    (:mod:`loaders.readers.markdown`). A table that goes on after a page mark prints its headings again.
``piped_row``
    One row a line, cells parted by ``|``.
``piped_cell``
    A cell ends with ``|``, one cell a line; a lone ``|`` is a blank cell. Row ends are not marked.
``lines``
    One cell a line, or a label and its values parted by spaces, or a whole table on one line with its cells
    parted by spaces. Row ends are not marked and an empty line may be a blank cell or nothing: both are kept as
    blank cells and left to the extractor to judge.

White space and blank lines carry meaning, so nothing is stripped before a cell is cut out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from loaders.model import Block, Cell, Paragraph, Place, Table
from loaders.readers.markdown import PIPE, RULE, find_markup, read_markup, read_piped
from loaders.text.numbers import is_unit, is_value

_PIPES = re.compile(r"[|｜]")
_PAGE_NUMBER = re.compile(
    r"^\s*(?:[-—–]\s*\d{1,4}\s*[-—–]|第\s*\d{1,4}\s*页(?:\s*[/,，、]?\s*共\s*\d{1,4}\s*页)?"
    r"|Page \d{1,4}(?: of \d{1,4})?)\s*$",
    re.I,
)
# What stands between the parts of a table on two pages: page numbers and rules, comments, pictures, 续表.
_PAGE_MARK = re.compile(
    r"\s*(?:[-*_=](?:\s?[-*_=]){2,}|<!--[^<>]*-->|!\[[^\[\]]*\]\([^()]*\)|[(（]?(?:续上?表|接上表)[)）]?)\s*"
)
_BARE_NUMBER = re.compile(r"\s*\d{1,4}\s*")
_BARE_TAGS = re.compile(r"(?:\s*</?(?:html|body|div|center|p|br|span|font)\b[^<>]*>)+\s*", re.I)
_WHOLE_EMPHASIS = re.compile(r"(?P<mark>\*{1,3}|_{2,3})(?P<inner>(?:(?!(?P=mark)).)+)(?P=mark)")
_HEADING = re.compile(r"#{1,6}\s+")
_ENUMERATOR = re.compile(r"[（(][一二三四五六七八九十]{1,3}[）)]|[一二三四五六七八九十]{1,3}、|\d{1,2}[.．、](?!\d)")
_SENTENCE = re.compile(r"[。；;!！?？]")
_MAX_LABEL_LINE = 90
_MAX_CONTINUATION = 20
_MIN_PLAIN_VALUES = 2
_MIN_TABLE_WORDS = 12
_MAX_NARROW = 3
_WIDE = 3
_MAX_HEADER_LINES = 30 * _WIDE
_MAX_LINES_WITHOUT_VALUE = 24 * _WIDE


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    start: int
    number: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def is_empty(self) -> bool:
        return not self.text.strip()


def _lines(text: str, start: int, end: int, number: int) -> list[_Line]:
    lines, at = [], start
    for n, line in enumerate(text[start:end].split("\n"), number):
        lines.append(_Line(line, at, n))
        at += len(line) + 1
    return lines


def read_blocks(text: str) -> tuple[Block, ...]:
    """Cut flattened text into paragraphs and tables."""
    reader = _Reader(text)
    at = 0
    for start, end in find_markup(text):
        reader.read_lines(at, start)
        reader.read_markup(start, end)
        at = end
    reader.read_lines(at, len(text))
    return tuple(reader.blocks)


class _Reader:
    """Goes through a text once; ``words`` are the rows of the table that only page marks part from here."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.blocks: list[Block] = []
        self.tables = 0
        self.words: list[list[str]] = []

    def read_markup(self, start: int, end: int) -> None:
        """Read the HTML table at a span of the text."""
        table = read_markup(self.text, start, end, self.tables + 1)
        self.words = []
        if table is not None:
            self.tables += 1
            self.blocks.append(table)

    def read_lines(self, start: int, end: int) -> None:
        """Read a stretch of the text without HTML tables."""
        lines = _lines(self.text, start, end, self.text.count("\n", 0, start) + 1)
        at = 0
        while at < len(lines):
            line = lines[at]
            is_mark = _is_page_mark(line)
            stop = None if is_mark else self._read_markdown(lines, at) or self._read_table(lines, at)
            if stop is not None:
                at = stop
                continue
            at += 1
            if line.is_empty:
                continue
            if not is_mark and not _BARE_NUMBER.fullmatch(line.text):
                self.words = []
            if not _BARE_TAGS.fullmatch(line.text):
                self.blocks.append(_paragraph(line))

    def _read_markdown(self, lines: list[_Line], at: int) -> int | None:
        """A table with a rule under its first row or above it; where it ends."""
        if not _starts_markdown(lines, at):
            return None
        rows: list[tuple[int, int, int]] = []
        header_count, rule, first = 0, "", at
        # A converter that wraps long rows ends each with two blanks.
        is_wrapped = _ends_wrapped(lines[at]) and _is_rule(lines[min(at + 1, len(lines) - 1)])
        while at < len(lines) and (PIPE.search(lines[at].text) or (is_wrapped and _is_open(self.text, rows))):
            line = lines[at]
            if line.is_empty:
                break
            at += 1
            if is_wrapped and _is_open(self.text, rows) and not _is_rule(line):
                rows[-1] = (rows[-1][0], line.end, rows[-1][2])
            elif _is_rule(line):
                header_count, rule = (len(rows), line.text.strip()) if not rule else (header_count, rule)
            elif rows and _is_cut(self.text, rows[-1], line):
                rows[-1] = (rows[-1][0], line.end, rows[-1][2])
            else:
                rows.append((line.start, line.end, line.number))
        is_open = not rule.startswith(("|", "｜")) and not rule.endswith(("|", "｜"))
        found = read_piped(self.text, rows, header_count, is_open, self.tables + 1, self.words)
        if found is None:
            return at if at > first and not rows else None
        table, self.words = found
        self.tables += 1
        self.blocks.append(table)
        return at

    def _read_table(self, lines: list[_Line], at: int) -> int | None:
        """A table in another notation; where it ends."""
        line = lines[at]
        found: tuple[list[list[Cell]], int, str, bool] | None = None
        if ("\t" in line.text and not line.is_empty) or line.text.startswith("\t"):
            found = _read_tabs(self.text, lines, at, self.tables + 1)
        elif _PIPES.search(line.text):
            found = _read_pipes(self.text, lines, at, self.tables + 1)
        if found is None and not line.is_empty:
            found = _read_plain(lines, at, self.tables + 1)
            if found is not None:
                # Without marks, a line of words may be a label or prose: it counts as both.
                self.blocks.extend(_word_lines(lines, at, found[1]))
        if found is None:
            return None
        rows, stop, style, has_rows = found
        cells = [cell for row in rows for cell in row]
        self.words = []
        self.tables += 1
        place = Place(cells[0].place.start, cells[-1].place.end, cells[0].place.line, self.tables)
        self.blocks.append(Table(tuple(tuple(row) for row in rows), has_rows, style, place))
        return stop


def _is_page_mark(line: _Line) -> bool:
    return _PAGE_NUMBER.match(line.text) is not None or _PAGE_MARK.fullmatch(line.text) is not None


def _is_rule(line: _Line) -> bool:
    return "--" in line.text and RULE.match(line.text.strip()) is not None


def _starts_markdown(lines: list[_Line], at: int) -> bool:
    """Whether a Markdown table starts here: with its rule, or with a row above the rule."""
    following = at + 1 < len(lines) and PIPE.search(lines[at].text) is not None and _is_rule(lines[at + 1])
    return _is_rule(lines[at]) or following


def _ends_wrapped(line: _Line) -> bool:
    return line.text.endswith("  ") and PIPE.match(line.text.lstrip()) is None


def _is_open(text: str, rows: list[tuple[int, int, int]]) -> bool:
    """Whether the last row of a table whose rows end with two blanks goes on in the next line."""
    return bool(rows) and text[rows[-1][1] - 2 : rows[-1][1]] != "  "


def _is_cut(text: str, row: tuple[int, int, int], line: _Line) -> bool:
    """Whether a line goes on with the row before it, whose last cell is not closed."""
    above, below = text[row[0] : row[1]].strip(), line.text.strip()
    return above[:1] == "|" and above[-1:] != "|" and below[:1] != "|" and below[-1:] == "|"


def _cell(text: str, start: int, end: int, line: int, table: int, row: int, column: int) -> Cell:
    return Cell(text[start:end], Place(start, end, line, table, row, column))


def _read_tabs(text: str, lines: list[_Line], at: int, table: int) -> tuple[list[list[Cell]], int, str, bool] | None:
    interior = [line for line in lines[at : at + 40] if "\t" in line.text.strip(" \u00a0\u3000")[1:].rstrip("\t ")]
    leading = [line for line in lines[at : at + 40] if line.text.startswith("\t")]
    if len(interior) > len(leading) // 2:
        return _read_tsv(text, lines, at, table)
    if lines[at].text.startswith("\t"):
        return _read_tabbed(text, lines, at, table)
    return None


def _read_tsv(text: str, lines: list[_Line], at: int, table: int) -> tuple[list[list[Cell]], int, str, bool] | None:
    rows: list[list[Cell]] = []
    while at < len(lines) and ("\t" in lines[at].text or (lines[at].is_empty and _tab_follows(lines, at))):
        line = lines[at]
        at += 1
        if "\t" not in line.text:
            continue
        row, start = [], line.start
        for column, part in enumerate(line.text.split("\t"), 1):
            row.append(_cell(text, start, start + len(part), line.number, table, len(rows) + 1, column))
            start += len(part) + 1
        rows.append(row)
    return (rows, at, "tsv", True) if len(rows) > 1 else None


def _tab_follows(lines: list[_Line], at: int) -> bool:
    return at + 1 < len(lines) and "\t" in lines[at + 1].text


def _read_tabbed(text: str, lines: list[_Line], at: int, table: int) -> tuple[list[list[Cell]], int, str, bool] | None:
    rows: list[list[Cell]] = [[]]
    start, end, number = -1, -1, 0
    empty = 0

    def close() -> None:
        if start >= 0:
            rows[-1].append(_cell(text, start, end, number, table, len(rows), len(rows[-1]) + 1))

    while at < len(lines):
        line = lines[at]
        if line.text.startswith("\t"):
            close()
            if empty and rows[-1]:
                rows.append([])
            start, end, number, empty = line.start + 1, line.end, line.number, 0
        elif line.is_empty:
            empty += 1
        elif empty == 0 or (empty == 1 and _continues(text[start:end], lines, at)):
            end, empty = line.end, 0
        else:
            break
        at += 1
    close()
    return (rows, at, "tabbed", True) if any(len(row) > 1 for row in rows) or len(rows) > 1 else None


def _continues(cell: str, lines: list[_Line], at: int) -> bool:
    """Whether a line after an empty one still belongs to the open cell: short, and cells follow at once."""
    line = lines[at].text.strip()
    return (
        not is_value(cell)
        and len(line) <= _MAX_CONTINUATION
        and not _SENTENCE.search(line)
        and line[-1] not in ":："
        and at + 1 < len(lines)
        and lines[at + 1].text.startswith("\t")
    )


def _read_pipes(text: str, lines: list[_Line], at: int, table: int) -> tuple[list[list[Cell]], int, str, bool] | None:
    """A run of piped lines; one cell a line when hardly any line has a pipe inside."""
    first = at
    piped: list[_Line] = []
    loose: list[_Line] = []
    while at < len(lines):
        line = lines[at]
        if at > first and _starts_markdown(lines, at):
            break
        if _PIPES.search(line.text):
            piped.append(line)
            at += 1
            continue
        ahead = next((i for i in range(at, min(at + 3, len(lines))) if _PIPES.search(lines[i].text)), None)
        if ahead is None or any(_SENTENCE.search(other.text) for other in lines[at:ahead]):
            break
        loose.extend(other for other in lines[at:ahead] if not other.is_empty)
        at = ahead
    inside = [line for line in piped if _PIPES.search(line.text.strip()[:-1].lstrip("|｜"))]
    if len(piped) < 2:
        return None
    rows: list[list[Cell]] = []
    if len(inside) * 2 < len(piped):
        return _read_piped_cells(text, lines[first:at], table), at, "piped_cell", False
    # A pipe at the start of every line is the border of the table, not the end of a blank cell.
    has_border = all(line.text.lstrip()[:1] in ("|", "｜") for line in piped)
    # Where rows do not end with a pipe, one at the end is before a blank cell.
    is_open = not has_border and sum(line.text.rstrip()[-1:] in ("|", "｜") for line in piped) * 2 < len(piped)
    for line in lines[first:at]:
        if not _PIPES.search(line.text):
            continue
        row: list[Cell] = []
        stripped = line.text.rstrip()
        start = line.start
        end = line.start + len(stripped)
        if has_border:
            start += len(stripped) - len(stripped.lstrip())
            start += text[start] in "|｜"
        ends = [m.start() + line.start for m in _PIPES.finditer(line.text) if m.start() + line.start >= start]
        if is_open or not ends or ends[-1] != end - 1:
            ends.append(end)
        for column, stop in enumerate(ends, 1):
            row.append(_cell(text, start, stop, line.number, table, len(rows) + 1, column))
            start = stop + 1
        rows.append(row)
    return rows, at, "piped_row", True


def _read_piped_cells(text: str, lines: list[_Line], table: int) -> list[list[Cell]]:
    row: list[Cell] = []
    start: int | None = None
    for line in lines:
        for match in _PIPES.finditer(line.text):
            begin = line.start if start is None else start
            row.append(_cell(text, begin, line.start + match.start(), line.number, table, 1, len(row) + 1))
            start = line.start + match.end()
        if start is not None and not text[start : line.end].strip():
            start = None
        elif start is None and not line.is_empty:
            start = line.start
    return [row]


def _parts(line: _Line) -> Iterator[tuple[int, int]]:
    """The cells of a plain line: the whole line, or a label and the values and unit at its end."""
    words = [(m.start(), m.end()) for m in re.finditer(r"\S+", line.text)]
    if _is_table_line(line):
        yield from ((line.start + begin, line.start + end) for begin, end in words)
        return
    cut = len(words)
    while cut and (is_value(line.text[slice(*words[cut - 1])]) or is_unit(line.text[slice(*words[cut - 1])])):
        cut -= 1
    if cut == len(words) or not any(is_value(line.text[slice(*word)]) for word in words[cut:]):
        cut = len(words) - (len(words) > 1 and is_unit(line.text[slice(*words[-1])]))
    # Wide gaps and a new enumerator part cells, other single spaces belong to a label.
    begin = 0
    for n in range(1, cut + 1):
        if (
            n == cut
            or words[n][0] - words[n - 1][1] > 1
            or line.text[words[n - 1][1]] == "\u3000"
            or _ENUMERATOR.match(line.text, words[n][0])
        ):
            yield line.start + words[begin][0], line.start + words[n - 1][1]
            begin = n
    for begin, end in words[cut:]:
        yield line.start + begin, line.start + end


def _is_table_line(line: _Line) -> bool:
    """Whether a long line is a whole table: many words, a good part of them values."""
    if len(line.text) <= _MAX_LABEL_LINE:
        return False
    words = line.text.split()
    return len(words) >= _MIN_TABLE_WORDS and sum(map(is_value, words)) * 4 >= len(words)


def _weight(line: _Line) -> int:
    """How much of a line without values a line is: headings may be printed down the page, in narrow columns."""
    length = len(line.text.strip())
    return 0 if length <= 1 else 1 if length <= _MAX_NARROW else _WIDE


def _is_plain(line: _Line) -> bool:
    is_short = len(line.text.strip()) <= _MAX_LABEL_LINE and not _SENTENCE.search(line.text)
    return is_short or _is_table_line(line)


def _has_value(line: _Line) -> bool:
    return any(is_value(line.text[b - line.start : e - line.start]) for b, e in _parts(line))


def _read_plain(lines: list[_Line], at: int, table: int) -> tuple[list[list[Cell]], int, str, bool] | None:
    if not _is_plain(lines[at]) or "\t" in lines[at].text:
        return None
    stop, last_value, since = at, None, 0
    values = units = 0
    while stop < len(lines) and (lines[stop].is_empty or _is_plain(lines[stop])) and "\t" not in lines[stop].text:
        line = lines[stop]
        if _PIPES.search(line.text):
            break
        if not line.is_empty:
            parts = [line.text[b - line.start : e - line.start] for b, e in _parts(line)]
            found = sum(is_value(part) for part in parts)
            marks = sum(is_unit(part) for part in parts)
            since += _weight(line)
            if found or marks:
                last_value, since = stop, 0
                values, units = values + found, units + marks
            elif since > (_MAX_HEADER_LINES if last_value is None else _MAX_LINES_WITHOUT_VALUE):
                break
        stop += 1
    if last_value is None or values + units < _MIN_PLAIN_VALUES:
        return None
    cells: list[Cell] = []
    for line in lines[at : last_value + 1]:
        if _is_page_mark(line):
            continue
        if line.is_empty:
            cells.append(Cell(line.text, Place(line.start, line.end, line.number, table, 1, len(cells) + 1)))
        for begin, end in _parts(line):
            text = line.text[begin - line.start : end - line.start]
            cells.append(Cell(text, Place(begin, end, line.number, table, 1, len(cells) + 1)))
    stop = last_value + 1
    if _keeps_blanks(cells):
        # Then the empty lines right after the last value may be blank cells too.
        while stop < len(lines) and lines[stop].is_empty:
            line = lines[stop]
            cells.append(Cell(line.text, Place(line.start, line.end, line.number, table, 1, len(cells) + 1)))
            stop += 1
    return [cells], stop, "lines", False


def _keeps_blanks(cells: list[Cell]) -> bool:
    """Whether an empty line stands before a value: elsewhere it only parts rows or paragraphs."""
    return any(before.is_blank and is_value(cell.text) for before, cell in pairwise(cells))


def _word_lines(lines: list[_Line], at: int, stop: int) -> Iterator[Paragraph]:
    for line in lines[at:stop]:
        if not line.is_empty and not _has_value(line) and not is_unit(line.text):
            yield _paragraph(line)


def _paragraph(line: _Line) -> Paragraph:
    """A line of prose; the marks of a Markdown heading and emphasis of the whole line are not part of it."""
    marks = _HEADING.match(line.text)
    start, end = marks.end() if marks else 0, len(line.text.rstrip())
    whole = _WHOLE_EMPHASIS.fullmatch(line.text, start, end)
    start, end = whole.span("inner") if whole else (start, len(line.text))
    return Paragraph(line.text[start:end], Place(line.start + start, line.start + end, line.number))
