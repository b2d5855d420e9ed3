"""A first look into workbooks, before the native reader opens them.

In: the bytes of a workbook. Out: bytes that the native reader can open without danger, and for every sheet what it
does not tell: number formats that change how a figure is printed, and formulas without a result. The native
reader takes memory for the whole rectangle between the first and the last filled cell and ends the process where
that is too much; so a sheet with few cells far apart is refused here (``hostile_structure``), before it is opened.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

import olefile
from lxml import etree

from loaders.errors import DocumentRejected
from loaders.readers.container import Archive, open_ole, read_stream

MAX_RECTANGLE = 1_000_000
_REFERENCE = re.compile(r"([A-Z]{1,7})([0-9]{1,9})")
_MAX_ROW, _MAX_COLUMN = 1_048_576, 16_384
_RELATION_ID = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id",
    "{http://purl.oclc.org/ooxml/officeDocument/relationships}id",
)
_PERCENT_FORMATS = {9: "0%", 10: "0.00%"}
# Records of binary workbooks.
_EOF, _BOF, _PASSWORD, _SHEET, _DIMENSIONS, _FORMAT, _XF = 0x0A, 0x809, 0x2F, 0x85, 0x200, 0x41E, 0xE0
_ONE_CELL = frozenset({0x203, 0x27E, 0xFD, 0x204, 0x06, 0x205, 0xD6, 0x206, 0x406})
_CELL_ROW = 0xBD


@dataclass(slots=True)
class SheetFacts:
    """What a first look tells of a sheet: formats by cell (0-based), and formulas that have no result."""

    formats: dict[tuple[int, int], str] = field(default_factory=dict)
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)
    _box: list[int] = field(default_factory=list)

    def see(self, row: int, column: int) -> None:
        """Widen the rectangle of filled cells.

        Raises:
            DocumentRejected: ``hostile_structure`` when it is larger than a report can need.
        """
        box = self._box
        if not box:
            self._box = [row, row, column, column]
            return
        if box[0] <= row <= box[1] and box[2] <= column <= box[3]:
            return
        self._box = box = [min(box[0], row), max(box[1], row), min(box[2], column), max(box[3], column)]
        if self.rectangle > MAX_RECTANGLE:
            message = f"the filled cells lie {self.rectangle:,} slots apart; the limit is {MAX_RECTANGLE:,}"
            raise DocumentRejected("hostile_structure", message)

    @property
    def rectangle(self) -> int:
        """How many slots lie between the first and the last filled cell."""
        box = self._box
        return (box[1] - box[0] + 1) * (box[3] - box[2] + 1) if box else 0

    @property
    def box(self) -> tuple[int, int, int, int]:
        """First row, row after the last, first column, column after the last."""
        box = self._box or [0, -1, 0, -1]
        return box[0], box[1] + 1, box[2], box[3] + 1


def scan_workbook(data: bytes) -> tuple[bytes, dict[str, SheetFacts]]:
    """Bytes to open and the facts of each sheet, by its name for XML and by its number for binary workbooks.

    Raises:
        DocumentRejected: ``encrypted_document``, ``damaged_document``, ``hostile_structure`` or
            ``unsupported_format``.
    """
    if data.startswith(olefile.MAGIC):
        return _scan_binary(data)
    return _scan_package(Archive(data))


# ---- packages of XML


def _scan_package(archive: Archive) -> tuple[bytes, dict[str, SheetFacts]]:
    main_part = archive.main_part("xl/workbook.xml")
    if not main_part.endswith(".xml"):
        raise DocumentRejected("unsupported_format", "a binary .xlsb workbook; save it as .xlsx")
    formats = _number_formats(archive, main_part)
    parts = {name: archive.read(name) for name in archive.names if name.endswith((".xml", ".rels"))}
    facts = {part: _scan_sheet(content, part, formats) for part, content in parts.items() if "/worksheets/" in part}
    by_name = {name: facts[part] for name, part in _sheet_parts(archive, main_part) if part in facts}
    # Only what was looked at is handed on, and unpacked, so that no part can be more than it said.
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as checked:
        for name, written in archive.written_names.items():
            if name in parts:
                checked.writestr(written, parts[name])
    return out.getvalue(), by_name


def _sheet_parts(archive: Archive, main_part: str) -> Iterator[tuple[str, str]]:
    """The names of the sheets with their parts."""
    folder, name = posixpath.split(main_part)
    relations = archive.read_optional_xml(f"{folder}/_rels/{name}.rels")
    targets = {}
    for relation in () if relations is None else relations:
        target = str(relation.get("Target", ""))
        path = target if target.startswith("/") else posixpath.join(folder, target)
        targets[relation.get("Id")] = posixpath.normpath(path).lstrip("/").lower()
    for sheet in archive.read_xml(main_part).iter("{*}sheet"):
        identifier = next((sheet.get(key) for key in _RELATION_ID if sheet.get(key)), None)
        yield str(sheet.get("name", "")), targets.get(identifier, "")


def _number_formats(archive: Archive, main_part: str) -> dict[str, str]:
    """The number formats that change how a figure is printed, by the number of the cell style."""
    root = archive.read_optional_xml(posixpath.join(posixpath.dirname(main_part), "styles.xml"))
    styles = None if root is None else root.find("{*}cellXfs")
    if root is None or styles is None:
        return {}
    codes = {e.get("numFmtId", ""): e.get("formatCode", "") for e in root.iter("{*}numFmt")}
    codes |= {str(number): code for number, code in _PERCENT_FORMATS.items()}
    used = {str(n): codes.get(e.get("numFmtId", ""), "") for n, e in enumerate(styles)}
    return {style: code for style, code in used.items() if code}


def _scan_sheet(content: bytes, part: str, formats: dict[str, str]) -> SheetFacts:
    if b"<!DOCTYPE" in content:
        raise DocumentRejected("hostile_structure", f"the part {part} declares a document type")
    facts = SheetFacts()
    events = etree.iterparse(
        io.BytesIO(content),
        events=("start", "end"),
        tag=("{*}c", "{*}row"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    row = column = -1
    try:
        for event, element in events:
            is_row = element.tag.endswith("}row")
            if event == "start":
                if is_row:
                    row, column = int(element.get("r", row + 2)) - 1, -1
                continue
            if is_row:
                element.clear()
                continue
            reference = element.get("r")
            at, column = _position(reference, part) if reference else (row, column + 1)
            children = {etree.QName(child).localname: child for child in element if isinstance(child.tag, str)}
            if children:
                facts.see(at, column)
            style = element.get("s", "")
            if style in formats:
                facts.formats[at, column] = formats[style]
            formula = children.get("f")
            if formula is not None and not (children["v"].text if "v" in children else None):
                facts.formulas[at, column] = "=" + (formula.text or "")
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentRejected("damaged_document", f"the part {part} cannot be parsed: {error}") from error
    return facts


def _position(reference: str, part: str) -> tuple[int, int]:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise DocumentRejected("damaged_document", f"the part {part} has a cell named {reference[:20]!r}")
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    row = int(match[2])
    if not 0 < row <= _MAX_ROW or column > _MAX_COLUMN:
        raise DocumentRejected("hostile_structure", f"the part {part} has a cell {reference} outside any sheet")
    return row - 1, column - 1


# ---- binary workbooks


def _scan_binary(data: bytes) -> tuple[bytes, dict[str, SheetFacts]]:
    with open_ole(data) as ole:
        if ole.exists("EncryptedPackage"):
            raise DocumentRejected("encrypted_document", "the workbook has a password; supply a copy without")
        name = "Workbook" if ole.exists("Workbook") else "Book"
        stream = read_stream(ole, name)
        offsets, formats = _scan_globals(stream)
        facts: dict[str, SheetFacts] = {}
        claims: list[tuple[int, SheetFacts]] = []
        for number, offset in enumerate(offsets):
            facts[str(number)], claimed = _scan_binary_sheet(stream, offset, formats)
            claims += [(at, facts[str(number)]) for at in claimed]
    return (_with_true_dimensions(data, name, stream, claims) if claims else data), facts


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, bytes]]:
    """The records from a place on: kind, place, content, to the end of the part that begins there."""
    depth = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        if at + 4 + size > len(stream):
            raise DocumentRejected("damaged_document", "the workbook is cut off")
        yield kind, at, stream[at + 4 : at + 4 + size]
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 0:
            return
        at += 4 + size
    raise DocumentRejected("damaged_document", "the workbook is cut off")


def _scan_globals(stream: bytes) -> tuple[list[int], dict[int, str]]:
    """Where the sheets begin, and the number formats that change how a figure is printed, by cell style."""
    offsets: list[int] = []
    codes = dict(_PERCENT_FORMATS)
    used: list[int] = []
    for kind, _, content in _records(stream, 0):
        if kind == _PASSWORD:
            raise DocumentRejected("encrypted_document", "the workbook has a password; supply a copy without")
        if kind == _SHEET and len(content) >= 4:
            offsets.append(struct.unpack_from("<I", content)[0])
        elif kind == _FORMAT and len(content) >= 5:
            number, _, wide = struct.unpack_from("<HHB", content)
            codes[number] = content[5:].decode("utf-16-le" if wide & 1 else "latin-1", errors="replace")
        elif kind == _XF and len(content) >= 4:
            used.append(struct.unpack_from("<H", content, 2)[0])
    return offsets, {style: codes[number] for style, number in enumerate(used) if number in codes}


def _scan_binary_sheet(stream: bytes, offset: int, formats: dict[int, str]) -> tuple[SheetFacts, list[int]]:
    """The facts of a sheet, and the places of records that claim a larger rectangle than can be allowed."""
    if stream[offset : offset + 2] != struct.pack("<H", _BOF):
        raise DocumentRejected("damaged_document", "a sheet of the workbook does not begin where it should")
    facts = SheetFacts()
    claims: list[int] = []
    for kind, at, content in _records(stream, offset):
        if kind in _ONE_CELL and len(content) >= 6:
            row, column, style = struct.unpack_from("<HHH", content)
            facts.see(row, column)
            if style in formats:
                facts.formats[row, column] = formats[style]
        elif kind == _CELL_ROW and len(content) >= 6:
            row, first = struct.unpack_from("<HH", content)
            last = struct.unpack_from("<H", content, len(content) - 2)[0]
            facts.see(row, first)
            facts.see(row, last)
            for n in range((len(content) - 6) // 6):
                style = struct.unpack_from("<H", content, 4 + 6 * n)[0]
                if style in formats:
                    facts.formats[row, first + n] = formats[style]
        elif kind == _DIMENSIONS and len(content) in (10, 14):
            box = struct.unpack_from("<IIHH" if len(content) == 14 else "<HHHH", content)
            if max(0, box[1] - box[0]) * max(0, box[3] - box[2]) > MAX_RECTANGLE or box[1] < box[0] or box[3] < box[2]:
                claims.append(at)
    return facts, claims


def _with_true_dimensions(data: bytes, name: str, stream: bytes, claims: list[tuple[int, SheetFacts]]) -> bytes:
    """The workbook with the rectangles that its cells fill in place of larger ones that it claims."""
    changed = bytearray(stream)
    for at, facts in claims:
        size = struct.unpack_from("<H", stream, at + 2)[0]
        struct.pack_into("<IIHH" if size == 14 else "<HHHH", changed, at + 4, *facts.box)
    out = io.BytesIO(data)
    with olefile.OleFileIO(out, write_mode=True) as ole:
        ole.write_stream(name, bytes(changed))
        return out.getvalue()
