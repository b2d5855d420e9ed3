"""ZIP archives as sources: the members are the documents.

In: a document that a source names. Out: the documents behind it with their bytes, one at a time: the document
itself, or, when it is an archive, its members in the order of their paths, each under the address
``<address of the archive>!/<path of the member>``. Archives in archives are opened too. Word, Excel and OFD files
are ZIPs as well and stay documents. What cannot be had is a rejection with its reason, never an exception and never
left out.

An archive is not believed: number and size of the members and their compression are bounded before anything is
unpacked, over an archive and all that it holds, and nothing is ever written to disk. Only members that are stored or
deflated are unpacked: the other methods cannot be bounded.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from loaders.errors import DocumentRejected, UsageError
from loaders.model import Hints
from loaders.sources.document import SourceDocument
from loaders.sources.files import is_documentation, is_left_out
from loaders.sources.manifest import MANIFEST_NAME, normal_path, read_rows

MAX_ENTRIES = 10_000
MAX_TOTAL_BYTES = 2 * 1024**3
MAX_RATIO = 200
MAX_DEPTH = 2

_RATIO_MATTERS_FROM = 1024 * 1024
# The list of the members is read whole; this is some eight hundred bytes for each that is allowed.
_MAX_DIRECTORY_BYTES = 8 * 1024 * 1024
_END_RECORD = b"PK\x05\x06"
_END_RECORD_64 = b"PK\x06\x06"
_END_WITHIN = 22 + 65535 + 20 + 56
_MAGIC = (b"PK\x03\x04", _END_RECORD)
# Entries that make a ZIP a document of some kind: Office, OpenDocument and EPUB, OFD.
_DOCUMENT_PARTS = frozenset(
    ("[Content_Types].xml", "word/document.xml", "xl/workbook.xml", "xl/workbook.bin", "mimetype", "OFD.xml")
)
_OTHER_ARCHIVES = (
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
)
_IS_ENCRYPTED = 0x2041
_IS_UTF8 = 0x800
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OSError, RuntimeError)

OnArchive = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Opened:
    """A document with its bytes, or with the reason why there are none."""

    document: SourceDocument
    data: bytes | DocumentRejected


@dataclass(slots=True)
class _Budget:
    """What an archive with everything in it may still hold."""

    entries: int = MAX_ENTRIES
    size: int = MAX_TOTAL_BYTES


@dataclass(frozen=True, slots=True)
class _Archive:
    """An open archive and the document that it is."""

    container: SourceDocument
    zip: zipfile.ZipFile
    max_bytes: int

    def path(self, name: str) -> Path:
        """The path of a member, as if the archive were a folder."""
        return Path(f"{self.container.path}!", name)

    def document(
        self, name: str, hints: Hints | None = None, code: str | None = None, message: str = ""
    ) -> SourceDocument:
        """A member as a document."""
        uri = (hints.source_uri if hints else None) or f"{self.container.source_uri}!/{name}"
        return SourceDocument(self.path(name), uri, hints, code, message)


@dataclass(frozen=True, slots=True)
class _Member:
    """An entry as a document; ``info`` is null when there are no bytes to be had."""

    document: SourceDocument
    info: zipfile.ZipInfo | None = None


def open_documents(document: SourceDocument, max_bytes: int, on_archive: OnArchive) -> Iterator[Opened]:
    """The documents behind a document of a source, read one at a time.

    Args:
        document: what a source names.
        max_bytes: larger documents are rejected; an archive may be larger than what it holds.
        on_archive: told the address of each archive that was opened and how many documents it holds.
    """
    with ExitStack() as stack:
        try:
            archive = _open_archive(stack.enter_context(document.open()), stack)
            data = b"" if archive else document.read_bytes(max_bytes)
        except DocumentRejected as rejection:
            yield Opened(document, rejection)
            return
        if archive is None:
            yield Opened(document, data)
        else:
            yield from _expand(_Archive(document, archive, max_bytes), _Budget(), 0, on_archive)


def decode_name(info: zipfile.ZipInfo) -> str:
    """The path of a member with ``/`` between its parts.

    Chinese archivers leave the mark for UTF-8 unset and write GBK, some of them UTF-8.
    """
    name = info.orig_filename
    if not info.flag_bits & _IS_UTF8:
        raw = name.encode("cp437")
        for encoding in ("utf-8", "gb18030"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")


def _open_archive(file: IO[bytes], stack: ExitStack) -> zipfile.ZipFile | None:
    """The archive in a file; null when the file is a document.

    Raises:
        DocumentRejected: for a broken ZIP and for an archive of another kind.
    """
    head = file.read(8)
    for magic, kind in _OTHER_ARCHIVES:
        if head.startswith(magic):
            message = f"the content is {kind}, which cannot be opened; unpack it, or pack it as a ZIP"
            raise DocumentRejected("unsupported_format", message)
    if not head.startswith(_MAGIC):
        return None
    try:
        if _directory_bytes(file) > _MAX_DIRECTORY_BYTES:
            raise DocumentRejected("hostile_structure", f"the ZIP has far more than {MAX_ENTRIES} entries; split it")
        archive = stack.enter_context(zipfile.ZipFile(file))
    except _DAMAGE as error:
        raise DocumentRejected("damaged_document", f"the content is a ZIP that cannot be opened: {error}") from error
    return None if _DOCUMENT_PARTS.intersection(archive.NameToInfo) else archive


def _directory_bytes(file: IO[bytes]) -> int:
    """How long the list of the members says it is; it is asked before the list is read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_WITHIN))
    tail = file.read(_END_WITHIN)
    end = tail.rfind(_END_RECORD)
    if end < 0:
        return 0
    (told,) = struct.unpack_from("<L", tail, end + 12)
    end_64 = tail.rfind(_END_RECORD_64, 0, end)
    if end_64 >= 0:
        (told_64,) = struct.unpack_from("<Q", tail, end_64 + 40)
        told = told_64 if told == 0xFFFFFFFF else max(told, min(told_64, size))
    return min(int(told), size)


def _expand(archive: _Archive, budget: _Budget, depth: int, on_archive: OnArchive) -> Iterator[Opened]:
    try:
        if archive.container.hints is not None:
            message = "a manifest cannot speak for a whole archive; put a manifest.csv with a row a member into it"
            raise DocumentRejected("unsupported_format", message)
        _check_bounds(archive.zip, budget)
        members = _list_members(archive)
        if not members:
            raise DocumentRejected("empty_document", "the archive holds no documents")
    except DocumentRejected as rejection:
        yield Opened(archive.container, rejection)
        return
    on_archive(archive.container.source_uri, len(members))
    for member in members:
        try:
            data = _read_member(archive, member)
        except DocumentRejected as rejection:
            yield Opened(member.document, rejection)
            continue
        yield from _open_member(archive, member.document, data, budget, depth, on_archive)


def _open_member(
    archive: _Archive, document: SourceDocument, data: bytes, budget: _Budget, depth: int, on_archive: OnArchive
) -> Iterator[Opened]:
    with ExitStack() as stack:
        try:
            inner = _open_archive(io.BytesIO(data), stack)
            if inner is not None and depth == MAX_DEPTH:
                raise DocumentRejected("hostile_structure", f"archives are nested more than {MAX_DEPTH} deep")
        except DocumentRejected as rejection:
            yield Opened(document, rejection)
            return
        if inner is None:
            yield Opened(document, data)
        else:
            yield from _expand(_Archive(document, inner, archive.max_bytes), budget, depth + 1, on_archive)


def _check_bounds(archive: zipfile.ZipFile, budget: _Budget) -> None:
    infos = archive.infolist()
    budget.entries -= len(infos)
    if budget.entries < 0:
        raise DocumentRejected("hostile_structure", f"the archive has more than {MAX_ENTRIES} entries; split it")
    budget.size -= sum(info.file_size for info in infos)
    if budget.size < 0:
        message = f"unpacked, the archive is larger than {MAX_TOTAL_BYTES / 1024**3:g} GB; split it"
        raise DocumentRejected("too_large", message)
    size = archive.fp.seek(0, os.SEEK_END) if archive.fp else 0
    if sum(info.compress_size for info in infos) > size:
        raise DocumentRejected("hostile_structure", "the members of the archive overlap")


def _list_members(archive: _Archive) -> list[_Member]:
    """The members in the order of a folder: what manifests name comes first and with hints."""
    entries = sorted(((decode_name(info), info) for info in archive.zip.infolist()), key=lambda entry: entry[0])
    refused: list[_Member] = []
    kept: list[tuple[str, zipfile.ZipInfo]] = []
    for name, info in entries:
        trick = _trick(name, info)
        if trick:
            refused.append(_Member(archive.document(name, None, "hostile_structure", trick)))
        elif not name.endswith("/") and not is_left_out(archive.path(name).relative_to(archive.path(""))):
            kept.append((name, info))
    members: list[_Member] = []
    listed: set[Path] = set()
    folders: list[Path] = []
    for name, info in kept:
        if Path(name).name == MANIFEST_NAME:
            found = _list_manifest(archive, name, info, kept)
            members += [member for member in found if normal_path(member.document.path) not in listed]
            listed.update(normal_path(member.document.path) for member in found)
            listed.add(normal_path(archive.path(name)))
            folders.append(archive.path(name).parent)
    for name, info in kept:
        path = archive.path(name)
        is_explained = is_documentation(path) and any(path.is_relative_to(folder) for folder in folders)
        if normal_path(path) not in listed and not is_explained:
            members.append(_Member(archive.document(name), info))
    return members + refused


def _list_manifest(
    archive: _Archive, name: str, info: zipfile.ZipInfo, entries: list[tuple[str, zipfile.ZipInfo]]
) -> list[_Member]:
    """What a manifest in the archive names; one that cannot be understood is itself a rejected document."""
    by_path = {normal_path(archive.path(entry)): (entry, found) for entry, found in entries}
    try:
        rows = read_rows(archive.path(name), _read_member(archive, _Member(archive.document(name), info)))
    except DocumentRejected as rejection:
        return [_Member(archive.document(name, None, rejection.reject_code, str(rejection)))]
    except UsageError as error:
        message = f"{error}; its hints are not used"
        return [_Member(archive.document(name, None, "damaged_document", message))]
    members = []
    for row in rows:
        if row.address is not None:
            message = (
                f"{archive.path(name)} line {row.number}: an archive cannot send anybody to the web; list it outside"
            )
            members.append(_Member(archive.document(row.text, row.hints, "fetch_refused_address", message)))
            continue
        entry, found = by_path.get(normal_path(row.path), ("", None))
        if found is None:
            message = f"{archive.path(name)} line {row.number}: {row.text} is not in the archive"
            members.append(_Member(archive.document(row.text, row.hints, "manifest_file_missing", message)))
        else:
            members.append(_Member(archive.document(entry, row.hints), found))
    return members


def _trick(name: str, info: zipfile.ZipInfo) -> str | None:
    """What is wrong with an entry that is no plain file or folder below the archive."""
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in name.split("/") or "\0" in name or not name:
        return "the path of the member leads out of the archive"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "the member is a link or a device, not a file"
    if name.endswith("/") and info.file_size:
        return "the member is a folder with content of its own"
    return None


def _read_member(archive: _Archive, member: _Member) -> bytes:
    info = member.info
    if info is None:
        raise DocumentRejected(member.document.reject_code or "unreadable_file", member.document.reject_message)
    if info.flag_bits & _IS_ENCRYPTED:
        raise DocumentRejected("encrypted_document", "the member of the archive is protected by a password")
    if info.compress_type not in _METHODS:
        message = f"the member is compressed by method {info.compress_type}; pack the archive as a plain ZIP"
        raise DocumentRejected("unsupported_format", message)
    if info.file_size > archive.max_bytes:
        message = f"the member is {info.file_size} bytes; the limit is {archive.max_bytes}"
        raise DocumentRejected("too_large", message)
    if info.file_size > max(_RATIO_MATTERS_FROM, info.compress_size * MAX_RATIO):
        ratio = info.file_size // max(info.compress_size, 1)
        raise DocumentRejected("hostile_structure", f"unpacked, the member is {ratio} times as large")
    try:
        with archive.zip.open(info) as file:
            data = file.read(archive.max_bytes + 1)
    except _DAMAGE as error:
        raise DocumentRejected("damaged_document", f"the member cannot be unpacked: {error}") from error
    if len(data) != info.file_size:
        raise DocumentRejected("damaged_document", f"the member is cut off after {len(data)} bytes")
    return data
