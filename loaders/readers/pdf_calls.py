"""The calls of pdfium that are made for every character and line of a page.

A page asks thousands of times, and the check of each argument by its declared type costs more than the answer. These
are the same functions without it. They take a :class:`Handle`, small whole numbers and buffers by reference, nothing
else; :func:`plain` makes a handle of one of pypdfium2. The ``FLOATS`` and ``DOUBLES`` read the buffers.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any

import pypdfium2.raw as pdfium


class Handle(ctypes.c_void_p):
    """A pointer of pdfium; a subclass, so that ctypes gives it back as it is and not as a number."""


def plain(pointer: Any) -> Handle:
    """The handle of an object of pypdfium2, which has to outlive it."""
    return Handle(ctypes.cast(pointer, ctypes.c_void_p).value)


def _unchecked(function: Any, result: Any = ctypes.c_int, *arguments: Any) -> Callable[..., Any]:
    """The function without its declared arguments; ``arguments`` are for one that takes other numbers than ``int``."""
    address = ctypes.cast(function, ctypes.c_void_p).value or 0
    call: Callable[..., Any] = ctypes.CFUNCTYPE(result, *arguments)(address)
    return call


TWO_FLOATS = struct.Struct("2f").unpack_from
FOUR_FLOATS = struct.Struct("4f").unpack_from
SIX_FLOATS = struct.Struct("6f").unpack_from
TWO_DOUBLES = struct.Struct("2d").unpack_from

get_char = _unchecked(pdfium.FPDFText_GetUnicode, ctypes.c_uint)
get_box = _unchecked(pdfium.FPDFText_GetLooseCharBox)
get_origin = _unchecked(pdfium.FPDFText_GetCharOrigin)
get_angle = _unchecked(pdfium.FPDFText_GetCharAngle, ctypes.c_float)

get_object = _unchecked(pdfium.FPDFPage_GetObject, Handle)
count_form_objects = _unchecked(pdfium.FPDFFormObj_CountObjects)
get_form_object = _unchecked(pdfium.FPDFFormObj_GetObject, Handle, ctypes.c_void_p, ctypes.c_ulong)
get_kind = _unchecked(pdfium.FPDFPageObj_GetType)
get_bounds = _unchecked(pdfium.FPDFPageObj_GetBounds)
get_matrix = _unchecked(pdfium.FPDFPageObj_GetMatrix)

get_modes = _unchecked(pdfium.FPDFPath_GetDrawMode)
count_segments = _unchecked(pdfium.FPDFPath_CountSegments)
get_segment = _unchecked(pdfium.FPDFPath_GetPathSegment, Handle)
get_segment_kind = _unchecked(pdfium.FPDFPathSegment_GetType)
get_point = _unchecked(pdfium.FPDFPathSegment_GetPoint)
get_close = _unchecked(pdfium.FPDFPathSegment_GetClose)

get_clip_path = _unchecked(pdfium.FPDFPageObj_GetClipPath, Handle)
count_clip_paths = _unchecked(pdfium.FPDFClipPath_CountPaths)
count_clip_segments = _unchecked(pdfium.FPDFClipPath_CountPathSegments)
get_clip_segment = _unchecked(pdfium.FPDFClipPath_GetPathSegment, Handle)
