"""Whole refreshes in processes of their own: killed, at the same time, with a planted fault."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from loaders.version import PROJECT_ROOT
from loaders.warehouse import Warehouse, read_holder
from tests.conftest import write_documents
from tests.system.driver import STEPS

# A machine that does much else takes its time; this only ends a process that hangs.
PATIENCE = 1200
NODES = (
    "select status, node_name, resource_type from quality.dbt_results where run_id = (select max(run_id) from raw.runs)"
)
MARTS = "select metric_code, report_year, value, reliability from marts.fct_metric_value order by all"


def start(*arguments: object, stop_at: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.system.driver", *map(str, arguments)],
        cwd=PROJECT_ROOT,
        env={**os.environ, "GONGKAI_STOP_AT": stop_at},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refresh(documents: Path, warehouse: Warehouse, stop_at: str = "", *options: object) -> tuple[int, str]:
    process = start("refresh", documents, "--warehouse", warehouse.root, *options, stop_at=stop_at)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out + err


def published(warehouse: Warehouse) -> list[tuple] | None:
    """What a reader sees, read as a reader would."""
    if not warehouse.current.exists():
        return None
    con = duckdb.connect(str(warehouse.current / "warehouse.duckdb"), read_only=True)
    try:
        return con.execute(MARTS).fetchall()
    finally:
        con.close()


@pytest.mark.parametrize(
    ("steps", "later_steps"),
    [
        pytest.param(("copy",), (), id="at one step"),
        pytest.param(tuple(STEPS), ("staging", "build", "copy", "seal"), id="at every step", marks=pytest.mark.long),
    ],
)
def test_a_killed_refresh_goes_on_and_ends_right(
    tmp_path: Path, steps: tuple[str, ...], later_steps: tuple[str, ...]
) -> None:
    documents = write_documents(tmp_path / "in")
    warehouse = Warehouse(tmp_path / "wh")
    for step in steps:
        code, said = refresh(documents, warehouse, step)
        assert code == -9, (step, said)
        seen = published(warehouse)
        assert seen is None or len(seen) == 24, step
    code, said = refresh(documents, warehouse)
    assert code == 0, said
    first = published(warehouse)
    assert first is not None
    assert len(first) == 24
    assert not [path.name for path in warehouse.releases.iterdir() if path.name.startswith(".")]
    con = duckdb.connect(str(warehouse.work_file), read_only=True)
    runs = con.execute("select status, count(*) from raw.runs group by 1 order by 1").fetchall()
    con.close()
    # The first kill came inside a transaction of its run; the run itself was on record.
    assert runs == [("done", 1), ("interrupted", len(steps))]

    # A second batch: until it is published whole, readers keep the first release.
    (documents / "丙.txt").write_text("丙县人民政府,2016,requests_received=7", "utf-8")
    for step in later_steps:
        assert refresh(documents, warehouse, step)[0] == -9
        assert published(warehouse) == first, step
    assert refresh(documents, warehouse)[0] == 0
    second = published(warehouse)
    assert second is not None
    assert len(second) == 25

    # Never killed, from nothing: the same figures.
    clean = Warehouse(tmp_path / "clean")
    assert refresh(documents, clean)[0] == 0
    assert published(clean) == second


def test_a_second_refresh_is_refused_or_waits(tmp_path: Path) -> None:
    documents = write_documents(tmp_path / "in")
    warehouse = Warehouse(tmp_path / "wh")
    first = start("refresh", documents, "--warehouse", warehouse.root)
    while read_holder(warehouse) is None:
        assert first.poll() is None, first.communicate()
        time.sleep(0.02)
    code, said = refresh(documents, warehouse)
    assert code == 5
    assert f"process {first.pid}, `gongkai refresh`" in said
    status = start("status", "--warehouse", warehouse.root)
    out, err = status.communicate(timeout=PATIENCE)
    assert status.returncode == 0, err
    assert f"process {first.pid}" in out
    code, said = refresh(documents, warehouse, "", "--wait", PATIENCE)
    assert first.wait() == 0
    assert code == 0
    assert "nothing new" in said


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("丁县人民政府,1999,requests_received=7", "A report year lies"),
        ("丁县人民政府,2016,requests_received=-7", "below zero"),
    ],
)
def test_a_critical_fault_leaves_the_release_untouched(refreshed: Warehouse, fault: str, said: str) -> None:
    documents = refreshed.root.parent / "in"
    before = (os.readlink(refreshed.current), sorted(os.listdir(refreshed.releases)), published(refreshed))
    (documents / "fault.txt").write_text(fault, "utf-8")
    code, text = refresh(documents, refreshed)
    assert code == 4, text
    assert said in text
    assert "fault.txt" in text or "_id=" in text
    assert "Traceback" not in text
    assert (os.readlink(refreshed.current), sorted(os.listdir(refreshed.releases)), published(refreshed)) == before
    assert start("publish", "--warehouse", refreshed.root).wait() == 4
    # Still refused the second time, although nothing is new.
    assert refresh(documents, refreshed)[0] == 4


def test_a_model_that_fails_leaves_the_release_untouched(refreshed: Warehouse) -> None:
    before = os.readlink(refreshed.current)
    con = refreshed.connect()
    con.execute("alter table marts.fct_value_conflict drop column losing_value")
    con.close()
    documents = refreshed.root.parent / "in"
    (documents / "丙.txt").write_text("丙县人民政府,2016,requests_received=7", "utf-8")
    code, text = refresh(documents, refreshed)
    assert code == 1, text
    assert "fct_value_conflict" in text
    assert "Traceback" not in text
    log = refreshed.dbt_target / "logs" / "dbt.log"
    assert f"the log is {log}" in text
    assert "fct_value_conflict" in log.read_text("utf-8")
    assert os.readlink(refreshed.current) == before
    con = duckdb.connect(str(refreshed.work_file))
    nodes = con.execute(NODES).fetchall()
    timings = con.execute(
        "select step_code, status from quality.step_timings where run_id = (select max(run_id) from raw.runs)"
    ).fetchall()
    con.execute("drop table marts.fct_value_conflict")
    con.close()
    assert ("error", "fct_value_conflict", "model") in nodes
    assert "skipped" in {status for status, _, _ in nodes}
    assert ("build", "failed") in timings
    # The build before it went well, by the same code: what is made of seeds alone stood.
    assert not {"seed", "dim_metric"} & {word for node in nodes for word in node}
    # After the one that failed nothing is taken for granted.
    code, text = refresh(documents, refreshed)
    assert code == 0, text
    with duckdb.connect(str(refreshed.work_file), read_only=True) as con:
        assert {("success", "dim_metric", "model"), ("success", "metrics", "seed")} <= set(
            con.execute(NODES).fetchall()
        )
