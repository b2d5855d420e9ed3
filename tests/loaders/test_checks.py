from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from loaders.builds import LAYERS
from loaders.checks import EXPECTATIONS, load_suites, raise_if_blocked, run_suites
from loaders.data_docs import offline_html
from loaders.errors import ChecksFailedError, GongkaiError
from loaders.vocabulary import PROJECT_ROOT, read_seed
from loaders.warehouse import Warehouse

CRITICAL_FAULTS = {
    "update raw.documents set document_id = upper(document_id)": "sha256",
    "update raw.documents set reject_code = 'row_missing' where status = 'rejected'": "A reason for rejecting",
    "update raw.documents set reject_code = null": "A rejected document has a reason",
    "update raw.documents set status = 'loaded', reject_code = null": "Every loaded document holds a report",
    "update raw.documents set status = 'rejected', reject_code = 'no_figures'": "A rejected document gives no figure",
    "delete from raw.issues where issue_code = 'not_a_report'": "Why a document was rejected",
    "update raw.documents set byte_count = 0": "between 1 byte",
    "update raw.reports set report_year = 1917": "A report year lies",
    "update raw.reports set report_year = 2917": "A report year lies",
    "delete from raw.metric_rows": "Every report of a loaded document has at least one figure",
    "update raw.metric_rows set snippet = '  '": "printed text",
    "update raw.metric_rows set locator = 'somewhere'": "names its place",
    "update raw.metric_rows set value = null": "A figure has a value exactly",
    "update raw.metric_rows set value_status = 'blank'": "A figure has a value exactly",
    "update raw.metric_rows set value_status = 'none_stated'": "the value is 0",
    "update raw.metric_rows set value_raw = '—'": "A number is read only where",
    "update raw.metric_rows set value_status = 'blank', value = null": "is not blank",
    "update raw.metric_rows set unit = '亿元'": "one of the catalogue's",
    "update raw.metric_rows set match_score = 101": "scores between",
    "update raw.metric_rows set value = 123456789012": "two cells read as one",
    "update raw.issues set message = ' '": "An issue says",
    "update raw.runs set seen_count = 99": "Seen is loaded plus",
}
WARNING_FAULTS = {
    "update raw.reports set report_year = null": "The year is known",
    "update raw.reports set agency_name = null": "The reporting body is known",
    "update raw.reports set agency_name = 'X局2017'": "2 to 60 Chinese characters",
    "update raw.reports set agency_name = '甲县2016年度报告'": "no words of a title",
    "update raw.metric_rows set metric_code = null": "carry a label that is understood",
    "update raw.metric_rows set value = null, value_status = 'illegible'": "illegible",
    "update raw.metric_rows set locator = 'line 2, chars 1-2, table 1 row 1 column 1'": "One table cell",
    "update raw.reports set published_date = date '2010-01-01'": "published between",
    "update raw.reports set table_year = 2001": "heading of the table",
}


def break_and_check(warehouse: Warehouse, statement: str, layer: str = "raw"):
    con = warehouse.connect()
    con.execute(statement)
    con.close()
    return run_suites(warehouse, layer, load_suites(layer))


@pytest.fixture(scope="module")
def raw_suites():
    return load_suites("raw")


@pytest.mark.parametrize(("statement", "said"), CRITICAL_FAULTS.items())
def test_a_planted_fault_in_the_raw_rows_blocks(refreshed: Warehouse, statement: str, said: str) -> None:
    findings = break_and_check(refreshed, statement)
    blocking = [finding for finding in findings if finding.blocks]
    assert any(said in finding.description for finding in blocking), [f.description for f in blocking]
    assert not any(finding.is_error for finding in findings)
    with pytest.raises(ChecksFailedError) as caught:
        raise_if_blocked("raw", findings, refreshed.site)
    message = str(caught.value)
    assert "nothing was published" in message
    assert said in message
    assert re.search(r"(document_id|report_id|metric_row_id|run_id)=\S+", message)
    assert "next: " in message
    assert message.endswith(str(refreshed.site / "checks_raw.html"))


@pytest.mark.parametrize(("statement", "said"), WARNING_FAULTS.items())
def test_a_doubtful_state_of_the_raw_rows_is_shown_without_blocking(
    refreshed: Warehouse, statement: str, said: str
) -> None:
    findings = break_and_check(refreshed, statement)
    failed = [finding for finding in findings if not finding.is_success]
    assert any(said in finding.description and not finding.blocks for finding in failed)


@pytest.mark.parametrize(
    ("statement", "said"),
    {
        "update marts.fct_metric_value set value = value + 1": "Every figure stands in the raw rows",
        "update marts.fct_metric_value set value_raw = '7'": "Every figure shows the evidence",
        "update marts.fct_metric_value set source_kind = 'derived'": "A derived figure names its identity",
        "delete from marts.fct_metric_value where report_year = 2015": "has figures here",
        "delete from marts.fct_metric_value": "at least one figure",
        "update raw.metric_rows set unit = '人'": "unit that the catalogue gives",
        "update marts.fct_metric_value set value = -1": "below zero",
        "delete from marts.dim_report where report_year = 2015": "as many reports as were read",
        "update marts.dim_report set is_in_facts = false": "At least one report speaks",
        "delete from marts.rpt_requests_yearly": "one row for every report",
        "drop table marts.rpt_remedies_yearly": "marts.rpt_remedies_yearly is there",
    }.items(),
)
def test_a_planted_fault_in_the_marts_blocks(refreshed: Warehouse, statement: str, said: str) -> None:
    findings = break_and_check(refreshed, statement, "marts")
    assert any(said in finding.description for finding in findings if finding.blocks)


def test_a_rule_that_cannot_be_evaluated_blocks(refreshed: Warehouse) -> None:
    findings = break_and_check(refreshed, "alter table raw.metric_rows rename column snippet to snip")
    errors = [finding for finding in findings if finding.is_error]
    assert errors
    assert all(finding.blocks for finding in errors)
    assert "snippet" in (errors[0].observed or "")


def test_every_rule_says_what_is_expected_and_what_to_do() -> None:
    for layer in LAYERS:
        for suite in load_suites(layer):
            assert re.search(r"[\u4e00-\u9fff]", suite.about)
            for rule in suite.expectations:
                assert rule.description_en.endswith("."), rule
                assert re.search(r"[\u4e00-\u9fff]", rule.description_zh), rule
                assert rule.next_step.endswith("."), rule


def test_sets_and_bounds_come_from_the_seeds() -> None:
    by_column = {
        rule.arguments.get("column"): rule.arguments
        for suite in load_suites("raw")
        for rule in suite.expectations
        if "column" in rule.arguments and ("value_set" in rule.arguments or "min_value" in rule.arguments)
    }
    assert set(by_column["unit"]["value_set"]) == {row["unit"] for row in read_seed("metrics")}
    rejects = {row["issue_code"] for row in read_seed("issue_codes") if row["is_reject"] == "true"}
    assert set(by_column["reject_code"]["value_set"]) == rejects
    assert by_column["report_year"]["min_value"] == min(int(row["first_report_year"]) for row in read_seed("forms"))


@pytest.mark.parametrize(
    "text",
    [
        "suites: [",
        "layer: raw",
        "suites: [{table: raw.x, keys: [a], expectations: [{rule_id: a, expect: no_rows, severity: fatal, en: x, "
        "query: q}]}]",
        "suites: [{table: raw.x, keys: [a], expectations: [{expect: no_rows, severity: info, en: x, query: q}]}]",
        "suites: [{table: raw.x, keys: [a], expectations: [{rule_id: A-1, expect: no_rows, severity: info, en: x, "
        "query: q}]}]",
        "suites: [{table: raw.x, keys: [a], expectations: [{rule_id: a, expect: no_rows, severity: info, en: x, "
        "query: q}, {rule_id: a, expect: no_rows, severity: info, en: x, query: q}]}]",
        "suites: [{table: x, keys: [a], expectations: []}]",
        "suites: [{table: raw.x, keys: [a], expectations: [{rule_id: a, expect: e, severity: info, en: x, "
        "value_set: {seed: metrics, column: nothing}}]}]",
    ],
)
def test_a_suite_file_that_is_not_as_described_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "raw.yml").write_text(text)
    with pytest.raises(GongkaiError, match=r"raw\.yml"):
        load_suites("raw", tmp_path)


def test_loading_never_imports_great_expectations(tmp_path: Path) -> None:
    sample = sorted((PROJECT_ROOT / "samples" / "reports").iterdir())[0]
    script = (
        "import sys; from loaders.cli import main\n"
        "try: main(['load', *sys.argv[1:]])\n"
        "except SystemExit: pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'great_expectations', 'sqlalchemy', 'dbt'}))"
    )
    command = [sys.executable, "-c", script, str(sample), "--warehouse", str(tmp_path / "wh")]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["seen 1 = loaded 1 + unchanged 0 + rejected 0", "[]"]


def test_no_two_rules_have_the_same_id() -> None:
    names = [rule.rule_id for layer in LAYERS for suite in load_suites(layer) for rule in suite.expectations]
    assert len(names) > 50
    assert len(set(names)) == len(names)


def test_the_suite_files_are_plain_yaml() -> None:
    for layer in LAYERS:
        assert yaml.safe_load((EXPECTATIONS / f"{layer}.yml").read_text("utf-8"))["layer"] == layer


def test_the_data_docs_fetch_nothing(refreshed: Warehouse) -> None:
    pages = list(refreshed.data_docs.rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        text = page.read_text("utf-8")
        assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", text, re.IGNORECASE), page
        assert not re.search(r"<script|<link|<iframe|@import", text, re.IGNORECASE), page
        assert "<style>" in text
        for target in re.findall(r"href=[\"']?([^\"'# >]+)", text):
            assert (page.parent / target).resolve().is_file(), (page, target)
    index = (refreshed.data_docs / "index.html").read_text("utf-8")
    assert "每份文件都有着落" not in index
    assert "装载的文件至少有一份报告" in index
    # The bodies of these documents are invented, so their places are not known; nothing else is wrong with them.
    assert ", 1 do not hold, 0 of them critical" in index
    assert re.findall(r"<td>([^<]*)[^\n]*does not hold", index) == [
        "A body is in the register, or its name tells its place. 机关在名录中，或其名称可定其所在地。"
    ]


def test_offline_html_drops_what_is_fetched_and_keeps_the_content() -> None:
    page = (
        "<html><head><link rel=stylesheet href='https://x/y.css'><script src=https://x></script></head><body>"
        "<a class='b' href=\"https://docs\">words</a><img src='//x/logo.png'><a href='a.html'>in</a></body></html>"
    )
    text = offline_html(page)
    assert "x" not in re.sub(r"<style>.*</style>", "", text, flags=re.DOTALL).replace("words", "")
    assert "words" in text
    assert "<a href='a.html'>in</a>" in text


def test_what_was_found_is_kept_in_the_work_file(refreshed: Warehouse) -> None:
    con = refreshed.connect(read_only=True)
    rows = con.execute("select layer, is_passed from quality.check_runs order by checked_at").fetchall()
    results = con.execute("select is_success, offending_rows from quality.check_results").fetchall()
    (unnamed,) = con.execute("select count(*) from quality.check_results where rule_id is null").fetchall()[0]
    con.close()
    assert unnamed == 0
    assert rows == [("raw", True), ("marts", True)]
    assert len(results) > 50
    assert all(json.loads(offending) == [] for success, offending in results if success)
