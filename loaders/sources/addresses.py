"""Addresses of documents on the web, and lists of them.

In: text. Out: addresses that :mod:`loaders.fetch` can ask for. A list is a text file in which every line that is not
empty and does not begin with ``#`` is an http(s) address, or a CSV file with a column ``url``, which is a manifest.
Nothing is fetched here.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

from loaders.errors import UsageError
from loaders.sources.document import SourceDocument

_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_MAX_LIST_BYTES = 16 * 1024 * 1024


def is_address(text: str) -> bool:
    """Whether a text is one http(s) address."""
    return _ADDRESS.fullmatch(text) is not None


def check_address(address: str) -> str:
    """The address as it is asked for: without a fragment.

    Raises:
        ValueError: says why it cannot be asked for.
    """
    parts = urlsplit(address)
    if parts.scheme.lower() not in ("http", "https"):
        raise ValueError("only http and https addresses are fetched")
    if parts.username is not None or parts.password is not None:
        raise ValueError("it holds a user name or a password, which would be stored with every figure")
    if not parts.hostname:
        raise ValueError("it names no host")
    if parts.port == 0:  # reading the port refuses one that is no number
        raise ValueError("its port is 0")
    return urlunsplit((parts.scheme.lower(), parts.netloc, parts.path or "/", parts.query, ""))


def web_document(address: str) -> SourceDocument:
    """The document behind an address, still to be fetched.

    Raises:
        ValueError: says why it cannot be asked for.
    """
    asked = check_address(address)
    return SourceDocument(Path(file_name(asked)), address, address=asked)


def file_name(address: str) -> str:
    """The last part of the path of an address: what the file would be called."""
    return PurePosixPath(unquote(urlsplit(address).path)).name.replace("\0", "") or "index"


def read_address_list(path: Path) -> list[SourceDocument] | None:
    """The documents of a text file that lists addresses; null when it is not such a list.

    Raises:
        UsageError: when it is a list with a line that is no address.
    """
    return parse_address_list(str(path), _read_small(path)) if path.suffix.lower() == ".txt" else None


def is_address_table(path: Path) -> bool:
    """Whether a file is a CSV with a column ``url``."""
    return path.suffix.lower() == ".csv" and has_url_column(_read_small(path))


def parse_address_list(where: str, data: bytes) -> list[SourceDocument] | None:
    """The documents of a list of addresses; null when the bytes are not such a list, or not small.

    A text with an address among other lines is a document: reports often begin with where they were saved from.

    Raises:
        UsageError: when it is a list with a line that is no address; ``where`` says where the list stands.
    """
    entries = [(n, line) for n, line in enumerate(_lines(data), start=1) if line and not line.startswith("#")]
    addresses = sum(is_address(line) for _, line in entries)
    if not addresses or addresses * 2 <= len(entries):
        return None
    documents: list[SourceDocument] = []
    for number, line in entries:
        try:
            if not is_address(line):
                raise ValueError("it is no http(s) address")
            documents.append(web_document(line))
        except ValueError as error:
            raise UsageError(f"{where} line {number}: {line!r}: {error}; correct or remove the line") from None
    return documents


def has_url_column(data: bytes) -> bool:
    """Whether bytes are a CSV with a column ``url``."""
    header = next(iter(_lines(data)), "")
    return "url" in (cell.strip().strip('"').strip() for cell in header.split(","))


def _read_small(path: Path) -> bytes:
    """The bytes of a file that may be a list; none of a large one or of what cannot be read, which is told later."""
    try:
        return path.read_bytes() if path.is_file() and path.stat().st_size <= _MAX_LIST_BYTES else b""
    except OSError:
        return b""


def _lines(data: bytes) -> list[str]:
    """The lines of UTF-8 text; none of other bytes."""
    if len(data) > _MAX_LIST_BYTES:
        return []
    try:
        return [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        return []
