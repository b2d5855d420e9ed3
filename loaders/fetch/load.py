"""A load with addresses: they are fetched, everything is loaded, then the attachments of the pages follow.

The work file is open only while documents are read and staged, not while sites are waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.errors import DocumentRejected, UsageError
from loaders.fetch.documents import FetchedDocument, Fetcher, Link
from loaders.fetch.limits import FetchLimits
from loaders.fetch.store import Store
from loaders.load import Account
from loaders.progress import FETCHING, show_progress
from loaders.runs import count_run
from loaders.settings import Settings
from loaders.sources.addresses import has_url_column, parse_address_list
from loaders.sources.document import SourceDocument
from loaders.sources.manifest import Row, read_rows

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
        if listed := expand_lists(fetched, request.sources):
            fetched = _fetch(settings, fetcher, listed)
        account = load_files(settings, fetched, run_id, request)
        attached, left_out = fetcher.attachments(fetched, _ask(settings, _links))
        if attached:
            account += load_files(settings, _fetch(settings, fetcher, attached), run_id, request)
            _ask(settings, lambda con: count_run(con, run_id, account.counts))
        settings.say(str(fetcher.counts))
        if attached or left_out:
            settings.say(f"attachments of pages: {len(attached)} followed, {left_out} of another kind or site left out")
    return account


def expand_lists(documents: Sequence[SourceDocument], sources: Sequence[str]) -> list[SourceDocument]:
    """The documents with what the lists among them list, where a SOURCE itself is the address of a list.

    None when there is no such list. A list that cannot be understood is a rejected document.
    """
    expanded: list[SourceDocument] = []
    is_list = False
    for document in documents:
        listed = _listed(document) if document.source_uri in sources else None
        expanded += [document] if listed is None else listed
        is_list = is_list or listed is not None
    return expanded if is_list else []


def _listed(document: SourceDocument) -> list[SourceDocument] | None:
    if not isinstance(document, FetchedDocument):
        return None
    try:
        data = document.read_bytes()
        if has_url_column(data):
            return [_row_document(document.source_uri, row) for row in read_rows(Path(document.source_uri), data)]
        return parse_address_list(document.source_uri, data)
    except DocumentRejected:
        return None  # it is told when the document is read
    except UsageError as error:
        return [SourceDocument(document.path, document.source_uri, None, "damaged_document", str(error))]


def _row_document(list_uri: str, row: Row) -> SourceDocument:
    if row.address is None:
        message = f"{list_uri} line {row.number}: a list on the web lists addresses, not paths"
        return SourceDocument(row.path, f"{list_uri}#{row.text}", row.hints, "manifest_file_missing", message)
    source_uri = (row.hints.source_uri if row.hints else None) or row.text
    return SourceDocument(row.path, source_uri, row.hints, address=row.address)


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
