"""What reading an office file costs, beside the usual library on the same files in the same run.

``python -m benchmarks.office_readers`` reads the statutory tables of each form, written as Word files and workbooks,
with the readers of this project and with python-docx (``row.cells`` of every row) or openpyxl, and prints CPU
milliseconds a document and the ratio; binary Word files and binary workbooks have no such library and are printed
alone. It fails when the Word files together are read less than five times as fast as by python-docx.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl

from loaders.readers.sheet import read_sheet
from loaders.readers.word import read_doc, read_docx
from loaders.vocabulary import PROJECT_ROOT
from tests.loaders.word_forms import lay_out, to_docx, to_xls, to_xlsx

FORMS = ("nat2014", "fmt2019", "fmt2021")
BINARY = PROJECT_ROOT / "tests" / "golden" / "office"
WANTED_RATIO = 5
ROUNDS = 7


def with_python_docx(data: bytes) -> int:
    """The characters of every cell of every row, and of the paragraphs."""
    document = docx.Document(io.BytesIO(data))
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return sum(map(len, cells)) + sum(len(paragraph.text) for paragraph in document.paragraphs)


def with_openpyxl(data: bytes) -> int:
    """The values of every cell of every sheet, and the merged ranges."""
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    values = sum(1 for sheet in book for row in sheet.iter_rows(values_only=True) for value in row if value is not None)
    return values + sum(len(sheet.merged_cells.ranges) for sheet in book)


def cost(read: Callable[[bytes], object], data: bytes) -> float:
    """CPU milliseconds of the quickest of a few rounds."""
    read(data)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        read(data)
        best = min(best, time.process_time() - start)
    return best * 1000


def compare(
    name: str, data: bytes, ours: Callable[[bytes], object], theirs: Callable[[bytes], object] | None = None
) -> tuple[float, float]:
    """Print one line; what it costs here and with the library, zero without one."""
    own = cost(ours, data)
    other = cost(theirs, data) if theirs else 0.0
    beside = f"  {theirs.__name__} {other:7.1f} ms  {other / own:5.1f} times" if theirs else ""
    print(f"{name:<22} {len(data):>7,} bytes  {own:6.1f} ms{beside}")
    return own, other


def main() -> None:
    """Compare on every form."""
    reports = {form: lay_out(form, 1, blank=0.2) for form in FORMS}
    costs = [compare(f"{f}.docx", to_docx(r), read_docx, with_python_docx) for f, r in reports.items()]
    for form, report in reports.items():
        compare(f"{form}.xlsx", to_xlsx(report), read_sheet, with_openpyxl)
        compare(f"{form}.xls", to_xls(report), read_sheet)
    for path in sorted(Path(BINARY).glob("*.doc")):
        compare(path.name, path.read_bytes(), read_doc)
    ratio = sum(other for _, other in costs) / sum(own for own, _ in costs)
    print(f"Word files together: {ratio:.1f} times as fast as python-docx; wanted {WANTED_RATIO}")
    if ratio < WANTED_RATIO:
        sys.exit(1)


if __name__ == "__main__":
    main()
