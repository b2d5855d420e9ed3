"""Pictures and scanned PDFs to documents, by recognising characters.

In: the bytes of a picture (PNG, JPEG, TIFF with its pages, BMP, the first frame of a GIF) or of a PDF whose pages
are pictures. Out: a :class:`~loaders.model.Document` marked ``is_read_by_ocr``. A page is levelled, its ruling lines
become tables, each cell is recognised by itself, and what stands outside of tables becomes paragraphs. A table that
goes on over the page is one table. A figure in doubt is printed so that it is no number (see ``ocr_text``). Needs
the ``ocr`` extra, and refuses with ``needs_ocr`` without it. One page is in memory at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

from loaders.errors import DocumentRejected
from loaders.model import Document
from loaders.readers.build import DocumentBuilder, Slot
from loaders.readers.sniff import PDF, sniff_media_type

if TYPE_CHECKING:
    from loaders.readers.ocr_image import CleanPage, Pixels
    from loaders.readers.ocr_text import TextLine

_STYLE = "ocr"
_DPI = 200
_MAX_PDF_PAGES = 200
# An upright page has at least this many Chinese characters that are sure; so many lines of a turned one are tried.
_UPRIGHT = 12
_PROBED_LINES = 12
_PAGE_NUMBER = re.compile(r"^[\s\-—–·.第页共/~\d]{1,12}$")
# Edges of columns on two pages are the same within this share of the table's width.
_SAME_EDGE = 0.012


@dataclass(frozen=True, slots=True)
class _PageTable:
    """A table of one page: its cells, where its columns begin and end, and its upper edge."""

    slots: tuple[Slot, ...]
    edges: tuple[int, ...]
    row_count: int
    top: int


@dataclass(frozen=True, slots=True)
class _PageParagraph:
    text: str
    top: int


@dataclass(frozen=True, slots=True)
class _JoinedTable:
    """A table over one or more pages."""

    slots: tuple[Slot, ...]
    edges: tuple[int, ...]
    row_count: int
    page: int


_Piece = _PageTable | _PageParagraph


def read_picture(data: bytes) -> Document:
    """Read a report that is a picture.

    Raises:
        DocumentRejected: ``needs_ocr``, ``too_large``, ``hostile_structure``, ``damaged_document`` or
            ``empty_document``.
    """
    _require_ocr()
    from loaders.readers.ocr_image import decode_picture

    return _read_pages(decode_picture(data), sniff_media_type(data) or "image/unknown")


def read_scanned_pdf(data: bytes) -> Document:
    """Read a report that is a PDF of scanned pages.

    Raises:
        DocumentRejected: as :func:`read_picture`, and ``encrypted_document``.
    """
    _require_ocr()
    return _read_pages(_render_pages(data), PDF)


def _require_ocr() -> None:
    try:
        for name in ("cv2", "onnxruntime", "PIL", "rapidocr"):
            import_module(name)
    except ImportError as error:
        message = f"the document is a picture, and {error.name} is not installed; pip install 'gongkai[ocr]'"
        raise DocumentRejected("needs_ocr", message) from error


def _render_pages(data: bytes) -> Iterator[Pixels]:
    import numpy as np
    import pypdfium2

    from loaders.readers.ocr_image import check_size

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        code = "encrypted_document" if "password" in str(error).lower() else "damaged_document"
        raise DocumentRejected(code, f"the PDF cannot be opened: {error}") from error
    try:
        if len(document) > _MAX_PDF_PAGES:
            raise DocumentRejected("too_large", f"the PDF has {len(document):,} pages; the limit is {_MAX_PDF_PAGES}")
        for number in range(len(document)):
            try:
                page = document[number]
                scale = _DPI / 72
                check_size(round(page.get_width() * scale), round(page.get_height() * scale), len(data))
                bitmap = page.render(scale=scale, grayscale=True)
                pixels = np.array(bitmap.to_numpy(), copy=True)
                bitmap.close()
                page.close()
            except pypdfium2.PdfiumError as error:
                message = f"page {number + 1} of the PDF cannot be drawn: {error}"
                raise DocumentRejected("damaged_document", message) from error
            yield pixels.reshape(pixels.shape[0], pixels.shape[1])
    finally:
        document.close()


def _read_pages(pages: Iterable[Pixels], media_type: str) -> Document:
    pieces: list[tuple[int, _Piece]] = []
    for number, pixels in enumerate(pages, start=1):
        pieces += [(number, piece) for piece in _read_page(pixels, number)]
    builder = DocumentBuilder()
    for number, piece in _joined(pieces):
        if isinstance(piece, _PageParagraph):
            builder.add_paragraph(piece.text, number)
        else:
            builder.add_table(piece.slots, _STYLE, piece.page)
    return builder.build(media_type, is_read_by_ocr=True)


# ---- one page


def _read_page(pixels: Pixels, number: int) -> list[_Piece]:
    """The pieces of a page from top to bottom; a page that lies on its side or its head is turned first."""
    import numpy as np

    from loaders.readers.ocr_image import clean_page

    page = clean_page(pixels)
    pieces, sure_chinese = _read_level_page(page, number)
    if sure_chinese >= _UPRIGHT or not page.ink.any():
        return pieces
    turned = [clean_page(np.ascontiguousarray(np.rot90(pixels, turns))) for turns in (1, 2, 3)]
    counts = [_probe(other) for other in turned]
    if max(counts) < max(_UPRIGHT, 2 * sure_chinese):
        return pieces
    return _read_level_page(turned[counts.index(max(counts))], number)[0]


def _probe(page: CleanPage) -> int:
    """How many sure Chinese characters the longest lines of a page have."""
    from loaders.readers.ocr_text import detect_lines, recognise

    boxes = sorted(detect_lines(page.grey, page.ink, page.glyph), key=lambda box: box[0] - box[2])[:_PROBED_LINES]
    readings = recognise([page.grey[top:bottom, left:right] for left, top, right, bottom in boxes])
    return sum(reading.sure_chinese for reading in readings)


def _read_level_page(page: CleanPage, number: int) -> tuple[list[_Piece], int]:
    """The pieces of a level page, and how many of its characters are Chinese and sure."""
    from loaders.readers.ocr_grid import find_grids
    from loaders.readers.ocr_image import is_noisy
    from loaders.readers.ocr_text import read_cells, read_lines

    grids, lines = find_grids(page.ink, page.glyph, is_noisy=is_noisy(page.grey))
    boxes = [cell.box for grid in grids for cell in grid.cells]
    cells = read_cells(page.grey, page.ink, lines, boxes, page.glyph)
    texts = iter([cell.text for cell in cells])
    pieces: list[_Piece] = []
    outside, outside_ink = page.grey.copy(), page.ink.copy()
    for grid in grids:
        slots = tuple(
            Slot(next(texts), cell.row, cell.column, cell.row_span, cell.column_span, number) for cell in grid.cells
        )
        pieces.append(_PageTable(slots, grid.column_edges, len(grid.row_edges) - 1, grid.box[1]))
        margin = round(page.glyph * 0.3)
        left, top, right, bottom = grid.box
        within = (slice(max(0, top - margin), bottom + margin), slice(max(0, left - margin), right + margin))
        outside[within], outside_ink[within] = 255, 0
    tops = sorted(piece.top for piece in pieces)
    prose = read_lines(outside, outside_ink, page.glyph)
    pieces += paragraphs(prose, page.glyph, tops)
    sure_chinese = sum(cell.sure_chinese for cell in cells) + sum(line.sure_chinese for line in prose)
    return sorted(pieces, key=lambda piece: piece.top), sure_chinese


def paragraphs(lines: Iterable[TextLine], glyph: float, breaks: Iterable[int] = ()) -> list[_PageParagraph]:
    """Lines of print to paragraphs: a line goes on where the one before it is full and it is not indented.

    ``breaks`` are the upper edges of tables; no paragraph goes on over one.
    """
    rows = _rows_of_print(lines)
    if not rows:
        return []
    left, right = min(row[0].box[0] for row in rows), max(row[-1].box[2] for row in rows)
    breaks = tuple(breaks)
    found: list[_PageParagraph] = []
    before: list[TextLine] = []
    for row in rows:
        text = " ".join(line.text for line in row)
        if before:
            top, above = row[0].box[1], before[0].box[1]
            goes_on = (
                before[-1].box[2] >= right - 2.5 * glyph
                and row[0].box[0] <= left + glyph
                and row[0].box[1] - before[0].box[3] < 1.5 * glyph
                and not any(above < at <= top for at in breaks)
            )
            if goes_on:
                found[-1] = replace(found[-1], text=found[-1].text + text)
                before = row
                continue
        found.append(_PageParagraph(text, row[0].box[1]))
        before = row
    return found


def _rows_of_print(lines: Iterable[TextLine]) -> list[list[TextLine]]:
    """Lines that stand beside each other as one row, from left to right."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: (line.box[1] + line.box[3], line.box[0])):
        middle = (line.box[1] + line.box[3]) / 2
        if rows and rows[-1][0].box[1] < middle < rows[-1][0].box[3]:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.box[0]) for row in rows]


# ---- over the page


def _joined(pieces: list[tuple[int, _Piece]]) -> list[tuple[int, _PageParagraph | _JoinedTable]]:
    """The pieces of a document, tables that go on over the page put together."""
    out: list[tuple[int, _PageParagraph | _JoinedTable]] = []
    open_table: int | None = None  # of ``out``: a table after which only page numbers stood
    last_page = 0
    for number, piece in pieces:
        if isinstance(piece, _PageParagraph):
            if not _PAGE_NUMBER.match(piece.text):
                open_table = None
            out.append((number, piece))
            continue
        table = _JoinedTable(piece.slots, piece.edges, piece.row_count, number)
        joined = None
        if open_table is not None and number == last_page + 1:
            previous = out[open_table][1]
            joined = join_tables(previous, table) if isinstance(previous, _JoinedTable) else None
        if joined is not None and open_table is not None:
            out[open_table] = (out[open_table][0], joined)
        else:
            open_table = len(out)
            out.append((number, table))
        last_page = number
    return out


def join_tables(upper: _JoinedTable, lower: _JoinedTable) -> _JoinedTable | None:
    """One table of two whose columns have the same edges, or edges that all stand in the other; else null."""
    above, below = _relative(upper.edges), _relative(lower.edges)
    width = max(upper.edges[-1] - upper.edges[0], lower.edges[-1] - lower.edges[0])
    if abs((upper.edges[-1] - upper.edges[0]) - (lower.edges[-1] - lower.edges[0])) > 2 * _SAME_EDGE * width:
        return None
    wide, narrow = (above, below) if len(above) >= len(below) else (below, above)
    position = [min(range(len(wide)), key=lambda n: abs(wide[n] - edge)) for edge in narrow]
    if any(abs(wide[n] - edge) > _SAME_EDGE for n, edge in zip(position, narrow, strict=True)):
        return None
    if sorted(set(position)) != position:
        return None
    same = list(range(len(wide)))
    upper_slots = _moved(upper.slots, same if wide is above else position, 0)
    lower_slots = _moved(lower.slots, position if wide is above else same, upper.row_count)
    return _JoinedTable(
        (*upper_slots, *lower_slots),
        upper.edges if wide is above else lower.edges,
        upper.row_count + lower.row_count,
        upper.page,
    )


def _relative(edges: tuple[int, ...]) -> list[float]:
    width = max(1, edges[-1] - edges[0])
    return [(edge - edges[0]) / width for edge in edges]


def _moved(slots: Iterable[Slot], position: list[int], down: int) -> list[Slot]:
    """Cells with their columns counted by the edges of another table, and so many rows further down."""
    return [
        slot._replace(
            row=slot.row + down,
            column=position[slot.column],
            column_span=position[slot.column + slot.column_span] - position[slot.column],
        )
        for slot in slots
    ]
