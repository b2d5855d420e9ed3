"""The site: pages that hold together, fetch nothing, speak both languages and lead from a failed rule to the print."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import html5lib
import pytest
import yaml
from selectolax.lexbor import LexborHTMLParser

from loaders import site as site_module
from loaders.builds import LAYERS
from loaders.checks import load_suites
from loaders.errors import ChecksFailedError, GongkaiError
from loaders.refresh import run_check
from loaders.settings import Settings
from loaders.site import Edition, registers, write_release_site, write_work_site
from loaders.site.registers import REGISTERS
from loaders.site.results import NEXT_STEPS, read_results
from loaders.site.words import Words
from loaders.warehouse import Warehouse
from tests.loaders.test_publish import execute

EDITION = Edition("20260101T000000Z-abcdef", "2026-01-01T00:00:00Z", "9.9")
HOSTILE = "<script>alert('坏')</script><img src=x onerror=alert(1)>\u202e\x00\"'&"
# What leads from a row of a rule to a printed text.
KEYS = ("metric_row_id", "metric_value_key", "identity_check_key", "indicator_value_key", "report_id", "document_id")
# Rules about a table or about runs: nothing is printed that they could show.
NOT_OF_PRINT = ("row_count_to_be_between", "column_name", "run_id", "met_count")


@pytest.fixture
def site(refreshed: Warehouse) -> Path:
    write_work_site(refreshed)
    return refreshed.site


@pytest.fixture
def contradicting(refreshed: Warehouse) -> Warehouse:
    """A register with findings of two years."""
    execute(
        refreshed,
        "insert into marts.rpt_source_inconsistency select md5(cast(i as varchar)), r.report_id, r.document_id, "
        "r.agency_key, r.agency_id, r.agency_name, 'identity', 'N14_NARR_OGI_MEETINGS', 'narrative_vs_table', 'warn', "
        "'=', 'ogi_meetings', 'not_applicable', '正文与附表的同名指标（ogi_meetings）应一致', 'Both agree', "
        "'会议：2次〔line 25〕；会议：3次〔line 26〕', '会议：1〔line 9〕', '会议2次 ｜ 会议 1', 'line 25', r.title, "
        "r.source_uri, r.report_year, null, i + 2, 1, i + 1 from range(8) as t(i) inner join "
        "(select *, row_number() over (order by report_id) as n from marts.dim_report) as r on r.n = i % 4 + 1",
    )
    return refreshed


def pages(folder: Path) -> Iterator[tuple[Path, LexborHTMLParser]]:
    for path in sorted(folder.glob("*.html")):
        yield path, LexborHTMLParser(path.read_text("utf-8"))


def write_release(warehouse: Warehouse, folder: Path) -> Path:
    write_release_site(folder, warehouse, EDITION)
    return folder


def shown(page: Path, anchor: str) -> str:
    """The text of the part of a page that an anchor names."""
    node = LexborHTMLParser(page.read_text("utf-8")).css_first(f'[id="{anchor}"]')
    assert node is not None, anchor
    return " ".join(node.text(separator=" ").split())


def failing(warehouse: Warehouse, said: str) -> tuple[Path, str]:
    """Page and anchor of the rule that says something, which must fail."""
    con = warehouse.connect(read_only=True)
    try:
        found = [
            (warehouse.site / layer.page, rule.anchor)
            for layer in read_results(con)
            for rule in layer.failed
            if said in rule.expected.en
        ]
    finally:
        con.close()
    assert len(found) == 1, found
    return found[0]


def check(warehouse: Warehouse, statement: str, layer: str = "raw") -> None:
    execute(warehouse, statement)
    with contextlib.suppress(ChecksFailedError):
        run_check(Settings(warehouse, quiet=True), layer, 0)


def test_a_release_has_its_site(refreshed: Warehouse) -> None:
    folder = refreshed.current / "site"
    names = {path.name for path in folder.glob("*.html")}
    assert {"index.html", "checks_raw.html", "checks_marts.html", "tables.html", "accuracy.html"} <= names
    assert {"register_inconsistencies.html", "register_coverage.html", "register_timeliness.html"} <= names
    manifest = json.loads((refreshed.current / "manifest.json").read_text("utf-8"))
    assert {f"site/{name}" for name in names} <= {entry["path"] for entry in manifest["files"]}
    index = (folder / "index.html").read_text("utf-8")
    assert f"Release {manifest['release_id']}" in index
    assert (folder / "data_docs" / "raw" / "index.html").is_file()


def test_the_first_page_counts_what_there_is(site: Path, refreshed: Warehouse) -> None:
    con = refreshed.connect(read_only=True)
    reports, bodies = con.execute("select count(*), count(distinct agency_id) from marts.dim_report").fetchall()[0]
    (figures,) = con.execute("select count(value) from marts.fct_metric_value").fetchall()[0]
    con.close()
    page = LexborHTMLParser((site / "index.html").read_text("utf-8"))
    facts = {fact.css_first("dt .en").text(): fact.css_first("dd").text() for fact in page.css(".facts div")}
    assert facts == {
        "documents seen": "5",
        "loaded": "4",
        "rejected": "1",
        "reports": str(reports),
        "of which speak in the figures": str(reports),
        "bodies": str(bodies),
        "figures with a value": str(figures),
        "years": "2015–2016",
    }


def test_every_page_is_valid_and_holds_together(contradicting: Warehouse, tmp_path: Path) -> None:
    for folder in (write_work_site(contradicting), write_release(contradicting, tmp_path / "release")):
        found = dict(pages(folder))
        assert len(found) >= 8
        for path, page in found.items():
            html5lib.HTMLParser(strict=True).parse(path.read_text("utf-8"))
            ids = [node.attributes["id"] for node in page.css("[id]")]
            assert len(ids) == len(set(ids)), path
            assert page.css_first("html").attributes["lang"] == "zh-CN"
            assert len(page.css("h1")) == 1
            assert page.css_first("title").text().strip()
            assert all(head.attributes.get("scope") for head in page.css("th")), path
            for link in page.css("a[href]"):
                target, _, anchor = link.attributes["href"].partition("#")
                aim = (path.parent / unquote(target)).resolve() if target else path
                assert aim.is_file(), (path, target)
                if anchor:
                    assert LexborHTMLParser(aim.read_text("utf-8")).css_first(f'[id="{anchor}"]'), (path, anchor)
        reached, waiting = {folder / "index.html"}, [folder / "index.html"]
        while waiting:
            for link in found[waiting.pop()].css("a[href]"):
                aim = folder / link.attributes["href"].partition("#")[0]
                if aim in found and aim not in reached:
                    reached.add(aim)
                    waiting.append(aim)
        assert reached == set(found)


def test_no_page_fetches_anything(refreshed: Warehouse, tmp_path: Path) -> None:
    folder = write_release(refreshed, tmp_path / "release")
    for path in folder.rglob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//|@import|<link|<iframe|\bsrc=", text), path
    for path, page in pages(folder):
        policy = page.css_first("meta[http-equiv=Content-Security-Policy]").attributes["content"]
        assert "default-src 'none'" in policy, path


def test_both_languages_say_everything(contradicting: Warehouse) -> None:
    for path, page in pages(write_work_site(contradicting)):
        chinese, english = page.css("span.zh"), page.css("span.en")
        assert len(chinese) == len(english) > 10, path
        for zh, en in zip(chinese, english, strict=True):
            assert zh.next is not None
            assert zh.next.mem_id == en.mem_id
            assert zh.text().strip(), path
            assert en.text().strip(), path
            assert (zh.attributes["lang"], en.attributes["lang"]) == ("zh-CN", "en")
    index = (contradicting.site / "index.html").read_text("utf-8")
    assert "供查询的数据表" in index
    assert "原文矛盾登记" in index


def test_the_same_inputs_give_the_same_bytes(contradicting: Warehouse, tmp_path: Path) -> None:
    folders = [write_release(contradicting, tmp_path / name) for name in ("one", "two")]
    contents = [
        {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in folders
    ]
    assert contents[0] == contents[1]
    assert len(contents[0]) > 20


@pytest.mark.parametrize(
    ("statement", "said", "values"),
    [
        (
            "update raw.metric_rows set value_status = 'none_stated' where report_id in (select report_id from "
            "raw.reports where agency_name = '甲县人民政府' and report_year = 2015) "
            "and metric_code = 'requests_received'",
            "Where it is said that there is none",
            ("甲县人民政府 2015", "收到申请数", "Requests received", "甲县人民政府2015.txt", "line "),
        ),
        (
            "update raw.reports set table_year = 2001 where agency_name = '乙县人民政府'",
            "heading of the table names the year",
            ("乙县人民政府 2015", "乙县人民政府 2016", "table_year 2001", "乙县人民政府2016.txt", "mismatch_count = 2"),
        ),
        (
            "update raw.documents set reject_code = 'row_missing' where status = 'rejected'",
            "A reason for rejecting",
            ("notice.txt", "not_a_report"),
        ),
        (
            "update raw.metric_rows set metric_code = null where source_kind = 'table'",
            "carry a label that is understood",
            ("甲县人民政府 2015", "unmapped_count = ", "sha256 "),
        ),
        ("delete from raw.documents", "At least one document was met", ("table as a whole",)),
    ],
)
def test_a_failed_rule_leads_to_its_rows_and_their_evidence(
    refreshed: Warehouse, statement: str, said: str, values: tuple[str, ...]
) -> None:
    check(refreshed, statement)
    page, anchor = failing(refreshed, said)
    text = shown(page, anchor)
    for value in (said, "Next step", *values):
        assert value in text, (value, text)
    links = [link.attributes["href"] for link in LexborHTMLParser((refreshed.site / "index.html").read_text()).css("a")]
    assert f"{page.name}#{anchor}" in links


def test_every_figure_of_a_failed_rule_shows_its_print(refreshed: Warehouse) -> None:
    check(refreshed, "update raw.metric_rows set match_score = 101")
    page, anchor = failing(refreshed, "A match scores")
    rows = LexborHTMLParser(page.read_text("utf-8")).css_first(f'[id="{anchor}"]').css("tbody tr")
    con = refreshed.connect(read_only=True)
    printed = dict(
        con.execute(
            "select m.metric_row_id, [r.agency_name, cast(r.report_year as varchar), m.snippet, m.locator, "
            "d.source_uri, left(d.document_id, 16)] from raw.metric_rows as m "
            "inner join raw.reports as r using (report_id) inner join raw.documents as d using (document_id)"
        ).fetchall()
    )
    con.close()
    assert len(rows) == len(printed) > 20
    for row in rows:
        text = row.text(separator=" ")
        (key,) = [key for key in printed if key in text]
        evidence = row.css_first(".piece").text(separator=" ")
        assert all(value in evidence for value in printed[key]), (key, evidence)


def test_more_rows_than_are_kept_are_counted(refreshed: Warehouse) -> None:
    grow = "insert into raw.metric_rows select m.* replace (m.metric_row_id || '-' || i as metric_row_id) from "
    check(refreshed, f"{grow} raw.metric_rows as m, range(20) as t(i); update raw.metric_rows set match_score = 101")
    con = refreshed.connect(read_only=True)
    (total,) = con.execute("select count(*) from raw.metric_rows").fetchall()[0]
    con.close()
    page, anchor = failing(refreshed, "A match scores")
    assert total > 100
    assert f"the first 100 of {total:,} rows" in shown(page, anchor)
    assert f"共 {total:,} 行，以下为前 100 行" in shown(page, anchor)


def test_a_failed_identity_shows_its_figures_and_its_place_in_the_register(contradicting: Warehouse) -> None:
    con = contradicting.connect(read_only=True)
    (key, *_), *_ = con.execute(
        "select identity_check_key from marts.fct_identity_check where identity_code = 'N14_RECEIVED_BY_CHANNEL' "
        "order by identity_check_key"
    ).fetchall()
    (figure,), *_ = con.execute("select metric_row_id from raw.metric_rows order by metric_row_id").fetchall()
    con.close()
    execute(
        contradicting,
        f"update marts.fct_identity_check set status = 'fails', left_value = 70000, right_value = 7 "
        f"where identity_check_key = '{key}'; "
        f"update marts.rpt_source_inconsistency set finding_key = '{key}' where finding_key = md5('0'); "
        f"insert into intermediate.int_finding_figures by name "
        f"select '{key}' as finding_key, 'left' as side, '{figure}' as metric_row_id, 1 as figure_order",
    )
    check(contradicting, "select 1", "marts")
    page, anchor = failing(contradicting, "factor 10000")
    text = shown(page, anchor)
    assert "70000 = 7" in text
    assert "不成立" in text
    con = contradicting.connect(read_only=True)
    (snippet,) = con.execute(f"select snippet from raw.metric_rows where metric_row_id = '{figure}'").fetchall()[0]
    con.close()
    assert " ".join(snippet.split()) in text
    links = [link.attributes["href"] for link in LexborHTMLParser(page.read_text("utf-8")).css("section a")]
    assert f"register_inconsistencies.html#{key}" in links


def test_every_rule_can_name_its_evidence(refreshed: Warehouse) -> None:
    con = refreshed.connect(read_only=True)
    asked = 0
    for layer in LAYERS:
        for suite in load_suites(layer):
            for rule in suite.expectations:
                if "unexpected_rows_query" not in rule.arguments:
                    columns = [*suite.keys, rule.type]
                else:
                    query = rule.evidence.replace("{table}", suite.name)
                    query = query or rule.arguments["unexpected_rows_query"].format(batch=suite.name)
                    columns = [column[0] for column in con.execute(f"select * from ({query}) limit 0").description]
                assert any(column.endswith((*KEYS, *NOT_OF_PRINT)) for column in columns), (
                    f"{suite.name}: {rule.description_en} wants an evidence query; it has {columns}"
                )
                asked += any(column.endswith(KEYS) for column in columns)
    con.close()
    assert asked > 60


def test_every_next_step_is_told_in_chinese() -> None:
    told = yaml.safe_load(NEXT_STEPS.read_text("utf-8"))
    for layer in LAYERS:
        for suite in load_suites(layer):
            for rule in suite.expectations:
                assert re.search(r"[\u4e00-\u9fff]", told.get(rule.next_step, "")), (
                    f"add to {NEXT_STEPS.name}: {rule.next_step}"
                )


def test_a_rule_that_could_not_be_evaluated_says_why(refreshed: Warehouse) -> None:
    check(refreshed, "alter table raw.metric_rows rename column snippet to snip")
    page, anchor = failing(refreshed, "A figure shows the printed text")
    assert "snippet" in shown(page, anchor)


def test_hostile_text_stays_text(contradicting: Warehouse) -> None:
    quoted = HOSTILE.replace("'", "''").replace("\x00", "\x07")
    execute(
        contradicting,
        f"update raw.reports set agency_name = '{quoted}', title = '{quoted}'; "
        f"update raw.metric_rows set snippet = '{quoted}', value_raw = '{quoted}', label_raw = '{quoted}'; "
        f"update raw.documents set source_uri = '{quoted}'; "
        f"update raw.issues set message = '{quoted}'; "
        f"update marts.rpt_source_inconsistency set agency_name = '{quoted}', snippets = '{quoted}', "
        f"left_evidence = '{quoted}', source_uri = '{quoted}', statement_zh = '{quoted}', title = '{quoted}'; "
        f"update marts.rpt_coverage set status = '{quoted}', province_name = '{quoted}'; "
        f"comment on table marts.dim_report is '{quoted}'",
    )
    check(contradicting, "update raw.metric_rows set match_score = 101")
    met = 0
    for path, page in pages(contradicting.site):
        text = path.read_text("utf-8")
        assert len(page.css("script")) == 1, path
        assert "alert" not in page.css_first("script").text()
        assert not page.css("img"), path
        assert not [node for node in page.css("*") if any(name.startswith("on") for name in node.attributes)], path
        assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", text), path
        met += "&lt;script&gt;alert" in text
    assert met >= 4


@pytest.mark.parametrize("a_page", [3, 1])
def test_a_long_register_is_split_by_year_and_holds_every_row_once(
    contradicting: Warehouse, monkeypatch: pytest.MonkeyPatch, a_page: int
) -> None:
    monkeypatch.setattr(registers, "ROWS_TOGETHER", 5)
    monkeypatch.setattr(registers, "ROWS_A_PAGE", a_page)
    folder = write_work_site(contradicting)
    front = LexborHTMLParser((folder / "register_inconsistencies.html").read_text("utf-8"))
    assert not front.css("table[data-rows]")
    listed = [link.attributes["href"] for link in front.css(".pages a")]
    assert len(listed) == 2 * -(-4 // a_page)
    con = contradicting.connect(read_only=True)
    expected = dict(con.execute("select finding_key, report_year from marts.rpt_source_inconsistency").fetchall())
    con.close()
    found = {}
    for name in listed:
        for row in LexborHTMLParser((folder / name).read_text("utf-8")).css("tbody tr"):
            assert row.attributes["id"] not in found
            found[row.attributes["id"]] = int(row.css_first("td").text())
            assert str(found[row.attributes["id"]]) in name
    assert found == expected


def test_a_page_stands_until_its_rows_change_or_somebody_wrote_into_it(
    contradicting: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(registers, "ROWS_TOGETHER", 1)
    made: list[str] = []
    render = site_module.render

    def note(template: str, **content: Any) -> str:
        made.append(content["page"])
        return render(template, **content)

    monkeypatch.setattr(site_module, "render", note)
    site = write_work_site(contradicting)
    years = {name for name in made if name.startswith("register_inconsistencies_")}
    assert len(years) == 2
    wanted = {path.name: path.read_bytes() for path in site.iterdir() if path.is_file()}

    made.clear()
    write_work_site(contradicting)
    assert not years & set(made)
    assert {path.name: path.read_bytes() for path in site.iterdir() if path.is_file()} == wanted
    # A release names itself in a page that it takes over, and what a failed rule leads to is found in it.
    release = write_release(contradicting, tmp_path / "taken")
    assert not years & set(made)
    for name in years:
        assert EDITION.release_id in (release / name).read_text("utf-8")
    taken = {path.name: path.read_bytes() for path in release.iterdir() if path.is_file()}
    shutil.rmtree(site)
    anew = write_release(contradicting, tmp_path / "anew")
    assert years <= set(made)
    assert {path.name: path.read_bytes() for path in anew.iterdir() if path.is_file()} == taken

    one, other = sorted(years)
    write_work_site(contradicting)
    page = site / one
    page.write_bytes(page.read_bytes().replace(b"<td", b"<td ", 1))
    made.clear()
    write_work_site(contradicting)
    assert years & set(made) == {one}
    assert page.read_bytes() == wanted[one]

    year = other.removeprefix("register_inconsistencies_").removesuffix(".html")
    execute(contradicting, f"update marts.rpt_source_inconsistency set delta = 4711 where report_year = {year}")
    made.clear()
    write_work_site(contradicting)
    assert years & set(made) == {other}
    assert "4711" in (site / other).read_text("utf-8")
    monkeypatch.setattr("loaders.site.standing.code_token", lambda: "another version of the templates")
    made.clear()
    write_work_site(contradicting)
    assert years <= set(made)


def test_a_finding_shows_both_sides_and_the_print(contradicting: Warehouse) -> None:
    page = write_work_site(contradicting) / "register_inconsistencies.html"
    row = LexborHTMLParser(page.read_text("utf-8")).css_first("tbody tr[id]")
    text = row.text(separator=" ")
    for value in (
        "召开政府信息公开工作会议",
        "Both agree",
        "does not hold",
        "会议：2次〔line 25〕",
        "会议：1〔line 9〕",
        ".txt",
    ):
        assert value in text, value
    assert [quote.text() for quote in row.css(".d2 q")] == ["会议2次", "会议 1"]
    assert "ogi_meetings" not in text


def test_a_register_has_a_page_when_its_mart_is_there(refreshed: Warehouse) -> None:
    names = {register.mart for register in REGISTERS}
    assert {"rpt_source_inconsistency", "rpt_quarantine", "rpt_report_scorecard", "rpt_coverage"} <= names
    execute(refreshed, "drop table if exists marts.rpt_quarantine; drop table marts.rpt_timeliness")
    write_work_site(refreshed)
    assert not (refreshed.site / "register_quarantine.html").exists()
    assert not (refreshed.site / "register_timeliness.html").exists()
    execute(
        refreshed,
        "create table marts.rpt_quarantine as select '甲县人民政府' as agency_name, 2015 as report_year, "
        "'半数以上行标题不识' as label_zh, 'Most cells have no known label' as label_en, 12 as met_count",
    )
    write_work_site(refreshed)
    row = LexborHTMLParser((refreshed.site / "register_quarantine.html").read_text("utf-8")).css_first("tbody tr")
    assert [cell.text() for cell in row.css("td")] == [
        "2015",
        "甲县人民政府",
        "半数以上行标题不识Most cells have no known label",
        "12",
    ]
    assert "register_quarantine.html" in (refreshed.site / "index.html").read_text("utf-8")


def test_before_the_first_build_there_are_the_checks_of_the_raw_rows(refreshed: Warehouse) -> None:
    execute(refreshed, "drop schema marts cascade; drop schema intermediate cascade; drop schema seeds cascade")
    check(refreshed, "update raw.metric_rows set match_score = 101")
    # What runs left is there before any mart is.
    assert {page.name for page in refreshed.site.glob("register_*")} <= {"register_drift.html"}
    assert "甲县人民政府" in shown(*failing(refreshed, "A match scores"))
    assert "may not be published" in (refreshed.site / "index.html").read_text("utf-8")


def test_rows_that_were_kept_stand_when_their_tables_are_gone(refreshed: Warehouse) -> None:
    check(refreshed, "update marts.dim_report set scope_code = 'unknown'", "marts")
    page, anchor = failing(refreshed, "whose figures they hold")
    assert "甲县人民政府 2015" in shown(page, anchor)
    execute(refreshed, "drop table marts.dim_report")
    write_work_site(refreshed)
    assert "unknown_count 4" in shown(*failing(refreshed, "whose figures they hold"))


def test_before_the_first_check_there_is_a_first_page(refreshed: Warehouse) -> None:
    con = refreshed.connect()
    con.execute("delete from quality.check_runs")
    con.close()
    assert "Nothing was checked yet" in (write_work_site(refreshed) / "index.html").read_text("utf-8")


def test_the_page_of_dbt_is_joined_with_the_time_it_was_made(refreshed: Warehouse, tmp_path: Path) -> None:
    assert "Not made yet" in (write_work_site(refreshed) / "index.html").read_text("utf-8")
    (refreshed.root / "models.html").write_text('x {"metadata": {"generated_at": "2026-03-04T05:06:07Z"}}', "utf-8")
    folder = write_release(refreshed, tmp_path / "release")
    index = (folder / "index.html").read_text("utf-8")
    assert 'href="models.html"' in index
    assert "made 2026-03-04 05:06 UTC" in index
    assert (folder / "models.html").read_bytes() == (refreshed.root / "models.html").read_bytes()
    assert 'href="../models.html"' in (write_work_site(refreshed) / "index.html").read_text("utf-8")


def test_the_accuracy_page_has_every_table(site: Path) -> None:
    text = (site / "accuracy.html").read_text("utf-8")
    source = Path("docs/accuracy.md").read_text("utf-8")
    page = LexborHTMLParser(text)
    lines = [line for line in source.splitlines() if line.startswith("|") and not line.startswith("|---")]
    assert len(page.css("article tr")) == len(lines) > 50
    cells = [cell.strip() for cell in lines[-1].strip("|").split("|")]
    assert [cell.text() for cell in page.css("article tr")[-1].css("td")] == cells
    assert not page.css("article a")


def test_a_failed_write_leaves_the_old_site(site: Path, refreshed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (site / "index.html").read_bytes()

    def stop(*_: object, **__: object) -> str:
        raise GongkaiError("stopped")

    monkeypatch.setattr("loaders.site.render", stop)
    with pytest.raises(GongkaiError, match="stopped"):
        write_work_site(refreshed)
    assert (site / "index.html").read_bytes() == before


def test_words_of_one_language_stand_once() -> None:
    from loaders.site.pages import both

    assert both(Words("甲", "甲")) == "甲"
    assert both(Words("<", ">")).count("&") == 2
    assert both(None) == ""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_browser_filters_a_register_and_changes_the_language(contradicting: Warehouse, tmp_path: Path) -> None:
    page = write_work_site(contradicting) / "register_inconsistencies.html"

    def opened(query: str) -> LexborHTMLParser:
        flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
        done = subprocess.run(
            [
                "chromium",
                *flags.split(),
                f"--user-data-dir={tmp_path / 'browser'}",
                "--dump-dom",
                f"{page.as_uri()}{query}",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return LexborHTMLParser(done.stdout)

    everything, some = opened("?lang=zh"), opened("?lang=en&q=乙县+2016")
    assert everything.css_first("html").attributes["lang"] == "zh-CN"
    assert some.css_first("html").attributes["lang"] == "en"
    assert some.css_first("title").text().startswith("Source inconsistencies")
    assert len(everything.css("tbody tr[id]")) == 8
    assert not everything.css("tbody tr[hidden]")
    visible = [row.text() for row in some.css("tbody tr[id]") if "hidden" not in row.attributes]
    assert len(visible) == 2
    assert all("乙县" in text and "2016" in text for text in visible)
    assert some.css_first("output").text() == "2 / 8"
