"""What reading a page costs, beside pandas.read_html on the same pages in the same process.

``python -m benchmarks.html_readers [--json]`` writes 20 pages of about 30 KB with the statutory tables, their spans
and invented figures, reads each with both, and prints milliseconds a page (the best of several runs) and the ratio.
Both are given decoded text and end with every cell of every table in Python. Ours is shown as grids alone (each
``<table>`` to its slots) and as whole documents with prose, metadata and places; the share of the document builder
is shown apart. Then the whole way, from the bytes of plain web pages with figures that add up to rows, identities
checked, on one core.
"""

from __future__ import annotations

import io
import json
import random
import re
import sys
import time
from collections.abc import Callable
from html import escape
from typing import TypeVar

from loaders.readers.build import DocumentBuilder
from loaders.readers.html import read_html, read_table_markup
from loaders.reading import read_document
from loaders.vocabulary import FormRow, FormTable, load_vocabulary
from tests.faults.catalogue import CATALOGUE, make_layout
from tests.faults.writers import WRITERS

Page = TypeVar("Page")
Truth = dict[tuple[str, str | None], str]
_TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
CellWriter = Callable[[str, str], str]


def plain_cell(text: str, attributes: str = "") -> str:
    """A cell as an editor writes it."""
    return f"<td{attributes}>{text}</td>"


def word_cell(text: str, attributes: str = "") -> str:
    """A cell as Word exports it."""
    span = f'<span lang="EN-US">{text}<o:p></o:p></span>'
    style = ' valign="top"'
    return f'<td{attributes}{style}>\n  <p class="MsoNormal" align="center">{span}</p>\n  </td>'


def write_tables(form_code: str, seed: int, cell: CellWriter = plain_cell) -> tuple[list[str], Truth]:
    """The tables of a form with their merged cells and invented figures; article 20 is one table."""
    rng = random.Random(seed)
    truth: Truth = {}
    tables: list[list[str]] = []
    for form in (t for t in load_vocabulary().tables if t.form_code == form_code):
        rows = _rows(form, rng, truth, cell)
        if "article20" in form.table_code and tables:
            tables[-1] += rows
        else:
            tables.append(rows)
    return ["<table border=1>\n" + "\n".join(rows) + "\n</table>" for rows in tables], truth


def _rows(form: FormTable, rng: random.Random, truth: Truth, cell: CellWriter) -> list[str]:
    columns = [c for c in form.columns if c.column_code != "in_label"]

    def values(row: FormRow) -> str:
        cells = []
        for column in columns:
            value = str(rng.choice((0, rng.randrange(10), rng.randrange(100), rng.randrange(10000))))
            key = form.cells.get((row.row_code, column.column_code))
            if key is not None:
                truth[key] = value
            cells.append(cell(value if key else "", ""))
        return "".join(cells)

    if form.layout_code == "row_unit_value":
        rows = ["<tr>" + cell("统计指标", "") + cell("单位", "") + cell("统计数", "") + "</tr>"]
        chosen = [r for r in form.rows if r.variant_code in ("all", "national")]
        for row in chosen:
            label = cell(escape(row.enumerator + row.label_zh), "")
            rows.append("<tr>" + label + cell(row.printed_unit or "—", "") + values(row) + "</tr>")
        return rows
    if form.layout_code == "single_row":
        groups = [cell("行政复议", " colspan=5"), cell("行政诉讼", " colspan=10")]
        heads = [cell(c.label_zh, " rowspan=2") for c in columns[:5]]
        heads += [cell("未经复议直接起诉", " colspan=5"), cell("复议后起诉", " colspan=5")]
        leaves = [cell(c.label_zh, "") for c in columns[5:]]
        return [f"<tr>{''.join(cells)}</tr>" for cells in (groups, heads, leaves, [values(form.rows[0])])]
    if "requests" not in form.table_code:
        width = len(columns) + 1
        head = "".join(cell(c.label_zh, "") for c in columns)
        rows = ["<tr>" + cell(form.label_zh, f" colspan={width}") + "</tr>"]
        rows.append("<tr>" + cell("信息内容", "") + head + "</tr>")
        rows += [
            "<tr>" + cell(r.enumerator + r.label_zh, "") + values(r) + "</tr>" for r in form.rows if not r.is_heading
        ]
        return rows
    return _request_rows(form, cell, values)


def _request_rows(form: FormTable, cell: CellWriter, values: Callable[[FormRow], str]) -> list[str]:
    """The request table: three columns of labels merged downwards, one column for each kind of applicant."""
    children: dict[str, list[FormRow]] = {}
    for row in form.rows:
        children.setdefault(row.parent_row_code or "", []).append(row)

    def leaves(row: FormRow) -> int:
        below = children.get(row.row_code, [])
        return sum(map(leaves, below)) if below else 1

    rows = [
        "<tr>"
        + cell("（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）", " colspan=3 rowspan=3")
        + cell("申请人情况", " colspan=7")
        + "</tr>",
        "<tr>"
        + cell("自然人", " rowspan=2")
        + cell("法人或其他组织", " colspan=5")
        + cell("总计", " rowspan=2")
        + "</tr>",
        "<tr>" + "".join(cell(c.label_zh, "") for c in form.columns[1:6]) + "</tr>",
    ]

    def write(row: FormRow, depth: int, before: str) -> None:
        label = row.enumerator + row.label_zh
        below = children.get(row.row_code, [])
        if not below:
            rows.append(
                "<tr>" + before + cell(label, f" colspan={3 - depth}" if depth < 2 else "") + values(row) + "</tr>"
            )
            return
        before += cell(label, f" rowspan={leaves(row)}")
        for child in below:
            write(child, depth + 1, before)
            before = ""

    for row in children[""]:
        write(row, 0, "")
    return rows


def write_pages(count: int = 20) -> list[str]:
    """Pages of about 30 KB: navigation, prose, the tables of both forms, a list of other articles, a footer."""
    pages = []
    for seed in range(count):
        tables, _ = write_tables(("fmt2019", "fmt2021")[seed % 2], seed, (plain_cell, word_cell)[seed % 4 == 3])
        links = "".join(f'<li><a href="/zwgk/{n}.html" target="_blank">栏目{n}</a></li>' for n in range(30))
        prose = "<p>本年度本机关按照要求开展工作，及时更新栏目内容，按时答复来信来电，未出现重大问题。</p>\n" * 12
        pages.append(
            f"<html><head><title>某某县林业局{2020 + seed % 4}年政府信息公开工作年度报告</title></head><body>"
            f'<div class="nav"><ul>{links}</ul></div><div class="main"><h1>某某县林业局年度报告</h1>{prose}'
            + "\n<p>二、情况</p>\n".join(tables)
            + f'{prose}</div><div class="related"><ul>{links}</ul></div><div class="footer">主办单位</div></body>'
        )
    return pages


def write_reports(count: int = 20) -> list[bytes]:
    """Plain pages of filled reports whose figures keep the identities of their form."""
    variants = ("fmt2019", "fmt2021", "nat2014")
    return [WRITERS["html"](make_layout(variants[n % 3], CATALOGUE["none"], n)) for n in range(count)]


def _milliseconds(read: Callable[[Page], object], pages: list[Page], rounds: int) -> float:
    for page in pages[:2]:
        read(page)
    best = []
    for page in pages:
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            read(page)
            times.append(time.perf_counter() - start)
        best.append(min(times))
    return 1000 * sum(best) / len(best)


def measure() -> dict[str, float]:
    """Milliseconds a page for both readers, and the ratio."""
    import pandas

    pages = write_pages()
    ours = _milliseconds(lambda page: read_html(page, "utf-8"), pages, 5)
    building = _building(pages)
    grids = _milliseconds(lambda page: [read_table_markup(table) for table in _TABLE.findall(page)], pages, 5)
    whole = _milliseconds(lambda page: read_document(page, "page.html"), write_reports(), 5)
    theirs = _milliseconds(lambda page: pandas.read_html(io.StringIO(page)), pages, 3)
    size = sum(len(page.encode()) for page in pages) / len(pages)
    return {
        "kilobytes_a_page": size / 1000,
        "read_html_ms": ours,
        "of_that_builder_ms": building,
        "grids_alone_ms": grids,
        "pandas_ms": theirs,
        "ratio_of_documents": theirs / ours,
        "ratio_of_grids": theirs / grids,
        "bytes_to_rows_ms": whole,
        "reports_a_second": 1000 / whole,
    }


def _building(pages: list[str]) -> float:
    """What the document builder takes of a page: the same pieces built again."""
    calls: list[tuple[str, tuple[object, ...]]] = []

    def build(page: list[tuple[str, tuple[object, ...]]]) -> None:
        builder = DocumentBuilder()
        for name, arguments in page:
            getattr(builder, name)(*arguments)
        builder.build("text/html")

    recorded = []
    originals = DocumentBuilder.add_paragraph, DocumentBuilder.add_table
    try:
        DocumentBuilder.add_paragraph = lambda self, *a: (calls.append(("add_paragraph", a)), originals[0](self, *a))[1]  # type: ignore
        DocumentBuilder.add_table = lambda self, *a: (calls.append(("add_table", a)), originals[1](self, *a))[1]  # type: ignore
        for page in pages:
            calls.clear()
            read_html(page, "utf-8")
            recorded.append(list(calls))
    finally:
        DocumentBuilder.add_paragraph, DocumentBuilder.add_table = originals  # type: ignore
    return _milliseconds(build, recorded, 5)  # type: ignore


def main(arguments: list[str]) -> int:
    """Print the figures."""
    figures = measure()
    if "--json" in arguments:
        print(json.dumps(figures, indent=1))
    else:
        for name, value in figures.items():
            print(f"{name:20} {value:8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
