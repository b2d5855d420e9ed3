"""Where documents come from: SOURCE arguments become a list of documents to read.

In: paths of files, folders, ZIP archives, ``manifest.csv`` files or lists of addresses, and http(s) addresses. Out:
:class:`SourceDocument` values in a deterministic order, each readable on its own, so that one bad file costs one
document; an archive is one of them until :func:`~loaders.sources.archives.open_documents` opens it, and what is on the
web is to be fetched first (:mod:`loaders.fetch`). Refused with a message: a SOURCE that does not exist, an address of
another scheme.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from loaders.errors import UsageError
from loaders.sources.addresses import is_address_table, read_address_list, web_document
from loaders.sources.document import MAX_BYTES, SourceDocument
from loaders.sources.files import list_file, list_folder
from loaders.sources.manifest import MANIFEST_NAME, list_manifest

__all__ = ["MAX_BYTES", "SourceDocument", "list_documents"]

_SUPPORTED = "a file, a folder, a ZIP, a manifest.csv, a list of addresses or an http(s) address"


def list_documents(arguments: Sequence[str]) -> tuple[SourceDocument, ...]:
    """The documents behind the SOURCE arguments, in the order of the arguments.

    Raises:
        UsageError: when an argument is not a supported source or a manifest cannot be understood.
    """
    documents: list[SourceDocument] = []
    for argument in arguments:
        documents += _list_source(argument)
    return tuple(documents)


def _list_source(argument: str) -> list[SourceDocument]:
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", argument):
        try:
            return [web_document(argument)]
        except ValueError as error:
            raise UsageError(f"{argument}: {error}; give {_SUPPORTED}") from None
    path = Path(argument)
    if not os.path.exists(path):
        raise UsageError(f"{argument}: no such file or folder; give {_SUPPORTED}")
    if path.is_dir():
        return list_folder(path)
    if path.name == MANIFEST_NAME:
        return list_manifest(path)
    if is_address_table(path):
        return list_manifest(path)
    return read_address_list(path) or [list_file(path)]
