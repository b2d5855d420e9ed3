"""The addresses of a run: fetched several hosts at a time, each host in order; and the attachments of the pages.

In: documents of :mod:`loaders.sources`, some with an address. Out: as many documents in the same order; those with an
address as :class:`FetchedDocument`, whose content is in the store, or rejected with the reason why there is none.
"""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import IO
from urllib.parse import urljoin, urlsplit

from loaders.errors import DocumentRejected
from loaders.fetch.client import Client
from loaders.fetch.limits import FetchLimits
from loaders.fetch.sites import Sites, redirect_target
from loaders.fetch.store import Kept, Store
from loaders.load import Progress
from loaders.sources.addresses import check_address, web_document
from loaders.sources.document import SourceDocument

_Outcome = Kept | DocumentRejected
# An attachment is told by the name in its address or, for a script that serves files, by its label.
_ATTACHMENT = re.compile(r"\.(?:pdf|docx?|wps|xlsx?|zip)(?=$|[?#&\s])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FetchedDocument(SourceDocument):
    """A document whose content is in the store."""

    store: Store | None = None
    kept: Kept | None = None

    def open(self) -> IO[bytes]:
        """The content, open for reading.

        Raises:
            DocumentRejected: when the store is damaged.
        """
        assert self.store is not None
        assert self.kept is not None
        return io.BytesIO(self.store.read(self.kept))


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a document: the document's id, the address as it stands there and its words."""

    document_id: str
    url: str
    label: str


@dataclass(frozen=True, slots=True)
class FetchCounts:
    """What became of the addresses of a run."""

    new: int = 0
    same: int = 0
    failed: int = 0

    def __str__(self) -> str:
        """The counts for a person."""
        asked = self.new + self.same + self.failed
        return f"addresses {asked} = new or changed {self.new} + the same as before {self.same} + failed {self.failed}"


class Fetcher:
    """Fetches the addresses of a run; a context manager."""

    def __init__(
        self, store: Store, limits: FetchLimits, *, allow_private: bool = False, offline: bool = False
    ) -> None:
        """Fetch into ``store``; ``offline`` takes what is there and asks nobody."""
        self._store = store
        self._limits = limits
        self._offline = offline
        self._progress = Progress()
        self._client = Client(limits, allow_private=allow_private)
        self._sites = Sites(self._client, store, limits, lambda host, left: self._progress.waiting(host, left))
        self._outcomes: dict[str, _Outcome] = {}

    def __enter__(self) -> Fetcher:
        """Nothing is asked before the first address."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the connections and the file of the store."""
        self._client.close()
        self._store.close()

    @property
    def counts(self) -> FetchCounts:
        """What became of the addresses so far."""
        kept = [outcome for outcome in self._outcomes.values() if isinstance(outcome, Kept)]
        same = sum(not self._store.is_new(one) for one in kept)
        return FetchCounts(len(kept) - same, same, len(self._outcomes) - len(kept))

    def fetch(self, documents: Sequence[SourceDocument], progress: Progress) -> list[SourceDocument]:
        """The documents, those with an address with their content or with the reason why there is none."""
        self._progress = progress
        wanted = [document.address for document in documents if document.address is not None]
        by_host: dict[str, list[str]] = {}
        for address in dict.fromkeys(wanted):
            if address not in self._outcomes:
                by_host.setdefault(urlsplit(address).hostname or "", []).append(address)
        if by_host:
            self._fetch_hosts(list(by_host.values()))
        return [self._document(document) for document in documents]

    def stop(self) -> None:
        """End whatever is under way, from another thread."""
        self._sites.stop()

    def attachments(
        self, documents: Iterable[SourceDocument], links: Iterable[Link]
    ) -> tuple[list[SourceDocument], int]:
        """The attachments of fetched pages that are followed, and how many are not.

        Followed are those on the host of the page, whose name says that they are PDF, Word, WPS, Excel or ZIP files.
        """
        pages: dict[str, str] = {}
        for document in documents:
            if isinstance(document, FetchedDocument) and document.kept is not None:
                pages.setdefault(document.kept.sha256, document.kept.address)
        found: dict[str, SourceDocument] = {}
        others: set[str] = set()
        for link in links:
            page = pages.get(link.document_id)
            if page is None:
                continue
            address = _attachment_address(page, link)
            if address is None:
                others.add(link.url)
            elif address not in self._outcomes:
                found.setdefault(address, web_document(address))
        return list(found.values()), len(others)

    def _fetch_hosts(self, groups: list[list[str]]) -> None:
        with ThreadPoolExecutor(min(self._limits.hosts, len(groups)), "gongkai-fetch") as threads:
            futures: list[Future[None]] = [threads.submit(self._fetch_group, group) for group in groups]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                self._sites.stop()
                threads.shutdown(wait=False, cancel_futures=True)
                raise

    def _fetch_group(self, addresses: list[str]) -> None:
        for address in addresses:
            try:
                self._outcomes[address] = self._find_kept(address) if self._offline else self._sites.fetch(address)
            except DocumentRejected as rejection:
                self._outcomes[address] = rejection
            self._progress.done(1)

    def _find_kept(self, address: str) -> Kept:
        """The kept answer of an address and of where it led."""
        asked = address
        for _ in range(self._limits.redirects + 1):
            kept = self._store.find(asked)
            if kept is None:
                break
            if kept.location is None:
                return kept
            asked = redirect_target(asked, kept.location)
        raise DocumentRejected("fetch_not_kept", f"{address}: nothing is kept of it; load it without --offline")

    def _document(self, document: SourceDocument) -> SourceDocument:
        if document.address is None:
            return document
        outcome = self._outcomes[document.address]
        if isinstance(outcome, DocumentRejected):
            return dataclasses.replace(
                document, address=None, reject_code=outcome.reject_code, reject_message=str(outcome)
            )
        path = self._store.path(outcome, document.name)
        return FetchedDocument(path, document.source_uri, document.hints, store=self._store, kept=outcome)


def _attachment_address(page: str, link: Link) -> str | None:
    """The address of an attachment that is followed."""
    try:
        address = check_address(urljoin(page, link.url.strip()))
    except ValueError:
        return None
    if not (_ATTACHMENT.search(address) or _ATTACHMENT.search(link.label)):
        return None
    return address if _site(address) == _site(page) else None


def _site(address: str) -> str:
    parts = urlsplit(address)
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    return (parts.hostname or "").lower().removeprefix("www.") + port
