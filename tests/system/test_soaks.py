"""The soaks look closely enough: whatever is wrong with a release or a warehouse is found by what they look with."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from benchmarks.kills import CHANGES, SAMPLES, find_leftovers, look_at_current
from benchmarks.publishes import KINDS, _start_reader, find_variants
from loaders.release_guard import GUARDED
from loaders.warehouse import Warehouse


def change_manifest(release: Path, **values: object) -> None:
    path = release / "manifest.json"
    manifest = json.loads(path.read_text("utf-8")) | values
    path.chmod(0o644)
    path.write_text(json.dumps(manifest), "utf-8")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def rewrite(release: Path, statement: str) -> None:
    """Another database under the right name, with a manifest that knows its checksum no better."""
    path = release / "warehouse.duckdb"
    release.chmod(0o755)
    path.chmod(0o644)
    # Whoever writes needs the names that a release takes.
    for name in GUARDED:
        (release / name).unlink(missing_ok=True)
    con = duckdb.connect(str(path))
    con.execute(statement)
    con.close()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda release: flip(release / "parquet" / "dim_report.parquet"), "dim_report.parquet differs"),
        (lambda release: (release / "parquet" / "dim_report.parquet").unlink(), "dim_report.parquet is missing"),
        (lambda release: (release / "another").write_bytes(b"x"), "another is not in the manifest"),
        (lambda release: (release / "manifest.json").unlink(), "cannot be read"),
        (lambda release: change_manifest(release, release_id="another"), "is that of another"),
        (lambda release: change_manifest(release, build_id="another"), "its build another is"),
        (lambda release: rewrite(release, "delete from marts.dim_report"), "marts are not those"),
        (lambda release: rewrite(release, "delete from raw.documents"), "raw.documents has 0 rows"),
        (lambda release: flip(release / "warehouse.duckdb"), "warehouse.duckdb differs"),
        (lambda release: (release / "warehouse.duckdb").write_bytes(b""), "it cannot be read"),
    ],
)
def test_a_release_that_is_not_whole_is_found(refreshed: Warehouse, spoil: Callable[[Path], object], said: str) -> None:
    release = refreshed.current_release()
    assert release is not None
    for path in (release, release / "parquet"):
        path.chmod(0o755)
    (release / "warehouse.duckdb").chmod(0o644)
    assert look_at_current(refreshed).problems == []
    spoil(release)
    assert any(said in problem for problem in look_at_current(refreshed).problems), look_at_current(refreshed)


def test_what_a_refresh_left_behind_is_found(refreshed: Warehouse) -> None:
    def set_runs(*statuses: str) -> None:
        con = refreshed.connect()
        con.execute("delete from raw.runs")
        for n, status in enumerate(statuses):
            con.execute(
                "insert into raw.runs values (?, 'refresh', ?, null, ?, 0, 0, 0, 0, '', '')",
                [f"run{n}", datetime(2026, 1, 1 + n), status],
            )
        con.close()

    set_runs("done", "interrupted", "done")
    assert find_leftovers(refreshed) == []
    set_runs("done", "interrupted", "running")
    assert "running" in find_leftovers(refreshed)[0]
    set_runs("done", "done")
    (refreshed.releases / ".staging-x").mkdir()
    (refreshed.root / "work.duckdb.1.new").touch()
    refreshed.lock_file.write_text("{}")
    con = refreshed.connect()
    con.execute("update quality.builds set status = 'running'")
    con.close()
    said = " ".join(find_leftovers(refreshed))
    for words in ("releases/.staging-x is left", "1.new is left", "still signed", "the last build is"):
        assert words in said


def test_the_changes_of_the_soak_are_documents_of_their_own() -> None:
    for documents in CHANGES.values():
        for document in documents:
            text = (SAMPLES / document.sample).read_text("utf-8")
            assert all(old in text and old != new for old, new in document.replaced), document.name


def readings(warehouse: Warehouse, kind: str) -> dict[str, object]:
    """What a reader of the soak says after a moment."""
    for seconds in (1, 10, 60):  # a machine that does much else takes its time
        reader = _start_reader(warehouse, kind)
        time.sleep(seconds)
        reader.send_signal(signal.SIGTERM)
        found = dict(json.loads(reader.communicate(timeout=300)[0]))
        if found["answers"] or found["mixed"] or found["errors"]:
            return found
    raise AssertionError(f"the reader {kind} answered nothing")


@pytest.mark.parametrize("kind", KINDS)
def test_a_reader_notices_tables_that_are_not_of_one_release(refreshed: Warehouse, kind: str) -> None:
    with pytest.raises(SystemExit, match="two are needed"):
        find_variants(refreshed)
    release = refreshed.current_release()
    assert release is not None
    other = release.with_name("later")
    shutil.copytree(release, other, symlinks=True)
    rows = json.loads((other / "manifest.json").read_text("utf-8"))["table_rows"]
    change_manifest(other, table_rows={table: count + 1 for table, count in rows.items()})
    find_variants(refreshed)
    found = readings(refreshed, kind)
    assert found["mixed"] == found["errors"] == []
    assert found["answers"] == {"first": pytest.approx(1, abs=10**6)}
    rewrite(release, "delete from marts.dim_report")
    found = readings(refreshed, kind)
    assert found["mixed"]
    assert found["answers"] == {}
    (release / "warehouse.duckdb").unlink()
    assert readings(refreshed, kind)["errors"]
