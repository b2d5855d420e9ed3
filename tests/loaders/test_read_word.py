"""Word files: grids with their spans, what is printed and what is not, and what is refused."""

from __future__ import annotations

import contextlib
import io
import shutil
import struct
import zipfile
from decimal import Decimal
from pathlib import Path

import olefile
import pytest

from loaders.errors import DocumentRejected
from loaders.model import Document, MetadataName, Table
from loaders.readers.build import Slot
from loaders.readers.libreoffice import convert_to_docx, find_soffice
from loaders.readers.word import read_doc, read_docx
from loaders.readers.word_binary import read_binary_blocks
from loaders.readers.word_numbering import format_number
from loaders.reading import read_document
from tests.loaders.word_forms import LaidOut, lay_out, to_docx

GOLDEN = Path(__file__).parents[1] / "golden" / "office"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
MARKUP = "http://schemas.openxmlformats.org/markup-compatibility/2006"
RESTART = "<w:vMerge w:val='restart'/>"
RAISED = "<w:vertAlign w:val='superscript'/>"
FEATURES = [
    "石桥镇2022年政府信息公开工作年度报告",
    "可见文字新增的",
    "共收到申请27件，其中3^1件办结。",
    "脚注前脚注后",
    [
        [("项目", 1, 2), ("甲", 1, 1)],
        [("合并", 2, 1), ("第一\n第二", 1, 1), ("-5", 1, 1)],
        [("空白", 1, 1), ("", 1, 1)],
        [("内含", 1, 2), ("子一 | 8\n子二 | 9", 1, 1)],
    ],
    [[("子一", 1, 1), ("8", 1, 1)], [("子二", 1, 1), ("9", 1, 1)]],
    "全文完",
]


def package(body: str, namespace: str = WORD, **parts: str) -> bytes:
    """A Word file of a body and further parts, named by their stem."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        root = f'<w:document xmlns:w="{namespace}" xmlns:mc="{MARKUP}"><w:body>{body}</w:body></w:document>'
        archive.writestr("word/document.xml", root)
        for stem, content in parts.items():
            archive.writestr(f"word/{stem}.xml", f'<w:{stem} xmlns:w="{namespace}">{content}</w:{stem}>')
    return out.getvalue()


def par(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{run(text)}</w:p>"


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{par(text)}</w:tc>"


def table(*rows: str) -> str:
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"


def shape(document: Document) -> list[object]:
    return [
        [[(c.text, c.row_span, c.column_span) for c in row] for row in block.rows]
        if isinstance(block, Table)
        else block.text
        for block in document.blocks
    ]


def grid(document: Document) -> list[list[str]]:
    assert document.tables[0].grid is not None
    return [["~" if c is None else c.text for c in row] for row in document.tables[0].grid]


def slots_of(block: Table) -> set[Slot]:
    return {
        Slot(c.text, c.place.row - 1, c.place.column - 1, c.row_span, c.column_span)
        for row in block.rows
        for c in row
        if c.place.row and c.place.column
    }


def code_of(read, data: bytes) -> str:
    with pytest.raises(DocumentRejected) as refused:
        read(data)
    return refused.value.reject_code


def assert_read_back(data: bytes, report: LaidOut) -> None:
    """Every figure is read as printed through the whole reading, blanks as blanks."""
    reading = read_document(data, "report")
    got = {
        (row.metric_code, row.applicant_type): row.value
        for row in reading.reports[0].metric_rows
        if row.metric_code and row.source_kind.value == "table"
    }
    assert got == {key: None if text is None else Decimal(text) for key, text in report.values.items()}


# ---- DOCX


@pytest.mark.parametrize("form_code", ["nat2014", "fmt2019", "fmt2021"])
def test_the_statutory_tables_keep_every_cell_and_span(form_code: str) -> None:
    report = lay_out(form_code, 7, blank=0.2)
    data = to_docx(report)
    document = read_docx(data)
    laid_out = [set(block) for block in report.blocks if not isinstance(block, str)]
    assert [slots_of(block) for block in document.tables] == laid_out
    assert [p.text for p in document.paragraphs] == [b for b in report.blocks if isinstance(b, str)]
    assert [(m.name, m.value) for m in document.metadata] == [(MetadataName.TITLE, report.title)]
    assert_read_back(data, report)


def test_merges_gaps_and_wrappers() -> None:
    body = table(
        "<w:trPr><w:gridBefore w:val='1'/></w:trPr>" + cell("甲", "<w:gridSpan w:val='2'/>"),
        f"<w:sdt><w:sdtContent>{cell('乙', RESTART)}</w:sdtContent></w:sdt>"
        + cell("丙", "<w:hMerge w:val='restart'/>")
        + cell("", "<w:hMerge/>"),
        cell("不印", "<w:vMerge/>") + f"<w:customXml>{cell('丁')}</w:customXml>" + cell("戊"),
        f"<w:trPr><w:del w:id='1'/></w:trPr>{cell('删')}{cell('删')}{cell('删')}",
    )
    wrapped = f"<w:sdt><w:sdtContent><w:customXml>{body}</w:customXml></w:sdtContent></w:sdt>"
    document = read_docx(package(wrapped))
    assert shape(document) == [
        [[("甲", 1, 2)], [("乙", 2, 1), ("丙", 1, 2)], [("丁", 1, 1), ("戊", 1, 1)]],
    ]
    assert grid(document) == [["~", "甲", "甲"], ["乙", "丙", "丙"], ["乙", "丁", "戊"]]


def test_a_merge_that_goes_on_from_nothing_is_a_cell_of_its_own() -> None:
    body = table(cell("甲") + cell("乙"), cell("丙", "<w:vMerge/>") + cell("丁"))
    assert grid(read_docx(package(body))) == [["甲", "乙"], ["丙", "丁"]]


def test_only_what_is_printed_is_read() -> None:
    field = (
        "<w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText>SUM(ABOVE)</w:instrText></w:r>"
        + run("代码里的字")
        + "<w:r><w:fldChar w:fldCharType='separate'/></w:r>"
        + run("27")
        + "<w:r><w:fldChar w:fldCharType='end'/></w:r>"
    )
    body = (
        "<w:p>"
        + run("前")
        + f"<w:del w:id='1'>{run('删')}</w:del><w:moveFrom w:id='2'>{run('移')}</w:moveFrom>"
        + f"<w:ins w:id='3'><w:hyperlink><w:smartTag>{run('新')}</w:smartTag></w:hyperlink></w:ins>"
        + run("藏", "<w:vanish/>")
        + run("显", "<w:vanish w:val='0'/>")
        + run("暗", "<w:rStyle w:val='Dark'/>")
        + field
        + "<w:r><w:tab/><w:noBreakHyphen/><w:t>5</w:t><w:br/><w:sym w:font='Symbol' w:char='F033'/></w:r>"
        + "<w:r><w:footnoteReference w:id='4'/></w:r>"
        + f"<w:fldSimple w:instr='PAGE'>{run('尾')}</w:fldSimple></w:p>"
    )
    style = "<w:style w:styleId='Dark'><w:basedOn w:val='Base'/></w:style>"
    style += "<w:style w:styleId='Base'><w:rPr><w:vanish/></w:rPr></w:style>"
    data = package(body, styles=style, footnotes=par("注脚"), header1=par("页眉"))
    assert shape(read_docx(data)) == ["前新显27\t-5\n3尾"]


def test_a_field_that_is_not_closed_swallows_no_further_paragraph() -> None:
    body = f"<w:p>{run('甲')}<w:r><w:fldChar w:fldCharType='begin'/></w:r>{run('乙')}</w:p>" + par("丙")
    assert shape(read_docx(package(body))) == ["甲", "丙"]


def test_paragraphs_whose_mark_is_deleted_run_together() -> None:
    body = par("上半", "<w:rPr><w:del w:id='1'/></w:rPr>") + par("下半")
    assert shape(read_docx(package(body))) == ["上半下半"]


def test_a_raised_figure_is_no_further_digit() -> None:
    body = table(cell("甲") + f"<w:tc><w:p>{run('12')}{run('1', RAISED)}</w:p></w:tc>")
    assert grid(read_docx(package(body))) == [["甲", "12^1"]]


def test_text_boxes_are_read_once() -> None:
    box = f"<w:txbxContent>{par('框内标题')}{table(cell('甲') + cell('1'))}</w:txbxContent>"
    body = (
        f"<w:p>{run('锚')}<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing>{box}</w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    assert shape(read_docx(package(body))) == ["锚", "框内标题", [[("甲", 1, 1), ("1", 1, 1)]]]


def test_a_table_in_a_cell_is_read_and_leaves_no_blank() -> None:
    inner = f"<w:tc>{table(cell('8') + cell('9'))}<w:p/></w:tc>"
    document = read_docx(package(table(cell("标签") + inner, cell("甲") + cell("乙"))))
    assert shape(document) == [
        [[("标签", 1, 1), ("8 | 9", 1, 1)], [("甲", 1, 1), ("乙", 1, 1)]],
        [[("8", 1, 1), ("9", 1, 1)]],
    ]


def test_a_table_that_only_places_others_is_left_out() -> None:
    inner = table(cell("甲") + cell("1"), cell("乙") + cell("2"))
    body = table(f"<w:tc>{par('标题')}{inner}<w:p/></w:tc>")
    assert shape(read_docx(package(body))) == ["标题", [[("甲", 1, 1), ("1", 1, 1)], [("乙", 1, 1), ("2", 1, 1)]]]


def test_the_strict_namespace_is_read_too() -> None:
    assert shape(read_docx(package(table(cell("甲") + cell("1")), STRICT))) == [[[("甲", 1, 1), ("1", 1, 1)]]]


# ---- automatic numbers


def level(at: int, kind: str, text: str, more: str = "") -> str:
    return (
        f"<w:lvl w:ilvl='{at}'><w:start w:val='1'/><w:numFmt w:val='{kind}'/>{more}<w:lvlText w:val='{text}'/></w:lvl>"
    )


def listed(text: str, list_id: int, at: int) -> str:
    return par(text, f"<w:numPr><w:ilvl w:val='{at}'/><w:numId w:val='{list_id}'/></w:numPr>")


NUMBERING = (
    "<w:abstractNum w:abstractNumId='0'>"
    + level(0, "chineseCounting", "%1、", "<w:pStyle w:val='Chapter'/>")
    + level(1, "japaneseCounting", "（%2）")
    + level(2, "decimal", "%3.")
    + "</w:abstractNum><w:abstractNum w:abstractNumId='1'>"
    + level(0, "ideographTraditional", "%1、")
    + level(1, "decimal", "%1-%2", "<w:isLgl/>")
    + "</w:abstractNum>"
    + "<w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num>"
    + "<w:num w:numId='2'><w:abstractNumId w:val='1'/></w:num>"
    + "<w:num w:numId='3'><w:abstractNumId w:val='1'/><w:lvlOverride w:ilvl='0'><w:startOverride w:val='4'/>"
    + "</w:lvlOverride></w:num>"
)


def test_automatic_numbers_are_written_as_printed() -> None:
    body = (
        par("总体", "<w:pStyle w:val='Chapter'/>")
        + listed("予以公开", 1, 1)
        + listed("不予公开", 1, 1)
        + listed("国家秘密", 1, 2)
        + listed("第三方", 1, 2)
        + listed("无法提供", 1, 1)
        + listed("不掌握", 1, 2)
        + par("申请", "<w:pStyle w:val='Chapter'/>")
        + listed("重新起算", 1, 1)
        + listed("甲项", 2, 0)
        + listed("其下", 2, 1)
        + listed("另起", 3, 0)
        + listed("又一", 3, 0)
    )
    styles = "<w:style w:styleId='Chapter'><w:pPr><w:numPr><w:numId w:val='1'/></w:numPr></w:pPr></w:style>"
    assert shape(read_docx(package(body, numbering=NUMBERING, styles=styles))) == [
        "一、总体",
        "（一）予以公开",
        "（二）不予公开",
        "1.国家秘密",
        "2.第三方",
        "（三）无法提供",
        "1.不掌握",
        "二、申请",
        "（一）重新起算",
        "甲、甲项",
        "1-1 其下",
        "丁、另起",
        "戊、又一",
    ]


def test_an_automatic_number_never_joins_a_figure() -> None:
    numbered = f"<w:tc>{listed('12', 1, 2)}</w:tc><w:tc>{listed('', 1, 2)}</w:tc>"
    document = read_docx(package(table(cell("甲") + numbered), numbering=NUMBERING))
    assert grid(document) == [["甲", "12", ""]]


@pytest.mark.parametrize(
    ("number", "kind", "printed"),
    [
        (10, "chineseCounting", "十"),
        (21, "japaneseCounting", "二十一"),
        (105, "chineseCountingThousand", "一百〇五"),
        (12, "chineseLegalSimplified", "壹拾贰"),
        (20, "ideographDigital", "二〇"),
        (10, "ideographTraditional", "癸"),
        (3, "decimalEnclosedCircle", "③"),
        (4, "lowerRoman", "iv"),
        (28, "upperLetter", "BB"),
        (1, "unheardOf", None),
    ],
)
def test_kinds_of_number(number: int, kind: str, printed: str | None) -> None:
    assert format_number(number, kind) == printed


# ---- DOC


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def patched(data: bytes, stream: str, at: int, new: bytes) -> bytes:
    """A compound file with some bytes of a stream changed."""
    out = io.BytesIO(data)
    with olefile.OleFileIO(out, write_mode=True) as ole:
        content = bytearray(ole.openstream(stream).read())
        content[at : at + len(new)] = new
        ole.write_stream(stream, bytes(content))
        return out.getvalue()


def test_a_binary_file_keeps_cells_spans_and_only_what_is_printed() -> None:
    assert shape(read_doc(golden("features.doc"))) == FEATURES


def test_the_statutory_tables_of_a_binary_file_keep_every_cell_and_span() -> None:
    report = lay_out("fmt2021", 1, blank=0.2)
    data = golden("fmt2021_seed1.doc")
    document = read_doc(data)
    laid_out = [set(block) for block in report.blocks if not isinstance(block, str)]
    assert [slots_of(block) for block in document.tables] == laid_out
    assert_read_back(data, report)


def test_a_row_that_states_other_cells_than_it_has_leaves_the_table_without_spans() -> None:
    data = golden("features.doc")
    with olefile.OleFileIO(io.BytesIO(data)) as ole:
        main = ole.openstream("WordDocument").read()
    # The number of cells of the definition of a row of three.
    at = main.find(b"\x08\xd6")
    while main[at + 4] != 3:
        at = main.find(b"\x08\xd6", at + 1)
    document = read_doc(patched(data, "WordDocument", at + 4, b"\x02"))
    table = document.tables[0]
    assert all(c.row_span == c.column_span == 1 for row in table.rows for c in row)
    assert [[c.text for c in row] for row in table.rows][1:3] == [["合并", "第一\n第二", "-5"], ["", "空白", ""]]


def test_cells_without_width_do_not_hide_their_neighbours() -> None:
    data = golden("features.doc")
    with olefile.OleFileIO(io.BytesIO(data)) as ole:
        main = ole.openstream("WordDocument").read()
    at = main.find(b"\x08\xd6")
    while main[at + 4] != 3:
        at = main.find(b"\x08\xd6", at + 1)
    first_edge = main[at + 5 : at + 7]
    document = read_doc(patched(data, "WordDocument", at + 7, first_edge))
    assert [[c.text for c in row] for row in document.tables[0].rows][1] == ["合并", "第一\n第二", "-5"]


class _Streams:
    """A compound file made up of streams."""

    def __init__(self, **streams: bytes) -> None:
        self._streams = {name.replace("Table0", "0Table"): content for name, content in streams.items()}

    def exists(self, name: str) -> bool:
        return name in self._streams

    def get_size(self, name: str) -> int:
        return len(self._streams[name])

    def openstream(self, name: str) -> io.BytesIO:
        return io.BytesIO(self._streams[name])


def plain_doc(pieces: list[bytes | str], count: int | None = None) -> _Streams:
    """A binary file without properties, of one-byte (bytes) and two-byte (str) pieces."""
    main = bytearray(0x200)
    struct.pack_into("<HH", main, 0, 0xA5EC, 0xC1)
    positions, descriptors = [0], b""
    for piece in pieces:
        offset = len(main)
        if isinstance(piece, bytes):
            main += piece
            offset = 2 * offset | 0x40000000
        else:
            main += piece.encode("utf-16-le")
        positions.append(positions[-1] + len(piece))
        descriptors += struct.pack("<HIH", 0, offset, 0)
    plc = struct.pack(f"<{len(positions)}I", *positions) + descriptors
    clx = b"\x01\x02\x00\xff\xff\x02" + struct.pack("<I", len(plc)) + plc
    struct.pack_into("<i", main, 0x4C, positions[-1] if count is None else count)
    struct.pack_into("<II", main, 0x1A2, 0, len(clx))
    return _Streams(WordDocument=bytes(main), Table0=clx)


def test_pieces_of_one_and_of_two_bytes_and_marks_without_properties() -> None:
    ole = plain_doc([b"No. 7\x96", "号文件\r甲\x0712", b"\x07\x07", "尾\r页脚\r"], count=18)
    blocks = read_binary_blocks(ole)
    assert blocks[0] == "No. 7–号文件"
    assert [cell.blocks for cell in blocks[1].cells][:2] == [["甲"], ["12"]]
    assert blocks[2] == "尾"
    assert len(blocks) == 3


def test_field_codes_of_a_binary_file_are_left_out() -> None:
    ole = plain_doc(["共\x13 HYPERLINK \x13 X \x14 Y \x15\x1427\x15件\x1e\x1f\x01\r"])
    assert read_binary_blocks(ole) == ["共27件-"]


def test_binary_files_that_cannot_be_read_are_refused() -> None:
    data = golden("features.doc")
    assert code_of(read_doc, patched(data, "WordDocument", 11, b"\x13")) == "encrypted_document"
    assert code_of(read_doc, patched(data, "WordDocument", 0, b"\xdc\xa5\x65\x00")) == "unsupported_format"
    assert code_of(read_doc, patched(data, "WordDocument", 0x1A2, b"\xff\xff\xff\x00")) == "damaged_document"
    for end in (600, 3000, 6000):
        assert code_of(read_doc, data[:end]) == "damaged_document"


@pytest.mark.parametrize("seed", range(60))
def test_a_binary_file_with_changed_bytes_is_read_or_refused(seed: int) -> None:
    data = bytearray(golden("features.doc"))
    for n in range(40):
        data[(seed * 7919 + n * 104729) % len(data)] = (seed * 31 + n * 17) % 256
    # Any other exception than the refusal ends the test.
    with contextlib.suppress(DocumentRejected):
        assert read_doc(bytes(data)).text


# ---- what is refused


def test_entities_and_document_types_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "word/document.xml",
            f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><w:document xmlns:w="{WORD}">'
            "<w:body><w:p><w:r><w:t>&e;</w:t></w:r></w:p></w:body></w:document>",
        )
    assert code_of(read_docx, out.getvalue()) == "hostile_structure"


def test_a_document_type_in_another_encoding_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        text = f'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY e "y">]><w:document xmlns:w="{WORD}"/>'
        archive.writestr("word/document.xml", text.encode("utf-16"))
    assert code_of(read_docx, out.getvalue()) == "hostile_structure"


def test_bombs_are_refused() -> None:
    packed = package(par("甲" + " " * 2_000_000))
    assert code_of(read_docx, packed) == "hostile_structure"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for n in range(3001):
            archive.writestr(f"word/{n}.xml", "")
    assert code_of(read_docx, out.getvalue()) == "hostile_structure"
    wide = table(cell("甲", "<w:gridSpan w:val='999999999'/>") + cell("乙"))
    assert code_of(read_docx, package(wide)) == "hostile_structure"
    deep = par("甲")
    for _ in range(40):
        deep = table(f"<w:tc>{deep}<w:p/></w:tc>")
    assert code_of(read_docx, package(deep)) == "hostile_structure"
    nested = "<w:sdt><w:sdtContent>" * 900 + par("甲") + "</w:sdtContent></w:sdt>" * 900
    assert code_of(read_docx, package(nested)) == "hostile_structure"


def test_broken_and_encrypted_packages_are_refused() -> None:
    data = to_docx(lay_out("nat2014", 1))
    assert code_of(read_docx, data[: len(data) // 2]) == "damaged_document"
    assert code_of(read_docx, package("<w:p>")) == "damaged_document"
    assert code_of(read_docx, golden("features.doc")) == "damaged_document"
    assert code_of(read_docx, package("<w:p/>")) == "empty_document"
    locked = bytearray(package(par("甲")))
    locked[locked.find(b"PK\x01\x02") + 8] |= 1
    assert code_of(read_docx, bytes(locked)) == "encrypted_document"
    wrapped = golden("features.doc").replace("WordDocument".encode("utf-16-le"), "EncryptedPac".encode("utf-16-le"))
    at = wrapped.find("EncryptedPac".encode("utf-16-le"))
    wrapped = (
        wrapped[:at]
        + "EncryptedPackage\0".encode("utf-16-le")
        + wrapped[at + 34 : at + 64]
        + b"\x22\0"
        + (wrapped[at + 66 :])
    )
    assert code_of(read_docx, wrapped) == "encrypted_document"


# ---- LibreOffice


def test_only_what_the_suffix_says_is_converted() -> None:
    assert code_of(lambda data: convert_to_docx(data, ".doc"), b"plain words") == "unsupported_format"
    assert code_of(lambda data: convert_to_docx(data, ".html"), b"<html>") == "unsupported_format"


def test_without_libreoffice_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert code_of(lambda data: convert_to_docx(data, ".rtf"), b"{\\rtf1 x}") == "unsupported_format"


@pytest.mark.skipif(find_soffice() is None, reason="LibreOffice is not installed")
def test_an_rtf_file_is_converted() -> None:
    rtf = rb"{\rtf1\ansi First line\par \trowd\cellx2000\cellx4000 A\intbl\cell 12\intbl\cell\row}"
    assert "12" in read_docx(convert_to_docx(rtf, ".rtf")).text


def rtf(text: str) -> str:
    """Text as RTF writes it."""
    return "".join(char if ord(char) < 128 else f"\\u{ord(char)}?" for char in text)


@pytest.mark.skipif(find_soffice() is None, reason="LibreOffice is not installed")
def test_an_rtf_file_is_read_by_way_of_libreoffice() -> None:
    rows = [("信息内容", "本年制发件数", "本年废止件数", "现行有效件数"), ("规章", "1", "0", "7")]
    edges = "".join(f"\\cellx{2000 * n}" for n in range(1, 5))
    table = "".join(
        f"\\trowd{edges}" + "".join(f"\\intbl {rtf(text)}\\cell " for text in row) + "\\row " for row in rows
    )
    title = rtf("某某县林业局2022年政府信息公开工作年度报告")
    reading = read_document(f"{{\\rtf1\\ansi {title}\\par {table}\\pard\\par }}".encode(), "report.rtf")
    values = {row.metric_code: row.value for row in reading.reports[0].metric_rows}
    assert reading.media_type == "application/rtf"
    assert (values["rules_issued"], values["rules_repealed"], values["rules_in_force"]) == (1, 0, 7)
