"""Golden marts of a generated panel: every planted fact is found, and nothing else is reported."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import duckdb
import pytest

from loaders.vocabulary import PROJECT_ROOT, read_seed
from loaders.warehouse import Warehouse
from tests.panel.oracle import Failure, find_failures
from tests.panel.panel import YEARS, Panel, bodies, make_panel, renamed_bodies, write_raw


@pytest.fixture(scope="module")
def panel() -> Panel:
    return make_panel()


def build(warehouse: Warehouse) -> None:
    target = warehouse.dbt_target
    command = [sys.executable, "-m", "dbt.cli.main", "--quiet", "--no-use-colors", "build"]
    command += ["--target-path", str(target), "--log-path", str(target / "logs")]
    environment = os.environ | {"GONGKAI_WAREHOUSE": str(warehouse.root), "DO_NOT_TRACK": "1"}
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.fixture(scope="module")
def built(panel: Panel, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = Warehouse(tmp_path_factory.mktemp("panel"))
    con = warehouse.connect()
    write_raw(con, panel)
    con.close()
    build(warehouse)
    return warehouse


@pytest.fixture(scope="module")
def marts(built: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect(str(built.work_file), read_only=True)
    con.execute("use marts")
    yield con
    con.close()


def test_the_panel_is_as_large_as_it_says(panel: Panel) -> None:
    assert len(bodies()) >= 300
    assert len({r.printed.year for r in panel.reports.values()}) == len(YEARS) == 12
    assert len({r.printed.form_code for r in panel.reports.values()}) == 3


def test_every_failing_identity_is_found_and_no_other(panel: Panel, marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute(
        "select report_id, identity_code, coalesce(metric_code, ''), applicant_type_code "
        "from fct_identity_check where status = 'fails'"
    ).fetchall()
    found = {Failure(*row) for row in rows}
    assert len(found) == len(rows)
    assert found == find_failures(panel.current)
    # Every identity of the three forms was broken once, and the break was noticed as that identity.
    noticed = {(failure.report, failure.identity_code) for failure in found}
    for fault in panel.faults:
        # A stock that does not carry over is told of the later year.
        if not fault.identity_code.startswith("F19_ITEMS_STOCK"):
            assert (fault.report_id, fault.identity_code) in noticed
    broken = {failure.identity_code for failure in found}
    forms = {r.printed.form_code for r in panel.reports.values()}
    assert broken == {row["identity_code"] for row in read_seed("identities") if row["form_code"] in forms}


def test_what_contradicts_itself_is_in_the_register_with_evidence(
    panel: Panel, marts: duckdb.DuckDBPyConnection
) -> None:
    named = {row[0] for row in marts.execute("select report_id from rpt_source_inconsistency").fetchall()}
    assert named == {failure.report for failure in find_failures(panel.current)}
    (suspects,) = marts.execute(
        "select count(*) from fct_metric_value where reliability = 'extraction_suspect'"
    ).fetchall()[0]
    assert suspects == 0


def test_a_figure_of_a_report_without_a_fault_is_never_doubted(panel: Panel, marts: duckdb.DuckDBPyConnection) -> None:
    doubted = {
        row[0]
        for row in marts.execute(
            "select distinct report_id from fct_metric_value where reliability = 'source_inconsistent'"
        ).fetchall()
    }
    assert doubted
    assert doubted <= {failure.report for failure in find_failures(panel.current)}


def test_corrections_are_revisions_and_copies_are_not(panel: Panel, marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute(
        "select old_report_id, new_report_id, metric_code, applicant_type_code, old_value, new_value, change_kind "
        "from fct_report_revision"
    ).fetchall()
    assert sorted(rows) == sorted(
        (c.old_report_id, c.new_report_id, c.metric_code, c.applicant_type_code, c.old_value, c.new_value, "changed")
        for c in panel.changes
    )
    copies = marts.execute(
        "select report_id, copy_of_report_id from dim_report where exclusion_reason = 'copy'"
    ).fetchall()
    assert set(copies) == panel.copies


def test_a_sentence_may_count_in_another_way_and_the_way_is_told(
    panel: Panel, marts: duckdb.DuckDBPyConnection
) -> None:
    rows = marts.execute(
        "select report_id, matched_reading_code from fct_identity_check "
        "where identity_code like '%NARR_RECEIVED' and status = 'holds'"
    ).fetchall()
    ways = dict(rows)
    for report_id, admissible in panel.readings.items():
        assert ways[report_id] in admissible
    others = ways.keys() - panel.readings.keys() - {fault.report_id for fault in panel.faults}
    assert {ways[report_id] for report_id in others} == {"new"}
    assert {"new_and_carried_over", "closed"} <= set(ways.values())


def test_sentences_against_tables_are_the_only_conflicts(panel: Panel, marts: duckdb.DuckDBPyConnection) -> None:
    found = marts.execute("select distinct report_id, metric_code from fct_value_conflict").fetchall()
    spoken = {
        (r.report_id, metric)
        for r in panel.reports.values()
        for (metric, applicant), value in r.printed.narrative.items()
        if r.printed.table.get((metric, applicant), value) != value
    }
    assert set(found) == spoken


def test_coverage_names_what_is_missing_and_what_cannot_be_read(panel: Panel, marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute(
        "select a.agency_name, c.report_year, c.status from rpt_coverage c join dim_agency a using (agency_key)"
    ).fetchall()
    names = {(body.code, year): body.names[year] for body in bodies() for year in YEARS}
    by_status: dict[str, set[tuple[str, int]]] = {}
    for name, year, status in rows:
        by_status.setdefault(status, set()).add((name, year))
    assert by_status["missing"] == {(names[code, year], year) for code, year in panel.missing}
    assert by_status["unreadable"] == {(names[code, year], year) for code, year in panel.unreadable}
    assert sum(map(len, by_status.values())) == len(bodies()) * len(YEARS)


def test_late_reports_are_late_by_as_many_days(panel: Panel, marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute("select report_id, status, days_after_deadline from rpt_timeliness").fetchall()
    late = {report_id: days for report_id, status, days in rows if status == "late"}
    assert late == panel.late
    assert {report_id for report_id, status, _ in rows if status == "unknown_date"} == panel.undated
    assert {status for _, status, _ in rows} == {"late", "on_time", "unknown_date"}


def test_blank_totals_are_derived_and_say_that_they_are_blank(panel: Panel, marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute(
        "select report_id, metric_code, applicant_type_code, value from fct_metric_value "
        "where source_kind = 'derived' and printed_value_status = 'blank' "
        "and metric_row_id is not null"
    ).fetchall()
    assert {tuple(row[:3]): int(row[3]) for row in rows} == panel.derived


def test_groups_without_a_cell_are_the_sum_of_their_parts(panel: Panel, marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute(
        "select report_id, value from fct_metric_value where source_kind = 'derived' "
        "and metric_code = 'outcome_denied' and applicant_type_code = 'total'"
    ).fetchall()
    assert len(rows) > 1000
    for report_id, value in rows:
        table = panel.reports[report_id].printed.table
        parts = (v for (metric, who), v in table.items() if who == "total" and metric.startswith("outcome_denied_"))
        assert int(value) == sum(parts)


def test_a_renamed_body_is_one_body_with_a_name_for_each_time(marts: duckdb.DuckDBPyConnection) -> None:
    assert len(renamed_bodies()) >= 5
    for body in renamed_bodies():
        rows = marts.execute(
            "select distinct r.report_year, a.agency_id, a.agency_name from dim_report r join dim_agency a "
            "using (agency_key) where a.agency_id = ? order by 1",
            [body.code],
        ).fetchall()
        assert {year: name for year, _, name in rows} == dict(body.names)
    (count,) = marts.execute("select count(distinct agency_id) from dim_report where is_in_facts").fetchall()[0]
    assert count == len(bodies())


def test_totals_of_areas_do_not_change_when_members_come_beside_their_aggregate(
    panel: Panel, marts: duckdb.DuckDBPyConnection
) -> None:
    metric = "reconsideration_total"
    rows = marts.execute(
        "select division_code, report_year, value, is_partial from fct_area_total_yearly "
        "where metric_code = ? and level_code = 'county'",
        [metric],
    ).fetchall()
    expected = {
        (r.body.division_code, r.printed.year): r.printed.table[metric, None]
        for r in panel.reports.values()
        if r.body.is_aggregate and (metric, None) in r.printed.table
    }
    assert {(code, year): int(value) for code, year, value, _ in rows} == expected
    assert not any(is_partial for *_, is_partial in rows)


def test_shares_have_their_parts_and_changes_stop_at_a_new_form(panel: Panel, marts: duckdb.DuckDBPyConnection) -> None:
    rows = marts.execute(
        "select report_id, value, numerator, denominator from fct_indicator_value "
        "where indicator_code = 'reconsideration_correction_rate' and value is not null"
    ).fetchall()
    assert rows
    for report_id, value, numerator, denominator in rows:
        table = panel.reports[report_id].printed.table
        if panel.reports[report_id].printed.form_code == "nat2014":
            whole = table["reconsideration_cases_total", None]
            part = table["reconsideration_cases_corrected", None]
        else:
            whole = table["reconsideration_total", None] - table["reconsideration_pending", None]
            part = table["reconsideration_corrected", None]
        assert (int(numerator), int(denominator)) == (part, whole)
        assert float(value) == pytest.approx(part / whole, abs=1e-6)
    # A rate of another form is another rate: no change is told from 2018 to 2019, nor past a year that is missing.
    changes = marts.execute(
        "select form_code, report_year, count(change), count(*) from fct_indicator_value "
        "where indicator_code = 'reconsideration_correction_rate' group by 1, 2"
    ).fetchall()
    told = {year: count for _, year, count, _ in changes}
    assert told[2014] == told[2019] == 0
    assert min(count for year, count in told.items() if year not in (2014, 2019)) > 100
