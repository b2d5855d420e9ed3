"""``gongkai status``: what is loaded, built and published, and the last runs.

Never waits and never fails because another run works: then it says so and shows the current release.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from loaders.errors import LockedError
from loaders.publish import current_manifest
from loaders.releases import read_manifest, read_rollback, release_folders
from loaders.reread import count_outdated
from loaders.settings import Settings
from loaders.version import LOADER_VERSION
from loaders.warehouse import Warehouse, read_holder

if TYPE_CHECKING:
    import duckdb

_LAST_RUNS = 5


def show_status(settings: Settings) -> None:
    """Print the state of the warehouse."""
    status = read_status(settings.warehouse)
    settings.answer(describe_status(status), status)


def read_status(warehouse: Warehouse) -> dict[str, Any]:
    """The state of the warehouse as plain values; ``work`` is None while another run holds the work file."""
    holder = read_holder(warehouse)
    manifest = current_manifest(warehouse)
    return {
        "warehouse": str(warehouse.root),
        "running": str(holder) if holder else None,
        "work": _read_work(warehouse),
        "release": manifest
        and {name: manifest.get(name) for name in ("release_id", "created_at", "build_id", "table_rows")},
        "releases": _list_releases(warehouse),
        "rollback": _read_rollback(warehouse),
        "loader_version": LOADER_VERSION,
    }


def describe_status(status: dict[str, Any]) -> str:
    """The state for a person."""
    lines = [f"warehouse {status['warehouse']}"]
    if status["running"]:
        lines.append(f"running   {status['running']}")
    work = status["work"]
    if work is None:
        lines.append("work      " + ("in use by the running command" if status["running"] else "nothing loaded yet"))
    else:
        documents = ", ".join(f"{count} {name}" for name, count in work["documents"].items()) or "none"
        lines.append(f"documents {documents}; {work['reports']} reports, {work['metric_rows']} figures")
        for code, count in work["reject_codes"].items():
            lines.append(f"          rejected {count}: {code}")
        if work["outdated_documents"]:
            lines.append(
                f"          {work['outdated_documents']} were read by another version of the loaders; "
                f"`gongkai reread` would read {work['rereadable_documents']} of them again"
            )
        for check in work["checks"]:
            lines.append(f"check     {check['layer']} {'passed' if check['is_passed'] else 'failed'} {check['at']}")
        if work["build"]:
            lines.append(f"build     {work['build']['status']} {work['build']['at']}")
        for run in work["runs"]:
            lines.append(
                f"run       {run['started_at']} {run['command']} {run['status']}: seen {run['seen']} = loaded "
                f"{run['loaded']} + unchanged {run['unchanged']} + rejected {run['rejected']}"
            )
    release = status["release"]
    if release:
        facts = (release["table_rows"] or {}).get("marts.fct_metric_value", 0)
        lines.append(f"release   {release['release_id']}, {facts} figures")
        if status["rollback"]:
            lines.append(f"          {status['rollback']['text']}")
        for other in status["releases"]:
            mark = "current" if other["is_current"] else "kept"
            held = "manifest unreadable" if other["figures"] is None else f"{other['figures']} figures"
            lines.append(f"  {mark:<7} {other['release_id']}, {held}")
    else:
        lines.append("release   nothing published yet")
    return "\n".join(lines)


def _list_releases(warehouse: Warehouse) -> list[dict[str, Any]]:
    """The releases that are kept, newest first."""
    current = warehouse.current_release()
    found = []
    for folder in release_folders(warehouse):
        manifest = read_manifest(folder) or {}
        found.append(
            {
                "release_id": folder.name,
                "created_at": manifest.get("created_at"),
                "figures": (manifest.get("table_rows") or {}).get("marts.fct_metric_value"),
                "is_current": current is not None and folder.name == current.name,
            }
        )
    return found


def _read_rollback(warehouse: Warehouse) -> dict[str, Any] | None:
    rollback = read_rollback(warehouse)
    return {**asdict(rollback), "text": str(rollback)} if rollback else None


def _read_work(warehouse: Warehouse) -> dict[str, Any] | None:
    if not warehouse.work_file.is_file():
        return None
    try:
        con = warehouse.connect(read_only=True)
    except LockedError:
        return None
    try:
        return _read_tables(con, warehouse)
    finally:
        con.close()


def _read_tables(con: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> dict[str, Any] | None:
    tables = set(con.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall())
    if ("raw.runs",) not in tables or ("quality.builds",) not in tables:
        return None  # the first run was stopped before it wrote anything
    rereadable, out_of_reach = count_outdated(con, LOADER_VERSION, warehouse.fetched)
    return {
        "documents": dict(con.execute("select status, count(*) from raw.documents group by 1 order by 1").fetchall()),
        "reject_codes": dict(
            con.execute(
                "select reject_code, count(*) from raw.documents where status = 'rejected' "
                "group by 1 order by 2 desc, 1"
            ).fetchall()
        ),
        "outdated_documents": rereadable + out_of_reach,
        "rereadable_documents": rereadable,
        "reports": con.execute("select count(*) from raw.reports").fetchall()[0][0],
        "metric_rows": con.execute("select count(*) from raw.metric_rows").fetchall()[0][0],
        "build": _first(
            _named(
                con,
                "select build_id, status, message, strftime(started_at, '%Y-%m-%dT%H:%M:%SZ') as at "
                "from quality.builds order by started_at desc, build_id desc limit 1",
            )
        ),
        "checks": _named(
            con,
            "select layer, max_by(is_passed, checked_at) as is_passed, "
            "strftime(max(checked_at), '%Y-%m-%dT%H:%M:%SZ') as at "
            "from quality.check_runs group by layer order by layer desc",
        ),
        "runs": _named(
            con,
            "select run_id, command, status, strftime(started_at, '%Y-%m-%dT%H:%M:%SZ') as started_at, "
            "seen_count as seen, loaded_count as loaded, unchanged_count as unchanged, rejected_count as rejected "
            f"from raw.runs order by raw.runs.started_at desc, run_id desc limit {_LAST_RUNS}",
        ),
    }


def _named(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _first(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    return rows[0] if rows else None
