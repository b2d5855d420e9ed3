"""What a refresh would do, and leaving out what is older: nothing is changed, nothing is left out by mistake."""

from __future__ import annotations

import json
import os
import time
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from loaders.errors import LockedError, UsageError
from loaders.plan import Plan, describe_plan, run_plan
from loaders.refresh import LoadRequest, run_load
from loaders.settings import Settings
from loaders.sources import list_documents
from loaders.sources.since import leave_out_older, parse_since
from loaders.warehouse import Warehouse, run_lock
from tests.conftest import FINGERPRINT, write_documents

NEW = "丙县人民政府,2016,requests_received=7"


@pytest.fixture(autouse=True)
def same_code(pinned: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loaders.plan.build_fingerprint", lambda: FINGERPRINT)


def plan(warehouse: Warehouse, *sources: object, publish: bool = True, **options: object) -> Plan:
    request = LoadRequest(tuple(map(str, sources)), **options)  # type: ignore[arg-type]
    return run_plan(Settings(warehouse, quiet=True), request, refresh=True, publish=publish)


def due(found: Plan) -> list[str]:
    return [step.step_code for step in found.steps if step.is_due]


def everything_in(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Each file and folder with its times, size and content."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mtime_ns,
            path.lstat().st_ctime_ns,
            path.lstat().st_size,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in [folder, *folder.rglob("*")]
    }


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(
    refreshed: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = refreshed.root.parent / "in"
    (documents / "new.txt").write_text(NEW, "utf-8")
    (documents / "again.txt").write_text(NEW, "utf-8")
    (documents / "broken.zip").write_bytes(b"PK\x03\x04 cut off")
    before = everything_in(refreshed.root.parent)
    found = plan(refreshed, documents)
    assert everything_in(refreshed.root.parent) == before
    assert [Path(one.source_uri).name for one in found.documents.to_read] == ["again.txt", "broken.zip"]
    assert "a ZIP that cannot be opened" in found.documents.to_read[1].reason
    assert (found.documents.seen, found.documents.unchanged, found.documents.duplicates) == (8, 5, 1)
    assert due(found) == ["check_raw", "build", "check_marts", "publish"]
    run_plan(Settings(refreshed), LoadRequest((str(documents),)), refresh=True, publish=False)
    said = capsys.readouterr().out
    assert "seen 8 = to read 2 + unchanged 5 + the same bytes as another 1" in said
    assert "build        would run: the reports that are new or changed" in said
    assert "publish      would not run: --no-publish" in said
    run_plan(Settings(refreshed, as_json=True), LoadRequest((str(documents),)), refresh=False)
    assert json.loads(capsys.readouterr().out)["documents"]["unchanged"] == 5
    # What it foresaw is what happens.
    account = run_load(Settings(refreshed, quiet=True), LoadRequest((str(documents),)))
    assert (account.changed, account.unchanged) == (2, 6)


def test_a_dry_run_with_nothing_new_names_the_steps_that_are_left(refreshed: Warehouse) -> None:
    documents = refreshed.root.parent / "in"
    assert due(plan(refreshed, documents)) == []
    refreshed.current.unlink()
    assert due(plan(refreshed)) == ["publish"]
    assert due(plan(refreshed, publish=False)) == []
    con = refreshed.connect()
    con.execute("delete from quality.check_runs where layer = 'marts'")
    con.close()
    assert due(plan(refreshed)) == ["check_marts", "publish"]
    con = refreshed.connect()
    con.execute("update quality.builds set status = 'failed'")
    con.close()
    assert due(plan(refreshed)) == ["build", "check_marts", "publish"]


def test_a_dry_run_of_a_full_refresh_reads_and_makes_everything(refreshed: Warehouse) -> None:
    documents = refreshed.root.parent / "in"
    found = plan(refreshed, documents, full=True)
    assert {one.reason for one in found.documents.to_read} == {"known, read again as asked"}
    assert len(found.documents.to_read) == 5
    assert due(found) == ["check_raw", "build", "check_marts", "publish"]
    (documents / "notice.txt").unlink()
    # The copy of the warehouse still knows the documents where they were loaded from; one of these is gone as well.
    found = plan(refreshed, full=True)
    assert found.reread + found.out_of_reach == 5


def test_a_dry_run_of_code_that_has_changed_builds_everything(
    refreshed: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.plan.build_fingerprint", lambda: "other code")
    monkeypatch.setattr("loaders.load.LOADER_VERSION", "other loaders")
    found = plan(refreshed, refreshed.root.parent / "in")
    assert {one.reason for one in found.documents.to_read} == {"another version of the loaders read it"}
    assert "every year" in next(step.reason for step in found.steps if step.step_code == "build")


def test_a_dry_run_before_anything_is_loaded(tmp_path: Path) -> None:
    documents = write_documents(tmp_path / "in")
    warehouse = Warehouse(tmp_path / "wh")
    found = plan(warehouse, documents)
    assert len(found.documents.to_read) == 5
    assert not warehouse.root.exists()
    with pytest.raises(UsageError):
        plan(warehouse)


def test_a_dry_run_asks_no_site(refreshed: Warehouse, tmp_path: Path) -> None:
    addresses = tmp_path / "list.txt"
    addresses.write_text("http://192.0.2.1/a.html\n")
    found = plan(refreshed, addresses)
    assert found.addresses == ("http://192.0.2.1/a.html",)
    assert {step.reason for step in found.steps} == {"unless an address has something new"}
    assert "would ask http://192.0.2.1/a.html" in describe_plan(found)
    assert "would take what is kept of http" in describe_plan(plan(refreshed, addresses, offline=True))
    assert not refreshed.fetched.exists()


def test_a_dry_run_does_not_look_at_a_warehouse_that_is_being_changed(refreshed: Warehouse) -> None:
    with run_lock(refreshed, "gongkai refresh"), pytest.raises(LockedError, match=rf"process {os.getpid()}"):
        plan(refreshed)


def age(path: Path, days: float) -> None:
    """Let the content be older; the file itself keeps the time when it came here."""
    then = time.time() - days * 86400
    os.utime(path, (then, then))


def names(*sources: object, since: datetime) -> list[str]:
    arguments = [str(source) for source in sources]
    kept, left_out = leave_out_older(list_documents(arguments), arguments, since)
    assert len(kept) + left_out == len(list_documents(arguments))
    return [document.path.name for document in kept]


def test_only_what_changed_since_is_looked_at(tmp_path: Path) -> None:
    folder = write_documents(tmp_path / "in")
    time.sleep(0.05)
    since = datetime.now().astimezone()
    time.sleep(0.05)
    assert names(folder, since=since) == []
    assert len(names(folder, since=since - timedelta(hours=1))) == 5
    (folder / "notice.txt").write_text("changed")
    # It keeps the date of its content, as `unzip` and `cp -p` do, but has only just come.
    (folder / "old.txt").write_text(NEW)
    age(folder / "old.txt", 400)
    assert names(folder, since=since) == ["notice.txt", "old.txt"]


def test_a_manifest_that_changed_brings_what_it_lists(tmp_path: Path) -> None:
    folder = write_documents(tmp_path / "in")
    (folder / "manifest.csv").write_text("path,agency_name\nnotice.txt,某县\n")
    (folder / "gone.csv").write_text("path,agency_name\nnever.txt,某县\nnotice.txt,某县\n")
    time.sleep(0.05)
    since = datetime.now().astimezone()
    time.sleep(0.05)
    assert names(folder, since=since) == []
    (folder / "manifest.csv").write_text("path,agency_name\nnotice.txt,别县\n")
    assert names(folder, since=since) == ["notice.txt"]
    # What is missing is never left out: the account says that it is.
    assert names(folder / "gone.csv", since=since) in (["gone.csv"], [])


def test_an_archive_counts_as_a_whole_and_an_address_always(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.txt", (2001, 1, 1, 0, 0, 0)), NEW)
    since = datetime.now().astimezone() - timedelta(hours=1)
    assert names(tmp_path / "all.zip", "http://192.0.2.1/b.txt", since=since) == ["all.zip", "b.txt"]
    later = datetime.now().astimezone() + timedelta(hours=1)
    assert names(tmp_path / "all.zip", "http://192.0.2.1/b.txt", since=later) == ["b.txt"]


def test_since_is_a_moment_here_and_in_the_past() -> None:
    assert parse_since("2026-03-01") == datetime(2026, 3, 1).astimezone()
    assert parse_since("2026-03-01T06:30:00+08:00").isoformat() in parse_since("2026-03-01T06:30+08:00").isoformat()
    for text, said in (("yesterday", "give a date"), ("2026-13-01", "give a date"), ("2999-01-01", "not come yet")):
        with pytest.raises(UsageError, match=said):
            parse_since(text)


def test_since_is_refused_where_it_means_nothing(refreshed: Warehouse) -> None:
    since = parse_since("2026-01-01")
    with pytest.raises(UsageError, match="name one"):
        plan(refreshed, since=since)
    with pytest.raises(UsageError, match="one of both"):
        plan(refreshed, refreshed.root.parent / "in", since=since, full=True)


def test_what_was_left_out_is_told_and_put_on_record(refreshed: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    documents = refreshed.root.parent / "in"
    time.sleep(0.05)
    since = datetime.now().astimezone()
    time.sleep(0.05)
    (documents / "new.txt").write_text(NEW, "utf-8")
    account = run_load(Settings(refreshed), LoadRequest((str(documents),), since=since))
    assert (account.seen, account.loaded) == (1, 1)
    assert "left out 5" in capsys.readouterr().out
    con = refreshed.connect(read_only=True)
    (command,) = con.execute("select command from raw.runs order by started_at desc limit 1").fetchall()[0]
    con.close()
    assert command == f"load --since {since:%Y-%m-%dT%H:%M:%S%z}"
