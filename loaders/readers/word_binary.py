"""Binary Word files (Word 97 to 2003, WPS) to blocks, after the published format [MS-DOC].

In: an open compound file. Out: its paragraphs and tables in reading order, then its text boxes. The text comes
from the piece table, a table from the marks that end cells and rows, its slots from the cell edges that each row
states. Rows that do not state as many cells as they have leave their table without spans: one slot a cell.
Deleted and hidden text, field codes, headers, footers, notes and comments are left out; so are the numbers of
automatic lists, which are not part of the text. Refuses files with a password and those older than Word 97.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from loaders.errors import DocumentRejected
from loaders.readers.build import MAX_TEXT
from loaders.readers.container import read_stream
from loaders.readers.word_blocks import WordBlock, WordCell, WordTable, refuse_deep

_WORD_97, _WORD_95 = 0xA5EC, (0xA5DC, 0xA59B, 0xA59C, 0xA5DB)
_ENCRYPTED, _SECOND_TABLE_STREAM = 0x0100, 0x0200
_PAGE = 512
# Lengths of the stories in the order in which they stand in the text, up to the text boxes.
_STORIES_AT = 0x4C
_CHPX_AT, _PAPX_AT, _CLX_AT = 0x00FA, 0x0102, 0x01A2
# Property modifiers ("sprm") of paragraphs, rows and characters.
_IN_TABLE, _ROW_END, _DEPTH, _DEEPER = 0x2416, 0x2417, 0x6649, 0x664A
_INNER_CELL_END, _INNER_ROW_END = 0x244B, 0x244C
_ELSEWHERE = (0x6645, 0x6646)
_DEFINE_ROW, _MERGE, _SPLIT, _MERGE_DOWN = 0xD608, 0x5624, 0x5625, 0xD62B
# These move, add or drop cells of a definition that came before.
_REDEFINE = (0x7621, 0x5622, 0x7623)
_CHANGE_TABS = 0xC615
_DELETED, _HIDDEN, _SYMBOL, _RAISED = 0x0800, 0x083C, 0x6A09, 0x2A48
_OPERAND_BYTES = {0: 1, 1: 1, 2: 2, 3: 4, 4: 2, 5: 2, 7: 3}
_FIELD_BEGIN, _FIELD_RESULT, _FIELD_END = "\x13", "\x14", "\x15"
_CELL_MARK = "\x07"
_SIGNS = {"\x0b": "\n", "\x0e": "\n", "\x1e": "-", "\t": "\t"}
# Edges of cells that are nearer than this (in twentieths of a point) are the same line on the page.
_SAME_EDGE = 20
_CP1252 = bytes(range(256)).decode("cp1252", errors="replace")


@dataclass(slots=True)
class _Paragraph:
    """A paragraph with what ends it: in tables ``depth`` deep, the end of a cell or of a row, and the row's cells."""

    text: str
    depth: int = 0
    ends_cell: bool = False
    ends_row: bool = False
    row: _RowCells | None = None


@dataclass(slots=True)
class _RowCells:
    """What a row states of its cells: their edges and, for each, whether it goes on from the left or from above."""

    edges: list[int]
    from_left: list[bool]
    down: list[int]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of text: first character, number of characters, where its bytes are, and whether one byte each."""

    start: int
    count: int
    offset: int
    is_narrow: bool
    properties: bytes

    def offset_of(self, position: int) -> int:
        """Where the bytes of a character are."""
        return self.offset + (position - self.start) * (1 if self.is_narrow else 2)


@dataclass(slots=True)
class _Runs:
    """Stretches of the file with the properties of their characters or paragraphs, in order of place."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    properties: list[bytes] = field(default_factory=list)

    def at(self, offset: int) -> bytes:
        """The properties of what stands at a place; empty where nothing is stated."""
        found = bisect_right(self.starts, offset) - 1
        return self.properties[found] if found >= 0 and offset < self.ends[found] else b""


def read_binary_blocks(ole: Any) -> list[WordBlock]:
    """The blocks of a binary Word file in reading order.

    Raises:
        DocumentRejected: ``encrypted_document``, ``unsupported_format``, ``damaged_document``,
            ``hostile_structure`` or ``too_large``.
    """
    main = read_stream(ole, "WordDocument")
    flags = _check_header(main)
    table = read_stream(ole, "1Table" if flags & _SECOND_TABLE_STREAM else "0Table")
    more = read_stream(ole, "Data") if ole.exists("Data") else b""
    file = _File(main, table, more)
    lengths = struct.unpack_from("<8i", main, _STORIES_AT)
    if min(lengths) < 0:
        raise DocumentRejected("damaged_document", "the header states a negative length of text")
    boxes_start = sum(lengths[:6])
    blocks = _blocks(list(file.paragraphs(0, lengths[0])), 0)
    return blocks + _blocks(list(file.paragraphs(boxes_start, boxes_start + lengths[6])), 0)


def _check_header(main: bytes) -> int:
    """The flags of the header of a file that can be read."""
    if len(main) < 32:
        raise DocumentRejected("damaged_document", "the Word header is cut off")
    magic, version = struct.unpack_from("<HH", main)
    flags: int = struct.unpack_from("<H", main, 10)[0]
    if magic in _WORD_95 or (magic == _WORD_97 and version < 0x00C0):
        message = "the file was saved by Word 95 or older; open it in Word or WPS and save it as .docx"
        raise DocumentRejected("unsupported_format", message)
    if magic != _WORD_97:
        raise DocumentRejected("damaged_document", "the Word header is not that of a Word file")
    if flags & _ENCRYPTED:
        raise DocumentRejected("encrypted_document", "the file has a password; supply a copy without")
    return flags


class _File:
    """The streams of a binary Word file with the tables that say where its text and properties are."""

    def __init__(self, main: bytes, table: bytes, more: bytes) -> None:
        self._main = main
        self._table = table
        self._more = more
        self._pieces = self._read_pieces()
        self._starts = [piece.start for piece in self._pieces]
        self._paragraph_runs = self._read_runs(_PAPX_AT, 13, _paragraph_properties)
        self._character_runs = self._read_runs(_CHPX_AT, 1, _character_properties)

    def _structure(self, at: int) -> bytes:
        """A structure of the table stream that the header points to."""
        offset, size = struct.unpack_from("<II", self._main, at)
        if offset + size > len(self._table):
            raise DocumentRejected("damaged_document", "the header points beyond the end of the file")
        return self._table[offset : offset + size]

    def _read_pieces(self) -> list[_Piece]:
        clx = self._structure(_CLX_AT)
        modifiers: list[bytes] = []
        at = 0
        while at < len(clx) and clx[at] == 1:
            size = struct.unpack_from("<H", clx, at + 1)[0]
            modifiers.append(clx[at + 3 : at + 3 + size])
            at += 3 + size
        if at >= len(clx) or clx[at] != 2:
            raise DocumentRejected("damaged_document", "the file has no table of its text")
        size = struct.unpack_from("<I", clx, at + 1)[0]
        plc = clx[at + 5 : at + 5 + size]
        count = (len(plc) - 4) // 12
        positions = struct.unpack_from(f"<{count + 1}I", plc)
        if positions[-1] > MAX_TEXT:
            raise DocumentRejected("too_large", f"the document holds more than {MAX_TEXT:,} characters of text")
        pieces = []
        for n, (start, end) in enumerate(pairwise(positions)):
            offset, modifier = struct.unpack_from("<IH", plc, 4 * (count + 1) + 8 * n + 2)
            narrow = bool(offset & 0x40000000)
            offset &= 0x3FFFFFFF
            piece = _Piece(start, end - start, offset // 2 if narrow else offset, narrow, b"")
            if end < start or piece.offset_of(end) > len(self._main):
                raise DocumentRejected("damaged_document", "the text is cut off")
            if modifier & 1 and modifier >> 1 < len(modifiers):
                piece = _Piece(start, end - start, piece.offset, narrow, modifiers[modifier >> 1])
            pieces.append(piece)
        return pieces

    def _read_runs(self, at: int, entry_size: int, read: Any) -> _Runs:
        """The runs of the pages that a structure lists; a page is 512 bytes and states its own number of runs."""
        plc = self._structure(at)
        count = (len(plc) - 4) // 8
        runs: list[tuple[int, int, bytes]] = []
        # A page listed twice would say the same twice.
        pages = dict.fromkeys(struct.unpack_from(f"<{max(0, count)}I", plc, 4 * (count + 1)) if count > 0 else ())
        for number in pages:
            page = self._main[(number & 0x3FFFFF) * _PAGE : ((number & 0x3FFFFF) + 1) * _PAGE]
            if len(page) < _PAGE:
                raise DocumentRejected("damaged_document", "the properties of the text are cut off")
            n = page[-1]
            if 4 * (n + 1) + entry_size * n >= _PAGE:
                raise DocumentRejected("damaged_document", "the properties of the text are broken")
            bounds = struct.unpack_from(f"<{n + 1}I", page)
            for k, (start, end) in enumerate(pairwise(bounds)):
                runs.append((start, end, read(page, 2 * page[4 * (n + 1) + entry_size * k])))
        runs.sort(key=lambda run: run[0])
        return _Runs([run[0] for run in runs], [run[1] for run in runs], [run[2] for run in runs])

    # ---- text

    def paragraphs(self, start: int, end: int) -> Iterator[_Paragraph]:
        """The paragraphs of a stretch of text, with what is printed of each."""
        parts: list[str] = []
        in_code: list[bool] = []
        for position, offset, text in self._stretches(start, end):
            properties = self._character_runs.at(offset)
            shown = _Shown.of(properties)
            for n, character in enumerate(text):
                if character in "\r\x07\x0c":
                    if character == _CELL_MARK or not shown.is_left_out:
                        yield self._paragraph("".join(parts), position + n, character)
                        parts, in_code = [], []
                elif character == _FIELD_BEGIN:
                    in_code.append(True)
                elif character == _FIELD_RESULT and in_code:
                    in_code[-1] = False
                elif character == _FIELD_END and in_code:
                    in_code.pop()
                elif not shown.is_left_out and not any(in_code):
                    printed = shown.symbol if shown.symbol else _SIGNS.get(character, character)
                    if n == 0 and shown.raised and printed.isdigit() and parts and parts[-1].isdigit():
                        parts.append(shown.raised)
                    if printed >= " " or printed in "\n\t":
                        parts.append(printed)
        if parts:
            yield _Paragraph("".join(parts))

    def _stretches(self, start: int, end: int) -> Iterator[tuple[int, int, str]]:
        """The text in stretches of the same properties: first character, place in the file, characters."""
        runs = self._character_runs
        first = max(0, bisect_right(self._starts, start) - 1)
        for piece in self._pieces[first:]:
            position = max(start, piece.start)
            stop = min(end, piece.start + piece.count)
            if piece.start >= end:
                break
            width = 1 if piece.is_narrow else 2
            while position < stop:
                offset = piece.offset_of(position)
                at = bisect_right(runs.starts, offset)
                bound = runs.starts[at] if at < len(runs.starts) else len(self._main)
                if at and offset < runs.ends[at - 1]:
                    bound = min(bound, runs.ends[at - 1])
                count = min(stop - position, max(1, (bound - offset) // width))
                yield position, offset, self._decode(offset, count, piece.is_narrow)
                position += count

    def _decode(self, offset: int, count: int, is_narrow: bool) -> str:
        if is_narrow:
            return "".join(_CP1252[byte] for byte in self._main[offset : offset + count])
        return self._main[offset : offset + 2 * count].decode("utf-16-le", errors="replace")

    def _paragraph(self, text: str, position: int, mark: str) -> _Paragraph:
        piece = self._pieces[max(0, bisect_right(self._starts, position) - 1)]
        properties = self._paragraph_runs.at(piece.offset_of(position)) + piece.properties
        paragraph = _Paragraph(text)
        in_table = False
        for code, operand in self._modifiers(properties):
            if code == _IN_TABLE:
                in_table = bool(operand[0])
            elif code == _DEPTH:
                paragraph.depth = struct.unpack("<i", operand)[0]
            elif code == _DEEPER:
                paragraph.depth += struct.unpack("<i", operand)[0]
            elif code in (_ROW_END, _INNER_ROW_END):
                paragraph.ends_row = bool(operand[0])
            elif code == _INNER_CELL_END:
                paragraph.ends_cell = bool(operand[0])
            else:
                paragraph.row = _row_cells(code, operand, paragraph.row)
        if mark == _CELL_MARK:
            # The mark says more than properties that are missing.
            in_table, paragraph.ends_cell = True, not paragraph.ends_row
        paragraph.depth = max(1, paragraph.depth) if in_table else 0
        if paragraph.ends_row:
            paragraph.ends_cell = False
        return paragraph

    def _modifiers(self, properties: bytes, is_inner: bool = False) -> Iterator[tuple[int, bytes]]:
        """Every modifier with its operand; a list that is too long for its page stands in another stream."""
        for code, operand in _split_modifiers(properties):
            if code not in _ELSEWHERE:
                yield code, operand
                continue
            offset = struct.unpack("<I", operand)[0]
            if not is_inner and offset + 2 <= len(self._more):
                size = struct.unpack_from("<H", self._more, offset)[0]
                yield from self._modifiers(self._more[offset + 2 : offset + 2 + size], is_inner=True)


@dataclass(frozen=True, slots=True)
class _Shown:
    """How the characters of a run are printed: not at all, as a sign of a symbol font, raised or lowered."""

    is_left_out: bool = False
    symbol: str = ""
    raised: str = ""

    @classmethod
    def of(cls, properties: bytes) -> _Shown:
        """What the properties of a run say."""
        deleted = hidden = False
        symbol = raised = ""
        for code, operand in _split_modifiers(properties):
            if code == _DELETED:
                deleted = bool(operand[0] & 1)
            elif code == _HIDDEN:
                hidden = bool(operand[0] & 1)
            elif code == _SYMBOL:
                symbol = operand[2:4].decode("utf-16-le", errors="replace")
            elif code == _RAISED:
                raised = {1: "^", 2: "_"}.get(operand[0], "")
        return cls(deleted or hidden, symbol, raised)


def _paragraph_properties(page: bytes, at: int) -> bytes:
    if not at:
        return b""
    size = 2 * page[at] - 1
    if page[at] == 0:
        at, size = at + 1, 2 * page[at + 1]
    # The first two bytes name the style.
    return page[at + 3 : at + 1 + size]


def _character_properties(page: bytes, at: int) -> bytes:
    return page[at + 1 : at + 1 + page[at]] if at else b""


def _split_modifiers(properties: bytes) -> Iterator[tuple[int, bytes]]:
    """Every modifier with its operand, variable operands without their length."""
    at = 0
    while at + 3 <= len(properties):
        code = struct.unpack_from("<H", properties, at)[0]
        at += 2
        size = _OPERAND_BYTES.get(code >> 13)
        if size is None:
            if code == _DEFINE_ROW:
                size = struct.unpack_from("<H", properties, at)[0] - 1 if at + 2 <= len(properties) else 0
                at += 2
            else:
                size = properties[at]
                if code == _CHANGE_TABS and size == 255:
                    return
                at += 1
        operand = properties[at : at + size]
        if len(operand) < size:
            return
        yield code, operand
        at += size


# ---- tables


def _row_cells(code: int, operand: bytes, row: _RowCells | None) -> _RowCells | None:
    """What a row states of its cells after one more modifier."""
    if code == _DEFINE_ROW and operand:
        count = operand[0]
        if len(operand) < 1 + 2 * (count + 1):
            return None
        edges = list(struct.unpack_from(f"<{count + 1}h", operand, 1))
        stated = operand[1 + 2 * (count + 1) :]
        flags = [struct.unpack_from("<H", stated, at)[0] for at in range(0, min(len(stated) - 1, 20 * count), 20)]
        flags += [0] * (count - len(flags))
        return _RowCells(edges, [flag & 3 == 1 for flag in flags], [flag >> 5 & 3 for flag in flags])
    if row is None or code in _REDEFINE:
        return None
    if code in (_MERGE, _SPLIT):
        first, end = operand[0], min(operand[1], len(row.from_left))
        for at in range(first, end):
            row.from_left[at] = code == _MERGE and at > first
    elif code == _MERGE_DOWN and len(operand) >= 2 and operand[0] < len(row.down):
        row.down[operand[0]] = operand[1] & 3
    return row


@dataclass(slots=True)
class _Row:
    cells: list[list[WordBlock]]
    stated: _RowCells | None


def _blocks(paragraphs: Sequence[_Paragraph], depth: int) -> list[WordBlock]:
    """Paragraphs of one depth with the tables between them."""
    refuse_deep(depth)
    out: list[WordBlock] = []
    at = 0
    while at < len(paragraphs):
        if paragraphs[at].depth <= depth:
            out.append(paragraphs[at].text)
            at += 1
            continue
        end = at
        while end < len(paragraphs) and paragraphs[end].depth > depth:
            end += 1
        out.append(_table(list(_rows(paragraphs[at:end], depth + 1))))
        at = end
    return out


def _rows(paragraphs: Sequence[_Paragraph], depth: int) -> Iterator[_Row]:
    cells: list[list[WordBlock]] = []
    pending: list[_Paragraph] = []
    for paragraph in paragraphs:
        if paragraph.depth == depth and paragraph.ends_row:
            if pending:
                cells.append(_blocks(pending, depth))
            yield _Row(cells, paragraph.row)
            cells, pending = [], []
            continue
        pending.append(paragraph)
        if paragraph.depth == depth and paragraph.ends_cell:
            cells.append(_blocks(pending, depth))
            pending = []
    if pending:
        cells.append(_blocks(pending, depth))
    if cells:
        yield _Row(cells, None)


def _table(rows: Sequence[_Row]) -> WordTable:
    stated = [row.stated for row in rows if row.stated and len(row.stated.edges) == len(row.cells) + 1]
    lines = _lines([edge for row in stated for edge in row.edges])
    # Two cells in one slot would hide the second.
    apart = all(lines[left] < lines[right] for row in stated for left, right in pairwise(row.edges))
    if len(stated) < len(rows) or not apart:
        plain = [WordCell(r, c, blocks=blocks) for r, row in enumerate(rows) for c, blocks in enumerate(row.cells)]
        return WordTable(plain)
    cells: list[WordCell] = []
    going_on: dict[int, WordCell] = {}
    for at, row in enumerate(rows):
        if row.stated:
            going_on = _place_row(at, row.cells, row.stated, lines, going_on, cells)
    return WordTable(cells)


def _lines(edges: Sequence[int]) -> dict[int, int]:
    """The number of the line on the page that each edge stands for."""
    lines: dict[int, int] = {}
    number, first = -1, 0
    for edge in sorted(set(edges)):
        if number < 0 or edge - first > _SAME_EDGE:
            number, first = number + 1, edge
        lines[edge] = number
    return lines


def _place_row(
    at: int,
    contents: Sequence[list[WordBlock]],
    stated: _RowCells,
    lines: dict[int, int],
    above: dict[int, WordCell],
    cells: list[WordCell],
) -> dict[int, WordCell]:
    """Add the cells of a row; the vertical merges that may go on below it, by their first line."""
    going_on: dict[int, WordCell] = {}
    last: WordCell | None = None
    for n, blocks in enumerate(contents):
        column, end = lines[stated.edges[n]], lines[stated.edges[n + 1]]
        span = max(1, end - column)
        anchor = above.get(column) if stated.down[n] == 1 else None
        if stated.from_left[n] and last is not None:
            if last.row == at:
                last.column_span = max(last.column_span, end - last.column)
        elif anchor is not None and (anchor.column_span == span or any(stated.from_left)):
            anchor.row_span = at - anchor.row + 1
            going_on[column] = last = anchor
        else:
            # What goes on from nothing above is a cell of its own.
            last = WordCell(at, column, 1, span, blocks)
            cells.append(last)
            if stated.down[n]:
                going_on[column] = last
    return going_on
