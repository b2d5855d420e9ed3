"""Publishing: a passed build becomes an immutable release, and readers move to it in one step.

::

    releases/<id>/warehouse.duckdb    schemas marts, quality, seeds and raw, storage v1.2.0, read-only
                  parquet/, csv/, xlsx/     one file a mart table: loaders/table_files
                  datapackage.json, dataset.jsonld, CITATION.cff, dictionary.csv, LICENSE   loaders/package
                  validation.json, validation_identities.jsonl   what was judged of it, for exchange
                  site/               pages for people: loaders/site
                  manifest.json       what it holds: counts, checksums, versions, the checks
                  SHA256SUMS          checksums of all other files, for sha256sum --check
    current -> releases/<id>

A release is written under a hidden name, compared with what was checked, made read-only, brought to disk and
only then renamed; ``current`` is swapped with one rename. Killed at any moment, readers keep the old release or
have the new one. A database file is never moved with a write-ahead log beside it: it would lack rows silently.

A workbook costs seconds, so the CSV and XLSX files of a table are taken over from the release before when the Parquet
file came out byte for byte the same and the same code wrote them. A table too large for one workbook has none; the
manifest says so.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.builds import LAYERS, PassedBuild, data_token, require_passed_build
from loaders.dictionary import read_dictionary
from loaders.errors import GongkaiError
from loaders.package import Imprint, write_package
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
from loaders.table_files import TableFiles, describe_file, write_table
from loaders.tables import Table, read_tables
from loaders.validation import Validation, last_event, suite_entries, write_validation
from loaders.version import LOADER_VERSION, package_versions, project_version
from loaders.warehouse import RELEASE_FILE, STORAGE_VERSION, Warehouse, new_id, open_duckdb, utc_now
from loaders.workbooks import MAX_CELLS, MAX_ROWS, fits_one_workbook

if TYPE_CHECKING:
    import duckdb

PUBLISHED_SCHEMAS = ("raw", "seeds", "marts", "quality")
_HIDDEN = (".staging-", ".deleted-", ".current-")
_SPILL = ".spill"
_DERIVED_FORMATS = ("csv", "xlsx")


@dataclass(frozen=True, slots=True)
class Release:
    """A published release."""

    release_id: str
    folder: Path
    build_id: str
    table_rows: dict[str, int]


def publish_build(warehouse: Warehouse, fingerprint: str) -> Release:
    """Publish the build in the work file; the caller holds the run lock.

    Raises:
        ChecksFailedError: when the checks of this very build have not passed.
        GongkaiError: when the release cannot be written; the old release stays.
    """
    con = warehouse.connect(read_only=True)
    try:
        build = require_passed_build(con, fingerprint)
        checks = _summarise_checks(con)
        validation = Validation(last_event(con, "marts"), suite_entries(con, LAYERS))
    finally:
        con.close()
    retention = read_retention()
    with _clear_errors(warehouse):
        warehouse.releases.mkdir(exist_ok=True)
        remove_leftovers(warehouse, _HIDDEN)
        release_id = new_id()
        staged = warehouse.releases / f".staging-{release_id}"
        with removed_on_failure(staged, warehouse.releases / release_id):
            staged.mkdir()
            release = _write_release(warehouse, build, checks, validation, release_id, staged)
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


def _write_release(
    warehouse: Warehouse,
    build: PassedBuild,
    checks: dict[str, Any],
    validation: Validation,
    release_id: str,
    staged: Path,
) -> Release:
    from loaders.site import Edition, write_release_site

    created_at = f"{utc_now():%Y-%m-%dT%H:%M:%SZ}"
    before = warehouse.current_release()
    database = staged / RELEASE_FILE
    _copy_database(warehouse.work_file, database)
    if database.with_name(f"{RELEASE_FILE}.wal").exists():
        raise GongkaiError(f"{database} was left with a write-ahead log; nothing was published, run it again")
    con = open_duckdb(database, read_only=True)
    try:
        if data_token(con, "marts") != build.marts_token:
            raise GongkaiError("the copy of the marts differs from what was checked; nothing was published")
        table_rows = _count_rows(con)
        tables = _write_tables(con, staged, before)
        imprint = Imprint(release_id, created_at, project_version(), *_figure_years(con))
        write_package(staged, read_dictionary(con), imprint)
        write_validation(con, staged, validation)
    finally:
        con.close()
    write_release_site(staged / "site", warehouse, Edition(release_id, created_at, project_version()))
    manifest: dict[str, Any] = {
        "release_id": release_id,
        "previous_release_id": before.name if before else None,
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
        "checks": checks,
        "files": [describe_file(staged, path) for path in sorted(staged.rglob("*")) if path.is_file()],
    }
    (staged / MANIFEST_FILE).write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", "utf-8")
    listed = [*manifest["files"], describe_file(staged, staged / MANIFEST_FILE)]
    (staged / SUMS_FILE).write_text("".join(f"{file['sha256']}  {file['path']}\n" for file in listed), "utf-8")
    return Release(release_id, warehouse.releases / release_id, build.build_id, table_rows)


def _copy_database(work_file: Path, target: Path) -> None:
    """Copy the published schemas with their constraints and comments; views become tables of what they show."""
    import duckdb

    # What does not fit into memory goes where the release goes, not where the command was started.
    spill = target.with_name(_SPILL)
    con = duckdb.connect(config={"temp_directory": str(spill)})
    try:
        con.execute(f"attach {_quoted(work_file)} as work (read_only)")
        con.execute(f"attach {_quoted(target)} as release (storage_version '{STORAGE_VERSION}')")
        con.execute("use release")
        for schema in PUBLISHED_SCHEMAS:
            con.execute(f"create schema if not exists release.{schema}")
        for schema, name, ddl, comment in _relations(con):
            relation = f'"{schema}"."{name}"'
            if ddl is None:
                con.execute(f"create table release.{relation} as select * from work.{relation}")
            else:
                con.execute(ddl)
                # Rows stand in one order whatever brought them, so that the same data give the same files.
                order = "order by all" if schema == "marts" else ""
                con.execute(f"insert into release.{relation} select * from work.{relation} {order}")
            _copy_comments(con, schema, name, comment)
        con.execute("checkpoint release")
        con.execute("use memory")
        con.execute("detach release")
    finally:
        con.close()
        shutil.rmtree(spill, ignore_errors=True)


def _relations(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str | None, str | None]]:
    return con.execute(
        "select schema_name, table_name, sql, comment from duckdb_tables() "
        "where database_name = 'work' and schema_name in (select unnest(?)) "
        "union all "
        "select schema_name, view_name, null, comment from duckdb_views() "
        "where database_name = 'work' and schema_name in (select unnest(?)) and not internal "
        "order by 1, 2",
        [list(PUBLISHED_SCHEMAS), list(PUBLISHED_SCHEMAS)],
    ).fetchall()


def _copy_comments(con: duckdb.DuckDBPyConnection, schema: str, name: str, comment: str | None) -> None:
    relation = f'release."{schema}"."{name}"'
    statements = [f"comment on table {relation} is {_quoted(comment)}"] if comment else []
    columns = con.execute(
        "select column_name, comment from duckdb_columns() "
        "where database_name = 'work' and schema_name = ? and table_name = ? and comment is not null",
        [schema, name],
    ).fetchall()
    statements += [f'comment on column {relation}."{column}" is {_quoted(text)}' for column, text in columns]
    # One transaction: each of its own writes to the disk, which is most of the time of a small release.
    con.execute("; ".join(["begin", *statements, "commit"]))


def _count_rows(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = con.execute("select schema_name, table_name from duckdb_tables() order by 1, 2").fetchall()
    return {
        f"{schema}.{table}": con.execute(f'select count(*) from "{schema}"."{table}"').fetchall()[0][0]
        for schema, table in tables
    }


def _figure_years(con: duckdb.DuckDBPyConnection) -> tuple[int | None, int | None]:
    first, last = con.execute("select min(report_year), max(report_year) from marts.fct_metric_value").fetchall()[0]
    return first, last


def _write_tables(con: duckdb.DuckDBPyConnection, staged: Path, before: Path | None) -> dict[str, Any]:
    """Write every mart in every format and return what the manifest says of them."""
    for output_format in ("parquet", *_DERIVED_FORMATS):
        (staged / output_format).mkdir()
    standing = _Standing.read(before)
    entries: dict[str, Any] = {}
    for table in read_tables(con):
        parquet = write_table(con, table, staged / "parquet", "parquet")
        entry = standing.take_over(table, parquet, staged) or _derive(con, table, parquet, staged)
        entries[table.name] = {"rows": parquet.rows, **entry}
    return entries


def _derive(con: duckdb.DuckDBPyConnection, table: Table, parquet: TableFiles, staged: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {"parquet": _names(parquet, staged)}
    cells = []
    for output_format in _DERIVED_FORMATS:
        if output_format == "xlsx" and not fits_one_workbook(table, parquet.rows):
            entry["xlsx"] = []
            entry["xlsx_left_out"] = (
                f"{parquet.rows:,} rows of {len(table.columns)} columns are more than the {MAX_ROWS:,} rows or "
                f"{MAX_CELLS:,} cells of one workbook; `gongkai export DIR --format xlsx` writes several"
            )
            continue
        written = write_table(con, table, staged / output_format, output_format)
        entry[output_format] = _names(written, staged)
        cells += [{"format": output_format, **asdict(account)} for account in written.cells]
    # What a format could not hold as it stands in the table.
    entry["altered_cells"] = cells
    return entry


def _names(written: TableFiles, staged: Path) -> list[str]:
    return [path.relative_to(staged).as_posix() for path in written.paths]


@dataclass(frozen=True, slots=True)
class _Standing:
    """The release before, as far as its files may be taken over."""

    folder: Path | None
    tables: dict[str, Any]
    sums: dict[str, str]

    @classmethod
    def read(cls, folder: Path | None) -> _Standing:
        manifest = read_manifest(folder) if folder else None
        if manifest is None or manifest.get("written_by") != _writers():
            return cls(None, {}, {})
        return cls(folder, manifest["tables"], {file["path"]: file["sha256"] for file in manifest["files"]})

    def take_over(self, table: Table, parquet: TableFiles, staged: Path) -> dict[str, Any] | None:
        """Copy the other files of a table that did not change, and return its entry; None when it did."""
        entry = self.tables.get(table.name)
        if self.folder is None or entry is None or entry["parquet"] != _names(parquet, staged):
            return None
        made = [describe_file(staged, path)["sha256"] for path in parquet.paths]
        if made != [self.sums[name] for name in entry["parquet"]]:
            return None
        for name in (name for output_format in _DERIVED_FORMATS for name in entry[output_format]):
            try:
                shutil.copyfile(self.folder / name, staged / name)
            except FileNotFoundError:
                return None
            # A copy and not a link: what may spoil one release must not spoil the next.
            if describe_file(staged, staged / name)["sha256"] != self.sums[name]:
                return None
        return {name: value for name, value in entry.items() if name != "rows"}


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


def _quoted(value: Path | str) -> str:
    text = str(value).replace("'", "''")
    return f"'{text}'"
