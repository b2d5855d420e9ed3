"""Publishing: a passed build becomes an immutable release, and readers move to it in one step.

::

    releases/<id>/warehouse.duckdb    schemas marts, quality, seeds and raw, storage v1.2.0, read-only
                  parquet/, csv/, xlsx/     the marts as files, large ones a file a year: loaders/table_files
                  datapackage.json, dataset.jsonld, CITATION.cff, dictionary.csv, LICENSE   loaders/package
                  validation.json, validation_identities.jsonl   what was judged of it, for exchange
                  site/               pages for people: loaders/site
                  manifest.json       what it holds: counts, checksums, versions, the checks
                  SHA256SUMS          checksums of all other files, for sha256sum --check
    current -> releases/<id>

A release is written under a hidden name, compared with what was checked, made read-only, brought to disk and
only then renamed; ``current`` is swapped with one rename. Killed at any moment, readers keep the old release or
have the new one. A database file is never moved with a write-ahead log beside it: it would lack rows silently.

What the release before has already is not made again, as long as the same code wrote it: its database is copied and
brought up to date (:mod:`loaders.release_database`), and the files of a table, or of a year of it, in which no row
differs are copied, each compared with its checksum. Rows too many for one workbook have none; the manifest says so.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.builds import LAYERS, PassedBuild, data_token, require_passed_build
from loaders.dictionary import read_dictionary
from loaders.errors import GongkaiError
from loaders.package import Imprint, write_package
from loaders.release_database import Change, update_database, write_database
from loaders.releases import (
    MANIFEST_FILE,
    SUMS_FILE,
    drop_old_releases,
    forget_rollback,
    read_manifest,
    read_retention,
    remove_leftovers,
    removed_on_failure,
    seal_release,
    swap_current,
    sync,
)
from loaders.row_tokens import content_tokens, keep_row_tokens, kept_row_tokens, new_row_tokens, write_row_tokens
from loaders.table_files import FORMATS, Part, describe_file, split, write_part
from loaders.tables import read_tables
from loaders.validation import Validation, last_event, suite_entries, write_validation
from loaders.version import LOADER_VERSION, package_versions, project_version
from loaders.warehouse import RELEASE_FILE, STORAGE_VERSION, WORK_FILE, Warehouse, new_id, open_duckdb, utc_now
from loaders.workbooks import MAX_CELLS, MAX_ROWS, fits_one_workbook

if TYPE_CHECKING:
    import duckdb

_HIDDEN = (".staging-", ".deleted-", ".current-")
# What the engine calls the work file.
_WORK = Path(WORK_FILE).stem


@dataclass(frozen=True, slots=True)
class Release:
    """A published release."""

    release_id: str
    folder: Path
    build_id: str
    table_rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Work:
    """What is published: the build, what was judged of it, and the content of the work file.

    ``tokens`` tell the content of each schema, the file ``rows`` that of each report in them.
    """

    build: PassedBuild
    checks: dict[str, Any]
    validation: Validation
    tokens: dict[str, str]
    rows: Path


def publish_build(warehouse: Warehouse, fingerprint: str) -> Release:
    """Publish the build in the work file; the caller holds the run lock.

    Raises:
        ChecksFailedError: when the checks of this very build have not passed.
        GongkaiError: when the release cannot be written; the old release stays.
    """
    retention = read_retention()
    with _clear_errors(warehouse):
        work = _read_work(warehouse, fingerprint)
        warehouse.releases.mkdir(exist_ok=True)
        remove_leftovers(warehouse, _HIDDEN)
        release_id = new_id()
        staged = warehouse.releases / f".staging-{release_id}"
        with removed_on_failure(staged, warehouse.releases / release_id):
            staged.mkdir()
            release = _write_release(warehouse, work, release_id, staged)
            seal_release(staged)
            os.rename(staged, release.folder)
            sync(warehouse.releases)
        _swap_current(warehouse, release_id)
        drop_old_releases(warehouse, retention)
    return release


def current_manifest(warehouse: Warehouse) -> dict[str, Any] | None:
    """The manifest of the current release, or None when there is none."""
    release = warehouse.current_release()
    return None if release is None else read_manifest(release)


def _read_work(warehouse: Warehouse, fingerprint: str) -> _Work:
    con = warehouse.connect(read_only=True)
    try:
        rows = new_row_tokens(warehouse)
        write_row_tokens(con, _WORK, rows)
        tokens = content_tokens(con, _WORK, rows)
        build = require_passed_build(con, fingerprint, tokens)
        validation = Validation(last_event(con, "marts"), suite_entries(con, LAYERS))
        return _Work(build, _summarise_checks(con), validation, tokens, rows)
    finally:
        con.close()


def _write_release(warehouse: Warehouse, work: _Work, release_id: str, staged: Path) -> Release:
    from loaders.site import Edition, write_release_site

    build = work.build
    created_at = f"{utc_now():%Y-%m-%dT%H:%M:%SZ}"
    before = _Standing.read(warehouse.current_release(), build)
    database = staged / RELEASE_FILE
    changes = _write_database(warehouse, work, before, database)
    con = open_duckdb(database, read_only=True)
    try:
        table_rows = _count_rows(con)
        tables = _write_tables(con, staged, before, changes)
        imprint = Imprint(release_id, created_at, project_version(), *_figure_years(con))
        parts = {name: [(part["csv"], part["rows"]) for part in entry["parts"]] for name, entry in tables.items()}
        write_package(staged, read_dictionary(con), parts, imprint)
        write_validation(con, staged, work.validation)
    finally:
        con.close()
    write_release_site(staged / "site", warehouse, Edition(release_id, created_at, project_version()))
    manifest: dict[str, Any] = {
        "release_id": release_id,
        "previous_release_id": previous.name if (previous := warehouse.current_release()) else None,
        "created_at": created_at,
        "build_id": build.build_id,
        "run_id": build.run_id,
        "fingerprint": build.fingerprint,
        "raw_token": build.raw_token,
        "marts_token": build.marts_token,
        "gongkai_version": project_version(),
        "loader_version": LOADER_VERSION,
        "storage_version": STORAGE_VERSION,
        "versions": package_versions(),
        "written_by": _writers(),
        "table_rows": table_rows,
        "tables": tables,
        "checks": work.checks,
        "files": [describe_file(staged, path) for path in sorted(staged.rglob("*")) if path.is_file()],
    }
    (staged / MANIFEST_FILE).write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", "utf-8")
    listed = [*manifest["files"], describe_file(staged, staged / MANIFEST_FILE)]
    (staged / SUMS_FILE).write_text("".join(f"{file['sha256']}  {file['path']}\n" for file in listed), "utf-8")
    keep_row_tokens(warehouse, work.rows, str(describe_file(staged, database)["sha256"]))
    return Release(release_id, warehouse.releases / release_id, build.build_id, table_rows)


def _write_database(
    warehouse: Warehouse, work: _Work, before: _Standing, database: Path
) -> dict[tuple[str, str], Change] | None:
    """Write the database, and say what differs from the release before where it was made from that one."""
    if before.copy(RELEASE_FILE, database.parent):
        earlier_rows = kept_row_tokens(warehouse, before.sums[RELEASE_FILE])
        changes = update_database(warehouse.work_file, database, work.rows, earlier_rows)
        if changes is not None and _holds(database, work.tokens):
            return changes
    database.unlink(missing_ok=True)
    write_database(warehouse.work_file, database)
    if not _holds(database, work.tokens):
        raise GongkaiError("the copy of the tables differs from what was checked; nothing was published")
    return None


def _holds(database: Path, tokens: dict[str, str]) -> bool:
    """Whether the file, as it lies on the disk, has this content."""
    if database.with_name(f"{RELEASE_FILE}.wal").exists():
        raise GongkaiError(f"{database} was left with a write-ahead log; nothing was published, run it again")
    con = open_duckdb(database, read_only=True)
    try:
        return all(data_token(con, schema) == token for schema, token in tokens.items())
    finally:
        con.close()


def _count_rows(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = con.execute("select schema_name, table_name from duckdb_tables() order by 1, 2").fetchall()
    return {
        f"{schema}.{table}": con.execute(f'select count(*) from "{schema}"."{table}"').fetchall()[0][0]
        for schema, table in tables
    }


def _figure_years(con: duckdb.DuckDBPyConnection) -> tuple[int | None, int | None]:
    first, last = con.execute("select min(report_year), max(report_year) from marts.fct_metric_value").fetchall()[0]
    return first, last


def _write_tables(
    con: duckdb.DuckDBPyConnection,
    staged: Path,
    before: _Standing,
    changes: dict[tuple[str, str], Change] | None,
) -> dict[str, Any]:
    """Write every mart in every format and return what the manifest says of them."""
    for output_format in FORMATS:
        (staged / output_format).mkdir()
    entries: dict[str, Any] = {}
    for table in read_tables(con):
        change = (changes or {}).get(("marts", table.name))
        parts = split(con, table)
        # All of a table or none: workbooks of some of its years would be taken for the whole.
        formats = [
            one for one in FORMATS if one != "xlsx" or all(fits_one_workbook(part.table, part.rows) for part in parts)
        ]
        entry: dict[str, Any] = {"rows": sum(part.rows for part in parts), "parts": []}
        if "xlsx" not in formats:
            entry["xlsx_left_out"] = (
                f"a file of it has more than the {MAX_ROWS:,} rows or {MAX_CELLS:,} cells of a workbook; "
                "`gongkai export DIR --format xlsx` writes several"
            )
        for part in parts:
            is_same = changes is not None and not (change and (not part.is_year or change.touches(part.year)))
            taken = before.take_over(part, formats, staged) if is_same else None
            entry["parts"].append(taken or _write_part(con, part, formats, staged))
        entries[table.name] = entry
    return entries


def _write_part(con: duckdb.DuckDBPyConnection, part: Part, formats: Sequence[str], staged: Path) -> dict[str, Any]:
    written = write_part(con, part, {output_format: staged / output_format for output_format in formats})
    entry: dict[str, Any] = {"name": part.name, "rows": part.rows}
    for output_format, files in written.items():
        (path,) = files.paths
        entry[output_format] = path.relative_to(staged).as_posix()
    # What a format could not hold as it stands in the table.
    entry["altered_cells"] = [
        {"format": output_format, **asdict(account)} for output_format, one in written.items() for account in one.cells
    ]
    return entry


@dataclass(frozen=True, slots=True)
class _Standing:
    """The release before, as far as it may be taken over; no folder when other code wrote it."""

    folder: Path | None
    parts: dict[str, dict[str, Any]]
    sums: dict[str, str]

    @classmethod
    def read(cls, folder: Path | None, build: PassedBuild) -> _Standing:
        manifest = read_manifest(folder) if folder else None
        if manifest is None or (manifest["fingerprint"], manifest.get("written_by")) != (build.fingerprint, _writers()):
            return cls(None, {}, {})
        parts = {part["name"]: part for entry in manifest["tables"].values() for part in entry["parts"]}
        return cls(folder, parts, {file["path"]: file["sha256"] for file in manifest["files"]})

    def copy(self, name: str, staged: Path) -> bool:
        """Copy a file; False when there is none, or not as it was written."""
        if self.folder is None or name not in self.sums:
            return False
        target = staged / name
        target.parent.mkdir(exist_ok=True)
        # A copy and not a link: what may spoil one release must not spoil the next.
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(self.folder / name, target)
        return target.is_file() and describe_file(staged, target)["sha256"] == self.sums[name]

    def take_over(self, part: Part, formats: Sequence[str], staged: Path) -> dict[str, Any] | None:
        """Copy the files of a part in which nothing differs and return its entry; None when one is spoiled."""
        entry = self.parts.get(part.name)
        if entry is None or [one for one in FORMATS if one in entry] != formats:
            return None
        return entry if all(self.copy(entry[output_format], staged) for output_format in formats) else None


def _writers() -> dict[str, str]:
    """What decides how rows become files: the code and the libraries that write."""
    return {"loaders": LOADER_VERSION} | {name: metadata.version(name) for name in ("duckdb", "xlsxwriter")}


def _summarise_checks(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    rows = con.execute(
        "select r.suite_name, r.expectation_type, r.column_name, r.severity, r.description, r.is_success, "
        "r.unexpected_count from quality.check_results as r join ("
        "  select layer, max_by(check_id, (checked_at, check_id)) as check_id from quality.check_runs group by layer"
        ") as last on r.check_id = last.check_id order by r.suite_name, r.expectation_type, r.description"
    ).fetchall()
    names = ("suite", "expectation", "column", "severity", "description", "is_success", "unexpected_count")
    failed = [dict(zip(names, row, strict=True)) for row in rows if not row[5]]
    return {"expectations": len(rows), "failed": failed}


def _swap_current(warehouse: Warehouse, release_id: str) -> None:
    swap_current(warehouse, release_id)
    forget_rollback(warehouse)


@contextlib.contextmanager
def _clear_errors(warehouse: Warehouse) -> Iterator[None]:
    import duckdb

    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise GongkaiError(_no_space(warehouse)) from error
        where = error.filename or warehouse.releases
        raise GongkaiError(
            f"cannot write the release ({where}: {error.strerror}); readers keep the release they have. "
            f"Mend that and run `gongkai publish`"
        ) from error
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        if any(said in str(error) for said in ("No space left", "Disk quota exceeded")):
            raise GongkaiError(_no_space(warehouse)) from error
        raise GongkaiError(
            f"cannot write the release: {reason}; readers keep the release they have. Mend that and run "
            "`gongkai publish`"
        ) from error


def _no_space(warehouse: Warehouse) -> str:
    return (
        f"no space left on the disk of {warehouse.releases.resolve()}; readers keep the release they have. "
        "Make room and run `gongkai publish`"
    )
