"""Statutory forms drawn as pages of pixels and spoilt the way a scanner spoils them.

The forms come from the seeds, the figures are invented. A drawn form knows what each of its figures is, so that
a reading can be scored.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from loaders.readers.build import Slot
from loaders.vocabulary import FormRow, FormTable, load_vocabulary

FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
)
_SIMPLIFIED_FACE = 2  # of the five faces of a Noto collection
_PAGE_MM = (210.0, 297.0)
_MARGIN_MM = 20.0
Key = tuple[str, str | None]


@dataclass
class DrawnForm:
    """Pages of a filled form and what each figure is; null for a blank cell."""

    pages: list[Image.Image]
    values: dict[Key, str | None]


@dataclass
class Grid:
    """A table to draw: cells and the widths of its columns in millimetres."""

    slots: list[Slot]
    widths: list[float]


@dataclass
class _Ruler:
    dpi: int
    font: ImageFont.FreeTypeFont
    pages: list[Image.Image] = field(default_factory=list)
    y: float = 0.0

    def mm(self, length: float) -> int:
        return round(length * self.dpi / 25.4)

    def new_page(self) -> None:
        self.pages.append(Image.new("L", (self.mm(_PAGE_MM[0]), self.mm(_PAGE_MM[1])), 255))
        self.y = self.mm(_MARGIN_MM)

    @property
    def bottom(self) -> int:
        return self.mm(_PAGE_MM[1] - _MARGIN_MM)


def find_font() -> str | None:
    """A font with Chinese characters on this machine."""
    return next((path for path in FONTS if Path(path).exists()), None)


@lru_cache(maxsize=16)
def load_font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=_SIMPLIFIED_FACE if "Noto" in path else 0)


def draw_form(
    form_code: str, seed: int, dpi: int = 200, font_path: str | None = None, tables: str = "", point_size: float = 10.0
) -> DrawnForm:
    """Fill the tables of a form (those whose code holds ``tables``) and draw them on pages of A4."""
    rng = random.Random(seed)
    values: dict[Key, str | None] = {}
    parts: list[str | Grid] = ["某某县民政局2022年政府信息公开工作年度报告", "一、总体情况"]
    parts += [
        "本年度，本机关依法公开政府信息，接受社会监督，各项工作平稳有序。全年共办理来信来访的群众诉求若干，均已答复。"
    ]
    chosen = [t for t in load_vocabulary().tables if t.form_code == form_code and tables in t.table_code]
    article20 = [t for t in chosen if "article20" in t.table_code]
    if article20:
        parts += ["二、主动公开政府信息情况", _article20(article20, rng, values)]
    for table in chosen:
        if table.layout_code == "row_unit_value":
            parts += [table.label_zh, _statistics(table, rng, values)]
        elif "requests" in table.table_code:
            parts += ["三、" + table.label_zh, _requests(table, rng, values)]
        elif table.layout_code == "single_row":
            parts += ["四、" + table.label_zh, _remedies(table, rng, values)]
    parts += ["五、存在的主要问题及改进情况", "公开的内容还不够丰富，下一步将加强培训，提高质量。"]
    return DrawnForm(draw_pages(parts, dpi, font_path, point_size), values)


def draw_pages(
    parts: list[str | Grid], dpi: int, font_path: str | None = None, point_size: float = 10.0
) -> list[Image.Image]:
    """Draw paragraphs and tables one below the other; a table that does not fit goes on over the page."""
    font = load_font(font_path or find_font() or "", round(point_size * dpi / 72))
    ruler = _Ruler(dpi, font)
    ruler.new_page()
    for part in parts:
        if isinstance(part, str):
            _draw_paragraph(ruler, part)
        else:
            _draw_table(ruler, part)
    return ruler.pages


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: float) -> list[str]:
    lines = [""]
    for char in text:
        if lines[-1] and font.getlength(lines[-1] + char) > width:
            lines.append("")
        lines[-1] += char
    return lines


def _draw_paragraph(ruler: _Ruler, text: str) -> None:
    width = ruler.pages[-1].width - 2 * ruler.mm(_MARGIN_MM)
    step = ruler.font.size * 1.5
    for line in _wrap("\u3000\u3000" + text, ruler.font, width):
        if ruler.y + step > ruler.bottom:
            ruler.new_page()
        ImageDraw.Draw(ruler.pages[-1]).text((ruler.mm(_MARGIN_MM), ruler.y), line, fill=0, font=ruler.font)
        ruler.y += step
    ruler.y += step * 0.4


def _draw_table(ruler: _Ruler, grid: Grid) -> None:
    pad, step = ruler.mm(1.0), round(ruler.font.size * 1.25)
    edges = [ruler.mm(_MARGIN_MM + sum(grid.widths[:n])) for n in range(len(grid.widths) + 1)]
    count = max(slot.row + slot.row_span for slot in grid.slots)
    heights = [step + 2 * pad] * count
    wrapped = {}
    for slot in sorted(grid.slots, key=lambda s: s.row_span):
        width = edges[slot.column + slot.column_span] - edges[slot.column] - 2 * pad
        wrapped[slot] = _wrap(slot.text, ruler.font, width) if slot.text else []
        rows = range(slot.row, slot.row + slot.row_span)
        missing = len(wrapped[slot]) * step + 2 * pad - sum(heights[r] for r in rows)
        heights[rows[-1]] += max(0, missing)
    row = 0
    while row < count:
        fit = row
        y = ruler.y
        while fit < count and y + heights[fit] <= ruler.bottom:
            y += heights[fit]
            fit += 1
        if fit == row:
            ruler.new_page()
            continue
        _draw_rows(ruler, grid, wrapped, edges, heights, row, fit)
        row = fit
        if row < count:
            ruler.new_page()
    ruler.y += step


def _draw_rows(
    ruler: _Ruler,
    grid: Grid,
    wrapped: dict[Slot, list[str]],
    edges: list[int],
    heights: list[int],
    first: int,
    stop: int,
) -> None:
    draw = ImageDraw.Draw(ruler.pages[-1])
    tops = {first: round(ruler.y)}
    for row in range(first, stop):
        tops[row + 1] = tops[row] + heights[row]
    step = round(ruler.font.size * 1.25)
    thick = max(1, ruler.dpi // 100)
    for slot in grid.slots:
        top, end = max(slot.row, first), min(slot.row + slot.row_span, stop)
        if top >= end:
            continue
        box = (edges[slot.column], tops[top], edges[slot.column + slot.column_span], tops[end])
        draw.rectangle(box, outline=0, width=thick)
        # A cell cut by the page is printed where it starts.
        lines = wrapped[slot] if slot.row >= first else []
        y = (box[1] + box[3] - step * len(lines)) / 2
        for line in lines:
            x = (box[0] + box[2] - ruler.font.getlength(line)) / 2
            draw.text((x, y), line, fill=0, font=ruler.font)
            y += step
    ruler.y = tops[stop]


# ---- the forms as grids


def _value(table: FormTable, row: str, column: str, rng: random.Random, values: dict[Key, str | None]) -> str:
    key = table.cells.get((row, column))
    if key is None:
        return ""
    metric = load_vocabulary().metrics[key[0]]
    choices = (0, 0, rng.randrange(10), rng.randrange(100), rng.randrange(1000), rng.randrange(100000))
    text = "" if rng.random() < 0.05 else str(rng.choice(choices))
    if text and metric.unit == "万元":
        text = f"{rng.randrange(400)}.{rng.randrange(10)}{rng.randrange(1, 10)}"
    elif text and metric.is_signed and rng.random() < 0.5 and text != "0":
        text = f"-{text}"
    values[key] = text or None
    return text


def _label(row: FormRow) -> str:
    return row.enumerator + ("：" if row.enumerator == "其中" else "") + row.label_zh


def _article20(tables: list[FormTable], rng: random.Random, values: dict[Key, str | None]) -> Grid:
    slots: list[Slot] = []
    at = 0
    for table in tables:
        columns = table.columns
        span = {1: [3], 2: [2, 1], 3: [1, 1, 1]}[len(columns)]
        starts = [1 + sum(span[:n]) for n in range(len(span))]
        slots.append(Slot(table.label_zh, at, 0, 1, 4))
        slots.append(Slot("信息内容", at + 1, 0))
        slots += [Slot(c.label_zh, at + 1, x, 1, w) for c, x, w in zip(columns, starts, span, strict=True)]
        at += 2
        for row in (r for r in table.rows if not r.is_heading):
            slots.append(Slot(_label(row), at, 0))
            for column, x, width in zip(columns, starts, span, strict=True):
                slots.append(Slot(_value(table, row.row_code, column.column_code, rng, values), at, x, 1, width))
            at += 1
    return Grid(slots, [50.0, 40.0, 40.0, 40.0])


def _requests(table: FormTable, rng: random.Random, values: dict[Key, str | None]) -> Grid:
    corner = "（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）"
    slots = [
        Slot(corner, 0, 0, 3, 3),
        Slot("申请人情况", 0, 3, 1, 7),
        Slot("自然人", 1, 3, 2, 1),
        Slot("法人或其他组织", 1, 4, 1, 5),
        Slot("总计", 1, 9, 2, 1),
        *(Slot(c.label_zh, 2, 4 + n) for n, c in enumerate(table.columns[1:6])),
    ]
    children: dict[str, list[FormRow]] = {}
    for row in table.rows:
        children.setdefault(row.parent_row_code, []).append(row)

    def leaves(row: FormRow) -> int:
        return sum(map(leaves, children.get(row.row_code, []))) or 1

    def place(row: FormRow, at: int, depth: int) -> int:
        below = children.get(row.row_code, [])
        if below:
            slots.append(Slot(_label(row), at, depth, leaves(row), 1))
            for child in below:
                at = place(child, at, depth + 1)
            return at
        slots.append(Slot(_label(row), at, depth, 1, 3 - depth))
        for n, column in enumerate(table.columns):
            slots.append(Slot(_value(table, row.row_code, column.column_code, rng, values), at, 3 + n))
        return at + 1

    at = 3
    for row in children[""]:
        at = place(row, at, 0)
    return Grid(slots, [14.0, 20.0, 45.0, *[13.0] * 7])


def _remedies(table: FormTable, rng: random.Random, values: dict[Key, str | None]) -> Grid:
    columns = table.columns
    slots = [
        Slot("行政复议", 0, 0, 1, 5),
        Slot("行政诉讼", 0, 5, 1, 10),
        *(Slot(c.label_zh, 1, n, 2, 1) for n, c in enumerate(columns[:5])),
        Slot("未经复议直接起诉", 1, 5, 1, 5),
        Slot("复议后起诉", 1, 10, 1, 5),
        *(Slot(c.label_zh, 2, 5 + n) for n, c in enumerate(columns[5:])),
        *(
            Slot(_value(table, table.rows[0].row_code, c.column_code, rng, values)[:4], 3, n)
            for n, c in enumerate(columns)
        ),
    ]
    for n, column in enumerate(columns):
        values[table.cells[table.rows[0].row_code, column.column_code]] = slots[-len(columns) + n].text or None
    return Grid(slots, [11.3] * 15)


def _statistics(table: FormTable, rng: random.Random, values: dict[Key, str | None]) -> Grid:
    slots = [Slot("统 计 指 标", 0, 0), Slot("单位", 0, 1), Slot("统计数", 0, 2)]
    rows = [row for row in table.rows if row.variant_code in ("all", "national")]
    for at, row in enumerate(rows, start=1):
        value = "" if row.is_heading else _value(table, row.row_code, "value", rng, values)
        slots += [Slot(_label(row), at, 0), Slot(row.printed_unit or "—", at, 1), Slot(value, at, 2)]
    return Grid(slots, [110.0, 25.0, 35.0])


# ---- what a scanner does


def spoil(
    page: Image.Image,
    seed: int,
    *,
    angle: float = 0.7,
    noise: float = 8.0,
    blur: float = 0.6,
    grey: int = 215,
    specks: int = 150,
    quality: int = 60,
) -> bytes:
    """A page as a scanner gives it: turned, blurred, on a grey ground with a cast, noise and specks, as JPEG."""
    rng = np.random.default_rng(seed)
    turned = page.rotate(angle, Image.Resampling.BICUBIC, fillcolor=255).filter(ImageFilter.GaussianBlur(blur))
    pixels = np.asarray(turned, np.float32)
    height, width = pixels.shape
    cast = np.linspace(grey + 15, grey - 15, width, dtype=np.float32)[None, :]
    pixels = 40 + pixels / 255 * (cast - 40) + rng.normal(0, noise, pixels.shape)
    ys, xs = rng.integers(0, height - 2, specks), rng.integers(0, width - 2, specks)
    for y, x in zip(ys, xs, strict=True):
        pixels[y : y + 2, x : x + 2] = 60
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=quality)
    return out.getvalue()


def as_pdf(pictures: list[bytes], dpi: int) -> bytes:
    """Pictures as a PDF without a text layer, one a page."""
    images = [Image.open(io.BytesIO(data)) for data in pictures]
    out = io.BytesIO()
    images[0].save(out, "PDF", resolution=dpi, save_all=True, append_images=images[1:])
    return out.getvalue()


def as_tiff(pictures: list[bytes], dpi: int) -> bytes:
    """Pictures as a TIFF of several pages."""
    images = [Image.open(io.BytesIO(data)) for data in pictures]
    out = io.BytesIO()
    images[0].save(out, "TIFF", compression="tiff_deflate", dpi=(dpi, dpi), save_all=True, append_images=images[1:])
    return out.getvalue()
