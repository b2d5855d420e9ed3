"""From what a format reader found to a neutral document.

In: paragraphs and tables in reading order, each cell with its slot and spans. Out: a
:class:`~loaders.model.Document` whose text is written here, one paragraph a line and one table row a line with
cells parted by tabs, so that every piece has a verbatim span. Refuses tables whose spans would fill the memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import accumulate, chain, compress, pairwise, repeat, starmap
from operator import add, itemgetter, mul
from typing import NamedTuple, TypeVar

from loaders.errors import DocumentRejected
from loaders.model import Block, Cell, Document, Link, Metadata, Paragraph, Place, Table
from loaders.text.fold import detect_script

MAX_SLOTS = 200_000
MAX_COLUMN_SPAN = 64
MAX_TEXT = 20_000_000

Made = TypeVar("Made")


class Slot(NamedTuple):
    """A printed cell on its way into a table: its text, its first slot (0-based) and what it spans."""

    text: str
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    page: int | None = None


_TEXT, _ROW, _COLUMN, _ORDER = itemgetter(0), itemgetter(1), itemgetter(2), itemgetter(1, 2)
_Grid = list[list[Cell | None]]


def _make(kind: type[Made], count: int) -> list[Made]:
    """So many values of a frozen class with nothing in them yet."""
    return list(map(object.__new__, repeat(kind, count)))


def _fill(values: Sequence[object], kind: type, *columns: Iterable[object]) -> None:
    """Give values made by :func:`_make` their fields, a column of one field at a time.

    The constructor of a frozen class takes three times as long, and tables have hundreds of cells.
    """
    for field, column in zip(fields(kind), columns, strict=True):
        deque(map(getattr(kind, field.name).__set__, values, column), maxlen=0)


def _spans(slots: Sequence[Slot], row_count: int) -> list[tuple[int, int]]:
    """Rows and columns each cell spans: a span reaches over rows that are there, and no further."""
    return [
        (1, 1) if down == columns == 1 else (max(1, min(down, row_count - row)), max(1, min(columns, MAX_COLUMN_SPAN)))
        for _, row, _, down, columns, _ in slots
    ]


def _place(
    cells: Sequence[Cell], slots: Sequence[Slot], spans: Sequence[tuple[int, int]], row_count: int, width: int
) -> tuple[list[list[Cell]], _Grid]:
    """The rows of cells and their grid; a cell whose slot is taken is in neither."""
    grid: _Grid = [[None] * width for _ in range(row_count)]
    rows: list[list[Cell]] = [[] for _ in range(row_count)]
    numbers = list(map(_ROW, slots))
    starts = [n for n, (above, row) in enumerate(pairwise(numbers), 1) if above != row]
    for start, end in pairwise((0, *starts, len(slots))):
        row, first, count = numbers[start], slots[start].column, end - start
        line = grid[row]
        # Most rows are single cells side by side.
        if (
            spans[start:end].count((1, 1)) == count
            and slots[end - 1].column == first + count - 1
            and not any(line[first : first + count])
            and list(map(_COLUMN, slots[start:end])) == list(range(first, first + count))
        ):
            line[first : first + count] = rows[row] = list(cells[start:end])
            continue
        for cell, column, (down, columns) in zip(
            cells[start:end], map(_COLUMN, slots[start:end]), spans[start:end], strict=True
        ):
            if line[column] is not None:
                continue
            rows[row].append(cell)
            for covered in grid[row : row + down]:
                for n in range(column, min(column + columns, width)):
                    if covered[n] is None:
                        covered[n] = cell
    return rows, grid


class DocumentBuilder:
    """Collects the pieces of one document in reading order."""

    def __init__(self) -> None:
        """Start with an empty document."""
        self._parts: list[str] = []
        self._length = 0
        self._line = 1
        self._blocks: list[Block] = []
        self._tables = 0
        self._slots = 0

    def _write(self, text: str) -> tuple[int, int, int]:
        """Append text; its start, end and line."""
        start, line = self._length, self._line
        self._parts.append(text)
        self._length += len(text)
        self._line += text.count("\n")
        if self._length > MAX_TEXT:
            raise DocumentRejected("too_large", f"the document holds more than {MAX_TEXT:,} characters of text")
        return start, self._length, line

    def add_paragraph(self, text: str, page: int | None = None) -> None:
        """Add a paragraph; line feeds inside are kept, a paragraph of white space is left out."""
        if not text.strip():
            return
        start, end, line = self._write(text)
        self._write("\n")
        self._blocks.append(Paragraph(text, Place(start, end, line, page=page)))

    def add_table(
        self, slots: Iterable[Slot], style: str, page: int | None = None, page_breaks: Sequence[int] = ()
    ) -> None:
        """Add a table; of cells that claim the same slot the first has it. A table without text is left out.

        Raises:
            DocumentRejected: ``hostile_structure`` when the spans cover more slots than a report can have.
        """
        ordered = sorted(slots, key=_ORDER)
        if not "".join(map(_TEXT, ordered)).strip():
            return
        row_count = ordered[-1].row + 1
        spans = _spans(ordered, row_count)
        width = max(map(add, map(_COLUMN, ordered), map(itemgetter(1), spans)))
        self._slots += max(row_count * width, sum(starmap(mul, spans)))
        if self._slots > MAX_SLOTS:
            message = f"the tables have {self._slots:,} slots, counted by their spans; the limit is {MAX_SLOTS:,}"
            raise DocumentRejected("hostile_structure", message)
        self._tables += 1
        cells = _make(Cell, len(ordered))
        rows, grid = _place(cells, ordered, spans, row_count, width)
        if sum(map(len, rows)) < len(cells):
            printed = {id(cell) for row in rows for cell in row}
            is_printed = [id(cell) in printed for cell in cells]
            cells = list(compress(cells, is_printed))
            ordered = list(compress(ordered, is_printed))
            spans = list(compress(spans, is_printed))
        start, first_line = self._length, self._line
        self._write_cells(cells, ordered, spans, page)
        end = self._length
        self._write("\n")
        self._blocks.append(
            Table(
                tuple(map(tuple, rows)),
                True,
                style,
                Place(start, end, first_line, self._tables, page=page),
                tuple(map(tuple, grid)),
                tuple(page_breaks),
            )
        )

    def _write_cells(
        self, cells: Sequence[Cell], slots: Sequence[Slot], spans: Sequence[tuple[int, int]], page: int | None
    ) -> None:
        """Append the text of a table's cells, and give each its text, its place and its spans."""
        texts, rows, columns, _, _, pages = zip(*slots, strict=True)
        lengths = list(map(len, texts))
        # A tab parts two cells of a row; rows are parted by as many line feeds as they are apart.
        signs = ["\n" * (row - above) or "\t" for above, row in pairwise((0, *rows))]
        signs[0] = "\n" * rows[0]
        text = "".join(chain.from_iterable(zip(signs, texts, strict=True)))
        steps = map(add, lengths, map(len, signs[1:]))
        starts = list(accumulate(steps, initial=self._length + len(signs[0])))
        lines = [self._line + row for row in rows]
        if text.count("\n") > rows[-1]:
            lines = list(map(add, lines, accumulate((text.count("\n") for text in texts), initial=0)))
        places = _make(Place, len(cells))
        _fill(
            places,
            Place,
            starts,
            map(add, starts, lengths),
            lines,
            repeat(self._tables),
            [row + 1 for row in rows],
            [column + 1 for column in columns],
            [page if own is None else own for own in pages],
        )
        downs, across = zip(*spans, strict=True)
        _fill(cells, Cell, texts, places, repeat(None), downs, across)
        self._write(text)

    def build(
        self,
        media_type: str,
        *,
        encoding: str | None = None,
        metadata: Sequence[Metadata] = (),
        attachments: Sequence[Link] = (),
        is_read_by_ocr: bool = False,
        other_text: str | None = None,
    ) -> Document:
        """The document; cells of a Traditional one are simplified where it is assembled.

        Raises:
            DocumentRejected: ``empty_document`` when there is no text at all.
        """
        if not self._blocks:
            raise DocumentRejected("empty_document", f"the {media_type} document holds no text")
        text = "".join(self._parts)
        return Document(
            text,
            encoding,
            detect_script(text),
            tuple(self._blocks),
            media_type,
            tuple(metadata),
            tuple(attachments),
            is_read_by_ocr,
            other_text,
        )
