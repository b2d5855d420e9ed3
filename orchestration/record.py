"""What a refresh left on record, as events of Dagster.

In: the work file after a run. Out: one materialisation a table that the run made, and the result of every check. A
check whose tables did not change since is not run again; its last result still stands, and is shown with the time and
the run that it is of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dagster import AssetCheckResult, AssetCheckSeverity, AssetKey, MaterializeResult, MetadataValue

from loaders.warehouse import Warehouse
from orchestration.graph import asset_key, checks_of_tests, is_asset
from orchestration.manifest import Node

if TYPE_CHECKING:
    import duckdb

Event = AssetCheckResult | MaterializeResult[None]

_SEVERITIES = {"critical": AssetCheckSeverity.ERROR, "error": AssetCheckSeverity.ERROR}
_PASSED = ("pass", "success")
_SHOWN_ROWS = 10


def last_run(warehouse: Warehouse, since: datetime) -> str | None:
    """The refresh that started since then; None when none did."""
    con = warehouse.connect(read_only=True)
    try:
        rows = con.execute(
            "select max(run_id) from raw.runs where command like 'refresh%' and started_at >= ?", [since]
        ).fetchall()
    finally:
        con.close()
    run_id: str | None = rows[0][0]
    return run_id


def read_events(warehouse: Warehouse, nodes: Sequence[Node], run_id: str, *, has_ended_well: bool) -> list[Event]:
    """What a run made and what is known of every table after it.

    After a run that failed, only what this run itself found: an older result would hide the failure.
    """
    con = warehouse.connect(read_only=True)
    try:
        within = "" if has_ended_well else run_id
        return [
            *_tables(con, nodes, run_id),
            *_suite_results(con, nodes, within),
            *_test_results(con, nodes, within),
        ]
    finally:
        con.close()


def _tables(con: duckdb.DuckDBPyConnection, nodes: Sequence[Node], run_id: str) -> Iterator[Event]:
    rows = dict(
        con.execute(
            "select schema_name || '.' || table_name, row_count from quality.table_counts where run_id = ?", [run_id]
        ).fetchall()
    )
    seconds = dict(
        con.execute(
            "select unique_id, execution_seconds from quality.dbt_results where run_id = ? and status = 'success'",
            [run_id],
        ).fetchall()
    )
    has_loaded = con.execute(
        "select loaded_count + rejected_count > 0 from raw.runs where run_id = ?", [run_id]
    ).fetchall()[0][0]
    for node in nodes:
        if not is_asset(node):
            continue
        metadata: dict[str, Any] = {"run_id": run_id}
        count = rows.get(f"{node.schema}.{node.name}")
        if count is not None:
            metadata["dagster/row_count"] = count
        if node.unique_id in seconds:
            yield MaterializeResult(
                asset_key=asset_key(node), metadata={**metadata, "seconds": seconds[node.unique_id]}
            )
        elif node.resource_type == "source" and has_loaded:
            yield MaterializeResult(asset_key=asset_key(node), metadata=metadata)


def _suite_results(con: duckdb.DuckDBPyConnection, nodes: Sequence[Node], run_id: str) -> Iterator[Event]:
    keys = {asset_key(node) for node in nodes if is_asset(node)}
    results = con.execute(
        "select c.rule_id, c.suite_name, c.severity, c.is_success, c.is_error, c.observed, c.unexpected_count, "
        "c.offending_rows, r.run_id, strftime(r.checked_at, '%Y-%m-%dT%H:%M:%SZ') "
        "from quality.check_results as c join quality.check_runs as r using (check_id) where c.check_id in "
        "(select max_by(check_id, (checked_at, check_id)) from quality.check_runs group by layer) "
        "and (r.run_id = ? or ? = '') order by c.suite_name, c.rule_id",
        [run_id, run_id],
    ).fetchall()
    for rule_id, suite, severity, success, is_error, observed, unexpected, offending, checked_run, at in results:
        key = AssetKey(suite.split("."))
        if key not in keys:
            continue
        metadata: dict[str, Any] = {"checked_at": at, "run_id": checked_run}
        if observed is not None:
            metadata["observed"] = observed
        if unexpected is not None:
            metadata["offending_rows"] = unexpected
        if found := json.loads(offending)[:_SHOWN_ROWS]:
            metadata["rows"] = MetadataValue.json(found)
        yield AssetCheckResult(
            asset_key=key,
            check_name=rule_id,
            passed=success,
            # A rule that could not be checked blocks a refresh whatever its severity.
            severity=AssetCheckSeverity.ERROR if is_error else _SEVERITIES.get(severity, AssetCheckSeverity.WARN),
            metadata=metadata,
        )


def _test_results(con: duckdb.DuckDBPyConnection, nodes: Sequence[Node], run_id: str) -> Iterator[Event]:
    results = {
        unique_id: rest
        for unique_id, *rest in con.execute(
            "select unique_id, status, message, failure_count, execution_seconds, run_id from quality.dbt_results "
            "where run_id = coalesce(nullif(?, ''), (select max(run_id) from quality.dbt_results))",
            [run_id],
        ).fetchall()
    }
    for node, check in checks_of_tests(nodes):
        status, message, failures, seconds, built_run = results.get(node.unique_id, ("not run", None, None, None, None))
        if status in ("not run", "skipped") and run_id:
            continue
        metadata = {"status": status, "message": message, "offending_rows": failures, "seconds": seconds}
        metadata["run_id"] = built_run
        yield AssetCheckResult(
            asset_key=check.asset_key,
            check_name=check.name,
            passed=status in _PASSED,
            severity=AssetCheckSeverity.WARN if status == "warn" else AssetCheckSeverity.ERROR,
            metadata={name: value for name, value in metadata.items() if value is not None},
        )
