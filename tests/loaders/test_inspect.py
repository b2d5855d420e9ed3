"""``gongkai inspect``: what a person sees of a document, at a terminal and on a page."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest
from rich.console import Console
from selectolax.lexbor import LexborHTMLParser, LexborNode

from loaders.cli import main
from loaders.errors import DocumentRejected
from loaders.inspect import reading_as_json
from loaders.inspect_figures import Doubt, issue_words, view_report
from loaders.inspect_html import page_of, read_with_page, render_page
from loaders.inspect_text import plain, print_reading
from loaders.model import DocumentReading, MetricRow, Paragraph, Place, ReportReading, SecondReading
from loaders.reading import read_document, read_with_document
from loaders.vocabulary import load_vocabulary
from tests.loaders.render import Noise, fill

TITLE = "柳溪县财政局2022年政府信息公开工作年度报告"
HOSTILE = "<script>alert('x')</script><img src=http://bad.example/x onerror=alert(1)>\"'&amp;$title \x1b[31m\u202e"
Cells = Mapping[tuple[str, str], str]


def html_table(rows: list[list[str]]) -> str:
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def requests_table(cells: Cells, labels: Mapping[str, str]) -> str:
    form = next(table for table in load_vocabulary().tables if table.table_code == "fmt2021_requests")
    rows = [["申请人情况", *[column.label_zh for column in form.columns]]]
    for row in form.rows:
        label = labels.get(row.row_code, row.enumerator + row.label_zh)
        codes = [] if row.is_heading else [column.column_code for column in form.columns]
        rows.append([label, *[cells.get((row.row_code, code), "0") for code in codes]])
    return html_table(rows)


REMEDIES = (
    "<table><tr><td colspan=5>行政复议</td><td colspan=10>行政诉讼</td></tr>"
    "<tr><td rowspan=2>结果维持</td><td rowspan=2>结果纠正</td><td rowspan=2>其他结果</td><td rowspan=2>尚未审结</td>"
    "<td rowspan=2>总计</td><td colspan=5>未经复议直接起诉</td><td colspan=5>复议后起诉</td></tr><tr>"
    + 2 * "".join(f"<td>{label}</td>" for label in ("结果维持", "结果纠正", "其他结果", "尚未审结", "总计"))
    + "</tr><tr>"
    + "".join(f"<td>{value}</td>" for value in (2, 1, 0, 4, 7, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3))
    + "</tr></table>"
)


def document(cells: Cells | None = None, labels: Mapping[str, str] | None = None, prose: str = "") -> bytes:
    """A web page with a report: 30 requests, of which 23 were granted to natural persons and 7 to businesses."""
    figures = {
        ("requests_received_new", "natural_person"): "23",
        ("requests_received_new", "legal_business"): "7",
        ("requests_received_new", "total"): "30",
        ("outcome_granted_full", "natural_person"): "23",
        ("outcome_granted_full", "legal_business"): "7",
        ("outcome_granted_full", "total"): "30",
        ("outcome_total", "natural_person"): "23",
        ("outcome_total", "legal_business"): "7",
        ("outcome_total", "total"): "30",
    }
    return (
        f"<html><head><meta charset=utf-8><title>{TITLE}</title></head><body><h1>{TITLE}</h1>"
        "<p>本报告所列数据的统计期限自2022年1月1日起，至2022年12月31日止。</p><h2>一、总体情况</h2>"
        f"<p>全年共收到信息公开申请30件，均已办结。</p>{prose}<h2>三、收到和处理政府信息公开申请情况</h2>"
        f"{requests_table({**figures, **(cells or {})}, labels or {})}"
        f"<h2>四、政府信息公开行政复议、行政诉讼情况</h2>{REMEDIES}</body></html>"
    ).encode()


def terminal(reading: DocumentReading, *, show_all: bool = False, width: int = 100) -> str:
    buffer = io.StringIO()
    print_reading(reading, Console(file=buffer, width=width, highlight=False, color_system=None), show_all=show_all)
    return buffer.getvalue()


def row_of(text: str, label: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.strip().startswith(label))
    return line.strip().removeprefix(label).split()


def reports(data: bytes) -> list[ReportReading]:
    return list(read_document(data, "report.html").reports)


def parse(page: str) -> LexborHTMLParser:
    return LexborHTMLParser(page)


def marks_of(page: str) -> list[LexborNode]:
    return parse(page).css("mark")


def page_for(data: bytes) -> str:
    page = read_with_page(data, "report.html").page
    assert page is not None
    return page


# ---- terminal


def test_the_form_is_laid_out_as_people_know_it() -> None:
    text = terminal(read_document(document(), "report.html"))
    assert row_of(text, "（一）予以公开") == ["23", "7", "0", "0", "0", "0", "30"]
    heading = next(line for line in text.splitlines() if "自然人" in line and "总计" in line)
    assert [heading.index(word) for word in ("自然人", "商业企业", "总计")] == sorted(
        heading.index(word) for word in ("自然人", "商业企业", "总计")
    )
    assert row_of(text, "行政复议") == ["2", "1", "0", "4", "7"]
    assert row_of(text, "行政诉讼 / 复议后起诉") == ["3", "0", "0", "0", "3"]
    assert "柳溪县财政局 · 2022" in text
    assert "“全年共收到信息公开申请30件”" in text
    assert "Identities that fail" not in text
    indent = {line.strip()[:4]: len(line) - len(line.lstrip()) for line in text.splitlines() if line.strip()}
    assert indent["三、本年"] < indent["（三）不"] < indent["1.属于"[:4]]


def test_nothing_is_wider_than_the_terminal() -> None:
    from rich.cells import cell_len

    long = "（" + "甚" * 300 + "）"
    text = terminal(read_document(document(prose=f"<p>{long}本年收到申请30件。</p>"), "report.html"))
    assert max(map(cell_len, text.splitlines())) <= 100


def test_blank_and_not_applicable_cells_are_told_from_zero() -> None:
    cells = {("outcome_granted_partial", "natural_person"): "", ("outcome_granted_partial", "legal_business"): "/"}
    text = terminal(read_document(document(cells), "report.html"))
    line = next(line for line in text.splitlines() if "（二）部分公开" in line)
    assert re.findall(r"(?<=\s)[·/\d]+(?=\s|$)", line) == ["·", "/", "0", "0", "0", "0", "0"]


def test_a_contradicted_total_is_marked_in_the_grid_and_explained() -> None:
    text = terminal(read_document(document({("outcome_total", "total"): "31"}), "report.html"))
    assert row_of(text, "（七）总计") == ["23!", "7!", "0!", "0!", "0!", "0!", "31!"]
    assert row_of(text, "（一）予以公开")[-1] == "30!"
    assert row_of(text, "（一）予以公开")[0] == "23"
    flat = " ".join(text.split())
    assert "F21_OUTCOME_TOTAL" in flat
    assert "31 = 30 does not hold" in flat
    assert "the source contradicts itself" in flat


def test_a_rough_label_is_marked() -> None:
    data = document(labels={"outcome_denied_state_secret": "1.属于国家的秘密事"})
    rows = reports(data)[0].metric_rows
    assert {row.match_method for row in rows if row.metric_code == "outcome_denied_state_secret"} != {"exact"}
    text = terminal(read_document(data, "report.html"))
    assert set(row_of(text, "1.属于国家的秘密事")) == {"0?"}
    assert "? 标题近似匹配" in text


def changed(row: MetricRow, **changes: object) -> DocumentReading:
    """The reading of the document with other things said of one figure."""
    reading = read_document(document(), "report.html")
    report = reading.reports[0]
    rows = tuple(replace(one, **changes) if one == row else one for one in report.metric_rows)  # type: ignore[arg-type]
    return replace(reading, reports=(replace(report, metric_rows=rows),))


def granted_total() -> MetricRow:
    rows = reports(document())[0].metric_rows
    return next(row for row in rows if (row.metric_code, row.applicant_type) == ("outcome_granted_full", "total"))


def test_a_second_reading_that_differs_is_shown_with_both_values() -> None:
    reading = changed(granted_total(), second_reading=SecondReading.DIFFERS, second_value=granted_total().value * 2)
    text = terminal(reading)
    assert row_of(text, "（一）予以公开")[-1] == "30≠"
    assert "first 30, second 60" in text
    assert "d-second_reading_differs" in render_page(None, reading)


def test_what_was_recognised_in_a_picture_is_marked() -> None:
    assert row_of(terminal(changed(granted_total(), is_read_by_ocr=True)), "（一）予以公开")[-1] == "30°"


def test_a_row_beyond_the_form_is_listed_as_not_understood() -> None:
    data = document(labels={"outcome_denied_admin_query": "8.属于月球背面事务"})
    text = terminal(read_document(data, "report.html"))
    assert "× " in text
    assert "属于月球背面事务" in text.split("Not understood")[1]


def test_the_long_list_comes_on_request() -> None:
    reading = read_document(document(), "report.html")
    assert "outcome_granted_full" not in terminal(reading)
    text = terminal(reading, show_all=True, width=250)
    assert "outcome_granted_full" in text
    assert granted_total().place.locator() in text


def test_a_document_cannot_speak_to_the_terminal() -> None:
    text = terminal(
        read_document(document(prose=f"<p>[red]本年收到申请5件{escape(HOSTILE)}</p>"), HOSTILE), show_all=True
    )
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert plain("a\x1b[2Jb\u202ec\nd") == "a\ufffd[2Jb\ufffdc d"


def test_a_rejection_says_why_and_what_to_do() -> None:
    reading = read_document("柳溪县财政局政府信息公开指南\n\n为方便公众，编制本指南。\n".encode(), "guide.txt")
    assert reading.reject_code == "not_a_report"
    remedy = issue_words()["not_a_report"]["remedy_en"]
    text = terminal(reading)
    assert "rejected: not_a_report" in text
    assert f"reason: {reading.issues[0].message}"[:40] in text
    assert remedy in " ".join(text.split())
    page = page_for("柳溪县财政局政府信息公开指南\n\n为方便公众，编制本指南。\n".encode())
    shown = parse(page).css_first(".rejection").text()
    assert remedy in shown
    assert reading.issues[0].message in shown
    assert "为方便公众" in parse(page).css_first("article").text()


# ---- JSON


def test_json_says_what_a_second_reading_and_ocr_say() -> None:
    reading = changed(granted_total(), second_reading=SecondReading.DIFFERS, second_value=granted_total().value)
    found = json.loads(json.dumps(reading_as_json(reading)))
    row = next(row for row in found["reports"][0]["metric_rows"] if row["second_reading"])
    assert (row["second_reading"], row["second_value"], row["is_read_by_ocr"]) == ("differs", 30, False)
    assert found["document"]["attachments"] == []


def test_json_of_a_rejected_document_keeps_whose_report_it_is() -> None:
    data = f"{TITLE}\n\n一、总体情况\n\n本年度我局认真落实条例，各项工作平稳推进。\n".encode()
    found = reading_as_json(read_document(data, "report.txt"))
    assert found["document"]["status"] == "rejected"
    (report,) = found["reports"]
    assert (report["agency_name"], report["report_year"], report["metric_rows"]) == ("柳溪县财政局", 2022, [])


# ---- the page


def test_every_figure_is_marked_once_and_holds_its_printed_text() -> None:
    data = document({("outcome_granted_partial", "natural_person"): ""})
    page = page_for(data)
    rows = reports(data)[0].metric_rows
    marks = {mark.attributes["id"]: mark for mark in marks_of(page)}
    assert len(marks) == len(marks_of(page)) == len(rows)
    for number, row in enumerate(rows):
        mark = marks[f"f0-{number}"]
        assert mark.text() == row.value_raw
        assert (row.metric_code or "") in (mark.attributes["title"] or "")
    assert any(mark.text() == "" and "v-blank" in (mark.attributes["class"] or "") for mark in marks.values())


@pytest.mark.parametrize("style", ["tabbed", "markdown", "lines", "piped_row"])
def test_figures_of_flattened_text_are_marked_where_they_stand(style: str) -> None:
    data = f"{TITLE}\n\n{fill('fmt2021', style, 5, Noise()).text}".encode()
    rows = reports(data)[0].metric_rows
    assert rows
    marks = {mark.attributes["id"]: mark.text() for mark in marks_of(page_for(data))}
    assert marks == {f"f0-{number}": row.value_raw for number, row in enumerate(rows)}


def test_merged_cells_stay_merged() -> None:
    article = parse(page_for(document())).css_first("article")
    (proceedings,) = [cell for cell in article.css("td[colspan]") if cell.text() == "行政诉讼"]
    assert proceedings.attributes["colspan"] == "10"
    assert [cell.attributes["rowspan"] for cell in article.css("td[rowspan]")] == ["2"] * 5


def test_all_links_lead_somewhere_and_nothing_leads_out() -> None:
    page = page_for(document({("outcome_total", "total"): "31"}, {"outcome_denied_admin_query": "8.属于月球背面事务"}))
    tree = parse(page)
    ids = [node.attributes["id"] for node in tree.css("[id]")]
    assert len(ids) == len(set(ids))
    links = [node.attributes["href"] or "" for node in tree.css("[href]")]
    assert len(links) > 50
    assert {link[1:] for link in links} <= set(ids)
    assert not tree.css("[src], link, iframe, object, form")
    assert not re.search(r"(?:https?:|url\(|@import|//[a-z])", page)
    (issue,) = [node for node in tree.css("aside li") if "row_unmatched" in node.text()]
    target = (issue.css_first("a").attributes["href"] or "")[1:]
    assert "月球背面" in tree.css_first(f"#{target}").text()
    reason = tree.css_first("a.why").attributes["href"] or ""
    assert TITLE in tree.css_first(reason).text()


def test_a_failed_identity_is_shown_with_its_cells() -> None:
    tree = parse(page_for(document({("outcome_total", "total"): "31"})))
    (failed,) = [node for node in tree.css(".failed li") if "F21_OUTCOME_TOTAL" in node.text()]
    assert "31 = 30" in failed.css_first(".sides").text()
    targets = [(link.attributes["href"] or "")[1:] for link in failed.css("a")]
    cells = [tree.css_first(f"mark[id='{target}']") for target in targets]
    assert sorted(cell.text() for cell in cells if cell.text() != "0") == ["30", "31"]
    assert all("d-identity_fails" in (cell.attributes["class"] or "") for cell in cells)


def test_a_report_in_order_has_no_doubt() -> None:
    (report,) = reports(document())
    assert {figure.worst for figure in view_report(report).figures} == {None}
    tree = parse(page_for(document()))
    assert all("d-certain" in (mark.attributes["class"] or "") for mark in tree.css("mark"))


def test_hostile_text_does_nothing() -> None:
    prose = f"<p>{escape(HOSTILE)}本年收到申请5件{escape(HOSTILE)}</p>"
    data = document({("outcome_denied_other", "total"): HOSTILE}, {"outcome_denied_admin_query": HOSTILE}, prose)
    data = data.replace(TITLE.encode(), f"{TITLE}{escape(HOSTILE)}".encode(), 1)
    name = f"{HOSTILE}.html"
    document_read, reading = read_with_document(data, name)
    page = render_page(document_read, reading)
    tree = parse(page)
    assert len(tree.css("script")) == 1
    assert not tree.css("img")
    assert all(not key.startswith("on") for node in tree.css("*") for key in node.attributes)
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "alert('x')" in tree.css_first("article").text()
    policy = tree.css_first("meta[http-equiv]").attributes["content"] or ""
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1]


def test_the_policy_lets_the_pages_own_script_run() -> None:
    import base64
    import hashlib

    page = page_for(document())
    script = page.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page


def test_a_large_document_stays_usable() -> None:
    small, reading = read_with_document(document(), "report.html")
    assert small is not None
    line = "这项工作按计划推进，相关情况已向社会说明，群众普遍满意。<&"
    starts = range(len(small.text), len(small.text) + 25_000 * len(line), len(line))
    filler = [Paragraph(line, Place(start, start + len(line), 1)) for start in starts]
    large = replace(small, text=small.text + line * len(filler), blocks=(*small.blocks, *filler))
    assert len(large.text.encode()) > 2_000_000
    page = render_page(large, reading)
    assert len(page.encode()) < 10_000_000
    assert page.count(escape(line)) == len(filler)
    assert page.count("<mark ") == len(reading.reports[0].metric_rows)


def test_beyond_measure_only_parts_without_figures_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loaders.inspect_html._SHOWN_TEXT", 50)
    monkeypatch.setattr("loaders.inspect_html._SHOWN_GAP", 400)
    data = document(prose=f"<p>{'长' * 3000}</p>").replace("均已办结。".encode(), f"均已办结。{'短' * 3000}".encode())
    page = page_for(data)
    assert len(marks_of(page)) == len(reports(data)[0].metric_rows)
    article = parse(page).css_first("article").text()
    assert "blocks without figures are not shown" in article
    assert "characters not shown" in article
    assert "长" not in article


def test_a_document_that_broke_its_reader_still_gets_a_page() -> None:
    reading = read_document(document(), "report.html")
    error = DocumentRejected("time_limit", "reading took longer than 120 seconds")
    broken = replace(reading, reject_code=error.reject_code, reports=(), status="rejected", issues=())
    page = page_of(broken)
    assert issue_words()["time_limit"]["remedy_en"] in parse(page).css_first(".rejection").text()


def test_doubts_are_ranked() -> None:
    reading = changed(granted_total(), second_reading=SecondReading.DIFFERS, match_score=80.0, is_read_by_ocr=True)
    figure = next(f for f in view_report(reading.reports[0]).figures if f.doubts)
    assert figure.doubts == (Doubt.SECOND_READING_DIFFERS, Doubt.FUZZY_LABEL, Doubt.READ_BY_OCR)


# ---- the command


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "report.html", tmp_path / "page.html"
    source.write_bytes(document())
    with pytest.raises(SystemExit) as ended:
        main(["inspect", str(source), "--html", str(target)])
    assert ended.value.code == 0
    assert "page.html: written" in capsys.readouterr().out
    assert len(marks_of(target.read_text("utf-8"))) == len(reports(document())[0].metric_rows)


def test_the_document_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "report.html"
    source.write_bytes(document())
    with pytest.raises(SystemExit) as ended:
        main(["inspect", str(source), "--html", str(source)])
    assert ended.value.code == 2
    assert source.read_bytes() == document()
    assert "written over the document" in capsys.readouterr().err
