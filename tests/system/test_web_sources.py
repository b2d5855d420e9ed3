"""Loads and refreshes of addresses, from a real server to the raw tables."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.errors import DocumentRejected, UsageError
from loaders.load import Account
from loaders.model import DocumentReading, Hints
from loaders.refresh import LoadRequest, run_load, run_refresh
from loaders.settings import Settings
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse
from tests.loaders.readings import fake_reader
from tests.loaders.site import Handler, Site, open_site

GOOD = "甲县人民政府,{},requests_received=10"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("GONGKAI_FETCH_INTERVAL", "0")
    with open_site() as found:
        yield found


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "wh")


def load(warehouse: Warehouse, *sources: object, **options: bool) -> Account:
    request = LoadRequest(tuple(map(str, sources)), **{"allow_private": True, **options})
    return run_load(Settings(warehouse, quiet=True), request)


def counts(account: Account) -> tuple[int, int, int, int]:
    return account.seen, account.loaded, account.unchanged, account.rejected


def ask(warehouse: Warehouse, sql: str) -> list[tuple[object, ...]]:
    con = warehouse.connect(read_only=True)
    try:
        return con.execute(sql).fetchall()
    finally:
        con.close()


@pytest.mark.usefixtures("pinned")
def test_every_address_of_a_list_is_accounted_for(tmp_path: Path, site: Site, warehouse: Warehouse) -> None:
    good = [site.put(f"/{year}", GOOD.format(year), ETag=f'"{year}"') for year in (2015, 2016)]
    missing, copy = site.address("/missing"), site.put("/copy", GOOD.format(2015))
    site.put("/robots.txt", "User-agent: *\nDisallow: /closed/")
    closed, notice = site.put("/closed/a", b"x"), site.put("/notice", "reject not_a_report")
    addresses = tmp_path / "list.txt"
    addresses.write_text("# the county\n\n" + "\n".join([*good, missing, copy, closed, notice]) + "\n", "utf-8-sig")
    account = load(warehouse, addresses)
    assert counts(account) == (6, 2, 1, 3)
    assert {one.source_uri: one.reject_code for one in account.rejections} == {
        missing: "fetch_not_found",
        closed: "robots_disallowed",
        notice: "not_a_report",
    }
    assert [one.source_uri for one in account.duplicates] == [copy]
    documents = dict(ask(warehouse, "select source_uri, document_id from raw.documents"))
    assert documents[good[0]] == hashlib.sha256(GOOD.format(2015).encode()).hexdigest()
    assert set(documents) == {*good, missing, closed, notice}
    assert ask(warehouse, "select seen_count, loaded_count, rejected_count from raw.runs") == [(6, 2, 3)]

    before = len(site.asked)
    again = load(warehouse, addresses)
    assert counts(again) == (6, 0, 6, 0)
    assert again.standing_rejected == 3
    sent = {request.path: request.headers.get("If-None-Match") for request in site.asked[before:]}
    assert sent["/2015"] == '"2015"'

    site.put("/2016", GOOD.format(2016) + ",replies_total=3", ETag='"new"')
    site.put("/missing", GOOD.format(2017))
    site.put("/notice", b"", 503)
    changed = load(warehouse, addresses)
    assert counts(changed) == (6, 2, 3, 1)
    assert missing in {uri for (uri,) in ask(warehouse, "select source_uri from raw.documents where status = 'loaded'")}
    assert (
        "rejected"
        not in dict(
            ask(warehouse, f"select source_uri, status from raw.documents where source_uri = '{missing}'")
        ).values()
    )


@pytest.mark.usefixtures("pinned")
def test_another_reason_for_having_no_bytes_is_written_down(site: Site, warehouse: Warehouse) -> None:
    address = site.put("/a", b"", 410)
    for status, code in ((410, "fetch_not_found"), (412, "fetch_failed"), (412, "fetch_failed")):
        site.put("/a", b"", status)
        load(warehouse, address)
        assert ask(warehouse, "select reject_code from raw.documents") == [(code,)]
    assert ask(warehouse, "select issue_code from raw.issues") == [("fetch_failed",)]


@pytest.mark.usefixtures("pinned")
def test_a_manifest_of_addresses_speaks_for_them(tmp_path: Path, site: Site, warehouse: Warehouse) -> None:
    site.put("/a", GOOD.format(2015))
    site.put("/b", GOOD.format(2016))
    (tmp_path / "c.txt").write_text(GOOD.format(2017), "utf-8")
    (tmp_path / "manifest.csv").write_text(
        f"path,url,agency_name,source_uri\n,{site.address('/a')},乙县人民政府,\n{site.address('/b')},,,archive:b\n"
        "c.txt,,丙县人民政府,\n",
        "utf-8",
    )
    assert counts(load(warehouse, tmp_path)) == (3, 3, 0, 0)
    found = ask(warehouse, "select source_uri, agency_name from raw.documents join raw.reports using (document_id)")
    assert set(found) == {
        (site.address("/a"), "乙县人民政府"),
        ("archive:b", "甲县人民政府"),
        ((tmp_path / "c.txt").as_posix(), "丙县人民政府"),
    }
    (tmp_path / "urls.csv").write_text(f"url,report_year\n{site.address('/a')},\n", "utf-8")
    assert counts(load(warehouse, tmp_path / "urls.csv")) == (1, 0, 1, 0)


@pytest.mark.usefixtures("pinned")
def test_a_source_may_be_the_address_of_a_list(site: Site, warehouse: Warehouse) -> None:
    one, two = site.put("/1", GOOD.format(2015)), site.put("/2", GOOD.format(2016))
    inner = site.put("/inner.txt", site.put("/3", GOOD.format(2017)))
    text = site.put("/list.txt", f"# two and a list in a list\n{one}\n{inner}\n")
    table = site.put("/list.csv", f"url,path,agency_name\n{two},,乙县人民政府\n,local.txt,\n")
    broken = site.put("/broken.csv", "url,surprise\n")
    account = load(warehouse, text, table, broken)
    assert "/3" not in site.paths()
    assert counts(account) == (5, 2, 0, 3)
    assert {(one.source_uri, one.reject_code) for one in account.rejections} == {
        (inner, "reader_failed"),  # the fake reader takes it for a document
        (f"{table}#local.txt", "manifest_file_missing"),
        (broken, "damaged_document"),
    }
    assert ("乙县人民政府",) in ask(warehouse, "select agency_name from raw.reports")


def archive_of(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_", "."), text)
    return buffer.getvalue()


@pytest.mark.usefixtures("pinned")
def test_an_archive_from_the_web_is_opened_and_sends_nobody_to_the_web(site: Site, warehouse: Warehouse) -> None:
    inside = site.put("/inside", GOOD.format(2015))
    manifest = f"path\na.txt\n{inside}\n"
    address = site.put("/all.zip", archive_of(a_txt=GOOD.format(2016), b_txt=GOOD.format(2017), manifest_csv=manifest))
    account = load(warehouse, address)
    assert counts(account) == (3, 2, 0, 1)
    assert [(one.source_uri, one.reject_code) for one in account.rejections] == [
        (f"{address}!/{inside}", "fetch_refused_address")
    ]
    assert "/inside" not in site.paths()
    assert (f"{address}!/a.txt",) in ask(warehouse, "select source_uri from raw.documents")


@pytest.mark.usefixtures("pinned")
def test_a_list_in_a_folder_is_a_document_and_not_followed(tmp_path: Path, site: Site, warehouse: Warehouse) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "list.txt").write_text(site.put("/a", GOOD.format(2015)) + "\n", "utf-8")
    assert counts(load(warehouse, folder)) == (1, 0, 0, 1)
    assert site.asked == []


def test_a_report_that_begins_with_its_address_is_a_report(tmp_path: Path, warehouse: Warehouse) -> None:
    text = (PROJECT_ROOT / "samples/reports/xicheng_statistics_2018.txt").read_text("utf-8")
    path = tmp_path / "report.txt"
    path.write_text(f"http://www.example.gov.cn/2018.html\n{text}", "utf-8")
    assert counts(load(warehouse, path)) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http://a.example/1\nhttp://a.example/2\nhtp:/a.example/3\n", "line 3: 'htp:/a.example/3'"),
        ("http://me:secret@a.example/1\n", "line 1"),
        ("http://a.example:99999/\n", "line 1"),
    ],
)
def test_a_list_with_a_line_that_is_no_address_is_refused(
    tmp_path: Path, warehouse: Warehouse, text: str, said: str
) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text, "utf-8")
    with pytest.raises(UsageError, match="correct or remove") as caught:
        load(warehouse, path)
    assert said in str(caught.value)


@pytest.mark.usefixtures("pinned")
def test_other_loaders_read_again_what_was_kept(
    site: Site, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = site.put("/a", GOOD.format(2015), ETag='"1"')
    assert counts(load(warehouse, address)) == (1, 1, 0, 0)
    monkeypatch.setattr("loaders.load.LOADER_VERSION", "other loaders")
    assert counts(load(warehouse, address)) == (1, 1, 0, 0)
    assert [request.headers.get("If-None-Match") for request in site.asked[-1:]] == ['"1"']
    monkeypatch.setattr("loaders.load.LOADER_VERSION", "still others")
    asked = len(site.asked)
    assert counts(load(warehouse, address, site.address("/b"), offline=True)) == (2, 1, 0, 1)
    assert len(site.asked) == asked


def test_attachments_of_a_page_are_loaded_one_level_deep(site: Site, warehouse: Warehouse) -> None:
    sample = (PROJECT_ROOT / "samples/reports/xicheng_statistics_2018.txt").read_bytes()
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("report.txt", sample)
    site.put("/gk/report.zip", zipped.getvalue())
    words = "<p>某县统计局2018年政府信息公开工作年度报告见附件。</p>" * 5
    deeper = '<p><a href="deeper.pdf">附件：更多.pdf</a></p>'
    site.put("/gk/second.doc", f"<html><body>{words}{deeper}</body></html>")
    links = '<a href="report.zip">附件：年报.zip</a> <a href="second.doc">附件2.doc</a> <a href="film.mp4">附件3</a>'
    page = site.put("/gk/page.html", f"<html><body><h1>年度报告</h1>{words}<p>{links}</p></body></html>")
    account = load(warehouse, page)
    assert sorted(site.paths()) == ["/gk/page.html", "/gk/report.zip", "/gk/second.doc"]
    assert account.seen == 3
    assert account.loaded == 1
    assert (f"{site.address('/gk/report.zip')}!/report.txt", "loaded") in ask(
        warehouse, "select source_uri, status from raw.documents"
    )
    assert ask(warehouse, "select seen_count, loaded_count, rejected_count from raw.runs") == [(3, 1, 2)]
    again = load(warehouse, page)
    assert counts(again) == (3, 0, 3, 0)


def html_reader(data: bytes, name: str, hints: Hints | None) -> DocumentReading:
    if data.startswith(b"<"):
        raise DocumentRejected("not_a_report", "a page")
    return fake_reader(data, name, hints)


@pytest.mark.usefixtures("pinned")
def test_a_content_type_that_is_wrong_decides_nothing(
    site: Site, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("GONGKAI_FETCH_INTERVAL", "0")
    sample = (PROJECT_ROOT / "samples/reports/xicheng_statistics_2018.txt").read_bytes()
    address = site.put("/report.pdf", sample, Content_Type="application/pdf")
    other = site.put("/page", "<html><body>404 页面不存在</body></html>".encode(), Content_Type="application/msword")
    account = load(warehouse, address, other)
    assert counts(account) == (2, 1, 0, 1)
    found = dict(ask(warehouse, "select source_uri, media_type from raw.documents"))
    assert found == {address: "text/plain", other: "text/html"}


def test_a_refresh_of_the_same_list_finds_nothing_new(
    tmp_path: Path, site: Site, refreshed: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    # What was published from a folder is on the web, too: known bytes are known wherever they come from.
    documents = sorted((refreshed.root.parent / "in").glob("*.txt"))
    lines = [
        site.put(f"/{number}", path.read_bytes(), Last_Modified=f"Mon, 0{number} Jan 2024 00:00:00 GMT")
        for number, path in enumerate(documents, start=1)
    ]
    addresses = tmp_path / "urls.txt"
    addresses.write_text("\n".join(lines), "utf-8")
    first = os.readlink(refreshed.current)
    for new, same in ((5, 0), (0, 5)):
        run_refresh(Settings(refreshed), LoadRequest((str(addresses),), allow_private=True))
        told = capsys.readouterr()
        assert f"addresses 5 = new or changed {new} + the same as before {same} + failed 0" in told.err
        assert "seen 5 = loaded 0 + unchanged 5 + rejected 0" in told.err
        assert "nothing new: the current release stands" in told.out
    assert site.asked[-1].headers["If-Modified-Since"] == "Mon, 05 Jan 2024 00:00:00 GMT"
    assert os.readlink(refreshed.current) == first


def test_a_load_that_is_killed_while_it_fetches_goes_on(tmp_path: Path, site: Site, warehouse: Warehouse) -> None:
    sample = (PROJECT_ROOT / "samples/reports/xicheng_statistics_2018.txt").read_bytes()
    kept = [site.put(f"/{n}", sample + b"\n" * n, ETag=f'"{n}"') for n in range(3)]

    def hold(handler: Handler) -> None:
        site.closing.wait(900)

    addresses = tmp_path / "urls.txt"
    addresses.write_text("\n".join([*kept, site.do("/last", hold)]), "utf-8")
    command = [sys.executable, "-m", "loaders", "load", str(addresses), "--allow-private", "--json"]
    command += ["--warehouse", str(warehouse.root)]
    running = subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    while "/last" not in site.paths() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    site.put("/last", b"", 404)
    before = len(site.asked)
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    account = json.loads(done.stdout)
    assert (account["seen"], account["loaded"], account["rejected"]) == (4, 3, 1)
    sent = {request.path: request.headers.get("If-None-Match") for request in site.asked[before:]}
    assert [sent[f"/{n}"] for n in range(3)] == ['"0"', '"1"', '"2"']


def test_a_scheduler_may_stop_a_fetch(tmp_path: Path, site: Site, warehouse: Warehouse) -> None:
    address = site.do("/hold", lambda handler: site.closing.wait(900) and None)
    command = [sys.executable, "-m", "loaders", "load", address, "--allow-private", "--warehouse", str(warehouse.root)]
    running = subprocess.Popen(command, cwd=PROJECT_ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 600
    while "/hold" not in site.paths() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGTERM)
    _, told = running.communicate(timeout=300)
    assert running.returncode == 1
    assert "stopped; run it again to go on" in told
    assert ask(warehouse, "select status from raw.runs") == [("interrupted",)]


@pytest.mark.parametrize("source", ["ftp://a.example/x", "http://me:secret@a.example/", "http:///x"])
def test_addresses_that_cannot_be_asked_are_refused(warehouse: Warehouse, source: str) -> None:
    with pytest.raises(UsageError, match="http"):
        load(warehouse, source)
