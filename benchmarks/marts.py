"""What the marts cost when the data are large: a build, the same SQL bare, a build of 1 % new reports, BI questions.

``python -m benchmarks.marts [--copies 21] [--keep FOLDER] [--json]`` writes the generated panel as often as asked (21
times is ten million raw figures), and prints:

* a full ``dbt build`` (seeds, models and tests) beside the same SQL run bare in DuckDB right after it, node by node;
* a build after 1 % new reports of the newest year came, beside the full build of the same rows that follows it, and
  whether both end with the same marts;
* every question of ``docs/queries.md``, with the median and the 95th percentile of its time in 20 rounds.

Each ratio is given of CPU seconds as well: on a machine that does other work these are the steadier figure. The peak
of memory is that of the largest build so far.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from loaders.builds import data_token
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse
from tests.panel.panel import YEARS, make_panel, multiply_raw, write_raw

QUERIES = PROJECT_ROOT / "docs" / "queries.md"
_ROUNDS = 20
_SQL = re.compile(r"^## (.+?)$.*?```sql\n(.+?)```", re.DOTALL | re.MULTILINE)
_REPORT_TABLES = ("documents", "metric_rows", "reports")


@contextmanager
def _open(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    con = warehouse.connect()
    try:
        yield con
    finally:
        con.close()


def write_warehouse(warehouse: Warehouse, copies: int, held: Path) -> tuple[int, int]:
    """Stage the panel; every hundredth report, all of the newest year, is held back in a file. Rows and reports."""
    with _open(warehouse) as con:
        write_raw(con, make_panel())
        multiply_raw(con, copies)
        con.execute("create table if not exists raw.runs as select 1 as run_id where false")
        reports, rows = con.execute(
            "select (select count(*) from raw.reports), (select count(*) from raw.metric_rows)"
        ).fetchall()[0]
        con.execute(f"attach '{held}' as held")
        con.execute(
            f"create table held.reports as select r.* from raw.reports r join raw.documents d using (document_id) "
            f"where r.report_year = {YEARS[-1]} and d.status = 'loaded' order by hash(report_id) limit {reports // 100}"
        )
        for table, key in (("documents", "document_id"), ("metric_rows", "report_id")):
            chosen = f"where {key} in (select {key} from held.reports)"
            con.execute(f"create table held.{table} as select * from raw.{table} {chosen}")
        for table, key in (("documents", "document_id"), ("metric_rows", "report_id"), ("reports", "report_id")):
            con.execute(f"delete from raw.{table} where {key} in (select {key} from held.reports)")
    return int(rows), int(reports)


def bring_held(warehouse: Warehouse, held: Path) -> None:
    """Stage the reports that were held back."""
    with _open(warehouse) as con:
        con.execute(f"attach '{held}' as held (read_only)")
        for table in _REPORT_TABLES:
            con.execute(f"insert into raw.{table} by name select * from held.{table}")


def build(warehouse: Warehouse, *options: str) -> dict[str, float]:
    """Wall and CPU seconds and the peak memory of one ``dbt build`` in a process of its own."""
    folder = warehouse.dbt_target
    command = [sys.executable, "-m", "dbt.cli.main", "--quiet", "build", *options]
    command += ["--target-path", str(folder), "--log-path", str(folder / "logs")]
    environment = os.environ | {"GONGKAI_WAREHOUSE": str(warehouse.root), "DO_NOT_TRACK": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {"wall": wall, "cpu": cpu, "peak_gigabytes": after.ru_maxrss / 1e6}


def run_bare(warehouse: Warehouse) -> dict[str, float]:
    """Wall and CPU seconds of the SQL of the last full build, without dbt, node by node in the order of dbt."""
    target = warehouse.dbt_target
    nodes = json.loads((target / "manifest.json").read_text("utf-8"))["nodes"]
    order = json.loads((target / "run_results.json").read_text("utf-8"))["results"]
    kinds = ("seed", "model", "test")
    found = [nodes[result["unique_id"]] for result in order if result["unique_id"] in nodes]
    names = [node for node in found if node["resource_type"] in kinds]
    names.sort(key=lambda node: kinds.index(node["resource_type"]))
    compiled = {result["unique_id"]: result.get("compiled_code") for result in order}
    copy = warehouse.root / "bare.duckdb"
    shutil.copyfile(warehouse.work_file, copy)
    # More than the builds needed; without a limit one long connection keeps all the memory of the machine as its cache.
    con = duckdb.connect(str(copy), config={"threads": os.cpu_count() or 1, "memory_limit": "12GB"})
    con.execute("set TimeZone = 'UTC'")
    # What the build before left is no node, and the models read it.
    con.execute("create temp table built_reports as from intermediate.built_reports")
    seed_columns: dict[str, dict[str, str]] = {}
    for table, column, kind in con.execute(
        "select table_name, column_name, data_type from duckdb_columns() where schema_name = 'seeds' "
        "order by table_name, column_index"
    ).fetchall():
        seed_columns.setdefault(table, {})[column] = kind
    for schema in ("marts", "intermediate", "staging", "seeds"):
        con.execute(f"drop schema if exists {schema} cascade")
        con.execute(f"create schema {schema}")
    con.execute("create table intermediate.built_reports as from built_reports")
    start, start_cpu = time.perf_counter(), time.process_time()
    # dbt names the database of its own file.
    database = f'"{warehouse.work_file.stem}".'
    for node in names:
        name = f'{node["schema"]}."{node["alias"]}"'
        sql = (compiled[node["unique_id"]] or "").replace(database, "")
        if node["resource_type"] == "seed":
            path, columns = PROJECT_ROOT / node["original_file_path"], seed_columns[node["alias"]]
            con.execute(f"create table {name} as from read_csv('{path}', header = true, columns = {columns})")
        elif node["resource_type"] == "test":
            con.execute(sql).fetchall()
        else:
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            # Schema quality is no work of the models alone: its tables stay, and its view is made again.
            con.execute(f"create or replace {kind} {name} as {sql}")
    spent = {"wall": time.perf_counter() - start, "cpu": time.process_time() - start_cpu}
    con.close()
    copy.unlink()
    return spent


def time_questions(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Each documented question: percentiles of its wall and CPU milliseconds, and its rows."""
    found = []
    con = duckdb.connect(str(warehouse.work_file), read_only=True)
    con.execute("use marts")
    for title, sql in _SQL.findall(QUERIES.read_text("utf-8")):
        walls, cpus = [], []
        for _ in range(_ROUNDS):
            start, start_cpu = time.perf_counter(), time.process_time()
            rows = con.execute(sql).fetchall()
            cpus.append(1000 * (time.process_time() - start_cpu))
            walls.append(1000 * (time.perf_counter() - start))
        found.append(
            {
                "question": title,
                "p50_ms": _percentile(walls, 0.5),
                "p95_ms": _percentile(walls, 0.95),
                "p95_cpu_ms": _percentile(cpus, 0.95),
                "rows": len(rows),
            }
        )
    con.close()
    return found


def _percentile(values: list[float], share: float) -> float:
    """The smallest value that so large a share of them does not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]


def _said(what: str, spent: dict[str, float]) -> dict[str, float]:
    """The same, told at once: a run of hours shows how far it came."""
    print(f"{what}: {spent['wall']:.0f} s wall, {spent['cpu']:.0f} s CPU", file=sys.stderr, flush=True)
    return spent


def measure(root: Path, copies: int) -> dict[str, Any]:
    """All measurements on one warehouse."""
    warehouse = Warehouse(root)
    held = root / "held.duckdb"
    root.mkdir(parents=True, exist_ok=True)
    rows, reports = write_warehouse(warehouse, copies, held)
    _said("first build", build(warehouse))
    bring_held(warehouse, held)
    incremental = _said("1 % new reports", build(warehouse))
    with _open(warehouse) as con:
        token = data_token(con, "marts")
    full = _said("full build", build(warehouse, "--full-refresh"))
    with _open(warehouse) as con:
        is_equal = data_token(con, "marts") == token
    print(f"same marts either way: {is_equal}", file=sys.stderr, flush=True)
    bare = _said("the same SQL bare", run_bare(warehouse))
    return {
        "raw_figures": rows,
        "reports": reports,
        "full_build": full,
        "bare": bare,
        "ratio_to_bare": {clock: full[clock] / bare[clock] for clock in bare},
        "incremental_build": incremental,
        "ratio_to_full": {clock: incremental[clock] / full[clock] for clock in bare},
        "same_marts": is_equal,
        "questions": time_questions(warehouse),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What the marts cost when the data are large.")
    parser.add_argument("--copies", type=int, default=21)
    parser.add_argument("--keep", type=Path, help="a folder to keep the warehouse in")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.keep or Path(folder), options.copies)
    if options.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    print(f"{found['raw_figures']:,} raw figures in {found['reports']:,} reports")
    print(f"largest build        {found['full_build']['peak_gigabytes']:.1f} GB of memory")
    for name, spent, ratio in (
        ("full dbt build", found["full_build"], None),
        ("the same SQL bare", found["bare"], found["ratio_to_bare"]),
        ("1 % new reports", found["incremental_build"], found["ratio_to_full"]),
    ):
        said = f"  ratio {ratio['wall']:.3f} of wall, {ratio['cpu']:.3f} of CPU" if ratio else ""
        print(f"{name:20s} {spent['wall']:7.1f} s wall {spent['cpu']:7.1f} s CPU{said}")
    print(f"same marts either way: {'yes' if found['same_marts'] else 'NO'}")
    print("95th percentile: wall, CPU; median: wall; rows; question")
    for row in found["questions"]:
        times = f"{row['p95_ms']:8.1f} ms {row['p95_cpu_ms']:8.1f} ms {row['p50_ms']:8.1f} ms"
        print(f"{times}  {row['rows']:6,}  {row['question']}")


if __name__ == "__main__":
    main()
