"""Leaving out files that have not changed since a moment.

A file changed when its content was written or when it came to where it is: of the two times that a file system keeps,
of the content and of the file itself, the later one counts, so that a copy or an unpacked archive that keeps its old
date is not left out. What a manifest lists counts as changed with the manifest, too, since what it says may be new. An
address is never left out: only its site can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from loaders.errors import UsageError
from loaders.sources.document import SourceDocument
from loaders.sources.manifest import MANIFEST_NAME


def parse_since(text: str) -> datetime:
    """A date, which begins at midnight here, or a time, e.g. ``2026-03-01`` or ``2026-03-01T06:30``.

    Raises:
        UsageError: for another text, and for what has not come yet.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--since is {text!r}; give a date or a time, e.g. 2026-03-01 or 2026-03-01T06:30") from None
    moment = moment.astimezone()
    if moment > datetime.now(UTC):
        raise UsageError(f"--since is {text!r}, which has not come yet; everything would be left out")
    return moment


def leave_out_older(
    documents: Sequence[SourceDocument], sources: Sequence[str], since: datetime
) -> tuple[tuple[SourceDocument, ...], int]:
    """The documents that may have changed since then, and how many others there are."""
    begin = since.timestamp()
    changed: dict[Path, bool] = {}

    def has_changed(path: Path) -> bool:
        if path not in changed:
            changed[path] = _changed_at(path) >= begin
        return changed[path]

    # A manifest may be a SOURCE of any name.
    is_listed_anew = any(Path(source).suffix == ".csv" and has_changed(Path(source)) for source in sources)

    def may_have_changed(document: SourceDocument) -> bool:
        if document.address is not None or document.reject_code is not None or has_changed(document.path):
            return True
        if document.hints is None:
            return False
        manifests = (folder / MANIFEST_NAME for folder in document.path.parents)
        return is_listed_anew or any(has_changed(manifest) for manifest in manifests if manifest.is_file())

    kept = tuple(document for document in documents if may_have_changed(document))
    return kept, len(documents) - len(kept)


def _changed_at(path: Path) -> float:
    """When a file changed; what cannot be looked at is left to the load, which says why."""
    try:
        found = path.stat()
    except OSError:
        return float("inf")
    return max(found.st_mtime, found.st_ctime)
