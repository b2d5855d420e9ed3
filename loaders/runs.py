"""The record of runs, ``raw.runs``: who did what when, with which versions, and how it ended.

A run is ``running`` until it ends as ``done`` or ``failed``. A run that was killed is still ``running`` in the
file; the next holder of the run lock marks it ``interrupted``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loaders.version import LOADER_VERSION, package_versions
from loaders.warehouse import new_id, utc_now

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class RunCounts:
    """What a run did with documents: seen = loaded + unchanged + rejected."""

    seen: int = 0
    loaded: int = 0
    unchanged: int = 0
    rejected: int = 0


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
