"""File formats: bytes in, a neutral document out.

``read_bytes`` tells the format from the content, never from the suffix, and refuses what it cannot read with a
reason code. Readers know about formats and nothing about forms. A reader is a function from bytes to a
:class:`~loaders.model.Document`; it is imported when its format is met.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

from loaders.errors import DocumentRejected
from loaders.model import Block, Cell, Document, Issue, Script, Table
from loaders.readers.flat_text import read_blocks
from loaders.readers.html_body import is_shipped_page
from loaders.readers.sniff import DOC, DOCX, ENCRYPTED, HTML, OLE, PDF, RTF, XLS, XLSX, is_html, sniff_media_type
from loaders.text.decode import decode_text
from loaders.text.fold import detect_script, fold

__all__ = ["read_bytes", "sniff_media_type"]

_READERS = {
    PDF: ("loaders.readers.pdf", "read_pdf"),
    DOCX: ("loaders.readers.word", "read_docx"),
    DOC: ("loaders.readers.libreoffice", "read_doc"),
    RTF: ("loaders.readers.libreoffice", "read_rtf"),
    XLSX: ("loaders.readers.sheet", "read_sheet"),
    XLS: ("loaders.readers.sheet", "read_sheet"),
}
_PICTURES = ("loaders.readers.ocr", "read_picture")
_NEWLINES = re.compile(r"\r\n?|\x0b|\x0c|\u2028|\u2029|\x85")


def read_bytes(data: bytes) -> tuple[Document, tuple[Issue, ...]]:
    """Read one document and say what was odd.

    Raises:
        DocumentRejected: with the code of the reader that refused it, ``empty_document``, ``undecodable_text`` or
            ``unsupported_format``.
    """
    media_type = sniff_media_type(data)
    if media_type is not None:
        document = _simplified(_reader(media_type)(data))
        return document, document.issues
    decoded = decode_text(data)
    text = _NEWLINES.sub("\n", decoded.text)
    issues: tuple[Issue, ...] = ()
    if decoded.replaced:
        message = f"{decoded.replaced} characters could not be decoded as {decoded.encoding} and were replaced"
        issues = (Issue("lossy_decoding", message),)
    if is_html(text) or is_shipped_page(text):
        return _simplified(_reader(HTML)(text, decoded.encoding)), issues
    blocks = read_blocks(text)
    media_type = "text/plain"
    if any(getattr(block, "style", "") == "markdown" for block in blocks):
        media_type = "text/markdown"
    return _simplified(Document(text, decoded.encoding, detect_script(text), blocks, media_type)), issues


def _reader(media_type: str) -> Callable[..., Document]:
    if media_type == HTML:
        module, name = "loaders.readers.html", "read_html"
    elif media_type.startswith("image/"):
        module, name = _PICTURES
    elif media_type in _READERS:
        module, name = _READERS[media_type]
    elif media_type == ENCRYPTED:
        raise DocumentRejected("encrypted_document", "the Office file is protected by a password; supply an open copy")
    elif media_type == OLE:
        raise DocumentRejected("damaged_document", "an OLE file without a Word or Excel stream, or cut off")
    else:
        message = (
            f"the content is {media_type}; supply the report as a web page, Word, Excel, PDF, picture or text file"
        )
        raise DocumentRejected("unsupported_format", message)
    reader: Callable[..., Document] = getattr(import_module(module), name)
    return reader


def _simplified(document: Document) -> Document:
    """The document with the cells of its tables also in Simplified characters; prose is folded where it is read."""
    if document.script is Script.SIMPLIFIED:
        return document
    return replace(document, blocks=tuple(_simplified_block(block, document.script) for block in document.blocks))


def _simplified_block(block: Block, script: Script) -> Block:
    if not isinstance(block, Table):
        return block
    cells = {id(cell): replace(cell, simplified=fold(cell.plain, script).text) for row in block.rows for cell in row}

    def simplify(row: tuple[Cell | None, ...]) -> tuple[Cell | None, ...]:
        return tuple(None if cell is None else cells[id(cell)] for cell in row)

    rows = tuple(tuple(cells[id(cell)] for cell in row) for row in block.rows)
    return replace(block, rows=rows, grid=None if block.grid is None else tuple(map(simplify, block.grid)))
