"""Loading: sources are read, staged and accounted for.

In: documents listed by :mod:`loaders.sources` and an open work file. Out: an :class:`Account` in which every
document stands exactly once: seen = loaded + unchanged + rejected. Known bytes are unchanged as long as
neither the loaders nor what the manifest says of them changed. A reader that fails costs its document only.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loaders.errors import DocumentRejected
from loaders.model import DocumentReading, DocumentStatus, Hints, Issue
from loaders.runs import RunCounts, count_run
from loaders.sources import MAX_BYTES, SourceDocument
from loaders.sources.document import missing_document_id
from loaders.staging import KnownDocument, Staged, create_raw, forget_missing, known_documents, stage
from loaders.version import LOADER_VERSION
from loaders.warehouse import utc_now

if TYPE_CHECKING:
    import duckdb

Reader = Callable[[bytes, str, Hints | None], DocumentReading]

BATCH_DOCUMENTS = 200
BATCH_BYTES = 128 * 1024 * 1024


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


@dataclass(slots=True)
class _Tally:
    loaded: int = 0
    unchanged: int = 0
    standing_rejected: int = 0
    rejections: list[Rejection] = dataclasses.field(default_factory=list)
    duplicates: list[Duplicate] = dataclasses.field(default_factory=list)
    first_uris: dict[str, str] = dataclasses.field(default_factory=dict)

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


def load_documents(
    con: duckdb.DuckDBPyConnection,
    documents: Sequence[SourceDocument],
    *,
    run_id: str,
    force: bool = False,
    reader: Reader | None = None,
    advance: Callable[[int], None] = lambda count: None,
    max_bytes: int = MAX_BYTES,
) -> Account:
    """Read and stage documents batch by batch, a transaction each.

    Args:
        con: the open work file; the caller holds the run lock.
        documents: what to read, in order.
        run_id: the run that the rows are written under.
        force: read known documents again, too.
        reader: what reads bytes; the project's reader when None.
        advance: told how many documents were done since it was last called.
        max_bytes: larger documents are rejected.
    """
    create_raw(con)
    tally = _Tally()
    for batch in _fetch_batches(documents, max_bytes):
        _load_batch(con, batch, run_id, force, reader, tally)
        count_run(con, run_id, tally.close().counts)
        advance(len(batch))
    return tally.close()


def read_one(document: SourceDocument, reader: Reader | None = None, max_bytes: int = MAX_BYTES) -> DocumentReading:
    """The reading of one document; what cannot be read is rejected with a reason, never raised."""
    return _read(_fetch(document, max_bytes), reader)


def _read(fetched: _Fetched, reader: Reader | None) -> DocumentReading:
    document, document_id, data = fetched.document, fetched.document_id, fetched.data
    if isinstance(data, DocumentRejected):
        return _rejected(document, document_id, 0, data.reject_code, str(data))
    read = reader or _project_reader()
    try:
        reading = read(data, document.name, document.hints)
    except DocumentRejected as error:
        return _rejected(document, document_id, len(data), error.reject_code, str(error))
    except Exception as error:  # whatever a reader throws must cost this document only, not the load
        message = f"{type(error).__name__}: {error}"
        return _rejected(document, document_id, len(data), "reader_failed", message)
    return dataclasses.replace(reading, document_id=document_id, source_uri=document.source_uri, byte_count=len(data))


def reading_version(hints: Hints | None) -> str:
    """The version a document is read under; what a manifest says is part of it, so that a correction counts."""
    if hints is None:
        return LOADER_VERSION
    text = json.dumps(dataclasses.asdict(hints), ensure_ascii=False, sort_keys=True, default=str)
    return f"{LOADER_VERSION}+hints.{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _project_reader() -> Reader:
    # Imported late: a load in which nothing is new need not pay for the readers. Imported apart from the reading:
    # a broken installation must stop the load, not reject every document.
    from loaders.reading import read_document

    return read_document


def _fetch_batches(documents: Iterable[SourceDocument], max_bytes: int) -> Iterator[list[_Fetched]]:
    batch: list[_Fetched] = []
    size = 0
    for document in documents:
        fetched = _fetch(document, max_bytes)
        batch.append(fetched)
        size += len(fetched.data) if isinstance(fetched.data, bytes) else 0
        if len(batch) >= BATCH_DOCUMENTS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _fetch(document: SourceDocument, max_bytes: int) -> _Fetched:
    try:
        data = document.read_bytes(max_bytes)
    except DocumentRejected as rejection:
        return _Fetched(document, missing_document_id(document.source_uri), rejection)
    return _Fetched(document, hashlib.sha256(data).hexdigest(), data)


def _load_batch(
    con: duckdb.DuckDBPyConnection,
    batch: list[_Fetched],
    run_id: str,
    force: bool,
    reader: Reader | None,
    tally: _Tally,
) -> None:
    forget_missing(con, [fetched.document.source_uri for fetched in batch if isinstance(fetched.data, bytes)])
    known = known_documents(con, [fetched.document_id for fetched in batch])
    staged: list[Staged] = []
    for fetched in batch:
        uri = fetched.document.source_uri
        if fetched.document_id in tally.first_uris:
            tally.unchanged += 1
            tally.duplicates.append(Duplicate(uri, tally.first_uris[fetched.document_id]))
            continue
        tally.first_uris[fetched.document_id] = uri
        before = known.get(fetched.document_id)
        if before and not force and _is_current(before, fetched):
            tally.unchanged += 1
            tally.standing_rejected += before.is_rejected
            continue
        reading = _read(fetched, reader)
        staged.append(Staged(reading, reading_version(fetched.document.hints)))
        if reading.status is DocumentStatus.REJECTED:
            tally.rejections.append(_rejection(reading))
        else:
            tally.loaded += 1
    stage(con, staged, run_id=run_id, loaded_at=utc_now())


def _is_current(before: KnownDocument, fetched: _Fetched) -> bool:
    if before.loader_version == reading_version(fetched.document.hints):
        return True
    # A source without hints does not take back what a manifest said of the same bytes.
    return fetched.document.hints is None and before.loader_version.startswith(f"{LOADER_VERSION}+hints.")


def _rejection(reading: DocumentReading) -> Rejection:
    code = reading.reject_code or "reader_failed"
    message = next((issue.message for issue in reading.issues if issue.issue_code == code), "")
    return Rejection(reading.source_uri, code, message)


def _rejected(document: SourceDocument, document_id: str, byte_count: int, code: str, message: str) -> DocumentReading:
    return DocumentReading(
        document_id=document_id,
        source_uri=document.source_uri,
        byte_count=byte_count,
        media_type=None,
        script=None,
        status=DocumentStatus.REJECTED,
        reject_code=code,
        issues=(Issue(code, message),),
    )
