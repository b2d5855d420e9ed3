"""The sample reports (and the originals, where they are) through the whole way: documents to marts and back."""

from __future__ import annotations

import csv
import os
import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from loaders.readers import read_bytes
from loaders.refresh import LoadRequest, run_refresh
from loaders.settings import Settings
from loaders.trace import Question, describe_trace, trace_figure
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse

CORPUS = os.environ.get("GONGKAI_CORPUS")
FOLDERS = [PROJECT_ROOT / "samples", *([Path(CORPUS)] if CORPUS else [])]
IDENTITIES = {
    ("北京市西城区统计局", 2018, "nat2014", "own"),
    ("北京市大兴区统计局", 2020, "fmt2019", "own"),
    ("成都市统计局", 2018, "nat2014", "own"),
    ("北京市西城区人民政府", 2018, "nat2014", "area_aggregate"),
    ("吉林市统计局龙潭分局", 2017, "nat2014", "own"),
}


def truth_of(folder: Path) -> dict[str, list[dict[str, str]]]:
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows[row.get("document") or row["seed_file"]].append(row)
    return rows


@pytest.fixture(scope="session", params=FOLDERS, ids=lambda folder: folder.name)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A published warehouse of five reports, and the folder they came from."""
    folder: Path = request.param
    if folder == PROJECT_ROOT / "samples":
        warehouse = request.getfixturevalue("published_samples")
    else:
        warehouse = Warehouse(tmp_path_factory.mktemp(folder.name))
        run_refresh(Settings(warehouse, quiet=True), LoadRequest((str(folder / "reports"),)))
    con = duckdb.connect(str(warehouse.current / "warehouse.duckdb"), read_only=True)
    yield con, folder
    con.close()


def folded(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_every_report_is_known_by_body_year_form_and_scope(built) -> None:
    con, _ = built
    reports = con.execute(
        "select a.agency_name, r.report_year, r.form_code, r.scope_code from marts.dim_report as r "
        "join marts.dim_agency as a using (agency_key) where r.is_in_facts"
    ).fetchall()
    assert set(reports) == IDENTITIES
    assert len(reports) == 5
    joint = con.execute(
        "select co_agency_names from marts.dim_report where co_agency_names is not null and co_agency_names <> ''"
    ).fetchall()
    assert joint == [("北京市西城区经济社会调查队",)]
    assert con.execute(
        "select report_year, table_year from marts.dim_report where table_year <> report_year"
    ).fetchall() == [(2017, 2016)]


def test_every_printed_table_cell_is_in_the_mart_with_its_printed_value(built) -> None:
    con, folder = built
    missing = []
    for document, rows in truth_of(folder).items():
        facts = {
            (code, applicant): (value, status)
            for code, applicant, value, status in con.execute(
                "select v.metric_code, v.applicant_type_code, v.value, v.value_status "
                "from marts.fct_metric_value as v join raw.documents as d using (document_id) "
                "where d.source_uri like '%' || ?",
                [document],
            ).fetchall()
        }
        narrative = {r["metric_code"] for r in rows if r["source_kind"] == "narrative"}
        for row in (r for r in rows if r["source_kind"] == "table"):
            value, status = facts[row["metric_code"], row["applicant_type"] or "not_applicable"]
            if row["is_blank"] == "true":
                # A blank may only give way to what the text states.
                right = (value is None and status == "blank") or row["metric_code"] in narrative
            else:
                right = value == Decimal(row["value"])
            if not right:
                missing.append((document, row, value, status))
    assert not missing


def test_the_two_contradicted_figures_are_conflicts_and_every_other_assessable_identity_holds(built) -> None:
    con, _ = built
    assert con.execute(
        "select metric_code, cast(value as integer), cast(losing_value as integer) from marts.fct_value_conflict "
        "where conflict_kind = 'narrative_against_table' order by 1"
    ).fetchall() == [("ogi_meetings", 1, 2), ("ogi_training_sessions", 2, 1)]
    failed = con.execute("select identity_code from marts.fct_identity_check where status = 'fails' order by 1")
    assert [code for (code,) in failed.fetchall()] == ["N14_NARR_OGI_MEETINGS", "N14_NARR_OGI_TRAINING_SESSIONS"]
    held = con.execute("select count(*) from marts.fct_identity_check where status = 'holds'").fetchone()
    assert held[0] > 100
    suspects = con.execute("select count(*) from marts.fct_metric_value where reliability = 'extraction_suspect'")
    assert suspects.fetchone() == (0,)


def test_trace_leads_from_every_mart_value_to_the_printed_text(built) -> None:
    con, folder = built
    texts = {path.name: read_bytes(path.read_bytes())[0].text for path in (folder / "reports").iterdir()}
    figures = con.execute(
        "select distinct a.agency_name, v.report_year, v.metric_code from marts.fct_metric_value as v "
        "join marts.dim_agency as a using (agency_key)"
    ).fetchall()
    assert len(figures) > 250
    for agency, year, metric in figures:
        answer = trace_figure(con, Question(agency, year, metric))
        assert answer["figures"], (agency, year, metric)
        for figure in answer["figures"]:
            if figure["printed_value_status"] is None:
                # The form prints no cell: the figure leads to the identity that gives it.
                assert figure["derivation_identity_code"] in describe_trace(answer)
                continue
            text = texts[Path(figure["source_uri"]).name]
            start, end = map(int, re.search(r"chars (\d+)-(\d+)", figure["locator"]).groups())
            printed = folded(text[start:end])
            assert folded(figure["value_raw"] or "") in printed or printed in folded(figure["snippet"])
            where = text[max(0, start - 400) : end + 400]
            parts = [part for part in folded(figure["snippet"]).split(" ") if part != "|"]
            assert all(part in folded(where) for part in parts), (figure["snippet"], printed)


def test_blank_none_and_zero_stay_apart(built) -> None:
    con, _ = built
    statuses = dict(con.execute("select value_status, count(*) from marts.fct_metric_value group by 1").fetchall())
    assert statuses["blank"] > 40
    assert statuses["none_stated"] >= 5
    assert con.execute(
        "select count(*) from marts.fct_metric_value "
        "where (value is null) <> (value_status not in ('number', 'none_stated'))"
    ).fetchone() == (0,)


def markdown_rows(con: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """The answer to a query as the rows of a Markdown table."""

    def cell(value: object) -> str:
        if value is None:
            return ""
        return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)

    con.execute("use marts")
    answer = con.execute(query)
    names = [column[0] for column in answer.description]
    rows = [names, ["---"] * len(names), *([cell(v) for v in row] for row in answer.fetchall())]
    return [f"| {' | '.join(row)} |" for row in rows]


def test_the_answers_in_the_readme_are_true(built) -> None:
    con, folder = built
    if folder.name != "samples":
        pytest.skip("the README speaks of the samples")
    readme = (PROJECT_ROOT / "README.md").read_text("utf-8")
    questions = re.findall(r"```sql\n(.*?)```\n\n((?:\|[^\n]*\n)+)", readme, re.DOTALL)
    assert len(questions) == 3
    for query, answer in questions:
        assert markdown_rows(con, query) == answer.strip().splitlines()
