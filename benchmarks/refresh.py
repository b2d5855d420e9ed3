"""What a refresh costs on many documents: from nothing, with nothing new, and with one document in a hundred new.

``python -m benchmarks.refresh [--count 5000] [--formats text|mixed] [--folder DIR] [--json]`` writes generated reports
(bodies of counties, four years each), refreshes an empty warehouse with them, refreshes it again with nothing new, and
once more with a hundredth of new reports, those of the next year of some of the bodies. Each refresh is the command in
a process of its own; wall and CPU seconds are those of the whole process with its workers, the steps as the warehouse
keeps them. Two goals: with nothing new less than ten seconds, and with 1 % new at most 15 % of the first one. The
refresh with 1 % new is made three times, each from the same warehouse, and the median counts: a minute on a shared
machine may be a third faster than the next.

The reports are plain texts, which are read fastest, so that the second goal is hardest to meet; or (``mixed``) web
pages with what sites put around them, Word files and PDF in equal numbers.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from loaders.releases import remove_tree
from loaders.version import PROJECT_ROOT
from loaders.warehouse import Warehouse
from tests.faults.catalogue import CATALOGUE, make_layout
from tests.faults.writers import WRITERS

SAMPLE = PROJECT_ROOT / "samples" / "reports" / "daxing_statistics_2020.txt"
SAMPLE_BODY, SAMPLE_YEAR = "北京市大兴区", "2020年"
YEARS = (2019, 2020, 2021, 2022)
IDLE_SECONDS = 10.0
NEW_SHARE, GOAL, REPEATS = 0.01, 0.15, 3
# The formats of mixed reports, and how their files end.
MIXED = {"html_site": "html", "docx": "docx", "pdf": "pdf"}

# Writes the report of a body and a year into a folder; the number tells documents apart.
Write = Callable[[Path, str, int, int], None]


@dataclass
class Refresh:
    """One measured refresh; ``steps`` are the CPU seconds of each."""

    name: str
    wall: float
    cpu: float
    said: str
    steps: dict[str, float]


def bodies() -> list[str]:
    """The counties of today, by their full names."""
    with (PROJECT_ROOT / "seeds" / "divisions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [row["full_name_zh"] for row in rows if row["level_code"] == "county" and not row["valid_to_year"]]
    return sorted(set(names) - {SAMPLE_BODY})


def write_documents(folder: Path, count: int, write: Write) -> None:
    """Write the reports of as many bodies as it takes, four years each."""
    names = bodies()
    for n in range(count):
        write(folder, names[(n // len(YEARS)) % len(names)], YEARS[n % len(YEARS)], n)


def write_new_documents(folder: Path, count: int, write: Write) -> None:
    """Write the reports of the next year for some bodies."""
    for n, body in enumerate(bodies()[: max(1, round(count * NEW_SHARE))]):
        write(folder, body, YEARS[-1] + 1, n)


def write_text(folder: Path, body: str, year: int, _: int) -> None:
    """Write a sample report as that of another body and year."""
    text = SAMPLE.read_text("utf-8")
    # Figures differ from report to report, within what the form demands of them.
    seen = sum(map(ord, body)) + year
    text = text.replace(SAMPLE_BODY, body).replace("大兴", body).replace(SAMPLE_YEAR, f"{year}年")
    text = text.replace("187.8192", f"{seen % 900}.{seen % 97:02}").replace("\t423\n", f"\t{seen % 500}\n")
    (folder / f"{body}{year}.txt").write_text(text, "utf-8")


def write_mixed(folder: Path, body: str, year: int, number: int) -> None:
    """Write a report with figures at random in the form of its year, each in the next of the formats."""
    form = "fmt2019" if year < 2021 else "fmt2021"
    layout = make_layout(form, CATALOGUE["none"], number)
    agency = f"{body}人民政府"
    parts = [
        part.replace(layout.agency, agency).replace(f"{layout.year}年", f"{year}年") if isinstance(part, str) else part
        for part in layout.parts
    ]
    format_name = list(MIXED)[number % len(MIXED)]
    page = WRITERS[format_name](dataclasses.replace(layout, agency=agency, year=year, parts=parts))
    (folder / f"{body}{year}.{MIXED[format_name]}").write_bytes(page)


WRITE: dict[str, Write] = {"text": write_text, "mixed": write_mixed}


def measure(name: str, documents: Path, warehouse: Warehouse) -> Refresh:
    """Refresh in a process of its own."""
    command = [sys.executable, "-m", "loaders", "refresh", str(documents), "--warehouse", str(warehouse.root)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env=os.environ | {"DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{name} ended with {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    said = next((line for line in done.stderr.splitlines() if line.startswith("seen ")), "")
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Refresh(name, wall, cpu, said, dict(_steps(warehouse)))


@contextmanager
def kept_as_it_is(warehouse: Warehouse) -> Iterator[None]:
    """Put a warehouse back as it was, at the same place, since dbt keeps what it parsed for that."""
    aside = warehouse.root.with_name("aside")
    shutil.copytree(warehouse.root, aside, symlinks=True)
    try:
        yield
    finally:
        remove_tree(warehouse.root)
        aside.rename(warehouse.root)


def _steps(warehouse: Warehouse) -> Iterator[tuple[str, float]]:
    con = duckdb.connect(str(warehouse.work_file), read_only=True)
    try:
        yield from con.execute(
            "select step_code, cpu_seconds from quality.step_timings "
            "where run_id = (select max(run_id) from raw.runs) order by started_at"
        ).fetchall()
    finally:
        con.close()


def main(arguments: list[str]) -> int:
    """Print the refreshes and whether the goals are met."""
    parser = argparse.ArgumentParser(description="What a refresh costs.")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--formats", choices=WRITE, default="text")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder without it")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        documents, warehouse = Path(name, "documents"), Warehouse(Path(name, "warehouse"))
        documents.mkdir()
        write_documents(documents, options.count, WRITE[options.formats])
        found: list[Refresh] = []

        def refresh(title: str) -> Refresh:
            found.append(measure(title, documents, warehouse))
            if not options.as_json:
                _print(found[-1], found[0])
            return found[-1]

        first, idle = refresh("from nothing"), refresh("nothing new")
        write_new_documents(documents, options.count, WRITE[options.formats])
        again = []
        for _ in range(REPEATS):
            with kept_as_it_is(warehouse):
                again.append(refresh("1 % new"))
        new = sorted(again, key=lambda one: one.cpu)[REPEATS // 2]
    is_met = idle.wall < IDLE_SECONDS and new.cpu <= GOAL * first.cpu
    if options.as_json:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1))
    else:
        print(f"nothing new: {idle.wall:.1f} s wall, {idle.cpu:.1f} s CPU; goal {IDLE_SECONDS:.0f} s")
        print(
            f"1 % new: {new.cpu / first.cpu:.1%} of the CPU, {new.wall / first.wall:.1%} of the wall; goal {GOAL:.0%}"
        )
        print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    return 0 if is_met else 1


def _print(one: Refresh, first: Refresh) -> None:
    steps = ", ".join(f"{code} {seconds:.1f}" for code, seconds in one.steps.items())
    print(
        f"{one.name:13} {one.wall:8.1f} s wall {one.cpu:8.1f} s CPU {one.cpu / first.cpu:7.1%}  {one.said}", flush=True
    )
    print(f"{'':13} CPU by step: {steps}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
