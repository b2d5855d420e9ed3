"""PDF files drawn for the tests, read back: every figure right or absent, cells and paragraphs as printed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pypdfium2
import pypdfium2.raw as pdfium
import pytest

pytest.importorskip("reportlab")

from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from loaders.errors import DocumentRejected
from loaders.model import Document, Table
from loaders.readers.pdf import _without_numbers_over_tables, read_pdf
from loaders.readers.pdf_font import box_font
from loaders.readers.pdf_page import Glyph, PageContent, read_pages
from loaders.readers.pdf_text import cell_text
from loaders.reading import read_document
from tests.loaders.pdf_print import FONT, PROSE, Box, Print, Printed, Printer, print_report, text_width

pdfmetrics.registerFont(UnicodeCIDFont(FONT))


def read_values(printed: Printed) -> tuple[int, list]:
    """How many figures were read, and those that are not what was printed."""
    reading = read_document(printed.data, "form.pdf")
    assert reading.reject_code is None
    got = {
        (row.metric_code, row.applicant_type): row.value
        for row in reading.reports[0].metric_rows
        if row.place.table is not None and row.metric_code
    }
    wrong = [
        (key, text, got[key])
        for key, text in printed.values.items()
        if key in got and got[key] != (Decimal(text) if text else None)
    ]
    return sum(key in got for key in printed.values), wrong


WAYS = {
    "stroke": Print(),
    "blanks": Print(blank=0.4),
    "thin shapes": Print(lines="rect", blank=0.1),
    "a box a cell": Print(lines="boxes"),
    "dashes": Print(lines="dashes"),
    "double": Print(lines="double"),
    "pieces": Print(lines="pieces"),
    "large": Print(font_size=13),
    "rows cut, lines closed": Print(cuts_rows=True, font_size=12),
    "rows cut, lines open": Print(cuts_rows=True, closes_cuts=False, font_size=12),
    "heading repeated": Print(repeats_header=3),
    "landscape": Print(size=(842.0, 595.0)),
    "turned page": Print(size=(842.0, 595.0), turn=90),
    "running heading": Print(header="样例局文件", footer="第{page}页"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form_code", ["fmt2019", "fmt2021", "nat2014"])
def test_a_ruled_form_is_read_back(form_code: str, way: str) -> None:
    how = WAYS[way]
    if form_code == "nat2014" and how.repeats_header:
        how = Print(repeats_header=1)
    printed = print_report(form_code, len(way), how)
    count, wrong = read_values(printed)
    assert not wrong
    assert count == len(printed.values)


@pytest.mark.parametrize("form_code", ["fmt2019", "fmt2021", "nat2014"])
@pytest.mark.parametrize("how", [Print(has_outer=False), Print(lines="none"), Print(lines="none", blank=0.3)])
def test_missing_lines_never_give_a_wrong_value(form_code: str, how: Print) -> None:
    printed = print_report(form_code, 3, how)
    count, wrong = read_values(printed)
    assert not wrong
    if how.lines != "none":
        assert count > len(printed.values) * 0.9


def test_a_long_table_is_one_table_with_its_pages() -> None:
    document = read_pdf(print_report("fmt2021", 1, Print(repeats_header=3)).data)
    requests = document.tables[1]
    assert len(requests.rows) == 3 + 25
    assert requests.grid is not None
    assert {len(row) for row in requests.grid} == {10}
    pages = [row[-1].place.page for row in requests.rows]
    first = pages[0]
    assert first is not None
    assert sorted(set(pages)) == [first, first + 1, first + 2]
    assert pages == sorted(pages)


def test_merged_cells_have_their_spans() -> None:
    table = read_pdf(print_report("fmt2021", 1).data).tables[2]
    assert table.grid is not None
    assert [(c.text, c.row_span, c.column_span) for c in table.rows[0]] == [("行政复议", 1, 5), ("行政诉讼", 1, 10)]
    assert table.rows[1][0].row_span == 2
    assert table.grid[2][0] is table.grid[1][0]
    assert len(table.rows[3]) == 15


def draw(*pages, **options) -> bytes:
    """A file with a drawing a page; a drawing takes the canvas (y upwards from the lower left corner)."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(595, 842), **options)
    for page in pages:
        canvas.setFont(FONT, 12)
        page(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def grid_lines(canvas: Canvas, xs: list[float], ys: list[float]) -> None:
    for x in xs:
        canvas.line(x, ys[0], x, ys[-1])
    for y in ys:
        canvas.line(xs[0], y, xs[-1], y)


def filler(canvas: Canvas) -> None:
    canvas.drawString(60, 780, "这一页的文字只是为了让它不是扫描件，所以写得稍微长一点，没有别的意思。")


def only_table(document: Document) -> Table:
    (table,) = document.tables
    return table


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_numbers_wrapped_in_a_full_cell_are_joined_and_others_are_not() -> None:
    def page(canvas: Canvas) -> None:
        filler(canvas)
        grid_lines(canvas, [100, 140, 240], [600, 640])
        canvas.drawString(105, 625, "12345")
        canvas.drawString(105, 610, "67")
        canvas.drawString(150, 625, "123")
        canvas.drawString(150, 610, "45")

    assert texts(only_table(read_pdf(draw(page)))) == [["1234567", "123\n45"]]


def test_text_wider_than_its_cell_stays_whole() -> None:
    def page(canvas: Canvas) -> None:
        filler(canvas)
        grid_lines(canvas, [100, 140, 180, 220], [600, 640])
        canvas.drawString(132, 615, "123456789")

    assert texts(only_table(read_pdf(draw(page)))) == [["", "123456789", ""]]


def test_headings_down_the_cell_are_turned_upright() -> None:
    def page(canvas: Canvas) -> None:
        filler(canvas)
        grid_lines(canvas, [100, 140, 180, 260], [500, 640])
        for n, char in enumerate("办理结果"):
            canvas.drawString(114, 620 - 15 * n, char)
        canvas.saveState()
        canvas.translate(165, 530)
        canvas.rotate(90)
        canvas.drawString(0, 0, "结果维持")
        canvas.restoreState()
        canvas.drawString(200, 560, "31")

    assert texts(only_table(read_pdf(draw(page)))) == [["办理结果", "结果维持", "31"]]


def test_a_row_without_lines_at_the_cut_is_sewn_and_a_closed_one_is_kept() -> None:
    def upper(is_open: bool):
        def page(canvas: Canvas) -> None:
            filler(canvas)
            ys = [60, 120, 160] if is_open else [90, 120, 160]
            grid_lines(canvas, [100, 300, 400], ys[1:])
            for x in (100, 300, 400):
                canvas.line(x, ys[0], x, ys[1])
            if not is_open:
                canvas.line(100, 90, 400, 90)
            canvas.drawString(105, 135, "第一行")
            canvas.drawString(320, 135, "5")
            canvas.drawString(105, 100, "第二行的名称很长")
            canvas.drawString(320, 100, "7")

        return page

    def lower(is_open: bool):
        def page(canvas: Canvas) -> None:
            grid_lines(canvas, [100, 300, 400], [700, 740])
            for x in (100, 300, 400):
                canvas.line(x, 740, x, 780)
            if not is_open:
                canvas.line(100, 780, 400, 780)
            canvas.drawString(105, 755, "写到了下一页")
            canvas.drawString(105, 715, "第三行")
            canvas.drawString(320, 715, "9")

        return page

    sewn = only_table(read_pdf(draw(upper(True), lower(True))))
    assert texts(sewn) == [["第一行", "5"], ["第二行的名称很长\n写到了下一页", "7"], ["第三行", "9"]]
    kept = only_table(read_pdf(draw(upper(False), lower(False))))
    assert texts(kept) == [["第一行", "5"], ["第二行的名称很长", "7"], ["写到了下一页", ""], ["第三行", "9"]]


def test_frames_and_single_columns_are_no_tables() -> None:
    def page(canvas: Canvas) -> None:
        filler(canvas)
        canvas.rect(40, 40, 515, 760)
        canvas.rect(60, 600, 300, 60)
        canvas.line(60, 630, 360, 630)
        canvas.drawString(70, 610, "框里的文字")
        canvas.setFillGray(0.9)
        canvas.rect(60, 400, 300, 60, stroke=0, fill=1)

    document = read_pdf(draw(page))
    assert not document.tables
    assert "框里的文字" in document.text


def test_a_slanted_watermark_is_left_out() -> None:
    def page(canvas: Canvas) -> None:
        filler(canvas)
        grid_lines(canvas, [100, 200, 300], [600, 640])
        canvas.drawString(110, 615, "数量")
        canvas.drawString(210, 615, "8")
        canvas.saveState()
        canvas.translate(150, 560)
        canvas.rotate(35)
        canvas.drawString(0, 0, "仅供内部使用123456")
        canvas.restoreState()

    assert texts(only_table(read_pdf(draw(page)))) == [["数量", "8"]]


def test_wrapped_lines_are_one_paragraph_without_blanks() -> None:
    printer = Printer(Print(size=(400.0, 600.0)))
    printer.paragraph("一、总体情况")
    printer.paragraph(PROSE)
    printer.paragraph("第二段从这里开始，也有足够的文字可以换行，以便看出它是另外的一段。")
    paragraphs = [p.text for p in read_pdf(printer.finish()).paragraphs]
    assert paragraphs == [
        "一、总体情况",
        PROSE,
        "第二段从这里开始，也有足够的文字可以换行，以便看出它是另外的一段。",
    ]


def test_a_number_wrapped_in_prose_is_joined() -> None:
    for lead in range(8, 20):
        text = "本" * lead + "年共收到申请3050件，办结3049件，" * 4 + "特此报告。"
        printer = Printer(Print(size=(420.0, 600.0)))
        printer.paragraph(text)
        assert [p.text for p in read_pdf(printer.finish()).paragraphs] == [text]


@pytest.mark.parametrize("footer", ["- {page} -", "{page}", "第{page}页", "{page}/9", "样例局 第 {page} 页"])
def test_page_numbers_are_dropped_and_paragraphs_go_on(footer: str) -> None:
    printer = Printer(Print(size=(420.0, 300.0), footer=footer, header="样例文件"))
    text = "这是一段很长的文字，" * 40 + "完毕。"
    printer.paragraph(text)
    document = read_pdf(printer.finish())
    assert printer.page > 2
    assert [p.text for p in document.paragraphs] == ["样例文件", text]
    assert document.paragraphs[-1].place.page == 1


def test_numbers_inside_a_page_are_kept() -> None:
    def page(canvas: Canvas) -> None:
        filler(canvas)
        canvas.drawString(60, 500, "- 4 -")
        canvas.drawString(60, 470, "7")
        canvas.drawString(60, 440, "末行文字")

    paragraphs = ["".join(p.text.split()) for p in read_pdf(draw(page)).paragraphs]
    assert "-4-" in paragraphs
    assert "7" in paragraphs


def test_the_second_reading_is_the_text_of_each_page() -> None:
    printed = print_report("fmt2021", 5)
    text = read_pdf(printed.data).other_text or ""
    assert all(value in text for value in printed.values.values())


def test_pages_that_are_pictures_are_named() -> None:
    picture = io.BytesIO()
    from PIL import Image

    Image.new("L", (40, 60), 200).save(picture, "PNG")
    picture.seek(0)

    def scan(canvas: Canvas) -> None:
        canvas.drawImage(ImageReader(picture), 0, 0, 595, 842)

    def text(canvas: Canvas) -> None:
        for n in range(6):
            canvas.drawString(60, 780 - 20 * n, "这一页的文字足够多，所以整个文件不是扫描件。")

    data = draw(text, scan)
    document = read_pdf(data)
    assert [issue.issue_code for issue in document.issues] == ["page_unread"]
    assert "page 2" in document.issues[0].message
    assert len(document.paragraphs) > 0


def rejection(data: bytes) -> str:
    with pytest.raises(DocumentRejected) as caught:
        read_pdf(data)
    return caught.value.reject_code


def test_locked_files_are_refused_and_open_passwords_are_tried() -> None:
    assert rejection(draw(filler, encrypt=StandardEncryption("secret", "owner"))) == "encrypted_document"
    assert read_pdf(draw(filler, encrypt=StandardEncryption("", "owner"))).paragraphs


def test_files_cut_off_or_broken_are_refused() -> None:
    data = print_report("nat2014", 1).data
    for share in (0.1, 0.5, 0.9):
        assert rejection(data[: int(len(data) * share)]) == "damaged_document"
    assert rejection(b"%PDF-1.7\nnothing here\n%%EOF\n") == "damaged_document"


def test_files_with_too_much_in_them_are_refused() -> None:
    assert rejection(draw(*[lambda canvas: None] * 501)) == "hostile_structure"

    def dots(canvas: Canvas) -> None:
        for n in range(60_100):
            canvas.rect(n % 500, n % 800, 1, 1)

    assert rejection(draw(dots)) == "hostile_structure"


def test_widths_of_the_printer_are_those_of_the_font() -> None:
    assert text_width("本1", 10) == 15
    assert Box("本", 0, 0).row_span == 1


def test_a_number_cut_by_the_page_is_whole_and_rows_are_never_mixed() -> None:
    def upper(canvas: Canvas) -> None:
        filler(canvas)
        grid_lines(canvas, [100, 200, 235, 335], [60, 90, 120])
        canvas.drawString(105, 100, "1.第一行")
        canvas.drawString(205, 100, "3")
        canvas.drawString(105, 70, "2.名称很长")
        canvas.drawString(205, 70, "4362")
        canvas.drawString(240, 70, "71")

    def lower(label: str, last: str):
        def page(canvas: Canvas) -> None:
            grid_lines(canvas, [100, 200, 235, 335], [740, 780])
            canvas.drawString(105, 755, label)
            canvas.drawString(205, 755, "8")
            canvas.drawString(240, 755, last)

        return page

    first, second = ["1.第一行", "3", ""], ["2.名称很长", "4362", "71"]
    assert texts(only_table(read_pdf(draw(upper, lower("的其余部分", ""))))) == [
        first,
        ["2.名称很长\n的其余部分", "43628", "71"],
    ]
    for label, last in (("3.另一行", ""), ("另一行", "5")):
        assert texts(only_table(read_pdf(draw(upper, lower(label, last))))) == [first, second, [label, "8", last]]


def _column(digits: str, size: float = 12.0) -> list[Glyph]:
    """Digits one under the other in the middle of a cell."""
    return [
        Glyph(digit, 7.0, 7.0 + size / 2, 20.0 + 15.0 * n, size, 0, (7.0, 10.0 + 15.0 * n, 13.0, 20.0 + 15.0 * n))
        for n, digit in enumerate(digits)
    ]


def test_digits_down_a_cell_are_one_number_only_where_two_have_no_room_side_by_side() -> None:
    assert cell_text(_column("114"), 20.0) == "114"
    assert cell_text(_column("114"), 30.0) == "1\n1\n4"


def test_a_page_number_over_the_end_of_a_table_is_no_figure() -> None:
    def page(number: int, text: str) -> PageContent:
        glyphs = [Glyph(c, 300.0 + 6 * n, 306.0 + 6 * n, 800.0, 10.0, 0, (0, 0, 0, 0)) for n, c in enumerate(text)]
        return PageContent(number, 595.0, 842.0, glyphs)

    kept = _without_numbers_over_tables([page(1, "-1-"), page(2, "-2-"), page(3, "-7-")])
    assert ["".join(glyph.text for glyph in content.glyphs) for content in kept] == ["", "", "-7-"]


# ---- fonts that a file does not hold


def standing_alone(canvas: Canvas) -> None:
    filler(canvas)
    canvas.drawString(210, 615, "8")
    canvas.drawString(110, 515, "本")


def text_by_pdfium(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    try:
        text: str = document[0].get_textpage().get_text_range()
        return text
    finally:
        document.close()


def picture(data: bytes) -> bytes:
    document = pypdfium2.PdfDocument(data)
    try:
        return bytes(document[0].render(scale=1).buffer)
    finally:
        document.close()


@pytest.fixture
def no_fonts() -> Iterator[None]:
    """As on a machine without any font."""
    kinds = dict(pdfium.FPDF_SYSFONTINFO._fields_)
    none = pdfium.FPDF_SYSFONTINFO(
        version=1, MapFont=kinds["MapFont"](lambda *_: None), GetFont=kinds["GetFont"](lambda *_: None)
    )
    pdfium.FPDF_SetSystemFontInfo(none)
    yield
    with box_font():
        pass


@pytest.mark.usefixtures("no_fonts")
def test_characters_that_stand_alone_are_read_without_fonts_of_the_machine() -> None:
    data = draw(standing_alone)
    assert "本" not in text_by_pdfium(data)
    (content,) = read_pages(data)
    places = {glyph.text: (round(glyph.x0), round(content.height - glyph.y)) for glyph in content.glyphs}
    assert places["8"] == (210, 615)
    assert places["本"] == (110, 515)
    assert "8" in content.text_order
    assert "本" in content.text_order


def test_pictures_have_the_fonts_of_the_machine_after_a_reading() -> None:
    data = draw(standing_alone)
    before = picture(data)
    with box_font():
        assert picture(data) != before
    assert read_pages(data)
    assert picture(data) == before
    overfull = draw(lambda canvas: [canvas.rect(n % 500, n % 800, 1, 1) for n in range(60_100)])
    for refused in (b"%PDF-1.7\nnothing here\n%%EOF\n", overfull):
        with pytest.raises(DocumentRejected):
            read_pages(refused)
        assert picture(data) == before


def test_threads_wait_for_each_other() -> None:
    data = draw(standing_alone)
    with ThreadPoolExecutor(1) as threads:
        with box_font():
            waiting = threads.submit(read_pages, data)
            with pytest.raises(TimeoutError):
                waiting.result(0.5)
        assert waiting.result(60) == read_pages(data)
