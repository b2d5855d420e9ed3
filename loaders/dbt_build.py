"""Running dbt in this process: one import a refresh instead of one a step, and no file left open."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from loaders.collector import sparing_collector
from loaders.errors import ChecksFailedError, GongkaiError
from loaders.history import NodeResult
from loaders.version import PROJECT_ROOT
from loaders.warehouse import Warehouse, open_duckdb

_SHOWN_NODES = 10
_SHOWN_ROWS = 3
_LOG_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _FailedNode:
    name: str
    status: str
    message: str
    rows: tuple[str, ...] = ()


def build_marts(
    warehouse: Warehouse,
    *,
    every_year: bool = False,
    is_seeded: bool = False,
    keep: Callable[[Sequence[NodeResult]], None] | None = None,
) -> None:
    """Build seeds, models and tests into the work file; it must not be open in this process.

    Only the years that new or changed reports touch are made, unless ``every_year`` asks for all. Where the file
    ``is_seeded``, what is made of seeds alone stays as an earlier build by the same code left it. ``keep`` is given
    what dbt says of every node, whether the build went well or not.

    Raises:
        ChecksFailedError: when a test of dbt failed.
        GongkaiError: when a model or the project itself failed.
    """
    from dbt.cli.main import dbtRunner

    # Nothing of a refresh reads what dbt says of itself in JSON, and writing it takes a second.
    arguments = ["--quiet", "--no-use-colors", "--no-write-json"]
    arguments += ["--log-level", "none", "--log-level-file", "none", "build"]
    arguments += ["--project-dir", str(PROJECT_ROOT), "--profiles-dir", str(PROJECT_ROOT)]
    arguments += ["--full-refresh"] if every_year else []
    arguments += ["--selector", "below_sources"] if is_seeded else []
    values = {}
    if not _is_default(warehouse):
        arguments += ["--target-path", str(warehouse.dbt_target)]
        values["GONGKAI_WAREHOUSE"] = str(warehouse.root)
    log_file = warehouse.dbt_target / "logs" / "dbt.log"
    errors: list[str] = []
    try:
        with _environment(**values), sparing_collector(), _log(log_file, errors) as log:
            result = dbtRunner(callbacks=[log]).invoke([*arguments, "--log-path", str(log_file.parent)])
    finally:
        _close_connections()
    if result.exception is not None:
        reason = str(result.exception).strip() or "\n".join(errors)
        raise GongkaiError(f"dbt could not build: {reason}; nothing was published")
    if keep is not None:
        keep([_node_result(node) for node in getattr(result.result, "results", ())])
    if not result.success:
        _raise_failed(result.result, errors, warehouse, log_file)


def _is_default(warehouse: Warehouse) -> bool:
    """Whether plain `dbt build` would build this warehouse: then both share what dbt parsed."""
    named = Path(os.environ.get("GONGKAI_WAREHOUSE", "warehouse")).absolute()
    return Path.cwd() == PROJECT_ROOT and named == warehouse.root


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Set environment variables, which are the only way into a profile, and put them back."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _log(path: Path, errors: list[str]) -> Iterator[Callable[[Any], None]]:
    """What writes the events of dbt into a file, those for people alone, and keeps its errors.

    The logger of dbt composes the line of every event and drops nine of ten of them afterwards, a second of a build.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=5, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s [%(levelname)-7s] [%(threadName)s]: %(message)s"))
    logger = logging.Logger("gongkai.dbt")
    logger.addHandler(handler)

    def log(event: Any) -> None:
        level = logging.getLevelNamesMapping().get(event.info.level.upper(), logging.DEBUG)
        if level >= logging.INFO:
            logger.log(level, "%s", event.info.msg)
        if level >= logging.ERROR:
            errors.append(event.info.msg)

    try:
        yield log
    finally:
        handler.close()


def _close_connections() -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _node_result(result: Any) -> NodeResult:
    return NodeResult(
        unique_id=result.node.unique_id,
        node_name=result.node.name,
        resource_type=str(result.node.resource_type),
        status=str(result.status),
        message=result.message,
        failure_count=result.failures,
        execution_seconds=round(float(result.execution_time), 3),
    )


def _rows_of(node: Any, warehouse: Warehouse) -> tuple[str, ...]:
    """The first rows that a failed test returns, which name what is broken."""
    import duckdb

    code = getattr(node.node, "compiled_code", None)
    if not code or str(node.node.resource_type) != "test":
        return ()
    try:
        con = open_duckdb(warehouse.work_file, read_only=True)
        try:
            found = con.execute(f"select * from ({code}) limit {_SHOWN_ROWS}")
            names = [column[0] for column in found.description or ()]
            rows = found.fetchall()
        finally:
            con.close()
    except (duckdb.Error, GongkaiError):
        return ()
    return tuple(", ".join(f"{n}={v}" for n, v in zip(names, row, strict=True)) for row in rows)


def _raise_failed(run: Any, errors: Sequence[str], warehouse: Warehouse, log_file: Path) -> None:
    failed = [
        _FailedNode(
            node.node.name,
            str(node.status),
            " ".join((node.message or "").split()),
            _rows_of(node, warehouse) if str(node.status) == "fail" else (),
        )
        for node in getattr(run, "results", ())
        if str(node.status) in ("error", "fail", "runtime error")
    ]
    lines = [f"dbt built with {len(failed)} failures; nothing was published"]
    for node in failed[:_SHOWN_NODES]:
        lines.append(f"  {node.name}: {node.status}: {node.message}")
        lines += [f"    {row}" for row in node.rows]
    if not failed:
        lines += errors
    if len(failed) > _SHOWN_NODES:
        lines.append(f"  and {len(failed) - _SHOWN_NODES} more")
    lines.append(f"  next: mend what is named; the log is {log_file}")
    message = "\n".join(lines)
    if failed and all(node.status == "fail" for node in failed):
        raise ChecksFailedError(message)
    raise GongkaiError(message)
