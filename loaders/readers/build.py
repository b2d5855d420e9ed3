"""From what a format reader found to a neutral document.

In: paragraphs and tables in reading order, each cell with its slot and spans. Out: a
:class:`~loaders.model.Document` whose text is written here, one paragraph a line and one table row a line with
cells parted by tabs, so that every piece has a verbatim span. Refuses tables whose spans would fill the memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from loaders.errors import DocumentRejected
from loaders.model import Block, Cell, Document, Link, Metadata, Paragraph, Place, Table
from loaders.text.fold import detect_script

MAX_SLOTS = 200_000
MAX_COLUMN_SPAN = 64
MAX_TEXT = 20_000_000


class Slot(NamedTuple):
    """A printed cell on its way into a table: its text, its first slot (0-based) and what it spans."""

    text: str
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    page: int | None = None


_ORDER = attrgetter("row", "column")


def _spans(slots: Sequence[Slot], row_count: int) -> list[tuple[int, int]]:
    """Rows and columns each cell spans: a span reaches over rows that are there, and no further."""
    return [
        (max(1, min(slot.row_span, row_count - slot.row)), max(1, min(slot.column_span, MAX_COLUMN_SPAN)))
        if slot.row_span != 1 or slot.column_span != 1
        else (1, 1)
        for slot in slots
    ]


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
        cells = sorted(slots, key=_ORDER)
        if not any(slot.text.strip() for slot in cells):
            return
        row_count = cells[-1].row + 1
        spans = _spans(cells, row_count)
        width = max(slot.column + columns for slot, (_, columns) in zip(cells, spans, strict=True))
        self._slots += max(row_count * width, sum(down * columns for down, columns in spans))
        if self._slots > MAX_SLOTS:
            message = f"the tables have {self._slots:,} slots, counted by their spans; the limit is {MAX_SLOTS:,}"
            raise DocumentRejected("hostile_structure", message)
        self._tables += 1
        grid: list[list[Cell | None]] = [[None] * width for _ in range(row_count)]
        rows: list[list[Cell]] = [[] for _ in range(row_count)]
        start, first_line = begin, line = self._length, self._line
        parts, number, at_row = self._parts, self._tables, 0
        for slot, (down, columns) in zip(cells, spans, strict=True):
            row, column, text = slot.row, slot.column, slot.text
            if grid[row][column] is not None:
                continue
            if at_row < row:
                parts.append("\n" * (row - at_row))
                begin += row - at_row
                line += row - at_row
                at_row = row
            if rows[row]:
                parts.append("\t")
                begin += 1
            end = begin + len(text)
            place = Place(begin, end, line, number, row + 1, column + 1, page if slot.page is None else slot.page)
            cell = Cell(text, place, None, down, columns)
            parts.append(text)
            begin = end
            if "\n" in text:
                line += text.count("\n")
            rows[row].append(cell)
            if down == columns == 1:
                grid[row][column] = cell
                continue
            for covered in grid[row : row + down]:
                for n in range(column, min(column + columns, width)):
                    if covered[n] is None:
                        covered[n] = cell
        self._length, self._line = begin, line
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
