"""How well drawn forms are read back from pictures: cells right, absent and wrong, and what a page costs.

Run: ``python -m benchmarks.ocr [--forms fmt2021 ...] [--dpi 200 ...] [--seeds 1 ...] [--clean] [--show]``. The
pages are drawn from the seeds with invented figures and spoilt like scans (turned by 0.7 degrees, blurred, grey cast,
noise, specks, JPEG); a cell counts as right only when the report's metric row says exactly what was drawn, as wrong
when it says something else, and as absent when the value is missing, illegible or its row was not taken.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter
from decimal import Decimal

from loaders.model import DocumentReading, MetricRow, SourceKind, ValueStatus
from loaders.reading import read_document
from tests.loaders.scans import DrawnForm, as_tiff, draw_form, find_font, spoil


def score(reading: DocumentReading, form: DrawnForm, show: bool = False) -> Counter[str]:
    """Count the drawn cells that were read right, wrong, or not at all."""
    rows: dict[tuple[str, str | None], MetricRow] = {}
    for report in reading.reports:
        for row in report.metric_rows:
            if row.source_kind is SourceKind.TABLE and row.metric_code is not None:
                rows[row.metric_code, row.applicant_type] = row
    counts: Counter[str] = Counter()
    for key, printed in form.values.items():
        row = rows.get(key)
        outcome = _outcome(row, printed)
        counts[outcome] += 1
        if show and outcome != "right":
            print(f"    {outcome}: {key} drawn {printed!r}, read {row.value_raw if row else None!r}")
    return counts


def _outcome(row: MetricRow | None, printed: str | None) -> str:
    if row is None or row.value_status is ValueStatus.ILLEGIBLE:
        return "absent"
    if printed is None:
        return "right" if row.value_status is ValueStatus.BLANK else "wrong"
    if row.value_status is not ValueStatus.NUMBER:
        return "wrong"
    return "right" if row.value == Decimal(printed) else "wrong"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forms", nargs="+", default=["fmt2021", "fmt2019", "nat2014"])
    parser.add_argument("--dpi", nargs="+", type=int, default=[200])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--points", type=float, default=10.0, help="size of the print")
    parser.add_argument("--font", default=find_font())
    parser.add_argument("--clean", action="store_true", help="do not spoil the pages")
    parser.add_argument("--show", action="store_true", help="show every cell that is not right")
    arguments = parser.parse_args()
    print(
        f"{'form':8} {'dpi':>4} {'seed':>4} {'cells':>6} {'right':>7} {'absent':>7} {'wrong':>6}"
        f" {'CPU s/page':>11} {'MB':>6}"
    )
    for form_code in arguments.forms:
        for dpi in arguments.dpi:
            for seed in arguments.seeds:
                form = draw_form(form_code, seed, dpi, arguments.font, point_size=arguments.points)
                quiet = {"angle": 0.0, "noise": 0.0, "blur": 0.01, "grey": 240, "specks": 0, "quality": 95}
                how = quiet if arguments.clean else {}
                pictures = [spoil(page, seed * 100 + n, **how) for n, page in enumerate(form.pages)]
                data = as_tiff(pictures, dpi)
                before = time.process_time()
                reading = read_document(data, f"{form_code}.tif")
                cpu = (time.process_time() - before) / len(pictures)
                counts = score(reading, form, arguments.show)
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
                total = sum(counts.values())
                print(
                    f"{form_code:8} {dpi:4} {seed:4} {total:6} {counts['right'] / total:7.1%} {counts['absent']:7}"
                    f" {counts['wrong']:6} {cpu:11.1f} {memory:6.0f} {reading.reject_code or ''}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
