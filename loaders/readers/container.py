"""Opening the containers of office files: ZIP with XML parts, and OLE compound files.

In: the bytes of a file. Out: its parts, each checked against caps before and while it is unpacked. Refuses what a
report never needs (``hostile_structure``), what is broken (``damaged_document``) and what has a password
(``encrypted_document``); no exception of a library leaves this module.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import olefile
from lxml import etree

from loaders.errors import DocumentRejected

MAX_TOTAL = 200_000_000
MAX_PART = 64_000_000
MAX_RATIO = 200
MAX_ENTRIES = 3000
# A small part may be packed tighter than the ratio without harm.
_RATIO_FROM = 1_000_000
_XML_SUFFIXES = (".xml", ".rels", ".bin", ".vml")
_RELATIONSHIP = "/officeDocument"
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)


class Archive:
    """The parts of an office file that is a ZIP, by their lower-case names without a leading slash."""

    def __init__(self, data: bytes) -> None:
        """Open the archive and hold its directory against the caps.

        Raises:
            DocumentRejected: ``encrypted_document``, ``hostile_structure`` or ``damaged_document``.
        """
        if data.startswith(olefile.MAGIC):
            refuse_encrypted_package(data)
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except _ZIP_ERRORS as error:
            raise DocumentRejected("damaged_document", f"the archive cannot be opened: {error}") from error
        entries = self._archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise DocumentRejected("hostile_structure", f"{len(entries):,} parts; the limit is {MAX_ENTRIES:,}")
        total = sum(entry.file_size for entry in entries)
        if total > MAX_TOTAL:
            raise DocumentRejected("hostile_structure", f"{total:,} bytes unpacked; the limit is {MAX_TOTAL:,}")
        self._entries = {entry.filename.replace("\\", "/").lstrip("/").lower(): entry for entry in entries}
        for name, entry in self._entries.items():
            if name.endswith(_XML_SUFFIXES):
                _refuse_bomb(name, entry)

    def __contains__(self, name: str) -> bool:
        """Whether there is such a part."""
        return name.lower() in self._entries

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all parts, in lower case."""
        return tuple(self._entries)

    @property
    def written_names(self) -> dict[str, str]:
        """The name of each part as it is written in the archive."""
        return {name: entry.filename for name, entry in self._entries.items()}

    def read(self, name: str) -> bytes:
        """Unpack a part.

        Raises:
            DocumentRejected: ``hostile_structure``, ``damaged_document`` or ``encrypted_document``.
        """
        entry = self._entries.get(name.lower())
        if entry is None:
            raise DocumentRejected("damaged_document", f"the part {name} is missing")
        if entry.flag_bits & 1:
            raise DocumentRejected("encrypted_document", f"the part {name} needs a password; supply a copy without")
        try:
            with self._archive.open(entry) as part:
                content = part.read(MAX_PART + 1)
        except _ZIP_ERRORS as error:
            raise DocumentRejected("damaged_document", f"the part {name} cannot be unpacked: {error}") from error
        if len(content) > MAX_PART:
            raise DocumentRejected("hostile_structure", f"the part {name} is larger than {MAX_PART:,} bytes")
        return content

    def read_xml(self, name: str) -> Any:
        """The root element of a part; see :func:`parse_xml`."""
        return parse_xml(self.read(name), name)

    def read_optional_xml(self, name: str) -> Any:
        """The root element of a part, null where there is no such part or it is broken and only adds to others."""
        if name not in self:
            return None
        try:
            return self.read_xml(name)
        except DocumentRejected as rejection:
            if rejection.reject_code == "damaged_document":
                return None
            raise

    def main_part(self, default: str) -> str:
        """The name of the main part: the usual one, or what the package says it is."""
        if default in self:
            return default
        root = self.read_optional_xml("_rels/.rels")
        for relation in () if root is None else root:
            if str(relation.get("Type", "")).endswith(_RELATIONSHIP):
                return str(relation.get("Target", default)).lstrip("/")
        return default


def _refuse_bomb(name: str, entry: zipfile.ZipInfo) -> None:
    if entry.file_size > MAX_PART:
        raise DocumentRejected("hostile_structure", f"the part {name} is larger than {MAX_PART:,} bytes")
    if entry.file_size > max(_RATIO_FROM, MAX_RATIO * entry.compress_size):
        raise DocumentRejected("hostile_structure", f"the part {name} is packed more than {MAX_RATIO} times")


def parse_xml(content: bytes, name: str) -> Any:
    """The root element of an XML part, without entities, network or document type.

    Raises:
        DocumentRejected: ``hostile_structure`` for a document type or nesting beyond reason, ``damaged_document``
            for what is not well-formed.
    """
    if b"<!DOCTYPE" in content:
        raise DocumentRejected("hostile_structure", f"the part {name} declares a document type")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        code = "hostile_structure" if "depth" in str(error) else "damaged_document"
        raise DocumentRejected(code, f"the part {name} cannot be parsed: {error}") from error
    # Seen here only where the part is in an encoding in which the bytes above differ.
    if root.getroottree().docinfo.internalDTD is not None:
        raise DocumentRejected("hostile_structure", f"the part {name} declares a document type")
    return root


@contextmanager
def open_ole(data: bytes) -> Iterator[Any]:
    """An OLE compound file; whatever goes wrong while it is read means that it is damaged.

    Raises:
        DocumentRejected: ``damaged_document``, or what is raised inside.
    """
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            yield ole
    except DocumentRejected:
        raise
    except (OSError, struct.error, IndexError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise DocumentRejected("damaged_document", f"the compound file is broken: {error}") from error


def read_stream(ole: Any, name: str) -> bytes:
    """A stream of a compound file.

    Raises:
        DocumentRejected: ``hostile_structure`` when it is too large, ``damaged_document`` when it is missing.
    """
    if not ole.exists(name):
        raise DocumentRejected("damaged_document", f"the stream {name} is missing")
    if ole.get_size(name) > MAX_PART:
        raise DocumentRejected("hostile_structure", f"the stream {name} is larger than {MAX_PART:,} bytes")
    content: bytes = ole.openstream(name).read()
    return content


def refuse_encrypted_package(data: bytes) -> None:
    """Refuse a compound file that wraps an encrypted office file of the newer kind.

    Raises:
        DocumentRejected: ``encrypted_document``.
    """
    with open_ole(data) as ole:
        if ole.exists("EncryptedPackage"):
            raise DocumentRejected("encrypted_document", "the file has a password; supply a copy without")
