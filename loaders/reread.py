"""Reading again: documents that another version of the loaders read, from where their bytes were last seen.

What was fetched is read from the store (:mod:`loaders.fetch.store`); no site is asked.

In: an open work file. Out: a :class:`RereadAccount` in which every outdated document stands exactly once: outdated =
loaded + rejected + changed + gone. Only the very bytes that were read before are read again. Where they are not found
any more (``gone``), or other bytes stand in their place (``changed``), the rows of the earlier reading stay as they
were; loading the source brings in what is there now. What a manifest said of a document is said again. Idempotent:
what was read again is no longer outdated.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.load import Account, Progress, Reader, Rejection, load_documents, reading_version
from loaders.model import Hints, Scope
from loaders.sources import SourceDocument
from loaders.sources.archives import OnArchive, Opened, open_documents
from loaders.sources.document import path_uri
from loaders.staging import OutdatedDocument, create_raw, outdated_documents

if TYPE_CHECKING:
    import duckdb

# Where the store says that a document lies: its file, the sha256 of the answer, the name (Store.path).
_KEPT = re.compile(r"(?P<file>.+\.warc\.gz)!/(?P<sha256>[0-9a-f]{64})/(?P<name>.+?)(?:!/|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LeftDocument:
    """A document that was not read again, and why."""

    document_id: str
    source_uri: str
    reason: str


@dataclass(frozen=True, slots=True)
class RereadAccount:
    """What became of every document that another version of the loaders read.

    ``newly_rejected`` are those of the rejected that the other version had read.
    """

    read: Account = dataclasses.field(default_factory=Account)
    newly_rejected: tuple[Rejection, ...] = ()
    changed: tuple[LeftDocument, ...] = ()
    gone: tuple[LeftDocument, ...] = ()

    @property
    def outdated(self) -> int:
        """All documents that another version read."""
        return self.read.loaded + self.read.rejected + len(self.changed) + len(self.gone)

    def as_json(self) -> dict[str, Any]:
        """The account as plain values."""
        return {
            "outdated": self.outdated,
            "loaded": self.read.loaded,
            "rejected": self.read.rejected,
            "changed": [dataclasses.asdict(document) for document in self.changed],
            "gone": [dataclasses.asdict(document) for document in self.gone],
            "rejections": [dataclasses.asdict(rejection) for rejection in self.read.rejections],
            "newly_rejected": [dataclasses.asdict(rejection) for rejection in self.newly_rejected],
        }


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An outdated document, the file that holds it, and its path there; hints as the manifest gave them.

    ``kept`` is set when the file is one of the store: the sha256 of the answer there, and its name.
    """

    document: OutdatedDocument
    container: Path
    path: Path
    hints: Hints | None
    kept: tuple[str, str] | None = None

    def leave(self, reason: str) -> LeftDocument:
        return _left(self.document, reason)


def reread_documents(
    con: duckdb.DuckDBPyConnection,
    *,
    run_id: str,
    reader: Reader | str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    every: bool = False,
    fetched: Path | None = None,
) -> RereadAccount:
    """Read again what another version of the loaders read, or everything.

    Args:
        con: the open work file; the caller holds the run lock.
        run_id: the run that the rows are written under.
        reader: what reads bytes, as in :func:`~loaders.load.load_documents`.
        workers: how many processes read; as many as there are cores when None.
        progress: told about every document.
        every: read all documents again, whatever read them.
        fetched: the folder of the store, for a warehouse that is not where it was.
    """
    create_raw(con)
    documents = outdated_documents(con, None if every else reading_version(None))
    wanted, gone = _find(documents, fetched)
    files: dict[Path, list[_Wanted]] = {}
    for one in wanted:
        files.setdefault(one.container, []).append(one)
    changed: list[LeftDocument] = []

    def open_wanted(source: SourceDocument, max_bytes: int, on_archive: OnArchive) -> Iterator[Opened]:
        left = {one.document.document_id: one for one in files[source.path]}
        seen: set[Path] = set()
        for opened in _open_all(_documents_in(source, files[source.path]), max_bytes):
            if not isinstance(opened.data, bytes):
                continue
            seen.add(opened.document.path)
            found = left.pop(hashlib.sha256(opened.data).hexdigest(), None)
            if found is not None:
                document = SourceDocument(opened.document.path, found.document.source_uri, found.hints)
                yield Opened(document, opened.data)
            if not left:
                return
        for one in left.values():
            if one.path in seen:
                changed.append(one.leave(f"{path_uri(one.path)} holds other bytes now"))
            else:
                gone.append(one.leave(f"{path_uri(one.path)} is not there or cannot be read"))

    sources = [SourceDocument(container, path_uri(container)) for container in files]
    account = load_documents(
        con,
        sources,
        run_id=run_id,
        force=every,
        reader=reader,
        workers=workers,
        progress=progress,
        open_source=open_wanted,
    )
    rejected_before = {document.source_uri for document in documents if document.is_rejected}
    newly_rejected = tuple(found for found in account.rejections if found.source_uri not in rejected_before)
    return RereadAccount(account, newly_rejected, tuple(changed), tuple(gone))


def count_outdated(
    con: duckdb.DuckDBPyConnection, loader_version: str | None, fetched: Path | None = None
) -> tuple[int, int]:
    """How many documents another version read, or all: those whose file is there to be read again, and the others."""
    documents = outdated_documents(con, loader_version)
    wanted, _ = _find(documents, fetched)
    present = {container for container in {one.container for one in wanted} if container.is_file()}
    there = sum(one.container in present for one in wanted)
    return there, len(documents) - there


def _documents_in(source: SourceDocument, wanted: Sequence[_Wanted]) -> Iterable[SourceDocument]:
    """What a file holds: itself, or, when it is one of the store, the answers in it that are wanted."""
    names = dict(one.kept for one in wanted if one.kept is not None)
    if not names:
        return [source]
    from loaders.fetch.documents import FetchedDocument
    from loaders.fetch.limits import FetchLimits
    from loaders.fetch.store import Store

    # Nothing is written: no run has this name.
    store = Store(source.path.parent, "", FetchLimits.from_environment().max_bytes)
    found = store.find_documents(source.path.name, names.keys())
    return [
        FetchedDocument(store.path(kept, names[sha256]), source.source_uri, store=store, kept=kept)
        for sha256, kept in found.items()
    ]


def _open_all(documents: Iterable[SourceDocument], max_bytes: int) -> Iterator[Opened]:
    for document in documents:
        yield from open_documents(document, max_bytes, lambda uri, count: None)


def _find(documents: Sequence[OutdatedDocument], fetched: Path | None) -> tuple[list[_Wanted], list[LeftDocument]]:
    """Where the documents were last seen, and those of which nobody knows."""
    wanted: list[_Wanted] = []
    gone: list[LeftDocument] = []
    for document in documents:
        place = document.place
        if place is not None:
            path, hints = Path(os.fsdecode(place.path)), _hints(place.hints)
        elif "+hints." in document.loader_version:
            # Staged before places were kept: without its manifest it would be read as somebody else's.
            gone.append(_left(document, "what its manifest said is not kept; load the manifest again"))
            continue
        else:
            path, hints = Path(os.path.abspath(document.source_uri)), None
        kept = _KEPT.match(os.fspath(path))
        if kept is None:
            wanted.append(_Wanted(document, _container(path), path, hints))
        else:
            file = _store_file(Path(kept["file"]), fetched)
            wanted.append(_Wanted(document, file, path, hints, (kept["sha256"], kept["name"])))
    return wanted, gone


def _container(path: Path) -> Path:
    """The file that holds a path: the path itself, or the archive that it leads into."""
    text = str(path)
    at = text.find("!/")
    while at >= 0:
        if os.path.isfile(text[:at]):
            return Path(text[:at])
        at = text.find("!/", at + 1)
    return path


def _store_file(file: Path, fetched: Path | None) -> Path:
    """A file of the store, where it is now."""
    return fetched / file.name if fetched is not None and not file.is_file() else file


def _hints(text: str | None) -> Hints | None:
    if text is None:
        return None
    said = json.loads(text)
    published = said["published_date"]
    return Hints(
        said["agency_name"],
        said["report_year"],
        None if published is None else date.fromisoformat(published),
        None if said["scope"] is None else Scope(said["scope"]),
        said["source_uri"],
    )


def _left(document: OutdatedDocument, reason: str) -> LeftDocument:
    return LeftDocument(document.document_id, document.source_uri, reason)
