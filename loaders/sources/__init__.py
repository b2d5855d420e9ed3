"""Where documents come from: SOURCE arguments become a list of documents to read.

In: paths of files, folders, ZIP archives or ``manifest.csv`` files. Out: :class:`SourceDocument` values in a
deterministic order, each readable on its own, so that one bad file costs one document; an archive is one of them until
:func:`~loaders.sources.archives.open_documents` opens it. Refused with a message: a SOURCE that does not exist, an
address.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from loaders.errors import UsageError
from loaders.sources.document import MAX_BYTES, SourceDocument
from loaders.sources.files import list_file, list_folder
from loaders.sources.manifest import MANIFEST_NAME, list_manifest

__all__ = ["MAX_BYTES", "SourceDocument", "list_documents"]

_SUPPORTED = "a file, a folder, a ZIP or a manifest.csv"


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
        raise UsageError(f"{argument}: addresses cannot be loaded; download the document and give {_SUPPORTED}")
    path = Path(argument)
    if not os.path.exists(path):
        raise UsageError(f"{argument}: no such file or folder; give {_SUPPORTED}")
    if path.is_dir():
        return list_folder(path)
    if path.name == MANIFEST_NAME:
        return list_manifest(path)
    return [list_file(path)]
