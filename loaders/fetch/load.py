"""A load with addresses: they are fetched, everything is loaded, then the attachments of the pages follow.

The work file is open only while documents are read and staged, not while sites are waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from loaders.fetch.documents import Fetcher, Link
from loaders.fetch.limits import FetchLimits
from loaders.fetch.store import Store
from loaders.load import Account
from loaders.progress import FETCHING, show_progress
from loaders.runs import count_run
from loaders.settings import Settings
from loaders.sources.document import SourceDocument

if TYPE_CHECKING:
    import duckdb

    from loaders.refresh import LoadRequest

_LoadFiles = Callable[[Settings, Sequence[SourceDocument], str, "LoadRequest"], Account]


def load_with_addresses(
    settings: Settings,
    documents: Sequence[SourceDocument],
    run_id: str,
    request: LoadRequest,
    load_files: _LoadFiles,
) -> Account:
    """Fetch, load with ``load_files``, then fetch and load the attachments; the caller holds the run lock."""
    limits = FetchLimits.from_environment()
    store = Store(settings.warehouse.fetched, run_id, limits.max_bytes)
    with Fetcher(store, limits, allow_private=request.allow_private, offline=request.offline) as fetcher:
        fetched = _fetch(settings, fetcher, documents)
        account = load_files(settings, fetched, run_id, request)
        attached, left_out = fetcher.attachments(fetched, _ask(settings, _links))
        if attached:
            account += load_files(settings, _fetch(settings, fetcher, attached), run_id, request)
            _ask(settings, lambda con: count_run(con, run_id, account.counts))
        settings.say(str(fetcher.counts))
        if attached or left_out:
            settings.say(f"attachments of pages: {len(attached)} followed, {left_out} of another kind or site left out")
    return account


def _fetch(settings: Settings, fetcher: Fetcher, documents: Sequence[SourceDocument]) -> list[SourceDocument]:
    addresses = len({document.address for document in documents if document.address is not None})
    with show_progress(settings, addresses, FETCHING) as progress:
        return fetcher.fetch(documents, progress)


def _links(con: duckdb.DuckDBPyConnection) -> list[Link]:
    rows = con.execute(
        "select document_id, url, label from raw.attachments order by document_id, attachment_number"
    ).fetchall()
    return [Link(*row) for row in rows]


def _ask(settings: Settings, question: Callable[[duckdb.DuckDBPyConnection], Any]) -> Any:
    con = settings.warehouse.connect()
    try:
        return question(con)
    finally:
        con.close()
