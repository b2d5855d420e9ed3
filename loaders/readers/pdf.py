"""PDF: the text and the ruled tables of a report.

In: the bytes of a file. Out: a :class:`~loaders.model.Document` with paragraphs and tables in reading order, each
with its page. Tables are read from the lines that are drawn; a table without lines is left as lines of text whose
columns are parted by wide gaps, and read as flattened text is. Page numbers and running headings are left out at the
edges of pages only. A file that is a scan is handed to character recognition. Refuses locked, cut off and
hostile files. pdfium is not safe with threads: read in processes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module

from loaders.model import Block, Cell, Document, Issue, Place, Table
from loaders.readers.build import DocumentBuilder
from loaders.readers.flat_text import read_blocks
from loaders.readers.pdf_grid import find_grids
from loaders.readers.pdf_page import Glyph, PageContent, read_pages
from loaders.readers.pdf_table import TablePart, fill_grids, joined
from loaders.readers.pdf_text import Line, group_lines, join_paragraphs, measure_margins
from loaders.text.numbers import is_value

_MEDIA_TYPE = "application/pdf"
_MIN_CHARACTERS = 30
_MIN_PAGE_CHARACTERS = 10
_EDGE = 0.14
_FOOT = 0.09
_EDGE_LINES = 2
_SAME_HEIGHT = 4.0
_MIN_TABULAR = 4
_MAX_BETWEEN = 12
_MAX_OVERFLOW = 6
_MAX_BEFORE = 6
_MARKED_NUMBER = re.compile(
    r"[-—–－·•~～]\s*\d{1,4}\s*[-—–－·•~～]|第\s*\d{1,4}\s*页(?:\s*[,，/]?\s*共\s*\d{1,4}\s*页)?"
    r"|\d{1,4}\s*/\s*\d{1,4}|[Pp]age\s*\d{1,4}(?:\s*of\s*\d{1,4})?"
)
_PLAIN_NUMBER = re.compile(r"\d{1,4}")
_NUMBER = re.compile(r"\d+")
_SENTENCE = re.compile(r"[。；！？]")


@dataclass(slots=True)
class _Page:
    """A page as its lines and tables in reading order."""

    content: PageContent
    items: list[Line | TablePart] = field(default_factory=list)


def read_pdf(data: bytes) -> Document:
    """Read a PDF file.

    Raises:
        DocumentRejected: ``encrypted_document``, ``damaged_document``, ``hostile_structure``, ``empty_document``, and
            ``needs_ocr`` for a scan where character recognition is not installed.
    """
    contents = read_pages(data)
    if _is_scan(contents):
        recognised: Document = import_module("loaders.readers.ocr").read_scanned_pdf(data)
        return recognised
    pages = [_lay_out(content) for content in _without_numbers_over_tables(contents)]
    _drop_furniture(pages)
    document = _build(_joined_over_pages(pages))
    other_text = "\n".join(content.text_order for content in contents)
    return replace(document, other_text=other_text, issues=_unread_pages(contents))


def _unread_pages(contents: Sequence[PageContent]) -> tuple[Issue, ...]:
    """Pages that are a picture without text among pages with text."""
    return tuple(
        Issue("page_unread", f"page {content.number} is a picture without text; it was not read")
        for content in contents
        if content.has_large_picture and len(content.glyphs) < _MIN_PAGE_CHARACTERS
    )


def _is_scan(contents: Sequence[PageContent]) -> bool:
    """Whether there is hardly any text, and pictures or outlines of characters in its place."""
    mean = sum(len(content.glyphs) for content in contents) / len(contents)
    return mean < _MIN_CHARACTERS and (
        mean < _MIN_PAGE_CHARACTERS or any(content.has_large_picture for content in contents)
    )


def _lay_out(content: PageContent) -> _Page:
    parts, rest = fill_grids(content, find_grids(content.horizontal, content.vertical))
    lines = group_lines(glyph for glyph in rest if not glyph.turn)
    for line in lines:
        line.page = content.number
    placed: list[tuple[float, Line | TablePart]] = [(line.y, line) for line in lines]
    placed += [(part.top, part) for part in parts]
    return _Page(content, [item for _, item in sorted(placed, key=lambda pair: pair[0])])


# ---- what is printed at the edges of pages


def _without_numbers_over_tables(contents: Sequence[PageContent]) -> list[PageContent]:
    """The pages without marked page numbers printed over the end of a table that runs into the margin."""
    found = [(content, run) for content in contents for run in _foot_numbers(content)]
    steps = Counter((int(_NUMBER.findall(_text(run))[0]) - content.number, round(run[0].y)) for content, run in found)
    dropped = {
        id(glyph)
        for content, run in found
        if steps[int(_NUMBER.findall(_text(run))[0]) - content.number, round(run[0].y)] > 1
        for glyph in run
    }
    if not dropped:
        return list(contents)
    return [
        replace(content, glyphs=[glyph for glyph in content.glyphs if id(glyph) not in dropped]) for content in contents
    ]


def _text(run: Sequence[Glyph]) -> str:
    return "".join(glyph.text for glyph in run)


def _foot_numbers(content: PageContent) -> list[list[Glyph]]:
    """Runs of characters on one baseline at the foot of a page that are a page number between dashes."""
    runs: list[list[Glyph]] = []
    foot = (glyph for glyph in content.glyphs if not glyph.turn and glyph.y > (1 - _FOOT) * content.height)
    for glyph in sorted(foot, key=lambda g: (round(g.y), g.x0)):
        last = runs[-1][-1] if runs else None
        if last and round(last.y) == round(glyph.y) and glyph.x0 - last.x1 <= glyph.size:
            runs[-1].append(glyph)
        else:
            runs.append([glyph])
    return [run for run in runs if _MARKED_NUMBER.fullmatch(_text(run).strip()) and not _text(run)[:1].isdigit()]


def _edge_lines(page: _Page, is_top: bool) -> list[Line]:
    """The outermost lines of a page, near its edge."""
    items = page.items if is_top else page.items[::-1]
    lines: list[Line] = []
    for item in items[:_EDGE_LINES]:
        if not isinstance(item, Line) or _from_edge(page, item, is_top) > _EDGE * page.content.height:
            break
        lines.append(item)
    return lines


def _from_edge(page: _Page, line: Line, is_top: bool) -> float:
    return line.y if is_top else page.content.height - line.y


def _drop_furniture(pages: list[_Page]) -> None:
    """Take page numbers and running lines away; a heading that stands nowhere else is kept on the first page."""
    for is_top in (True, False):
        edges = [(page, line) for page in pages for line in _edge_lines(page, is_top)]
        numbers = _page_numbers(edges)
        dropped = {id(line) for line in numbers}
        # A heading may stand above or below the page number.
        for page in pages:
            page.items = [item for item in page.items if id(item) not in dropped]
        edges = [(page, line) for page in pages for line in _edge_lines(page, is_top)]
        running = _running_lines(edges, is_top, len(pages))
        words = {id(line) for _, line in running}
        elsewhere = {
            item.text for page in pages for item in page.items if isinstance(item, Line) and id(item) not in words
        }
        for page, line in running:
            # The heading of the first page may be the only place that names the report.
            if not (is_top and page is pages[0] and line.text not in elsewhere):
                page.items = [item for item in page.items if item is not line]


def _page_numbers(edges: Sequence[tuple[_Page, Line]]) -> list[Line]:
    marked = [line for _, line in edges if _MARKED_NUMBER.fullmatch(line.text.strip())]
    plain = [(int(line.text) - page.content.number, line) for page, line in edges if _PLAIN_NUMBER.fullmatch(line.text)]
    # A bare number is a page number when it counts with the pages.
    steps = Counter(step for step, _ in plain)
    return marked + [line for step, line in plain if step == 0 or steps[step] > 1]


def _running_lines(edges: Sequence[tuple[_Page, Line]], is_top: bool, pages: int) -> list[tuple[_Page, Line]]:
    """Lines printed at the same height of several pages, with the same words and numbers but for the page number."""
    groups: dict[str, list[tuple[_Page, Line]]] = {}
    for page, line in edges:
        words = _NUMBER.sub("#", line.text)
        if sum(char.isalpha() for char in words) > 1:
            groups.setdefault(words, []).append((page, line))
    running = []
    for level in (level for group in groups.values() for level in _levels(group, is_top)):
        if len(level) > 1 and len(level) * 2 >= pages - 1 and _counts_pages(level):
            running += level
    return running


def _levels(group: Sequence[tuple[_Page, Line]], is_top: bool) -> list[list[tuple[_Page, Line]]]:
    """The lines by their height: a title in the words of the running heading stands lower than it."""
    levels: list[list[tuple[_Page, Line]]] = []
    height = 0.0
    for page, line in sorted(group, key=lambda entry: _from_edge(entry[0], entry[1], is_top)):
        if not levels or _from_edge(page, line, is_top) - height > _SAME_HEIGHT:
            levels.append([])
            height = _from_edge(page, line, is_top)
        levels[-1].append((page, line))
    return levels


def _counts_pages(group: Sequence[tuple[_Page, Line]]) -> bool:
    """Whether every number in the lines is the same on all pages or counts with them."""
    numbers = [[int(number) for number in _NUMBER.findall(line.text)] for _, line in group]
    steps = [[number - page.content.number for number in row] for (page, _), row in zip(group, numbers, strict=True)]
    return all(
        len(set(same)) == 1 or len(set(counted)) == 1
        for same, counted in zip(zip(*numbers, strict=True), zip(*steps, strict=True), strict=True)
    )


# ---- over page breaks


def _joined_over_pages(pages: Sequence[_Page]) -> list[Line | TablePart]:
    """All items in order; a table that goes on at the top of the next page is one item."""
    items: list[Line | TablePart] = []
    for page in pages:
        for number, item in enumerate(page.items):
            last = items[-1] if items else None
            if number == 0 and isinstance(item, TablePart):
                last = _without_overflow(items, item)
            if number == 0 and isinstance(item, TablePart) and isinstance(last, TablePart):
                whole = joined(last, item)
                if whole is not None:
                    items[-1] = whole
                    continue
            items.append(item)
    return items


def _without_overflow(items: list[Line | TablePart], lower: TablePart) -> Line | TablePart | None:
    """The last item, after lines that run over the end of a merged label cell went back into it.

    A browser prints the words of a cell that the page cuts below the last drawn line of the table.
    """
    at = len(items)
    while at and isinstance(items[at - 1], Line):
        at -= 1
    lines = [item for item in items[at:] if isinstance(item, Line)]
    upper = items[at - 1] if at else None
    if lines and isinstance(upper, TablePart) and lower.open_top and len(lines) <= _MAX_OVERFLOW:
        cells = [
            slot
            for slot in upper.slots
            if slot.row + slot.row_span == upper.rows
            and slot.text
            and not is_value(slot.text)
            and all(
                upper.xs[slot.column] <= line.x0 and line.x1 <= upper.xs[slot.column + slot.column_span]
                for line in lines
            )
        ]
        if len(cells) == 1 and all(line.page == _last_page(upper) for line in lines):
            text = "\n".join([cells[0].text, *(line.text for line in lines)])
            upper.slots[upper.slots.index(cells[0])] = cells[0]._replace(text=text)
            del items[at:]
    return items[-1] if items else None


def _last_page(part: TablePart) -> int:
    """The page on which a table ends."""
    return max((slot.page or part.page for slot in part.slots), default=part.page)


# ---- the document


def _build(items: Sequence[Line | TablePart]) -> Document:
    builder = DocumentBuilder()
    margins = measure_margins([item for item in items if isinstance(item, Line)])
    flat: list[int] = []
    paragraphs = 0
    for run in _runs(items):
        if isinstance(run, TablePart):
            builder.add_table(run.slots, "ruled", run.page)
            continue
        for lines, is_tabular in _parted(run):
            if is_tabular:
                flat.append(paragraphs)
                for line in lines:
                    builder.add_paragraph(line.text, line.page)
                    paragraphs += 1
                flat.append(paragraphs)
                continue
            for paragraph in join_paragraphs(lines, margins):
                builder.add_paragraph(paragraph.text, paragraph.lines[0].page)
                paragraphs += 1
    return _with_flat_tables(builder.build(_MEDIA_TYPE), flat)


def _runs(items: Sequence[Line | TablePart]) -> list[list[Line] | TablePart]:
    runs: list[list[Line] | TablePart] = []
    for item in items:
        if isinstance(item, TablePart):
            runs.append(item)
        elif runs and isinstance(runs[-1], list):
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs


def _is_tabular(line: Line) -> bool:
    return line.has_wide_gap and any(is_value(part) for part in re.split(r"\s{2,}", line.text)[1:])


def _parted(lines: Sequence[Line]) -> list[tuple[list[Line], bool]]:
    """Prose, and stretches of lines that look like rows of a table without lines."""
    tabular = [n for n, line in enumerate(lines) if _is_tabular(line)]
    stretches: list[list[int]] = []
    for n in tabular:
        if stretches and n - stretches[-1][-1] <= _MAX_BETWEEN and not _has_sentence(lines[stretches[-1][-1] + 1 : n]):
            stretches[-1].append(n)
        else:
            stretches.append([n])
    parted: list[tuple[list[Line], bool]] = []
    at = 0
    for stretch in stretches:
        if len(stretch) < _MIN_TABULAR:
            continue
        first, stop = stretch[0], stretch[-1] + 1
        while first > max(at, stretch[0] - _MAX_BEFORE) and not _SENTENCE.search(lines[first - 1].text):
            first -= 1
        parted += [(list(lines[at:first]), False), (list(lines[first:stop]), True)]
        at = stop
    parted.append((list(lines[at:]), False))
    return [(part, is_tabular) for part, is_tabular in parted if part]


def _has_sentence(lines: Sequence[Line]) -> bool:
    return any(_SENTENCE.search(line.text) for line in lines)


def _with_flat_tables(document: Document, flat: Sequence[int]) -> Document:
    """The document with stretches of lines read as flattened text; pairs of ``flat`` number their paragraphs."""
    if not flat:
        return document
    blocks = list(document.blocks)
    prose = [n for n, block in enumerate(blocks) if not isinstance(block, Table)]
    for first, stop in reversed(list(zip(flat[::2], flat[1::2], strict=True))):
        old = blocks[prose[first] : prose[stop - 1] + 1]
        pages = {block.place.line: block.place.page for block in old}
        start, line = old[0].place.start, old[0].place.line
        found = read_blocks(document.text[start : old[-1].place.end])
        blocks[prose[first] : prose[stop - 1] + 1] = [_shifted(block, start, line - 1, pages) for block in found]
    return replace(document, blocks=tuple(_numbered(blocks)))


def _shifted(block: Block, start: int, line: int, pages: dict[int, int | None]) -> Block:
    def move(place: Place) -> Place:
        at = place.line + line
        return replace(place, start=place.start + start, end=place.end + start, line=at, page=pages.get(at))

    if not isinstance(block, Table):
        return replace(block, place=move(block.place))
    rows = tuple(tuple(replace(cell, place=move(cell.place)) for cell in row) for row in block.rows)
    return replace(block, rows=rows, place=move(block.place))


def _numbered(blocks: Sequence[Block]) -> list[Block]:
    """The blocks with their tables counted from one."""
    out: list[Block] = []
    number = 0
    for block in blocks:
        if isinstance(block, Table):
            number += 1
            block = _renumbered(block, number)
        out.append(block)
    return out


def _renumbered(table: Table, number: int) -> Table:
    cells = {id(cell): replace(cell, place=replace(cell.place, table=number)) for row in table.rows for cell in row}

    def renumber(row: Sequence[Cell | None]) -> tuple[Cell | None, ...]:
        return tuple(None if cell is None else cells[id(cell)] for cell in row)

    grid = None if table.grid is None else tuple(renumber(row) for row in table.grid)
    rows = tuple(tuple(cells[id(cell)] for cell in row) for row in table.rows)
    return replace(table, rows=rows, grid=grid, place=replace(table.place, table=number))
