"""A document that a source names: where it is, what a manifest says of it, and how to get its bytes."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from loaders.errors import DocumentRejected
from loaders.model import Hints

MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One document to read.

    ``reject_code`` is set when listing already knows that there are no bytes to be had; ``reject_message``
    says why. ``source_uri`` is the manifest's, else the path or the address as the caller gave it. ``address`` is set
    when the document is on the web and still to be fetched (:mod:`loaders.fetch`).
    """

    path: Path
    source_uri: str
    hints: Hints | None = None
    reject_code: str | None = None
    reject_message: str = ""
    address: str | None = None

    @property
    def name(self) -> str:
        """The file's name, of which readers only take the suffix as a hint."""
        return self.path.name

    def read_bytes(self, max_bytes: int = MAX_BYTES) -> bytes:
        """The bytes of the document.

        Raises:
            DocumentRejected: when they cannot be had (missing, unreadable, not a regular file, too large).
        """
        with self.open() as file:
            try:
                data = file.read(max_bytes + 1)
                size = max(file.seek(0, os.SEEK_END), len(data)) if len(data) > max_bytes else len(data)
            except OSError as error:
                raise DocumentRejected("unreadable_file", f"{path_uri(self.path)}: {error.strerror}") from error
        if len(data) > max_bytes:
            raise DocumentRejected("too_large", f"{path_uri(self.path)}: {size} bytes; the limit is {max_bytes}")
        return data

    def open(self) -> IO[bytes]:
        """The document, open for reading.

        Raises:
            DocumentRejected: when it cannot be had.
        """
        if self.reject_code is not None:
            raise DocumentRejected(self.reject_code, self.reject_message)
        if self.address is not None:
            raise DocumentRejected("fetch_failed", f"{self.address} was not fetched; load it with `gongkai load`")
        return open_regular(self.path)


def open_regular(path: Path) -> IO[bytes]:
    """A regular file, open for reading.

    Raises:
        DocumentRejected: when it is missing, not readable or not a regular file.
    """
    try:
        # O_NONBLOCK: a pipe that nobody writes to must not hang the load.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise DocumentRejected("unreadable_file", f"{path_uri(path)}: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise DocumentRejected("unreadable_file", f"{path_uri(path)}: not a regular file")
    return os.fdopen(descriptor, "rb")


def path_uri(path: Path) -> str:
    """A path as text; bytes of a name that are not UTF-8 (often GBK) are shown as escapes."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def missing_document_id(source_uri: str) -> str:
    """The id under which a document without bytes is accounted for."""
    return hashlib.sha256(f"missing:{source_uri}".encode()).hexdigest()
