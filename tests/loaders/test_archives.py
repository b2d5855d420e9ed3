from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from loaders.errors import DocumentRejected
from loaders.load import load_documents, read_one
from loaders.model import Hints
from loaders.runs import begin_run
from loaders.sources import MAX_BYTES, SourceDocument, archives, list_documents
from loaders.sources.archives import Opened, open_documents
from loaders.staging import create_raw
from loaders.warehouse import Warehouse
from tests.loaders.readings import fake_reader

Members = dict[str, bytes]


def pack(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, data)
    return packed.getvalue()


def pack_raw_names(members: dict[bytes, bytes]) -> bytes:
    """A ZIP as Chinese archivers write it: names in their own encoding, the mark for UTF-8 unset."""
    packed = pack({f"{n:0{len(name)}}": data for n, (name, data) in enumerate(members.items())})
    for n, name in enumerate(members):
        packed = packed.replace(f"{n:0{len(name)}}".encode(), name)
    return packed


def open_all(data: bytes, folder: Path, name: str = "a.zip", max_bytes: int = MAX_BYTES) -> list[Opened]:
    path = folder / name
    path.write_bytes(data)
    document = SourceDocument(path, name)
    return list(open_documents(document, max_bytes, lambda uri, count: None))


def found(opened: list[Opened]) -> dict[str, bytes | str]:
    return {
        one.document.source_uri: one.data if isinstance(one.data, bytes) else one.data.reject_code for one in opened
    }


def test_members_are_documents_under_the_address_of_their_archive(tmp_path: Path) -> None:
    data = pack({"b.txt": b"b", "区/a.html": b"a", "empty/": b""})
    assert found(open_all(data, tmp_path)) == {"a.zip!/b.txt": b"b", "a.zip!/区/a.html": b"a"}
    # The suffix is never believed, neither of an archive nor of what is none.
    assert found(open_all(data, tmp_path, "report.pdf")).keys() == {"report.pdf!/b.txt", "report.pdf!/区/a.html"}
    assert found(open_all(b"text", tmp_path, "text.zip")) == {"text.zip": b"text"}


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_names_of_chinese_archivers_are_legible(tmp_path: Path, encoding: str) -> None:
    # The second byte of 乗 is a backslash in GBK.
    data = pack_raw_names({"某县\\年度报告.txt".encode(encoding): b"x", "乗.txt".encode(encoding): b"y"})
    expected = {"a.zip!/某县/年度报告.txt": b"x", "a.zip!/乗.txt": b"y"}
    assert found(open_all(data, tmp_path)) == expected


def test_what_systems_leave_behind_is_left_out_of_archives_and_folders(tmp_path: Path) -> None:
    junk = ("__MACOSX/._a.txt", ".DS_Store", "sub/Thumbs.db", "desktop.ini", "~$a.docx", ".git/config")
    data = pack(dict.fromkeys((*junk, "a.txt"), b"x"))
    assert found(open_all(data, tmp_path)) == {"a.zip!/a.txt": b"x"}
    folder = tmp_path / "in"
    for name in (*junk, "a.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    assert [document.path.name for document in list_documents([str(folder)])] == ["a.txt"]


def test_office_files_are_documents_and_no_archives(tmp_path: Path) -> None:
    word = pack({"[Content_Types].xml": b"x", "word/document.xml": b"x"})
    sheet = pack({"xl/workbook.xml": b"x"})
    assert found(open_all(word, tmp_path, "a.docx")) == {"a.docx": word}
    assert found(open_all(pack({"a.docx": word, "b": sheet}), tmp_path)) == {"a.zip!/a.docx": word, "a.zip!/b": sheet}


def test_archives_in_archives_are_opened_to_a_depth(tmp_path: Path) -> None:
    data = b"x"
    name = "a.txt"
    for depth in range(4):
        data = pack({name: data, f"{depth}.txt": b"y"})
        name = f"{depth}.zip"
    assert found(open_all(data, tmp_path)) == {
        "a.zip!/3.txt": b"y",
        "a.zip!/2.zip!/2.txt": b"y",
        "a.zip!/2.zip!/1.zip!/1.txt": b"y",
        "a.zip!/2.zip!/1.zip!/0.zip": "hostile_structure",
    }


@pytest.mark.parametrize(
    "name", ["../a.txt", "sub/../../a.txt", "/etc/passwd", "C:/a.txt", "..\\a.txt", "\\\\host\\a.txt", "sub/.."]
)
def test_a_member_that_leads_out_of_its_archive_is_refused_and_accounted_for(tmp_path: Path, name: str) -> None:
    codes = found(open_all(pack({name: b"x", "good.txt": b"y"}), tmp_path))
    assert sorted(codes.values(), key=str) == [b"y", "hostile_structure"]


def test_links_and_devices_in_archives_are_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, kind in (("link", stat.S_IFLNK), ("pipe", stat.S_IFIFO), ("file", stat.S_IFREG)):
            info = zipfile.ZipInfo(name)
            info.external_attr = (kind | 0o644) << 16
            archive.writestr(info, b"/etc/passwd")
    assert found(open_all(packed.getvalue(), tmp_path)) == {
        "a.zip!/file": b"/etc/passwd",
        "a.zip!/link": "hostile_structure",
        "a.zip!/pipe": "hostile_structure",
    }


def patch_directory(data: bytes, offset: int, value: bytes) -> bytes:
    """The archive with other bytes in the first entry of its list."""
    start = data.index(b"PK\x01\x02") + offset
    return data[:start] + value + data[start + len(value) :]


def test_members_that_cannot_be_unpacked_cost_themselves_only(tmp_path: Path) -> None:
    good = pack({"a.txt": b"x" * 100, "b.txt": b"y"})
    encrypted = patch_directory(good, 8, b"\x01\x00")
    assert found(open_all(encrypted, tmp_path)) == {"a.zip!/a.txt": "encrypted_document", "a.zip!/b.txt": b"y"}
    other_method = patch_directory(good, 10, struct.pack("<H", 9))
    assert found(open_all(other_method, tmp_path)) == {"a.zip!/a.txt": "unsupported_format", "a.zip!/b.txt": b"y"}
    wrong_sum = patch_directory(good, 16, b"\0\0\0\0")
    assert found(open_all(wrong_sum, tmp_path)) == {"a.zip!/a.txt": "damaged_document", "a.zip!/b.txt": b"y"}
    lying_size = patch_directory(good, 24, struct.pack("<L", 1000))
    assert found(open_all(lying_size, tmp_path)) == {"a.zip!/a.txt": "damaged_document", "a.zip!/b.txt": b"y"}


def test_members_beyond_the_bounds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = pack({"a.txt": b"\0" * 3_000_000, "b.txt": b"y"})
    assert found(open_all(bomb, tmp_path)) == {"a.zip!/a.txt": "hostile_structure", "a.zip!/b.txt": b"y"}
    assert found(open_all(pack({"a.txt": b"123456"}), tmp_path, max_bytes=5)) == {"a.zip!/a.txt": "too_large"}
    monkeypatch.setattr(archives, "MAX_ENTRIES", 3)
    monkeypatch.setattr(archives._Budget.__init__, "__defaults__", (3, 1000))
    assert found(open_all(pack({str(n): b"x" for n in range(4)}), tmp_path)) == {"a.zip": "hostile_structure"}
    assert found(open_all(pack({"a": b"x" * 1001}), tmp_path)) == {"a.zip": "too_large"}
    # The bounds hold for an archive with all that it holds.
    inner = pack({"a": b"x", "b": b"y"})
    nested = found(open_all(pack({"1.zip": inner, "2.txt": b"z"}), tmp_path))
    assert nested == {"a.zip!/1.zip": "hostile_structure", "a.zip!/2.txt": b"z"}


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    data = pack({"a": bytes(range(256)) * 4, "b": b"y"}, zipfile.ZIP_STORED)
    size = len(data)
    lying = patch_directory(data, 20, struct.pack("<L", size))
    assert found(open_all(lying, tmp_path)) == {"a.zip": "hostile_structure"}


def test_an_endless_list_of_members_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MAX_DIRECTORY_BYTES", 1000)
    monkeypatch.setattr("zipfile.ZipFile._RealGetContents", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        open_all(pack({"a": b"x"}), tmp_path)
    assert found(open_all(pack({str(n): b"" for n in range(40)}), tmp_path)) == {"a.zip": "hostile_structure"}


@pytest.mark.parametrize("cut", [30, 200, -30, -5])
def test_a_broken_archive_is_a_damaged_document(tmp_path: Path, cut: int) -> None:
    data = pack({f"{n}.txt": b"x" * 50 for n in range(5)})
    (opened,) = open_all(data[:cut], tmp_path)
    assert isinstance(opened.data, DocumentRejected)
    assert opened.data.reject_code == "damaged_document"


def test_other_archives_and_empty_ones_say_what_they_are(tmp_path: Path) -> None:
    for magic, said in (
        (b"Rar!\x1a\x07\x01\x00", "RAR"),
        (b"7z\xbc\xaf\x27\x1c\x00", "7z"),
        (b"\x1f\x8b\x08\x00", "gzip"),
    ):
        (opened,) = open_all(magic + b"\0" * 50, tmp_path)
        assert isinstance(opened.data, DocumentRejected)
        assert opened.data.reject_code == "unsupported_format"
        assert f"a {said} archive" in str(opened.data)
    assert found(open_all(pack({}), tmp_path)) == {"a.zip": "empty_document"}
    assert found(open_all(pack({"__MACOSX/a": b"x"}), tmp_path)) == {"a.zip": "empty_document"}


def test_a_manifest_in_an_archive_speaks_for_its_members(tmp_path: Path) -> None:
    manifest = "path,agency_name,source_uri\nb.txt,某县,\nsub/c.txt,,sample:c\ngone.txt,乙县,\n../x.txt,,\n"
    members = {"manifest.csv": manifest.encode(), "README.md": b"r", "a.txt": b"a", "b.txt": b"b", "sub/c.txt": b"c"}
    opened = open_all(pack(members), tmp_path)
    assert list(found(opened).items()) == [
        ("a.zip!/b.txt", b"b"),
        ("sample:c", b"c"),
        ("a.zip!/gone.txt", "manifest_file_missing"),
        ("a.zip!/../x.txt", "manifest_file_missing"),
        ("a.zip!/a.txt", b"a"),
    ]
    assert [one.document.hints for one in opened[:2]] == [Hints("某县"), Hints(source_uri="sample:c")]
    assert opened[4].document.hints is None


def test_a_manifest_in_an_archive_that_cannot_be_understood_is_not_dropped_in_silence(tmp_path: Path) -> None:
    opened = open_all(pack({"manifest.csv": b"path,year\na.txt,2019\n", "a.txt": b"a"}), tmp_path)
    assert found(opened) == {"a.zip!/manifest.csv": "damaged_document", "a.zip!/a.txt": b"a"}
    assert "its hints are not used" in str(opened[0].data)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = Warehouse(tmp_path / "wh").connect()
    create_raw(connection)
    yield connection
    connection.close()


def load(con: duckdb.DuckDBPyConnection, *sources: Path):
    documents = list_documents([str(source) for source in sources])
    return load_documents(con, documents, run_id=begin_run(con, "load"), reader=fake_reader)


def test_every_member_stands_in_the_account(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    one, two = "甲,2017,requests_received=1".encode(), "乙,2017,requests_received=2".encode()
    inner = pack({"two.txt": two, "one again.txt": one})
    members = {"one.txt": one, "inner.zip": inner, "../out.txt": b"x", "bad.txt": b"reject not_a_report"}
    (folder / "a.zip").write_bytes(pack(members))
    (folder / "broken.zip").write_bytes(pack(members)[:100])
    (folder / "one.txt").write_bytes(one)
    account = load(con, folder)
    assert (account.seen, account.loaded, account.unchanged, account.rejected) == (7, 2, 2, 3)
    assert [(r.source_uri.rpartition("/in/")[2], r.reject_code) for r in account.rejections] == [
        ("a.zip!/bad.txt", "not_a_report"),
        ("a.zip!/../out.txt", "hostile_structure"),
        ("broken.zip", "damaged_document"),
    ]
    again = load(con, folder)
    assert (again.seen, again.unchanged, again.standing_rejected) == (7, 7, 3)
    # What is mended is no longer held against the archive.
    (folder / "broken.zip").write_bytes(pack({"two.txt": two}))
    assert load(con, folder).standing_rejected == 2
    assert con.execute("select count(*) from raw.documents where reject_code = 'damaged_document'").fetchall() == [(0,)]


def test_a_manifest_does_not_speak_for_a_whole_archive(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(pack({"a.txt": "甲,2017,requests_received=1".encode()}))
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,agency_name\na.zip,乙县\n")
    assert [r.reject_code for r in load(con, manifest).rejections] == ["unsupported_format"]
    manifest.write_text("path\na.zip\n")
    assert load(con, manifest).loaded == 1


def test_an_archive_cannot_be_inspected_as_one_document(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(pack({"a.txt": b"x"}))
    assert read_one(SourceDocument(path, "a.zip"), fake_reader).reject_code == "unsupported_format"
