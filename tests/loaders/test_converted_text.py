"""Reports as converters of PDFs and pages write them: Markdown, HTML inside Markdown, and text from pictures."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.score import score_folder
from loaders.errors import DocumentRejected
from loaders.model import Block, Cell, DocumentStatus, Paragraph, Table, ValueStatus
from loaders.readers import read_bytes
from loaders.readers.flat_text import read_blocks
from loaders.readers.markdown import clean
from loaders.reading import read_document
from loaders.vocabulary import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "tests" / "golden" / "converted"
# Text from pictures loses blank cells and misreads digits: rows without all their cells are left out, with an issue.
READ_IN_PART = {"O14_ocr_dongyue.txt": 143, "O15_ocr_heping.txt": 60}
LABELS = "信息内容|本年制发件数|本年废止件数|现行有效件数"
HEAD = "某某县水务局2022年政府信息公开工作年度报告\n\n二、主动公开政府信息情况\n\n"


def tables(text: str) -> list[Table]:
    return [block for block in read_blocks(text) if isinstance(block, Table)]


def words(table: Table) -> list[list[str]]:
    """The words of every slot; a merged cell stands in each slot that it covers."""
    return [["" if cell is None else cell.plain for cell in row] for row in table.grid or table.rows]


def figures(text: str) -> dict[tuple[str, str | None], Decimal | None]:
    reading = read_document((HEAD + text).encode(), "report.md")
    rows = [row for report in reading.reports for row in report.metric_rows]
    return {
        (row.metric_code or row.label_raw, row.applicant_type): row.value
        for row in rows
        if row.value_status is not ValueStatus.ILLEGIBLE
    }


def piped(*rows: str) -> str:
    first, *others = rows
    rule = "|".join(["---"] * (first.count("|") + 1))
    return "\n".join(f"|{row}|" for row in (first, rule, *others)) + "\n"


# ---- whole documents


def test_no_figure_of_a_converted_report_is_wrong_and_what_is_missing_is_said() -> None:
    for document, kinds in score_folder(FOLDER).items():
        table = kinds["table"]
        assert not table.wrong, document
        assert not table.extra, document
        if document in READ_IN_PART:
            assert table.right >= READ_IN_PART[document]
            reading = read_document((FOLDER / "reports" / document).read_bytes(), document)
            assert "arity_mismatch" in {issue.issue_code for issue in reading.reports[0].issues}
        else:
            assert not table.missed, document


@pytest.mark.parametrize("path", sorted((FOLDER / "reports").iterdir()), ids=lambda path: path.stem)
def test_every_cell_is_a_verbatim_span_and_every_report_is_known(path: Path) -> None:
    document, _ = read_bytes(path.read_bytes())
    for table in document.tables:
        for cell in (cell for row in table.rows for cell in row):
            assert document.text[cell.place.start : cell.place.end] == cell.text
            assert document.text.count("\n", 0, cell.place.start) + 1 == cell.place.line
    reading = read_document(path.read_bytes(), path.name)
    assert reading.status is DocumentStatus.LOADED
    (report,) = reading.reports
    assert report.identity.agency_name
    assert report.identity.report_year
    assert not [issue for issue in report.issues if issue.issue_code in ("form_from_narrative", "table_missing")]


def test_every_figure_of_what_real_converters_wrote_is_read() -> None:
    for document, kinds in score_folder(FOLDER.parent / "converters").items():
        table = kinds["table"]
        assert not table.missed, document
        assert not table.wrong, document
        assert not table.extra, document


# ---- cells


@pytest.mark.parametrize(
    ("printed", "text", "plain"),
    [
        ("**0**", "0", "0"),
        ("***12***", "12", "12"),
        (" $1$ ", "1", "1"),
        ("**$3$**", "3", "3"),
        ("3&nbsp;", "3", "3"),
        ("&nbsp;", "", ""),
        ("<b>7</b>", "7", "7"),
        ("<p>7</p>", "7", "7"),
        ("NaN", "", ""),
        ("****", "", ""),
        ("结<br>果<br/>维<br />持", "结<br>果<br/>维<br />持", "结\n果\n维\n持"),
        (r"1\.属于国家秘密", r"1\.属于国家秘密", "1.属于国家秘密"),
        (r"**（一）**予以公开", r"**（一）**予以公开", "（一）予以公开"),
        ("增&#47;减", "增&#47;减", "增/减"),
        ("[规章](http://example.org/a)", "[规章](http://example.org/a)", "规章"),
        (r"\-", r"\-", "-"),
        # Two numbers of one cell are never joined, and a note is no digit.
        ("3<br>0", "3<br>0", "3<br>0"),
        ("3<sup>1</sup>", "3<sup>1</sup>", "3<sup>1</sup>"),
        (r"\*3", r"\*3", "*3"),
    ],
)
def test_marks_around_a_cell_are_left_out_and_marks_inside_are_cleaned(printed: str, text: str, plain: str) -> None:
    (table,) = tables(f"|甲乙|丙丁|\n|---|---|\n|某项|{printed}|\n")
    cell = table.rows[-1][-1]
    assert (cell.text, cell.plain) == (text, plain)


def test_numbers_one_under_the_other_in_a_cell_are_illegible_and_flagged() -> None:
    text = piped("第二十条第（一）项|||", LABELS, "规章|3<br>0|0|1", "行政规范性文件|4|0|17")
    assert ("rules_issued", None) not in figures(text)
    assert figures(text)["admin_normative_docs_issued", None] == 4
    reading = read_document((HEAD + text).encode(), "report.md")
    assert "illegible_value" in {issue.issue_code for issue in reading.reports[0].issues}


def test_a_table_of_more_cells_than_a_report_has_is_refused() -> None:
    with pytest.raises(DocumentRejected) as refused:
        read_blocks(piped("甲|乙", *["1|2"] * 20_000))
    assert refused.value.reject_code == "hostile_structure"


def test_an_escaped_pipe_does_not_end_a_cell() -> None:
    (table,) = tables("|甲|乙|\n|---|---|\n|增\\|减|3|\n")
    assert words(table)[-1] == ["增|减", "3"]


def test_a_row_broken_over_two_lines_is_one_row() -> None:
    (table,) = tables("|甲乙|丙丁|\n|---|---|\n|其他对外\n管理服务|3|\n|另一项|4|\n")
    assert words(table)[1:] == [["其他对外\n管理服务", "3"], ["另一项", "4"]]


def test_a_long_text_is_cleaned_in_no_time_and_kept() -> None:
    text = "*" * 50_000
    assert clean(text) == text


def test_a_row_wrapped_by_a_converter_that_ends_rows_with_two_blanks_is_one_row() -> None:
    head = "信息内容| 本年制发件数| 本年废止件数| 现行有效件数  \n---|---|---|---  \n"
    (table,) = tables(f"{head}规章| 5| 16937|\n61189  \n行政规范性文件| 4| 2| 3  \n\n后文。\n")
    assert [[cell.plain for cell in row] for row in table.rows][1:] == [
        ["规章", "5", "16937", "61189"],
        ["行政规范性文件", "4", "2", "3"],
    ]


def test_a_label_is_quoted_as_its_own_document_prints_it() -> None:
    # The tables say the same words; what was remembered of one must not stand for the evidence of another.
    for change in ("本年增/减", "本年增&#47;减", "本年增/减"):
        text = piped("第二十条第（六）项|||", f"信息内容|上一年项目数量|{change}|处理决定数量", "行政处罚|4|-1|17")
        (report,) = read_document((HEAD + text).encode(), "report.md").reports
        assert [row.column_label_raw for row in report.metric_rows][1] == change


# ---- merged cells


def test_a_label_repeated_side_by_side_and_down_the_page_is_one_cell() -> None:
    rows = ("项目|项目|数量", "一、甲组|（一）其中|1", "一、甲组|（二）其他|1", "二、乙组|二、乙组|2")
    (table,) = tables(piped(*rows))
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["项目", "数量"],
        ["一、甲组", "（一）其中", "1"],
        ["（二）其他", "1"],
        ["二、乙组", "2"],
    ]
    group = table.rows[1][0]
    assert (group.row_span, group.column_span) == (2, 1)
    assert table.grid is not None
    assert table.grid[2][0] is group


def test_equal_values_units_and_labels_of_two_rows_stay_apart() -> None:
    (table,) = tables(piped("指标|单位|数", "甲事项|件|5", "其他事项|件|5", "其他事项|件|5"))
    assert all(cell.row_span == cell.column_span == 1 for row in table.rows for cell in row)


def test_a_value_is_merged_only_under_a_heading_that_is() -> None:
    merged = piped("信息内容|处理数量|处理数量", "行政许可|7|7")
    apart = piped("信息内容|处理数量|决定数量", "行政许可|7|7")
    differing = piped("信息内容|处理数量|处理数量", "行政许可|7|8")
    assert [cell.text for cell in tables(merged)[0].rows[1]] == ["行政许可", "7"]
    assert [cell.text for cell in tables(apart)[0].rows[1]] == ["行政许可", "7", "7"]
    assert [cell.text for cell in tables(differing)[0].rows[1]] == ["行政许可", "7", "8"]


def test_made_up_column_names_are_blank_where_they_fit_their_column() -> None:
    (table,) = tables(piped("指标|**Col2**|Col9|Unnamed: 3", "甲|1|2|3"))
    assert words(table)[0] == ["指标", "", "Col9", ""]


def test_rows_that_leave_out_covered_slots_are_aligned_at_the_right() -> None:
    rows = ("一、新收| | |3|4|7", "二、结果|（一）公开| |1|2|3", "（二）不予|1.甲|0|1|1", "2.乙|0|0|0")
    (table,) = tables(piped("项目|甲| |自然人|法人|总计", *rows))
    assert [cell.text for cell in table.rows[3]] == ["（二）不予", "1.甲", "0", "1", "1"]
    assert table.rows[1][0].column_span == 3
    assert table.rows[2][1].column_span == 2


def test_the_blanks_of_a_short_row_are_not_explained_where_it_may_lack_a_value() -> None:
    rows = ("一、新收| | |3|4|7", "二、结果|（一）公开| |1|2|3", "（二）部分| |1|1|2", "三、转下年| | |1|2")
    (table,) = tables(piped("项目|甲| |自然人|法人|总计", *rows))
    assert table.rows[3][0].column_span == 2
    assert [cell.text for cell in table.rows[4]] == ["三、转下年", "", "", "1", "2"]
    assert table.rows[4][0].column_span == 1


# ---- pages


def test_headings_printed_again_after_a_page_mark_are_left_out() -> None:
    one = piped("第二十条第（一）项|||", LABELS, "规章|1|0|1")
    two = piped("第二十条第（一）项|||", LABELS, "行政规范性文件|4|2|17")
    for mark in ("- 2 -", "第 2 页 共 6 页", "-----", "<!-- page 2 -->", "![](a.png)", "（续表）"):
        first, second = tables(f"{one}\n{mark}\n\n{two}")
        assert len(first.rows) == 3
        assert words(second) == [["行政规范性文件", "4", "2", "17"]], mark


def test_a_second_table_with_the_same_headings_keeps_them() -> None:
    one, two = piped("信息内容|处理数量", "行政处罚|1"), piped("信息内容|处理数量", "行政强制|2")
    assert [len(table.rows) for table in tables(f"{one}\n第二十条第（六）项\n\n{two}")] == [2, 2]


def test_a_page_number_between_the_rows_is_no_cell() -> None:
    rows = ["规章", "1", "0", "1", "第 2 页 共 6 页", "行政规范性文件", "4", "2", "17"]
    text = "\n".join(["第二十条第（一）项", *LABELS.split("|"), *rows])
    read = figures(text)
    assert read["rules_in_force", None] == 1
    assert read["admin_normative_docs_in_force", None] == 17


def test_headings_in_narrow_columns_do_not_end_the_table() -> None:
    headings = ["行政复议", "行政诉讼", *["结果", "维持", "结果", "纠正", "其他", "结果", "尚未", "审结", "总计"]]
    headings += ["未经", "复议", "直接", "起诉", "复议", "后起", "诉", *headings[2:], *headings[2:11]]
    values = [str(n) for n in (1, 0, 0, 0, 1, 2, 0, 0, 1, 3, 0, 4, 0, 0, 4)]
    (table,) = tables("\n".join(["四、政府信息公开行政复议、行政诉讼情况", *headings, *values]))
    assert [cell.text for cell in table.rows[0]][-15:] == values


def test_a_misread_figure_does_not_cast_doubt_on_the_rows_beside_its_own() -> None:
    rows = ["规章", "1", "0", "4", "行政规范性文件", "l8", "2", "17"]
    assert figures("\n".join(["第二十条第（一）项", *LABELS.split("|"), *rows]))["rules_in_force", None] == 4
    # Where the labels stand before all values, it does not hide that they were moved away.
    rows = ["规章", "行政规范性文件", "l8", "2", "17", "1", "0", "4"]
    assert not figures("\n".join(["第二十条第（一）项", *LABELS.split("|"), *rows]))


def test_an_empty_line_after_the_last_value_is_no_blank_cell_where_none_stands_between_values() -> None:
    text = "\n".join(["第二十条第（一）项", *LABELS.split("|"), "规章", "1", "0", "", "三、其他"])
    (table,) = tables(text)
    assert [cell.text for cell in table.rows[0]][-2:] == ["1", "0"]


# ---- HTML inside Markdown


def test_an_html_table_in_markdown_has_its_spans_and_verbatim_places() -> None:
    markup = (
        '<table><tr><td colspan="2">第二十条</td><td>数&#37;量</td></tr>'
        '<tr><td rowspan="2">甲</td><td>1\\.乙</td><td>**3**</td></tr><tr><td>丙</td><td></td></tr></table>'
    )
    text = f"# 标题\n\n前言。\n\n{markup}\n\n后记。\n"
    blocks: tuple[Block, ...] = read_blocks(text)
    assert [b.text for b in blocks if isinstance(b, Paragraph)] == ["标题", "前言。", "后记。"]
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert words(table) == [["第二十条", "第二十条", "数%量"], ["甲", "1.乙", "3"], ["甲", "丙", ""]]
    cells: list[Cell] = [cell for row in table.rows for cell in row]
    assert all(text[cell.place.start : cell.place.end] == cell.text for cell in cells)
    assert cells[1].text == "数&#37;量"
    assert {cell.place.line for cell in cells} == {5}


def test_a_cell_that_is_not_found_again_in_its_markup_has_its_own_words() -> None:
    rows = "".join(f'<tr><td title="a>b">第{n}项</td><td title="a>b">{n}</td></tr>' for n in range(400))
    document, _ = read_bytes(f"年度报告\n\n<table><!-- <td>x</td> -->{rows}</table>".encode())
    (table,) = document.tables
    assert [cell.text for cell in table.rows[7]] == ["第7项", "7"]
    # Not once the whole table for each of its cells.
    assert sum(len(cell.text) for row in table.rows for cell in row) < len(document.text)


def test_tables_and_text_on_one_line_keep_their_order() -> None:
    blocks = read_blocks("甲文。<table><tr><td>子丑</td><td>1</td></tr></table>乙文。<div>\n</div>\n丙文。\n")
    kinds = [block.text if isinstance(block, Paragraph) else "table" for block in blocks]
    assert kinds[0] == "甲文。"
    assert kinds[1] == "table"
    assert kinds[-1] == "丙文。"
    assert "</div>" not in kinds


def test_a_table_cut_off_by_the_end_of_the_text_is_read_so_far() -> None:
    (table,) = tables("前言。\n<table><tr><td>子丑</td><td>1</td></tr><tr><td>寅卯</td><td>2")
    assert words(table) == [["子丑", "1"], ["寅卯", "2"]]


def test_traditional_markdown_is_cleaned_and_simplified() -> None:
    table = piped("統計指標|單位|統計數", "1\\.政務微網志公開政府資訊數|條|**3**")
    text = f"**政府資訊公開工作年度報告**\n\n{table}"
    document, _ = read_bytes(text.encode())
    label, _, value = document.tables[0].rows[1]
    assert label.plain == "1.政务微博公开政府信息数"
    assert (value.text, value.plain) == ("3", "3")
