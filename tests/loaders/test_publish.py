from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import time
from pathlib import Path

import duckdb
import pytest

from loaders.errors import ChecksFailedError, GongkaiError
from loaders.publish import publish_build
from loaders.release_guard import is_guarded
from loaders.warehouse import Warehouse
from tests.conftest import FINGERPRINT


def execute(warehouse: Warehouse, statement: str) -> None:
    con = warehouse.connect()
    con.execute(statement)
    con.close()


def read_release(warehouse: Warehouse, query: str) -> list[tuple]:
    con = duckdb.connect(str(warehouse.current / "warehouse.duckdb"), read_only=True)
    try:
        return con.execute(query).fetchall()
    finally:
        con.close()


def folders(warehouse: Warehouse) -> list[str]:
    return sorted(path.name for path in warehouse.releases.iterdir())


def test_a_release_holds_the_marts_and_their_origin(refreshed: Warehouse) -> None:
    schemas = read_release(refreshed, "select distinct schema_name from duckdb_tables() order by 1")
    assert schemas == [("marts",), ("quality",), ("raw",), ("seeds",)]
    (count,) = read_release(refreshed, "select count(*) from marts.fct_metric_value")[0]
    assert count == 24
    assert read_release(refreshed, "select count(*) from duckdb_constraints() where constraint_type = 'PRIMARY KEY'")
    commented = read_release(
        refreshed, "select count(*) from duckdb_columns() where schema_name = 'marts' and comment is null"
    )
    assert commented == [(0,)]
    (tags,) = read_release(refreshed, "select tags from duckdb_databases() where database_name = 'warehouse'")[0]
    assert tags["storage_version"].startswith("v1.2.0")


def test_a_release_is_immutable_and_its_manifest_true(refreshed: Warehouse) -> None:
    release = refreshed.current_release()
    assert release is not None
    assert os.readlink(refreshed.current) == f"releases/{release.name}"
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    assert manifest["release_id"] == release.name
    assert manifest["checks"]["expectations"] > 50
    listed = {entry["path"]: entry for entry in manifest["files"]}
    found = [path for path in release.rglob("*") if path.is_file()]
    assert {path.relative_to(release).as_posix() for path in found} == {*listed, "manifest.json", "SHA256SUMS"}
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == 0o444
        if path.name not in ("manifest.json", "SHA256SUMS"):
            entry = listed[path.relative_to(release).as_posix()]
            data = path.read_bytes()
            assert (entry["bytes"], entry["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert [path for path in release.glob("*.wal") if not is_guarded(path)] == []
    for table, rows in manifest["table_rows"].items():
        schema, name = table.split(".")
        if schema == "marts":
            (count,) = duckdb.execute(f"select count(*) from '{release}/parquet/{name}.parquet'").fetchall()[0]
            assert count == rows


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update marts.fct_metric_value set value = value + 1", "checks of marts"),
        ("insert into raw.documents select * replace ('x' as document_id) from raw.documents limit 1", "not built"),
        ("update quality.check_runs set is_passed = false where layer = 'marts'", "checks of marts"),
        ("delete from quality.check_runs where layer = 'raw'", "checks of raw"),
        ("update quality.builds set status = 'running'", "not built"),
        ("update quality.builds set status = 'failed'", "not built"),
    ],
)
def test_only_what_was_checked_is_published(refreshed: Warehouse, statement: str, said: str) -> None:
    before = os.readlink(refreshed.current)
    execute(refreshed, statement)
    with pytest.raises(ChecksFailedError, match=said):
        publish_build(refreshed, FINGERPRINT)
    assert os.readlink(refreshed.current) == before


def test_changed_code_needs_a_new_build(refreshed: Warehouse) -> None:
    with pytest.raises(ChecksFailedError, match="not built"):
        publish_build(refreshed, "another fingerprint")


def test_readers_of_the_old_release_go_on_and_new_ones_see_the_new(refreshed: Warehouse) -> None:
    old = duckdb.connect(str(refreshed.current / "warehouse.duckdb"), read_only=True)
    before = refreshed.current_release()
    release = publish_build(refreshed, FINGERPRINT)
    assert refreshed.current_release() == release.folder != before
    assert old.execute("select count(*) from marts.fct_metric_value").fetchall() == [(24,)]
    old.close()


def test_the_last_and_the_last_hour_are_kept(refreshed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_KEPT_RELEASES", "2")
    for _ in range(2):
        publish_build(refreshed, FINGERPRINT)
    assert len(folders(refreshed)) == 3
    two_hours_ago = time.time() - 7200
    for name in folders(refreshed):
        os.utime(refreshed.releases / name, (two_hours_ago, two_hours_ago))
    release = publish_build(refreshed, FINGERPRINT)
    assert len(folders(refreshed)) == 2
    assert refreshed.current_release() == release.folder


def test_leftovers_of_a_killed_publish_are_removed(refreshed: Warehouse) -> None:
    (refreshed.releases / ".staging-x").mkdir()
    (refreshed.releases / ".staging-x" / "warehouse.duckdb").write_bytes(b"half")
    (refreshed.releases / ".current-x").symlink_to("nowhere")
    publish_build(refreshed, FINGERPRINT)
    assert not [name for name in folders(refreshed) if name.startswith(".")]


@pytest.mark.parametrize("step", ["_write_tables", "seal_release", "sync", "_write_database"])
def test_a_full_disk_leaves_the_old_release(refreshed: Warehouse, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    before = (os.readlink(refreshed.current), folders(refreshed))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(f"loaders.publish.{step}", full)
    with pytest.raises(GongkaiError, match=r"no space left on the disk .* readers keep the release") as caught:
        publish_build(refreshed, FINGERPRINT)
    assert caught.value.exit_code == 1
    assert (os.readlink(refreshed.current), folders(refreshed)) == before


def test_a_copy_that_differs_is_not_published(refreshed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.readlink(refreshed.current)
    monkeypatch.setattr("loaders.publish.data_token", lambda con, schema: "another")
    with pytest.raises(GongkaiError, match="differs from what was checked"):
        publish_build(refreshed, FINGERPRINT)
    assert os.readlink(refreshed.current) == before


def test_views_become_tables(refreshed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    execute(refreshed, "create view seeds.seen as select count(*) as n from raw.documents")
    publish_build(refreshed, FINGERPRINT)
    assert read_release(refreshed, "select n from seeds.seen") == [(5,)]


def test_a_warehouse_can_be_moved(refreshed: Warehouse, tmp_path: Path) -> None:
    moved = refreshed.root.rename(tmp_path / "moved")
    assert Warehouse(moved).current_release() is not None
