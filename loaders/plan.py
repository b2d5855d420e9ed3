"""``--dry-run``: what a load or a refresh would do, found out without changing anything.

In: a warehouse and a request. Out: a :class:`Plan`. Sources are listed, opened and compared with what is loaded by
their sha256; they are not read as reports, so which years new ones touch is not known yet. The work file is opened
read-only, the run lock is not taken, no site is asked.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from loaders.builds import built_fingerprint, data_token, is_built, is_checked
from loaders.load import Foreseen, foresee_documents
from loaders.refresh import LoadRequest, is_published, list_request
from loaders.releases import read_rollback
from loaders.reread import count_outdated
from loaders.settings import Settings
from loaders.version import build_fingerprint
from loaders.warehouse import Warehouse, refuse_if_held

if TYPE_CHECKING:
    import duckdb

_SHOWN_DOCUMENTS = 50
_TABLES = ("raw.documents", "loading.places", "quality.builds", "quality.check_runs")


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of a refresh: whether it would run, and why or why not."""

    step_code: str
    is_due: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a command would do; ``reread`` counts documents that are read again where no SOURCE names them."""

    documents: Foreseen
    addresses: tuple[str, ...]
    is_offline: bool
    left_out: int
    reread: int
    out_of_reach: int
    steps: tuple[PlannedStep, ...]

    @property
    def is_reading(self) -> bool:
        """Whether rows of documents would be written."""
        return bool(self.documents.to_read or self.reread)

    def as_json(self) -> dict[str, Any]:
        """The plan as plain values."""
        return {
            "dry_run": True,
            "documents": asdict(self.documents),
            "addresses": list(self.addresses),
            "is_offline": self.is_offline,
            "left_out": self.left_out,
            "reread": self.reread,
            "out_of_reach": self.out_of_reach,
            "steps": [asdict(step) for step in self.steps],
        }


def run_plan(settings: Settings, request: LoadRequest, *, refresh: bool, publish: bool = True) -> Plan:
    """Say what ``gongkai load`` or ``gongkai refresh`` would do with this request.

    Raises:
        LockedError: while a run works; what it leaves is not known yet.
        UsageError: as the command itself would.
    """
    warehouse = settings.warehouse
    listed = list_request(request)
    if warehouse.root.is_dir():
        refuse_if_held(warehouse)
    addresses = tuple(document.address for document in listed.documents if document.address is not None)
    files = [document for document in listed.documents if document.address is None]
    con = warehouse.connect(read_only=True) if refresh and not listed.documents else _open(warehouse)
    try:
        is_known = con is not None and _has_tables(con)
        force = request.force or request.full
        documents = foresee_documents(con if is_known else None, files, force=force)
        reread = out_of_reach = 0
        if con is not None and is_known and request.full and not request.sources:
            reread, out_of_reach = count_outdated(con, None, warehouse.fetched)
        is_new = bool(documents.to_read or reread)
        steps: tuple[PlannedStep, ...] = ()
        if refresh:
            steps = _steps(con if is_known else None, warehouse, request, is_new, bool(addresses), publish)
        elif is_new:
            steps = (PlannedStep("load", True, "there is something to read"),)
        plan = Plan(documents, addresses, request.offline, listed.left_out, reread, out_of_reach, steps)
    finally:
        if con is not None:
            con.close()
    settings.answer(describe_plan(plan), plan.as_json())
    return plan


def describe_plan(plan: Plan) -> str:
    """The plan for a person."""
    found = plan.documents
    lines = [
        f"seen {found.seen} = to read {len(found.to_read)} + unchanged {found.unchanged}"
        f" + the same bytes as another {found.duplicates}"
    ]
    for document in found.to_read[:_SHOWN_DOCUMENTS]:
        lines.append(f"  would read {document.source_uri}: {document.reason}")
    if hidden := len(found.to_read) - _SHOWN_DOCUMENTS:
        lines += [f"  and {hidden} more; --json lists all"] if hidden > 0 else []
    if plan.reread:
        lines.append(f"would read again {plan.reread} loaded documents, from where they were last seen")
    if plan.out_of_reach:
        lines.append(f"  {plan.out_of_reach} are not found there any more and would stay as they are")
    if plan.left_out:
        lines.append(f"left out {plan.left_out}: files that have not changed since then")
    for address in plan.addresses[:_SHOWN_DOCUMENTS]:
        lines.append(f"would take what is kept of {address}" if plan.is_offline else f"would ask {address}")
    if len(plan.addresses) > _SHOWN_DOCUMENTS:
        lines.append(f"  and {len(plan.addresses) - _SHOWN_DOCUMENTS} more addresses")
    for step in plan.steps:
        if step.step_code != "load":
            lines.append(f"{step.step_code:12} {'would run' if step.is_due else 'would not run'}: {step.reason}")
    lines.append("dry run: nothing was changed")
    return "\n".join(lines)


def _open(warehouse: Warehouse) -> duckdb.DuckDBPyConnection | None:
    return warehouse.connect(read_only=True) if warehouse.work_file.is_file() else None


def _has_tables(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the work file is one of this version; another one is brought up to it by the first run."""
    rows = con.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    return {(table,) for table in _TABLES} <= set(rows)


def _steps(
    con: duckdb.DuckDBPyConnection | None,
    warehouse: Warehouse,
    request: LoadRequest,
    is_new: bool,
    is_asking: bool,
    publish: bool,
) -> tuple[PlannedStep, ...]:
    codes = ("check_raw", "build", "check_marts", "publish")
    fingerprint = build_fingerprint()
    before = None if con is None else built_fingerprint(con)
    if before is None:
        how = "nothing was built yet: all tables"
    elif request.full:
        how = "--full: all tables, every year"
    elif before != fingerprint:
        how = "the code, the seeds or the engines have changed: all tables, every year"
    else:
        how = "the reports that are new or changed, and what is compared with them"
    if con is None or is_new or request.full:
        why = "--full" if request.full else "documents are new or read again"
        reasons = [why, how, "the marts are made again", "unless the release turns out to be the same"]
        steps = [PlannedStep(code, True, reason) for code, reason in zip(codes, reasons, strict=True)]
    else:
        steps = _steps_that_are_left(con, warehouse, fingerprint, how)
        if is_asking:
            steps = [
                step if step.is_due else PlannedStep(step.step_code, False, "unless an address has something new")
                for step in steps
            ]
    if not publish:
        steps[-1] = PlannedStep("publish", False, "--no-publish")
    return tuple(steps)


def _steps_that_are_left(
    con: duckdb.DuckDBPyConnection, warehouse: Warehouse, fingerprint: str, how: str
) -> list[PlannedStep]:
    """With nothing to read: what an earlier run did not get to, or what other code asks for."""
    raw_token, marts_token = data_token(con, "raw"), data_token(con, "marts")
    due = not is_checked(con, "raw", fingerprint, raw_token)
    steps = [PlannedStep("check_raw", due, "not passed on these tables by this code" if due else "passed already")]
    is_building = not is_built(con, fingerprint, raw_token)
    steps.append(PlannedStep("build", is_building, how if is_building else "built of these tables already"))
    due = is_building or not is_checked(con, "marts", fingerprint, marts_token)
    steps.append(
        PlannedStep("check_marts", due, "not passed on these tables by this code" if due else "passed already")
    )
    rollback = read_rollback(warehouse)
    if not is_building and rollback is not None and marts_token in rollback.withdrawn_marts:
        steps.append(PlannedStep("publish", False, str(rollback)))
        return steps
    due = is_building or not is_published(warehouse, fingerprint, raw_token, marts_token)
    steps.append(PlannedStep("publish", due, "not published yet" if due else "the current release is of these tables"))
    return steps
