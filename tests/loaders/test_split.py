"""Several reports in one document: each figure with its own report, or none at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from loaders.identify import find_report_titles
from loaders.model import Document, DocumentReading, DocumentStatus, Hints, SourceKind
from loaders.readers import read_bytes
from loaders.reading import read_document
from loaders.split import MAX_REPORTS, split_reports

SENTENCE = "本机关认真落实各项要求，完善工作制度，明确责任分工，加强业务学习，推动公开工作平稳开展，取得了较好的效果。"
ARTICLE20 = ("规章", "行政规范性文件")
FORMATS = ("text", "html")


@dataclass(frozen=True)
class Report:
    """An invented report of the form of 2021 whose figures all derive from one number."""

    agency: str
    year: int
    base: int
    has_table: bool = True

    @property
    def title(self) -> str:
        return f"{self.agency}{self.year}年政府信息公开工作年度报告"

    def pieces(self) -> list[str | list[list[str]]]:
        """Paragraphs and tables in order."""
        made: list[str | list[list[str]]] = [
            self.title,
            f"根据《中华人民共和国政府信息公开条例》，{self.agency}编制本年度报告。{SENTENCE}",
            "一、总体情况",
            f"{SENTENCE * 2}{self.year}年，主动公开政府信息{self.base + 7}条。",
            "二、主动公开政府信息情况",
        ]
        if self.has_table:
            made.append(
                [
                    ["第二十条第（一）项", "", "", ""],
                    ["信息内容", "本年制发件数", "本年废止件数", "现行有效件数"],
                    ["规章", str(self.base), "0", str(self.base + 1)],
                    ["行政规范性文件", str(self.base + 2), "1", str(self.base + 3)],
                ]
            )
        made += [
            "三、收到和处理政府信息公开申请情况",
            f"{self.year}年，共收到政府信息公开申请{self.base + 9}件。",
            "四、政府信息公开行政复议、行政诉讼情况",
        ]
        if self.has_table:
            figures = [str(self.base + n) for n in range(10, 14)]
            made.append(
                [
                    ["行政复议", "", "", "", "", "行政诉讼", *[""] * 9],
                    [
                        *("结果维持", "结果纠正", "其他结果", "尚未审结", "总计"),
                        *("未经复议直接起诉", "", "", "", "", "复议后起诉", "", "", "", ""),
                    ],
                    [*[""] * 5, *("结果维持", "结果纠正", "其他结果", "尚未审结", "总计") * 2],
                    [*figures, str(sum(map(int, figures))), *["0"] * 10],
                ]
            )
        made += ["五、存在的主要问题及改进情况", SENTENCE, "六、其他需要报告的事项", "无。", self.agency]
        made.append(f"{self.year + 1}年1月20日")
        return made


def as_text(pieces) -> bytes:
    lines = []
    for piece in pieces:
        lines.append(piece if isinstance(piece, str) else "\n" + "\n".join("\t".join(row) for row in piece) + "\n")
    return "\n".join(lines).encode()


def as_html(pieces) -> bytes:
    made = ["<!DOCTYPE html><html><head><meta charset='utf-8'><title>政府信息公开</title></head><body><div>"]
    for piece in pieces:
        if isinstance(piece, str):
            made.append(f"<p>{piece}</p>")
        else:
            rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in piece)
            made.append(f"<table>{rows}</table>")
    return "".join([*made, "</div></body></html>"]).encode()


def join(*parts) -> list:
    """Reports, paragraphs and tables as one run of pieces."""
    return [p for part in parts for p in (part.pieces() if isinstance(part, Report) else [part])]


def make(format_name: str, *parts) -> bytes:
    return {"text": as_text, "html": as_html}[format_name](join(*parts))


def read(format_name: str, *parts, hints: Hints | None = None) -> DocumentReading:
    return read_document(make(format_name, *parts), f"document.{format_name}", hints)


def document_of(format_name: str, *parts) -> Document:
    return read_bytes(make(format_name, *parts))[0]


def figures_of(report) -> dict[tuple[str, str | None], Decimal | None]:
    return {
        (row.metric_code, row.applicant_type): row.value
        for row in report.metric_rows
        if row.source_kind is SourceKind.TABLE and row.metric_code is not None
    }


def alone(report: Report, format_name: str) -> dict[tuple[str, str | None], Decimal | None]:
    """The table figures of a report that has a document to itself."""
    return figures_of(read(format_name, report).reports[0])


COUNTY = Report("清河县人民政府", 2022, 100)
SCHOOLS = Report("清河县教育局", 2022, 300)
ROADS = Report("清河县交通运输局", 2022, 500)
YEAR_BEFORE = Report("清河县教育局", 2021, 700)
CITY = Report("临江市人民政府", 2022, 900)
CITY_WATER = Report("临江市水务局", 2022, 1100)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize(
    "reports",
    [
        (SCHOOLS, YEAR_BEFORE),
        (COUNTY, SCHOOLS, ROADS),
        (CITY, CITY_WATER),
        (YEAR_BEFORE, Report("清河县教育局", 2020, 1300), SCHOOLS),
    ],
    ids=["year_before", "booklet", "city_and_department", "three_years"],
)
def test_each_report_of_a_document_has_its_own_figures(format_name: str, reports: tuple[Report, ...]) -> None:
    reading = read(format_name, *reports)
    assert reading.status is DocumentStatus.LOADED, reading.issues
    assert [(r.identity.agency_name, r.identity.report_year) for r in reading.reports] == [
        (r.agency, r.year) for r in reports
    ]
    for found, printed in zip(reading.reports, reports, strict=True):
        figures = figures_of(found)
        assert len(figures) >= 20
        assert figures == alone(printed, format_name)
        assert Decimal(printed.base) in figures.values()
        told = {row.metric_code: row.value for row in found.metric_rows if row.source_kind is SourceKind.NARRATIVE}
        assert told.get("requests_received", printed.base + 9) == printed.base + 9
        assert {row.value for row in found.metric_rows if row.source_kind is SourceKind.NARRATIVE} <= {
            Decimal(printed.base + 7),
            Decimal(printed.base + 9),
        }
        assert found.identity.published_date in (None, date(printed.year + 1, 1, 20))


@pytest.mark.parametrize("format_name", FORMATS)
def test_places_are_those_of_the_whole_document(format_name: str) -> None:
    document = document_of(format_name, COUNTY, SCHOOLS, ROADS)
    parts = split_reports(document)
    assert parts is not None
    assert len(parts) == 3
    assert [table.place.table for part in parts for table in part.tables] == [t.place.table for t in document.tables]
    for part in parts:
        assert len(part.text) == len(document.text)
        for block in part.blocks:
            span = slice(block.place.start, block.place.end)
            assert part.text[span] == document.text[span]
    assert "教育局" not in parts[0].text
    assert "交通运输局" not in parts[1].text
    reading = read(format_name, COUNTY, SCHOOLS, ROADS)
    for report in reading.reports:
        for row in report.metric_rows:
            assert row.value_raw in document.text[row.place.start : row.place.end]


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_table_of_contents_and_a_cover_belong_to_nobody(format_name: str) -> None:
    contents = (COUNTY.title, SCHOOLS.title, ROADS.title)
    reading = read(format_name, "清河县政府信息公开年度报告汇编", "目录", *contents, COUNTY, SCHOOLS, ROADS)
    assert [r.identity.agency_name for r in reading.reports] == [COUNTY.agency, SCHOOLS.agency, ROADS.agency]
    assert figures_of(reading.reports[2]) == alone(ROADS, format_name)


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_foreword_below_the_last_title_of_the_contents_is_nobodys_report(format_name: str) -> None:
    contents = (COUNTY.title, SCHOOLS.title, ROADS.title)
    reading = read(format_name, *contents, SENTENCE * 5, COUNTY, SCHOOLS, ROADS)
    assert reading.reject_code == "several_reports"


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_quoted_title_is_no_report(format_name: str) -> None:
    pieces = SCHOOLS.pieces()
    at = pieces.index("三、收到和处理政府信息公开申请情况")
    quoted = [*pieces[:at], ROADS.title, SENTENCE * 5, *pieces[at:]]
    reading = read(format_name, *quoted)
    (report,) = reading.reports
    assert (report.identity.agency_name, report.identity.report_year) == (SCHOOLS.agency, 2022)
    assert figures_of(report) == alone(SCHOOLS, format_name)


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_title_quoted_in_front_of_all_sections_gives_the_figures_to_nobody(format_name: str) -> None:
    pieces = SCHOOLS.pieces()
    at = pieces.index("一、总体情况")
    reading = read(format_name, *pieces[:at], SENTENCE * 4, ROADS.title, *pieces[at:])
    assert ROADS.agency not in [report.identity.agency_name for report in reading.reports]


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_same_title_again_is_one_report(format_name: str) -> None:
    reading = read(format_name, SCHOOLS, SCHOOLS.title, SENTENCE * 5)
    (report,) = reading.reports
    assert figures_of(report) == alone(SCHOOLS, format_name)


@pytest.mark.parametrize("format_name", FORMATS)
def test_titles_of_other_reports_below_the_last_one_are_links(format_name: str) -> None:
    reading = read(format_name, SCHOOLS, YEAR_BEFORE, ROADS.title, COUNTY.title, "版权所有")
    assert [r.identity.report_year for r in reading.reports] == [2022, 2021]
    assert figures_of(reading.reports[1]) == alone(YEAR_BEFORE, format_name)


def tables_of(report: Report) -> list:
    return [piece for piece in report.pieces() if isinstance(piece, list)]


def prose_of(report: Report) -> list:
    return [piece for piece in report.pieces() if isinstance(piece, str)]


def without_title(report: Report) -> list:
    """A report without a title of its own: what follows it belongs to whom?"""
    return report.pieces()[1:]


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize(
    "pieces",
    [
        [*without_title(COUNTY), *without_title(SCHOOLS)],
        ["2022年政府信息公开工作年度报告", *without_title(COUNTY), *without_title(SCHOOLS)],
        [COUNTY.title, *without_title(COUNTY), COUNTY.title, *without_title(SCHOOLS)],
    ],
    ids=["no_title", "one_title_for_two", "the_same_title_for_two"],
)
def test_two_reports_that_their_titles_do_not_tell_apart_are_refused(format_name: str, pieces: list) -> None:
    assert len(find_report_titles(document_of(format_name, *pieces))) <= 1
    assert read(format_name, *pieces).reject_code == "several_reports"


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_heading_without_a_body_above_three_reports_is_no_report(format_name: str) -> None:
    reports = (COUNTY, SCHOOLS, ROADS)
    reading = read(format_name, "2022年政府信息公开工作年度报告", SENTENCE * 5, *reports)
    assert {r.identity.agency_name for r in reading.reports} <= {r.agency for r in reports}
    for found in reading.reports:
        (printed,) = [r for r in reports if r.agency == found.identity.agency_name]
        assert figures_of(found) == alone(printed, format_name)


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_year_before_under_a_title_without_a_body_is_that_bodys(format_name: str) -> None:
    reading = read(format_name, SCHOOLS, "2021年政府信息公开工作年度报告", *without_title(YEAR_BEFORE))
    assert [(r.identity.agency_name, r.identity.report_year) for r in reading.reports] == [
        (SCHOOLS.agency, 2022),
        (SCHOOLS.agency, 2021),
    ]
    assert figures_of(reading.reports[1]) == alone(YEAR_BEFORE, format_name)


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize(
    "pieces",
    [
        [*tables_of(COUNTY), *prose_of(COUNTY), *SCHOOLS.pieces()],
        [*prose_of(COUNTY), *prose_of(SCHOOLS), *tables_of(COUNTY), *tables_of(SCHOOLS)],
        [*prose_of(COUNTY), *prose_of(SCHOOLS), *tables_of(SCHOOLS)],
        [*COUNTY.pieces(), *SCHOOLS.pieces(), *tables_of(ROADS)],
        [*COUNTY.pieces(), *without_title(ROADS), *SCHOOLS.pieces()],
        [*COUNTY.pieces(), *SCHOOLS.pieces(), COUNTY.title, SENTENCE * 5],
    ],
    ids=["table_first", "tables_last", "one_table_last", "table_of_a_third", "untitled_between", "body_comes_back"],
)
def test_an_uncertain_cut_rejects_the_document(format_name: str, pieces: list) -> None:
    assert len(find_report_titles(document_of(format_name, *pieces))) > 1
    reading = read(format_name, *pieces)
    assert reading.reject_code == "several_reports"
    assert not reading.reports


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_report_without_a_table_stands_beside_one_whose_tables_are_enclosed(format_name: str) -> None:
    told = Report("清河县教育局", 2022, 40, has_table=False)
    reading = read(format_name, told, COUNTY)
    assert [r.identity.agency_name for r in reading.reports] == [told.agency, COUNTY.agency]
    assert figures_of(reading.reports[0]) == {}
    assert figures_of(reading.reports[1]) == alone(COUNTY, format_name)


def test_more_parts_than_a_booklet_has_are_refused() -> None:
    names = [f"清河县{a}{b}乡人民政府" for a in "东西南北中" for b in "山河湖林石桥沙田坪岭台"]
    reports = [Report(name, 2022, 10 * n, has_table=False) for n, name in enumerate(names)]
    assert len(split_reports(document_of("text", *reports[:MAX_REPORTS])) or ()) == MAX_REPORTS
    assert split_reports(document_of("text", *reports[: MAX_REPORTS + 1])) is None


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_part_that_is_no_report_is_left_out_and_spoils_no_other(format_name: str) -> None:
    blank = [[["" if cell.isdigit() else cell for cell in row] for row in t] for t in tables_of(ROADS)]
    reading = read(
        format_name,
        SCHOOLS,
        ROADS.title,
        "一、总体情况",
        "二、主动公开政府信息情况",
        *blank,
        "三、说明",
        SENTENCE * 2,
        YEAR_BEFORE,
    )
    assert [r.identity.report_year for r in reading.reports] == [2022, 2021]
    assert figures_of(reading.reports[0]) == alone(SCHOOLS, format_name)
    assert figures_of(reading.reports[1]) == alone(YEAR_BEFORE, format_name)
    (left_out,) = [issue for issue in reading.issues if "left out" in issue.message]
    assert left_out.issue_code == "report_left_out"
    assert left_out.locator


def test_a_manifest_speaks_for_all_reports_only_where_they_agree() -> None:
    hints = Hints("清河县教育局", 2022, date(2023, 2, 1))
    years = read("text", SCHOOLS, YEAR_BEFORE, hints=hints)
    assert [(r.identity.agency_name, r.identity.report_year) for r in years.reports] == [
        ("清河县教育局", 2022),
        ("清河县教育局", 2021),
    ]
    bodies = read("text", COUNTY, SCHOOLS, hints=hints)
    assert [r.identity.agency_name for r in bodies.reports] == [COUNTY.agency, SCHOOLS.agency]
    for reading in (years, bodies):
        assert "hint_conflict" in [issue.issue_code for issue in reading.issues]


def test_a_document_with_one_report_is_itself() -> None:
    document = document_of("html", SCHOOLS)
    assert split_reports(document) == (document,)


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_report_that_comes_back_after_another_is_not_cut(format_name: str) -> None:
    assert split_reports(document_of(format_name, COUNTY, SCHOOLS, COUNTY)) is None


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_fields_above_a_title_are_not_those_of_the_report_before(format_name: str) -> None:
    undated = COUNTY.pieces()[:-1]
    reading = read(format_name, *undated, "发布日期：2023-04-05", SCHOOLS)
    assert [r.identity.agency_name for r in reading.reports] == [COUNTY.agency, SCHOOLS.agency]
    assert reading.reports[0].identity.published_date is None
    assert reading.reports[1].identity.published_date == date(2023, 1, 20)
