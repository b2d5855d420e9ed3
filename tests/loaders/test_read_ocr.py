"""Pictures and scans: geometry by itself on drawn lines, doubt by itself on readings, and one page from end to end."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from decimal import Decimal

import pytest

pytest.importorskip("cv2")
pytest.importorskip("rapidocr")
pytest.importorskip("onnxruntime")

import cv2
import numpy as np
from PIL import Image

from loaders.errors import DocumentRejected
from loaders.model import Paragraph, SourceKind, Table, ValueStatus
from loaders.readers.build import Slot
from loaders.readers.ocr import (
    _joined,
    _JoinedTable,
    _PageParagraph,
    _PageTable,
    paragraphs,
    read_picture,
    read_scanned_pdf,
)
from loaders.readers.ocr_grid import find_grids
from loaders.readers.ocr_image import (
    MAX_PIXELS,
    clean_page,
    decode_picture,
    find_ink,
    flatten,
    is_noisy,
    measure_skew,
    rotate,
)
from loaders.readers.ocr_text import (
    Recognised,
    TextLine,
    agree,
    find_cell_ink,
    may_be_value,
    normalise,
    split_rows,
    without_doubtful_digits,
)
from loaders.reading import read_document
from tests.loaders.scans import as_pdf, draw_form, find_font, spoil

GLYPH = 26.0
needs_font = pytest.mark.skipif(find_font() is None, reason="no font with Chinese characters")


def ruled(xs: list[int], ys: list[int], missing: tuple[tuple[int, int, int, int], ...] = ()) -> np.ndarray:
    """The ink of a ruled table; pieces of line inside the boxes ``missing`` are left out."""
    ink = np.zeros((ys[-1] + 60, xs[-1] + 60), np.uint8)
    for x in xs:
        ink[ys[0] : ys[-1] + 1, x : x + 3] = 255
    for y in ys:
        ink[y : y + 3, xs[0] : xs[-1] + 3] = 255
    for left, top, right, bottom in missing:
        ink[top:bottom, left:right] = 0
    return ink


def read(text: str, *confidences: float) -> Recognised:
    return Recognised(text, confidences or (0.99,) * len(text))


def agreed(first: str, second: str, pieces: int | None = None) -> str:
    return agree([read(first)], [read(second)], len(first) if pieces is None else pieces)


# ---- grids


def test_ruling_lines_become_cells_in_reading_order() -> None:
    grids, lines = find_grids(ruled([50, 250, 450], [40, 100, 160]), GLYPH)
    assert [(c.row, c.column) for c in grids[0].cells] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert all(abs(a - b) <= 2 for a, b in zip(grids[0].column_edges, (51, 251, 451), strict=True))
    assert lines[70, 51] == 255


def test_a_missing_piece_of_line_merges_the_cells_beside_it() -> None:
    (grid,), _ = find_grids(ruled([50, 250, 450], [40, 100, 160], missing=((245, 45, 258, 98),)), GLYPH)
    assert [(c.row, c.column, c.row_span, c.column_span) for c in grid.cells] == [
        (0, 0, 1, 2),
        (1, 0, 1, 1),
        (1, 1, 1, 1),
    ]


def test_cells_that_merge_around_a_corner_become_a_rectangle() -> None:
    missing = ((245, 45, 258, 98), (55, 95, 248, 108))
    (grid,), _ = find_grids(ruled([50, 250, 450, 650], [40, 100, 160], missing=missing), GLYPH)
    assert [c.box[:3:2] for c in grid.cells] == [(51, 451), (451, 651), (451, 651)]
    assert [c.row_span for c in grid.cells] == [2, 1, 1]


def test_a_merged_label_spans_its_rows() -> None:
    (grid,), _ = find_grids(ruled([50, 250, 450], [40, 100, 160, 220], missing=((54, 95, 248, 108),)), GLYPH)
    assert (grid.cells[0].row_span, grid.cells[0].column_span) == (2, 1)


def test_small_gaps_in_a_line_do_not_merge_cells() -> None:
    gaps = tuple((x, 95, x + 6, 110) for x in range(70, 440, 90))
    (grid,), _ = find_grids(ruled([50, 250, 450], [40, 100, 160], missing=gaps), GLYPH)
    assert len(grid.cells) == 4


def test_a_stroke_inside_a_cell_is_no_border() -> None:
    ink = ruled([50, 250, 450], [40, 100, 160])
    ink[66:100, 150:153] = 255
    assert len(find_grids(ink, GLYPH)[0][0].cells) == 4


def test_lines_of_words_are_no_table() -> None:
    ink = np.zeros((300, 600), np.uint8)
    for y in range(40, 280, 45):
        for x in range(40, 540, 30):
            ink[y : y + 26, x : x + 3] = ink[y : y + 3, x : x + 24] = 255
    assert find_grids(ink, GLYPH)[0] == []


def test_a_frame_around_the_page_is_no_table() -> None:
    assert find_grids(ruled([20, 700], [20, 900]), GLYPH)[0] == []


def test_a_table_without_its_side_lines_keeps_its_outer_columns() -> None:
    ink = ruled([50, 250, 450], [40, 100, 160])
    ink[:, 45:56] = ink[:, 448:458] = 0
    ink[40:43, 50:453] = ink[100:103, 50:453] = ink[160:163, 50:453] = 255
    assert len(find_grids(ink, GLYPH)[0][0].cells) == 4


# ---- the page made even


@pytest.mark.parametrize("angle", [-4.6, -0.7, 0.0, 0.34, 3.3])
def test_the_skew_of_a_page_is_measured(angle: float) -> None:
    ink = ruled([150, 400, 700], list(range(150, 900, 50)))
    assert measure_skew(rotate(ink, angle, ground=0)) == pytest.approx(-angle, abs=0.06)


def test_a_grey_ground_with_a_cast_becomes_white_and_faint_print_dark() -> None:
    page = np.tile(np.linspace(225, 150, 600).astype(np.uint8), (400, 1))
    page[100:130, 100:104] -= 60
    page[100:130, 500:504] -= 60
    flat = flatten(page)
    assert flat[300:, :].min() > 200
    assert find_ink(flat)[115, [102, 502]].all()
    assert not find_ink(flat)[200:, :].any()


@pytest.mark.parametrize(("sigma", "rough"), [(3, False), (25, True)])
def test_thin_strokes_survive_on_smooth_ground_and_grain_is_no_ink(sigma: int, rough: bool) -> None:
    page = np.full((400, 600), 235.0) + np.random.default_rng(1).normal(0, sigma, (400, 600))
    page[100:300:40, 100:500] = 60  # strokes one pixel high
    flat = flatten(np.clip(page, 0, 255).astype(np.uint8))
    ink = find_ink(flat)
    assert is_noisy(flat) == rough
    assert (ink[310:, :] > 0).mean() < 0.005
    assert rough or ink[100:300:40, 110:490].all()


def test_small_print_is_enlarged() -> None:
    page = np.full((300, 400), 255, np.uint8)
    for x in range(40, 360, 12):
        cv2.putText(page, "8", (x, 100), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 0, 1)
    clean = clean_page(page)
    assert clean.grey.shape[1] > 2 * page.shape[1]
    assert clean.glyph > 17


# ---- cells


def test_only_a_cell_without_ink_is_empty_and_specks_are_no_ink() -> None:
    printed = np.zeros((120, 200), np.uint8)
    printed[40:43, 60:63] = 255
    assert find_cell_ink(printed, (0, 0, 200, 120), GLYPH).lines == ()
    printed[50:68, 100:103] = 255
    ink = find_cell_ink(printed, (0, 0, 200, 120), GLYPH)
    assert ink.lines == ((100, 50, 103, 68),)
    assert ink.pieces == 1


def test_strokes_of_a_character_stay_together_and_touching_lines_are_cut() -> None:
    amount = np.zeros(200, np.int64)
    amount[10:14] = amount[28:34] = 20
    assert split_rows(amount, GLYPH) == [(10, 34)]
    amount[100:160] = 20
    amount[129] = 1
    assert split_rows(amount, GLYPH)[1:] == [(100, 129), (129, 160)]


def test_two_readings_that_agree_are_taken() -> None:
    assert agreed("120", "120") == "120"
    assert agreed("1O2", "102") == "102"
    assert agreed("II", "11") == "11"


@pytest.mark.parametrize(
    ("first", "second", "pieces"),
    [("38", "36", 2), ("3", "", 1), ("", "8", 1), ("38", "38", 3), ("5", "-5", 1), ("1,2", "12", 2), ("十", "十", 1)],
)
def test_a_doubtful_figure_is_no_number(first: str, second: str, pieces: int) -> None:
    from loaders.text.numbers import is_value, parse_cell

    text = agreed(first, second, pieces)
    assert parse_cell(text).status is ValueStatus.ILLEGIBLE
    assert not is_value(text)


def test_an_unsure_digit_makes_the_figure_doubtful() -> None:
    assert agree([read("38", 0.99, 0.4)], [read("38")], 2) == "38|?"
    assert agree([read("38", 0.99, 0.8)], [read("38", 0.8, 0.99)], 2) == "38|?"
    assert agree([read("38", 0.99, 0.6)], [read("38")], 2) == "38"


def test_a_cell_with_ink_and_no_character_is_illegible_not_blank() -> None:
    assert agreed("", "", 1) == "?"


def test_figures_on_two_lines_are_never_glued() -> None:
    assert agree([read("12"), read("3")], [read("12"), read("3")], 2) == "12|3"


def test_a_dash_is_kept_and_the_numeral_one_is_left_open() -> None:
    assert agreed("—", "—", 1) == "—"
    assert agreed("一", "一", 1) == "一|—"


def test_letters_become_digits_only_among_digits() -> None:
    assert normalise("2O1") == "201"
    assert normalise("ＯＫ") == "OK"
    assert not may_be_value(["第20条"])
    assert may_be_value(["2O"])


def test_only_words_tell_that_a_page_is_upright() -> None:
    assert read("行政许可").sure_chinese == 4
    assert read("行政许可", 0.99, 0.99, 0.99, 0.7).sure_chinese == 3
    assert read("章").sure_chinese == 0
    assert read("行政许可", 0.6, 0.6, 0.6, 0.6).sure_chinese == 0


def test_prose_loses_the_numbers_that_are_in_doubt() -> None:
    line = Recognised("收到12件办结8件", (0.99, 0.99, 0.99, 0.4, 0.99, 0.99, 0.99, 0.99, 0.99))
    assert without_doubtful_digits(line) == "收到?件办结8件"


# ---- pages


def line(text: str, left: int, top: int, right: int) -> TextLine:
    return TextLine(text, (left, top, right, top + 26))


def test_lines_become_paragraphs_by_indent_and_by_full_lines() -> None:
    lines = [
        line("标题", 300, 20, 420),
        line("第一段开头到行末", 150, 80, 700),
        line("第一段结尾。", 100, 120, 300),
        line("第二段", 150, 160, 400),
    ]
    texts = [p.text for p in paragraphs(lines, GLYPH)]
    assert texts == ["标题", "第一段开头到行末第一段结尾。", "第二段"]


def page_table(edges: tuple[int, ...], *texts: str) -> _PageTable:
    return _PageTable(tuple(Slot(t, 0, n) for n, t in enumerate(texts)), edges, 1, 100)


def test_a_table_that_goes_on_over_the_page_is_one_table() -> None:
    first, second = page_table((100, 300, 500), "a", "1"), page_table((112, 311, 512), "b", "2")
    ((page, table),) = [p for p in _joined([(1, first), (2, second)]) if isinstance(p[1], _JoinedTable)]
    assert isinstance(table, _JoinedTable)
    assert (page, [s.text for s in table.slots]) == (1, ["a", "1", "b", "2"])
    assert [s.row for s in table.slots] == [0, 0, 1, 1]


def test_page_numbers_do_not_part_a_table_and_words_do() -> None:
    first, second = page_table((100, 300, 500), "a", "1"), page_table((100, 300, 500), "b", "2")
    number, words = _PageParagraph("- 2 -", 900), _PageParagraph("四、其他情况", 50)
    tables = [p for _, p in _joined([(1, first), (1, number), (2, second)]) if isinstance(p, _JoinedTable)]
    assert len(tables) == 1
    tables = [p for _, p in _joined([(1, first), (2, words), (2, second)]) if isinstance(p, _JoinedTable)]
    assert len(tables) == 2


def test_a_page_that_lacks_an_inner_edge_spans_it() -> None:
    first, second = page_table((100, 200, 300, 500), "a", "b", "1"), page_table((100, 300, 500), "c", "2")
    ((_, table),) = _joined([(1, first), (2, second)])
    assert isinstance(table, _JoinedTable)
    assert [(s.text, s.column, s.column_span) for s in table.slots[3:]] == [("c", 0, 2), ("2", 2, 1)]


def test_tables_with_other_columns_stay_apart() -> None:
    first, second = page_table((100, 300, 500), "a", "1"), page_table((100, 240, 500), "b", "2")
    assert len(_joined([(1, first), (2, second)])) == 2


# ---- files


def save(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF"])
def test_every_kind_of_picture_is_decoded(kind: str) -> None:
    pages = list(decode_picture(save(Image.new("L", (40, 30), 200), kind)))
    assert [p.shape for p in pages] == [(30, 40)]
    assert abs(int(pages[0].mean()) - 200) < 3


def test_a_tiff_has_pages_and_a_gif_only_its_first_frame() -> None:
    frames = [Image.new("L", (20, 20), n * 80) for n in range(3)]
    assert len(list(decode_picture(save(frames[0], "TIFF", save_all=True, append_images=frames[1:])))) == 3
    assert len(list(decode_picture(save(frames[0], "GIF", save_all=True, append_images=frames[1:])))) == 1


def test_transparent_ground_is_white() -> None:
    page = next(decode_picture(save(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG")))
    assert page.min() == 255


def png_header(width: int, height: int, body: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (png_header(60_000, 60_000), "hostile_structure"),
        (png_header(12_000, 12_000), "hostile_structure"),
        (png_header(12_000, 12_000, bytes(100_000)), "too_large"),
        (png_header(300, 200, b"no data"), "damaged_document"),
        (b"\x89PNG\r\n\x1a\n", "damaged_document"),
        (png_header(90_000, 30), "unsupported_format"),
    ],
)
def test_bombs_and_damaged_pictures_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(DocumentRejected) as refused:
        read_picture(data)
    assert refused.value.reject_code == code


def test_the_limit_allows_a_page_at_600_dpi() -> None:
    assert MAX_PIXELS > 4960 * 7016


def test_a_damaged_pdf_is_refused() -> None:
    with pytest.raises(DocumentRejected) as refused:
        read_scanned_pdf(b"%PDF-1.4 and nothing else")
    assert refused.value.reject_code == "damaged_document"


def test_without_the_extra_the_document_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    for reader in (read_picture, read_scanned_pdf):
        with pytest.raises(DocumentRejected, match=r"gongkai\[ocr\]") as refused:
            reader(b"\x89PNG")
        assert refused.value.reject_code == "needs_ocr"


def test_an_empty_page_is_an_empty_document() -> None:
    with pytest.raises(DocumentRejected) as refused:
        read_picture(save(Image.new("L", (400, 500), 255), "PNG"))
    assert refused.value.reject_code == "empty_document"


# ---- from end to end


@needs_font
def test_a_scanned_form_is_read_and_nothing_is_wrong() -> None:
    form = draw_form("fmt2021", 5, tables="article20")
    assert len(form.pages) == 1
    data = spoil(form.pages[0], 5)
    reading = read_document(data, "scan.jpg")
    assert reading.reject_code is None
    report = reading.reports[0]
    rows = {(r.metric_code, r.applicant_type): r for r in report.metric_rows if r.source_kind is SourceKind.TABLE}
    right = 0
    for key, printed in form.values.items():
        row = rows.get(key)
        if row is None or row.value_status is ValueStatus.ILLEGIBLE:
            continue
        assert row.value == (None if printed is None else Decimal(printed)), key
        right += 1
    assert right >= len(form.values) - 1
    assert report.identity.report_year == 2022


@needs_font
def test_a_scanned_pdf_lying_on_its_side_is_turned() -> None:
    page = draw_form("fmt2021", 5, tables="article20_1").pages[0].crop((0, 0, 1654, 800))
    data = as_pdf([spoil(page.rotate(90, expand=True), 5, angle=0.0)], 200)
    document = read_scanned_pdf(data)
    assert document.is_read_by_ocr
    assert document.media_type == "application/pdf"
    titles = [block.text for block in document.blocks if isinstance(block, Paragraph)]
    assert any("政府信息公开工作年度报告" in text for text in titles)
    (table,) = [block for block in document.blocks if isinstance(block, Table)]
    assert table.rows[0][0].column_span == 4
    assert table.rows[0][0].place.page == 1
