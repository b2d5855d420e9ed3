"""The layout of a printed table, before any row of it is read.

In: tables as the readers give them. Out: the same tables with every slot laid open, so that a column is a position
in each row, tables that a page break cut in two put together, and rows that it cut stitched. Only words of the
forms are used to tell whether two pieces belong together: a piece that does not complete a label stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from loaders.model import Block, Cell, Paragraph, Place, Table
from loaders.text.labels import compact, read_label
from loaders.text.numbers import is_value
from loaders.vocabulary import load_vocabulary

_PAGE_FURNITURE = re.compile(
    r"^\W*(?:第?\s*\d{1,4}\s*页?(?:\s*[/,，]?\s*共?\s*\d{1,4}\s*页?)?|续表|接上表|page\s*\d+)?\W*$", re.I
)
_MAX_BETWEEN = 3
_HEADING_ROWS = 6
_STRIP_HEADS = ("统计指标", "指标名称")


def lay_open(table: Table) -> Table:
    """The table with one cell a slot: slots under a merged cell and beyond a row's end are blank and covered."""
    if table.grid is None:
        return table
    rows = []
    for r, row in enumerate(table.grid, 1):
        cells = []
        for c, cell in enumerate(row, 1):
            if cell is None:
                cells.append(_covered(Place(table.place.end, table.place.end, table.place.line, table.place.table, r)))
            elif (cell.place.row, cell.place.column) == (r, c):
                cells.append(cell)
            else:
                at = cell.place
                cells.append(_covered(Place(at.start, at.start, at.line, at.table, at.row, at.column, at.page)))
        rows.append(tuple(cells))
    return replace(table, rows=tuple(rows), grid=None)


def _covered(place: Place) -> Cell:
    return Cell("", place, None, 0, 0)


def unfold(table: Table) -> Table:
    """A laid-open statistics table printed in strips side by side, each under the same headings, as one strip.

    Only where one row holds the same headings again and again, and no cell below it reaches over a strip's edge.
    """
    for at, row in enumerate(table.rows[:_HEADING_ROWS]):
        words = [compact(cell.plain) for cell in row]
        starts = [n for n, word in enumerate(words) if word in _STRIP_HEADS]
        if len(starts) < 2:
            continue
        width = starts[1]
        strips = [words[n : n + width] for n in range(0, len(words), width)]
        body = table.rows[at:]
        if len(words) % width or any(strip != strips[0] for strip in strips) or "" in strips[0]:
            return table
        if any(
            len(row) != len(words) or any(_reaches_over(cell, n, width) for n, cell in enumerate(row)) for row in body
        ):
            return table
        unfolded = tuple(row[n : n + width] for n in range(0, len(words), width) for row in body)
        titles = tuple(row[:width] for row in table.rows[:at])
        return replace(table, rows=titles + unfolded)
    return table


def _reaches_over(cell: Cell, column: int, width: int) -> bool:
    return not cell.is_covered and column % width + cell.column_span > width


def own_cells(row: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cells of a laid-open row that are printed there."""
    return tuple(cell for cell in row if not cell.is_covered)


def join_continued(blocks: Sequence[Block]) -> Iterator[tuple[int, Table]]:
    """The tables with their index; one that goes on after a page break is one table with its continuation."""
    held: tuple[int, Table] | None = None
    between = 0
    for index, block in enumerate(blocks):
        if isinstance(block, Paragraph):
            between = between + 1 if _PAGE_FURNITURE.match(block.text) else _MAX_BETWEEN + 1
            continue
        if held is not None and between <= _MAX_BETWEEN and _goes_on(held[1], block):
            held = (held[0], _joined(held[1], block))
        else:
            if held is not None:
                yield held
            held = (index, block)
        between = 0
    if held is not None:
        yield held


def _width(table: Table) -> int | None:
    """How wide all rows of a table are; null when they differ or row ends are not marked."""
    rows: Sequence[Sequence[object]] = table.rows if table.grid is None else table.grid
    widths = {len(row) for row in rows}
    return widths.pop() if table.has_rows and len(widths) == 1 else None


def _goes_on(table: Table, following: Table) -> bool:
    """Whether a table is the rest of the one before it: as wide, alike in kind, and without a heading of its own."""
    width = _width(following)
    if width is None or width < 2 or width != _width(table):
        return False
    rows = [[cell for cell in row if not cell.is_blank] for row in following.rows[:2]]
    if rows[1:] and any(is_value(cell.plain) for cell in rows[0]):
        # Under a row with values, a heading is that of the next block.
        rows = rows[:1]
    first = [cell for row in rows for cell in row]
    return bool(first) and not any(_opens_table(cell) for cell in first)


def _opens_table(cell: Cell) -> bool:
    text = compact(cell.plain)
    return (
        text in ("统计指标", "指标名称", "申请人情况", "信息内容", "行政复议")
        or "勾稽关系" in text
        or text.startswith("第二十条")
    )


def _joined(table: Table, following: Table) -> Table:
    """Both tables as one; the rows of the second count on, its cells keep their places."""
    # Laid open first: the places of the second table count its own rows.
    first, second = lay_open(table), lay_open(following)
    return replace(table, rows=first.rows + second.rows, grid=None)


@lru_cache(maxsize=1)
def _form_words() -> frozenset[str]:
    """The labels of all rows and columns of the forms."""
    words = set()
    for form in load_vocabulary().tables:
        for row in form.rows:
            words |= {read_label(text).core for text in (row.label_zh, *row.aliases)}
        for column in form.columns:
            words |= {read_label(text).core for text in (column.label_zh, *column.aliases)}
    return frozenset(words - {""})


def stitch_rows(table: Table) -> Table:
    """The table with rows that a page break or the body itself cut put together.

    Two pieces of a label are joined when together they are a label of a form and apart at least the second is
    none. Their rows become one when in no column both have something else than pieces of one label.
    """
    rows = list(table.rows)
    for at in range(len(rows) - 1, 0, -1):
        if at < len(rows) and len(rows[at]) == len(rows[at - 1]):
            _stitch(rows, at)
    return replace(table, rows=tuple(rows))


def _stitch(rows: list[tuple[Cell, ...]], at: int) -> None:
    joined: dict[int, Cell] = {}
    for column, cell in enumerate(rows[at]):
        if not _may_complete(cell):
            continue
        # The piece above the break may stand some rows up, where its cell spans down to the break.
        row = at - 1
        while row > 0 and rows[row][column].is_covered:
            row -= 1
        above = rows[row][column]
        if not _completes(above, cell):
            continue
        place = replace(above.place, end=max(above.place.end, cell.place.end))
        whole = replace(above, text=above.text + cell.text, place=place, simplified=above.plain + cell.plain)
        if row == at - 1:
            joined[column] = whole
        else:
            rows[row] = _with(rows[row], column, whole)
            rows[at] = _with(rows[at], column, replace(cell, text="", simplified=""))
    upper, lower = rows[at - 1], rows[at]
    others = [n for n in range(len(upper)) if n not in joined]
    if joined and all(upper[n].is_blank or lower[n].is_blank for n in others):
        merged = [low if high.is_blank and not low.is_covered else high for high, low in zip(upper, lower, strict=True)]
        for column, cell in joined.items():
            merged[column] = cell
        rows[at - 1 : at + 1] = [tuple(merged)]


def _with(row: tuple[Cell, ...], column: int, cell: Cell) -> tuple[Cell, ...]:
    return (*row[:column], cell, *row[column + 1 :])


def _may_complete(cell: Cell) -> bool:
    """Whether a cell may be the rest of a label: words that are no label of a form by themselves."""
    return not cell.is_blank and not is_value(cell.plain) and read_label(cell.plain).core not in _form_words()


def _completes(above: Cell, below: Cell) -> bool:
    """Whether two pieces are one label of a form."""
    if above.is_blank or is_value(above.plain):
        return False
    return read_label(above.plain + below.plain).core in _form_words()
