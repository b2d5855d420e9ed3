"""The format of a document by its content; a suffix is never believed.

In: bytes. Out: a media type, or null when the bytes may be text. Office files are told by what their container
holds, so that a Word file named ``.xls`` and a renamed archive are what they are.
"""

from __future__ import annotations

import io
import re
import zipfile

import olefile

HTML = "text/html"
PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOC = "application/msword"
XLS = "application/vnd.ms-excel"
RTF = "application/rtf"
ZIP = "application/zip"
OLE = "application/x-ole-storage"
ENCRYPTED = "application/x-encrypted-office"

_MAGIC = (
    (b"%PDF", PDF),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (olefile.MAGIC, OLE),
    (b"{\\rtf", RTF),
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x1f\x8b", "application/gzip"),
    (b"Rar!", "application/vnd.rar"),
    (b"7z\xbc\xaf", "application/x-7z-compressed"),
)
# A PDF may have a few bytes of a mail or web server in front.
_PDF_WITHIN = 1024
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|table|div|meta|script|span|p|br)\b", re.IGNORECASE)


def sniff_media_type(data: bytes) -> str | None:
    """The media type by magic number and, for containers, by what they hold; null when the bytes may be text."""
    for magic, media_type in _MAGIC:
        if data.startswith(magic) and (magic != b"BM" or data[6:10] == b"\0\0\0\0"):
            inside = {ZIP: _sniff_zip, OLE: _sniff_ole}.get(media_type)
            return inside(data) if inside else media_type
    return PDF if b"%PDF-" in data[:_PDF_WITHIN] else None


def is_html(text: str) -> bool:
    """Whether decoded text is a page: a tag opens it, or it holds a whole page or a body of one."""
    head = text[:4000].lstrip("\ufeff \t\r\n")
    return bool(head.startswith("<") and _HTML.search(head)) or bool(
        re.search(r"<(?:html|body)\b", head, re.IGNORECASE)
    )


def _sniff_zip(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {info.filename.lower().replace("\\", "/") for info in archive.infolist()[:3000]}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        # Cut off: the table of contents at its end is gone, the names before each part are not.
        names = {name for name in ("word/document.xml", "xl/workbook.xml") if name.encode() in data}
    if any(re.fullmatch(r"word/document\d*\.xml", name) for name in names):
        return DOCX
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return XLSX
    return ZIP


def _sniff_ole(data: bytes) -> str:
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            if ole.exists("EncryptedPackage"):
                return ENCRYPTED
            if ole.exists("WordDocument"):
                return DOC
            if ole.exists("Workbook") or ole.exists("Book"):
                return XLS
    except Exception:  # olefile raises many kinds on damaged files
        return OLE
    return OLE
