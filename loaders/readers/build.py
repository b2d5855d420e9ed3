"""From what a format reader found to a neutral document.

In: paragraphs and tables in reading order, each cell with its slot and spans. Out: a
:class:`~loaders.model.Document` whose text is written here, one paragraph a line and one table row a line with
cells parted by tabs, so that every piece has a verbatim span. Refuses tables whose spans would fill the memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, chain, pairwise, repeat, starmap
from operator import add, itemgetter, mul
from typing import NamedTuple

from loaders.errors import DocumentRejected
from loaders.model import Block, Cell, Document, Link, Metadata, Paragraph, Place, Table, make_many
from loaders.text.fold import detect_script

MAX_SLOTS = 200_000
MAX_COLUMN_SPAN = 64
MAX_TEXT = 20_000_000

# Larger layouts are worked out anew each time.
_MOST_REMEMBERED = 2_000
_Numbers = tuple[int, ...]


class Slot(NamedTuple):
    """A printed cell on its way into a table: its text, its first slot (0-based) and what it spans."""

    text: str
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    page: int | None = None


_TEXT = itemgetter(0)


class _Layout(NamedTuple):
    """How cells stand in a table, whatever is printed in them; numbers of cells count in reading order.

    ``order`` has for each printed cell its number as it was given: one whose slot is taken is not there. ``rows`` are
    the spans of cells that are a row each, ``grid`` the cell of each slot, or the number behind the last for none.
    ``slots`` counts what the spans cover; where that is more than a report can have, nothing else is told.
    """

    slots: int
    order: _Numbers = ()
    rows: tuple[slice, ...] = ()
    grid: tuple[_Numbers, ...] = ()
    at_rows: _Numbers = ()
    at_columns: _Numbers = ()
    downs: _Numbers = ()
    across: _Numbers = ()
    signs: tuple[str, ...] = ()


def _lay_out(at_rows: _Numbers, at_columns: _Numbers, downs: _Numbers, across: _Numbers) -> _Layout:
    """The layout of cells by their first slots and what they say they span."""
    order = sorted(range(len(at_rows)), key=lambda n: (at_rows[n], at_columns[n]))
    row_count = at_rows[order[-1]] + 1
    # A span reaches over rows that are there, and no further.
    down = [1 if downs[n] == 1 else max(1, min(downs[n], row_count - at_rows[n])) for n in order]
    columns = [max(1, min(across[n], MAX_COLUMN_SPAN)) for n in order]
    width = max(at_columns[n] + wide for n, wide in zip(order, columns, strict=True))
    slots = max(row_count * width, sum(map(mul, down, columns)))
    if slots > MAX_SLOTS:
        return _Layout(slots)
    grid: list[list[int | None]] = [[None] * width for _ in range(row_count)]
    printed: list[int] = []
    for given, high, wide in zip(order, down, columns, strict=True):
        row, column = at_rows[given], at_columns[given]
        if grid[row][column] is not None:
            continue
        for covered in grid[row : row + high]:
            for n in range(column, min(column + wide, width)):
                if covered[n] is None:
                    covered[n] = len(printed)
        printed.append(given)
    spans = {given: (high, wide) for given, high, wide in zip(order, down, columns, strict=True)}
    rows_of = [at_rows[n] for n in printed]
    ends = [bisect_right(rows_of, row) for row in range(row_count)]
    return _Layout(
        slots,
        tuple(printed),
        tuple(starmap(slice, pairwise((0, *ends)))),
        tuple(tuple(len(printed) if cell is None else cell for cell in line) for line in grid),
        tuple(row + 1 for row in rows_of),
        tuple(at_columns[n] + 1 for n in printed),
        tuple(spans[n][0] for n in printed),
        tuple(spans[n][1] for n in printed),
        # A tab parts two cells of a row; rows are parted by as many line feeds as they are apart.
        ("\n" * rows_of[0], *("\n" * (row - above) or "\t" for above, row in pairwise(rows_of))),
    )


# Most tables are one of a few forms, filled in.
_known_layout = lru_cache(maxsize=512)(_lay_out)


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

    def add_table(self, slots: Iterable[Slot], style: str, page: int | None = None) -> None:
        """Add a table; of cells that claim the same slot the first has it. A table without text is left out.

        Raises:
            DocumentRejected: ``hostile_structure`` when the spans cover more slots than a report can have.
        """
        given = list(slots)
        if not "".join(map(_TEXT, given)).strip():
            return
        texts, *shape, pages = zip(*given, strict=True)
        layout = (_known_layout if len(given) <= _MOST_REMEMBERED else _lay_out)(*shape)
        self._slots += layout.slots
        if self._slots > MAX_SLOTS:
            message = f"the tables have {self._slots:,} slots, counted by their spans; the limit is {MAX_SLOTS:,}"
            raise DocumentRejected("hostile_structure", message)
        self._tables += 1
        start, first_line = self._length, self._line
        own_pages = [page if own is None else own for own in map(pages.__getitem__, layout.order)]
        cells = self._write_cells(list(map(texts.__getitem__, layout.order)), layout, own_pages)
        end = self._length
        self._write("\n")
        cell_of = (*cells, None)
        self._blocks.append(
            Table(
                tuple(map(tuple, map(cells.__getitem__, layout.rows))),
                True,
                style,
                Place(start, end, first_line, self._tables, page=page),
                tuple([tuple(map(cell_of.__getitem__, line)) for line in layout.grid]),
            )
        )

    def _write_cells(self, texts: list[str], layout: _Layout, pages: list[int | None]) -> list[Cell]:
        """Append the texts of a table's cells; the cells with their places and spans."""
        lengths = list(map(len, texts))
        signs, rows = layout.signs, layout.at_rows
        text = "".join(chain.from_iterable(zip(signs, texts, strict=True)))
        steps = map(add, lengths, map(len, signs[1:]))
        starts = list(accumulate(steps, initial=self._length + len(signs[0])))
        lines: Iterable[int] = map(add, rows, repeat(self._line - 1))
        if text.count("\n") >= rows[-1]:
            lines = map(add, lines, accumulate((text.count("\n") for text in texts), initial=0))
        ends, table = map(add, starts, lengths), repeat(self._tables)
        count = len(texts)
        places = make_many(Place, count, starts, ends, lines, table, rows, layout.at_columns, pages)
        self._write(text)
        return make_many(Cell, count, texts, places, repeat(None), layout.downs, layout.across)

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
