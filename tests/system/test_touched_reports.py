"""A build that makes only the reports that something touched ends where a build of everything ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from loaders.builds import data_token
from loaders.staging import create_raw
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse
from tests.panel.panel import YEARS, Panel, make_panel, write_raw

pytestmark = pytest.mark.long

SAMPLES = PROJECT_ROOT / "samples" / "reports"


def load(warehouse: Warehouse, *sources: Path) -> None:
    command = [sys.executable, "-m", "loaders", "load", *map(str, sources), "--warehouse", str(warehouse.root)]
    subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, check=True)


def build(warehouse: Warehouse, *options: str) -> subprocess.CompletedProcess[str]:
    target = warehouse.dbt_target
    command = [sys.executable, "-m", "dbt.cli.main", "--quiet", "--no-use-colors", "build", *options]
    command += ["--target-path", str(target), "--log-path", str(target / "logs")]
    environment = os.environ | {"GONGKAI_WAREHOUSE": str(warehouse.root), "DO_NOT_TRACK": "1"}
    return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)


def ask(warehouse: Warehouse, sql: str) -> list[tuple[object, ...]]:
    con = duckdb.connect(str(warehouse.work_file), read_only=True)
    try:
        return con.execute(sql).fetchall()
    finally:
        con.close()


def token(warehouse: Warehouse) -> str:
    con = duckdb.connect(str(warehouse.work_file), read_only=True)
    try:
        return data_token(con, "marts")
    finally:
        con.close()


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse that got its reports in two loads with a build after each; the second touched some of them."""
    root = Warehouse(tmp_path_factory.mktemp("touched"))
    *_, last = sorted(SAMPLES.iterdir())
    folder = root.root / "reports"
    folder.mkdir()
    for path in SAMPLES.iterdir():
        if path != last:
            shutil.copy(path, folder)
    load(root, folder)
    done = build(root)
    assert done.returncode == 0, done.stdout[-3000:]
    load(root, last)
    done = build(root)
    assert done.returncode == 0, done.stdout[-3000:]
    return root


def test_only_touched_reports_were_made(warehouse: Warehouse) -> None:
    rows = ask(warehouse, "select is_touched, count(*) from intermediate.int_reports_touched group by 1")
    assert {flag for flag, _ in rows} == {True, False}
    made = ask(warehouse, "select count(distinct report_id) from intermediate.int_metric_values_ranked")
    kept = ask(warehouse, "select count(distinct report_id) from marts.fct_metric_value")
    assert made[0][0] < kept[0][0] == len(list(SAMPLES.iterdir()))  # type: ignore[operator]


def test_a_table_cannot_be_made_from_a_part_of_the_reports(warehouse: Warehouse) -> None:
    done = build(warehouse, "--select", "fct_metric_value", "--full-refresh")
    assert done.returncode != 0
    assert "dbt build --full-refresh" in done.stdout


def test_the_marts_are_those_of_a_build_of_every_year(warehouse: Warehouse) -> None:
    before = token(warehouse)
    done = build(warehouse, "--full-refresh")
    assert done.returncode == 0, done.stdout[-3000:]
    assert token(warehouse) == before


def test_a_report_that_is_gone_is_gone_from_every_table(warehouse: Warehouse) -> None:
    con = warehouse.connect()
    ((report_id, document_id),) = con.execute(
        "select report_id, document_id from raw.reports order by report_year desc, report_id limit 1"
    ).fetchall()
    con.execute("delete from raw.metric_rows where report_id = ?", [report_id])
    con.execute("delete from raw.issues where report_id = ?", [report_id])
    con.execute("delete from raw.documents where document_id = ?", [document_id])
    con.execute("delete from raw.reports where report_id = ?", [report_id])
    con.close()
    done = build(warehouse)
    assert done.returncode == 0, done.stdout[-3000:]
    tables = ask(
        warehouse,
        "select table_name from duckdb_columns() where schema_name = 'marts' and column_name = 'report_id'",
    )
    assert len(tables) > 10
    for (table,) in tables:
        assert ask(warehouse, f"select count(*) from marts.{table} where report_id = '{report_id}'") == [(0,)], table
    before = token(warehouse)
    assert build(warehouse, "--full-refresh").returncode == 0
    assert token(warehouse) == before


@pytest.fixture(scope="module")
def panel() -> Panel:
    """The areas of a panel that have a revision or a copy."""
    whole = make_panel()
    versions = [whole.changes[0].new_report_id, whole.changes[-1].new_report_id, min(whole.copies)[0]]
    areas = {whole.reports[report_id].body.area for report_id in versions}
    return replace(whole, reports={key: r for key, r in whole.reports.items() if r.body.area in areas})


def late_reports(panel: Panel) -> set[str]:
    """Reports that others look at, by body, by area or by version, and new ones."""
    own = [r for r in panel.reports.values() if not r.body.is_aggregate]
    areas = [r for r in panel.reports.values() if r.body.is_aggregate]
    return {
        next(r.report_id for r in own if r.printed.year == YEARS[0]),
        next(r.report_id for r in reversed(own) if r.printed.year == 2020),
        next(r.report_id for r in areas if r.printed.year == 2022),
        panel.changes[0].new_report_id,
        panel.changes[-1].old_report_id,
        min(panel.copies)[0],
        *[r.report_id for r in own if r.printed.year == YEARS[-1]][20:25],
    }


def write(warehouse: Warehouse, panel: Panel, without: set[str]) -> None:
    """Put a panel, all but some reports, in the place of what is staged."""
    con = warehouse.connect()
    create_raw(con)
    for table in ("documents", "reports", "metric_rows"):
        con.execute(f"delete from raw.{table}")
    write_raw(con, Panel({key: report for key, report in panel.reports.items() if key not in without}))
    con.close()


def test_what_looks_at_a_report_is_made_again_with_it(tmp_path: Path, panel: Panel) -> None:
    warehouse = Warehouse(tmp_path)
    gone = {next(r.report_id for r in panel.reports.values() if r.printed.year == 2018)}
    late = late_reports(panel)
    write(warehouse, panel, late)
    done = build(warehouse)
    assert done.returncode == 0, done.stdout[-3000:]
    write(warehouse, panel, gone)
    done = build(warehouse)
    assert done.returncode == 0, done.stdout[-3000:]
    ((touched, kept),) = ask(
        warehouse,
        "select count(case when is_touched then 1 end), count(case when not is_touched then 1 end) "
        "from intermediate.int_reports_touched",
    )
    assert len(late) < touched < kept  # type: ignore[operator]
    before = token(warehouse)
    assert build(warehouse, "--full-refresh").returncode == 0
    assert token(warehouse) == before
