"""A font for reading: every character is a plain box, so that no font of the machine is loaded.

A PDF may name fonts that it does not hold, as most old Chinese ones do. pdfium then loads one of the machine, parses
its megabytes and draws the outline of each character to measure it; where the machine has none, characters that
stand alone are left out of the text. Under :func:`box_font` it takes a font made here. What a page says and
where its characters stand come from the file; fonts that the file holds are used as ever. Pictures of pages are
drawn outside of it.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

import pypdfium2.raw as pdfium

_EM = 1000
_ASCENT, _DESCENT = 880, -120
_GLYPHS = 0xFFFF
# Left, bottom, right and top of the boxes: within any Latin letter, of a digit, of a Chinese character.
_BOXES = ((0, -20, 200, 700), (0, -20, 500, 700), (0, -80, 960, 825))
_LETTER, _DIGIT, _FULL = 3, 1, 2
# The first and the last character, and the glyph of both and all between them; a Chinese comma is low.
_CHARACTERS = (
    (0x21, 0x2F, _LETTER),
    (0x30, 0x39, _DIGIT),
    (0x3A, 0x2E7F, _LETTER),
    (0x2E80, 0x3000, _FULL),
    (0x3001, 0x3002, _DIGIT),
    (0x3003, 0xFF0B, _FULL),
    (0xFF0C, 0xFF0E, _DIGIT),
    (0xFF0F, 0xFFFD, _FULL),
    (0x10000, 0x10FFFF, _FULL),
)
_GB2312_CHARSET = 134
_HANDLE = 1


def _outline(left: int, bottom: int, right: int, top: int) -> bytes:
    """A rectangle as a glyph of TrueType, on a four byte boundary."""
    head = struct.pack(">hhhhhHH", 1, left, bottom, right, top, 3, 0)
    xs, ys = (left, 0, right - left, 0), (bottom, top - bottom, 0, bottom - top)
    return (head + bytes([1] * 4) + struct.pack(">8h", *xs, *ys)).ljust(36, b"\0")


@cache
def make_box_font() -> bytes:
    """A TrueType font of three boxes that holds every character.

    Whatever number a glyph has it is one of the three: ``loca`` starts anew after each third, and a glyph whose end
    lies before its start reaches to the end of ``glyf``.
    """
    outlines = [_outline(*box) for box in _BOXES]
    size = len(outlines[0]) // 2
    cmap = struct.pack(">HHHHI", 0, 1, 3, 10, 12)
    cmap += struct.pack(">HHIII", 13, 0, 16 + 12 * len(_CHARACTERS), 0, len(_CHARACTERS))
    cmap += b"".join(struct.pack(">III", *group) for group in _CHARACTERS)
    tables = {
        b"cmap": cmap,
        b"glyf": b"".join(outlines),
        b"head": struct.pack(
            ">IIIIHHQQhhhhHHhhh",
            *(0x10000, 0x10000, 0, 0x5F0F3CF5, 0, _EM, 0, 0),
            *(0, _DESCENT, _EM, _ASCENT, 0, 8, 2, 0, 0),
        ),
        b"hhea": struct.pack(">IhhhHhhhhhh8xhH", 0x10000, _ASCENT, _DESCENT, 0, _EM, 0, 0, _EM, 1, 0, 0, 0, 1),
        b"hmtx": struct.pack(">Hh", _EM, 0),
        b"loca": struct.pack(">HHH", 0, size, 2 * size) * (_GLYPHS // 3) + struct.pack(">H", 0),
        b"maxp": struct.pack(">IH26x", 0x10000, _GLYPHS),
    }
    return _joined(tables)


def _joined(tables: dict[bytes, bytes]) -> bytes:
    at = 12 + 16 * len(tables)
    directory, body = struct.pack(">IHHHH", 0x10000, len(tables), 0, 0, 0), b""
    for tag, table in sorted(tables.items()):
        directory += tag + struct.pack(">III", 0, at + len(body), len(table))
        body += table.ljust(-(-len(table) // 4) * 4, b"\0")
    return directory + body


def _map_font(*_: object) -> int:
    return _HANDLE


def _font_data(_info: object, _font: object, table: int, buffer: Any, size: int) -> int:
    """The whole font; no single table is needed."""
    if table:
        return 0
    data = make_box_font()
    if buffer and size >= len(data):
        ctypes.memmove(buffer, data, len(data))
    return len(data)


def _face_name(_info: object, _font: object, buffer: Any, size: int) -> int:
    name = b"Boxes\0"
    if buffer and size >= len(name):
        ctypes.memmove(buffer, name, len(name))
    return len(name)


_FIELDS = dict(pdfium.FPDF_SYSFONTINFO._fields_)
# Held here for as long as pdfium may call it.
_SYSTEM_FONTS = pdfium.FPDF_SYSFONTINFO(
    version=1,
    MapFont=_FIELDS["MapFont"](_map_font),
    GetFont=_FIELDS["GetFont"](_map_font),
    GetFontData=_FIELDS["GetFontData"](_font_data),
    GetFaceName=_FIELDS["GetFaceName"](_face_name),
    GetFontCharset=_FIELDS["GetFontCharset"](lambda *_: _GB2312_CHARSET),
)


# To be freed once pdfium has let it go.
_of_machine: list[Any] = []
_one_at_a_time = Lock()


@contextmanager
def box_font() -> Iterator[None]:
    """Fonts that a file does not hold are boxes; afterwards pdfium takes those of the machine again.

    The fonts are those of the whole process, so that one thread at a time reads.
    """
    with _one_at_a_time:
        try:
            pdfium.FPDF_SetSystemFontInfo(_SYSTEM_FONTS)
            while _of_machine:
                pdfium.FPDF_FreeDefaultSystemFontInfo(_of_machine.pop())
            yield
        finally:
            _of_machine.append(pdfium.FPDF_GetDefaultSystemFontInfo())
            pdfium.FPDF_SetSystemFontInfo(_of_machine[-1])
