"""Recognising the characters of a clean page, and saying when a figure is in doubt.

In: the pixels of a page and boxes on it. Out: strings. A cell that may hold a figure is recognised twice, from
different pixels; its digits are taken only when both readings are the same, neither is unsure of a digit, and the
pieces of ink in the cell are not more than the characters that were read. Else the text holds both readings joined
by ``|``, which no one reads as a number. Inked cells that cannot be recognised are ``?``; only a cell without ink is
empty. The recognition models come with the package and are never fetched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rapidocr

from loaders.readers.ocr_grid import Box
from loaders.readers.ocr_image import Array, Pixels, as_pixels

ILLEGIBLE = "?"
_THREADS = 1
# How sure a single reading must be of a digit; of two readings that agree, the better and the worse one.
_SURE = 0.8
_SURE_BETTER, _SURE_WORSE = 0.9, 0.5
_RECOGNISED = 0.5
_WORD = 3
# Pieces of ink that are smaller, in heights of characters, are dirt.
_SPECK = 0.25
# Detection needs lines some fifteen pixels high; the crops for recognition are taken from the whole page.
_DETECTED_GLYPH = 16.0
_TALLEST_STRIP = 1600
_CHINESE = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_NUMERAL = re.compile("^[零〇○一二两三四五六七八九十百千万亿廿卅壹贰叁肆伍陆柒捌玖拾佰仟]+$")
_DASH = re.compile("^[-—–―−－_~一]+$")
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"^[+-]?\d[\d,]*(?:\.\d+)?%?$")
_AS_DIGIT = str.maketrans("OoIl|", "00111")
_LOOKS_LIKE_DIGITS = re.compile(r"^[+-]?[\dOoIl|][\dOoIl|,.]*$")


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a strip of pixels says, with how sure the model is of each character."""

    text: str
    confidences: tuple[float, ...]

    @property
    def mean(self) -> float:
        """How sure the model is on the whole."""
        return sum(self.confidences) / len(self.confidences) if self.confidences else 0.0

    @property
    def least(self) -> float:
        """How sure the model is of the character that it is least sure of."""
        return min(self.confidences, default=0.0)

    @property
    def sure_chinese(self) -> int:
        """How many Chinese characters there are of which the model is sure, in words.

        Single characters do not count: the model reads some of them on their side too.
        """
        if self.mean < _SURE:
            return 0
        sure = sum(p >= _SURE and bool(_CHINESE.match(c)) for c, p in zip(self.text, self.confidences, strict=True))
        return sure if sure >= _WORD else 0


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of print outside of tables, and how many of its characters are Chinese and sure."""

    text: str
    box: Box
    sure_chinese: int = 0


@dataclass(frozen=True, slots=True)
class CellText:
    """What a cell says, and how many of its characters are Chinese and sure."""

    text: str
    sure_chinese: int = 0


@lru_cache(maxsize=1)
def _engine() -> Any:
    models = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(
        params={
            "Global.use_cls": False,
            "Global.log_level": "error",
            "Global.return_word_box": True,
            "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
            "Det.limit_side_len": 32,
            "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
            "Rec.rec_img_shape": [3, 48, 64],
            "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def recognise(strips: Sequence[Pixels]) -> list[Recognised]:
    """Recognise strips of one line each."""
    if not strips:
        return []
    coloured = [cv2.cvtColor(strip, cv2.COLOR_GRAY2BGR) for strip in strips]
    engine = _engine()
    engine.return_word_box = True
    result = engine.recognize_txt(coloured)
    readings = []
    for text, word in zip(result.txts, result.word_results, strict=True):
        known = [(c, p) for c, p in zip(text, word.confs if word else (), strict=False) if not c.isspace()]
        readings.append(Recognised("".join(c for c, _ in known), tuple(float(p) for _, p in known)))
    return readings


def detect_lines(grey: Pixels, ink: Pixels, glyph: float) -> list[Box]:
    """Where lines of print stand, from top to bottom."""
    scale = min(1.0, _DETECTED_GLYPH / glyph)
    boxes: list[Box] = []
    for top, bottom in _strips(without_specks(ink, glyph), glyph, round(_TALLEST_STRIP / scale)):
        strip = grey[top:bottom]
        # White all around keeps short lines and lines at the edge in view.
        pad = max(16, round(glyph))
        padded = cv2.copyMakeBorder(strip, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=255)
        small = cv2.resize(padded, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found = _engine()(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR), use_det=True, use_cls=False, use_rec=False)
        for corners in () if found is None or found.boxes is None else found.boxes:
            low, high = corners.min(axis=0) / scale - pad, corners.max(axis=0) / scale - pad
            left, right = max(0, int(low[0])), min(grey.shape[1], int(high[0]) + 1)
            upper, lower = max(0, int(low[1])), min(strip.shape[0], int(high[1]) + 1)
            if right - left >= 3 and lower - upper >= 3:
                boxes.append((left, upper + top, right, lower + top))
    return sorted(boxes, key=lambda box: (box[1], box[0]))


def without_specks(ink: Pixels, glyph: float) -> Pixels:
    """The ink of a page but for what is smaller than any character."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    kept = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= _SPECK * glyph
    kept[0] = False
    return np.where(kept[labels], np.uint8(255), np.uint8(0))


def _strips(inked: Pixels, glyph: float, tallest: int) -> list[tuple[int, int]]:
    """The inked parts of a page from top to bottom; cut between lines where they are too tall."""
    amount = inked.sum(axis=1, dtype=np.int64)
    rows = np.flatnonzero(amount)
    if not len(rows):
        return []
    strips: list[tuple[int, int]] = []
    start = previous = int(rows[0])
    for row in (*map(int, rows[1:]), None):
        if row is not None and row - previous <= 3 * glyph:
            previous = row
            continue
        while previous - start > tallest:
            cut = start + tallest // 2 + int(np.argmin(amount[start + tallest // 2 : start + tallest]))
            strips.append((start, cut))
            start = cut
        strips.append((max(0, start - 2), min(len(amount), previous + 3)))
        start = previous = row if row is not None else 0
    return strips


def read_lines(grey: Pixels, ink: Pixels, glyph: float) -> list[TextLine]:
    """The lines of print of a page without its tables; digits that are in doubt are replaced by ``?``."""
    boxes = detect_lines(grey, ink, glyph)
    readings = recognise([grey[top:bottom, left:right] for left, top, right, bottom in boxes])
    return [
        TextLine(without_doubtful_digits(reading), box, reading.sure_chinese)
        for reading, box in zip(readings, boxes, strict=True)
        if reading.mean >= _RECOGNISED
    ]


def without_doubtful_digits(reading: Recognised) -> str:
    """The text of a line of words, with ``?`` for numbers of which a digit is in doubt."""

    def sure(match: re.Match[str]) -> str:
        return match[0] if min(reading.confidences[match.start() : match.end()]) >= _SURE else ILLEGIBLE

    return _DIGITS.sub(sure, reading.text)


# ---- cells


@dataclass(frozen=True, slots=True)
class _CellInk:
    """The ink of a cell: the boxes of its lines on the page, and how many pieces stand side by side in it."""

    lines: tuple[Box, ...]
    pieces: int


def read_cells(grey: Pixels, ink: Pixels, lines: Pixels, boxes: Sequence[Box], glyph: float) -> list[CellText]:
    """The text of each cell of a ruled page: its lines from top to bottom, parted by line feeds."""
    ruled = cv2.dilate(lines, np.ones((3, 3), np.uint8))
    bare = np.where(ruled > 0, np.uint8(255), grey)
    printed = np.where(ruled > 0, np.uint8(0), ink)
    cells = [find_cell_ink(printed, box, glyph) for box in boxes]
    strips = [_strip(bare, box, glyph) for cell in cells for box in cell.lines]
    readings = iter(recognise(strips))
    first = [[next(readings) for _ in cell.lines] for cell in cells]
    doubted = [n for n, cell in enumerate(cells) if cell.lines and may_be_value([r.text for r in first[n]])]
    again = iter(recognise([_second_strip(bare, box, glyph) for n in doubted for box in cells[n].lines]))
    texts = [CellText(_label_text(readings), sum(r.sure_chinese for r in readings)) for readings in first]
    for n in doubted:
        second = [next(again) for _ in cells[n].lines]
        texts[n] = CellText(agree(first[n], second, cells[n].pieces), texts[n].sure_chinese)
    return texts


def _label_text(readings: Sequence[Recognised]) -> str:
    """The lines of a cell of words; a line that is hardly recognised is illegible."""
    return "\n".join(without_doubtful_digits(r) if r.mean >= _RECOGNISED else ILLEGIBLE for r in readings)


def find_cell_ink(printed: Pixels, box: Box, glyph: float) -> _CellInk:
    """The lines of print in a cell, specks left out."""
    left, top, right, bottom = box
    inset = 2
    part = printed[top + inset : bottom - inset, left + inset : right - inset]
    if part.size == 0:
        return _CellInk((), 0)
    joined = cv2.morphologyEx(part, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    height, width = part.shape
    kept = np.zeros_like(part)
    large: list[Box] = []
    for n in range(1, count):
        x, y, w, h = (int(v) for v in stats[n, :4])
        # What is left of a ruling line lies along the border of the cell.
        remains = (w <= 0.2 * glyph and (x <= 1 or x + w >= width - 1)) or (
            h <= 0.2 * glyph and (y <= 1 or y + h >= height - 1)
        )
        if max(w, h) >= _SPECK * glyph and not remains:
            large.append((x, y, x + w, y + h))
            kept[labels == n] = 255
    if not large:
        return _CellInk((), 0)
    found = []
    for y0, y1 in split_rows(kept.sum(axis=1, dtype=np.int64) // 255, glyph):
        columns = np.flatnonzero(kept[y0:y1].any(axis=0))
        found.append(
            (left + inset + int(columns[0]), top + inset + y0, left + inset + int(columns[-1]) + 1, top + inset + y1)
        )
    return _CellInk(tuple(found), _side_by_side(large))


def _side_by_side(boxes: list[Box]) -> int:
    """How many groups of pieces stand beside each other without any overlap."""
    count, reach = 0, -1
    for left, _, right, _ in sorted(boxes):
        if left >= reach:
            count += 1
        reach = max(reach, right)
    return count


def split_rows(amount: Array, glyph: float) -> list[tuple[int, int]]:
    """The lines of print by the amount of ink in each row; strokes of one character stay together."""
    rows = np.flatnonzero(amount)
    runs: list[tuple[int, int]] = []
    for row in map(int, rows):
        if runs and row == runs[-1][1]:
            runs[-1] = (runs[-1][0], row + 1)
        else:
            runs.append((row, row + 1))
    merged: list[tuple[int, int]] = []
    for start, stop in runs:
        if merged and stop - merged[-1][0] <= 1.2 * glyph:
            merged[-1] = (merged[-1][0], stop)
        else:
            merged.append((start, stop))
    return [part for run in merged for part in _split_tall(run, amount, glyph)]


def _split_tall(run: tuple[int, int], amount: Array, glyph: float) -> list[tuple[int, int]]:
    """Lines that touch are cut where there is least ink."""
    start, stop = run
    count = round((stop - start) / (1.25 * glyph))
    if stop - start < 1.9 * glyph or count < 2:
        return [run]
    step = (stop - start) / count
    cuts = [start]
    for n in range(1, count):
        low, high = round(start + (n - 0.3) * step), round(start + (n + 0.3) * step)
        cuts.append(low + int(np.argmin(amount[low:high])))
    cuts.append(stop)
    return [(a, b) for a, b in pairwise(cuts) if b > a]


def _strip(grey: Pixels, box: Box, glyph: float) -> Pixels:
    """A line cut out tightly, on white."""
    return _cut(grey, box, round(glyph * 0.12), round(glyph * 0.2), round(glyph * 0.25))


def _second_strip(grey: Pixels, box: Box, glyph: float) -> Pixels:
    """The same line from other pixels: larger, smoothed, in black and white, with more ground around."""
    cut = _cut(grey, box, round(glyph * 0.12), round(glyph * 0.3), round(glyph * 0.6))
    large = cv2.GaussianBlur(cv2.resize(cut, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), (5, 5), 0)
    _, sharp = cv2.threshold(large, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return as_pixels(cv2.GaussianBlur(sharp, (3, 3), 0))


def _cut(grey: Pixels, box: Box, around: int, above: int, beside: int) -> Pixels:
    left, top, right, bottom = box
    part = grey[max(0, top - around) : bottom + around, max(0, left - around) : right + around]
    return as_pixels(cv2.copyMakeBorder(part, above, above, beside, beside, cv2.BORDER_CONSTANT, value=255))


# ---- figures


def may_be_value(lines: Sequence[str]) -> bool:
    """Whether a cell may hold a figure, or nothing that was recognised: it has no words."""
    text = "".join(lines)
    return not _CHINESE.search(text) or bool(_NUMERAL.match(text))


def normalise(text: str) -> str:
    """The characters of a value in their plain form; O and l among nothing but digits are digits."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).replace("，", ",").replace("−", "-")
    if _DASH.match(plain):
        return "—" if "一" not in plain else plain
    return plain.translate(_AS_DIGIT) if _LOOKS_LIKE_DIGITS.match(plain) else plain


def agree(first: Sequence[Recognised], second: Sequence[Recognised], pieces: int) -> str:
    """One text from two readings of a cell: the text when it is certain, else what was read, joined by ``|``."""
    parts = [_agree_on_line(a, b) for a, b in zip(first, second, strict=True)]
    if len(parts) > 1:
        # Figures on several lines may be several figures.
        return "\n".join(parts) if _CHINESE.search("".join(parts)) else "|".join(parts)
    text = parts[0]
    if _NUMBER.match(text) and pieces > sum(c not in ",." for c in text):
        return f"{text}|{ILLEGIBLE}"
    return text


def _agree_on_line(first: Recognised, second: Recognised) -> str:
    one, other = normalise(first.text), normalise(second.text)
    if not one and not other:
        return ILLEGIBLE
    if {one, other} <= {"一", "—"}:
        # A dash and the Chinese numeral one look the same; two readings for the numeral leave it open.
        return "—" if one != other else (one if one == "—" else "一|—")
    if one != other:
        if _CHINESE.search(one) and not _NUMERAL.match(one) and not any(c.isdigit() for c in one + other):
            return one
        return f"{one or ILLEGIBLE}|{other or ILLEGIBLE}"
    if _NUMERAL.match(one):
        return f"{one}|{ILLEGIBLE}"
    worse, better = sorted((first.least, second.least))
    if any(c.isdigit() for c in one) and (worse < _SURE_WORSE or better < _SURE_BETTER):
        return f"{one}|{ILLEGIBLE}"
    return one
