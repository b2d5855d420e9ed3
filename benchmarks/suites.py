"""What the suites cost on a million figures: CPU and memory besides the import, beside the bare SQL of their rules.

``python -m benchmarks.suites [--copies 2] [--keep FOLDER] [--json]`` writes a generated panel of 25 areas and twelve
years as often as asked (twice is a million raw figures), builds its marts, and prints, each from a process of its own:

* the import of Great Expectations, which a refresh pays once;
* the suites of both layers with their Data Docs, and the peak memory of the process;
* the SQL of the same rules, run bare in DuckDB, and one full scan of the tables that they look at.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from loaders.builds import LAYERS, create_quality, data_token
from loaders.checks import load_suites, run_suites
from loaders.gx_import import import_great_expectations
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse, open_duckdb
from tests.panel.panel import AREA_COUNT, YEARS, make_clean_panel, multiply_raw, write_raw, write_run

MAX_CPU_SECONDS = 15.0
MAX_GIGABYTES = 1.0


def write_warehouse(warehouse: Warehouse, copies: int) -> None:
    """Stage the panel and build its marts."""
    con = warehouse.connect()
    write_raw(con, make_clean_panel(AREA_COUNT, YEARS))
    multiply_raw(con, copies)
    write_run(con)
    create_quality(con)
    con.close()
    folder = warehouse.dbt_target
    command = [sys.executable, "-m", "dbt.cli.main", "--quiet", "build"]
    command += ["--target-path", str(folder), "--log-path", str(folder / "logs")]
    environment = os.environ | {"GONGKAI_WAREHOUSE": str(warehouse.root), "DO_NOT_TRACK": "1"}
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"dbt build ended with {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-2000:]}")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak_gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measure_suites(warehouse: Warehouse) -> dict[str, Any]:
    """Import, then check both layers as a refresh does."""
    before = _cpu()
    import_great_expectations()
    import loaders.gx_dialect
    import loaders.gx_rows  # noqa: F401

    found: dict[str, Any] = {"import_cpu": _cpu() - before, "import_gigabytes": _peak_gigabytes()}
    failed = []
    for layer in LAYERS:
        before = _cpu()
        findings = run_suites(warehouse, layer, load_suites(layer))
        found |= {f"{layer}_cpu": _cpu() - before, f"{layer}_rules": len(findings)}
        failed += [finding.rule_id for finding in findings if not finding.is_success]
    return found | {"peak_gigabytes": _peak_gigabytes(), "failed": failed}


def measure_bare(warehouse: Warehouse) -> dict[str, Any]:
    """The SQL of the rules that are SQL, run once each, and the slowest of them."""
    con = open_duckdb(warehouse.work_file, read_only=True)
    costs = {}
    for layer in LAYERS:
        for suite in load_suites(layer):
            for rule in suite.expectations:
                if query := rule.arguments.get("unexpected_rows_query"):
                    before = _cpu()
                    con.execute(f"select count(*) from ({query.format(batch=suite.name)})").fetchall()
                    costs[rule.rule_id] = _cpu() - before
    slowest = sorted(costs.items(), key=lambda item: -item[1])[:8]
    return {"cpu": sum(costs.values()), "rules": len(costs), "slowest": slowest, "peak_gigabytes": _peak_gigabytes()}


def measure_scan(warehouse: Warehouse) -> dict[str, Any]:
    """Every value of the checked schemas, hashed once."""
    con = open_duckdb(warehouse.work_file, read_only=True)
    before = _cpu()
    for schema in LAYERS:
        data_token(con, schema)
    (figures,) = con.execute("select count(*) from raw.metric_rows").fetchall()[0]
    return {"cpu": _cpu() - before, "figures": figures}


_PARTS = {"suites": measure_suites, "bare": measure_bare, "scan": measure_scan}


def _alone(part: str, warehouse: Warehouse) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.suites", "--part", part, "--keep", str(warehouse.root)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{part} ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def describe(found: dict[str, dict[str, Any]]) -> str:
    """The figures for a person."""
    suites, bare, scan = found["suites"], found["bare"], found["scan"]
    total = suites["raw_cpu"] + suites["marts_cpu"]
    rows = [
        ("import of Great Expectations", suites["import_cpu"], f"peak {suites['import_gigabytes']:.2f} GB"),
        (f"suites of raw, {suites['raw_rules']} rules", suites["raw_cpu"], ""),
        (f"suites of marts, {suites['marts_rules']} rules", suites["marts_cpu"], ""),
        (
            "all suites besides the import",
            total,
            f"bound {MAX_CPU_SECONDS:.0f}; peak {suites['peak_gigabytes']:.2f} GB, bound {MAX_GIGABYTES:.0f}",
        ),
        (f"bare SQL of {bare['rules']} of the rules", bare["cpu"], f"suites are {total / bare['cpu']:.1f} times that"),
        ("one scan of every value checked", scan["cpu"], f"suites are {total / scan['cpu']:.1f} times that"),
    ]
    lines = [f"{scan['figures']} raw figures", f"{'step':<42}CPU s"]
    lines += [f"{name:<42}{cpu:5.1f}  {note}".rstrip() for name, cpu, note in rows]
    lines.append("slowest: " + ", ".join(f"{rule} {cpu:.2f}" for rule, cpu in bare["slowest"]))
    if suites["failed"]:
        lines.append("said of a clean panel: " + ", ".join(suites["failed"]))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=2, help="times the panel is repeated; 2 is a million figures")
    parser.add_argument("--keep", type=Path, help="a folder in which the warehouse is kept for the next time")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", choices=tuple(_PARTS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(_PARTS[options.part](Warehouse(options.keep))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        warehouse = Warehouse(options.keep or Path(temporary))
        if not warehouse.work_file.exists():
            # In a process of its own: what it needs of memory would count as that of the processes that are measured.
            writer = multiprocessing.get_context("spawn").Process(
                target=write_warehouse, args=(warehouse, options.copies)
            )
            writer.start()
            writer.join()
            if writer.exitcode:
                sys.exit(writer.exitcode)
        found = {part: _alone(part, warehouse) for part in _PARTS}
    print(json.dumps(found) if options.json else describe(found))
    suites = found["suites"]
    is_kept = suites["raw_cpu"] + suites["marts_cpu"] < MAX_CPU_SECONDS and suites["peak_gigabytes"] < MAX_GIGABYTES
    sys.exit(0 if is_kept else 1)


if __name__ == "__main__":
    main()
