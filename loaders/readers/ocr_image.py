"""Bytes of a picture to clean pages of pixels.

In: the bytes of a PNG, JPEG, TIFF, BMP or GIF. Out: one grey page after the other, upright as the file says. Then a
page is made even: the ground white, the ink dark, the lines level, the characters of a size that can be recognised.
Refuses pictures of more than 100 million pixels before they are decoded, and what is damaged.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from loaders.errors import DocumentRejected

MAX_PIXELS = 100_000_000
MAX_PAGES = 200
MAX_ASPECT = 60
# A picture of a report takes a byte for some ten pixels; a page of nothing may take one for a thousand.
MAX_PIXELS_PER_BYTE = 5_000
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF")
# Height of the characters' ink in pixels that recognition is used to; outside of it a page is scaled.
_SMALLEST_GLYPH, _USUAL_GLYPH, _LARGEST_GLYPH = 17, 26, 52
_MAX_SCALE = 3.0
_MAX_WORKED_PIXELS = 40_000_000
_LARGEST_SKEW = 6.0
# Ink is darker than its neighbourhood: by so much, or on rough ground by so many times its grain.
_NEIGHBOURHOOD = 41
_USUAL_CONTRAST, _GRAINS, _MOST_CONTRAST = 25.0, 3.0, 90.0
_ROUGH = 10.0

Pixels = NDArray[np.uint8]
Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class CleanPage:
    """A level page: ``grey`` with a white ground, ``ink`` (255 where something is printed), and the usual height
    of its characters in pixels.
    """

    grey: Pixels
    ink: Pixels
    glyph: float


def decode_picture(data: bytes) -> Iterator[Pixels]:
    """The pages of a picture in grey, one in memory at a time; of a GIF the first frame.

    Raises:
        DocumentRejected: ``too_large``, ``hostile_structure`` or ``damaged_document``.
    """
    with warnings.catch_warnings():
        # The limits below are ours, and counted before anything is decoded.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        picture = _open(data)
        count = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
        if count > MAX_PAGES:
            raise DocumentRejected("too_large", f"the picture has {count:,} pages; the limit is {MAX_PAGES}")
        for number in range(count):
            try:
                picture.seek(number)
                check_size(picture.width, picture.height, len(data))
                yield _to_grey(picture)
            except (OSError, SyntaxError, ValueError, EOFError, MemoryError, Image.DecompressionBombError) as error:
                raise DocumentRejected(
                    "damaged_document", f"page {number + 1} of the picture cannot be decoded: {error}"
                ) from error


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise DocumentRejected(_too_large_code(len(data), MAX_PIXELS), f"the picture is too large: {error}") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise DocumentRejected("damaged_document", f"the picture cannot be opened: {error}") from error


def check_size(width: int, height: int, byte_count: int) -> None:
    """Refuse a page that would fill the memory.

    Raises:
        DocumentRejected: ``too_large``, or ``hostile_structure`` when so few bytes cannot be a page of print.
    """
    if width * height > MAX_PIXELS:
        message = f"a page has {width:,} x {height:,} pixels; the limit is {MAX_PIXELS:,} pixels"
        raise DocumentRejected(_too_large_code(byte_count, width * height), message)
    if max(width, height) > MAX_ASPECT * max(1, min(width, height)):
        raise DocumentRejected("unsupported_format", f"a picture of {width:,} x {height:,} pixels is no page")


def _too_large_code(byte_count: int, pixel_count: int) -> str:
    return "hostile_structure" if pixel_count > byte_count * MAX_PIXELS_PER_BYTE else "too_large"


def _to_grey(picture: Image.Image) -> Pixels:
    turned = ImageOps.exif_transpose(picture)
    if turned.mode.startswith("I;16") or turned.mode in ("I", "F"):
        values = np.asarray(turned, np.float32)
        low, high = float(values.min()), float(values.max())
        return ((values - low) * (255.0 / max(high - low, 1.0))).astype(np.uint8)
    if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
        coloured = turned.convert("RGBA")
        white = Image.new("RGBA", coloured.size, (255, 255, 255, 255))
        return np.asarray(Image.alpha_composite(white, coloured).convert("L"))
    return np.asarray(turned.convert("L"))


def clean_page(grey: Pixels) -> CleanPage:
    """Even out the ground, level the lines and bring the characters to a usual size."""
    flat = flatten(_within_limit(grey))
    glyph = measure_glyph(find_ink(flat))
    scale = 1.0
    if glyph < _SMALLEST_GLYPH:
        scale = min(_MAX_SCALE, _USUAL_GLYPH / max(glyph, 1.0))
    elif glyph > _LARGEST_GLYPH:
        scale = _USUAL_GLYPH / glyph
    scale = min(scale, (_MAX_WORKED_PIXELS / flat.size) ** 0.5) if scale > 1 else scale
    if scale != 1.0:
        how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        flat = as_pixels(cv2.resize(flat, None, fx=scale, fy=scale, interpolation=how))
        glyph = measure_glyph(find_ink(flat))
    angle = measure_skew(find_ink(flat))
    if angle:
        flat = rotate(flat, angle)
    ink = find_ink(flat)
    return CleanPage(flat, ink, max(glyph, 8.0))


def _within_limit(grey: Pixels) -> Pixels:
    scale = (_MAX_WORKED_PIXELS / grey.size) ** 0.5
    return grey if scale >= 1 else as_pixels(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def as_pixels(array: Array) -> Pixels:
    """An array as pixels that OpenCV takes."""
    return np.ascontiguousarray(array, dtype=np.uint8)


def flatten(grey: Pixels) -> Pixels:
    """The page with its ground made white and its darkest ink black, whatever cast and shadow it has."""
    height, width = grey.shape
    small = cv2.resize(grey, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
    ground = cv2.medianBlur(cv2.dilate(small, np.ones((5, 5), np.uint8)), 21)
    ground = cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR)
    even = cv2.divide(grey, np.maximum(ground, 1), scale=245)
    # Faint print is darkened, but a page of nothing is not blown up into noise.
    low = min(float(np.percentile(even[::4, ::4], 1)), 150.0)
    levels = np.clip((np.arange(256) - low) * (255.0 / (245.0 - low)), 0, 255).astype(np.uint8)
    return as_pixels(cv2.LUT(even, levels))


def find_ink(flat: Pixels) -> Pixels:
    """255 where something is printed on an evened page."""
    smooth = cv2.GaussianBlur(flat, (3, 3), 0)
    around = cv2.blur(smooth, (_NEIGHBOURHOOD, _NEIGHBOURHOOD))
    grain = _grain(flat)
    # A higher bar breaks thin strokes, so that it is for rough ground only.
    below = min(_GRAINS * grain, _MOST_CONTRAST) if grain > _ROUGH else _USUAL_CONTRAST
    local = cv2.threshold(cv2.subtract(around, smooth), below, 255, cv2.THRESH_BINARY)[1]
    # Inside a black area the neighbourhood is as dark as the pixel.
    dark = cv2.threshold(smooth, 60, 255, cv2.THRESH_BINARY_INV)[1]
    return as_pixels(cv2.bitwise_or(local, dark))


def _grain(flat: Pixels) -> float:
    """How rough the ground is: most of a page is ground, so that the usual difference from the nearest tells."""
    return float(np.median(cv2.absdiff(flat, cv2.medianBlur(flat, 5))[::3, ::3])) * 1.4826


def is_noisy(flat: Pixels) -> bool:
    """Whether the ground is so rough that lines are broken by it."""
    return _grain(flat) > _ROUGH


def measure_glyph(ink: Pixels) -> float:
    """The usual height of the characters' ink, by the connected pieces of ink."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    widths, heights = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]
    kept = heights[(heights >= 6) & (heights <= 200) & (widths >= 3) & (widths <= 200)]
    return float(np.percentile(kept, 75)) if len(kept) >= 5 else float(_USUAL_GLYPH)


def measure_skew(ink: Pixels) -> float:
    """The angle in degrees that levels the page: the one at which rows of ink and of ground differ most."""
    width = min(800, ink.shape[1])
    scale = width / ink.shape[1]
    small = as_pixels(cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))

    def contrast(angle: float) -> float:
        rows = rotate(small, angle, 0, cv2.INTER_LINEAR).sum(axis=1, dtype=np.float64)
        return float(np.square(np.diff(rows)).sum())

    best = 0.0
    for reach, step in ((_LARGEST_SKEW, 0.5), (0.5, 0.1), (0.1, 0.02)):
        around = best
        angles = around + np.arange(-reach, reach + step / 2, step)
        best = float(max(angles, key=lambda angle: (contrast(angle), -abs(angle))))
    return 0.0 if abs(best) < 0.03 else best


def rotate(pixels: Pixels, angle: float, ground: int = 255, how: int = cv2.INTER_CUBIC) -> Pixels:
    """Turn a page about its middle, counter-clockwise, keeping its size."""
    height, width = pixels.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    return as_pixels(cv2.warpAffine(pixels, matrix, (width, height), flags=how, borderValue=ground))
