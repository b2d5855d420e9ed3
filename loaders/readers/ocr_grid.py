"""Ruling lines of a level page to grids of cells.

In: the ink of a page. Out: the tables that its ruling lines draw, each with the edges of its columns and rows and
with its cells; a piece of line that is not there merges the cells on both sides of it. Knows nothing of text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from loaders.readers.ocr_image import Array, Pixels, as_pixels

# Lengths in heights of the page's characters.
_SHORTEST_ROW, _SHORTEST_COLUMN = 1.3, 2.0
# A line that ends at no other line is a stroke of a character, unless it is as long as this.
_LONGEST_STROKE_DOWN, _LONGEST_STROKE_ACROSS = 4.0, 10.0
_THICKEST_LINE = 0.8
# Gaps in lines that are bridged before they are measured: on a clean page hardly any, for strokes stand close too.
_GAP, _GAP_IN_NOISE = 3, 7
# Share of a border between two slots that must be ruled.
_RULED = 0.75
Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell of a ruled table: its slot, its spans and the box between its lines."""

    row: int
    column: int
    row_span: int
    column_span: int
    box: Box


@dataclass(frozen=True, slots=True)
class RuledGrid:
    """A ruled table: where its columns and rows begin and end, and its cells in reading order."""

    column_edges: tuple[int, ...]
    row_edges: tuple[int, ...]
    cells: tuple[GridCell, ...]

    @property
    def box(self) -> Box:
        """The box of the whole table."""
        return self.column_edges[0], self.row_edges[0], self.column_edges[-1], self.row_edges[-1]


def find_grids(ink: Pixels, glyph: float, *, is_noisy: bool = False) -> tuple[list[RuledGrid], Pixels]:
    """The ruled tables of a page from top to bottom, and the lines that draw them (255 where a line is)."""
    gap = _GAP_IN_NOISE if is_noisy else _GAP
    across = _lines(ink, round(_SHORTEST_COLUMN * glyph), glyph, gap, horizontal=True)
    down = _lines(ink, round(_SHORTEST_ROW * glyph), glyph, gap, horizontal=False)
    across = _without_strokes(across, down, glyph, horizontal=True)
    down = _without_strokes(down, across, glyph, horizontal=False)
    across = _without_strokes(across, down, glyph, horizontal=True)
    network = cv2.dilate(cv2.bitwise_or(across, down), np.ones((7, 7), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(network, connectivity=8)
    grids = []
    lines = np.zeros_like(ink)
    for label in range(1, count):
        left, top, width, height = (int(stats[label, k]) for k in range(4))
        if width < 3 * glyph or height < 2 * glyph:
            continue
        view = (slice(top, top + height), slice(left, left + width))
        mask = np.where(labels[view] == label, np.uint8(255), np.uint8(0))
        part_across = as_pixels(cv2.bitwise_and(across[view], mask))
        part_down = as_pixels(cv2.bitwise_and(down[view], mask))
        grid = _grid(part_across, part_down, left, top, glyph)
        if grid is not None:
            grids.append(grid)
            lines[view] |= part_across | part_down
    grids.sort(key=lambda g: (g.row_edges[0], g.column_edges[0]))
    return [g for g in grids if not any(_inside(g.box, other.box) for other in grids if other is not g)], lines


def _inside(inner: Box, outer: Box) -> bool:
    return inner[0] > outer[0] and inner[1] > outer[1] and inner[2] < outer[2] and inner[3] < outer[3]


def _lines(ink: Pixels, length: int, glyph: float, gap: int, *, horizontal: bool) -> Pixels:
    """Straight runs of ink of at least a length and no thicker than a line; small gaps in them are bridged."""

    def bar(size: int) -> Pixels:
        return np.ones((1, size) if horizontal else (size, 1), np.uint8)

    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, bar(gap))
    runs = cv2.morphologyEx(closed, cv2.MORPH_OPEN, bar(max(12, length)))
    runs = cv2.morphologyEx(runs, cv2.MORPH_CLOSE, bar(max(5, round(glyph * 1.2))))
    thick = max(6, round(glyph * _THICKEST_LINE))
    across = np.ones((thick, 1) if horizontal else (1, thick), np.uint8)
    solid = cv2.morphologyEx(runs, cv2.MORPH_OPEN, across)
    return as_pixels(cv2.subtract(runs, solid))


def _without_strokes(lines: Pixels, others: Pixels, glyph: float, *, horizontal: bool) -> Pixels:
    """Lines of which both ends stand at a line of the other direction, and those too long for a stroke."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(lines, connectivity=8)
    near = max(3, round(glyph * 0.15))
    reach = cv2.dilate(others, np.ones((2 * near + 1, 2 * near + 1), np.uint8))
    longest = glyph * (_LONGEST_STROKE_ACROSS if horizontal else _LONGEST_STROKE_DOWN)
    kept = np.zeros(count, bool)
    for n in range(1, count):
        left, top, width, height = (int(v) for v in stats[n, :4])
        if horizontal:
            ends = reach[top : top + height, left], reach[top : top + height, left + width - 1]
        else:
            ends = reach[top, left : left + width], reach[top + height - 1, left : left + width]
        kept[n] = max(width, height) >= longest or all(end.any() for end in ends)
    return np.where(kept[labels], np.uint8(255), np.uint8(0))


def _grid(across: Pixels, down: Pixels, left: int, top: int, glyph: float) -> RuledGrid | None:
    near = max(4, round(glyph * 0.35))
    xs = _positions(down, near, vertical=True)
    ys = _positions(across, near, vertical=False)
    # A table without its outer lines ends where the others do.
    xs = _with_ends(xs, np.flatnonzero(across.any(axis=0)), glyph)
    ys = _with_ends(ys, np.flatnonzero(down.any(axis=1)), glyph)
    if len(xs) < 2 or len(ys) < 2 or (len(xs) == 2 and len(ys) == 2):
        return None
    owners = _owners(across, down, xs, ys, near)
    xs, ys, owners = _without_unused(xs, ys, owners)
    if owners.max() == 0:
        return None
    cells = []
    for owner in range(int(owners.max()) + 1):
        rows, columns = np.nonzero(owners == owner)
        r0, r1, c0, c1 = int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1
        box = (xs[c0] + left, ys[r0] + top, xs[c1] + left, ys[r1] + top)
        cells.append(GridCell(r0, c0, r1 - r0, c1 - c0, box))
    cells.sort(key=lambda cell: (cell.row, cell.column))
    return RuledGrid(tuple(x + left for x in xs), tuple(y + top for y in ys), tuple(cells))


def _positions(mask: Pixels, near: int, *, vertical: bool) -> list[int]:
    """Where the lines stand: the middles of the runs of ink, those close together as one."""
    _, _, stats, centroids = cv2.connectedComponentsWithStats(mask, connectivity=8)
    lengths = stats[1:, cv2.CC_STAT_HEIGHT if vertical else cv2.CC_STAT_WIDTH]
    middles = centroids[1:, 0 if vertical else 1]
    order = np.argsort(middles)
    groups: list[list[int]] = []
    for n in order:
        if groups and middles[n] - middles[groups[-1][-1]] <= near:
            groups[-1].append(int(n))
        else:
            groups.append([int(n)])
    return [round(float(np.average(middles[g], weights=lengths[g]))) for g in groups]


def _with_ends(positions: list[int], reached: Array, glyph: float) -> list[int]:
    if not len(reached):
        return positions
    first, last = int(reached[0]), int(reached[-1])
    if not positions or positions[0] - first > glyph:
        positions = [first, *positions]
    if last - positions[-1] > glyph:
        positions = [*positions, last]
    return positions


def _owners(across: Pixels, down: Pixels, xs: Sequence[int], ys: Sequence[int], near: int) -> Array:
    """For each slot the number of the cell that it belongs to; cells are rectangles."""
    rows, columns = len(ys) - 1, len(xs) - 1
    parent = list(range(rows * columns))

    def find(slot: int) -> int:
        while parent[slot] != slot:
            parent[slot] = parent[parent[slot]]
            slot = parent[slot]
        return slot

    for r in range(rows):
        for c in range(columns):
            if c + 1 < columns and not _is_ruled(down, (xs[c + 1], ys[r], ys[r + 1]), near, vertical=True):
                parent[find(r * columns + c + 1)] = find(r * columns + c)
            if r + 1 < rows and not _is_ruled(across, (ys[r + 1], xs[c], xs[c + 1]), near, vertical=False):
                parent[find((r + 1) * columns + c)] = find(r * columns + c)
    owners = np.array([find(slot) for slot in range(rows * columns)]).reshape(rows, columns)
    changed = True
    while changed:
        changed = False
        for owner in np.unique(owners):
            where = np.nonzero(owners == owner)
            if not len(where[0]):
                continue
            block = owners[where[0].min() : where[0].max() + 1, where[1].min() : where[1].max() + 1]
            others = np.unique(block)
            if len(others) > 1:
                owners[np.isin(owners, others)] = owner
                changed = True
    return np.unique(owners, return_inverse=True)[1].reshape(rows, columns)


def _is_ruled(mask: Pixels, line: tuple[int, int, int], near: int, *, vertical: bool) -> bool:
    at, start, stop = line
    inset = min(4, max(0, (stop - start) // 6))
    beside, along = slice(max(0, at - near), at + near + 1), slice(start + inset, stop - inset)
    ruled = mask[along, beside].any(axis=1) if vertical else mask[beside, along].any(axis=0)
    return bool(ruled.size and ruled.mean() >= _RULED)


def _without_unused(xs: list[int], ys: list[int], owners: Array) -> tuple[list[int], list[int], Array]:
    """Edges at which no cell begins are no edges of the table."""
    used_rows = [r for r in range(len(ys) - 1) if r == 0 or (owners[r] != owners[r - 1]).any()]
    used_columns = [c for c in range(len(xs) - 1) if c == 0 or (owners[:, c] != owners[:, c - 1]).any()]
    kept = owners[np.ix_(used_rows, used_columns)]
    return [*(xs[c] for c in used_columns), xs[-1]], [*(ys[r] for r in used_rows), ys[-1]], kept
