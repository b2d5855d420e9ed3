"""Workbooks: cells with their spans, figures as printed, lines around tables, and what is refused."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
from collections.abc import Callable
from decimal import Decimal
from functools import cache

import olefile
import openpyxl
import pytest
import xlwt
from openpyxl.styles import Font

from loaders.errors import DocumentRejected
from loaders.model import Document
from loaders.readers.build import Slot
from loaders.readers.sheet import read_sheet
from loaders.reading import read_document
from tests.loaders.word_forms import lay_out, sheets, to_xls, to_xlsx

WRITERS = {"xlsx": to_xlsx, "xls": to_xls}


def xlsx(fill: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.Workbook()
    fill(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def one_sheet(rows: list[list[object]], merges: tuple[str, ...] = ()) -> Document:
    def fill(book: openpyxl.Workbook) -> None:
        for row in rows:
            book.active.append(row)
        for merge in merges:
            book.active.merge_cells(merge)

    return read_sheet(xlsx(fill))


def xls(fill: Callable[[xlwt.Worksheet], None]) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    fill(book.add_sheet("表"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def grid(document: Document, table: int = 0) -> list[list[str]]:
    known = document.tables[table].grid
    assert known is not None
    return [["~" if c is None else c.text for c in row] for row in known]


def prose(document: Document) -> list[str]:
    return [p.text for p in document.paragraphs]


def code_of(data: bytes) -> str:
    with pytest.raises(DocumentRejected) as refused:
        read_sheet(data)
    return refused.value.reject_code


def rewritten(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """A workbook with its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


def patched(data: bytes, find: bytes, at: int, new: bytes) -> bytes:
    """A binary workbook with bytes changed after the first place of others in its stream."""
    out = io.BytesIO(data)
    with olefile.OleFileIO(out, write_mode=True) as ole:
        content = bytearray(ole.openstream("Workbook").read())
        start = content.index(find) + at
        content[start : start + len(new)] = new
        ole.write_stream("Workbook", bytes(content))
        return out.getvalue()


# ---- tables


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("form_code", ["nat2014", "fmt2019", "fmt2021"])
def test_the_statutory_tables_keep_every_cell_and_span(form_code: str, kind: str) -> None:
    report = lay_out(form_code, 5, blank=0.2)
    data = WRITERS[kind](report)
    document = read_sheet(data)
    assert [table.place.page for table in document.tables] == [n for n, _, _ in sheets(report)]
    for table, (_, heading, slots) in zip(document.tables, sheets(report), strict=True):
        got = {
            Slot(c.text, (c.place.row or 0) - 1, (c.place.column or 0) - 1, c.row_span, c.column_span)
            for row in table.rows
            for c in row
        }
        # A first line as wide as the table is a line above it.
        lines = 0 if any(p.text == heading and p.place.page == table.place.page for p in document.paragraphs) else -1
        lines += sum(slot.text in prose(document) for slot in slots if slot.row == 0)
        assert lines in (0, 1)
        assert got == {
            Slot(s.text, s.row - lines, s.column, s.row_span, s.column_span) for s in slots if s.row >= lines
        }
    reading = read_document(data, "report")
    read = {(r.metric_code, r.applicant_type): r.value for r in reading.reports[0].metric_rows if r.metric_code}
    assert read == {key: None if text is None else Decimal(text) for key, text in report.values.items()}


def test_figures_are_written_as_printed_and_blanks_stay() -> None:
    document = one_sheet(
        [["项目", "数量"], ["甲", 5], ["乙", 187.8192], ["丙", None], ["丁", 0.1 + 0.2], ["戊", -3], ["己", True]]
    )
    assert grid(document) == [
        ["项目", "数量"],
        ["甲", "5"],
        ["乙", "187.8192"],
        ["丙", ""],
        ["丁", "0.3"],
        ["戊", "-3"],
        ["己", "TRUE"],
    ]


@pytest.mark.parametrize("large", [1e15, 12345678901])
def test_no_figure_has_an_exponent(large: float) -> None:
    assert grid(one_sheet([["甲", "乙"], ["丙", large]]))[1][1] == str(int(large))


FORMATS = [
    (0.5, "0%", "50%"),
    (0.125, "0.0%", "12.5%"),
    (12.5, '0.00"万元"', "12.5万元"),
    (1234, "#,##0_ ", "1234"),
    (12345, "0!.0,", "12345 [0!.0,]"),
    (12345, "0,", "12345 [0,]"),
    (7, "General", "7"),
    (-4, "0_ ;[Red]-0 ", "-4"),
]


@pytest.mark.parametrize(("value", "number_format", "printed"), FORMATS)
def test_a_number_format_that_prints_something_else_is_not_passed_over(
    value: float, number_format: str, printed: str
) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        book.active.append(["甲", "乙"])
        book.active.append(["丙", value])
        book.active["B2"].number_format = number_format

    def write(sheet: xlwt.Worksheet) -> None:
        sheet.write(0, 0, "甲")
        sheet.write(0, 1, "乙")
        sheet.write(1, 0, "丙")
        sheet.write(1, 1, value, xlwt.easyxf(num_format_str=number_format))

    assert grid(read_sheet(xlsx(fill)))[1] == ["丙", printed]
    assert grid(read_sheet(xls(write)))[1] == ["丙", printed]


def test_a_formula_without_a_result_is_no_blank() -> None:
    assert grid(one_sheet([["甲", "乙"], [3, "=SUM(A2:A2)"]]))[1] == ["3", "=SUM(A2:A2)"]


def test_lines_above_and_below_a_table_are_paragraphs() -> None:
    rows = [
        ["县档案局2016年政府信息公开情况统计表", None, None],
        [None, None, "单位：件"],
        ["指标", "单位", "数量"],
        ["收到", "件", 3],
        ["办结", None, None],
        ["注：数据截至年底。", None, None],
    ]
    document = one_sheet(rows, ("A1:C1", "A6:C6"))
    assert prose(document) == ["县档案局2016年政府信息公开情况统计表", "单位：件", "注：数据截至年底。"]
    # A label with nothing beside it stays a row of blanks.
    assert grid(document) == [["指标", "单位", "数量"], ["收到", "件", "3"], ["办结", "", ""]]


def test_a_heading_over_a_part_of_the_columns_stays_in_the_table() -> None:
    rows = [[None, "申请人情况", None], [None, "自然人", "总计"], ["新收", 1, 2]]
    document = one_sheet(rows, ("A1:A2", "B1:C1"))
    assert grid(document) == [["", "申请人情况", "申请人情况"], ["", "自然人", "总计"], ["新收", "1", "2"]]


def test_a_gap_and_a_title_begin_another_table() -> None:
    rows = [["甲", "乙"], ["丙", 1], [None, None], ["丁", 2], [None, None], ["三、申请", None], ["戊", 3]]
    document = one_sheet(rows)
    assert grid(document) == [["甲", "乙"], ["丙", "1"], ["丁", "2"]]
    assert prose(document) == ["三、申请"]
    assert grid(document, 1) == [["戊", "3"]]


def test_hidden_and_empty_sheets_are_left_out_and_pages_are_sheets() -> None:
    def fill(book: openpyxl.Workbook) -> None:
        book.active.append(["甲", 1])
        hidden = book.create_sheet("藏")
        hidden.append(["乙", 2])
        hidden.sheet_state = "hidden"
        book.create_sheet("空")
        book.create_sheet("末").append(["丙", 3])

    document = read_sheet(xlsx(fill))
    assert [(grid(document, n), t.place.page) for n, t in enumerate(document.tables)] == [
        ([["甲", "1"]], 1),
        ([["丙", "3"]], 4),
    ]


def test_what_a_merge_covers_is_not_printed() -> None:
    data = xlsx(lambda book: [book.active.append(row) for row in (["甲", "藏", 1], ["乙", "丙", 2])])
    merge = b'<mergeCells count="1"><mergeCell ref="A1:B1"/></mergeCells><pageMargins'
    covered = rewritten(data, lambda name, part: part.replace(b"<pageMargins", merge))
    assert grid(read_sheet(covered)) == [["甲", "甲", "1"], ["乙", "丙", "2"]]
    # Nor does it make a table of a title.
    title = rewritten(data, lambda name, part: part.replace(b"<pageMargins", merge.replace(b"A1:B1", b"A1:C1")))
    assert (prose(read_sheet(title)), grid(read_sheet(title))) == (["甲"], [["乙", "丙", "2"]])


# ---- what is refused


@cache
def small_workbook(kind: str) -> bytes:
    return WRITERS[kind](lay_out("fmt2021", 1))


def test_cells_far_apart_are_refused_before_they_take_memory() -> None:
    data = xlsx(lambda book: [book.active.cell(1, 1, "甲"), book.active.cell(1_048_576, 16_384, 1)])
    assert code_of(data) == "hostile_structure"
    # The reference may be all that says where a cell is.
    near = xlsx(lambda book: book.active.append(["甲", 1]))
    moved = rewritten(near, lambda name, part: part.replace(b'r="B1"', b'r="XFD1048576"'))
    assert code_of(moved) == "hostile_structure"
    outside = rewritten(near, lambda name, part: part.replace(b'r="B1"', b'r="ZZZZZ9"'))
    assert code_of(outside) == "hostile_structure"
    far = xls(lambda sheet: [sheet.write(0, 0, "甲"), sheet.write(65_535, 255, 1)])
    assert code_of(far) == "hostile_structure"


def test_a_format_far_away_is_no_cell() -> None:
    def fill(book: openpyxl.Workbook) -> None:
        book.active.append(["甲", 1])
        book.active["XFD1048576"].font = Font(bold=True)

    assert grid(read_sheet(xlsx(fill))) == [["甲", "1"]]


def test_a_rectangle_that_is_only_claimed_does_not_count() -> None:
    data = xls(lambda sheet: [sheet.write(0, 0, "甲"), sheet.write(0, 1, 1)])
    dimensions = struct.pack("<HH", 0x200, 14)
    claimed = patched(data, dimensions, 4, struct.pack("<IIHH", 0, 0xFFFFFFFF, 0, 0xFFFF))
    assert grid(read_sheet(claimed)) == [["甲", "1"]]


def test_bombs_and_document_types_are_refused() -> None:
    data = xlsx(lambda book: book.active.append(["甲", 1]))

    def bomb(name: str, part: bytes) -> bytes:
        return part + b" " * 3_000_000 if name == "xl/workbook.xml" else part

    assert code_of(rewritten(data, bomb)) == "hostile_structure"

    def declare(name: str, part: bytes) -> bytes:
        entities = b'<!DOCTYPE x [<!ENTITY e "e">]><worksheet'
        return part.replace(b"<worksheet", entities) if "worksheets/" in name else part

    assert code_of(rewritten(data, declare)) == "hostile_structure"


def test_encrypted_workbooks_are_refused() -> None:
    data = xls(lambda sheet: sheet.write(0, 0, "甲"))
    # The record after the first one becomes the one that stands for a password.
    begin = struct.pack("<HH", 0x809, 16)
    assert code_of(patched(data, begin, 20, b"\x2f\x00")) == "encrypted_document"


@pytest.mark.parametrize("kind", WRITERS)
def test_broken_workbooks_are_refused(kind: str) -> None:
    data = WRITERS[kind](lay_out("nat2014", 1))
    for share in (3, 2):
        assert code_of(data[: len(data) // share]) == "damaged_document"
    assert code_of(data[:8] + b"\0" * 3000) == "damaged_document"


def test_an_empty_workbook_is_refused() -> None:
    assert code_of(xlsx(lambda book: None)) == "empty_document"


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("seed", range(30))
def test_a_workbook_with_changed_bytes_is_read_or_refused(kind: str, seed: int) -> None:
    data = bytearray(small_workbook(kind))
    for n in range(12):
        data[(seed * 7919 + n * 104729) % len(data)] = (seed * 31 + n * 17) % 256
    # Any other exception than the refusal ends the test.
    with contextlib.suppress(DocumentRejected):
        assert read_sheet(bytes(data)).text
