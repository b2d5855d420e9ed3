from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from benchmarks.mutations import load_mutations
from loaders.errors import DocumentRejected, GongkaiError, UsageError
from loaders.isolation import Limits, Outcome, Pool, available_cores
from loaders.load import load_documents, read_one
from loaders.model import DocumentReading, Hints
from loaders.progress import LINE_SECONDS, LineProgress
from loaders.runs import begin_run
from loaders.sources import SourceDocument, list_documents
from loaders.staging import create_raw
from loaders.version import PROJECT_ROOT
from loaders.warehouse import Warehouse
from tests.loaders.readings import fake_reader

UNRULY = "tests.loaders.test_isolation:unruly_reader"
GOOD = "甲,2017,requests_received={}"
TIGHT = Limits(seconds=1.0, memory_bytes=200 * 1024**2)
_seen = 0


def unruly_reader(data: bytes, name: str, hints: Hints | None) -> DocumentReading:
    """The fake reader, and what native code may do besides."""
    global _seen
    text = data.decode()
    if not text.startswith("某县"):  # the sentence by which the readers are warmed up
        _seen += 1
    first = text.split(maxsplit=1)[0]
    if first == "signal":
        os.kill(os.getpid(), int(text.split()[1]))
    elif first == "exit":
        os._exit(3)
    elif first == "leave":
        sys.exit(4)
    elif first == "rest":
        time.sleep(600)
    elif first == "spin":
        while True:
            pass
    elif first == "eat":
        eaten = []
        while True:
            eaten.append(b"x" * 8 * 1024**2)
    elif first == "reserve":
        bytearray(64 * 1024**3)
    elif first == "second" and _seen > 1:
        os.abort()
    elif first == "tell":
        raise DocumentRejected("not_a_report", f"{os.getpid()} {_seen}")
    elif first == "start":
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        Path(text.split(maxsplit=1)[1]).write_text(f"{os.getpid()} {child.pid}")
        time.sleep(600)
    return fake_reader(data, name, hints)


def read_all(texts: list[str], workers: int = 1, limits: Limits = TIGHT) -> list[Outcome]:
    with Pool(UNRULY, workers, limits) as pool:
        futures = [pool.submit(text.encode(), "a.txt", None) for text in texts]
        return [future.result(timeout=60) for future in futures]


def said(outcome: Outcome) -> tuple[str, str]:
    assert isinstance(outcome, DocumentRejected)
    return outcome.reject_code, str(outcome)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.mark.parametrize("workers", [1, 3])
def test_what_a_document_does_to_its_worker_costs_that_document_only(workers: int) -> None:
    bad = {
        f"signal {int(signal.SIGSEGV)}": ("reader_failed", "SIGSEGV"),
        f"signal {int(signal.SIGABRT)}": ("reader_failed", "SIGABRT"),
        f"signal {int(signal.SIGKILL)}": ("reader_failed", "SIGKILL"),
        "exit": ("reader_failed", "exit code 3"),
        "leave": ("reader_failed", "SystemExit: 4"),
        "explode": ("reader_failed", "ZeroDivisionError: the reader stumbled"),
        "reject not_a_report": ("not_a_report", "a.txt says so"),
        "rest": ("time_limit", "longer than 1 seconds"),
        "spin": ("time_limit", "GONGKAI_DOCUMENT_SECONDS"),
        "eat": ("memory_limit", "more than 200 MB"),
        "reserve": ("memory_limit", "memory"),
    }
    texts = [GOOD.format(0)]
    for n, text in enumerate(bad, start=1):
        texts += [text, GOOD.format(n)]
    outcomes = read_all(texts, workers)
    for text, outcome in zip(texts, outcomes, strict=True):
        if text in bad:
            code, message = said(outcome)
            assert (code, bad[text][1] in message) == (bad[text][0], True), (text, message)
        else:
            assert isinstance(outcome, DocumentReading), text
            assert f"requests_received={outcome.reports[0].metric_rows[0].value}" in text


def test_a_worker_that_fails_for_what_it_read_before_is_no_fault_of_the_document() -> None:
    outcomes = read_all([GOOD.format(1), "second 县,2017,requests_received=2", "second 县,2018,requests_received=3"])
    assert [isinstance(outcome, DocumentReading) for outcome in outcomes] == [True] * 3


def test_workers_are_forked_warm_and_renewed() -> None:
    told = [said(o)[1].split() for o in read_all(["tell"] * 5, limits=Limits(documents_per_worker=2))]
    assert [count for _, count in told] == ["1", "2", "1", "2", "1"]
    assert len({pid for pid, _ in told}) == 3


def test_a_broken_installation_stops_the_load_instead_of_rejecting_everything() -> None:
    with Pool("loaders.no_such_module:read", 1) as pool, pytest.raises(GongkaiError, match="no_such_module"):
        pool.submit(b"x", "a.txt", None).result(timeout=60)


def test_leaving_early_ends_the_worker_and_what_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    with pytest.raises(KeyboardInterrupt), Pool(UNRULY, 1, Limits()) as pool:  # noqa: PT012
        pool.submit(f"start {note}".encode(), "a.txt", None)
        wait_until(lambda: note.exists() and len(note.read_text().split()) == 2)
        raise KeyboardInterrupt
    for pid in note.read_text().split():
        wait_until(lambda pid=int(pid): not is_running(pid))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_worker_outlives_the_command(tmp_path: Path, number: signal.Signals) -> None:
    note = tmp_path / "pids"
    (tmp_path / "a.txt").write_text(f"start {note}")
    script = (
        f"import sys; from loaders import cli, load\nload._project_reader = lambda: {UNRULY!r}\ncli.main(sys.argv[1:])"
    )
    command = [
        sys.executable,
        "-c",
        script,
        "load",
        tmp_path / "a.txt",
        "--warehouse",
        tmp_path / "wh",
        "--workers",
        "2",
    ]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: note.exists() and len(note.read_text().split()) == 2)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert "Traceback" not in error
    if number != signal.SIGKILL:
        assert process.returncode == 1
        assert "stopped; run it again" in error
    for pid in note.read_text().split():
        wait_until(lambda pid=int(pid): not is_running(pid))


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = Warehouse(tmp_path / "wh").connect()
    create_raw(connection)
    yield connection
    connection.close()


def write_many(folder: Path, count: int) -> list[SourceDocument]:
    folder.mkdir()
    for n in range(count):
        text = {5: f"signal {int(signal.SIGSEGV)}", 6: "reject not_a_report", 7: GOOD.format(1)}.get(n % 10)
        (folder / f"{n:04}.txt").write_text(text or GOOD.format(n))
    return list(list_documents([str(folder)]))


def test_what_is_staged_does_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    documents = write_many(tmp_path / "in", 230)
    found = []
    for workers in (1, 4):
        con = Warehouse(tmp_path / f"wh{workers}").connect()
        create_raw(con)
        account = load_documents(con, documents, run_id=begin_run(con, "load"), reader=UNRULY, workers=workers)
        assert account.seen == 230 == account.loaded + account.unchanged + account.rejected
        tables = [
            con.execute(f"select * exclude (run_id, loaded_at) from raw.{table}").fetchall()
            if table == "documents"
            else con.execute(f"select * from raw.{table}").fetchall()
            for table in ("documents", "reports", "metric_rows", "issues")
        ]
        found.append((account, tables))
        con.close()
    assert found[0] == found[1]
    assert [row[1] for row in found[0][1][0]] == sorted(row[1] for row in found[0][1][0])


def test_nothing_is_started_when_nothing_is_new(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = write_many(tmp_path / "in", 5)
    assert load_documents(con, documents, run_id=begin_run(con, "load"), reader=UNRULY).loaded == 5
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: 1 / 0)
    assert load_documents(con, documents, run_id=begin_run(con, "load"), reader=UNRULY).unchanged == 5


def test_this_process_never_imports_a_reader(tmp_path: Path) -> None:
    sample = sorted((PROJECT_ROOT / "samples" / "reports").iterdir())[0]
    script = (
        "import sys; from loaders.cli import main\n"
        "try: main(['load', *sys.argv[1:]])\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith(('loaders.read', 'loaders.extract', 'opencc'))])"
    )
    command = [sys.executable, "-c", script, sample, "--warehouse", tmp_path / "wh"]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["seen 1 = loaded 1 + unchanged 0 + rejected 0", "[]"]


def test_inspect_is_isolated_too(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"signal {int(signal.SIGBUS)}")
    reading = read_one(SourceDocument(path, "a.txt"), UNRULY)
    assert (reading.reject_code, reading.issues[0].message) == ("reader_failed", "the reader was ended by SIGBUS")


def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Limits.from_environment() == Limits()
    monkeypatch.setenv("GONGKAI_DOCUMENT_SECONDS", "1.5")
    monkeypatch.setenv("GONGKAI_DOCUMENT_MEGABYTES", "512")
    assert Limits.from_environment() == Limits(1.5, 512 * 1024**2)
    for wrong in ("soon", "0", "-1", "nan", "inf"):
        monkeypatch.setenv("GONGKAI_DOCUMENT_SECONDS", wrong)
        with pytest.raises(UsageError, match="GONGKAI_DOCUMENT_SECONDS"):
            Limits.from_environment()
    assert available_cores() >= 1


def test_progress_is_a_line_now_and_then() -> None:
    now = [0.0]
    lines: list[str] = []
    progress = LineProgress(lines.append, 100, clock=lambda: now[0])
    for _ in range(30):
        now[0] += LINE_SECONDS / 20
        progress.done(1)
    assert lines == ["read 20 of 100 documents, 2.0/s, about 40 s left"]
    progress.found(19_880)
    now[0] += LINE_SECONDS
    progress.done(20)
    assert lines[1:] == ["read 50 of 19980 documents, 2.0/s, about 2 h 46 min left"]


def test_mutilated_documents_are_accounted_for(tmp_path: Path) -> None:
    result = load_mutations(count=150, seed=7, folder=tmp_path)
    account = result.account
    assert account.seen == account.loaded + account.unchanged + account.rejected >= 150
    assert result.lost == ()
    assert account.loaded > 30
    assert account.rejected > 30
    assert not {"time_limit", "memory_limit"} & set(result.reject_codes), result.failures
    assert not [failure for failure in result.failures if "the reader" in failure]
