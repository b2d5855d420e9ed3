"""Flattened text: what is left of a report after a converter took the layout away.

In: decoded text. Out: blocks in reading order, paragraphs (one printed line each) and tables. The notations:

``tabbed``
    A cell starts with a newline and a tab, an empty line ends the row, a line without tab goes on with the
    cell; an empty tab line is a blank cell. A cell may hold an empty line.
``tsv``
    One row a line, cells parted by tabs.
``markdown``, ``piped_row``
    One row a line, cells parted by ``|``; a Markdown rule line is no row.
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

from loaders.model import Block, Cell, Paragraph, Place, Table
from loaders.text.numbers import is_unit, is_value

_PIPES = re.compile(r"[|｜]")
_MARKDOWN_RULE = re.compile(r"^\s*[|｜]?(?:\s*:?-{2,}:?\s*[|｜])+\s*(?::?-{2,}:?)?\s*$")
_PAGE_NUMBER = re.compile(r"^\s*[-—–]\s*\d{1,4}\s*[-—–]\s*$")
_HEADING = re.compile(r"#{1,6}\s+")
_ENUMERATOR = re.compile(r"[（(][一二三四五六七八九十]{1,3}[）)]|[一二三四五六七八九十]{1,3}、|\d{1,2}[.．、](?!\d)")
_SENTENCE = re.compile(r"[。；;!！?？]")
_MAX_LABEL_LINE = 90
_MAX_CONTINUATION = 20
_MIN_PLAIN_VALUES = 2
_MIN_TABLE_WORDS = 12
_MAX_HEADER_LINES = 30
_MAX_LINES_WITHOUT_VALUE = 24


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


def _lines(text: str) -> list[_Line]:
    lines, at = [], 0
    for number, line in enumerate(text.split("\n"), 1):
        lines.append(_Line(line, at, number))
        at += len(line) + 1
    return lines


def read_blocks(text: str) -> tuple[Block, ...]:
    """Cut flattened text into paragraphs and tables."""
    lines = _lines(text)
    blocks: list[Block] = []
    tables = 0
    at = 0
    while at < len(lines):
        line = lines[at]
        found: tuple[list[list[Cell]], int, str, bool] | None = None
        if ("\t" in line.text and not line.is_empty) or line.text.startswith("\t"):
            found = _read_tabs(text, lines, at, tables + 1)
        elif _PIPES.search(line.text):
            found = _read_pipes(text, lines, at, tables + 1)
        if found is None and not line.is_empty:
            found = _read_plain(lines, at, tables + 1)
            if found is not None:
                # Without marks, a line of words may be a label or prose: it counts as both.
                blocks.extend(_word_lines(lines, at, found[1]))
        if found is None:
            if not line.is_empty:
                blocks.append(_paragraph(line))
            at += 1
            continue
        rows, at, style, has_rows = found
        cells = [cell for row in rows for cell in row]
        tables += 1
        blocks.append(
            Table(
                tuple(tuple(row) for row in rows),
                has_rows,
                style,
                Place(cells[0].place.start, cells[-1].place.end, cells[0].place.line, tables),
            )
        )
    return tuple(blocks)


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
    style = "piped_row"
    # A pipe at the start of every line is the border of the table, not the end of a blank cell.
    has_border = all(line.text.lstrip()[:1] in ("|", "｜") for line in piped)
    for line in lines[first:at]:
        if _MARKDOWN_RULE.match(line.text):
            style = "markdown"
            continue
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
        if not ends or ends[-1] != end - 1:
            ends.append(end)
        for column, stop in enumerate(ends, 1):
            row.append(_cell(text, start, stop, line.number, table, len(rows) + 1, column))
            start = stop + 1
        rows.append(row)
    return rows, at, style, True


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
            # Headings printed down the page have one character a line.
            since += len(line.text.strip()) > 1
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
        if _PAGE_NUMBER.match(line.text):
            continue
        if line.is_empty:
            cells.append(Cell(line.text, Place(line.start, line.end, line.number, table, 1, len(cells) + 1)))
        for begin, end in _parts(line):
            text = line.text[begin - line.start : end - line.start]
            cells.append(Cell(text, Place(begin, end, line.number, table, 1, len(cells) + 1)))
    # Empty lines right after the last value may be blank cells.
    stop = last_value + 1
    while stop < len(lines) and lines[stop].is_empty:
        line = lines[stop]
        cells.append(Cell(line.text, Place(line.start, line.end, line.number, table, 1, len(cells) + 1)))
        stop += 1
    return [cells], stop, "lines", False


def _word_lines(lines: list[_Line], at: int, stop: int) -> Iterator[Paragraph]:
    for line in lines[at:stop]:
        if not line.is_empty and not _has_value(line) and not is_unit(line.text):
            yield _paragraph(line)


def _paragraph(line: _Line) -> Paragraph:
    """A line of prose; the marks of a Markdown heading are not part of it."""
    marks = _HEADING.match(line.text)
    skip = marks.end() if marks else 0
    return Paragraph(line.text[skip:], Place(line.start + skip, line.end, line.number))
