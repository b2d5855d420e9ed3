"""A printer of ruled forms for the tests: statutory tables at a realistic size, drawn line by line on PDF pages.

Figures are invented. What a page break, a producer or a designer does to a table is an option of :class:`Print`.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, field

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from loaders.vocabulary import FormRow, load_vocabulary

FONT = "STSong-Light"
Key = tuple[str, str | None]
A4 = (595.0, 842.0)


@dataclass(frozen=True)
class Box:
    """A cell to print."""

    text: str
    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    is_vertical: bool = False


@dataclass
class Print:
    """How a document is drawn."""

    size: tuple[float, float] = A4
    font_size: float = 10.5
    # stroke, rect (thin filled shapes), boxes (a stroked rectangle a cell), dashes, double, pieces, none
    lines: str = "stroke"
    has_outer: bool = True
    # Whether a row may be cut by the page, and whether the cut is closed by lines.
    cuts_rows: bool = False
    closes_cuts: bool = True
    repeats_header: int = 0
    footer: str = "- {page} -"
    header: str = ""
    turn: int = 0
    blank: float = 0.0


@dataclass
class Printed:
    """A printed file and what each figure in it is (an empty text for a blank cell)."""

    data: bytes
    values: dict[Key, str] = field(default_factory=dict)


class Printer:
    """Draws paragraphs and tables from the top of a page downwards."""

    margin = 60.0

    def __init__(self, how: Print) -> None:
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
        self.how = how
        self.buffer = io.BytesIO()
        self.width, self.height = how.size
        self.canvas = Canvas(self.buffer, pagesize=how.size)
        self.page = 1
        self.y = self.margin
        self._start_page()

    def _start_page(self) -> None:
        """A page whose content is turned and which says so, as landscape pages are often written."""
        if self.how.turn:
            self.canvas.setPageRotation(self.how.turn)
            self.canvas.translate(self.height, 0)
            self.canvas.rotate(90)

    def finish(self) -> bytes:
        self._end_page()
        self.canvas.save()
        return self.buffer.getvalue()

    def _end_page(self) -> None:
        if self.how.footer:
            self.text(self.width / 2 - 12, self.height - 30, self.how.footer.format(page=self.page), 9)
        if self.how.header:
            self.text(self.margin, 30, self.how.header, 9)
        self.canvas.showPage()
        self._start_page()

    def new_page(self) -> None:
        self._end_page()
        self.page += 1
        self.y = self.margin

    @property
    def bottom(self) -> float:
        return self.height - self.margin

    def text(self, x: float, y: float, text: str, size: float) -> None:
        self.canvas.setFont(FONT, size)
        self.canvas.drawString(x, self.height - y, text)

    def paragraph(self, text: str, size: float = 16.0, indent: float = 2.0) -> None:
        at, first = 0, True
        while at < len(text):
            x = self.margin + (indent * size if first else 0)
            end = at
            while end < len(text) and x + text_width(text[at : end + 1], size) <= self.width - self.margin:
                end += 1
            if self.y + 28 > self.bottom:
                self.new_page()
            self.y += 28
            self.text(x, self.y - 8, text[at:end], size)
            at, first = end, False

    def table(self, boxes: list[Box], widths: list[float]) -> None:
        scale = (self.width - 2 * self.margin) / sum(widths)
        xs = [self.margin]
        for width in widths:
            xs.append(xs[-1] + width * scale)
        heights = self._heights(boxes, xs)
        first = 0
        while first < len(heights):
            header = list(range(self.how.repeats_header)) if first else []
            room = self.bottom - self.y - 8 - sum(heights[n] for n in header)
            last, used = first, 0.0
            while last < len(heights) and used + heights[last] <= room:
                used += heights[last]
                last += 1
            pitch = self.how.font_size * 1.3
            cut = self.how.cuts_rows and last < len(heights) and room - used > 2 * pitch
            if last == first and not cut:
                self.new_page()
                continue
            rows = header + list(range(first, last)) + ([last] if cut else [])
            top_lines = int((room - used - 6) / pitch) if cut else None
            self._draw(boxes, xs, heights, rows, first, top_lines, is_rest=first in self.rest)
            self.rest = {last: top_lines or 0} if cut else {}
            if cut:
                heights[last] = max(pitch + 6, heights[last] - (top_lines or 0) * pitch)
            first = last
            if first < len(heights):
                self.new_page()
        self.rest = {}

    rest: dict[int, int] = {}  # noqa: RUF012

    def _heights(self, boxes: list[Box], xs: list[float]) -> list[float]:
        heights = [0.0] * (max(b.row + b.row_span for b in boxes))
        for box in boxes:
            need = len(self._lines(box, xs)) * self.how.font_size * 1.3 + 8
            if box.row_span == 1:
                heights[box.row] = max(heights[box.row], need)
        return heights

    def _lines(self, box: Box, xs: list[float]) -> list[str]:
        if box.is_vertical:
            return list(box.text)
        width = xs[box.column + box.column_span] - xs[box.column] - 6
        lines = [""]
        for char in box.text:
            if char == "\n" or text_width(lines[-1] + char, self.how.font_size) > width:
                lines.append("")
            if char != "\n":
                lines[-1] += char
        return lines

    def _draw(self, boxes, xs, heights, rows, first, top_lines, is_rest) -> None:
        """Draw these rows; the last shows its first lines only where it is cut, the first what was left of it."""
        pitch = self.how.font_size * 1.3
        ys = [self.y + 4]
        for n in rows:
            cut = top_lines is not None and n == rows[-1]
            ys.append(ys[-1] + (top_lines * pitch + 6 if cut else heights[n]))
        for box in boxes:
            shown = [i for i, n in enumerate(rows) if box.row <= n < box.row + box.row_span]
            if not shown:
                continue
            top, bottom = ys[shown[0]], ys[shown[-1] + 1]
            lines = self._lines(box, xs)
            ends_here = rows[shown[-1]] == box.row + box.row_span - 1
            starts_here = rows[shown[0]] == box.row
            is_cut = top_lines is not None and rows[shown[-1]] == rows[-1]
            if box.row_span == 1 and rows[shown[0]] in self.rest and is_rest:
                lines = lines[self.rest[rows[shown[0]]] :]
                starts_here = False
            elif box.row_span > 1 and not starts_here:
                fits = int((self._shown_before(box) - 4) / pitch)
                lines = lines[fits:]
            if box.row_span == 1 and is_cut:
                lines = lines[:top_lines]
                ends_here = False
            elif not ends_here:
                fits = max(0, int((bottom - top - 4) / pitch))
                self.shown[box] = bottom - top
                lines = lines[:fits]
            else:
                fits = len(lines)
            block = len(lines) * pitch
            y = (top + bottom - block) / 2 if ends_here and starts_here else top + 3
            for line in lines:
                x = (xs[box.column] + xs[box.column + box.column_span] - text_width(line, self.how.font_size)) / 2
                self.text(x, y + self.how.font_size * 0.95, line, self.how.font_size)
                y += pitch
            closes = self.how.closes_cuts or (starts_here, ends_here) == (True, True)
            self._border(
                xs[box.column],
                top,
                xs[box.column + box.column_span],
                bottom,
                (starts_here or closes) and (self.how.has_outer or shown[0] > 0 or box.row != rows[0]),
                (ends_here or closes) and (self.how.has_outer or shown[-1] + 1 < len(rows)),
                box.column > 0 or self.how.has_outer,
                box.column + box.column_span < len(xs) - 1 or self.how.has_outer,
            )
        self.y = ys[-1]

    shown: dict[Box, float] = {}  # noqa: RUF012

    def _shown_before(self, box: Box) -> float:
        return self.shown.get(box, 0.0)

    def _border(self, x0, y0, x1, y1, top, bottom, left, right) -> None:
        if self.how.lines == "boxes" and all((top, bottom, left, right)):
            self.canvas.setLineWidth(0.5)
            self.canvas.rect(x0, self.height - y1, x1 - x0, y1 - y0, stroke=1, fill=0)
            return
        if top:
            self._line(x0, y0, x1, y0)
        if bottom:
            self._line(x0, y1, x1, y1)
        if left:
            self._line(x0, y0, x0, y1)
        if right:
            self._line(x1, y0, x1, y1)

    def _line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        canvas, kind = self.canvas, self.how.lines
        y0, y1 = self.height - y0, self.height - y1
        canvas.setLineWidth(0.5)
        canvas.setDash(*((3, 2) if kind == "dashes" else ([],)))
        if kind == "none":
            return
        if kind == "rect":
            canvas.rect(min(x0, x1) - 0.3, min(y0, y1) - 0.3, abs(x1 - x0) + 0.6, abs(y1 - y0) + 0.6, stroke=0, fill=1)
        elif kind == "double":
            dx, dy = (0, 0.8) if y0 == y1 else (0.8, 0)
            canvas.line(x0 - dx, y0 - dy, x1 - dx, y1 - dy)
            canvas.line(x0 + dx, y0 + dy, x1 + dx, y1 + dy)
        elif kind == "pieces":
            steps = max(2, int((abs(x1 - x0) + abs(y1 - y0)) // 9))
            for n in range(steps):
                a, b = n / steps, (n + 0.8) / steps
                canvas.line(x0 + (x1 - x0) * a, y0 + (y1 - y0) * a, x0 + (x1 - x0) * b, y0 + (y1 - y0) * b)
        else:
            canvas.line(x0, y0, x1, y1)


def text_width(text: str, size: float) -> float:
    return sum(size * (1.0 if char >= "\u2e80" or char in "“”" else 0.5) for char in text)


# ---- the forms

PROSE = (
    "本年度，样例局认真落实条例要求，持续推进政务公开工作，通过门户网站发布信息3050件，组织培训2次，"
    "参加人员351人次，各项任务按期完成，没有发生重大事件，现将有关情况报告如下。"
)


def print_report(form_code: str, seed: int, how: Print | None = None) -> Printed:
    """A whole report: headings, prose and every table of its form."""
    how = how or Print()
    rng = random.Random(seed)
    printer = Printer(how)
    printer.rest, printer.shown = {}, {}
    values: dict[Key, str] = {}
    year = {"nat2014": 2016, "fmt2019": 2020, "fmt2021": 2023}[form_code]
    printer.paragraph(f"测试市样例局{year}年政府信息公开工作年度报告", 18.0)
    printer.paragraph("一、总体情况")
    printer.paragraph(PROSE)
    repeats = how.repeats_header
    if form_code == "nat2014":
        printer.paragraph("政府信息公开情况统计表", 18.0)
        printer.paragraph(f"（{year}年度）", 10.5)
        printer.table(*_statistics(rng, how, values))
    else:
        how.repeats_header = 0
        printer.paragraph("二、主动公开政府信息情况")
        printer.table(*_article20(form_code, rng, how, values))
        how.repeats_header = repeats
        printer.paragraph("三、收到和处理政府信息公开申请情况")
        printer.table(*_requests(form_code, rng, how, values))
        how.repeats_header = 0
        printer.paragraph("四、政府信息公开行政复议、行政诉讼情况")
        printer.table(*_remedies(form_code, rng, how, values))
        how.repeats_header = repeats
        printer.paragraph("五、存在的主要问题及改进情况")
        printer.paragraph(PROSE)
    return Printed(printer.finish(), values)


def _value(rng: random.Random, how: Print) -> str:
    if rng.random() < how.blank:
        return ""
    return str(rng.choice((0, rng.randrange(10), rng.randrange(1000), rng.randrange(100000))))


def _label(row: FormRow) -> str:
    return (row.enumerator or "") + row.label_zh


def _tables(part: str):
    return [t for t in load_vocabulary().tables if t.table_code.startswith(part)]


def _statistics(rng, how, values):
    table = _tables("nat2014")[0]
    boxes = [Box("统 计 指 标", 0, 0), Box("单位", 0, 1), Box("统计数", 0, 2)]
    for n, row in enumerate((r for r in table.rows if r.variant_code in ("all", "national")), 1):
        value = ""
        cell = table.cells.get((row.row_code, "value"))
        if cell:
            value = values[cell] = _value(rng, how)
        boxes += [Box(_label(row), n, 0), Box(row.printed_unit or "——", n, 1), Box(value, n, 2)]
    return boxes, [7, 1, 1.5]


def _article20(form_code, rng, how, values):
    boxes, at = [], 0
    for table in _tables(f"{form_code}_article20"):
        width = 12 // (len(table.columns) + 1)
        boxes.append(Box(table.label_zh, at, 0, 1, 12))
        boxes.append(Box("信息内容", at + 1, 0, 1, width))
        boxes += [Box(c.label_zh, at + 1, width * n, 1, width) for n, c in enumerate(table.columns, 1)]
        at += 2
        for row in (r for r in table.rows if r.variant_code == "all"):
            boxes.append(Box(_label(row), at, 0, 1, width))
            for n, column in enumerate(table.columns, 1):
                cell = table.cells[row.row_code, column.column_code]
                values[cell] = _value(rng, how)
                boxes.append(Box(values[cell], at, width * n, 1, width))
            at += 1
    return boxes, [1] * 12


def _requests(form_code, rng, how, values):
    table = _tables(f"{form_code}_requests")[0]
    children: dict[str, list[FormRow]] = {}
    for row in table.rows:
        children.setdefault(row.parent_row_code or "", []).append(row)
    boxes = [
        Box("（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）", 0, 0, 3, 3),
        Box("申请人情况", 0, 3, 1, 7),
        Box("自然人", 1, 3, 2, 1),
        Box("法人或其他组织", 1, 4, 1, 5),
        Box("总计", 1, 9, 2, 1),
    ]
    boxes += [Box(c.label_zh, 2, 3 + n, 1, 1) for n, c in enumerate(table.columns) if 0 < n < 6]
    at = 3

    def leaves(code: str) -> int:
        return sum(leaves(r.row_code) for r in children[code]) if code in children else 1

    def add(row: FormRow, column: int) -> None:
        nonlocal at
        if row.row_code in children:
            is_part = column == 0
            boxes.append(Box(_label(row), at, column, leaves(row.row_code), 1, is_part))
            for child in children[row.row_code]:
                add(child, column + 1)
            return
        boxes.append(Box(_label(row), at, column, 1, 3 - column))
        for n, applicant in enumerate(table.columns):
            cell = table.cells[row.row_code, applicant.column_code]
            values[cell] = _value(rng, how)
            boxes.append(Box(values[cell], at, 3 + n))
        at += 1

    for row in children[""]:
        add(row, 0)
    return boxes, [1, 1.6, 3.2, *[1.5] * 7]


def _remedies(form_code, rng, how, values):
    table = _tables(f"{form_code}_remedies")[0]
    boxes = [Box("行政复议", 0, 0, 1, 5), Box("行政诉讼", 0, 5, 1, 10)]
    boxes += [Box("未经复议直接起诉", 1, 5, 1, 5), Box("复议后起诉", 1, 10, 1, 5)]
    for n, column in enumerate(table.columns):
        boxes.append(Box(column.label_zh, 1 if n < 5 else 2, n, 2 if n < 5 else 1))
        cell = table.cells[table.rows[0].row_code, column.column_code]
        values[cell] = "" if rng.random() < how.blank else str(rng.randrange(300))
        boxes.append(Box(values[cell], 3, n))
    return boxes, [1] * 15
