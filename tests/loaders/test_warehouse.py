from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from loaders import warehouse as warehouse_module
from loaders.errors import GongkaiError, LockedError, UsageError
from loaders.runs import begin_run, end_run
from loaders.staging import create_raw
from loaders.warehouse import Warehouse, new_id, read_holder, refuse_if_held, run_lock

HOLD = """
import sys, time
from pathlib import Path
from loaders.warehouse import Warehouse, run_lock
with run_lock(Warehouse(Path(sys.argv[1])), "gongkai refresh"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(warehouse: Warehouse, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(warehouse.root), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_work_file_is_created_at_the_storage_version_that_everyone_reads(tmp_path: Path) -> None:
    con = Warehouse(tmp_path / "new" / "wh").connect()
    (tags,) = con.execute("select tags from duckdb_databases() where database_name = 'work'").fetchall()[0]
    con.close()
    assert tags["storage_version"].startswith("v1.2.0")
    assert [path.name for path in (tmp_path / "new" / "wh").iterdir()] == ["work.duckdb"]


def test_a_creation_that_is_stopped_leaves_no_broken_work_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(GongkaiError, match="No space left"):
        Warehouse(tmp_path / "wh").connect()
    assert list((tmp_path / "wh").iterdir()) == []


def test_a_reader_of_nothing_is_told_to_load(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="load documents first"):
        Warehouse(tmp_path / "wh").connect(read_only=True)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "work.duckdb").write_bytes(b"x" * 5000)
    with pytest.raises(GongkaiError, match="cannot open"):
        Warehouse(tmp_path).connect()


def test_a_warehouse_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wh").write_text("x")
    with pytest.raises(UsageError, match="not a folder"), run_lock(Warehouse(tmp_path / "wh"), "gongkai load"):
        pass


def test_a_second_run_is_told_who_holds_the_warehouse(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "wh")
    process = hold(warehouse, 60)
    try:
        with (
            pytest.raises(LockedError, match=rf"process {process.pid}, `gongkai refresh`\) since 20") as caught,
            run_lock(warehouse, "gongkai load"),
        ):
            pass
        assert caught.value.exit_code == 5
        holder = read_holder(warehouse)
        assert holder is not None
        assert holder.pid == process.pid
    finally:
        process.kill()
        process.wait()


def test_a_killed_run_lets_go_of_the_lock(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "wh")
    process = hold(warehouse, 60)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert json.loads(warehouse.lock_file.read_text())["pid"] == process.pid
    assert read_holder(warehouse) is None
    with run_lock(warehouse, "gongkai load"):
        pass
    assert warehouse.lock_file.read_text() == ""


def test_a_run_can_wait_for_another(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "wh")
    process = hold(warehouse, 0.5)
    with run_lock(warehouse, "gongkai load", wait_seconds=30):
        pass
    process.wait()


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "wh")
    with pytest.raises(ZeroDivisionError), run_lock(warehouse, "gongkai load"):
        raise ZeroDivisionError
    with run_lock(warehouse, "gongkai load"):
        pass


def test_a_database_that_another_process_holds_is_locked(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.connect().close()
    script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(warehouse.work_file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(LockedError, match="open in another process"):
        warehouse.connect(read_only=True)
    process.communicate("")


def test_ids_sort_by_time_and_differ() -> None:
    ids = [new_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert sorted(i.split("-")[0] for i in ids) == [i.split("-")[0] for i in ids]


def test_a_run_that_was_killed_is_marked_by_the_next(tmp_path: Path) -> None:
    con: duckdb.DuckDBPyConnection = Warehouse(tmp_path).connect()
    create_raw(con)
    killed = begin_run(con, "refresh")
    done = begin_run(con, "refresh")
    end_run(con, done, "done")
    found = con.execute("select run_id, status, ended_at is not null from raw.runs").fetchall()
    con.close()
    assert set(found) == {(killed, "interrupted", False), (done, "done", True)}


def test_a_broken_work_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "wh")
    warehouse.connect().close()
    with warehouse.work_file.open("r+b") as file:
        file.write(b"garbage")
    with pytest.raises(GongkaiError, match=r"cannot open .*work\.duckdb: .*docs/operation\.md"):
        warehouse.connect()


SCRAWL = """
import fcntl, sys, time
with open(sys.argv[1], "r+b") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    file.truncate()
    file.write(bytes.fromhex(sys.argv[2]))
    file.flush()
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("text", [b"", b"\xff\xfe\x00garbage", b"[1]", b'{"who": 1}', b'{"pid": "x"}', b"[" * 5000])
def test_a_holder_whose_signature_cannot_be_read_still_holds(tmp_path: Path, text: bytes) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.lock_file.write_bytes(b"x")
    process = subprocess.Popen(
        [sys.executable, "-c", SCRAWL, str(warehouse.lock_file), text.hex()], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        with pytest.raises(LockedError, match="held by another run, which has not signed"), run_lock(warehouse, "x"):
            pass
        assert "has not signed" in str(read_holder(warehouse))
        with pytest.raises(LockedError, match="has not signed"):
            refuse_if_held(warehouse)
    finally:
        process.kill()
        process.wait()
    # Whatever the dead holder left in the file, the lock is free and is signed over.
    assert read_holder(warehouse) is None
    with run_lock(warehouse, "gongkai load"):
        assert json.loads(warehouse.lock_file.read_text())["command"] == "gongkai load"
    assert warehouse.lock_file.read_text() == ""


@pytest.mark.parametrize("offset", [-(10**9), 10**9])
def test_a_holder_on_a_clock_that_jumps_holds_until_it_ends(tmp_path: Path, offset: int) -> None:
    warehouse = Warehouse(tmp_path)
    script = f"""
from datetime import timedelta
from loaders import warehouse
real = warehouse._machine_time
warehouse._machine_time = lambda: real() + timedelta(seconds={offset})
{HOLD}"""
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path), "60"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with (
        pytest.raises(LockedError, match=rf"process {process.pid}, `gongkai refresh`\) since "),
        run_lock(warehouse, "x"),
    ):
        pass
    process.kill()
    process.wait()
    with run_lock(warehouse, "gongkai load"):
        pass


def test_a_look_at_the_lock_refuses_nobody(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.lock_file.touch()
    look = "import fcntl, sys, time; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_SH); print(1, flush=True); "
    process = subprocess.Popen(
        [sys.executable, "-c", look + "time.sleep(0.05)", str(warehouse.lock_file)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    with run_lock(warehouse, "gongkai load"):
        pass
    process.wait()


def test_a_lock_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.lock_file.mkdir()
    with pytest.raises(UsageError, match=r"run\.lock: Is a directory; it must be a file"), run_lock(warehouse, "x"):
        pass
    with pytest.raises(GongkaiError, match="remove it"):
        read_holder(warehouse)


def test_times_never_go_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = warehouse_module._Clock()
    now = [datetime(2026, 3, 1)]
    monkeypatch.setattr(warehouse_module, "_machine_time", lambda: now[0])
    first = clock.now()
    now[0] -= timedelta(hours=5)
    second, third = clock.now(), clock.now()
    assert first < second < third < first + timedelta(seconds=5)
    now[0] += timedelta(hours=6)
    assert clock.now() == now[0]
    assert clock.start_after(datetime(2026, 3, 2)) == timedelta(hours=23)
    assert clock.now() >= datetime(2026, 3, 2)
