"""The runs: load, check, publish, and the refresh that does all of it.

load → check raw → dbt build → check marts → publish. Every step first asks whether it was already done for
these very tables and this very code (:mod:`loaders.builds`), so a refresh that was killed goes on where it
stood and one with nothing new does nothing. One run at a time: the run lock is held from the first write to
the last. The imports of dbt and Great Expectations cost seconds and are paid only by a run that needs them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from loaders.builds import (
    LAYERS,
    Finding,
    begin_build,
    built_fingerprint,
    create_quality,
    data_token,
    end_build,
    is_built,
    is_checked,
    is_left_by,
    note_left_by,
    record_check,
)
from loaders.errors import GongkaiError, RejectedDocumentsError, UsageError
from loaders.history import (
    NodeResult,
    StepTiming,
    Stopwatch,
    forget_old_runs,
    kept_runs,
    record_counts,
    record_nodes,
    record_timing,
)
from loaders.load import Account, load_documents, reading_version
from loaders.progress import show_progress
from loaders.publish import Release, current_manifest, publish_build
from loaders.releases import Rollback, read_retention, read_rollback
from loaders.reread import RereadAccount, count_outdated, reread_documents
from loaders.runs import begin_run, end_run, keep_times_in_order
from loaders.settings import Settings, shown
from loaders.sources import SourceDocument, list_documents
from loaders.sources.since import leave_out_older
from loaders.staging import create_raw
from loaders.version import build_fingerprint
from loaders.warehouse import Warehouse, run_lock

if TYPE_CHECKING:
    import duckdb

_SHOWN_REJECTIONS = 20


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What to load and how.

    ``since`` leaves out files that have not changed since then; ``full`` reads and makes everything again.
    """

    sources: tuple[str, ...]
    strict: bool = False
    force: bool = False
    workers: int | None = None
    wait_seconds: float = 0.0
    offline: bool = False
    allow_private: bool = False
    since: datetime | None = None
    full: bool = False

    def described(self, command: str) -> str:
        """The command as it is put on record, with the options that say what it does."""
        words = [command]
        words += ["--full"] if self.full else []
        words += [f"--since {self.since:%Y-%m-%dT%H:%M:%S%z}"] if self.since else []
        return " ".join(words)


@dataclass(frozen=True, slots=True)
class Listed:
    """The documents that the sources of a request name, and how many older ones were left out."""

    documents: tuple[SourceDocument, ...]
    left_out: int = 0


def list_request(request: LoadRequest) -> Listed:
    """What the sources of a request name.

    Raises:
        UsageError: when a source cannot be understood, or the options contradict each other.
    """
    if request.since is None:
        return Listed(list_documents(request.sources))
    if request.full:
        raise UsageError("--full reads everything again and --since leaves things out; give one of both")
    if not request.sources:
        raise UsageError(
            "--since leaves out older files of a SOURCE; name one, e.g. gongkai refresh FOLDER --since DATE"
        )
    return Listed(*leave_out_older(list_documents(request.sources), request.sources, request.since))


def run_load(settings: Settings, request: LoadRequest) -> Account:
    """``gongkai load``: stage documents and print the account.

    Raises:
        RejectedDocumentsError: under ``--strict`` when a document was rejected.
    """
    listed = list_request(request)
    with _recorded_run(settings, request.described("load"), request.wait_seconds) as run_id:
        account = _load(settings, listed.documents, run_id, request)
    answer = {"run_id": run_id, **account.as_json(), "left_out": listed.left_out}
    settings.answer(describe_account(account, listed.left_out), answer)
    _raise_if_strict(account, request)
    return account


def run_reread(settings: Settings, workers: int | None, wait_seconds: float) -> RereadAccount:
    """``gongkai reread``: read again what another version of the loaders read, and print the account."""
    _require_work_file(settings.warehouse)
    with _recorded_run(settings, "reread", wait_seconds) as run_id:
        account = _reread(settings, run_id, workers, every=False)
    settings.answer(describe_reread(account), {"run_id": run_id, **account.as_json()})
    return account


def run_check(settings: Settings, layer: str | None, wait_seconds: float) -> None:
    """``gongkai check``: run the suites of one layer or of both, and write the Data Docs.

    Raises:
        ChecksFailedError: when a critical expectation failed.
    """
    from loaders.checks import raise_if_blocked

    warehouse = settings.warehouse
    _require_work_file(warehouse)
    found: dict[str, tuple[Finding, ...]] = {}
    with _recorded_run(settings, "check", wait_seconds) as run_id, _pages_of_checks(warehouse) as checked:
        for name in (layer,) if layer else LAYERS:
            settings.say(f"checking {name}")
            checked.append(name)
            with _step(warehouse, run_id, f"check_{name}"):
                token = _ask(warehouse, partial(data_token, schema=name))
                found[name] = _check(warehouse, name, run_id, build_fingerprint(), token)
    findings = [finding for layer_findings in found.values() for finding in layer_findings]
    settings.answer(describe_findings(findings, warehouse), [_finding_as_json(finding) for finding in findings])
    for name, layer_findings in found.items():
        raise_if_blocked(name, layer_findings, warehouse.site)


def run_publish(settings: Settings, wait_seconds: float) -> Release:
    """``gongkai publish``: publish the built work file if its checks passed.

    Raises:
        ChecksFailedError: when they have not.
    """
    _require_work_file(settings.warehouse)
    with (
        _recorded_run(settings, "publish", wait_seconds) as run_id,
        _step(settings.warehouse, run_id, "publish"),
    ):
        release = publish_build(settings.warehouse, build_fingerprint())
    settings.answer(_describe_release(release), _release_as_json(release))
    return release


def run_refresh(settings: Settings, request: LoadRequest, *, publish: bool = True) -> None:
    """``gongkai refresh``: everything from documents to a release, as far as it is not done yet.

    Raises:
        ChecksFailedError: when a check failed; nothing was published.
        RejectedDocumentsError: under ``--strict`` when a document was rejected; nothing was built.
    """
    warehouse = settings.warehouse
    listed = list_request(request)
    if not listed.documents and not warehouse.work_file.exists():
        raise UsageError(f"nothing is loaded in {warehouse.root} yet; give a SOURCE: gongkai refresh SOURCE")
    with _recorded_run(settings, request.described("refresh"), request.wait_seconds) as run_id:
        if request.full and not request.sources:
            reread = _reread(settings, run_id, request.workers, every=True)
            settings.say(describe_reread(reread))
            account = reread.read
        else:
            account = _load(settings, listed.documents, run_id, request)
        if request.sources:
            settings.say(describe_account(account, listed.left_out))
        _raise_if_strict(account, request)
        outcome = _bring_up_to_date(settings, run_id, publish, full=request.full)
    answer: dict[str, Any] = {"run_id": run_id, "account": account.as_json(), "left_out": listed.left_out}
    answer["release"] = None
    if isinstance(outcome, Release):
        answer["release"] = _release_as_json(outcome)
        settings.answer(_describe_release(outcome), answer)
    elif isinstance(outcome, Rollback):
        answer["rolled_back"] = asdict(outcome)
        settings.answer(_describe_rollback(outcome), answer)
    else:
        settings.answer("nothing new: the current release stands" if publish else "checked, not published", answer)


def describe_account(account: Account, left_out: int = 0) -> str:
    """The account for a person: every document once, the rejected ones by name."""
    lines = [
        f"seen {account.seen} = loaded {account.loaded} + unchanged {account.unchanged} + rejected {account.rejected}"
    ]
    if left_out:
        lines.append(f"  left out {left_out}: files that have not changed since then")
    if account.standing_rejected:
        lines.append(f"  of the unchanged, {account.standing_rejected} were rejected before and still are")
    for rejection in account.rejections[:_SHOWN_REJECTIONS]:
        lines.append(f"  rejected {rejection.source_uri}: {rejection.reject_code}: {rejection.message}")
    for duplicate in account.duplicates[:_SHOWN_REJECTIONS]:
        lines.append(f"  same bytes {duplicate.source_uri}: already seen as {duplicate.first_source_uri}")
    hidden = max(0, len(account.rejections) - _SHOWN_REJECTIONS) + max(0, len(account.duplicates) - _SHOWN_REJECTIONS)
    if hidden:
        lines.append(f"  and {hidden} more; --json lists all, raw.documents keeps the rejected ones")
    return "\n".join(lines)


def describe_reread(account: RereadAccount) -> str:
    """The account of a second reading for a person."""
    if not account.outdated:
        return "nothing to read again: every document was read by this version of the loaders"
    lines = [
        f"outdated {account.outdated} = loaded {account.read.loaded} + rejected {account.read.rejected} "
        f"+ changed {len(account.changed)} + gone {len(account.gone)}"
    ]
    if standing := account.read.rejected - len(account.newly_rejected):
        lines.append(f"  of the rejected, {standing} were rejected before and still are")
    for rejection in account.newly_rejected[:_SHOWN_REJECTIONS]:
        lines.append(f"  rejected {rejection.source_uri}: {rejection.reject_code}: {rejection.message}")
    for name, documents in (("changed", account.changed), ("gone", account.gone)):
        for document in documents[:_SHOWN_REJECTIONS]:
            lines.append(f"  {name} {document.source_uri}: {document.reason}")
    hidden = sum(max(0, len(d) - _SHOWN_REJECTIONS) for d in (account.newly_rejected, account.changed, account.gone))
    if hidden:
        lines.append(f"  and {hidden} more; --json lists all")
    if account.changed or account.gone:
        lines.append("  what is changed or gone stays as it was read before; load its source again where it is now")
    if account.read.changed:
        lines.append("  next: gongkai refresh")
    return "\n".join(lines)


def describe_findings(findings: Sequence[Finding], warehouse: Warehouse) -> str:
    """What the suites found, for a person: what failed without blocking, and where everything is shown."""
    from loaders.checks import describe_finding

    failed = [finding for finding in findings if not finding.is_success]
    lines = [f"{len(findings)} expectations, {len(failed)} do not hold"]
    for finding in failed:
        if not finding.blocks:
            lines += describe_finding(finding)
    lines.append(f"all results: {warehouse.site / 'index.html'}")
    return "\n".join(lines)


def _bring_up_to_date(
    settings: Settings, run_id: str, publish: bool, *, full: bool = False
) -> Release | Rollback | None:
    """Do what is not done yet; a release where one was published, a rollback where one forbids it."""
    warehouse = settings.warehouse
    fingerprint = build_fingerprint()
    raw_token = _ask(warehouse, lambda con: data_token(con, "raw"))
    with _pages_of_checks(warehouse) as checked:
        if full or not _ask(warehouse, lambda con: is_checked(con, "raw", fingerprint, raw_token)):
            checked.append("raw")
            _check_or_raise(settings, "raw", run_id, fingerprint, raw_token)
        if full or not _ask(warehouse, lambda con: is_built(con, fingerprint, raw_token)):
            _build(settings, run_id, fingerprint, raw_token, every_year=full)
        marts_token = _ask(warehouse, lambda con: data_token(con, "marts"))
        if full or not _ask(warehouse, lambda con: is_checked(con, "marts", fingerprint, marts_token)):
            checked.append("marts")
            _check_or_raise(settings, "marts", run_id, fingerprint, marts_token)
    if is_published(warehouse, fingerprint, raw_token, marts_token) or not publish:
        return None
    rollback = read_rollback(warehouse)
    if rollback is not None and marts_token in rollback.withdrawn_marts:
        return rollback
    settings.say("publishing")
    with _step(warehouse, run_id, "publish"):
        return publish_build(warehouse, fingerprint)


def is_published(warehouse: Warehouse, fingerprint: str, raw_token: str, marts_token: str) -> bool:
    """Whether the current release is of these very tables and this code."""
    manifest = current_manifest(warehouse)
    wanted = {"fingerprint": fingerprint, "raw_token": raw_token, "marts_token": marts_token}
    return manifest is not None and wanted.items() <= manifest.items()


def _build(settings: Settings, run_id: str, fingerprint: str, raw_token: str, *, every_year: bool) -> None:
    from loaders.dbt_build import build_marts

    warehouse = settings.warehouse
    settings.say("building the marts")
    # Tables that other code made are made anew, with the columns that they have now.
    is_whole = every_year or _ask(warehouse, lambda con: built_fingerprint(con) != fingerprint)
    is_seeded = not is_whole and _ask(warehouse, lambda con: is_left_by(con, fingerprint))
    build_id = _ask(warehouse, lambda con: begin_build(con, run_id, fingerprint, raw_token))

    def keep(nodes: Sequence[NodeResult]) -> None:
        _ask(warehouse, lambda con: record_nodes(con, run_id, nodes))

    with _step(warehouse, run_id, "build", counted=("seeds", "marts")):
        try:
            build_marts(warehouse, every_year=is_whole, is_seeded=is_seeded, keep=keep)
        except GongkaiError as error:
            message = str(error)
            _ask(warehouse, lambda con: end_build(con, build_id, "failed", message))
            raise
        _ask(warehouse, lambda con: end_build(con, build_id, "built"))
        _ask(warehouse, lambda con: note_left_by(con, fingerprint))


@contextlib.contextmanager
def _pages_of_checks(warehouse: Warehouse) -> Iterator[list[str]]:
    """Write the pages once, after the checks of the layers that are put into the list; also when something failed."""
    from loaders.site import write_work_site

    checked: list[str] = []
    try:
        yield checked
    finally:
        if checked:
            write_work_site(warehouse)


def _check_or_raise(settings: Settings, layer: str, run_id: str, fingerprint: str, token: str) -> None:
    from loaders.checks import describe_finding, raise_if_blocked

    settings.say(f"checking {layer}")
    with _step(settings.warehouse, run_id, f"check_{layer}"):
        findings = _check(settings.warehouse, layer, run_id, fingerprint, token)
    raise_if_blocked(layer, findings, settings.warehouse.site)
    for finding in findings:
        if not finding.is_success:
            settings.say("\n".join(describe_finding(finding)))


def _check(warehouse: Warehouse, layer: str, run_id: str, fingerprint: str, token: str) -> tuple[Finding, ...]:
    from loaders.checks import load_suites, run_suites
    from loaders.data_docs import write_index
    from loaders.validation import suite_entries, write_report

    manifest = current_manifest(warehouse)
    suites = load_suites(layer, previous=manifest["table_rows"] if manifest else {})
    findings = run_suites(warehouse, layer, suites)
    _ask(warehouse, lambda con: record_check(con, layer, run_id, fingerprint, token, findings))
    write_index(warehouse.data_docs, _ask(warehouse, last_results))
    write_report(warehouse.validation / f"{layer}.json", _ask(warehouse, lambda con: suite_entries(con, [layer])))
    return findings


def last_results(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str, str, bool, str | None]]:
    """The results of the last check of each layer: suite, expectation, severity, description, holds, met."""
    return con.execute(
        "select suite_name, expectation_type || coalesce(' ' || column_name, ''), severity, description, is_success, "
        "coalesce(unexpected_count || ' offending rows', observed) from quality.check_results where check_id in "
        "(select max_by(check_id, (checked_at, check_id)) from quality.check_runs group by layer) "
        "order by suite_name, expectation_type, description"
    ).fetchall()


def _reread(settings: Settings, run_id: str, workers: int | None, *, every: bool) -> RereadAccount:
    con = settings.warehouse.connect()
    fetched = settings.warehouse.fetched
    try:
        there, _ = count_outdated(con, None if every else reading_version(None), fetched)
        with show_progress(settings, there) as progress:
            return reread_documents(
                con, run_id=run_id, workers=workers, progress=progress, every=every, fetched=fetched
            )
    finally:
        con.close()


def _load(settings: Settings, documents: Sequence[SourceDocument], run_id: str, request: LoadRequest) -> Account:
    if not documents:
        return Account()
    if any(document.address is not None for document in documents):
        from loaders.fetch.load import load_with_addresses

        return load_with_addresses(settings, documents, run_id, request, _load_files)
    return _load_files(settings, documents, run_id, request)


def _load_files(settings: Settings, documents: Sequence[SourceDocument], run_id: str, request: LoadRequest) -> Account:
    with _step(settings.warehouse, run_id, "load", counted=("raw",)):
        con = settings.warehouse.connect()
        try:
            with show_progress(settings, len(documents)) as progress:
                return load_documents(
                    con,
                    documents,
                    run_id=run_id,
                    force=request.force or request.full,
                    workers=request.workers,
                    progress=progress,
                )
        finally:
            con.close()


@contextlib.contextmanager
def _recorded_run(settings: Settings, command: str, wait_seconds: float) -> Iterator[str]:
    """Hold the run lock and record the run; the work file is closed while the caller works."""
    warehouse = settings.warehouse
    kept = kept_runs()
    read_retention()  # a wrong setting is met before the work, not after it
    with run_lock(warehouse, f"gongkai {command}", wait_seconds):
        _ask(warehouse, _create_tables)
        behind = _ask(warehouse, lambda con: keep_times_in_order(con, warehouse))
        if behind is not None:
            settings.say(
                f"the clock of this machine is {str(behind).partition('.')[0]} behind what is on record here; set it. "
                "Times are counted on from the record, so that what is new stays the newest"
            )
        _ask(warehouse, lambda con: forget_old_runs(con, kept))
        run_id = _ask(warehouse, lambda con: begin_run(con, command))
        try:
            yield run_id
        except BaseException as error:
            status = "failed" if isinstance(error, Exception) else "interrupted"
            # What stopped the run matters more than a record that cannot be written, say on a full disk.
            with contextlib.suppress(Exception):
                _ask(warehouse, lambda con: end_run(con, run_id, status))
            raise
        _ask(warehouse, lambda con: end_run(con, run_id, "done"))


@contextlib.contextmanager
def _step(warehouse: Warehouse, run_id: str, step_code: str, counted: Sequence[str] = ()) -> Iterator[None]:
    """Keep what a step took, and the rows of the schemas that it wrote, also when it fails."""
    watch = Stopwatch(step_code)
    try:
        yield
    except BaseException as error:
        timing = watch.stop("failed" if isinstance(error, Exception) else "interrupted")
        # What stopped the step matters more than a record that cannot be written.
        with contextlib.suppress(Exception):
            _ask(warehouse, lambda con: _keep_step(con, run_id, timing, counted))
        raise
    timing = watch.stop("done")
    _ask(warehouse, lambda con: _keep_step(con, run_id, timing, counted))


def _keep_step(con: duckdb.DuckDBPyConnection, run_id: str, timing: StepTiming, counted: Sequence[str]) -> None:
    record_timing(con, run_id, timing)
    record_counts(con, run_id, counted)


def _create_tables(con: duckdb.DuckDBPyConnection) -> None:
    create_raw(con)
    create_quality(con)


def _ask(warehouse: Warehouse, question: Callable[[duckdb.DuckDBPyConnection], Any]) -> Any:
    """Open the work file for one question or record; dbt and the suites need it closed between."""
    con = warehouse.connect()
    try:
        return question(con)
    finally:
        con.close()


def _require_work_file(warehouse: Warehouse) -> None:
    if not warehouse.work_file.is_file():
        raise UsageError(f"no warehouse at {warehouse.root}; run `gongkai load SOURCE` first")


def _raise_if_strict(account: Account, request: LoadRequest) -> None:
    rejected = account.rejected + account.standing_rejected
    if request.strict and rejected:
        raise RejectedDocumentsError(f"{rejected} of {account.seen} documents are rejected and --strict was given")


def _describe_release(release: Release) -> str:
    facts = release.table_rows.get("marts.fct_metric_value", 0)
    return (
        f"published {release.release_id}: {facts} figures in {len(release.table_rows)} tables, {shown(release.folder)}"
    )


def _describe_rollback(rollback: Rollback) -> str:
    return (
        f"nothing new: {rollback.release_id} stands, {rollback}. These tables were withdrawn with it and are not "
        "published again; changed ones will be, and `gongkai publish` publishes these"
    )


def _release_as_json(release: Release) -> dict[str, Any]:
    return {
        "release_id": release.release_id,
        "folder": str(release.folder),
        "build_id": release.build_id,
        "table_rows": release.table_rows,
    }


def _finding_as_json(finding: Finding) -> dict[str, Any]:
    return {
        "rule_id": finding.rule_id,
        "suite": finding.suite_name,
        "expectation": finding.expectation_type,
        "column": finding.column_name,
        "severity": finding.severity,
        "description": finding.description,
        "is_success": finding.is_success,
        "observed": finding.observed,
        "unexpected_count": finding.unexpected_count,
        "offending_rows": list(finding.offending_rows),
        "next_step": finding.next_step,
    }
