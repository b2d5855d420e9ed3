"""Reading again what another version of the loaders read: every document stands once in the account."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from loaders.errors import DocumentRejected
from loaders.load import load_documents
from loaders.model import DocumentReading, Hints
from loaders.refresh import describe_reread
from loaders.reread import RereadAccount, count_outdated, reread_documents
from loaders.runs import begin_run
from loaders.sources import list_documents
from loaders.staging import create_raw
from loaders.version import build_fingerprint, loader_version
from loaders.warehouse import Warehouse
from tests.loaders.readings import fake_reader


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = Warehouse(tmp_path / "wh").connect()
    create_raw(connection)
    yield connection
    connection.close()


def better_reader(data: bytes, name: str, hints: Hints | None) -> DocumentReading:
    """Reads every figure of 1 as 2, and takes what has 8 for no report."""
    if b"received=8" in data:
        raise DocumentRejected("not_a_report", "it is a notice")
    return fake_reader(data.replace(b"received=1", b"received=2"), name, hints)


def load(con: duckdb.DuckDBPyConnection, *sources: object) -> None:
    documents = list_documents([str(source) for source in sources])
    load_documents(con, documents, run_id=begin_run(con, "load"), reader=fake_reader)


def reread(con: duckdb.DuckDBPyConnection) -> RereadAccount:
    return reread_documents(con, run_id=begin_run(con, "reread"), reader=better_reader)


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return con.execute(query).fetchall()


def values(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    query = "select r.agency_name, m.value from raw.reports as r join raw.metric_rows as m using (report_id)"
    return {name: int(value) for name, value in rows(con, query)}


@pytest.fixture
def loaded(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Path:
    """A page, a manifest whose source lies elsewhere, an archive with a manifest in it, and what cannot be read."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "page.txt").write_text("页县,2017,requests_received=1")
    (folder / "named").mkdir()
    (folder / "named" / "a.txt").write_text("甲,2017,requests_received=1")
    (folder / "named" / "manifest.csv").write_text(
        "path,agency_name,published_date,scope,source_uri\na.txt,清单县,2018-03-01,own,https://example.test/a\n"
        "gone.txt,,,,\n"
    )
    (folder / "notice.txt").write_text("reject not_a_report")
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr("sub/member.txt", "档县,2017,requests_received=1")
        archive.writestr("manifest.csv", "path,agency_name\nsub/hinted.txt,档名县\n")
        archive.writestr("sub/hinted.txt", "乙,2017,requests_received=1")
    load(con, folder)
    return folder


@pytest.fixture
def next_version(loaded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loaders change after the load."""
    monkeypatch.setattr("loaders.load.LOADER_VERSION", "next")


def test_nothing_is_outdated_after_a_load(con: duckdb.DuckDBPyConnection, loaded: Path) -> None:
    account = reread(con)
    assert account.outdated == 0
    assert "nothing to read again" in describe_reread(account)


@pytest.mark.usefixtures("next_version")
def test_every_document_is_read_again_as_its_source_says(con: duckdb.DuckDBPyConnection, loaded: Path) -> None:
    before = rows(con, "select document_id, source_uri, loaded_at from raw.documents order by all")
    assert count_outdated(con, "next") == (5, 0)
    account = reread(con)
    assert (account.outdated, account.read.loaded, account.read.rejected) == (5, 4, 1)
    assert values(con) == {"页县": 2, "清单县": 2, "档县": 2, "档名县": 2}
    # Who it is, under which address, and what came before what: all as before.
    assert rows(con, "select document_id, source_uri, loaded_at from raw.documents order by all") == before
    versions = dict(rows(con, "select source_uri, loader_version from raw.documents"))
    assert versions["https://example.test/a"].startswith("next+hints.")
    # What never had bytes was read by no version; everything else is up to date, and stays so.
    assert count_outdated(con, "next") == (0, 0)
    assert reread(con).outdated == 0
    load(con, loaded)
    assert rows(con, "select loaded_count, unchanged_count from raw.runs order by started_at desc limit 1") == [(0, 5)]


@pytest.mark.usefixtures("next_version")
def test_what_is_gone_or_changed_stays_and_is_told(con: duckdb.DuckDBPyConnection, loaded: Path) -> None:
    (loaded / "page.txt").write_text("页县,2017,requests_received=9")
    (loaded / "named" / "a.txt").unlink()
    with zipfile.ZipFile(loaded / "all.zip", "w") as archive:
        archive.writestr("sub/member.txt", "另县,2017,requests_received=7")
        archive.writestr("renamed.txt", "乙,2017,requests_received=1")
    account = reread(con)
    assert account.outdated == 5
    assert [Path(document.source_uri).name for document in account.changed] == ["member.txt", "page.txt"]
    assert [document.source_uri for document in account.gone] == ["https://example.test/a"]
    # The bytes are what is read again, wherever they lie in the archive.
    assert values(con) == {"页县": 1, "清单县": 1, "档县": 1, "档名县": 2}
    said = describe_reread(account)
    assert "outdated 5 = loaded 1 + rejected 1 + changed 2 + gone 1" in said
    assert "holds other bytes now" in said
    assert json.loads(json.dumps(account.as_json()))["gone"][0]["reason"].endswith(
        "a.txt is not there or cannot be read"
    )
    assert count_outdated(con, "next") == (2, 1)


@pytest.mark.usefixtures("next_version")
def test_a_document_of_an_older_work_file_is_found_by_its_address(con: duckdb.DuckDBPyConnection, loaded: Path) -> None:
    con.execute("drop table loading.places")
    assert sum(count_outdated(con, "next")) == 5
    account = reread(con)
    # What a manifest said is not kept there: read without it, the figures would be somebody else's.
    assert {document.source_uri.rsplit("/", 1)[-1] for document in account.gone} == {"a", "hinted.txt"}
    assert "load the manifest again" in account.gone[0].reason
    assert account.read.loaded == 2


@pytest.mark.usefixtures("next_version")
def test_what_is_no_longer_read_is_named(
    con: duckdb.DuckDBPyConnection, loaded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.load.LOADER_VERSION", "before")
    (loaded / "page.txt").write_text("页县,2017,requests_received=8")
    load(con, loaded / "page.txt", loaded / "notice.txt")
    monkeypatch.setattr("loaders.load.LOADER_VERSION", "next")
    account = reread(con)
    assert [Path(found.source_uri).name for found in account.newly_rejected] == ["page.txt"]
    said = describe_reread(account)
    assert "of the rejected, 1 were rejected before and still are" in said
    assert "page.txt: not_a_report: it is a notice" in said
    assert "notice.txt" not in said


def test_a_file_that_moved_is_found_once_it_was_seen_there(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text("页县,2017,requests_received=1")
    load(con, old)
    old.rename(new)
    load(con, new)
    monkeypatch.setattr("loaders.load.LOADER_VERSION", "later")
    assert reread(con).read.loaded == 1


def test_a_correction_is_no_reason_to_read_again(tmp_path: Path) -> None:
    (tmp_path / "loaders").mkdir()
    (tmp_path / "loaders" / "read.py").write_text("1")
    (tmp_path / "seeds").mkdir()
    before = loader_version(tmp_path)
    for name in ("corrections", "quarantine_rules"):
        (tmp_path / "seeds" / f"{name}.csv").write_text("a\n")
    assert loader_version(tmp_path) == before
    # The marts are made anew with it all the same.
    fingerprint = build_fingerprint(tmp_path)
    (tmp_path / "seeds" / "corrections.csv").write_text("b\n")
    assert build_fingerprint(tmp_path) != fingerprint
    (tmp_path / "seeds" / "form_aliases.csv").write_text("a\n")
    assert loader_version(tmp_path) != before
