"""Publishing: a passed build becomes an immutable release, and readers move to it in one step.

::

    releases/<id>/warehouse.duckdb    schemas marts, quality, seeds and raw, storage v1.2.0, read-only
                  parquet/<table>.parquet   one file a mart table, zstd
                  validation.json, validation_identities.jsonl   what was judged of it, for exchange
                  site/               pages for people: loaders/site
                  manifest.json       what it holds: counts, checksums, versions, the checks
    current -> releases/<id>

A release is written under a hidden name, compared with what was checked, made read-only, brought to disk and
only then renamed; ``current`` is swapped with one rename. Killed at any moment, readers keep the old release or
have the new one. A database file is never moved with a write-ahead log beside it: it would lack rows silently.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.builds import LAYERS, PassedBuild, data_token, require_passed_build
from loaders.errors import GongkaiError
from loaders.validation import Validation, last_event, suite_entries, write_validation
from loaders.version import LOADER_VERSION, package_versions, project_version
from loaders.warehouse import RELEASE_FILE, STORAGE_VERSION, Warehouse, new_id, open_duckdb, utc_now

if TYPE_CHECKING:
    import duckdb

PUBLISHED_SCHEMAS = ("raw", "seeds", "marts", "quality")
KEPT_RELEASES = 5
KEPT_SECONDS = 3600
_HIDDEN = (".staging-", ".deleted-", ".current-")


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
    with _clear_errors(warehouse):
        warehouse.releases.mkdir(exist_ok=True)
        _remove_leftovers(warehouse)
        release_id = new_id()
        staged = warehouse.releases / f".staging-{release_id}"
        staged.mkdir()
        try:
            release = _write_release(warehouse, build, checks, validation, release_id, staged)
            _seal(staged)
            os.rename(staged, release.folder)
            _sync(warehouse.releases)
        except BaseException:  # a stopped publish leaves no half release, whatever stopped it
            shutil.rmtree(staged, ignore_errors=True)
            raise
        _swap_current(warehouse, release_id)
        _drop_old_releases(warehouse)
    return release


def current_manifest(warehouse: Warehouse) -> dict[str, Any] | None:
    """The manifest of the current release, or None when there is none."""
    release = warehouse.current_release()
    if release is None:
        return None
    try:
        manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None


def _write_release(
    warehouse: Warehouse,
    build: PassedBuild,
    checks: dict[str, Any],
    validation: Validation,
    release_id: str,
    staged: Path,
) -> Release:
    from loaders.site import Edition, write_release_site

    database = staged / RELEASE_FILE
    _copy_database(warehouse.work_file, database)
    if database.with_name(f"{RELEASE_FILE}.wal").exists():
        raise GongkaiError(f"{database} was left with a write-ahead log; nothing was published, run it again")
    con = open_duckdb(database, read_only=True)
    try:
        if data_token(con, "marts") != build.marts_token:
            raise GongkaiError("the copy of the marts differs from what was checked; nothing was published")
        table_rows = _count_rows(con)
        _write_parquet(con, staged / "parquet")
        write_validation(con, staged, validation)
    finally:
        con.close()
    created_at = f"{utc_now():%Y-%m-%dT%H:%M:%SZ}"
    write_release_site(staged / "site", warehouse, Edition(release_id, created_at, project_version()))
    manifest = {
        "release_id": release_id,
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
        "table_rows": table_rows,
        "checks": checks,
        "files": [_describe_file(staged, path) for path in sorted(staged.rglob("*")) if path.is_file()],
    }
    (staged / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", "utf-8")
    return Release(release_id, warehouse.releases / release_id, build.build_id, table_rows)


def _copy_database(work_file: Path, target: Path) -> None:
    """Copy the published schemas with their constraints and comments; views become tables of what they show."""
    import duckdb

    con = duckdb.connect()
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
    if comment:
        con.execute(f"comment on table {relation} is {_quoted(comment)}")
    columns = con.execute(
        "select column_name, comment from duckdb_columns() "
        "where database_name = 'work' and schema_name = ? and table_name = ? and comment is not null",
        [schema, name],
    ).fetchall()
    for column, text in columns:
        con.execute(f'comment on column {relation}."{column}" is {_quoted(text)}')


def _count_rows(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = con.execute("select schema_name, table_name from duckdb_tables() order by 1, 2").fetchall()
    return {
        f"{schema}.{table}": con.execute(f'select count(*) from "{schema}"."{table}"').fetchall()[0][0]
        for schema, table in tables
    }


def _write_parquet(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    folder.mkdir()
    tables = con.execute("select table_name from duckdb_tables() where schema_name = 'marts' order by 1").fetchall()
    for (table,) in tables:
        target = _quoted(folder / f"{table}.parquet")
        con.execute(f'copy marts."{table}" to {target} (format parquet, compression zstd)')


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


def _describe_file(folder: Path, path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": digest}


def _seal(folder: Path) -> None:
    """Make every file read-only and bring files and folders to disk."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            path.chmod(0o444)
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap_current(warehouse: Warehouse, release_id: str) -> None:
    link = warehouse.releases / f".current-{release_id}"
    # Relative, so that the warehouse folder can be moved or mounted elsewhere.
    link.symlink_to(Path("releases", release_id))
    os.replace(link, warehouse.current)
    _sync(warehouse.root)


def _drop_old_releases(warehouse: Warehouse) -> None:
    """Keep the newest releases and whatever a reader may just have opened."""
    current = warehouse.current.resolve().name
    folders = [path for path in warehouse.releases.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for folder in sorted(folders, key=lambda path: path.name, reverse=True)[KEPT_RELEASES:]:
        if folder.name != current and time.time() - folder.stat().st_mtime > KEPT_SECONDS:
            doomed = folder.with_name(f".deleted-{folder.name}")
            os.rename(folder, doomed)
            shutil.rmtree(doomed, ignore_errors=True)


def _remove_leftovers(warehouse: Warehouse) -> None:
    for path in warehouse.releases.iterdir():
        if path.name.startswith(_HIDDEN):
            if path.is_symlink():
                path.unlink()
            else:
                shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _clear_errors(warehouse: Warehouse) -> Iterator[None]:
    import duckdb

    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise GongkaiError(_no_space(warehouse)) from error
        where = error.filename or warehouse.releases
        message = f"cannot write the release ({where}: {error.strerror}); readers keep the release they have"
        raise GongkaiError(message) from error
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        if "No space left" in reason:
            raise GongkaiError(_no_space(warehouse)) from error
        raise GongkaiError(f"cannot write the release: {reason}; readers keep the release they have") from error


def _no_space(warehouse: Warehouse) -> str:
    return (
        f"no space left on the disk of {warehouse.root}; readers keep the release they have. "
        "Make room and run `gongkai publish`"
    )


def _quoted(value: Path | str) -> str:
    text = str(value).replace("'", "''")
    return f"'{text}'"
