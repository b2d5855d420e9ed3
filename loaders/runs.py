"""The record of runs, ``raw.runs``: who did what when, with which versions, and how it ended.

A run is ``running`` until it ends as ``done`` or ``failed``. A run that was killed is still ``running`` in the
file; the next holder of the run lock marks it ``interrupted``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from loaders.version import LOADER_VERSION, package_versions
from loaders.warehouse import Warehouse, id_time, new_id, start_after, utc_now

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class RunCounts:
    """What a run did with documents: seen = loaded + unchanged + rejected."""

    seen: int = 0
    loaded: int = 0
    unchanged: int = 0
    rejected: int = 0


# Ids carry seconds: a run begins in a later one than everything before it.
_ID_SECOND = timedelta(seconds=1)
# A clock is set back by less than this all the time.
_BEHIND = timedelta(seconds=10)
_TIMES = (
    ("raw", "runs", "started_at"),
    ("raw", "runs", "ended_at"),
    ("raw", "documents", "loaded_at"),
    ("quality", "builds", "started_at"),
    ("quality", "check_runs", "checked_at"),
)


def keep_times_in_order(con: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> timedelta | None:
    """Let the times of this run come after all that is on record, in the work file and in the releases.

    Which build, check and version of a report is the last one is told by its time, so a clock that is put back must not
    make it an early one. By how much the clock is behind the record is returned when somebody should know.
    """
    moments = [time for table in _TIMES if (time := _last_time(con, *table)) is not None]
    if warehouse.releases.is_dir():
        moments += [time for path in warehouse.releases.iterdir() if (time := id_time(path.name)) is not None]
    if not moments:
        return None
    behind = start_after(max(moments).replace(microsecond=0) + _ID_SECOND)
    return behind if behind > _BEHIND else None


def _last_time(con: duckdb.DuckDBPyConnection, schema: str, table: str, column: str) -> datetime | None:
    moment: datetime | None = con.execute(f"select max({column}) from {schema}.{table}").fetchall()[0][0]
    return moment


def begin_run(con: duckdb.DuckDBPyConnection, command: str) -> str:
    """Record that a run starts and return its id; the caller holds the run lock."""
    con.execute("update raw.runs set status = 'interrupted' where status = 'running'")
    run_id = new_id()
    con.execute(
        "insert into raw.runs values (?, ?, ?, null, 'running', 0, 0, 0, 0, ?, ?)",
        [run_id, command, utc_now(), LOADER_VERSION, json.dumps(package_versions())],
    )
    return run_id


def count_run(con: duckdb.DuckDBPyConnection, run_id: str, counts: RunCounts) -> None:
    """Record what the run did with documents so far."""
    con.execute(
        "update raw.runs set seen_count = ?, loaded_count = ?, unchanged_count = ?, rejected_count = ? "
        "where run_id = ?",
        [counts.seen, counts.loaded, counts.unchanged, counts.rejected, run_id],
    )


def end_run(con: duckdb.DuckDBPyConnection, run_id: str, status: str) -> None:
    """Record how the run ended: ``done`` or ``failed``."""
    con.execute("update raw.runs set status = ?, ended_at = ? where run_id = ?", [status, utc_now(), run_id])
