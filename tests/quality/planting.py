"""A clean warehouse, a fault planted in a copy of it, and what the suites then say.

In: a folder, and faults of :mod:`tests.quality.faults`. Out: one :class:`Outcome` a fault. The clean warehouse is a
small generated panel: three counties with a government and eleven departments each, six years, three forms. Models
that a fault needs made anew run in this process, without the seeds and tests, and only for the years that it touched.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loaders.builds import LAYERS, Finding
from loaders.checks import Suite, load_suites, run_suites
from loaders.dbt_build import build_marts
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse, utc_now
from tests.panel.panel import make_clean_panel, write_raw, write_run
from tests.quality.faults import Fault, Room

AREAS = 3
PANEL_YEARS = range(2017, 2023)
DOCUMENT = PROJECT_ROOT / "samples" / "reports" / "xicheng_statistics_2018.txt"
# What a copy of a warehouse needs; the Data Docs are written anew.
_PARTS = ("work.duckdb", "dbt")
_REPORT = "select report_id from raw.reports where agency_name = '{body}' and report_year = {year}"


@dataclass(frozen=True, slots=True)
class Clean:
    """A warehouse in which nothing is wrong, the rows of its tables, and the reports that faults are planted in.

    Copies all go to ``trial``, where the clean warehouse was made: elsewhere dbt would parse the project anew.
    """

    warehouse: Warehouse
    trial: Path
    table_rows: Mapping[str, int]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of a planted fault: rules that failed with their severity, ``error`` for a test of dbt."""

    fault: Fault
    failed: tuple[tuple[str, str], ...]
    blocks: bool

    @property
    def is_caught(self) -> bool:
        """Whether the rule that should notice the fault did, and publishing stops exactly when it must."""
        must_block = self.fault.severity in ("critical", "error")
        return (self.fault.rule_id, self.fault.severity) in self.failed and (self.blocks or not must_block)


def make_clean(folder: Path, *, is_built: bool) -> Clean:
    """Write the panel, and build its marts if wanted."""
    warehouse = Warehouse(folder / "trial")
    panel = make_clean_panel(AREAS, PANEL_YEARS)
    con = warehouse.connect()
    write_raw(con, panel)
    write_run(con)
    con.close()
    if is_built:
        build_marts(warehouse, every_year=True)
    warehouse.root.rename(folder / "clean")
    return open_clean(folder)


def open_clean(folder: Path) -> Clean:
    """The clean warehouse that an earlier call made in this folder."""
    warehouse = Warehouse(folder / "clean")
    con = warehouse.connect(read_only=True)
    rows = con.execute(
        "select schema_name || '.' || table_name, estimated_size from duckdb_tables() "
        "where schema_name in ('raw', 'marts')"
    ).fetchall()
    bodies = con.execute(
        "select agency_name from raw.reports where scope = 'own' group by agency_name order by agency_name limit 2"
    ).fetchall()
    (body,), (neighbour,) = bodies
    wanted = {
        "report": (body, 2021),
        "year_before": (body, 2020),
        "neighbour": (neighbour, 2021),
        "old": (body, 2018),
    }
    names = {"body": body}
    for word, (name, year) in wanted.items():
        names[word] = con.execute(_REPORT.format(body=name, year=year)).fetchall()[0][0]
    con.close()
    return Clean(warehouse, folder / "trial", dict(rows), names)


def check(
    clean: Clean, warehouse: Warehouse, layers: Sequence[str] = LAYERS, rule_id: str | None = None
) -> tuple[Finding, ...]:
    """What the suites say of a copy, which is judged against the clean warehouse as the release before.

    With ``rule_id`` only the suite is run in which the rule stands.
    """
    suites: dict[str, Sequence[Suite]] = {layer: load_suites(layer, previous=clean.table_rows) for layer in layers}
    if rule_id is not None:
        suites = {
            layer: [suite for suite in found if any(rule.rule_id == rule_id for rule in suite.expectations)]
            for layer, found in suites.items()
        }
    return tuple(finding for layer, found in suites.items() if found for finding in run_suites(warehouse, layer, found))


def plant(clean: Clean, fault: Fault) -> Warehouse:
    """A copy of the clean warehouse with the fault in it, its marts made anew where they must be."""
    folder = clean.trial
    warehouse = Warehouse(folder)
    folder.mkdir()
    for part in _PARTS:
        source = clean.warehouse.root / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        elif source.exists():
            shutil.copyfile(source, folder / part)
    if fault.changes:
        stage_document(warehouse, fault.changes)
    con = warehouse.connect()
    for statement in fault.statements:
        for word, value in clean.names.items():
            statement = statement.replace(f"{{{word}}}", value)
        con.execute(statement)
    con.close()
    if fault.room in (Room.MODELLED, Room.DOCUMENT):
        # What is planted in raw rows comes from no loader, so that nothing else tells a build of it.
        run_dbt(warehouse, "run", "--full-refresh")
    return warehouse


def stage_document(warehouse: Warehouse, changes: Sequence[tuple[str, str]]) -> None:
    """Read a sample report that prints something else, and stage it; each change must meet its text.

    Raises:
        ValueError: when the sample does not print what is to be changed.
    """
    from loaders.columns import to_rows
    from loaders.reading import read_document
    from loaders.staging import Staged, stage
    from loaders.version import LOADER_VERSION

    text = DOCUMENT.read_text("utf-8")
    for old, new in changes:
        if old not in text:
            raise ValueError(f"{DOCUMENT.name} does not print {old!r}")
        text = text.replace(old, new, 1)
    rows = to_rows(read_document(text.encode(), DOCUMENT.name))
    con = warehouse.connect()
    stage(con, [Staged(rows, LOADER_VERSION)], run_id="later-run", loaded_at=utc_now())
    con.close()


def run_dbt(warehouse: Warehouse, *arguments: str) -> tuple[str, ...]:
    """Run models or tests of dbt in this process; the names of those that failed.

    Raises:
        RuntimeError: when a model failed, or nothing could be run.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    target = warehouse.dbt_target
    os.environ["GONGKAI_WAREHOUSE"] = str(warehouse.root)
    try:
        places = ["--project-dir", str(PROJECT_ROOT), "--profiles-dir", str(PROJECT_ROOT)]
        places += ["--target-path", str(target), "--log-path", str(target / "logs")]
        done = dbtRunner().invoke(["--quiet", "--no-use-colors", *arguments, *places])
    finally:
        DuckDBConnectionManager.close_all_connections()
        del os.environ["GONGKAI_WAREHOUSE"]
    results = list(getattr(done.result, "results", ()))
    failed = tuple(result.node.name for result in results if str(result.status) not in ("success", "pass", "no-op"))
    if not results or (arguments[0] == "run" and failed):
        raise RuntimeError(f"dbt {' '.join(arguments)} did not run: {done.exception or failed}")
    return failed


def try_fault(clean: Clean, fault: Fault) -> Outcome:
    """Plant a fault and hear what is said of it."""
    warehouse = Warehouse(clean.trial)
    try:
        plant(clean, fault)
        if fault.is_test_of_dbt:
            failed = tuple((name, "error") for name in run_dbt(warehouse, "test", "--select", fault.rule_id))
            return Outcome(fault, failed, bool(failed))
        findings = check(clean, warehouse, rule_id=fault.rule_id)
        failed = tuple((finding.rule_id, finding.severity) for finding in findings if not finding.is_success)
        return Outcome(fault, failed, any(finding.blocks for finding in findings))
    finally:
        shutil.rmtree(clean.trial, ignore_errors=True)
