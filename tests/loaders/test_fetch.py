from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console
from warcio.archiveiterator import ArchiveIterator

from loaders.errors import DocumentRejected, UsageError
from loaders.fetch import client as client_module
from loaders.fetch.client import Client, is_public
from loaders.fetch.documents import Fetcher, Link
from loaders.fetch.limits import FetchLimits
from loaders.fetch.sites import Sites
from loaders.fetch.store import INDEX_NAME, Store
from loaders.load import Progress
from loaders.progress import FETCHING, LINE_SECONDS, LineProgress, _bar
from loaders.sources import SourceDocument
from loaders.sources.addresses import web_document
from loaders.vocabulary import load_vocabulary
from tests.loaders.site import Handler, Site, open_site

# Far beyond what a test takes, on the slowest machine; a limit that is to be met is set in the test.
QUICK = FetchLimits(interval=0.0, backoff=0.01, seconds=600.0, silence=600.0, user_agent="gongkai/test")


@pytest.fixture
def site() -> Iterator[Site]:
    with open_site() as found:
        yield found


@pytest.fixture
def other_site() -> Iterator[Site]:
    with open_site("127.0.0.2") as found:
        yield found


class Fetching:
    """Fetches into one store, a run at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = 0
        self.counts = ""

    def store(self, limits: FetchLimits = QUICK) -> Store:
        self.runs += 1
        return Store(self.folder, f"run{self.runs}", limits.max_bytes)

    def run(
        self, *addresses: str, limits: FetchLimits = QUICK, allow_private: bool = True, offline: bool = False
    ) -> list[bytes | str]:
        """The bytes of each address, or the code of its rejection with the message."""
        with Fetcher(self.store(limits), limits, allow_private=allow_private, offline=offline) as fetcher:
            documents = fetcher.fetch([web_document(address) for address in addresses], Progress())
            self.counts = str(fetcher.counts)
            return [outcome(document) for document in documents]


def outcome(document: SourceDocument) -> bytes | str:
    try:
        return document.read_bytes()
    except DocumentRejected as rejection:
        known = rejection.reject_code in load_vocabulary().reject_codes
        return f"{rejection.reject_code if known else 'a code that the seed lacks'}: {rejection}"


@pytest.fixture
def fetching(tmp_path: Path) -> Fetching:
    return Fetching(tmp_path / "fetched")


def records(folder: Path) -> list[tuple[str, str, str]]:
    """The records of the store: type, address, and status or profile."""
    found = []
    for path in sorted(folder.glob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, check_digests="raise"):
                record.content_stream().read()
                header = record.rec_headers.get_header
                if record.rec_type != "warcinfo":
                    told = (header("WARC-Profile") or record.http_headers.get_statuscode()).rpartition("/")[2]
                    found.append((record.rec_type, header("WARC-Target-URI"), told))
    return found


def test_content_is_kept_with_its_headers_and_comes_back_without_the_site(site: Site, fetching: Fetching) -> None:
    body = "某县2023年政府信息公开工作年度报告".encode("gb18030")
    name = "年报.html".encode("gb18030").decode("latin-1")
    address = site.put("/a.html", body, Content_Type="text/html; charset=GBK", Content_Disposition=f"inline; {name}")
    assert fetching.run(address) == [body]
    (path,) = fetching.folder.glob("*.warc.gz")
    with path.open("rb") as file:
        (record,) = [r for r in ArchiveIterator(file) if r.rec_headers.get_header("WARC-Target-URI") == address]
    assert record.http_headers.get_header("Content-Type") == "text/html; charset=GBK"
    assert (
        record.http_headers.get_header("Content-Disposition").encode("latin-1").endswith("年报.html".encode("gb18030"))
    )
    site.pages.clear()
    asked = len(site.asked)
    assert fetching.run(address, offline=True) == [body]
    assert len(site.asked) == asked
    (missing,) = fetching.run(site.address("/never"), offline=True)
    assert str(missing).startswith("fetch_not_kept")


def test_nothing_new_is_asked_for_conditionally_and_not_kept_twice(site: Site, fetching: Fetching) -> None:
    addresses = (
        site.put("/etag", b"one", ETag='"1"'),
        site.put("/modified", b"two", Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT"),
        site.put("/neither", b"three"),
    )
    assert fetching.run(*addresses) == [b"one", b"two", b"three"]
    assert fetching.counts == "addresses 3 = new or changed 3 + the same as before 0 + failed 0"
    assert fetching.run(*addresses) == [b"one", b"two", b"three"]
    assert fetching.counts == "addresses 3 = new or changed 0 + the same as before 3 + failed 0"
    sent = {request.path: request.headers for request in site.asked[-3:]}
    assert sent["/etag"]["If-None-Match"] == '"1"'
    assert sent["/modified"]["If-Modified-Since"] == "Mon, 01 Jan 2024 00:00:00 GMT"
    found = [(kind, told) for kind, address, told in records(fetching.folder) if address in addresses]
    assert sorted(found) == [
        ("response", "200"),
        ("response", "200"),
        ("response", "200"),
        ("revisit", "identical-payload-digest"),
        ("revisit", "server-not-modified"),
        ("revisit", "server-not-modified"),
    ]
    site.put("/etag", b"changed", ETag='"2"')
    assert fetching.run(*addresses) == [b"changed", b"two", b"three"]
    assert fetching.counts == "addresses 3 = new or changed 1 + the same as before 2 + failed 0"
    assert fetching.run(*addresses, offline=True) == [b"changed", b"two", b"three"]


def test_robots_txt_decides(site: Site, fetching: Fetching) -> None:
    site.put(
        "/robots.txt", "User-agent: *\nDisallow: /private/\nAllow: /private/ok\n\nUser-agent: other\nDisallow: /\n"
    )
    allowed, refused = site.put("/private/ok", b"yes"), site.put("/private/no", b"no")
    first, second = fetching.run(allowed, refused)
    assert first == b"yes"
    assert str(second).startswith(f"robots_disallowed: {refused}")
    assert site.paths() == ["/private/ok"]
    assert [request.path for request in site.asked].count("/robots.txt") == 1


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_site_that_shows_no_robots_txt_allows_everything(site: Site, fetching: Fetching, status: int) -> None:
    site.put("/robots.txt", b"Disallow: /", status)
    assert fetching.run(site.put("/a", b"a")) == [b"a"]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_site_whose_robots_txt_is_out_of_order_is_not_asked(site: Site, fetching: Fetching, status: int) -> None:
    site.put("/robots.txt", b"", status)
    found = fetching.run(site.put("/a", b"a"), site.put("/b", b"b"))
    assert [str(one).partition(":")[0] for one in found] == ["fetch_failed", "fetch_failed"]
    assert f"answers {status}" in str(found[0])
    assert site.paths() == []


def test_the_crawl_delay_is_kept_and_one_beyond_reason_is_a_refusal(
    site: Site, other_site: Site, fetching: Fetching
) -> None:
    site.put("/robots.txt", "User-agent: *\nCrawl-delay: 0.3\n")
    other_site.put("/robots.txt", "User-agent: gongkai\nCrawl-delay: 86400\n")
    times: list[float] = []
    addresses = [site.do(f"/{n}", lambda handler: note(handler, times)) for n in range(2)]
    found = fetching.run(*addresses, other_site.put("/c", b"c"))
    assert found[:2] == [b"x", b"x"]
    assert times[1] - times[0] >= 0.3
    assert str(found[2]).startswith("robots_disallowed")
    assert other_site.paths() == []


def test_requests_to_one_host_keep_their_distance(site: Site, fetching: Fetching) -> None:
    times: list[float] = []
    addresses = [site.do(f"/{n}", lambda handler: note(handler, times)) for n in range(4)]
    fetching.run(*addresses, limits=replace(QUICK, interval=0.1))
    assert min(later - sooner for sooner, later in pairwise(times)) >= 0.1


def note(handler: Handler, times: list[float]) -> None:
    times.append(time.monotonic())
    handler.answer(200, b"x")


def test_whoever_shows_the_progress_is_told_which_host_is_waited_for(tmp_path: Path, site: Site) -> None:
    waits: list[tuple[str, float]] = []
    client, store = Client(QUICK, allow_private=True), Store(tmp_path, "run", 10**6)
    # A clock that stands still: how slow the machine is makes no difference.
    sites = Sites(client, store, replace(QUICK, interval=0.2), lambda *told: waits.append(told), clock=lambda: 5.0)
    sites.fetch(site.put("/a", b"a"))
    client.close()
    store.close()
    assert waits == [("127.0.0.1", pytest.approx(0.2))]


def test_what_may_pass_is_tried_again_and_waited_for(site: Site, fetching: Fetching) -> None:
    answers = [(503, {}), (429, {"Retry-After": "1"}), (502, {"Retry-After": formatdate(0, usegmt=True)}), (200, {})]
    times: list[float] = []

    def behave(handler: Handler) -> None:
        times.append(time.monotonic())
        status, headers = answers[len(times) - 1]
        handler.answer(status, b"at last", headers)

    assert fetching.run(site.do("/busy", behave)) == [b"at last"]
    assert times[2] - times[1] >= 1.0


def test_a_host_that_asks_for_an_hour_is_left_alone(site: Site, other_site: Site, fetching: Fetching) -> None:
    addresses = [site.put(f"/{n}", b"", 429, Retry_After="3600") for n in range(3)]
    found = fetching.run(*addresses, other_site.put("/fine", b"fine"))
    assert all("asks to wait 3600 seconds" in str(one) for one in found[:3])
    assert found[3] == b"fine"
    assert site.paths() == ["/0"]


def test_a_site_that_fails_half_way_costs_its_own_documents_only(
    site: Site, other_site: Site, fetching: Fetching
) -> None:
    def break_off(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"half of it")
        handler.close_connection = True

    good = [site.put(f"/good{n}", f"good {n}") for n in range(2)]
    bad = [site.do(f"/bad{n}", break_off) for n in range(5)]
    found = fetching.run(*good, *bad, other_site.put("/fine", b"fine"))
    assert found[:2] == [b"good 0", b"good 1"]
    assert [str(one).partition(":")[0] for one in found[2:7]] == ["fetch_failed"] * 5
    assert "tried 4 times" in str(found[2])
    assert "not asked, 127.0.0.1 is left alone: it failed for 3 addresses" in str(found[6])
    assert found[7] == b"fine"
    assert site.paths().count("/bad0") == 4
    assert "/bad4" not in site.paths()


def test_a_broken_chunk_is_no_document(site: Site, fetching: Fetching) -> None:
    def behave(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\nwhole\r\n9\r\nhal")
        handler.close_connection = True

    (found,) = fetching.run(site.do("/a", behave), limits=replace(QUICK, attempts=1))
    assert str(found).startswith("fetch_failed")


def test_chunks_are_put_together(site: Site, fetching: Fetching) -> None:
    def behave(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\nwhole\r\n5\r\n page\r\n0\r\n\r\n")

    address = site.do("/a", behave)
    assert fetching.run(address) == [b"whole page"]
    assert fetching.run(address, offline=True) == [b"whole page"]
    (path,) = fetching.folder.glob("*.warc.gz")
    with path.open("rb") as file:
        (record,) = [r for r in ArchiveIterator(file) if r.rec_headers.get_header("WARC-Target-URI") == address]
    # The record holds the body without its chunks, and so must not say that there are any.
    assert record.http_headers.get_header("Transfer-Encoding") is None
    assert record.http_headers.get_header("X-Archive-Orig-Transfer-Encoding") == "chunked"


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_slow_drip_ends_at_the_limit(site: Site, fetching: Fetching, part: str) -> None:
    def drip(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        if part == "body":
            handler.wfile.write(b"\r\n")
        while not site.closing.wait(0.05):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    (found,) = fetching.run(site.do("/drip", drip), limits=replace(QUICK, seconds=0.5))
    assert str(found).startswith("fetch_timed_out")


def test_silence_is_tried_again_and_then_a_timeout(site: Site, fetching: Fetching) -> None:
    address = site.do("/silent", lambda handler: site.closing.wait(30) and None)
    (found,) = fetching.run(address, limits=replace(QUICK, silence=0.2, attempts=2))
    assert str(found).startswith("fetch_timed_out")
    assert site.paths() == ["/silent", "/silent"]


def test_an_endless_body_ends_at_the_limit(site: Site, fetching: Fetching) -> None:
    def pour(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not site.closing.is_set():
            handler.wfile.write(b"x" * 65536)

    small = replace(QUICK, max_bytes=1024 * 1024)
    (found,) = fetching.run(site.do("/endless", pour), limits=small)
    assert str(found).startswith("fetch_too_large")
    (found,) = fetching.run(site.put("/large", b"x" * (1024 * 1024 + 1)), limits=small)
    assert "1048577 bytes where the limit is 1 MB" in str(found)
    assert fetching.run(site.put("/just", b"x" * 1024 * 1024), limits=small) == [b"x" * 1024 * 1024]


def test_a_gzip_bomb_is_not_unpacked(site: Site, fetching: Fetching) -> None:
    small = replace(QUICK, max_bytes=1024 * 1024)
    bomb = gzip.compress(b"\0" * 200 * 1024 * 1024)
    assert len(bomb) < 1024 * 1024
    (found,) = fetching.run(site.put("/bomb", bomb, Content_Encoding="gzip"), limits=small)
    assert str(found).startswith("fetch_too_large")
    assert "unpacked" in str(found)


def test_gzip_is_undone_and_what_is_wrong_with_it_is_said(site: Site, fetching: Fetching) -> None:
    text = os.urandom(300_000) + b"report" * 100_000
    packed = gzip.compress(text[:1000]) + gzip.compress(text[1000:])
    found = fetching.run(
        site.put("/good", packed, Content_Encoding="gzip"),
        site.put("/cut", packed[:-9], Content_Encoding="gzip"),
        site.put("/not", text, Content_Encoding="gzip"),
        site.put("/odd", text, Content_Encoding="br"),
        site.put("/file.gz", packed),
    )
    assert found[0] == text
    assert "cut off" in str(found[1])
    assert "no gzip" in str(found[2])
    assert "'br', which was not asked for" in str(found[3])
    assert found[4] == packed
    assert fetching.run(site.address("/good"), offline=True) == [text]


def test_redirects_are_followed_within_bounds(site: Site, other_site: Site, fetching: Fetching) -> None:
    def go(path: str, target: str, status: int = 302) -> str:
        return site.put(path, b"", status, Location=target)

    other_site.put("/there", b"there")
    far = go("/far", other_site.address("/there"), 301)
    near = go("/near", "far", 307)
    go("/one", "/two")
    go("/two", "/one")
    for n in range(8):
        go(f"/step{n}", f"/step{n + 1}")
    found = fetching.run(far, near, site.address("/one"), site.address("/step0"), go("/file", "file:///etc/passwd"))
    assert found[:2] == [b"there", b"there"]
    assert "in a circle" in str(found[2])
    assert "more than 5 times" in str(found[3])
    assert str(found[4]).startswith("fetch_refused_address")
    assert "/step6" not in site.paths()
    assert fetching.run(near, offline=True) == [b"there"]


def test_robots_txt_counts_for_where_a_redirect_leads(site: Site, other_site: Site, fetching: Fetching) -> None:
    other_site.put("/robots.txt", "User-agent: *\nDisallow: /")
    (found,) = fetching.run(site.put("/a", b"", 302, Location=other_site.put("/b", b"b")))
    assert str(found).startswith("robots_disallowed")
    assert other_site.paths() == []


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "ff02::1",
        "2001:0:1::",
    ],
)
def test_addresses_that_are_not_public(number: str) -> None:
    assert not is_public(number)


@pytest.mark.parametrize("number", ["202.106.0.20", "8.8.8.8", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_that_are_public(number: str) -> None:
    assert is_public(number)


def test_no_private_address_is_asked_unless_it_is_allowed(site: Site, fetching: Fetching) -> None:
    site.put("/a", b"secret")
    addresses = [site.address("/a"), f"http://localhost:{site.port}/a", f"http://[::ffff:127.0.0.1]:{site.port}/a"]
    found = fetching.run(*addresses, allow_private=False)
    assert [str(one).partition(":")[0] for one in found] == ["fetch_refused_address"] * 3
    assert "--allow-private" in str(found[0])
    assert site.asked == []
    assert fetching.run(*addresses[:2]) == [b"secret", b"secret"]


def test_no_redirect_leads_into_a_private_network(
    site: Site, other_site: Site, fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "is_public", lambda number: number == "127.0.0.2" or is_public(number))
    address = other_site.put("/a", b"", 302, Location=site.put("/secret", b"secret"))
    found = fetching.run(address, other_site.put("/b", b"b"), allow_private=False)
    assert str(found[0]).startswith("fetch_refused_address")
    assert found[1] == b"b"
    assert site.asked == []


def test_what_was_looked_up_is_what_is_connected_to(
    site: Site, fetching: Fetching, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, answers = client_module.socket.getaddrinfo, iter(["8.8.8.8"] + ["127.0.0.1"] * 99)
    names: list[str] = []

    def look_up(host: str, *rest: object, **more: object) -> object:
        if host == "rebinding.example":
            host = next(answers)
            names.append(host)
        return real(host, *rest, **more)

    connected: list[str] = []

    def connect(place: tuple[str, int], *_: object, **__: object) -> None:
        connected.append(place[0])
        raise OSError("not from a test")

    monkeypatch.setattr(client_module.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(client_module, "create_connection", connect)
    site.put("/a", b"secret")
    (found,) = fetching.run(f"http://rebinding.example:{site.port}/a", allow_private=False)
    assert connected == ["8.8.8.8"]
    assert "127.0.0.1, which is not on the public internet" in str(found)
    assert site.asked == []


def test_statuses_and_unreachable_hosts_have_codes(site: Site, fetching: Fetching, unused_port: int) -> None:
    found = fetching.run(
        site.address("/missing"),
        site.put("/gone", b"", 410),
        site.put("/challenge", b"", 412),
        site.put("/nothing", b"", 204),
        f"http://127.0.0.3:{unused_port}/a",
        "http://no-such-host.invalid/a",
    )
    codes = [str(one).partition(":")[0] for one in found]
    assert codes == ["fetch_not_found"] * 2 + ["fetch_failed"] * 4
    assert "answers 412" in str(found[2])


@pytest.fixture
def unused_port() -> int:
    with open_site("127.0.0.3") as closed:
        return closed.port


def test_an_answer_that_is_no_http_is_a_failure(site: Site, fetching: Fetching) -> None:
    found = fetching.run(
        site.do("/rubbish", lambda handler: handler.wfile.write(b"\0\1\2 rubbish\r\n\r\n") and None),
        site.do("/empty", lambda handler: setattr(handler, "close_connection", True)),
        limits=replace(QUICK, attempts=1),
    )
    assert [str(one).partition(":")[0] for one in found] == ["fetch_failed"] * 2


def test_tls_certificates_are_checked(tmp_path: Path, fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil
    import ssl

    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    wanted = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run(
        ["openssl", *wanted, "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with open_site(wrap=lambda found: context.wrap_socket(found, server_side=True)) as site:
        site.put("/a", b"a")
        good, wrong_name = f"https://localhost:{site.port}/a", f"https://127.0.0.1:{site.port}/a"
        (untrusted,) = fetching.run(good)
        assert "the certificate of the site cannot be trusted" in str(untrusted)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        found = fetching.run(good, wrong_name)
        assert found[0] == b"a"
        assert "certificate" in str(found[1])
        assert site.paths() == ["/a"]


def test_attachments_of_a_page_are_those_of_its_site_and_kind(tmp_path: Path, site: Site, other_site: Site) -> None:
    page = site.put("/2023/page.html", b"page")
    for path in ("/2023/table.xls", "/files/report.pdf"):
        site.put(path, path)
    links = [
        "table.xls",
        "/files/report.pdf#page=2",
        "down.jsp?id=3",
        "down.jsp?id=4",
        "video.mp4",
        "http://[bad/x.pdf",
    ]
    links.append(other_site.address("/elsewhere.pdf"))
    document_id = hashlib.sha256(b"page").hexdigest()
    found = [Link(document_id, url, "附件：统计表.xls" if url.endswith("3") else "") for url in links]
    found.append(Link("of another document", "x.pdf", ""))
    with Fetcher(Store(tmp_path, "run", 10**6), QUICK, allow_private=True) as fetcher:
        documents = fetcher.fetch([web_document(page)], Progress())
        attached, left_out = fetcher.attachments(documents, found)
    wanted = ["/2023/table.xls", "/files/report.pdf", "/2023/down.jsp?id=3"]
    assert [document.address for document in attached] == [site.address(path) for path in wanted]
    assert left_out == 4


def test_the_path_of_a_document_says_where_it_is_kept(tmp_path: Path, site: Site) -> None:
    address = site.put("/2023/a.html", b"a")
    with Fetcher(Store(tmp_path, "run", 10**6), QUICK, allow_private=True) as fetcher:
        (document,) = fetcher.fetch([web_document(address)], Progress())
    assert document.path == tmp_path / "run.warc.gz!" / hashlib.sha256(b"a").hexdigest() / "a.html"
    assert (document.name, document.source_uri) == ("a.html", address)


def test_an_address_that_is_listed_twice_is_asked_once(site: Site, fetching: Fetching) -> None:
    address = site.put("/a", b"a")
    assert fetching.run(address, f"{address}#part", address) == [b"a", b"a", b"a"]
    assert site.paths() == ["/a"]


def test_an_address_with_chinese_characters_is_asked_in_utf_8(site: Site, fetching: Fetching) -> None:
    site.put("/%E5%B9%B4%E6%8A%A5%202023.html?a=%E4%B8%80", b"a")
    assert fetching.run(site.address("/年报%202023.html?a=一")) == [b"a"]


def test_the_index_can_be_lost(site: Site, fetching: Fetching) -> None:
    site.put("/c", b"c", ETag='"c"')
    addresses = [site.put("/a", gzip.compress(b"a" * 99), Content_Encoding="gzip"), site.put("/b", b"b", ETag='"b"')]
    addresses.append(site.put("/r", b"", 302, Location="/c"))
    fetching.run(*addresses)
    fetching.run(*addresses)
    before = {kept["address"]: kept for kept in map(json.loads, read_index(fetching))}
    (fetching.folder / INDEX_NAME).unlink()
    assert fetching.run(*addresses, offline=True) == [b"a" * 99, b"b", b"c"]
    after = {kept["address"]: kept for kept in map(json.loads, read_index(fetching))}
    assert [{**kept, "asked_at": ""} for kept in after.values()] == [
        {**kept, "asked_at": ""} for kept in before.values() if kept["address"] in after
    ]
    assert fetching.run(addresses[1]) == [b"b"]
    assert site.asked[-1].headers["If-None-Match"] == '"b"'


def read_index(fetching: Fetching) -> list[str]:
    return (fetching.folder / INDEX_NAME).read_text("utf-8").splitlines()


def test_what_a_killed_run_left_is_not_believed(site: Site, fetching: Fetching) -> None:
    one, two = site.put("/one", b"1" * 5000), site.put("/two", os.urandom(50_000), ETag='"2"')
    fetching.run(one, two)
    (path,) = fetching.folder.glob("*.warc.gz")
    path.write_bytes(path.read_bytes()[:-20_000])
    with (fetching.folder / INDEX_NAME).open("a") as file:
        file.write('{"address": "half')
    assert fetching.run(one, offline=True) == [b"1" * 5000]
    (found,) = fetching.run(two, offline=True)
    assert str(found).startswith("fetch_not_kept")
    assert isinstance(fetching.run(two)[0], bytes)
    assert "If-None-Match" not in site.asked[-1].headers
    assert isinstance(fetching.run(two, offline=True)[0], bytes)
    (fetching.folder / INDEX_NAME).unlink()
    assert isinstance(fetching.run(one, two, offline=True)[1], bytes)


def test_the_index_does_not_grow_without_end(site: Site, fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loaders.fetch.store._SPARE_LINES", 4)
    address = site.put("/a", b"a", ETag='"a"')
    for _ in range(9):
        fetching.run(address)
        assert len(read_index(fetching)) <= 4 + 2 * 2 + 2
    assert fetching.run(address, offline=True) == [b"a"]


def test_a_damaged_store_is_noticed(site: Site, fetching: Fetching) -> None:
    address = site.put("/one", os.urandom(50_000))
    fetching.run(address)
    (path,) = fetching.folder.glob("*.warc.gz")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    (found,) = fetching.run(address, offline=True)
    assert str(found).startswith("unreadable_file")


def test_a_run_that_is_stopped_lets_go_at_once(site: Site, fetching: Fetching) -> None:
    waiting = threading.Event()

    def hold(handler: Handler) -> None:
        waiting.set()
        site.closing.wait(600)

    address = site.do("/hold", hold)
    begun = time.monotonic()
    with Fetcher(fetching.store(), QUICK, allow_private=True) as fetcher:
        stopper = threading.Thread(target=lambda: waiting.wait(300) and fetcher.stop())
        stopper.start()
        with pytest.raises(Exception, match="stopped"):
            fetcher.fetch([web_document(address), web_document(site.address("/b"))], Progress())
        stopper.join()
    assert time.monotonic() - begun < 300
    assert "/b" not in site.paths()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GONGKAI_FETCH_INTERVAL", "soon"),
        ("GONGKAI_FETCH_SECONDS", "0"),
        ("GONGKAI_FETCH_MEGABYTES", "inf"),
        ("GONGKAI_USER_AGENT", "公开"),
        ("GONGKAI_USER_AGENT", "a\r\nCookie: b"),
    ],
)
def test_limits_that_cannot_be_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=name):
        FetchLimits.from_environment()


def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("INTERVAL", "0"), ("SECONDS", "5"), ("MEGABYTES", "0.5")):
        monkeypatch.setenv(f"GONGKAI_FETCH_{name}", value)
    monkeypatch.setenv("GONGKAI_USER_AGENT", "archive (+mailto:a@example.org)")
    found = FetchLimits.from_environment()
    assert (found.interval, found.seconds, found.max_bytes) == (0.0, 5.0, 512 * 1024)
    assert found.user_agent == "archive (+mailto:a@example.org)"


def test_the_client_presents_itself(site: Site) -> None:
    client = Client(replace(QUICK, user_agent="gongkai/9"), allow_private=True)
    client.ask(site.put("/a", b"a"), {}).body.close()
    client.close()
    assert site.asked[0].headers["User-Agent"] == "gongkai/9"
    assert site.asked[0].headers["Accept-Encoding"] == "gzip"


def test_a_load_of_files_imports_nothing_of_this(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x", "utf-8")
    code = (
        "import sys; from loaders.refresh import LoadRequest, run_load; from loaders.settings import make_settings;"
        f"run_load(make_settings({str(tmp_path / 'wh')!r}, True, False), LoadRequest(({str(tmp_path / 'a.txt')!r},)));"
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('urllib3', 'warcio', 'protego', 'requests') or name.startswith('loaders.fetch')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_line_of_progress_names_the_host_that_is_waited_for() -> None:
    now = 0.0
    said: list[str] = []
    progress = LineProgress(said.append, 100, clock=lambda: now, work=FETCHING)
    progress.waiting("a.example", 30.0)
    progress.waiting("b.example", 70.0)
    progress.done(1)
    now = LINE_SECONDS
    progress.done(1)
    now = 2 * LINE_SECONDS
    progress.waiting("c.example", 1.0)
    now = 8 * LINE_SECONDS
    progress.done(2)
    assert said == [
        "fetched 2 of 100 addresses, 0.2/s, about 8 min 10 s left; waiting 60 s for b.example and 1 more",
        "fetched 2 of 100 addresses, 0.1/s, about 16 min 20 s left; waiting 50 s for b.example and 2 more",
        "fetched 4 of 100 addresses, 0.1/s, about 32 min 0 s left",
    ]


def test_the_bar_shows_addresses_a_second_and_the_host_that_is_waited_for() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with _bar(console, 10, FETCHING.doing) as bar:
        for _ in range(4):
            bar.done(1)
        bar.waiting("slow.example", 90.0)
        bar.done(1)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "fetching addresses" in shown
    assert "5/10" in shown
    assert re.search(r"\d/s", shown)
    assert re.search(r"waiting \d+ s for slow.example", shown)
