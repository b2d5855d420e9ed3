"""Ruling lines to cells: pure geometry.

In: the horizontal and vertical rulings of a page. Out: :class:`Grid`, one for each group of lines that cross, with
the cells they enclose; a cell covers the slots between which no line is drawn. Lines in pieces, dashes, double
lines and missing outer borders are borne; a frame, a single column and a single row of one cell are no tables.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from loaders.readers.pdf_page import Ruling

# Points. Lines as near as SNAP are one line drawn double or a border spacing; rows and columns are wider.
_SNAP = 3.6
_SAME = 1.0
_JOIN = 5.0
_TOUCH = 4.0
_BEYOND = 8.0
_MIN_WIDTH = 60.0
_MIN_LENGTH = 6.0
_MAX_LABEL_WIDTH = 200.0
_COVERED = 0.7
_MAX_LINES = 1200
_MAX_SLOTS = 20_000
_AT, _START = attrgetter("at"), attrgetter("start")


@dataclass(slots=True)
class GridCell:
    """A cell: first row and column (0-based) and how many of each it covers."""

    row: int
    column: int
    row_span: int
    column_span: int


@dataclass(slots=True)
class Grid:
    """The cells of one ruled table; ``xs`` and ``ys`` are its column and row edges.

    ``open_top`` and ``open_bottom`` say that no line closes the table there.
    """

    xs: list[float]
    ys: list[float]
    cells: list[GridCell] = field(default_factory=list)
    slots: list[list[int]] = field(default_factory=list)
    open_top: bool = False
    open_bottom: bool = False
    loose: set[int] = field(default_factory=set)

    def index_at(self, x: float, y: float) -> int | None:
        """The cell at a point of the page."""
        column, row = bisect_right(self.xs, x) - 1, bisect_right(self.ys, y) - 1
        if not (0 <= row < len(self.ys) - 1 and 0 <= column < len(self.xs) - 1):
            return None
        return self.slots[row][column]

    def encloses(self, other: Grid) -> bool:
        """Whether another grid lies inside this one."""
        return (
            self.xs[0] <= other.xs[0] + _SNAP
            and other.xs[-1] <= self.xs[-1] + _SNAP
            and self.ys[0] <= other.ys[0] + _SNAP
            and other.ys[-1] <= self.ys[-1] + _SNAP
        )


def find_grids(horizontal: Sequence[Ruling], vertical: Sequence[Ruling]) -> list[Grid]:
    """The ruled tables of a page from top to bottom; of nested ones the inner."""
    across, down = _merged(horizontal), _merged(vertical)
    if len(across) > _MAX_LINES or len(down) > _MAX_LINES:
        return []
    grids = [grid for lines in _components(across, down) if (grid := _grid(*lines)) is not None]
    grids = [grid for grid in grids if not any(grid is not other and grid.encloses(other) for other in grids)]
    return sorted(grids, key=lambda grid: (grid.ys[0], grid.xs[0]))


def _merged(rulings: Sequence[Ruling]) -> list[Ruling]:
    """Pieces of one line put together."""
    rows: list[list[Ruling]] = []
    for ruling in sorted(rulings, key=_AT):
        if rows and ruling.at - rows[-1][0].at <= _SAME:
            rows[-1].append(ruling)
        else:
            rows.append([ruling])
    merged = []
    for row in rows:
        merged += [Ruling(row[0].at, a, b) for a, b in _intervals(row) if b - a >= _MIN_LENGTH]
    return merged


def _intervals(rulings: Sequence[Ruling]) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    for ruling in sorted(rulings, key=_START):
        if out and ruling.start <= out[-1][1] + _JOIN:
            out[-1] = (out[-1][0], max(out[-1][1], ruling.end))
        else:
            out.append((ruling.start, ruling.end))
    return out


def _components(across: list[Ruling], down: list[Ruling]) -> list[tuple[list[Ruling], list[Ruling]]]:
    """Lines that cross or touch each other, directly or through others."""
    parent = list(range(len(across) + len(down)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    reaches = [(v.at, v.start - _TOUCH, v.end + _TOUCH) for v in down]
    for i, (at, h_start, h_end) in enumerate(across):
        start, end = h_start - _TOUCH, h_end + _TOUCH
        for j, (v_at, v_start, v_end) in enumerate(reaches, len(across)):
            if start <= v_at <= end and v_start <= at <= v_end:
                parent[root(i)] = root(j)
    groups: dict[int, tuple[list[Ruling], list[Ruling]]] = {}
    for i, h in enumerate(across):
        groups.setdefault(root(i), ([], []))[0].append(h)
    for j, v in enumerate(down):
        groups.setdefault(root(len(across) + j), ([], []))[1].append(v)
    alone = [lines[1][0] for lines in groups.values() if not lines[0] and len(lines[1]) == 1]
    crossed = [lines for lines in groups.values() if lines[0] and lines[1]]
    for across_lines, down_lines in crossed:
        down_lines += _outer_lines(across_lines, down_lines, alone)
    return crossed


def _outer_lines(across: list[Ruling], down: list[Ruling], alone: list[Ruling]) -> list[Ruling]:
    """The border beside a merged cell as long as the page, which no line of the other direction meets."""
    top = min(across[0].at, *(v.start for v in down))
    bottom = max(across[-1].at, *(v.end for v in down))
    left, right = min(h.start for h in across), max(h.end for h in across)
    return [
        v
        for v in alone
        if (left - _MAX_LABEL_WIDTH <= v.at < left or right < v.at <= right + _MAX_LABEL_WIDTH)
        and abs(v.start - top) <= _BEYOND
        and abs(v.end - bottom) <= _BEYOND
    ]


_Edges = tuple[list[float], list[list[tuple[float, float]]]]


def _edges(lines: list[Ruling]) -> _Edges:
    """Where lines stand, double ones once, and which stretches of each are drawn."""
    rows: list[list[Ruling]] = []
    for line in sorted(lines, key=_AT):
        if rows and line.at - rows[-1][-1].at <= _SNAP and line.at - rows[-1][0].at <= 2 * _SNAP:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sum(r.at for r in row) / len(row) for row in rows], [_intervals(row) for row in rows]


@dataclass(frozen=True, slots=True)
class _Ends:
    """How many crossing lines run on past the first and the last edge; where any does, an edge was added there."""

    before: int
    after: int


def _with_ends(edges: _Edges, crossing: list[Ruling]) -> tuple[_Edges, _Ends]:
    """The edges with an outer one added where crossing lines run on past the last: a border that is not drawn."""
    at, drawn = list(edges[0]), list(edges[1])
    before = [r.start for r in crossing if r.start < at[0] - _BEYOND]
    after = [r.end for r in crossing if r.end > at[-1] + _BEYOND]
    if before:
        at.insert(0, min(before))
        drawn.insert(0, [])
    if after:
        at.append(max(after))
        drawn.append([])
    return (at, drawn), _Ends(len(before), len(after))


def _is_drawn(intervals: list[tuple[float, float]], start: float, end: float) -> bool:
    covered = 0.0
    for a, b in intervals:
        if b > start and a < end:
            covered += (b if b < end else end) - (a if a > start else start)
    return covered >= _COVERED * (end - start)


def _grid(across: list[Ruling], down: list[Ruling]) -> Grid | None:
    (ys, rows_drawn), row_ends = _with_ends(_edges(across), down)
    (xs, columns_drawn), column_ends = _with_ends(_edges(down), across)
    n_rows, n_columns = len(ys) - 1, len(xs) - 1
    if n_columns < 2 or n_rows < 1 or n_rows * n_columns > _MAX_SLOTS or xs[-1] - xs[0] < _MIN_WIDTH:
        return None

    def has_line_above(row: int, column: int) -> bool:
        return _is_drawn(rows_drawn[row], xs[column], xs[column + 1])

    def has_line_before(row: int, column: int) -> bool:
        return _is_drawn(columns_drawn[column], ys[row], ys[row + 1])

    grid = Grid(xs, ys, open_top=row_ends.before > 0, open_bottom=row_ends.after > 0)
    grid.slots = [[-1] * n_columns for _ in range(n_rows)]
    for region in _regions(n_rows, n_columns, has_line_above, has_line_before):
        for cell in _rectangles(region):
            for row in range(cell.row, cell.row + cell.row_span):
                for column in range(cell.column, cell.column + cell.column_span):
                    grid.slots[row][column] = len(grid.cells)
            grid.cells.append(cell)
    grid.loose = _loose_cells(grid, has_line_above, has_line_before) | _stray_cells(grid, row_ends, column_ends)
    return grid if len({cell.column for cell in grid.cells}) > 1 else None


def _regions(
    n_rows: int,
    n_columns: int,
    has_line_above: Callable[[int, int], bool],
    has_line_before: Callable[[int, int], bool],
) -> list[set[tuple[int, int]]]:
    """Slots with no line between them."""
    parent = list(range(n_rows * n_columns))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    slots = [(row, column) for row in range(n_rows) for column in range(n_columns)]
    for number, (row, column) in enumerate(slots):
        if row and not has_line_above(row, column):
            parent[root(number)] = root(number - n_columns)
        if column and not has_line_before(row, column):
            parent[root(number)] = root(number - 1)
    regions: dict[int, set[tuple[int, int]]] = {}
    for number, slot in enumerate(slots):
        regions.setdefault(root(number), set()).add(slot)
    return list(regions.values())


def _rectangles(region: set[tuple[int, int]]) -> list[GridCell]:
    """A region as cells; one that is no rectangle, because a line is missing, is cut along its rows."""
    if len(region) == 1:
        return [GridCell(row, column, 1, 1) for row, column in region]
    rows, columns = [slot[0] for slot in region], [slot[1] for slot in region]
    height, width = max(rows) - min(rows) + 1, max(columns) - min(columns) + 1
    if height * width == len(region):
        return [GridCell(min(rows), min(columns), height, width)]
    cells: list[GridCell] = []
    for row in range(min(rows), max(rows) + 1):
        runs: list[list[int]] = []
        for column in sorted(c for r, c in region if r == row):
            if runs and column == runs[-1][-1] + 1:
                runs[-1].append(column)
            else:
                runs.append([column])
        for run in runs:
            above = next(
                (c for c in cells if (c.column, c.column_span, c.row + c.row_span) == (run[0], len(run), row)), None
            )
            if above is None:
                cells.append(GridCell(row, run[0], 1, len(run)))
            else:
                above.row_span += 1
    return cells


def _loose_cells(
    grid: Grid, has_line_above: Callable[[int, int], bool], has_line_before: Callable[[int, int], bool]
) -> set[int]:
    """Cells that are open to the outside where the table is closed: the room beside a narrower part."""
    n_rows, n_columns = len(grid.ys) - 1, len(grid.xs) - 1
    sides: list[list[tuple[int, bool]]] = [
        [(grid.slots[row][0], has_line_before(row, 0)) for row in range(n_rows)],
        [(grid.slots[row][-1], has_line_before(row, n_columns)) for row in range(n_rows)],
        [(grid.slots[0][column], has_line_above(0, column)) for column in range(n_columns)],
        [(grid.slots[-1][column], has_line_above(n_rows, column)) for column in range(n_columns)],
    ]
    loose: set[int] = set()
    for side in sides:
        closed = sum(is_closed for _, is_closed in side)
        if closed * 2 >= len(side):
            loose |= {cell for cell, is_closed in side if not is_closed}
    return loose


def _stray_cells(grid: Grid, rows: _Ends, columns: _Ends) -> set[int]:
    """The cells of an outer row or column that a single line makes by running on."""
    last_row, last_column = len(grid.ys) - 2, len(grid.xs) - 2
    return {
        number
        for number, cell in enumerate(grid.cells)
        if (rows.before == 1 and cell.row + cell.row_span == 1)
        or (rows.after == 1 and cell.row == last_row)
        or (columns.before == 1 and cell.column + cell.column_span == 1)
        or (columns.after == 1 and cell.column == last_column)
    }
