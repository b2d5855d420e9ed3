"""What is drawn on the pages of a PDF: glyphs and ruling lines, turned so that the text stands upright.

In: the bytes of a file. Out: :class:`PageContent`, one a page, in points from the upper left corner, y downwards.
Strokes, thin filled shapes and thin pictures are rulings; what they rule is not judged here. Text at a slant is a
watermark and left out. Refuses files that are locked, cut off, or drawn with more objects than a report has.
"""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from loaders.errors import DocumentRejected
from loaders.readers.pdf_font import box_font

MAX_PAGES = 500
MAX_OBJECTS = 60_000
MAX_GLYPHS = 60_000
MAX_SEGMENTS = 200_000
_MAX_DEPTH = 8
_THIN = 3.0
_STRAIGHT = 0.8
_TAIL = 4096
_SLANT = 4.0
# A picture of a whole page, as scanners make it, at times in strips.
_LARGE_PICTURE = 0.5

Box = tuple[float, float, float, float]
Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class Glyph(NamedTuple):
    """One printed character: its horizontal extent, its baseline and the height of its font.

    ``turn`` is a quarter turn count of the character against the page, counter-clockwise. A turned character has
    its coordinates in its own upright frame.
    """

    text: str
    x0: float
    x1: float
    y: float
    size: float
    turn: int
    box: Box


class Ruling(NamedTuple):
    """A straight line along one axis: where it stands on the other, and from where to where it goes."""

    at: float
    start: float
    end: float


@dataclass(slots=True)
class PageContent:
    """What one page shows; ``text_order`` is its text in the order in which the file holds it."""

    number: int
    width: float
    height: float
    glyphs: list[Glyph] = field(default_factory=list)
    horizontal: list[Ruling] = field(default_factory=list)
    vertical: list[Ruling] = field(default_factory=list)
    has_large_picture: bool = False
    text_order: str = ""


@dataclass(slots=True)
class _Drawn:
    """Boxes of rulings in the space of the page, and the share of it that pictures cover."""

    lines: list[Box] = field(default_factory=list)
    objects: int = 0
    segments: int = 0
    picture: float = 0.0


def open_pdf(data: bytes) -> pypdfium2.PdfDocument:
    """Open a file; the caller closes it.

    Raises:
        DocumentRejected: ``encrypted_document``, ``damaged_document`` or ``hostile_structure``.
    """
    # A file that was cut off would be mended silently, with the last pages gone.
    tail = data[-_TAIL:]
    if b"startxref" not in tail and b"%%EOF" not in tail:
        raise DocumentRejected("damaged_document", f"the PDF of {len(data):,} bytes has no end; it was cut off")
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise DocumentRejected("encrypted_document", "the PDF opens with a password only") from error
        raise DocumentRejected("damaged_document", f"the PDF cannot be opened: {error}") from error
    if len(document) > MAX_PAGES:
        pages = len(document)
        document.close()
        raise DocumentRejected("hostile_structure", f"the PDF has {pages:,} pages; the limit is {MAX_PAGES}")
    return document


def read_pages(data: bytes) -> list[PageContent]:
    """Everything drawn in the file, page by page.

    Raises:
        DocumentRejected: as :func:`open_pdf`, and where a page is broken or overfull.
    """
    with box_font():
        document = open_pdf(data)
        try:
            return [_read_page(document, index) for index in range(len(document))]
        finally:
            document.close()


def _open_page(document: pypdfium2.PdfDocument, index: int) -> pypdfium2.PdfPage:
    try:
        return document[index]
    except pypdfium2.PdfiumError as error:
        raise DocumentRejected("damaged_document", f"page {index + 1} of the PDF cannot be read: {error}") from error


def _read_page(document: pypdfium2.PdfDocument, index: int) -> PageContent:
    page = _open_page(document, index)
    text_page = None
    try:
        left, bottom, right, top = page.get_cropbox()
        text_page = page.get_textpage()
        raw = _read_glyphs(text_page.raw, index + 1)
        drawn = _Drawn()
        count = pdfium.FPDFPage_CountObjects(page.raw)
        _read_objects(
            (pdfium.FPDFPage_GetObject(page.raw, n) for n in range(count)),
            _IDENTITY,
            (left, bottom, right, top),
            drawn,
            0,
        )
        content = _upright(index + 1, (left, bottom, right, top), raw, drawn)
        content.text_order = text_page.get_text_range().replace("\r\n", "\n").replace("\ufffe", "-")
        return content
    except pypdfium2.PdfiumError as error:
        raise DocumentRejected("damaged_document", f"page {index + 1} of the PDF cannot be read: {error}") from error
    finally:
        if text_page is not None:
            text_page.close()
        page.close()


# ---- glyphs

_RawGlyph = tuple[str, float, float, float, float, float, float, int]


def _read_glyphs(text_page: object, number: int) -> list[_RawGlyph]:
    """Text, box, origin and quarter turns of every character that prints something."""
    count = pdfium.FPDFText_CountChars(text_page)
    if count > MAX_GLYPHS:
        message = f"page {number} of the PDF holds {count:,} characters; the limit is {MAX_GLYPHS:,}"
        raise DocumentRejected("hostile_structure", message)
    box, origin_x, origin_y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    box_ref, x_ref, y_ref = ctypes.byref(box), ctypes.byref(origin_x), ctypes.byref(origin_y)
    get_char, get_box = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetLooseCharBox
    get_origin, get_angle = pdfium.FPDFText_GetCharOrigin, pdfium.FPDFText_GetCharAngle
    glyphs: list[_RawGlyph] = []
    for n in range(count):
        code = get_char(text_page, n)
        # White space is told from gaps; 2 stands for a hyphen at the end of a line, 0 for a glyph without meaning.
        text = "-" if code in (2, 0xFFFE) else "\ufffd" if code == 0 else chr(code)
        if text.isspace() or code == 0xFEFF:
            continue
        get_box(text_page, n, box_ref)
        get_origin(text_page, n, x_ref, y_ref)
        # pdfium counts the angle clockwise.
        quarter = round(turns := get_angle(text_page, n) * 57.29578 / 90)
        if abs(turns - quarter) * 90 > _SLANT:
            continue
        left, bottom, right, top = box.left, box.bottom, box.right, box.top
        if left > right:
            left, right = right, left
        if bottom > top:
            bottom, top = top, bottom
        if code == 0 and right - left < 0.01:
            continue
        glyphs.append((text, left, bottom, right, top, origin_x.value, origin_y.value, -quarter % 4))
    return glyphs


def _turned(box: Box, turn: int) -> Box:
    """A box of the page's space (y upwards) in the frame of text that runs at so many quarter turns (y downwards)."""
    left, bottom, right, top = box
    if turn == 0:
        return left, -top, right, -bottom
    if turn == 1:
        return bottom, left, top, right
    if turn == 2:
        return -right, bottom, -left, top
    return -top, -right, -bottom, -left


def _upright(number: int, page: Box, raw: list[_RawGlyph], drawn: _Drawn) -> PageContent:
    """The page in the frame of most of its text, whatever its ``/Rotate`` says."""
    turns = Counter(glyph[7] for glyph in raw)
    turn = turns.most_common(1)[0][0] if turns else 0
    x0, y0, x1, y1 = _turned(page, turn)
    content = PageContent(number, x1 - x0, y1 - y0)
    content.has_large_picture = drawn.picture >= _LARGE_PICTURE
    width, height = content.width, content.height
    for text, left, bottom, right, top, origin_x, origin_y, own in raw:
        if turn == 0:
            box = (left - x0, -top - y0, right - x0, -bottom - y0)
        else:
            a, b, c, d = _turned((left, bottom, right, top), turn)
            box = (a - x0, b - y0, c - x0, d - y0)
        if not (0 <= (box[0] + box[2]) / 2 <= width and 0 <= (box[1] + box[3]) / 2 <= height):
            continue
        if own == turn:
            baseline = (-origin_y, origin_x, origin_y, -origin_x)[own] - y0
            start, end, size = box[0], box[2], box[3] - box[1]
        else:
            start, upper, end, lower = _turned((left, bottom, right, top), own)
            baseline, size = (-origin_y, origin_x, origin_y, -origin_x)[own], lower - upper
        content.glyphs.append(Glyph(text, start, end, baseline, max(size, 1.0), (own - turn) % 4, box))
    _set_rulings(content, [_turned(line, turn) for line in drawn.lines], x0, y0)
    return content


def _set_rulings(content: PageContent, lines: list[Box], x0: float, y0: float) -> None:
    for left, top, right, bottom in lines:
        left, right, top, bottom = left - x0, right - x0, top - y0, bottom - y0
        if right < 0 or bottom < 0 or left > content.width or top > content.height:
            continue
        # A dot may be a piece of a line either way.
        if bottom - top <= _THIN:
            content.horizontal.append(Ruling((top + bottom) / 2, max(left, 0.0), min(right, content.width)))
        if right - left <= _THIN:
            content.vertical.append(Ruling((left + right) / 2, max(top, 0.0), min(bottom, content.height)))


# ---- rulings


def _read_objects(objects: Iterator[object], matrix: Matrix, page: Box, drawn: _Drawn, depth: int) -> None:
    area = max(1.0, (page[2] - page[0]) * (page[3] - page[1]))
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    refs = [ctypes.byref(value) for value in (left, bottom, right, top)]
    fill_ref, stroke_ref = ctypes.byref(fill), ctypes.byref(stroke)
    for item in objects:
        drawn.objects += 1
        if drawn.objects > MAX_OBJECTS:
            raise DocumentRejected("hostile_structure", f"a page of the PDF draws more than {MAX_OBJECTS:,} objects")
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind == pdfium.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
            count = pdfium.FPDFFormObj_CountObjects(item)
            inside = (pdfium.FPDFFormObj_GetObject(item, n) for n in range(count))
            _read_objects(inside, _product(_matrix(item), matrix), page, drawn, depth + 1)
        if kind not in (pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_IMAGE):
            continue
        if not pdfium.FPDFPageObj_GetBounds(item, *refs):
            continue
        box = _mapped((left.value, bottom.value, right.value, top.value), matrix)
        is_thin = min(box[2] - box[0], box[3] - box[1]) <= _THIN
        whole = box
        if matrix is _IDENTITY and is_thin and not _is_within(box, page):
            box = _clipped(item, box)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            drawn.picture += (box[2] - box[0]) * (box[3] - box[1]) / area
            if is_thin:
                drawn.lines.append(box)
            continue
        pdfium.FPDFPath_GetDrawMode(item, fill_ref, stroke_ref)
        if not fill.value and not stroke.value:
            continue
        count = pdfium.FPDFPath_CountSegments(item)
        if is_thin and (count <= 5 or not _is_within(whole, page)):
            drawn.lines.append(box)
        elif count > 5 or stroke.value:
            _read_segments(item, count, _product(_matrix(item), matrix), bool(stroke.value), drawn)


def _is_within(box: Box, page: Box) -> bool:
    return box[0] > page[0] and box[1] > page[1] and box[2] < page[2] and box[3] < page[3]


def _clipped(item: object, box: Box) -> Box:
    """What shows of a line that runs off the page, as the lines of a table do that goes on on the next."""
    path = pdfium.FPDFPageObj_GetClipPath(item)
    x, y = ctypes.c_float(), ctypes.c_float()
    for n in range(max(0, pdfium.FPDFClipPath_CountPaths(path))):
        points = []
        for s in range(pdfium.FPDFClipPath_CountPathSegments(path, n)):
            segment = pdfium.FPDFClipPath_GetPathSegment(path, n, s)
            pdfium.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
            points.append((x.value, y.value))
        if points:
            xs, ys = [p[0] for p in points], [p[1] for p in points]
            box = (max(box[0], min(xs)), max(box[1], min(ys)), min(box[2], max(xs)), min(box[3], max(ys)))
    return box


def _read_segments(item: object, count: int, matrix: Matrix, is_stroked: bool, drawn: _Drawn) -> None:
    """The straight parts of a path: each line of a stroke, each thin shape of a fill."""
    drawn.segments += count
    if drawn.segments > MAX_SEGMENTS:
        raise DocumentRejected("hostile_structure", f"a page of the PDF draws more than {MAX_SEGMENTS:,} lines")
    x, y = ctypes.c_float(), ctypes.c_float()
    x_ref, y_ref = ctypes.byref(x), ctypes.byref(y)
    a, b, c, d, e, f = matrix
    shape: list[tuple[float, float]] = []
    for n in range(count):
        segment = pdfium.FPDFPath_GetPathSegment(item, n)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        pdfium.FPDFPathSegment_GetPoint(segment, x_ref, y_ref)
        point = (a * x.value + c * y.value + e, b * x.value + d * y.value + f)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            _add_shape(shape, is_stroked, drawn)
            shape = []
        elif kind == pdfium.FPDF_SEGMENT_LINETO and is_stroked and shape:
            _add_line(shape[-1], point, drawn)
        shape.append(point)
        if is_stroked and pdfium.FPDFPathSegment_GetClose(segment):
            _add_line(point, shape[0], drawn)
    _add_shape(shape, is_stroked, drawn)


def _add_line(start: tuple[float, float], end: tuple[float, float], drawn: _Drawn) -> None:
    width, height = abs(start[0] - end[0]), abs(start[1] - end[1])
    if min(width, height) <= _STRAIGHT and max(width, height) > 0:
        drawn.lines.append((min(start[0], end[0]), min(start[1], end[1]), max(start[0], end[0]), max(start[1], end[1])))


def _add_shape(shape: list[tuple[float, float]], is_stroked: bool, drawn: _Drawn) -> None:
    if is_stroked or len(shape) < 2:
        return
    xs, ys = [p[0] for p in shape], [p[1] for p in shape]
    box = (min(xs), min(ys), max(xs), max(ys))
    if min(box[2] - box[0], box[3] - box[1]) <= _THIN:
        drawn.lines.append(box)


def _matrix(item: object) -> Matrix:
    value = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(item, ctypes.byref(value)):
        return _IDENTITY
    return value.a, value.b, value.c, value.d, value.e, value.f


def _product(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return (
        a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m,
    )  # fmt: skip


def _mapped(box: Box, matrix: Matrix) -> Box:
    if matrix is _IDENTITY:
        return box
    a, b, c, d, e, f = matrix
    xs = [a * x + c * y + e for x in (box[0], box[2]) for y in (box[1], box[3])]
    ys = [b * x + d * y + f for x in (box[0], box[2]) for y in (box[1], box[3])]
    return min(xs), min(ys), max(xs), max(ys)
