"""What may fail around a refresh: its source, its disk, its clock. Each has one outcome, and the next run heals it."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from loaders import load as load_module
from loaders import warehouse as warehouse_module
from loaders.fetch.limits import FetchLimits
from loaders.load import Account
from loaders.model import DocumentReading, Hints
from loaders.refresh import LoadRequest, run_load, run_refresh, run_reread
from loaders.settings import Settings
from loaders.status import read_status
from loaders.warehouse import Warehouse, id_time
from tests.conftest import write_documents
from tests.loaders.readings import fake_reader
from tests.loaders.site import Handler, Site, open_site
from tests.system.test_refresh import published, refresh, start

GOOD = "甲县人民政府,{},requests_received=1"
QUICK = FetchLimits(interval=0.0, backoff=0.01, user_agent="gongkai/test")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(FetchLimits, "from_environment", lambda: QUICK)
    with open_site() as found:
        yield found


def load(warehouse: Warehouse, *sources: object, **options: bool) -> Account:
    request = LoadRequest(tuple(map(str, sources)), allow_private=True, **options)
    return run_load(Settings(warehouse, quiet=True), request)


def counts(account: Account) -> tuple[int, int, int]:
    return account.loaded, account.unchanged, account.rejected


def ask(warehouse: Warehouse, sql: str) -> list[tuple]:
    con = warehouse.connect(read_only=True)
    try:
        return con.execute(sql).fetchall()
    finally:
        con.close()


def cut_off(handler: Handler) -> None:
    """Promise more than is sent, and hang up."""
    handler.send_response(200)
    handler.send_header("Content-Length", "10000")
    handler.end_headers()
    handler.wfile.write(GOOD.format(2016).encode())
    handler.close_connection = True


@pytest.mark.usefixtures("pinned")
def test_a_site_that_hangs_up_half_way_costs_its_documents_until_it_is_back(tmp_path: Path, site: Site) -> None:
    warehouse = Warehouse(tmp_path / "wh")
    addresses = [site.put("/2015", GOOD.format(2015)), site.do("/2016", cut_off), site.put("/2017", GOOD.format(2017))]
    account = load(warehouse, *addresses)
    assert counts(account) == (2, 0, 1)
    assert [(one.source_uri, one.reject_code) for one in account.rejections] == [(addresses[1], "fetch_failed")]
    site.put("/2016", GOOD.format(2016))
    assert counts(load(warehouse, *addresses)) == (1, 2, 0)
    assert ask(warehouse, "select status, count(*) from raw.documents group by 1") == [("loaded", 3)]


@pytest.mark.usefixtures("pinned")
def test_a_site_that_fails_later_takes_nothing_back(tmp_path: Path, site: Site) -> None:
    warehouse = Warehouse(tmp_path / "wh")
    address = site.put("/2016", GOOD.format(2016))
    load(warehouse, address)
    site.do("/2016", cut_off)
    assert counts(load(warehouse, address)) == (0, 0, 1)
    assert ask(warehouse, "select report_year from raw.reports") == [(2016,)]


@pytest.mark.usefixtures("pinned")
def test_a_folder_that_vanishes_during_the_load_costs_what_was_not_read_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, kept, warehouse = tmp_path / "in", tmp_path / "kept", Warehouse(tmp_path / "wh")
    folder.mkdir()
    count = load_module._LOT_DOCUMENTS + 5
    for n in range(count):
        (folder / f"{n:04}.txt").write_text(f"第{n}县,2016,requests_received={n}", "utf-8")

    def reader(data: bytes, name: str, hints: Hints | None) -> DocumentReading:
        if folder.exists():
            folder.rename(kept)
        return fake_reader(data, name, hints)

    monkeypatch.setattr("loaders.load._project_reader", lambda: reader)
    account = load(warehouse, folder)
    assert counts(account) == (count - 5, 0, 5)
    assert {one.reject_code for one in account.rejections} == {"unreadable_file"}
    assert "No such file" in account.rejections[0].message
    kept.rename(folder)
    monkeypatch.setattr("loaders.load._project_reader", lambda: fake_reader)
    assert counts(load(warehouse, folder)) == (5, count - 5, 0)
    assert ask(warehouse, "select status, count(*) from raw.documents group by 1") == [("loaded", count)]


@pytest.mark.usefixtures("pinned")
def test_an_archive_that_is_cut_off_is_one_damaged_document_until_it_is_whole(tmp_path: Path) -> None:
    archive, warehouse = tmp_path / "all.zip", Warehouse(tmp_path / "wh")
    with zipfile.ZipFile(archive, "w") as file:
        for year in (2015, 2016, 2017):
            file.writestr(f"{year}.txt", GOOD.format(year))
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    account = load(warehouse, archive)
    assert counts(account) == (0, 0, 1)
    assert account.rejections[0].reject_code == "damaged_document"
    archive.write_bytes(whole)
    assert counts(load(warehouse, archive)) == (3, 0, 0)


@pytest.mark.usefixtures("pinned")
def test_what_was_fetched_is_read_again_without_its_site(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = Warehouse(tmp_path / "wh")
    page = site.put("/2015.txt", GOOD.format(2015))
    (tmp_path / "all.zip").touch()
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as file:
        file.writestr("sub/2016.txt", GOOD.format(2016))
    archive = site.put("/all.zip", (tmp_path / "all.zip").read_bytes())
    load(warehouse, page, archive)
    # The page has changed since: of the answers of its address only the last is in the index.
    site.put("/2015.txt", GOOD.format(2014))
    load(warehouse, page)
    before = ask(warehouse, "select document_id, source_uri, loaded_at from raw.documents order by all")
    asked = len(site.asked)

    def better_reader(data: bytes, name: str, hints: Hints | None) -> DocumentReading:
        return fake_reader(data.replace(b"received=1", b"received=2"), name, hints)

    monkeypatch.setattr("loaders.load.LOADER_VERSION", "next")
    monkeypatch.setattr("loaders.load._project_reader", lambda: better_reader)
    # The warehouse was moved meanwhile; the paths on record are those of the old place.
    moved = Warehouse(warehouse.root.rename(tmp_path / "moved"))
    account = run_reread(Settings(moved, quiet=True), None, 0.0)
    assert (account.outdated, account.read.loaded, account.gone, account.changed) == (3, 3, (), ())
    assert len(site.asked) == asked
    assert ask(moved, "select document_id, source_uri, loaded_at from raw.documents order by all") == before
    figures = ask(moved, "select report_year, value from raw.reports join raw.metric_rows using (report_id) order by 1")
    assert [(year, int(value)) for year, value in figures] == [(2014, 2), (2015, 2), (2016, 2)]
    # A second time nothing is outdated; without its files what was fetched is gone, and stays as it was read.
    assert run_reread(Settings(moved, quiet=True), None, 0.0).outdated == 0
    monkeypatch.setattr("loaders.load.LOADER_VERSION", "last")
    shutil.rmtree(moved.fetched)
    assert len(run_reread(Settings(moved, quiet=True), None, 0.0).gone) == 3


def set_clock(monkeypatch: pytest.MonkeyPatch, offset: timedelta) -> None:
    """The clock of the machine is put, and a process begins that has seen no other time."""
    real = warehouse_module._machine_time
    monkeypatch.setattr(warehouse_module, "_machine_time", lambda: real() + offset)
    monkeypatch.setattr(warehouse_module, "_CLOCK", warehouse_module._Clock())


def test_a_clock_that_is_put_back_does_not_make_new_things_old(
    refreshed: Warehouse, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = refreshed.root.parent / "in"
    before = refreshed.current_release()
    assert before is not None
    (documents / "new.txt").write_text("丙县人民政府,2016,requests_received=7", "utf-8")
    with monkeypatch.context() as patch:
        set_clock(patch, timedelta(days=-3))
        run_refresh(Settings(refreshed), LoadRequest((str(documents),)))
        said = capsys.readouterr()
        assert "behind what is on record here; set it" in said.err
        assert "published" in said.out
        status = read_status(refreshed)
    after = refreshed.current_release()
    assert after is not None
    assert after.name > before.name
    assert status["release"]["release_id"] == after.name
    assert [run["status"] for run in status["work"]["runs"]] == ["done", "done"]
    assert status["work"]["runs"][0]["run_id"] > status["work"]["runs"][1]["run_id"]
    assert status["work"]["build"]["status"] == "built"
    # What came later is later, also in the raw tables, where it decides which version of a report counts.
    first, last = ask(refreshed, "select distinct loaded_at from raw.documents order by 1")
    assert ask(refreshed, "select loaded_at from raw.documents where source_uri like '%new.txt'") == [last]
    assert first < last
    # With the clock put right nothing is new.
    run_refresh(Settings(refreshed), LoadRequest((str(documents),)))
    assert "nothing new" in capsys.readouterr().out
    assert refreshed.current_release() == after


@pytest.mark.usefixtures("pinned")
def test_a_clock_that_ran_ahead_leaves_an_order_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents, warehouse = write_documents(tmp_path / "in"), Warehouse(tmp_path / "wh")
    for n, hours in enumerate((0, 24 * 365, -1, 0)):
        (documents / f"new{n}.txt").write_text(GOOD.format(2000 + n))
        with monkeypatch.context() as patch:
            set_clock(patch, timedelta(hours=hours))
            load(warehouse, documents)
    runs = ask(warehouse, "select run_id, started_at, ended_at from raw.runs order by rowid")
    assert len(runs) == 4
    for (earlier, _, ended), (later, started, _) in itertools.pairwise(runs):
        assert earlier < later
        assert ended < started
    moments = ask(
        warehouse, "select loaded_at from raw.documents where source_uri like '%new_.txt' order by source_uri"
    )
    assert moments == sorted(moments)


def test_the_id_of_a_release_tells_its_time() -> None:
    assert id_time("20260301T120000Z-9f2c1a") == datetime(2026, 3, 1, 12)
    assert id_time(".staging-20260301T120000Z-9f2c1a") is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own that can be full."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only who may mount a file system can fill one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, left: int) -> Path:
    """Leave so many bytes on a disk."""
    ballast = disk / "ballast"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free - left))
    return ballast


@pytest.mark.long
def test_a_full_disk_during_the_load_or_the_build_leaves_the_release(refreshed: Warehouse, small_disk: Path) -> None:
    shutil.copytree(refreshed.root.parent, small_disk / "copy", symlinks=True)
    warehouse, documents = Warehouse(small_disk / "copy" / "wh"), small_disk / "copy" / "in"
    before = published(warehouse)
    release = os.readlink(warehouse.current)
    for n in range(300):
        (documents / f"new{n:03}.txt").write_text(f"第{n}县,2016,requests_received=7", "utf-8")
    ballast = fill(small_disk, 256 * 1024)
    process = start("load", documents, "--warehouse", warehouse.root)
    _, said = process.communicate(timeout=600)
    assert process.returncode == 1, said
    assert "No space left" in said or "no space left" in said
    assert "Traceback" not in said
    assert (published(warehouse), os.readlink(warehouse.current)) == (before, release)
    # Room for the load, but not for the marts.
    ballast.unlink()
    assert start("load", documents, "--warehouse", warehouse.root, "--quiet").wait() == 0
    assert ask(warehouse, "select status, count(*) from raw.documents group by 1 order by 1")[0] == ("loaded", 304)
    ballast = fill(small_disk, 3 * 1024 * 1024)
    code, said = refresh(documents, warehouse)
    assert code == 1, said
    assert "o space left" in said
    assert "Traceback" not in said
    assert (published(warehouse), os.readlink(warehouse.current)) == (before, release)
    ballast.unlink()
    code, said = refresh(documents, warehouse)
    assert code == 0, said
    after = published(warehouse)
    assert after is not None
    assert before is not None
    assert len(after) == len(before) + 300
    with contextlib.suppress(FileNotFoundError):
        assert not [path.name for path in warehouse.root.iterdir() if path.name.endswith((".wal", ".new"))]
