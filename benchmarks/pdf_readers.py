"""The PDF reader beside pdfplumber on the same printed forms in the same run.

``python -m benchmarks.pdf_readers [FILE ...]`` reads each file with both and prints CPU milliseconds a page and the
ratio. Without files, statutory forms are printed for the purpose. Both find the ruled tables and the text.
"""

from __future__ import annotations

import io
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pdfplumber
import pypdfium2

from loaders.readers.pdf import read_pdf
from tests.loaders.pdf_print import Print, print_report

_RUNS = 3
# pdfplumber speaks of fonts without a box at every character of them.
logging.getLogger("pdfminer").setLevel(logging.ERROR)
_LINES = {"vertical_strategy": "lines", "horizontal_strategy": "lines"}


def read_with_pdfplumber(data: bytes) -> list:
    """The tables and the text of a file by pdfplumber."""
    found: list = []
    with pdfplumber.open(io.BytesIO(data)) as document:
        for page in document.pages:
            found += [table.extract() for table in page.find_tables(_LINES)]
            found.append(page.extract_text())
            page.close()
    return found


def cpu_seconds(reader: Callable[[bytes], object], data: bytes) -> float:
    """The least CPU time of a few runs."""
    best = float("inf")
    for _ in range(_RUNS):
        start = time.process_time()
        reader(data)
        best = min(best, time.process_time() - start)
    return best


def main(paths: list[str]) -> None:
    """Print one line a file and the ratio over all."""
    files = {path: Path(path).read_bytes() for path in paths} or {
        f"{form}, {way}": print_report(form, 1, how).data
        for form in ("fmt2019", "fmt2021", "nat2014")
        for way, how in (("stroke", Print()), ("a box a cell", Print(lines="boxes")), ("rect", Print(lines="rect")))
    }
    ours = theirs = 0.0
    pages = 0
    for name, data in files.items():
        document = pypdfium2.PdfDocument(data)
        count = len(document)
        document.close()
        a, b = cpu_seconds(read_pdf, data), cpu_seconds(read_with_pdfplumber, data)
        ours, theirs, pages = ours + a, theirs + b, pages + count
        print(f"{name}: {a * 1e3 / count:.1f} ms a page, pdfplumber {b * 1e3 / count:.1f}, ratio {b / a:.1f}")
    print(f"all: {ours * 1e3 / pages:.1f} ms a page, pdfplumber {theirs * 1e3 / pages:.1f}, ratio {theirs / ours:.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
