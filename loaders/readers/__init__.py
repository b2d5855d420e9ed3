"""File formats: bytes in, a neutral document out.

``read_bytes`` tells the format from the content, never from the suffix, and refuses what it cannot read with a
reason code. Readers know about formats and nothing about forms.
"""

from __future__ import annotations

import re
from dataclasses import replace

from loaders.errors import DocumentRejected
from loaders.model import Block, Document, Issue, Script, Table
from loaders.readers.flat_text import read_blocks
from loaders.text.decode import decode_text
from loaders.text.fold import detect_script, fold

_MAGIC = (
    (b"%PDF", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\xd0\xcf\x11\xe0", "application/x-ole-storage"),
    (b"{\\rtf", "application/rtf"),
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x1f\x8b", "application/gzip"),
    (b"Rar!", "application/vnd.rar"),
    (b"7z\xbc\xaf", "application/x-7z-compressed"),
)
_HTML = re.compile(r"^\s*(?:<\?xml[^>]*>\s*)?(?:<!doctype\s+html|<html|<head|<body|<table|<div|<meta)", re.IGNORECASE)
_NEWLINES = re.compile(r"\r\n?|\x0b|\x0c|\u2028|\u2029|\x85")


def sniff_media_type(data: bytes) -> str | None:
    """The media type by magic number; null when the bytes may be text."""
    for magic, media_type in _MAGIC:
        if data.startswith(magic):
            return media_type
    return None


def read_bytes(data: bytes) -> tuple[Document, tuple[Issue, ...]]:
    """Read one document and say what was odd.

    Raises:
        DocumentRejected: ``empty_document``, ``undecodable_text`` or ``unsupported_format``.
    """
    if media_type := sniff_media_type(data):
        raise DocumentRejected(
            "unsupported_format",
            f"the content is {media_type}; supply the report as text (UTF-8, GB18030, Big5, UTF-16)",
        )
    decoded = decode_text(data)
    if _HTML.match(decoded.text[:2000]):
        raise DocumentRejected("unsupported_format", "the content is text/html; supply the report as plain text")
    text = _NEWLINES.sub("\n", decoded.text)
    issues: tuple[Issue, ...] = ()
    if decoded.replaced:
        message = f"{decoded.replaced} characters could not be decoded as {decoded.encoding} and were replaced"
        issues = (Issue("lossy_decoding", message),)
    script = detect_script(text)
    blocks = read_blocks(text)
    if script is not Script.SIMPLIFIED:
        blocks = tuple(_simplified(block, script) for block in blocks)
    media_type = "text/plain"
    if any(getattr(block, "style", "") == "markdown" for block in blocks):
        media_type = "text/markdown"
    return Document(text, decoded.encoding, script, blocks, media_type), issues


def _simplified(block: Block, script: Script) -> Block:
    """A table with its cells also in Simplified characters; prose is folded where it is read."""
    if not isinstance(block, Table):
        return block
    rows = (tuple(replace(cell, simplified=fold(cell.text, script).text) for cell in row) for row in block.rows)
    return replace(block, rows=tuple(rows))
