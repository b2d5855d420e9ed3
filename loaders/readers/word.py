"""Word files to documents: DOCX and its kin by their XML, DOC and WPS by the binary format.

In: the bytes of a file. Out: a document whose tables have the slots and spans of the printed ones. Left out is
what is not part of the text as printed: deleted and hidden text, field codes, headers, footers, notes, comments,
macros. Pictures are not read. Refuses files with a password, broken ones, hostile ones and those older than
Word 97.
"""

from __future__ import annotations

from loaders.model import Document, Metadata, MetadataName
from loaders.readers.build import DocumentBuilder
from loaders.readers.container import Archive, open_ole
from loaders.readers.sniff import DOC, DOCX
from loaders.readers.word_binary import read_binary_blocks
from loaders.readers.word_blocks import add_blocks
from loaders.readers.word_xml import read_blocks

_TITLE = "{http://purl.org/dc/elements/1.1/}title"


def read_docx(data: bytes) -> Document:
    """Read a Word file that is a package of XML.

    Raises:
        DocumentRejected: ``encrypted_document``, ``damaged_document``, ``hostile_structure``, ``too_large`` or
            ``empty_document``.
    """
    archive = Archive(data)
    builder = DocumentBuilder()
    add_blocks(builder, read_blocks(archive, archive.main_part("word/document.xml")))
    core = archive.read_optional_xml("docProps/core.xml")
    title = "" if core is None else (core.findtext(_TITLE) or "").strip()
    return builder.build(DOCX, metadata=_titles(title))


def read_doc(data: bytes) -> Document:
    """Read a binary Word file of Word 97 or later, or one that WPS saved as such.

    Raises:
        DocumentRejected: ``encrypted_document``, ``damaged_document``, ``hostile_structure``, ``too_large``,
            ``unsupported_format`` or ``empty_document``.
    """
    builder = DocumentBuilder()
    with open_ole(data) as ole:
        add_blocks(builder, read_binary_blocks(ole))
    return builder.build(DOC)


def _titles(title: str) -> tuple[Metadata, ...]:
    return (Metadata(MetadataName.TITLE, title),) if title else ()
