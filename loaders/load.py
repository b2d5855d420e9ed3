"""Loading: sources are read, staged and accounted for.

In: documents listed by :mod:`loaders.sources` and an open work file. Out: an :class:`Account` in which every
document stands exactly once: seen = loaded + unchanged + rejected; the members of an archive are documents. Known
bytes are unchanged as long as neither the loaders nor what the manifest says of them changed. Documents are read in
worker processes (:mod:`loaders.isolation`) while this one fetches and stages, some lots apart at most; a reader that
fails, crashes or hangs costs its document only.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from loaders.columns import DocumentRows, to_rows
from loaders.errors import DocumentRejected
from loaders.isolation import Outcome, Pool, available_cores
from loaders.model import DocumentReading, DocumentStatus, Hints, Issue
from loaders.runs import RunCounts, count_run
from loaders.sources import MAX_BYTES, SourceDocument
from loaders.sources.archives import OnArchive, Opened, open_documents
from loaders.sources.document import missing_document_id
from loaders.staging import (
    KnownDocument,
    Place,
    Staged,
    create_raw,
    forget_missing,
    known_documents,
    note_paths,
    stage,
)
from loaders.version import LOADER_VERSION
from loaders.warehouse import utc_now

if TYPE_CHECKING:
    import duckdb

Reader = Callable[[bytes, str, Hints | None], DocumentReading]
Opener = Callable[[SourceDocument, int, OnArchive], Iterator[Opened]]
_Read = Callable[[bytes, str, Hints | None, str], "Future[DocumentRows | DocumentRejected]"]

# A transaction is as large as pays, and ends earlier when much would be lost with it.
BATCH_DOCUMENTS = 1000
BATCH_BYTES = 32 * 1024 * 1024
BATCH_SECONDS = 10.0
# Documents are looked up and handed to the readers by lots; some lots are read while the oldest waits for its slowest.
_LOT_DOCUMENTS = 200
_AHEAD_LOTS = 8
_AHEAD_BYTES = 64 * 1024 * 1024
# One thread needs less CPU time for the same rows; a checkpoint writes the last group of rows anew, so they are few.
_ENGINE: Mapping[str, str | int] = {"threads": 1, "wal_autocheckpoint": "64 MiB"}
# What workers make of a reading, so that this process only has to put rows together.
_TO_ROWS = "loaders.columns:to_rows"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A document that gave no report, and why."""

    source_uri: str
    reject_code: str
    message: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A document whose bytes came before in the same load."""

    source_uri: str
    first_source_uri: str


@dataclass(frozen=True, slots=True)
class Account:
    """What became of every document of a load.

    ``standing_rejected`` counts the unchanged documents that were rejected in an earlier run.
    """

    loaded: int = 0
    unchanged: int = 0
    standing_rejected: int = 0
    rejections: tuple[Rejection, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()

    @property
    def rejected(self) -> int:
        """Documents rejected by this load."""
        return len(self.rejections)

    @property
    def seen(self) -> int:
        """All documents of this load."""
        return self.loaded + self.unchanged + self.rejected

    def __add__(self, other: Account) -> Account:
        """The account of two loads, one after the other."""
        return Account(
            self.loaded + other.loaded,
            self.unchanged + other.unchanged,
            self.standing_rejected + other.standing_rejected,
            self.rejections + other.rejections,
            self.duplicates + other.duplicates,
        )

    @property
    def counts(self) -> RunCounts:
        """The counts as a run records them."""
        return RunCounts(self.seen, self.loaded, self.unchanged, self.rejected)

    @property
    def changed(self) -> int:
        """Documents whose rows were written."""
        return self.loaded + self.rejected

    def as_json(self) -> dict[str, Any]:
        """The account as plain values."""
        return {
            "seen": self.seen,
            "loaded": self.loaded,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "standing_rejected": self.standing_rejected,
            "rejections": [dataclasses.asdict(rejection) for rejection in self.rejections],
            "duplicates": [dataclasses.asdict(duplicate) for duplicate in self.duplicates],
        }


class Progress:
    """Is told how a load goes, from any of its threads; this one does not mind."""

    def found(self, count: int) -> None:
        """An archive has turned out to hold so many documents more."""

    def done(self, count: int) -> None:
        """So many documents were read, or need not be."""

    def waiting(self, host: str, seconds: float) -> None:
        """A host is not asked for so many seconds, out of politeness or because it says so."""


@dataclass(slots=True)
class _Tally:
    loaded: int = 0
    unchanged: int = 0
    standing_rejected: int = 0
    rejections: list[Rejection] = dataclasses.field(default_factory=list)
    duplicates: list[Duplicate] = dataclasses.field(default_factory=list)

    def close(self) -> Account:
        return Account(
            self.loaded, self.unchanged, self.standing_rejected, tuple(self.rejections), tuple(self.duplicates)
        )


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A document with its bytes, or with the reason why there are none."""

    document: SourceDocument
    document_id: str
    data: bytes | DocumentRejected

    @property
    def byte_count(self) -> int:
        return len(self.data) if isinstance(self.data, bytes) else 0


@dataclass(frozen=True, slots=True)
class _Due:
    """A document that is being read, without its bytes."""

    document: SourceDocument
    document_id: str
    byte_count: int
    outcome: Future[DocumentRows | DocumentRejected]

    def held_bytes(self) -> int:
        """What is kept of the document until it is staged: its bytes, then its rows."""
        if not self.outcome.done() or self.outcome.cancelled() or self.outcome.exception() is not None:
            return self.byte_count
        rows = self.outcome.result()
        return rows.size if isinstance(rows, DocumentRows) else 0


@dataclass(slots=True)
class _Lot:
    """Documents that are looked up together, and the addresses of the archives that were opened for them."""

    fetched: list[_Fetched] = dataclasses.field(default_factory=list)
    opened_uris: list[str] = dataclasses.field(default_factory=list)
    size: int = 0


@dataclass(slots=True)
class _Begun:
    """A lot whose documents are being read."""

    due: list[_Due] = dataclasses.field(default_factory=list)
    unchanged: int = 0
    standing_rejected: int = 0
    duplicates: list[Duplicate] = dataclasses.field(default_factory=list)

    def held_bytes(self) -> int:
        return sum(due.held_bytes() for due in self.due)


def load_documents(
    con: duckdb.DuckDBPyConnection,
    documents: Sequence[SourceDocument],
    *,
    run_id: str,
    force: bool = False,
    reader: Reader | str | None = None,
    workers: int | None = None,
    advance: Callable[[int], None] = lambda count: None,
    progress: Progress | None = None,
    max_bytes: int = MAX_BYTES,
    open_source: Opener = open_documents,
) -> Account:
    """Read and stage documents batch by batch, a transaction each, in the order of the documents.

    A batch ends after ``BATCH_DOCUMENTS`` documents, ``BATCH_BYTES`` of rows or ``BATCH_SECONDS``, whichever is first.

    Args:
        con: the open work file; the caller holds the run lock.
        documents: what to read, in order.
        run_id: the run that the rows are written under.
        force: read known documents again, too.
        reader: what reads bytes: the name of a function, which worker processes import, or a function, which is
            called in this process; the project's reader, by name, when None.
        workers: how many processes read; as many as there are cores when None.
        advance: told how many documents were staged since it was last called.
        progress: told about every document that was read.
        max_bytes: larger documents are rejected.
        open_source: gives the documents behind each of ``documents``, with their bytes.
    """
    create_raw(con)
    tally = _Tally()
    with _open_reader(reader or _project_reader(), workers) as read, _sparing_engine(con):
        load = _Load(con, run_id, force, read, progress or Progress(), tally, advance)
        begun: deque[_Begun] = deque()
        for lot in _fetch_lots(documents, max_bytes, load.progress, open_source):
            begun.append(load.begin(lot))
            del lot  # its bytes are the readers' now
            while begun and (len(begun) > _AHEAD_LOTS or sum(one.held_bytes() for one in begun) > _AHEAD_BYTES):
                load.finish(begun.popleft())
        while begun:
            load.finish(begun.popleft())
        load.write()
    return tally.close()


def read_one(
    document: SourceDocument, reader: Reader | str | None = None, max_bytes: int = MAX_BYTES
) -> DocumentReading:
    """The reading of one document; what cannot be read is rejected with a reason, never raised."""
    archives: list[str] = []
    opened = next(open_documents(document, max_bytes, lambda uri, _: archives.append(uri)))
    if archives:
        opened = Opened(document, DocumentRejected("unsupported_format", "an archive; load it, or unpack a document"))
    fetched = _identify(opened)
    outcome: Outcome
    if isinstance(fetched.data, DocumentRejected):
        outcome = fetched.data
    else:
        reader = reader or _project_reader()
        outcome = _read_alone(reader, fetched.data, fetched.document.name, fetched.document.hints)
    if isinstance(outcome, DocumentRejected):
        return _rejected(fetched.document, fetched.document_id, fetched.byte_count, outcome)
    return dataclasses.replace(
        outcome,
        document_id=fetched.document_id,
        source_uri=fetched.document.source_uri,
        byte_count=fetched.byte_count,
    )


def _run_start(con: duckdb.DuckDBPyConnection, run_id: str) -> datetime:
    rows = con.execute("select started_at from raw.runs where run_id = ?", [run_id]).fetchall()
    return rows[0][0] if rows else utc_now()


@dataclass(frozen=True, slots=True)
class ForeseenDocument:
    """A document that a load would read, and why."""

    source_uri: str
    reason: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a load would do with each document: seen = to read + unchanged + duplicates."""

    to_read: tuple[ForeseenDocument, ...] = ()
    unchanged: int = 0
    duplicates: int = 0

    @property
    def seen(self) -> int:
        """All documents."""
        return len(self.to_read) + self.unchanged + self.duplicates


def foresee_documents(
    con: duckdb.DuckDBPyConnection | None,
    documents: Sequence[SourceDocument],
    *,
    force: bool = False,
    max_bytes: int = MAX_BYTES,
) -> Foreseen:
    """What :func:`load_documents` would do; nothing is written. ``con`` is None where nothing is loaded yet."""
    to_read: list[ForeseenDocument] = []
    unchanged = duplicates = 0
    seen: set[str] = set()
    for lot in _fetch_lots(documents, max_bytes, Progress(), open_documents):
        ids = [fetched.document_id for fetched in lot.fetched]
        known = {} if con is None else known_documents(con, ids)
        for fetched in lot.fetched:
            before = known.get(fetched.document_id)
            if fetched.document_id in seen:
                duplicates += 1
            elif before and not force and _is_current(before, fetched):
                unchanged += 1
            else:
                to_read.append(ForeseenDocument(fetched.document.source_uri, _why_read(before, fetched)))
            seen.add(fetched.document_id)
    return Foreseen(tuple(to_read), unchanged, duplicates)


def _why_read(before: KnownDocument | None, fetched: _Fetched) -> str:
    if isinstance(fetched.data, DocumentRejected):
        return f"would be rejected, {fetched.data.reject_code}: {fetched.data}"
    if before is None:
        return "its bytes are new"
    if before.loader_version.partition("+hints.")[0] != LOADER_VERSION:
        return "another version of the loaders read it"
    if not _is_current(before, fetched):
        return "its manifest says something else of it now"
    return "known, read again as asked"


class _Load:
    """A load under way: what it writes to and what it has met."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        run_id: str,
        force: bool,
        read: _Read,
        progress: Progress,
        tally: _Tally,
        advance: Callable[[int], None],
    ) -> None:
        self.progress = progress
        self._con = con
        self._run_id = run_id
        self._force = force
        self._submit = read
        self._tally = tally
        self._advance = advance
        # One moment a run: which batch a document came to, hence how fast others were read, tells nothing about it.
        self._loaded_at = _run_start(con, run_id)
        self._first_uris: dict[str, str] = {}
        self._batch: list[Staged] = []
        self._batch_bytes = 0
        self._written = 0
        self._written_at = time.monotonic()

    def begin(self, lot: _Lot) -> _Begun:
        """Have those documents of a lot read that are not known."""
        with_bytes = [one.document.source_uri for one in lot.fetched if isinstance(one.data, bytes)]
        forget_missing(self._con, with_bytes + lot.opened_uris)
        known = known_documents(self._con, [fetched.document_id for fetched in lot.fetched])
        begun = _Begun()
        seen: dict[str, bytes] = {}
        for fetched in lot.fetched:
            uri = fetched.document.source_uri
            before = known.get(fetched.document_id)
            first_uri = self._first_uris.get(fetched.document_id)
            self._first_uris.setdefault(fetched.document_id, uri)
            if first_uri is not None:
                begun.duplicates.append(Duplicate(uri, first_uri))
            elif before and not self._force and _is_current(before, fetched):
                begun.standing_rejected += before.is_rejected
                seen[fetched.document_id] = _path_bytes(fetched.document)
            else:
                begun.due.append(_read(self._submit, fetched))
                begun.due[-1].outcome.add_done_callback(lambda _: self.progress.done(1))
                continue
            begun.unchanged += 1
            self.progress.done(1)
        note_paths(self._con, seen)
        return begun

    def finish(self, begun: _Begun) -> None:
        """Wait for the readings of a lot and count them; write what has come together."""
        self._tally.unchanged += begun.unchanged
        self._tally.standing_rejected += begun.standing_rejected
        self._tally.duplicates += begun.duplicates
        # Front to back, so that what is written is let go of.
        begun.due.reverse()
        while begun.due:
            self._add(begun.due.pop())
        self._write_if_due()

    def write(self) -> None:
        """Stage what has come together, and record the counts with it."""
        stage(self._con, self._batch, run_id=self._run_id, loaded_at=self._loaded_at)
        counts = self._tally.close().counts
        count_run(self._con, self._run_id, counts)
        if counts.seen > self._written:
            self._advance(counts.seen - self._written)
        self._batch, self._batch_bytes, self._written = [], 0, counts.seen
        self._written_at = time.monotonic()

    def _add(self, due: _Due) -> None:
        rows = _settle(due)
        place = Place(_path_bytes(due.document), hints_text(due.document.hints)) if due.byte_count else None
        self._batch.append(Staged(rows, reading_version(due.document.hints), place))
        self._batch_bytes += rows.size
        if rows.status == DocumentStatus.REJECTED:
            self._tally.rejections.append(_rejection(rows))
        else:
            self._tally.loaded += 1
        self._write_if_due()

    def _write_if_due(self) -> None:
        if (
            len(self._batch) >= BATCH_DOCUMENTS
            or self._batch_bytes >= BATCH_BYTES
            or time.monotonic() - self._written_at >= BATCH_SECONDS
        ):
            self.write()


def reading_version(hints: Hints | None) -> str:
    """The version a document is read under; what a manifest says is part of it, so that a correction counts."""
    text = hints_text(hints)
    return LOADER_VERSION if text is None else f"{LOADER_VERSION}+hints.{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def hints_text(hints: Hints | None) -> str | None:
    """What a manifest says as JSON; null when it says nothing."""
    if hints is None:
        return None
    return json.dumps(dataclasses.asdict(hints), ensure_ascii=False, sort_keys=True, default=str)


def _project_reader() -> Reader | str:
    # By name: a load in which nothing is new need not pay for the readers, and this process never does.
    return "loaders.reading:read_document"


@contextlib.contextmanager
def _sparing_engine(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """The engine as long as the cores are the workers'."""
    import duckdb

    before = {name: con.execute(f"select current_setting('{name}')").fetchall()[0][0] for name in _ENGINE}
    _set(con, _ENGINE)
    try:
        yield
    finally:
        # An engine that broke down takes no setting; its error is the one to show.
        with contextlib.suppress(duckdb.Error):
            _set(con, before)


def _set(con: duckdb.DuckDBPyConnection, settings: Mapping[str, str | int]) -> None:
    for name, value in settings.items():
        con.execute(f"set {name} = '{value}'")


@contextlib.contextmanager
def _open_reader(reader: Reader | str, workers: int | None) -> Iterator[_Read]:
    if isinstance(reader, str):
        with Pool[DocumentRows](reader, workers or available_cores(), finish=_TO_ROWS) as pool:
            yield pool.submit
    else:
        yield functools.partial(_read_here, reader)


def _read_here(
    reader: Reader, data: bytes, name: str, hints: Hints | None, document_id: str
) -> Future[DocumentRows | DocumentRejected]:
    done: Future[DocumentRows | DocumentRejected] = Future()
    outcome = _call(reader, data, name, hints)
    done.set_result(outcome if isinstance(outcome, DocumentRejected) else to_rows(outcome, document_id))
    return done


def _read_alone(reader: Reader | str, data: bytes, name: str, hints: Hints | None) -> Outcome:
    if not isinstance(reader, str):
        return _call(reader, data, name, hints)
    with Pool[DocumentReading](reader, 1) as pool:
        return pool.submit(data, name, hints).result()


def _call(reader: Reader, data: bytes, name: str, hints: Hints | None) -> Outcome:
    try:
        return reader(data, name, hints)
    except DocumentRejected as error:
        return error
    except Exception as error:  # whatever a reader throws must cost this document only, not the load
        return DocumentRejected("reader_failed", f"{type(error).__name__}: {error}")


def _read(submit: _Read, fetched: _Fetched) -> _Due:
    document = fetched.document
    if isinstance(fetched.data, bytes):
        outcome = submit(fetched.data, document.name, document.hints, fetched.document_id)
    else:
        outcome = Future()
        outcome.set_result(fetched.data)
    return _Due(document, fetched.document_id, fetched.byte_count, outcome)


def _settle(due: _Due) -> DocumentRows:
    outcome = due.outcome.result()
    if isinstance(outcome, DocumentRejected):
        return to_rows(_rejected(due.document, due.document_id, due.byte_count, outcome))
    return dataclasses.replace(outcome, source_uri=due.document.source_uri, byte_count=due.byte_count)


def _path_bytes(document: SourceDocument) -> bytes:
    return os.fsencode(os.path.abspath(document.path))


def _fetch_lots(
    documents: Iterable[SourceDocument], max_bytes: int, progress: Progress, open_source: Opener
) -> Iterator[_Lot]:
    lot = _Lot()

    def note_archive(uri: str, count: int) -> None:
        lot.opened_uris.append(uri)
        progress.found(count - 1)

    for document in documents:
        for opened in open_source(document, max_bytes, note_archive):
            fetched = _identify(opened)
            lot.fetched.append(fetched)
            lot.size += fetched.byte_count
            if len(lot.fetched) >= _LOT_DOCUMENTS or lot.size >= _AHEAD_BYTES:
                yield lot
                lot = _Lot()
    if lot.fetched:
        yield lot


def _identify(opened: Opened) -> _Fetched:
    if isinstance(opened.data, bytes):
        return _Fetched(opened.document, hashlib.sha256(opened.data).hexdigest(), opened.data)
    return _Fetched(opened.document, missing_document_id(opened.document.source_uri), opened.data)


def _is_current(before: KnownDocument, fetched: _Fetched) -> bool:
    if isinstance(fetched.data, DocumentRejected) and fetched.data.reject_code != before.reject_code:
        return False  # there are still no bytes, but for another reason
    if before.loader_version == reading_version(fetched.document.hints):
        return True
    # A source without hints does not take back what a manifest said of the same bytes.
    return fetched.document.hints is None and before.loader_version.startswith(f"{LOADER_VERSION}+hints.")


def _rejection(rows: DocumentRows) -> Rejection:
    return Rejection(rows.source_uri, rows.reject_code or "reader_failed", rows.reject_message)


def _rejected(
    document: SourceDocument, document_id: str, byte_count: int, rejection: DocumentRejected
) -> DocumentReading:
    return DocumentReading(
        document_id=document_id,
        source_uri=document.source_uri,
        byte_count=byte_count,
        media_type=None,
        script=None,
        status=DocumentStatus.REJECTED,
        reject_code=rejection.reject_code,
        issues=(Issue(rejection.reject_code, str(rejection)),),
    )
