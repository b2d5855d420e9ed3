from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from loaders.errors import DocumentRejected, UsageError
from loaders.model import Hints, Scope
from loaders.sources import list_documents
from loaders.warehouse import Warehouse


def names(documents) -> list[str]:
    return [document.path.name for document in documents]


def write(folder: Path, name: str, text: str = "x") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_a_file_is_one_document_under_the_path_that_was_given(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt")
    (document,) = list_documents([str(path)])
    assert document.source_uri == path.as_posix()
    assert document.hints is None
    assert document.read_bytes() == b"x"


def test_a_folder_is_walked_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "sub/c.html", ".hidden", ".git/config", "README.md", "t.csv"):
        write(tmp_path, name)
    assert names(list_documents([str(tmp_path)])) == ["README.md", "a.txt", "b.txt", "c.html", "t.csv"]


def test_a_warehouse_among_the_documents_is_left_out(tmp_path: Path) -> None:
    for name in ("a.txt", "wh/current/site/index.html", "wh/current/csv/t.csv", "z.txt"):
        write(tmp_path, name)
    assert len(list_documents([str(tmp_path)])) == 4
    Warehouse(tmp_path / "wh").connect().close()
    assert names(list_documents([str(tmp_path)])) == ["a.txt", "z.txt"]
    with pytest.raises(UsageError, match="wh is a warehouse and holds no documents"):
        list_documents([str(tmp_path / "wh")])


def test_with_a_manifest_rows_come_first_and_documentation_is_left_out(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "README.md", "PROVENANCE.txt", "LICENSE", "numbers.csv", "README-report.txt"):
        write(tmp_path, name)
    manifest = "path,agency_name,report_year,published_date,scope,source_uri\n"
    manifest += "b.txt,某县人民政府,2017,2018-03-01,own,sample:b\nREADME-report.txt,,,,,\n"
    (tmp_path / "manifest.csv").write_bytes(b"\xef\xbb\xbf" + manifest.encode())
    documents = list_documents([str(tmp_path)])
    assert names(documents) == ["b.txt", "README-report.txt", "a.txt"]
    assert documents[0].hints == Hints("某县人民政府", 2017, date(2018, 3, 1), Scope.OWN, "sample:b")
    assert documents[0].source_uri == "sample:b"
    assert documents[1].hints is None
    assert documents[2].hints is None


def test_a_manifest_alone_loads_its_rows_only(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    write(tmp_path, "b.txt")
    manifest = write(tmp_path, "manifest.csv", "path\nb.txt\n\n")
    assert names(list_documents([str(manifest)])) == ["b.txt"]


def test_a_manifest_in_a_subfolder_speaks_for_its_subfolder(tmp_path: Path) -> None:
    write(tmp_path, "README.md")
    write(tmp_path, "sub/README.md")
    write(tmp_path, "sub/a.txt")
    write(tmp_path, "sub/manifest.csv", "path,report_year\na.txt,2019\n")
    documents = list_documents([str(tmp_path)])
    assert [document.source_uri.removeprefix(f"{tmp_path}/") for document in documents] == ["sub/a.txt", "README.md"]
    assert documents[0].hints == Hints(report_year=2019)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file\na.txt\n", "wanted path"),
        ("path,agency\na.txt,x\n", "agency"),
        ("path,report_year\na.txt,two\n", "line 2: report_year is 'two'"),
        ("path,report_year\na.txt,２０１９\n", "report_year"),
        ("path,published_date\na.txt,2018/3/1\n", "published_date"),
        ("path,scope\na.txt,mine\n", "wanted one of own"),
        ("path\na.txt\n./a.txt\n", "line 3: path is './a.txt'; it stands in line 2"),
        ("path,scope\n,own\n", "needs a path"),
        ("path,url\na.txt,http://a.example/\n", "line 2: url is 'http://a.example/'; the row has a path, too"),
        ("url\na.txt\n", "line 2: url is 'a.txt'; wanted an http(s) address"),
        ("url\nhttp://me:secret@a.example/\n", "password"),
        ("url\nhttp://a.example/#1\nhttp://a.example/#2\n", "it stands in line 2"),
        ("path\nhttp://a.example:0x/\n", "line 2: path"),
        ("path\na.txt,extra\n", "more cells"),
        ("", "its columns are nothing"),
    ],
)
def test_a_manifest_that_cannot_be_understood_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, "a.txt")
    manifest = write(tmp_path, "manifest.csv", text)
    with pytest.raises(UsageError, match=r"manifest\.csv") as caught:
        list_documents([str(manifest)])
    assert said in str(caught.value)


def test_a_manifest_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes("path,agency_name\na.txt,某县\n".encode("gb18030"))
    with pytest.raises(UsageError, match="not UTF-8"):
        list_documents([str(tmp_path)])


def rejected_code(document) -> str:
    with pytest.raises(DocumentRejected) as caught:
        document.read_bytes()
    return caught.value.reject_code


def test_a_missing_file_of_a_manifest_is_accounted_for(tmp_path: Path) -> None:
    manifest = write(tmp_path, "manifest.csv", f"path\ngone.txt\n{'x' * 300}\n")
    documents = list_documents([str(manifest)])
    assert [rejected_code(document) for document in documents] == ["manifest_file_missing"] * 2


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    outside = write(tmp_path, "outside/secret.txt", "secret")
    folder = tmp_path / "in"
    write(folder, "a.txt")
    write(folder, "manifest.csv", "path\n../outside/secret.txt\nlink-file\n")
    (folder / "link-file").symlink_to(outside)
    (folder / "link-folder").symlink_to(outside.parent)
    (folder / "link-nowhere").symlink_to(folder / "nothing")
    (folder / "link-inside").symlink_to(folder / "a.txt")
    os.symlink(folder, folder / "link-loop")
    documents = list_documents([str(folder)])
    codes = {d.path.name: (rejected_code(d) if d.path.name not in ("a.txt", "link-inside") else "") for d in documents}
    assert codes == {
        "secret.txt": "unreadable_file",
        "link-file": "unreadable_file",
        "link-folder": "unreadable_file",
        "link-nowhere": "unreadable_file",
        "link-inside": "",
        "a.txt": "",
    }


def test_a_pipe_does_not_hang_and_a_large_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    write(tmp_path, "large.txt", "x" * 11)
    large, pipe = list_documents([str(tmp_path)])
    assert rejected_code(pipe) == "unreadable_file"
    with pytest.raises(DocumentRejected, match="11 bytes; the limit is 10") as caught:
        large.read_bytes(max_bytes=10)
    assert caught.value.reject_code == "too_large"


def test_a_file_name_that_is_not_utf8_can_be_listed(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/" + b"\xc4\xff.txt"
    with open(name, "wb") as file:
        file.write(b"x")
    (document,) = list_documents([str(tmp_path)])
    assert document.source_uri.endswith("\\xc4\\xff.txt")
    assert document.read_bytes() == b"x"


@pytest.mark.parametrize("source", ["ftp://example.org/a.html", "http:///a", "nowhere.zip", "nowhere", "s3://b/k"])
def test_an_unsupported_source_is_refused_with_what_is_supported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"a file, a folder, a ZIP, a manifest\.csv, a list"):
        list_documents([source])
