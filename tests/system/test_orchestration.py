"""Dagster's view of a refresh; but for the folder's, these tests need the extra ``dagster``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from loaders.builds import LAYERS
from loaders.checks import load_suites
from loaders.version import PROJECT_ROOT
from loaders.warehouse import Warehouse, run_lock
from orchestration.folder import Cursor, Look, listing_hash, look


def test_a_refresh_is_asked_for_once_files_have_come_to_rest(tmp_path: Path) -> None:
    folders = [str(tmp_path)]
    (tmp_path / "a.txt").write_text("1", "utf-8")
    first = look(folders, Cursor.parse(""))
    assert not first.is_refresh_due
    # Still being written: the next look waits again.
    (tmp_path / "a.txt").write_text("12", "utf-8")
    second = look(folders, Cursor.parse(str(first.cursor)))
    assert not second.is_refresh_due
    third = look(folders, Cursor.parse(str(second.cursor)))
    assert third.is_refresh_due
    after = look(folders, Cursor.parse(str(third.cursor)))
    assert after == Look(third.cursor, False, "no file is new, changed or gone")


@pytest.mark.parametrize("change", ["new", "renamed", "gone", "later"])
def test_every_change_of_a_folder_is_noticed(tmp_path: Path, change: str) -> None:
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "a.txt"
    file.write_text("1", "utf-8")
    before = listing_hash([str(tmp_path)])
    assert listing_hash([str(tmp_path)]) == before
    if change == "new":
        (tmp_path / "b.txt").write_text("1", "utf-8")
    elif change == "renamed":
        file.rename(tmp_path / "deep" / "b.txt")
    elif change == "gone":
        file.unlink()
    else:
        os.utime(file, ns=(1, 1))
    assert listing_hash([str(tmp_path)]) != before


def test_what_a_refresh_writes_asks_for_no_refresh(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1", "utf-8")
    before = listing_hash([str(tmp_path)])
    Warehouse(tmp_path / "wh").connect().close()
    assert listing_hash([str(tmp_path)]) == before


def test_the_pinned_versions_are_those_of_the_extra() -> None:
    extras = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert [name.split("==")[0] for name in extras["dagster"]] == ["dagster", "dagster-webserver"]
    assert all("==" in name for name in extras["dagster"])


def made_up_nodes() -> Any:
    pytest.importorskip("dagster")
    from orchestration.manifest import Node

    return (
        Node("source.raw.documents", "source", "raw", "documents", "", (), None, "error"),
        Node("model.stg", "model", "staging", "stg_raw__documents", "", ("source.raw.documents",), None, "error"),
        Node("model.fct", "model", "marts", "fct_metric_value", "", ("model.stg",), None, "error"),
        Node("test.one", "test", "audit", "not_null_fct", "", ("model.fct",), "model.fct", "error"),
        Node("test.many", "test", "audit", "assert_sums", "", ("model.stg", "model.fct"), None, "warn"),
    )


def test_assets_lead_from_documents_to_the_release() -> None:
    nodes = made_up_nodes()
    from dagster import AssetKey

    from orchestration.graph import RELEASE, asset_specs

    specs = {spec.key: {dep.asset_key for dep in spec.deps} for spec in asset_specs(nodes)}
    fct = AssetKey(["marts", "fct_metric_value"])
    staged = AssetKey(["staging", "stg_raw__documents"])
    assert specs == {
        AssetKey(["raw", "documents"]): set(),
        staged: {AssetKey(["raw", "documents"])},
        fct: {staged},
        RELEASE: {fct},
    }


def test_every_test_and_every_rule_of_a_shown_table_is_a_check() -> None:
    nodes = made_up_nodes()
    from dagster import AssetKey

    from loaders.checks import load_suites
    from orchestration.graph import check_specs

    shown = {(spec.asset_key.to_user_string(), spec.name) for spec in check_specs(nodes)}
    suites = {suite.name: suite for layer in ("raw", "marts") for suite in load_suites(layer)}
    wanted = {
        (AssetKey(name.split(".")).to_user_string(), rule.rule_id)
        for name in ("raw.documents", "marts.fct_metric_value")
        for rule in suites[name].expectations
    }
    wanted |= {("marts/fct_metric_value", "not_null_fct"), ("staging/stg_raw__documents", "assert_sums")}
    assert shown == wanted


def run_in_dagster(warehouse: Warehouse, documents: Path) -> Any:
    """One run of the job in this process, with an instance that forgets it."""
    from dagster import DagsterInstance

    import orchestration.definitions as there

    definition = there.definitions.resolve_job_def("refresh_job")
    config = {"ops": {"refresh": {"config": {"sources": [str(documents)], "wait_seconds": 0.0}}}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(there, "WAREHOUSE", warehouse)
        return definition.execute_in_process(
            run_config=config, instance=DagsterInstance.ephemeral(), raise_on_error=False
        )


@pytest.mark.long
def test_a_run_shows_what_the_refresh_did(
    refreshed: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dagster")
    from dagster import AssetKey

    monkeypatch.setenv("GONGKAI_WAREHOUSE", str(tmp_path / "definitions"))
    documents = refreshed.root.parent / "in"

    idle = run_in_dagster(refreshed, documents)
    assert idle.success
    assert idle.asset_materializations_for_node("refresh") == []
    standing = idle.get_asset_check_evaluations()
    rules = sum(len(suite.expectations) for layer in LAYERS for suite in load_suites(layer))
    # Every rule of the suites, and the tests of dbt beside them.
    assert len(standing) > rules + 50
    assert {check.passed for check in standing if check.severity.value == "ERROR"} == {True}

    (documents / "丙.txt").write_text("丙县人民政府,2016,requests_received=7", "utf-8")
    done = run_in_dagster(refreshed, documents)
    assert done.success
    made = {event.asset_key: event.metadata for event in done.asset_materializations_for_node("refresh")}
    assert made[AssetKey("release")]["release_id"].value == refreshed.current.resolve().name
    assert made[AssetKey(["marts", "fct_metric_value"])]["dagster/row_count"].value == 25
    assert AssetKey(["raw", "documents"]) in made

    before = os.readlink(refreshed.current)
    (documents / "fault.txt").write_text("丁县人民政府,1999,requests_received=7", "utf-8")
    failed = run_in_dagster(refreshed, documents)
    assert not failed.success
    assert os.readlink(refreshed.current) == before
    broken = [check for check in failed.get_asset_check_evaluations() if not check.passed]
    assert "ERROR" in {check.severity.value for check in broken}
    [event] = failed.get_step_failure_events()
    assert event.step_failure_data.user_failure_data.metadata["exit_code"].value == 4

    with run_lock(refreshed, "gongkai check"):
        refused = run_in_dagster(refreshed, documents)
    [event] = refused.get_step_failure_events()
    assert event.step_failure_data.user_failure_data.metadata["exit_code"].value == 5
    assert refused.get_asset_check_evaluations() == []


@pytest.mark.long
def test_dagster_accepts_the_definitions(tmp_path: Path) -> None:
    pytest.importorskip("dagster")
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copy(PROJECT_ROOT / "orchestration" / "dagster.yaml", home)
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "orchestration.definitions"],
        cwd=PROJECT_ROOT,
        env={
            **os.environ,
            "DAGSTER_HOME": str(home),
            "GONGKAI_WAREHOUSE": str(tmp_path),
            "GONGKAI_SOURCES": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
