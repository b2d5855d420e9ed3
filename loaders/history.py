"""What runs did, kept so that drift can be seen: the tables of schema ``quality`` beside builds and checks.

``quality.dbt_results`` has one row a node of a dbt build, ``quality.table_counts`` one a table that a run wrote,
``quality.step_timings`` one a step of a run. They are written when a step ends, however it ends. Each table of the
schema keeps the rows of its last runs: ``GONGKAI_KEPT_RUNS``, 200 without it. A run without a build has no rows in
the tables of builds, so frequent runs with nothing new do not push out what builds left.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.errors import UsageError
from loaders.warehouse import utc_now

if TYPE_CHECKING:
    import duckdb

SCHEMA = "quality"
KEPT_RUNS = 200

_DDL = """
create schema if not exists quality;
create table if not exists quality.dbt_results (
    run_id varchar not null,
    unique_id varchar not null,
    node_name varchar not null,
    resource_type varchar not null,
    status varchar not null,
    message varchar,
    failure_count bigint,
    execution_seconds double not null
);
create table if not exists quality.table_counts (
    run_id varchar not null,
    schema_name varchar not null,
    table_name varchar not null,
    row_count bigint not null
);
create table if not exists quality.step_timings (
    run_id varchar not null,
    step_code varchar not null,
    status varchar not null,
    wall_seconds double not null,
    cpu_seconds double not null,
    peak_memory_mb double,
    started_at timestamp not null
);
"""
_OWN_MEMORY = Path("/proc/self/status")
_OWN_PEAK = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What dbt says of one node of a build."""

    unique_id: str
    node_name: str
    resource_type: str
    status: str
    message: str | None
    failure_count: int | None
    execution_seconds: float


@dataclass(frozen=True, slots=True)
class StepTiming:
    """What a step of a run took.

    ``cpu_seconds`` counts this process and the ones that it waited for, ``peak_memory_mb`` this process alone; null
    where the system does not tell the peak of a step.
    """

    step_code: str
    status: str
    wall_seconds: float
    cpu_seconds: float
    peak_memory_mb: float | None
    started_at: datetime


class Stopwatch:
    """Measures one step from its making on."""

    def __init__(self, step_code: str) -> None:
        """Start to measure."""
        self._step_code = step_code
        self._started_at = utc_now()
        self._has_peak = _reset_peak_memory()
        self._wall, self._cpu = time.perf_counter(), _cpu_seconds()

    def stop(self, status: str) -> StepTiming:
        """What the step took up to now, and how it ended: ``done``, ``failed`` or ``interrupted``."""
        return StepTiming(
            step_code=self._step_code,
            status=status,
            wall_seconds=round(time.perf_counter() - self._wall, 3),
            cpu_seconds=round(_cpu_seconds() - self._cpu, 3),
            peak_memory_mb=_peak_memory_mb() if self._has_peak else None,
            started_at=self._started_at,
        )


def create_history(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of the history where they are missing."""
    con.execute(_DDL)


def kept_runs() -> int:
    """How many runs each table of the history keeps.

    Raises:
        UsageError: when ``GONGKAI_KEPT_RUNS`` is no number of runs.
    """
    text = os.environ.get("GONGKAI_KEPT_RUNS", str(KEPT_RUNS))
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise UsageError(f"GONGKAI_KEPT_RUNS is {text!r}; give a whole number of runs, 1 or more, or unset it")
    return int(text)


def record_nodes(con: duckdb.DuckDBPyConnection, run_id: str, nodes: Sequence[NodeResult]) -> None:
    """Keep the result of every node of a dbt build."""
    insert_rows(con, "quality.dbt_results", [{"run_id": run_id, **asdict(node)} for node in nodes])


def record_timing(con: duckdb.DuckDBPyConnection, run_id: str, timing: StepTiming) -> None:
    """Keep what a step took."""
    insert_rows(con, "quality.step_timings", [{"run_id": run_id, **asdict(timing)}])


def record_counts(con: duckdb.DuckDBPyConnection, run_id: str, schemas: Sequence[str]) -> None:
    """Keep how many rows each table of some schemas has now."""
    tables = con.execute(
        "select schema_name, table_name from duckdb_tables() where schema_name in (select unnest(?)) order by 1, 2",
        [list(schemas)],
    ).fetchall()
    if not tables:
        return
    counts = " union all ".join(
        f"select '{schema}' as schema_name, '{table}' as table_name, count(*) as row_count "
        f'from "{schema}"."{table}"'
        for schema, table in tables
    )
    con.execute(f"insert into quality.table_counts by name select ? as run_id, * from ({counts})", [run_id])


def forget_old_runs(con: duckdb.DuckDBPyConnection, kept: int) -> None:
    """Drop what is older than the last ``kept`` runs of each table; builds and checks keep what still counts.

    Ids of runs and checks sort by time. The last check of each layer stays whatever was checked since.
    """
    for table in ("builds", "dbt_results", "table_counts", "step_timings"):
        _forget(con, table, "run_id", "", kept)
    _forget(con, "check_runs", "check_id", "partition by layer", kept)
    con.execute("delete from quality.check_results where check_id not in (select check_id from quality.check_runs)")


def insert_rows(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows to a table of schema ``quality`` in one statement; each row names all of its columns.

    Raises:
        ValueError: when the names are not those of the table.
    """
    if not rows:
        return
    columns = con.execute(
        "select column_name, data_type from duckdb_columns() where schema_name || '.' || table_name = ? "
        "and database_name = current_database() order by column_index",
        [table],
    ).fetchall()
    names = {name for name, _ in columns}
    if any(set(row) != names for row in rows):
        raise ValueError(f"rows for {table} must name {', '.join(sorted(names))}")
    # As lists: Arrow would import pandas, half a second, before it makes an array of Python values.
    values = ", ".join(f"unnest(cast(? as {data_type}[]))" for _, data_type in columns)
    con.execute(f"insert into {table} select {values}", [[row[name] for row in rows] for name, _ in columns])


def _forget(con: duckdb.DuckDBPyConnection, table: str, key: str, within: str, kept: int) -> None:
    # Found before anything is deleted: a table without old rows is not written.
    old = con.execute(
        f"select distinct {key} from "
        f"(select {key}, dense_rank() over ({within} order by {key} desc) as age from quality.{table}) where age > ?",
        [kept],
    ).fetchall()
    if old:
        con.execute(f"delete from quality.{table} where {key} in (select unnest(?))", [[row[0] for row in old]])


def _cpu_seconds() -> float:
    return sum(os.times()[:4])


def _reset_peak_memory() -> bool:
    with contextlib.suppress(OSError):
        _OWN_PEAK.write_text(_RESET_PEAK, "ascii")
        return True
    return False


def _peak_memory_mb() -> float | None:
    with contextlib.suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB", _OWN_MEMORY.read_text("ascii"), re.MULTILINE)
        return round(int(found[1]) / 1024, 1) if found else None
    return None
