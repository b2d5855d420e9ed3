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
from typing import Any, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from loaders.errors import DocumentRejected
from loaders.readers import pdf_calls as calls
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

_TEXT, _PATH, _IMAGE, _FORM = (
    pdfium.FPDF_PAGEOBJ_TEXT, pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM,
)  # fmt: skip
_MOVE, _LINE = pdfium.FPDF_SEGMENT_MOVETO, pdfium.FPDF_SEGMENT_LINETO

Point = tuple[float, float]
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
        handle = calls.plain(page.raw)
        _read_objects(
            (calls.get_object(handle, n) for n in range(pdfium.FPDFPage_CountObjects(page.raw))),
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
    page = calls.plain(text_page)
    box, origin = pdfium.FS_RECTF(), (ctypes.c_double * 2)()
    box_at, x_at, y_at = ctypes.byref(box), ctypes.byref(origin), ctypes.byref(origin, ctypes.sizeof(ctypes.c_double))
    get_char, get_box, get_origin, get_angle = calls.get_char, calls.get_box, calls.get_origin, calls.get_angle
    four, two = calls.FOUR_FLOATS, calls.TWO_DOUBLES
    glyphs: list[_RawGlyph] = []
    for n in range(count):
        code = get_char(page, n)
        # White space is told from gaps; 2 stands for a hyphen at the end of a line, 0 for a glyph without meaning.
        text = "-" if code in (2, 0xFFFE) else "\ufffd" if code == 0 else chr(code)
        if text.isspace() or code == 0xFEFF:
            continue
        quarter = 0
        if angle := get_angle(page, n):
            # pdfium counts the angle clockwise.
            quarter = round(turns := angle * 57.29578 / 90)
            if abs(turns - quarter) * 90 > _SLANT:
                continue
        get_box(page, n, box_at)
        get_origin(page, n, x_at, y_at)
        left, top, right, bottom = four(box)
        if left > right:
            left, right = right, left
        if bottom > top:
            bottom, top = top, bottom
        if code == 0 and right - left < 0.01:
            continue
        x, y = two(origin)
        glyphs.append((text, left, bottom, right, top, x, y, -quarter % 4))
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
    width, height, append = content.width, content.height, content.glyphs.append
    for text, left, bottom, right, top, origin_x, origin_y, own in raw:
        if turn == 0:
            box = (left - x0, -top - y0, right - x0, -bottom - y0)
        else:
            a, b, c, d = _turned((left, bottom, right, top), turn)
            box = (a - x0, b - y0, c - x0, d - y0)
        start, upper, end, lower = box
        if not (0 <= (start + end) / 2 <= width and 0 <= (upper + lower) / 2 <= height):
            continue
        if own == turn:
            baseline = (-origin_y if own == 0 else (origin_x, origin_y, -origin_x)[own - 1]) - y0
        else:
            start, upper, end, lower = _turned((left, bottom, right, top), own)
            baseline = (-origin_y, origin_x, origin_y, -origin_x)[own]
        size = lower - upper
        append(Glyph(text, start, end, baseline, size if size > 1.0 else 1.0, (own - turn) % 4, box))
    _set_rulings(content, drawn.lines, turn, x0, y0)
    return content


def _set_rulings(content: PageContent, lines: list[Box], turn: int, x0: float, y0: float) -> None:
    width, height = content.width, content.height
    for line in lines:
        if turn:
            left, top, right, bottom = _turned(line, turn)
            left, right, top, bottom = left - x0, right - x0, top - y0, bottom - y0
        else:
            left, right, top, bottom = line[0] - x0, line[2] - x0, -line[3] - y0, -line[1] - y0
        if right < 0 or bottom < 0 or left > width or top > height:
            continue
        # A dot may be a piece of a line either way.
        if bottom - top <= _THIN:
            start, end = left if left > 0.0 else 0.0, right if right < width else width
            content.horizontal.append(Ruling((top + bottom) / 2, start, end))
        if right - left <= _THIN:
            start, end = top if top > 0.0 else 0.0, bottom if bottom < height else height
            content.vertical.append(Ruling((left + right) / 2, start, end))


# ---- rulings


def _read_objects(objects: Iterator[Any], matrix: Matrix, page: Box, drawn: _Drawn, depth: int) -> None:
    area = max(1.0, (page[2] - page[0]) * (page[3] - page[1]))
    bounds, modes = (ctypes.c_float * 4)(), (ctypes.c_int * 2)()
    bounds_at = [ctypes.byref(bounds, n * ctypes.sizeof(ctypes.c_float)) for n in range(4)]
    fill_at, stroke_at = ctypes.byref(modes), ctypes.byref(modes, ctypes.sizeof(ctypes.c_int))
    get_kind, get_bounds, get_modes, count_segments = (
        calls.get_kind, calls.get_bounds, calls.get_modes, calls.count_segments,
    )  # fmt: skip
    for item in objects:
        drawn.objects += 1
        if drawn.objects > MAX_OBJECTS:
            raise DocumentRejected("hostile_structure", f"a page of the PDF draws more than {MAX_OBJECTS:,} objects")
        kind = get_kind(item)
        if kind == _TEXT:
            continue
        if kind == _FORM and depth < _MAX_DEPTH:
            inside = (calls.get_form_object(item, n) for n in range(calls.count_form_objects(item)))
            _read_objects(inside, _product(_matrix(item), matrix), page, drawn, depth + 1)
        if kind not in (_PATH, _IMAGE) or not get_bounds(item, *bounds_at):
            continue
        box = calls.FOUR_FLOATS(bounds) if matrix is _IDENTITY else _mapped(calls.FOUR_FLOATS(bounds), matrix)
        is_thin = box[2] - box[0] <= _THIN or box[3] - box[1] <= _THIN
        whole = box
        if matrix is _IDENTITY and is_thin and not _is_within(box, page):
            box = _clipped(item, box)
        if kind == _IMAGE:
            drawn.picture += (box[2] - box[0]) * (box[3] - box[1]) / area
            if is_thin:
                drawn.lines.append(box)
            continue
        get_modes(item, fill_at, stroke_at)
        is_filled, is_stroked = modes
        if not is_filled and not is_stroked:
            continue
        count = count_segments(item)
        if is_thin and (count <= 5 or not _is_within(whole, page)):
            drawn.lines.append(box)
        elif count > 5 or is_stroked:
            _read_segments(item, count, _product(_matrix(item), matrix), bool(is_stroked), drawn)


def _is_within(box: Box, page: Box) -> bool:
    return box[0] > page[0] and box[1] > page[1] and box[2] < page[2] and box[3] < page[3]


def _clipped(item: object, box: Box) -> Box:
    """What shows of a line that runs off the page, as the lines of a table do that goes on on the next."""
    path = calls.get_clip_path(item)
    place = (ctypes.c_float * 2)()
    x_at, y_at = ctypes.byref(place), ctypes.byref(place, ctypes.sizeof(ctypes.c_float))
    for n in range(max(0, calls.count_clip_paths(path))):
        points = []
        for s in range(calls.count_clip_segments(path, n)):
            calls.get_point(calls.get_clip_segment(path, n, s), x_at, y_at)
            points.append(calls.TWO_FLOATS(place))
        if points:
            xs, ys = [p[0] for p in points], [p[1] for p in points]
            box = (max(box[0], min(xs)), max(box[1], min(ys)), min(box[2], max(xs)), min(box[3], max(ys)))
    return box


def _read_segments(item: object, count: int, matrix: Matrix, is_stroked: bool, drawn: _Drawn) -> None:
    """The straight parts of a path: each line of a stroke, each thin shape of a fill."""
    drawn.segments += count
    if drawn.segments > MAX_SEGMENTS:
        raise DocumentRejected("hostile_structure", f"a page of the PDF draws more than {MAX_SEGMENTS:,} lines")
    place = (ctypes.c_float * 2)()
    x_at, y_at = ctypes.byref(place), ctypes.byref(place, ctypes.sizeof(ctypes.c_float))
    get_segment, get_kind, get_point, get_close = (
        calls.get_segment, calls.get_segment_kind, calls.get_point, calls.get_close,
    )  # fmt: skip
    is_moved = matrix != _IDENTITY
    a, b, c, d, e, f = matrix
    shape: list[Point] = []
    for n in range(count):
        segment = get_segment(item, n)
        kind = get_kind(segment)
        get_point(segment, x_at, y_at)
        point: Point = calls.TWO_FLOATS(place)
        if is_moved:
            x, y = point
            point = (a * x + c * y + e, b * x + d * y + f)
        if kind == _MOVE:
            _add_shape(shape, is_stroked, drawn)
            shape = []
        elif kind == _LINE and is_stroked and shape:
            _add_line(shape[-1], point, drawn)
        shape.append(point)
        if is_stroked and point != shape[0] and get_close(segment):
            _add_line(point, shape[0], drawn)
    _add_shape(shape, is_stroked, drawn)


def _add_line(start: Point, end: Point, drawn: _Drawn) -> None:
    left, bottom = start
    right, top = end
    if left > right:
        left, right = right, left
    if bottom > top:
        bottom, top = top, bottom
    if (right - left <= _STRAIGHT or top - bottom <= _STRAIGHT) and start != end:
        drawn.lines.append((left, bottom, right, top))


def _add_shape(shape: list[Point], is_stroked: bool, drawn: _Drawn) -> None:
    if is_stroked or len(shape) < 2:
        return
    xs, ys = [p[0] for p in shape], [p[1] for p in shape]
    box = (min(xs), min(ys), max(xs), max(ys))
    if min(box[2] - box[0], box[3] - box[1]) <= _THIN:
        drawn.lines.append(box)


def _matrix(item: object) -> Matrix:
    value = pdfium.FS_MATRIX()
    if not calls.get_matrix(item, ctypes.byref(value)):
        return _IDENTITY
    a, b, c, d, e, f = calls.SIX_FLOATS(value)
    return a, b, c, d, e, f


def _product(first: Matrix, then: Matrix) -> Matrix:
    if then is _IDENTITY:
        return first
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
