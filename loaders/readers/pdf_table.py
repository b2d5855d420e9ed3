"""Grids with their text to tables, and the parts of a table on several pages to one table.

In: the grids of a page and its glyphs. Out: :class:`TablePart`; parts that follow each other over a page break with
the same outer edges become one. A heading printed again on the new page is dropped. A row cut by the page is put
together only where neither page closes it with a line; a row of words that may be the rest of the row above, or a
heading, stays a row.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from loaders.readers.build import Slot
from loaders.readers.pdf_grid import Grid
from loaders.readers.pdf_page import Glyph, PageContent
from loaders.readers.pdf_text import ENUMERATOR, cell_text, ends_full, is_rest_of_number
from loaders.text.numbers import is_value

_SAME_EDGE = 4.0
_SAME_WIDTH = 6.0
_MIN_SHARED_EDGES = 4
_STRADDLES = 0.15
_RUN_GAP = 0.2
_BODY = 0.35


@dataclass(slots=True)
class TablePart:
    """A table, or what one page shows of it.

    ``full`` are cells of its last row with a number that may go on in a further line.
    """

    xs: list[float]
    rows: int
    slots: list[Slot]
    page: int
    top: float
    bottom: float
    open_top: bool
    open_bottom: bool
    full: list[Slot] = field(default_factory=list)

    def row(self, number: int) -> list[Slot]:
        """The cells that start in a row."""
        return sorted((slot for slot in self.slots if slot.row == number), key=lambda slot: slot.column)


def fill_grids(content: PageContent, grids: list[Grid]) -> tuple[list[TablePart], list[Glyph]]:
    """The tables of a page with their text, and the characters outside of them."""
    rest: list[Glyph] = []
    filled: list[dict[int, list[Glyph]]] = [{} for _ in grids]
    straddling: list[tuple[int, Glyph]] = []
    spans = [(grid.ys[0], grid.ys[-1], grid) for grid in grids]
    for glyph in content.glyphs:
        x, y = _point(glyph)
        for number, (top, bottom, grid) in enumerate(spans):
            if not top <= y <= bottom:
                continue
            cell = grid.index_at(x, y)
            if cell is not None:
                filled[number].setdefault(cell, []).append(glyph)
                if not glyph.turn and _straddles(grid, cell, glyph):
                    straddling.append((number, glyph))
                break
        else:
            rest.append(glyph)
    for number, glyph in straddling:
        _reunite(grids[number], filled[number], glyph)
    parts = []
    for grid, cells in zip(grids, filled, strict=True):
        part = _part(grid, cells, content.number)
        if part is None:
            rest += [glyph for glyphs in cells.values() for glyph in glyphs]
        else:
            parts.append(part)
    return parts, rest


def _point(glyph: Glyph) -> tuple[float, float]:
    """The body of a character: a little above its baseline, so that low and high marks stay with their line."""
    left, top, right, bottom = glyph.box
    if glyph.turn:
        return (left + right) / 2, (top + bottom) / 2
    size = glyph.size
    return (left + right) / 2, glyph.y - _BODY * (size if size < 40.0 else 40.0)


def _straddles(grid: Grid, cell: int, glyph: Glyph) -> bool:
    place = grid.cells[cell]
    spare = _STRADDLES * (glyph.x1 - glyph.x0)
    left, right = grid.xs[place.column], grid.xs[place.column + place.column_span]
    return glyph.x0 < left - spare or glyph.x1 > right + spare


def _reunite(grid: Grid, cells: dict[int, list[Glyph]], glyph: Glyph) -> None:
    """A run of characters too wide for its cell belongs to the cell in which its middle is."""
    y = _point(glyph)[1]
    near = sorted(
        (g for glyphs in cells.values() for g in glyphs if not g.turn and abs(g.y - glyph.y) < _RUN_GAP * glyph.size),
        key=lambda g: g.x0,
    )
    at = near.index(glyph)
    first = last = at
    while first > 0 and near[first].x0 - near[first - 1].x1 < _RUN_GAP * glyph.size:
        first -= 1
    while last + 1 < len(near) and near[last + 1].x0 - near[last].x1 < _RUN_GAP * glyph.size:
        last += 1
    run = near[first : last + 1]
    home = grid.index_at((run[0].x0 + run[-1].x1) / 2, y)
    if home is None:
        return
    for glyphs in cells.values():
        glyphs[:] = [g for g in glyphs if g not in run]
    cells.setdefault(home, []).extend(run)


def _part(grid: Grid, cells: dict[int, list[Glyph]], page: int) -> TablePart | None:
    slots, full = [], []
    rows = len(grid.ys) - 1
    for number, place in enumerate(grid.cells):
        width = grid.xs[place.column + place.column_span] - grid.xs[place.column]
        glyphs = cells.get(number, ())
        text = cell_text(glyphs, width)
        if number in grid.loose and not text:
            continue
        slots.append(Slot(text, place.row, place.column, place.row_span, place.column_span, page))
        if place.row + place.row_span == rows and ends_full(glyphs, width):
            full.append(slots[-1])
    if len({slot.column for slot in slots}) < 2 or not any(slot.text for slot in slots):
        return None
    return TablePart(grid.xs, rows, slots, page, grid.ys[0], grid.ys[-1], grid.open_top, grid.open_bottom, full=full)


# ---- over page breaks


def joined(upper: TablePart, lower: TablePart) -> TablePart | None:
    """Two parts as one table; null when their edges differ."""
    edges = _common_edges(upper.xs, lower.xs)
    if edges is None:
        return None
    xs, upper_columns, lower_columns = edges
    above = [_moved(slot, upper_columns, 0) for slot in upper.slots]
    table = replace(upper, xs=xs, slots=above, open_bottom=lower.open_bottom)
    table.full = [_moved(slot, upper_columns, 0) for slot in upper.full]
    part = replace(lower, xs=xs, slots=[_moved(slot, lower_columns, 0) for slot in lower.slots])
    skipped = _repeated_rows(table, part)
    is_cut = upper.open_bottom and lower.open_top and not (upper.open_top and lower.open_bottom)
    overlap = 1 if not skipped and (is_cut or _cuts_number(table, part)) and _sew(table, part) else 0
    shift = table.rows - skipped - overlap
    table.slots += [
        slot._replace(row=slot.row + shift) for slot in part.slots if slot.row >= skipped and slot.row >= overlap
    ]
    table.rows = part.rows + shift
    table.full = [slot._replace(row=slot.row + shift) for slot in part.full]
    return table


def _common_edges(upper: list[float], lower: list[float]) -> tuple[list[float], list[int], list[int]] | None:
    """The columns of both, and where those of each are among them."""
    if abs((upper[-1] - upper[0]) - (lower[-1] - lower[0])) > _SAME_WIDTH:
        return _edges_without_border(upper, lower)
    shift = upper[0] - lower[0]
    xs = list(upper)
    found = []
    for x in lower:
        near = next((a for a in upper if abs(a - x - shift) <= _SAME_EDGE), None)
        if near is None and x == lower[-1]:
            near = upper[-1]
        if near is None:
            near = x + shift
            xs.append(near)
        found.append(near)
    inner_matched = sum(x in upper for x in found[1:-1])
    if inner_matched * 2 < min(len(upper), len(lower)) - 2:
        return None
    xs.sort()
    return xs, [xs.index(x) for x in upper], [xs.index(x) for x in found]


def _edges_without_border(upper: list[float], lower: list[float]) -> tuple[list[float], list[int], list[int]] | None:
    """The columns where one page lacks the outer ones, because nothing is drawn beside a long merged cell."""
    wide, narrow = (upper, lower) if len(upper) > len(lower) else (lower, upper)
    found = [next((n for n, a in enumerate(wide) if abs(a - x) <= _SAME_EDGE), -1) for x in narrow]
    if len(narrow) < _MIN_SHARED_EDGES or found != list(range(len(wide) - len(narrow), len(wide))):
        return None
    columns = list(range(len(wide)))
    return (wide, columns, found) if wide is upper else (wide, found, columns)


def _moved(slot: Slot, columns: list[int], rows: int) -> Slot:
    first, last = columns[slot.column], columns[slot.column + slot.column_span]
    return slot._replace(row=slot.row + rows, column=first, column_span=max(1, last - first))


def _repeated_rows(table: TablePart, part: TablePart) -> int:
    """How many first rows of the new page are the heading of the table printed again."""

    def signature(slots: list[Slot]) -> list[tuple[int, int, int, str]]:
        return [(s.column, s.column_span, s.row_span, "".join(s.text.split())) for s in slots]

    count = 0
    for number in range(min(table.rows, part.rows - 1)):
        row = part.row(number)
        if any(is_value(slot.text) for slot in row) or signature(row) != signature(table.row(number)):
            break
        if row and all(slot.row + slot.row_span <= number + 1 for slot in part.slots if slot.row <= number):
            count = number + 1
    return count if any(slot.text for n in range(count) for slot in part.row(n)) else 0


def _cuts_number(table: TablePart, part: TablePart) -> bool:
    """Whether the page cuts a row within wrapped numbers: all values below go on from full ones above.

    A label that starts with a number of its own starts a row.
    """
    full = {(slot.column, slot.column_span) for slot in table.full}
    values = [slot for slot in part.row(0) if is_value(slot.text)]
    labels = [slot for slot in part.row(0) if slot.text and not is_value(slot.text)]
    return (
        bool(values)
        and all((slot.column, slot.column_span) in full and is_rest_of_number(slot.text) for slot in values)
        and not any(ENUMERATOR.match(slot.text) for slot in labels)
    )


def _sew(table: TablePart, part: TablePart) -> bool:
    """Put the two pieces of a row that no line closes together; not where both have a value in one column."""
    ends = {(slot.column, slot.column_span): slot for slot in table.slots if slot.row + slot.row_span == table.rows}
    first = part.row(0)
    pairs = [(ends.get((slot.column, slot.column_span)), slot) for slot in first]
    if any(upper is None for upper, _ in pairs) or len(pairs) != len(ends):
        return False
    sewn = []
    for upper, lower in pairs:
        if upper is None:
            return False
        goes_on = upper in table.full and is_rest_of_number(lower.text)
        if upper.text and lower.text and (is_value(upper.text) or is_value(lower.text)) and not goes_on:
            return False
        text = ("" if goes_on else "\n").join(text for text in (upper.text, lower.text) if text)
        page = upper.page if upper.text or not lower.text else lower.page
        sewn.append((upper, upper._replace(text=text, row_span=upper.row_span + lower.row_span - 1, page=page)))
    for upper, whole in sewn:
        table.slots[table.slots.index(upper)] = whole
    return True
