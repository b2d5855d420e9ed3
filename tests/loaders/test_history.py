"""What runs leave in schema ``quality``: complete, also when they fail, and bounded."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loaders.builds import create_quality, data_token, is_built
from loaders.errors import ChecksFailedError, UsageError
from loaders.history import (
    KEPT_RUNS,
    NodeResult,
    Stopwatch,
    forget_old_runs,
    insert_rows,
    kept_runs,
    record_counts,
    record_nodes,
    record_timing,
)
from loaders.refresh import LoadRequest, run_refresh
from loaders.settings import Settings
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse
from tests.conftest import FINGERPRINT, write_documents

STEPS = ["load", "check_raw", "build", "check_marts", "publish"]


def ask(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    con = warehouse.connect(read_only=True)
    try:
        return con.execute(query).fetchall()
    finally:
        con.close()


def ask_release(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    con = duckdb.connect(str(warehouse.current / "warehouse.duckdb"), read_only=True)
    try:
        return con.execute(query).fetchall()
    finally:
        con.close()


@pytest.fixture
def empty() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    create_quality(con)
    return con


def test_a_refresh_leaves_what_every_step_did(refreshed: Warehouse) -> None:
    timings = ask(refreshed, "from quality.step_timings order by started_at")
    assert [(step, status) for _, step, status, *_ in timings] == [(step, "done") for step in STEPS]
    assert all(wall > 0 and cpu > 0 for _, _, _, wall, cpu, *_ in timings)
    ((run_id,),) = ask(refreshed, "select run_id from raw.runs")
    assert {row[0] for row in timings} == {run_id}

    nodes = ask(refreshed, "select resource_type, unique_id, failure_count from quality.dbt_results")
    kinds = [kind for kind, *_ in nodes]
    assert min(kinds.count("model"), kinds.count("test"), kinds.count("seed")) > 20
    assert all(count == 0 for kind, _, count in nodes if kind == "test")

    counted = ask(refreshed, "select schema_name, table_name, row_count from quality.table_counts")
    assert {schema for schema, *_ in counted} == {"raw", "seeds", "marts"}
    for schema, table, count in counted:
        assert ask(refreshed, f'select count(*) from "{schema}"."{table}"') == [(count,)], table
    assert ("seeds", "forms", 4) in counted
    tables = ask(refreshed, "select count(*) from duckdb_tables() where schema_name in ('raw', 'seeds', 'marts')")
    assert tables == [(len(counted),)]


def test_a_release_shows_the_history_up_to_it(refreshed: Warehouse) -> None:
    drift = "select subject_kind, subject_code, measure_code from quality.rpt_quality_drift order by all"
    shown = ask_release(refreshed, drift)
    # Publishing was not over when the release was written.
    late = {row for row in ask(refreshed, drift) if row[:2] == ("step", "publish")}
    assert late
    assert shown == [row for row in ask(refreshed, drift) if row not in late]
    assert ask_release(refreshed, "select count(*) > 50 from quality.check_results where rule_id is not null") == [
        (True,)
    ]


def test_the_questions_of_the_page_have_answers(refreshed: Warehouse) -> None:
    page = (PROJECT_ROOT / "docs" / "history.md").read_text("utf-8")
    unexpected, rule = re.findall(r"```sql\n(.+?)```", page, re.DOTALL)
    assert ask_release(refreshed, unexpected) == []
    assert len(ask_release(refreshed, rule)) == 1
    tables = ask_release(refreshed, "select table_name from duckdb_tables() where schema_name = 'quality'")
    assert {f"quality.{table}" for (table,) in tables} == set(re.findall(r"`(quality\.\w+)`", page))


def test_a_refresh_with_nothing_new_stays_idle(refreshed: Warehouse) -> None:
    before = os.readlink(refreshed.current)
    con = refreshed.connect(read_only=True)
    token = data_token(con, "marts")
    con.close()
    documents = refreshed.root.parent / "in"
    run_refresh(Settings(refreshed, quiet=True), LoadRequest((str(documents),)))
    assert os.readlink(refreshed.current) == before
    con = refreshed.connect(read_only=True)
    assert data_token(con, "marts") == token
    assert is_built(con, FINGERPRINT, data_token(con, "raw"))
    con.close()
    assert ask(refreshed, "select step_code from quality.step_timings order by started_at offset 5") == [("load",)]
    assert ask(refreshed, "select count(distinct run_id) from quality.dbt_results") == [(1,)]


def test_a_check_that_blocks_is_kept_with_its_rows(refreshed: Warehouse) -> None:
    con = refreshed.connect()
    con.execute("update raw.metric_rows set snippet = '  '")
    con.close()
    with pytest.raises(ChecksFailedError):
        run_refresh(Settings(refreshed, quiet=True), LoadRequest(()))
    failed = ask(
        refreshed,
        "select rule_id, severity, unexpected_count, is_error, offending_rows <> '[]' "
        "from quality.check_results where not is_success",
    )
    assert ("snippet_present", "critical", 24, False, True) in failed
    assert ask(refreshed, "select step_code, status from quality.step_timings order by started_at offset 5") == [
        ("check_raw", "done")
    ]


def test_each_table_keeps_its_last_runs(empty: duckdb.DuckDBPyConnection) -> None:
    node = NodeResult("model.m", "m", "model", "success", None, None, 0.1)
    for number in range(1, 6):
        run = f"run{number}"
        record_timing(empty, run, Stopwatch("load").stop("done"))
        layer = "marts" if number == 1 else "raw"
        empty.execute(
            "insert into quality.check_runs values (?, ?, ?, 'f', 't', true, '2026-01-01')", [f"c{number}", layer, run]
        )
        empty.execute(
            "insert into quality.check_results by name select ? as check_id, 'r' as rule_id, 's' as suite_name, "
            "'e' as expectation_type, 'info' as severity, 'd' as description, true as is_success, "
            "false as is_error, '[]' as offending_rows",
            [f"c{number}"],
        )
    record_nodes(empty, "run1", [node, node])
    record_counts(empty, "run1", ["quality"])
    forget_old_runs(empty, 2)

    def runs(table: str, key: str = "run_id") -> list[str]:
        found = empty.execute(f"select distinct {key} from quality.{table} order by 1").fetchall()
        return [value for (value,) in found]

    assert runs("step_timings") == ["run4", "run5"]
    # The last build and the last check of a layer are old and still the last.
    assert runs("dbt_results") == ["run1"]
    assert runs("table_counts") == ["run1"]
    assert runs("check_runs", "check_id") == ["c1", "c4", "c5"]
    assert runs("check_results", "check_id") == ["c1", "c4", "c5"]


def test_a_run_forgets_by_the_setting(refreshed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    con = refreshed.connect()
    con.execute("insert into quality.table_counts values ('0', 'raw', 'x', 1)")
    con.close()
    documents = refreshed.root.parent / "in"
    request = LoadRequest((str(documents),))
    run_refresh(Settings(refreshed, quiet=True), request)
    assert ask(refreshed, "select count(*) from quality.table_counts where run_id = '0'") == [(1,)]
    monkeypatch.setenv("GONGKAI_KEPT_RUNS", "2")
    run_refresh(Settings(refreshed, quiet=True), request)
    assert ask(refreshed, "select count(*) from quality.table_counts where run_id = '0'") == [(0,)]


@pytest.mark.parametrize("text", ["0", "-1", "many", "", "1.5", "٣"])
def test_a_setting_that_is_no_number_of_runs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("GONGKAI_KEPT_RUNS", text)
    with pytest.raises(UsageError, match="GONGKAI_KEPT_RUNS"):
        kept_runs()
    documents = write_documents(tmp_path / "in")
    with pytest.raises(UsageError, match="whole number"):
        run_refresh(Settings(Warehouse(tmp_path / "wh"), quiet=True), LoadRequest((str(documents),)))
    assert not (tmp_path / "wh").exists()


def test_without_a_setting_many_runs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GONGKAI_KEPT_RUNS", raising=False)
    assert kept_runs() == KEPT_RUNS >= 100


def test_rows_name_the_columns_of_their_table(empty: duckdb.DuckDBPyConnection) -> None:
    row = {"run_id": "r", "schema_name": "s", "table_name": "t", "row_count": 1}
    insert_rows(empty, "quality.table_counts", [row, row | {"row_count": 2}])
    assert empty.execute("from quality.table_counts").fetchall() == [("r", "s", "t", 1), ("r", "s", "t", 2)]
    for wrong in (row | {"rows": 1}, {"run_id": "r"}):
        with pytest.raises(ValueError, match="row_count"):
            insert_rows(empty, "quality.table_counts", [wrong])


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the system does not tell peaks")
def test_the_peak_of_a_step_is_its_own() -> None:
    watch = Stopwatch("large")
    held = bytearray(b"x" * 300_000_000)
    large = watch.stop("done").peak_memory_mb
    del held
    watch = Stopwatch("small")
    small = watch.stop("failed")
    assert large is not None
    assert small.peak_memory_mb is not None
    assert large - small.peak_memory_mb > 200
    assert small.status == "failed"
