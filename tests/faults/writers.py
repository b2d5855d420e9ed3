"""Printed pages in every file format: a neutral layout in, the bytes of a document out.

``WRITERS`` maps a format name to its writer. All are pure but ``doc``, which asks LibreOffice for a real binary
Word file and is there only where that is installed. Flattened text goes through the notations of
:mod:`tests.loaders.render`. Two writers of one layout print the same cells; what a notation cannot say (merged
cells, blank cells) is lost as it would be in life.
"""

from __future__ import annotations

import html
import io
import random
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from tests.faults.layouts import Layout, PrintedCell, PrintedTable, flatten
from tests.loaders.render import STYLES, _print

Writer = Callable[[Layout], bytes]


# ---- web pages


def _spans(cell: PrintedCell) -> str:
    return (f' rowspan="{cell.rows}"' if cell.rows != 1 else "") + (
        f' colspan="{cell.columns}"' if cell.columns != 1 else ""
    )


def _clean_table(table: PrintedTable) -> str:
    rows = []
    for row in table.rows:
        cells = []
        for cell in row:
            tag = "th" if cell.kind == "heading" else "td"
            inner = _clean_table(cell.inner) if cell.inner else html.escape(cell.text) + _marks(cell)
            cells.append(f"<{tag}{_spans(cell)}>{inner}</{tag}>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return "<table>\n" + "\n".join(rows) + "\n</table>"


def _marks(cell: PrintedCell) -> str:
    """What stands beside the text: a struck text, the mark of a footnote."""
    struck = f"<del>{html.escape(cell.struck)}</del>" if cell.struck else ""
    return struck + (f"<sup>{cell.note}</sup>" if cell.note else "")


def _page(title: str, body: str, head: str = "") -> bytes:
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{html.escape(title)}</title>{head}</head>\n'
        f"<body>\n{body}\n</body></html>\n"
    ).encode()


def write_html(layout: Layout) -> bytes:
    """A plain page."""
    body = [f"<p>{html.escape(p)}</p>" if isinstance(p, str) else _clean_table(p) for p in layout.parts]
    return _page(_title(layout), "\n".join(body))


def _title(layout: Layout) -> str:
    return next(part for part in layout.parts if isinstance(part, str))


def _word_text(text: str) -> str:
    """Digits and words in spans of their own, as Word saves them."""
    if not text:
        return "<span lang=EN-US style='font-size:10.5pt'><o:p>&nbsp;</o:p></span>"
    parts = re.findall(r"[0-9A-Za-z.,]+|[^0-9A-Za-z.,]+", text)
    out = []
    for part in parts:
        lang = " lang=EN-US" if part[0].isascii() and part[0].isalnum() else ""
        out.append(f"<span{lang} style='font-size:10.5pt;font-family:宋体'>{html.escape(part)}</span>")
    return "".join(out)


def _word_table(table: PrintedTable) -> str:
    rows = []
    for row in table.rows:
        cells = []
        for cell in row:
            spans = (f" rowspan={cell.rows}" if cell.rows != 1 else "") + (
                f" colspan={cell.columns}" if cell.columns != 1 else ""
            )
            # A narrow merged cell prints one character a line.
            lines = list(cell.text) if cell.rows > 4 and len(cell.text) > 4 else [cell.text]
            inner = "".join(
                f"<p class=MsoNormal align=center style='mso-line-height-rule:exactly'>{_word_text(line)}</p>"
                for line in lines
            )
            inner = inner.removesuffix("</p>") + _marks(cell) + "</p>"
            if cell.inner:
                inner = _word_table(cell.inner)
            cells.append(
                f"  <td width={60 * cell.columns}{spans} valign=top style='border:solid 1.0pt'>\n  {inner}\n  </td>"
            )
        rows.append(" <tr style='mso-yfti-irow:0;height:14.2pt'>\n" + "\n".join(cells) + "\n </tr>")
    return (
        "<div align=center>\n<table class=MsoNormalTable border=1 cellspacing=0 cellpadding=0 "
        "style='border-collapse:collapse'>\n" + "\n".join(rows) + "\n</table>\n</div>"
    )


def write_html_word(layout: Layout) -> bytes:
    """A page saved by a word processor, in GB18030."""
    body = [
        f"<p class=MsoNormal style='text-indent:32.0pt'>{_word_text(p)}</p>" if isinstance(p, str) else _word_table(p)
        for p in layout.parts
    ]
    head = (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head>'
        '<meta http-equiv=Content-Type content="text/html; charset=gb2312">'
        "<style><!-- p.MsoNormal {margin:0cm;} table.MsoNormalTable {font-size:10.5pt;} --></style>"
        f"<title>{html.escape(_title(layout))}</title></head><body lang=ZH-CN><div class=WordSection1>\n"
    )
    return (head + "\n".join(body) + "\n</div></body></html>").encode("gb18030")


def write_html_site(layout: Layout) -> bytes:
    """A page of a site: navigation, layout tables around the text, scripts, a footer."""
    menu = "".join(
        f'<td><a href="/c{n}/">{name}</a></td>' for n, name in enumerate(("首页", "机构", "公开", "服务", "互动"))
    )
    body = []
    for part in layout.parts:
        if isinstance(part, str):
            body.append(f'<p style="text-indent:2em;">{html.escape(part)}</p>')
            continue
        table = _clean_table(part).replace("<th", "<td").replace("</th>", "</td>")
        # Editors leave a paragraph and hard spaces in every cell.
        table = re.sub(r"(<td[^>]*>)([^<]*)(</td>)", _site_cell, table)
        body.append(f'<div class="table-wrap">{table.replace("<table>", _SITE_TABLE)}</div>')
    title = html.escape(_title(layout))
    return _page(
        f"{title}_信息公开",
        f"""<table width="100%"><tr>{menu}</tr></table>
<table width="100%"><tr><td width="180"><ul><li>公开指南</li><li>公开年报</li></ul></td>
<td><div class="article"><h1>{title}</h1>
<div class="info">发布时间：{layout.year + 1}-01-20 浏览次数：<span id="hits"></span></div>
<div class="TRS_Editor">{"".join(body)}</div></div></td></tr></table>
<table width="100%"><tr><td>版权所有：{layout.agency}</td><td>网站地图</td></tr></table>
<script>var hits = 1024; document.getElementById("hits");</script>""",
        "<script src='/a.js'></script><style>td {{ border: 1px }}</style>",
    )


_SITE_TABLE = '<table border="1" cellpadding="0" cellspacing="0"><tbody>'


def _site_cell(match: re.Match[str]) -> str:
    inner = match[2] or "&nbsp;"
    return f'{match[1]}<p style="text-align:center">{inner}</p>{match[3]}'


def write_markdown_html(layout: Layout) -> bytes:
    """Markdown whose tables are in HTML, for the sake of merged cells."""
    parts = [f"{part}\n" if isinstance(part, str) else _clean_table(part) + "\n" for part in layout.parts]
    return ("# " + "\n".join(parts)).encode()


# ---- flattened text


def _text_writer(style: str) -> Writer:
    def write(layout: Layout) -> bytes:
        gap = {"tabbed": "\n\n\n"}.get(style, "\n\n")
        out: list[str] = []
        for part in layout.parts:
            if isinstance(part, str):
                out.append(part + "\n")
            else:
                out.append(gap + _print(_rendered(part), style) + gap)
        return "".join(out).encode()

    return write


def _rendered(table: PrintedTable) -> list[tuple[list[str], list[str]]]:
    """Rows as label cells and value cells, merged continuations blank."""
    kinds = [[cell.kind for cell in row] for row in table.rows]
    rows = []
    for n, cells in enumerate(flatten(table)):
        if n < table.heading_rows or not ({"value", "unit"} & set(kinds[n])):
            rows.append((cells, []))
        else:
            # A row narrower than the table leaves slots behind its values that no converter prints.
            own = table.label_columns + sum(kind in ("value", "unit") for kind in kinds[n])
            rows.append((cells[: table.label_columns], cells[table.label_columns : own]))
    return rows


# ---- office files

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _docx_paragraph(text: str, cell: PrintedCell | None = None) -> str:
    marks = ""
    if cell and cell.struck:
        marks += f'<w:del w:id="1" w:author="x"><w:r><w:delText>{escape(cell.struck)}</w:delText></w:r></w:del>'
    if cell and cell.note:
        marks += f'<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr><w:t>{cell.note}</w:t></w:r>'
    return "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r>{marks}</w:p>' for line in text.split("\n")
    )


def _docx_table(table: PrintedTable) -> str:
    width = table.width
    slots: dict[tuple[int, int], tuple[PrintedCell, bool]] = {}
    for r, c, cell in table.placed():
        for i in range(min(max(cell.rows, 1), len(table.rows) - r)):
            slots.setdefault((r + i, c), (cell, i == 0))
    rows = []
    for r in range(len(table.rows)):
        cells, c = [], 0
        while c < width:
            cell, is_first = slots.get((r, c), (None, True))
            if cell is None:
                cells.append("<w:tc><w:tcPr/><w:p/></w:tc>")
                c += 1
                continue
            merge = "" if cell.rows <= 1 else '<w:vMerge w:val="restart"/>' if is_first else "<w:vMerge/>"
            span = f'<w:gridSpan w:val="{cell.columns}"/>' if cell.columns != 1 else ""
            inner = _docx_paragraph(cell.text, cell) if is_first else "<w:p/>"
            if cell.inner and is_first:
                inner = _docx_table(cell.inner) + "<w:p/>"
            cells.append(f"<w:tc><w:tcPr>{span}{merge}</w:tcPr>{inner}</w:tc>")
            c += cell.columns
        rows.append(f"<w:tr>{''.join(cells)}</w:tr>")
    grid = '<w:gridCol w:w="900"/>' * width
    return f"<w:tbl><w:tblPr/><w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"


def write_docx(layout: Layout) -> bytes:
    """A Word file of 2007."""
    body = "".join(_docx_paragraph(p) if isinstance(p, str) else _docx_table(p) + "<w:p/>" for p in layout.parts)
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'wordprocessingml.document.main+xml"/></Types>'
    )
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return _zipped(
        {
            "[Content_Types].xml": (head + types).encode(),
            "_rels/.rels": (head + relations).encode(),
            "word/document.xml": f"{head}<w:document {_W}><w:body>{body}<w:sectPr/></w:body></w:document>".encode(),
        }
    )


def _zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6)), data)
    return out.getvalue()


def write_doc(layout: Layout) -> bytes:
    """A binary Word file, by LibreOffice."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "in.docx").write_bytes(write_docx(layout))
        command = [
            "soffice",
            f"-env:UserInstallation=file://{folder}/profile",
            "--headless",
            "--convert-to",
            "doc:MS Word 97",
            "--outdir",
            folder,
            f"{folder}/in.docx",
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return Path(folder, "in.doc").read_bytes()


def _sheet_cells(layout: Layout):
    """Row, column, rows, columns, content of every cell of one sheet."""
    at = 0
    for part in layout.parts:
        if isinstance(part, str):
            yield at, 0, 1, 10, part
            at += 1
            continue
        for r, c, cell in part.placed():
            rows = min(max(cell.rows, 1), len(part.rows) - r)
            yield at + r, c, rows, cell.columns, _sheet_value(cell)
        at += len(part.rows) + 1


def _sheet_value(cell: PrintedCell) -> str | int | float:
    """Typed numbers, as people enter them."""
    if cell.formula:
        return cell.formula
    if cell.kind == "value" and re.fullmatch(r"-?(?:0|[1-9]\d{0,14})", cell.text):
        return int(cell.text)
    if cell.kind == "value" and re.fullmatch(r"-?\d{1,10}\.\d{1,4}", cell.text):
        return float(cell.text)
    return cell.text


def write_xlsx(layout: Layout) -> bytes:
    """A workbook of 2007."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    for row, column, rows, columns, content in _sheet_cells(layout):
        sheet.cell(row + 1, column + 1, content if content != "" else None)
        if rows > 1 or columns > 1:
            sheet.merge_cells(
                start_row=row + 1, start_column=column + 1, end_row=row + rows, end_column=column + columns
            )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def write_xls(layout: Layout) -> bytes:
    """A workbook of 1997."""
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Sheet1", cell_overwrite_ok=True)
    for row, column, rows, columns, content in _sheet_cells(layout):
        if rows > 1 or columns > 1:
            sheet.write_merge(row, row + rows - 1, column, column + columns - 1, content)
        elif content != "":
            sheet.write(row, column, content)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# ---- pages

_WIDTH, _HEIGHT, _MARGIN, _SIZE, _LEADING, _PAD = 595.0, 842.0, 50.0, 9.0, 11.5, 3.0


@dataclass
class _Sheet:
    """One page: ruling lines and lines of text with the place of their left end."""

    lines: list[tuple[float, float, float, float]] = field(default_factory=list)
    texts: list[tuple[float, float, str]] = field(default_factory=list)


def _text_width(text: str) -> float:
    return sum(_SIZE * (0.55 if char.isascii() else 1.0) for char in text)


def _wrap(text: str, width: float) -> list[str]:
    """Lines of a width; numbers are kept whole where they fit."""
    out = []
    for paragraph in text.split("\n"):
        line = ""
        for token in re.findall(r"[0-9.,%]+|.", paragraph):
            if line and _text_width(line + token) > width:
                out.append(line)
                line = ""
            line += token
        out.append(line)
    return out


def _cell_lines(cell: PrintedCell, column: int, edges: list[float]) -> list[str]:
    return _wrap(cell.text, edges[column + cell.columns] - edges[column] - 2 * _PAD)


class _Pages:
    """Fills pages from the top; tables are cut between rows unless the layout wishes otherwise."""

    def __init__(self, options: frozenset[str]) -> None:
        self.sheets = [_Sheet()]
        self._y = _MARGIN
        self._options = options

    @property
    def _bottom(self) -> float:
        return _HEIGHT - _MARGIN

    def _turn(self) -> None:
        if "running_head" in self._options:
            self.sheets[-1].texts.append((_MARGIN, 30, f"政府信息公开工作年度报告 第 {len(self.sheets)} 页 共 9 页"))
        number = f"- {len(self.sheets)} -"
        self.sheets[-1].texts.append(((_WIDTH - _text_width(number)) / 2, _HEIGHT - 30, number))
        self.sheets.append(_Sheet())
        self._y = _MARGIN

    def add_paragraph(self, text: str) -> None:
        for line in _wrap("　　" + text, _WIDTH - 2 * _MARGIN):
            if self._y + _LEADING > self._bottom:
                self._turn()
            self._y += _LEADING
            self.sheets[-1].texts.append((_MARGIN, self._y, line))
        self._y += 4

    def add_table(self, table: PrintedTable) -> None:
        """Lay the table out on one endless page and cut it where pages end."""
        placed = table.placed()
        edges = _column_edges(table)
        heights = _row_heights(table, placed, edges)
        tops = [0.0]
        for height in heights:
            tops.append(tops[-1] + height)
        head = tops[table.heading_rows] if "repeat_heading" in self._options else 0.0
        at = 0.0
        if self._y + tops[min(table.heading_rows + 2, len(heights))] > self._bottom:
            self._turn()
        while at < tops[-1]:
            room = self._bottom - self._y
            repeated = head if at > 0 else 0.0
            if repeated:
                self._draw(placed, edges, tops, 0.0, head)
            cut = self._cut(placed, edges, tops, at, room - repeated)
            self._draw(placed, edges, tops, at, cut)
            at = cut
            if at < tops[-1]:
                self._turn()
        self._y += 8

    def _cut(
        self, placed: list[tuple[int, int, PrintedCell]], edges: list[float], tops: list[float], at: float, room: float
    ) -> float:
        """Where the page ends: after the last whole row, or inside the next one where that is wished."""
        last = max((top for top in tops if at < top <= at + room), default=None)
        if last == tops[-1]:
            return last
        if "cut_rows" in self._options:
            row = tops.index(last) if last is not None else 0
            tall = [
                cell
                for r, c, cell in placed
                if r == row
                and cell.rows == 1
                and len(_wrap(cell.text, edges[c + cell.columns] - edges[c] - 2 * _PAD)) > 1
            ]
            if last is not None and tall:
                return last + _PAD + _LEADING + 1
        return last if last is not None else at + room

    def _draw(
        self,
        placed: list[tuple[int, int, PrintedCell]],
        edges: list[float],
        tops: list[float],
        start: float,
        stop: float,
    ) -> None:
        sheet, shift = self.sheets[-1], self._y - start
        for r, c, cell in placed:
            top, bottom = tops[r], tops[min(r + max(cell.rows, 1), len(tops) - 1)]
            if bottom <= start or top >= stop:
                continue
            left, right = edges[c], edges[c + cell.columns]
            upper, lower = max(top, start) + shift, min(bottom, stop) + shift
            if "no_lines" not in self._options:
                sheet.lines += [(left, upper, right, upper), (left, lower, right, lower)]
                if "no_vertical_lines" not in self._options:
                    sheet.lines += [(left, upper, left, lower), (right, upper, right, lower)]
            lines = _cell_lines(cell, c, edges)
            # One row: from its top, as a word processor cuts it; merged rows: in the middle.
            y = top + _PAD + (0 if cell.rows <= 1 else max(0.0, (bottom - top - 2 * _PAD - len(lines) * _LEADING) / 2))
            for cut in (start, stop):
                if y < cut < y + len(lines) * _LEADING:
                    y = cut - round((cut - y) / _LEADING) * _LEADING
            for line in lines:
                if line and start <= y + _LEADING / 2 < stop:
                    x = left + _PAD
                    if cell.kind == "value":
                        x = max(x, (left + right - _text_width(line)) / 2)
                    sheet.texts.append((x, y + _LEADING - 2 + shift, line))
                y += _LEADING
        self._y += stop - start


def _column_edges(table: PrintedTable) -> list[float]:
    width = table.width
    weights = [1.0] * width
    for column in range(table.label_columns):
        weights[column] = 4.0 if table.label_columns == 1 else (0.7, 1.2, 2.6)[min(column, 2)]
    scale = (_WIDTH - 2 * _MARGIN) / sum(weights)
    edges = [_MARGIN]
    for weight in weights:
        edges.append(edges[-1] + weight * scale)
    return edges


def _row_heights(table: PrintedTable, placed: list[tuple[int, int, PrintedCell]], edges: list[float]) -> list[float]:
    heights = [_LEADING + 2 * _PAD] * len(table.rows)
    for r, c, cell in sorted(placed, key=lambda item: item[2].rows):
        lines = len(_cell_lines(cell, c, edges))
        rows = range(r, min(r + max(cell.rows, 1), len(heights)))
        missing = lines * _LEADING + 2 * _PAD - sum(heights[n] for n in rows)
        if missing > 0:
            heights[rows[-1]] += missing
    return heights


def _sheets(layout: Layout) -> list[_Sheet]:
    pages = _Pages(layout.options)
    for part in layout.parts:
        if isinstance(part, str):
            pages.add_paragraph(part)
        else:
            pages.add_table(part)
    return pages.sheets


def write_pdf(layout: Layout) -> bytes:
    """A PDF with ruled tables and the standard Chinese font."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen import canvas

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(_WIDTH, _HEIGHT), invariant=1)
    for sheet in _sheets(layout):
        page.setFont("STSong-Light", _SIZE)
        page.setLineWidth(0.5)
        for x0, y0, x1, y1 in sheet.lines:
            page.line(x0, _HEIGHT - y0, x1, _HEIGHT - y1)
        for x, y, text in sheet.texts:
            page.drawString(x, _HEIGHT - y, text)
        page.showPage()
    page.save()
    return out.getvalue()


def write_scan(layout: Layout) -> bytes:
    """A PDF of pictures: each page a little crooked, with noise, without text."""
    import numpy as np
    import pypdfium2
    from PIL import Image

    rng = np.random.default_rng(7)
    crooked = random.Random(_title(layout))
    pictures = []
    pages = pypdfium2.PdfDocument(write_pdf(layout))
    for page in pages:
        picture = page.render(scale=200 / 72, grayscale=True).to_pil().convert("L")
        picture = picture.rotate(crooked.uniform(-0.6, 0.6), Image.Resampling.BICUBIC, fillcolor=255)
        noisy = np.asarray(picture, dtype=np.float32) + rng.normal(0, 6, (picture.height, picture.width))
        pictures.append(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)))
    out = io.BytesIO()
    pictures[0].save(out, "PDF", save_all=True, append_images=pictures[1:], resolution=200, quality=80)
    return out.getvalue()


WRITERS: dict[str, Writer] = {
    "html": write_html,
    "html_word": write_html_word,
    "html_site": write_html_site,
    "markdown_html": write_markdown_html,
    "docx": write_docx,
    "xlsx": write_xlsx,
    "xls": write_xls,
    "pdf": write_pdf,
    "scan": write_scan,
    **{f"text_{style}": _text_writer(style) for style in STYLES},
}
if shutil.which("soffice"):
    WRITERS["doc"] = write_doc

# The formats whose tables have merged cells, and of those the ones a browser lays out.
HTML_FORMATS = frozenset({"html", "html_word", "html_site", "markdown_html"})
GRID_FORMATS = HTML_FORMATS | {"docx", "doc", "xlsx", "xls", "pdf", "scan"}
PAGED_FORMATS = frozenset({"pdf", "scan"})
# In these a row of cells is seen with its blank cells and its end.
ROW_FORMATS = GRID_FORMATS | {"text_tabbed", "text_tsv", "text_piped_row", "text_markdown"}
# Slow to print or to read.
SLOW_FORMATS = frozenset({"scan", "doc"})
