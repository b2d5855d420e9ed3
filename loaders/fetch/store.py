"""What sites answered, kept so that it can be read again without them.

A folder of WARC files (ISO 28500), one a run, and ``index.jsonl``, one line an answer in the order of time, of which
the last of an address counts. An answer is kept with its headers and its body as it was sent; an answer that says or
shows that nothing has changed becomes a ``revisit`` record without a body. The index can be lost: it is made anew from
the files. A file is only ever appended to, a line of the index is written after its record, and a body is compared
with its sha256 when it is read, so that a run that was killed leaves nothing that is believed wrongly.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import zlib
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from loaders.errors import DocumentRejected, GongkaiError
from loaders.fetch.client import Answer
from loaders.version import project_version

INDEX_NAME = "index.jsonl"
_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
_PIECE = 64 * 1024
_MOST_AT_ONCE = 1024 * 1024
# An index that holds more old lines than this, and more than it needs, is written anew.
_SPARE_LINES = 1000
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer in the store: whose it is, when it came or was last confirmed, and where it lies.

    ``sha256`` and ``byte_count`` are those of the document, without the encoding it was sent in.
    """

    address: str
    asked_at: str
    status: int
    sha256: str
    byte_count: int
    file: str
    offset: int
    end: int
    recorded_at: str
    payload_digest: str
    location: str | None = None
    etag: str | None = None
    last_modified: str | None = None

    @property
    def validators(self) -> dict[str, str]:
        """The headers of a request for the case that nothing has changed."""
        given = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in given.items() if value}


class Store:
    """The kept answers of a warehouse; the caller holds the run lock."""

    def __init__(self, folder: Path, run_id: str, max_bytes: int) -> None:
        """Open the store; nothing is written before the first answer."""
        self._folder = folder
        self._file_name = f"{run_id}.warc.gz"
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._out: IO[bytes] | None = None
        self._writer: Any = None
        self._index = self._read_index()

    def find(self, address: str) -> Kept | None:
        """The last answer of an address."""
        with self._lock:
            return self._index.get(address)

    def find_documents(self, file: str, sha256s: Collection[str]) -> dict[str, Kept]:
        """The answers in a file that hold documents, by sha256; also those that a later answer has replaced."""
        with self._lock:
            found = {kept.sha256: kept for kept in self._index.values() if kept.file == file}
        if not found.keys() >= set(sha256s) and (self._folder / file).is_file():
            # The index names the last answer of an address only.
            found |= {kept.sha256: kept for kept in _records(self._folder / file, self._max_bytes, {})}
        return {sha256: found[sha256] for sha256 in sha256s if sha256 in found}

    def is_new(self, kept: Kept) -> bool:
        """Whether an answer was recorded by this run, and not by an earlier one."""
        return kept.file == self._file_name

    def path(self, kept: Kept, name: str) -> Path:
        """Where an answer lies, as if its file were a folder of documents by their sha256."""
        return Path(f"{self._folder / kept.file}!", kept.sha256, name)

    def keep(self, answer: Answer) -> Kept:
        """Keep an answer; one that is the same as the last is only noted.

        Raises:
            DocumentRejected: when the body cannot be decoded or is too large then.
        """
        digest, byte_count = self._measure(answer)
        location = answer.header("Location") if answer.status in _REDIRECTS else None
        with self._lock:
            before = self._index.get(answer.address)
            if before and (before.status, before.sha256, before.location) == (answer.status, digest, location):
                return self._confirm(before, answer, None if location else "")
            return self._write(answer, digest, byte_count, location)

    def confirm(self, kept: Kept, answer: Answer) -> Kept:
        """Note that a site says that a kept answer still holds."""
        with self._lock:
            return self._confirm(kept, answer, _NOT_MODIFIED)

    def read(self, kept: Kept) -> bytes:
        """The document of a kept answer.

        Raises:
            DocumentRejected: when the file of the store is damaged.
        """
        try:
            with (self._folder / kept.file).open("rb") as file:
                file.seek(kept.offset)
                record = next(iter(ArchiveIterator(file)))
                encoding = record.http_headers.get_header("Content-Encoding")
                data = b"".join(_decoded(record.raw_stream, encoding, self._max_bytes, kept.address))
        except DocumentRejected:
            raise
        except Exception as error:  # warcio raises many kinds on damaged files
            raise self._damaged(kept, str(error) or type(error).__name__) from error
        if hashlib.sha256(data).hexdigest() != kept.sha256:
            raise self._damaged(kept, "the sha256 is another")
        return data

    def close(self) -> None:
        """Close the file of this run."""
        if self._out is not None:
            self._out.close()

    def _damaged(self, kept: Kept, reason: str) -> DocumentRejected:
        path = self._folder / kept.file
        message = f"{path} at {kept.offset} cannot be read ({reason}); remove the file and fetch {kept.address} again"
        return DocumentRejected("unreadable_file", message)

    def _measure(self, answer: Answer) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        for piece in _decoded(answer.body, answer.header("Content-Encoding"), self._max_bytes, answer.address):
            digest.update(piece)
            size += len(piece)
        answer.body.seek(0)
        return digest.hexdigest(), size

    def _write(self, answer: Answer, digest: str, byte_count: int, location: str | None) -> Kept:
        writer, out = self._open()
        offset = out.tell()
        record = writer.create_warc_record(
            answer.address, "response", payload=answer.body, http_headers=_http_headers(answer)
        )
        writer.write_record(record)
        kept = Kept(
            address=answer.address,
            asked_at=_now(),
            status=answer.status,
            sha256=digest,
            byte_count=byte_count,
            file=self._file_name,
            offset=offset,
            end=out.tell(),
            recorded_at=record.rec_headers.get_header("WARC-Date"),
            payload_digest=record.rec_headers.get_header("WARC-Payload-Digest"),
            location=location,
            etag=answer.header("ETag"),
            last_modified=answer.header("Last-Modified"),
        )
        return self._note(kept)

    def _confirm(self, kept: Kept, answer: Answer, profile: str | None) -> Kept:
        if profile is not None:
            writer, _ = self._open()
            record = writer.create_revisit_record(
                answer.address, kept.payload_digest, kept.address, kept.recorded_at, _http_headers(answer)
            )
            if profile:
                record.rec_headers.replace_header("WARC-Profile", profile)
            writer.write_record(record)
        etag, last_modified = answer.header("ETag"), answer.header("Last-Modified")
        if answer.status == 304:  # it may leave out what has not changed
            etag, last_modified = etag or kept.etag, last_modified or kept.last_modified
        return self._note(replace(kept, asked_at=_now(), etag=etag, last_modified=last_modified))

    def _open(self) -> tuple[Any, IO[bytes]]:
        if self._out is None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._out = (self._folder / self._file_name).open("ab")
            except OSError as error:
                raise GongkaiError(f"cannot write to {self._folder}: {error.strerror}") from error
            self._writer = WARCWriter(self._out, gzip=True, warc_version="1.1")
            about = {"software": f"gongkai/{project_version()}", "format": "WARC File Format 1.1"}
            self._writer.write_record(self._writer.create_warcinfo_record(self._file_name, about))
        return self._writer, self._out

    def _note(self, kept: Kept) -> Kept:
        if self._out is not None:
            self._out.flush()
            os.fsync(self._out.fileno())
        line = json.dumps(asdict(kept), ensure_ascii=False)
        with (self._folder / INDEX_NAME).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        self._index[kept.address] = kept
        return kept

    def _read_index(self) -> dict[str, Kept]:
        path = self._folder / INDEX_NAME
        if not path.is_file():
            return self._index_files() if self._folder.is_dir() else {}
        found: dict[str, Kept] = {}
        text = path.read_text("utf-8", errors="replace")
        for line in text.splitlines():
            kept = _parse_line(line)
            if kept is not None:
                found[kept.address] = kept
        if text and not text.endswith("\n"):  # a run was killed here; what follows begins on a line of its own
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")
        if text.count("\n") > _SPARE_LINES + 2 * len(found):
            self._write_index(found)
        sizes = {item.name: item.stat().st_size for item in self._folder.glob("*.warc.gz")}
        return {address: kept for address, kept in found.items() if kept.end <= sizes.get(kept.file, 0)}

    def _index_files(self) -> dict[str, Kept]:
        """The index of what the files hold; a record that was cut off ends its file."""
        found: dict[str, Kept] = {}
        for path in sorted(self._folder.glob("*.warc.gz")):
            for kept in _records(path, self._max_bytes, found):
                found[kept.address] = kept
        if found:
            self._write_index(found)
        return found

    def _write_index(self, found: dict[str, Kept]) -> None:
        temporary = self._folder / f"{INDEX_NAME}.new"
        lines = "".join(json.dumps(asdict(kept), ensure_ascii=False) + "\n" for kept in found.values())
        temporary.write_text(lines, "utf-8")
        os.replace(temporary, self._folder / INDEX_NAME)


def _records(path: Path, max_bytes: int, found: dict[str, Kept]) -> Iterator[Kept]:
    with path.open("rb") as file:
        records = ArchiveIterator(file)
        while True:
            try:
                record = next(records)
                kept = _indexed(record, path.name, records, max_bytes, found)
            except StopIteration:
                return
            except DocumentRejected:
                continue
            except Exception:  # cut off, as a run that was killed leaves it; warcio raises many kinds
                return
            if kept is not None:
                yield kept


def _indexed(record: Any, name: str, records: Any, max_bytes: int, found: dict[str, Kept]) -> Kept | None:
    headers = record.rec_headers
    address = headers.get_header("WARC-Target-URI")
    asked_at = str(headers.get_header("WARC-Date"))
    if record.rec_type == "revisit" and address in found:
        records.read_to_end(record)
        return replace(found[address], asked_at=asked_at)
    if record.rec_type != "response":
        records.read_to_end(record)
        return None
    http = record.http_headers
    status = int(http.get_statuscode())
    digest, size = hashlib.sha256(), 0
    for piece in _decoded(record.raw_stream, http.get_header("Content-Encoding"), max_bytes, address):
        digest.update(piece)
        size += len(piece)
    records.read_to_end(record)
    offset = records.get_record_offset()
    return Kept(
        address=address,
        asked_at=asked_at,
        status=status,
        sha256=digest.hexdigest(),
        byte_count=size,
        file=name,
        offset=offset,
        end=offset + records.get_record_length(),
        recorded_at=asked_at,
        payload_digest=headers.get_header("WARC-Payload-Digest"),
        location=http.get_header("Location") if status in _REDIRECTS else None,
        etag=http.get_header("ETag"),
        last_modified=http.get_header("Last-Modified"),
    )


def _parse_line(line: str) -> Kept | None:
    """A line of the index; null for one that a killed run left half."""
    try:
        values = json.loads(line)
        return Kept(**{field.name: values[field.name] for field in fields(Kept)})
    except (ValueError, KeyError, TypeError):
        return None


class _AsSent(StatusAndHeaders):  # type: ignore[misc]
    """Headers in the bytes that they came in; a file name in GBK would be rewritten otherwise."""

    def compute_headers_buffer(self, header_filter: object = None) -> None:
        self.headers_buff = self.to_bytes(encoding="iso-8859-1")


def _http_headers(answer: Answer) -> StatusAndHeaders:
    # The body is kept without its division into chunks, which must then not be claimed.
    headers = [
        ("X-Archive-Orig-Transfer-Encoding" if name.lower() == "transfer-encoding" else name, value)
        for name, value in answer.headers
    ]
    return _AsSent(f"{answer.status} {answer.reason}", headers, protocol="HTTP/1.1")


def _decoded(body: IO[bytes], encoding: str | None, max_bytes: int, address: str) -> Iterator[bytes]:
    """The pieces of a document without the encoding that it was sent in.

    Raises:
        DocumentRejected: for an encoding that was not asked for, a broken one, and a document beyond the limit.
    """
    name = (encoding or "identity").strip().lower()
    if name in ("identity", ""):
        while piece := body.read(_PIECE):
            yield piece
        return
    if name not in ("gzip", "x-gzip"):
        raise DocumentRejected("fetch_failed", f"{address}: the body is encoded as {name!r}, which was not asked for")
    left = max_bytes
    try:
        for piece in _inflated(body):
            left -= len(piece)
            if left < 0:
                message = f"{address}: unpacked, it is larger than {max_bytes / 1024**2:g} MB"
                raise DocumentRejected("fetch_too_large", f"{message} (GONGKAI_FETCH_MEGABYTES sets the limit)")
            yield piece
    except zlib.error as error:
        raise DocumentRejected("fetch_failed", f"{address}: the body is no gzip as its header says: {error}") from error
    except EOFError as error:
        raise DocumentRejected("fetch_failed", f"{address}: the body is cut off") from error


def _inflated(body: IO[bytes]) -> Iterator[bytes]:
    """The pieces of a gzip body, none of them large.

    Raises:
        EOFError: when the body is cut off.
    """
    decoder = zlib.decompressobj(wbits=31)
    piece = body.read(_PIECE)
    while True:
        if decoder.eof:
            if not piece:
                return
            decoder = zlib.decompressobj(wbits=31)  # the format allows several members
        out = decoder.decompress(piece, _MOST_AT_ONCE)
        yield out
        rest = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
        piece = rest or body.read(_PIECE)
        if not (piece or out or decoder.eof):
            raise EOFError


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
