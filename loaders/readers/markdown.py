"""Tables inside Markdown: piped rows and HTML, as converters of PDFs and pages write them.

In: the whole text and where the rows of a table stand in it. Out: a :class:`~loaders.model.Table` whose cells are
verbatim spans of the text. Emphasis, mathematics and tags around all of a cell are left outside its span; what is
inside (``<br>``, escapes, entities, emphasis of a part) is cleaned in ``Cell.simplified``. A line break between
two numbers stays visible there, because joined they would be another number.

Converters have no merged cells and repeat the text in every slot, or leave the covered slots blank, or leave them
out. Labels that are repeated side by side become one cell, labels repeated down the page too where the row has a
further label or where no row has values. A repeated value is one only under a heading that is merged over the same
columns. Names that a converter makes up for columns without heading (``Col2``, ``Unnamed: 2``) and its
``NaN`` are blank cells.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import unescape
from importlib import import_module

from loaders.errors import DocumentRejected
from loaders.model import Cell, Place, Table, ValueStatus
from loaders.readers.build import MAX_COLUMN_SPAN, MAX_SLOTS, Slot
from loaders.text.numbers import is_unit, is_value, parse_cell

RULE = re.compile(r"^\s*[|｜]?(?:\s*:?-{2,}:?\s*[|｜])+\s*(?::?-{2,}:?)?\s*$")
PIPE = re.compile(r"(?<!\\)[|｜]")
_TAGS = r"(?:b|i|u|em|strong|font|span|div|p|center)"
_SPACE_BEFORE = re.compile(r"(?:\s|&nbsp;|&emsp;|&ensp;|&#160;|<br ?/?>)+", re.I)
_SPACE_AFTER = re.compile(r"(?:&nbsp;|&emsp;|&ensp;|&#160;|<br ?/?>)\Z", re.I)
_WRAPPED = re.compile(
    r"(?P<mark>\*{1,3}|_{2,3}|`|\$)(?P<inner>(?:(?!(?P=mark)).)*)(?P=mark)"
    rf"|<(?P<tag>{_TAGS})(?:\s[^<>]*)?>(?P<tagged>(?:(?!</?(?P=tag)\b).)*)</(?P=tag)\s*>",
    re.I | re.S,
)
_BREAK = re.compile(r"\s*(?:<br\s*/?>|\n)\s*", re.I)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)")
_TAG = re.compile(rf"</?{_TAGS}(?:\s[^<>]*)?>", re.I)
_EMPHASIS = re.compile(r"(\*{1,3}|_{2,3}|\$)(?=\S)((?:(?!\1).)+?)(?<=\S)\1", re.S)
_ESCAPE = re.compile(r"""\\([\\`*_{}\[\]()#+\-.!|~<>$%&"'/:;,=?@^])""")
_NUMBERS = re.compile(r"[\d.,，．%\-−+\s]*")
_MADE_UP = re.compile(r"Col(?P<one>\d+)|Unnamed: (?P<zero>\d+)(?:_level_\d+)?")
_NAN = ("NaN", "nan")
_MIN_LABEL = 2
_MAX_SPACE = 8
# What is longer is no cell of a form, and not worth the patterns.
_MAX_CELL = 2000
_MAX_CELLS = 50_000
_CELL = re.compile(r"<t[dh]\b[^<>]*>", re.I)
_CELL_END = re.compile(r"</?t[dhr]\b|</?table\b|</?t(?:head|body|foot)\b", re.I)
_ANY_TAG = re.compile(r"<[^<>]*>")

Line = tuple[int, int, int]
Rows = list[list[Cell]]


# ---- cells


def read_cell(text: str, place: Place) -> Cell:
    """A cell from its place: without wrapping marks, and cleaned where marks are inside."""
    start, end = _unwrapped(text, place.start, place.end)
    verbatim = text[start:end]
    cleaned = clean(verbatim)
    if not cleaned or cleaned in _NAN:
        return Cell("", replace(place, start=start, end=start))
    return Cell(verbatim, replace(place, start=start, end=end), None if cleaned == verbatim else cleaned)


def _unwrapped(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space, emphasis, mathematics and inline tags around all of it."""
    while end - start <= _MAX_CELL:
        if match := _SPACE_BEFORE.match(text, start, end):
            start = match.end()
        end = start + len(text[start:end].rstrip())
        if match := _SPACE_AFTER.search(text, max(start, end - _MAX_SPACE), end):
            end = match.start()
            continue
        wrapped = _WRAPPED.fullmatch(text, start, end)
        if wrapped is None:
            return start, end
        start, end = wrapped.span("inner" if wrapped["mark"] else "tagged")
    return start, end


def clean(text: str) -> str:
    """The text of a cell as a reader of the page sees it."""
    if len(text) > _MAX_CELL:
        return text
    is_number = _NUMBERS.fullmatch(_BREAK.sub("", text)) is not None
    # Numbers one under the other: what stays between them is seen to be no number.
    out = _BREAK.sub("<br>" if is_number else "\n", text)
    out = _TAG.sub("", _LINK.sub(r"\1", out))
    previous = None
    while out != previous:
        previous, out = out, _EMPHASIS.sub(r"\2", out)
    return unescape(_ESCAPE.sub(r"\1", out)).strip()


# ---- piped rows


def read_piped(
    text: str, lines: Sequence[Line], header_count: int, is_open: bool, table: int, before: Sequence[Sequence[str]]
) -> tuple[Table, list[list[str]]] | None:
    """A piped table and the words of its rows; null when it has no text.

    ``lines`` are start, end and line number of each row, the first ``header_count`` of them above the rule;
    ``is_open`` where the rule says that rows do not end with a pipe. ``before`` are the words of the table that
    this one goes on from after a page break: headings that are printed again are left out.

    Raises:
        DocumentRejected: ``hostile_structure`` when the table has more cells than a report can have.
    """
    if sum(text.count("|", start, end) for start, end, _ in lines) > _MAX_CELLS:
        raise DocumentRejected("hostile_structure", f"a table of the text has more than {_MAX_CELLS:,} cells")
    printed = [_split(text, line, is_open, table) for line in lines]
    for n in range(min(header_count, len(printed))):
        printed[n] = [_without_made_up(cell, column) for column, cell in enumerate(printed[n])]
    words = [[cell.plain for cell in row] for row in printed]
    first = next((n for n, row in enumerate(words) if any(row)), None)
    if first is None:
        return None
    if len({len(row) for row in (*words, *before)}) == 1:
        # Only then is it seen, without its headings, to go on from the table before.
        first += _count_repeated(words[first:], before)
    rows = [
        [replace(cell, place=replace(cell.place, row=r, column=c)) for c, cell in enumerate(row, 1)]
        for r, row in enumerate(printed[first:], 1)
    ]
    return _build(rows, table, "markdown"), words


def _split(text: str, line: Line, is_open: bool, table: int) -> list[Cell]:
    start, end, number = line
    row = text[start:end]
    start += len(row) - len(row.lstrip())
    end -= len(row) - len(row.rstrip())
    if not is_open and PIPE.match(text, start):
        start += 1
    bounds = [match.start() for match in PIPE.finditer(text, start, end)]
    if is_open or not bounds or bounds[-1] != end - 1:
        bounds.append(end)
    cells = []
    for bound in bounds:
        cells.append(read_cell(text, Place(start, bound, number, table)))
        start = bound + 1
    return cells


def _without_made_up(cell: Cell, column: int) -> Cell:
    match = _MADE_UP.fullmatch(cell.plain)
    if match and (int(match["zero"]) == column if match["zero"] else int(match["one"]) == column + 1):
        return Cell("", replace(cell.place, end=cell.place.start))
    return cell


def _count_repeated(words: Sequence[Sequence[str]], before: Sequence[Sequence[str]]) -> int:
    """How many heading rows of the table before are printed again."""
    count = 0
    for row, other in zip(words[:-1], before, strict=False):
        if list(row) != list(other) or any(is_value(word) for word in row):
            break
        count += 1
    return count


# ---- merged cells


def _build(rows: Rows, table: int, style: str) -> Table:
    """A table of cells as printed; of equally wide rows with what is repeated as one merged cell."""
    place = Place(rows[0][0].place.start, rows[-1][-1].place.end, rows[0][0].place.line, table)
    widths = {len(row) for row in rows}
    if len(rows) * max(widths) > MAX_SLOTS:
        return Table(tuple(map(tuple, rows)), True, style, place)
    grid = _merged(rows) if len(widths) == 1 else _right_aligned(rows, max(widths))
    if grid is None:
        return Table(tuple(map(tuple, rows)), True, style, place)
    own = [
        tuple(cell for c, cell in enumerate(row, 1) if cell and (cell.place.row, cell.place.column) == (r, c))
        for r, row in enumerate(grid, 1)
    ]
    return Table(tuple(own), True, style, place, tuple(map(tuple, grid)))


def _is_label(cell: Cell) -> bool:
    """Whether a cell is words: what may be repeated because it is merged, and never a value or a unit."""
    word = re.sub(r"\s+", "", cell.plain)
    return len(word) >= _MIN_LABEL and not is_unit(word) and parse_cell(word).status is ValueStatus.ILLEGIBLE


def _merged(rows: Rows) -> list[list[Cell | None]]:
    """The slots of equally wide rows; repeated labels, and values under merged headings, are one cell."""
    grid: list[list[Cell | None]] = [list(row) for row in rows]
    taken = [[False] * len(row) for row in rows]
    words = [[re.sub(r"\s+", "", cell.plain) if _is_label(cell) else "" for cell in row] for row in rows]
    has_values = [any(is_value(cell.plain) for cell in row) for row in rows]
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if taken[r][c] or not words[r][c]:
                continue
            right, down = c + 1, r + 1
            while right < len(row) and words[r][right] == words[r][c] and not taken[r][right]:
                right += 1
            while (
                down < len(rows)
                and all(word == words[r][c] for word in words[down][c:right])
                and not any(taken[down][c:right])
                and (any(words[down][right:]) or not (has_values[down] or has_values[r]))
            ):
                down += 1
            _cover(grid, taken, replace(cell, row_span=down - r, column_span=right - c))
        if has_values[r]:
            _merge_values(grid, taken, has_values, r)
    return grid


def _cover(grid: list[list[Cell | None]], taken: list[list[bool]], cell: Cell) -> None:
    top, left = (cell.place.row or 1) - 1, (cell.place.column or 1) - 1
    for row in range(top, top + cell.row_span):
        for column in range(left, left + cell.column_span):
            grid[row][column] = cell
            taken[row][column] = True


def _merge_values(grid: list[list[Cell | None]], taken: list[list[bool]], has_values: list[bool], r: int) -> None:
    above = next((n for n in range(r - 1, -1, -1) if not has_values[n]), None)
    if above is None:
        return
    for c, heading in enumerate(grid[above]):
        if heading is None or heading.place.column != c + 1 or heading.column_span == 1:
            continue
        cells = [cell for cell in grid[r][c : c + heading.column_span] if cell is not None]
        if is_value(cells[0].plain) and len({cell.plain for cell in cells}) == 1 and not any(taken[r][c : c + 2]):
            _cover(grid, taken, replace(cells[0], column_span=heading.column_span))


def _right_aligned(rows: Rows, width: int) -> list[list[Cell | None]] | None:
    """The slots of rows that leave out what a cell above covers, and have a blank cell for what one at left does.

    The values then stand at the right end of every row. Null unless all rows with values agree on that. A row that
    leaves out something and has a blank value besides is not told what its blanks are: it might lack a value.
    """
    body = [n for n, row in enumerate(rows) if any(is_value(cell.plain) for cell in row)]
    if not body:
        return None
    values = {n: [width - len(rows[n]) + c for c, cell in enumerate(rows[n]) if is_value(cell.plain)] for n in body}
    first = min(min(columns) for columns in values.values())
    short = [n for n in body if len(rows[n]) < width]
    whole = [n for n in body if len(rows[n]) == width or len(values[n]) == width - first]
    if short and not set(short) & set(whole):
        return None
    grid: list[list[Cell | None]] = []
    is_spread = False
    for n, row in enumerate(rows):
        missing = width - len(row)
        if n not in values:
            grid.append([*(replace(cell, place=replace(cell.place, column=c)) for c, cell in enumerate(row, 1))])
            grid[-1] += [None] * missing
            continue
        placed = [replace(cell, place=replace(cell.place, column=c)) for c, cell in enumerate(row, missing + 1)]
        slots: list[Cell | None] = [*[None] * missing, *placed]
        label = max((c for c in range(missing, first) if _is_label(row[c - missing])), default=None)
        if label is None or any(_is_label(cell) for cell in placed[first - missing :]):
            return None
        if n in whole:
            anchor = replace(placed[label - missing], column_span=first - label)
            is_spread = is_spread or anchor.column_span > 1
            slots[label:first] = [anchor] * (first - label)
        grid.append(slots)
    return grid if is_spread else None


# ---- HTML


def find_markup(text: str) -> Iterator[tuple[int, int]]:
    """The spans of the outermost HTML tables; one that is not closed ends with the text."""
    depth, start = 0, 0
    for match in re.finditer(r"<(/?)table\b[^<>]*>", text, re.I):
        if not match[1]:
            start = match.start() if depth == 0 else start
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                yield start, match.end()
    if depth:
        yield start, len(text)


def read_markup(text: str, start: int, end: int, table: int) -> Table | None:
    """The HTML table at a span of the text; null when there is no text in it."""
    slots: list[Slot] = import_module("loaders.readers.html").read_table_markup(text[start:end])
    slots = sorted(slots, key=lambda slot: (slot.row, slot.column))
    if not any(slot.text.strip() for slot in slots):
        return None
    height = max(slot.row for slot in slots) + 1
    slots = [
        slot._replace(
            row_span=max(1, min(slot.row_span, height - slot.row)),
            column_span=max(1, min(slot.column_span, MAX_COLUMN_SPAN)),
        )
        for slot in slots
    ]
    width = max(slot.column + slot.column_span for slot in slots)
    if max(height * width, sum(slot.row_span * slot.column_span for slot in slots)) > MAX_SLOTS:
        raise DocumentRejected("hostile_structure", f"a table spans more than {MAX_SLOTS:,} slots")
    line = text.count("\n", 0, start) + 1
    breaks = [start + match.start() for match in re.finditer("\n", text[start:end])]
    grid: list[list[Cell | None]] = [[None] * width for _ in range(height)]
    rows: Rows = [[] for _ in range(height)]
    for slot, found in zip(slots, _places(text, start, end, slots), strict=True):
        if grid[slot.row][slot.column] is not None:
            continue
        begin, stop = found or (start, end)
        at = line + bisect_left(breaks, begin)
        place = Place(begin, stop, at, table, slot.row + 1, slot.column + 1)
        cell = _markup_cell(text, slot, place, found is not None)
        rows[slot.row].append(cell)
        for row in grid[slot.row : slot.row + slot.row_span]:
            for column in range(slot.column, slot.column + slot.column_span):
                row[column] = cell if row[column] is None else row[column]
    return Table(tuple(map(tuple, rows)), True, "markdown", Place(start, end, line, table), tuple(map(tuple, grid)))


def _markup_cell(text: str, slot: Slot, place: Place, is_found: bool) -> Cell:
    """A cell as it is printed where it was found; else its own words with the place of the table."""
    start, end = _unwrapped(text, place.start, place.end)
    verbatim, read = text[start:end], clean(slot.text)
    if not read:
        return Cell("", replace(place, end=place.start), None, slot.row_span, slot.column_span)
    if not is_found:
        return Cell(read, place, None, slot.row_span, slot.column_span)
    simplified = None if read == verbatim else read
    return Cell(verbatim, replace(place, start=start, end=end), simplified, slot.row_span, slot.column_span)


def _places(text: str, start: int, end: int, slots: Sequence[Slot]) -> Sequence[tuple[int, int] | None]:
    """Where the content of each cell stands; null for one that is not found."""
    contents = []
    for match in _CELL.finditer(text, start, end):
        stop = _CELL_END.search(text, match.end(), end)
        contents.append((match.end(), stop.start() if stop else end))
    if len(contents) == len(slots):
        return contents
    words = [_words(text[begin:stop]) for begin, stop in contents]
    found: list[tuple[int, int] | None] = []
    at = 0
    for slot in slots:
        try:
            hit = words.index(_words(slot.text), at)
        except ValueError:
            found.append(None)
        else:
            found.append(contents[hit])
            at = hit + 1
    return found


def _words(text: str) -> str:
    return re.sub(r"\s+", "", unescape(_ANY_TAG.sub("", text)))
