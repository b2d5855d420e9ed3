"""Listing a single file or a folder.

A folder is walked recursively in the order of its paths. Hidden files and folders are left out, and so is what
systems and editors leave behind (``__MACOSX``, ``Thumbs.db``, ``desktop.ini``, ``~$`` lock files), and a
warehouse: what was published is no document, and each release would bring more of it. Where a
``manifest.csv`` stands, its rows come first and with hints; the other files below it follow without hints,
except documentation (``README*``, ``LICENSE*``, ``PROVENANCE*``) and tables of data (``*.csv``). A symlink
that leads out of the folder is not followed but accounted for as unreadable; a linked folder inside it is
left out, since its files are listed where they are.
"""

from __future__ import annotations

import os
from pathlib import Path

from loaders.errors import UsageError
from loaders.sources.document import SourceDocument, path_uri
from loaders.sources.manifest import MANIFEST_NAME, list_manifest, normal_path
from loaders.warehouse import is_warehouse

_DOCUMENTATION = ("readme", "license", "licence", "provenance")
_LEFT_BEHIND = ("__macosx", "thumbs.db", "desktop.ini")


def list_file(path: Path) -> SourceDocument:
    """The one document of a file that the caller named."""
    return SourceDocument(path=path, source_uri=path_uri(path))


def list_folder(folder: Path) -> list[SourceDocument]:
    """The documents of a folder.

    Raises:
        UsageError: when a manifest in the folder cannot be understood, or the folder is a warehouse.
    """
    if is_warehouse(folder):
        raise UsageError(f"{folder} is a warehouse and holds no documents; give the folder that they lie in")
    found, unreadable = _walk(folder)
    manifests = [path for path in found if path.name == MANIFEST_NAME]
    documents: list[SourceDocument] = []
    listed: set[Path] = set()
    for manifest in manifests:
        rows = list_manifest(manifest)
        documents += [row for row in rows if row.address is not None or normal_path(row.path) not in listed]
        listed.update(normal_path(row.path) for row in rows if row.address is None)
    for path in found:
        if path.name == MANIFEST_NAME or normal_path(path) in listed:
            continue
        if is_documentation(path) and any(path.is_relative_to(manifest.parent) for manifest in manifests):
            continue
        documents.append(_document_in(folder, path))
    return documents + unreadable


def is_left_out(path: Path) -> bool:
    """Whether a path, relative to its source, is hidden or was left behind by a system or an editor."""
    return any(part.startswith((".", "~$")) or part.lower() in _LEFT_BEHIND for part in path.parts)


def _walk(folder: Path) -> tuple[list[Path], list[SourceDocument]]:
    unreadable: list[SourceDocument] = []

    def account(error: OSError) -> None:
        path = Path(error.filename or folder)
        message = f"{path_uri(path)}: {error.strerror}"
        unreadable.append(SourceDocument(path, path_uri(path), None, "unreadable_file", message))

    found: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=account, followlinks=False):
        folders[:] = [name for name in folders if not is_left_out(Path(name)) and not is_warehouse(Path(parent, name))]
        found += [Path(parent, name) for name in names if not is_left_out(Path(name))]
        for name in folders:
            link = Path(parent, name)
            if link.is_symlink() and not _is_inside(folder, link):
                found.append(link)
    return sorted(found, key=lambda path: path.as_posix()), unreadable


def _document_in(folder: Path, path: Path) -> SourceDocument:
    if path.is_symlink() and not _is_inside(folder, path):
        message = f"{path_uri(path)}: a link that leads out of {folder} or nowhere; it is not followed"
        return SourceDocument(path, path_uri(path), None, "unreadable_file", message)
    return list_file(path)


def _is_inside(folder: Path, path: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a dangling link or a loop of links
        return False


def is_documentation(path: Path) -> bool:
    """Whether a file explains documents or tabulates data, which counts where a manifest stands."""
    name = path.name.lower()
    return name.startswith(_DOCUMENTATION) or name.endswith(".csv")
