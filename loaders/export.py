"""``gongkai export``: the marts of the current release as a folder of files with checksums.

One file a table, as Parquet (zstd) or CSV, and ``SHA256SUMS`` over all of them. The CSV has a byte order mark,
since spreadsheets take Chinese for garbage without it.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.errors import GongkaiError, UsageError
from loaders.settings import Settings
from loaders.warehouse import RELEASE_FILE, open_duckdb

if TYPE_CHECKING:
    import duckdb

SUPPORTED = ("parquet", "csv")


def export_marts(settings: Settings, folder: Path, output_format: str) -> None:
    """Write the marts to ``folder``, which must not exist or be empty.

    Raises:
        UsageError: when the format is not supported, the folder is not empty or nothing was published yet.
        GongkaiError: when a file cannot be written.
    """
    if output_format not in SUPPORTED:
        raise UsageError(f"{output_format} cannot be written; choose one of {', '.join(SUPPORTED)}")
    release = settings.warehouse.current_release()
    if release is None:
        raise UsageError(f"nothing was published in {settings.warehouse.root} yet; run `gongkai refresh` first")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder; name another one")
    staged = folder.absolute().with_name(f".{folder.name}.{os.getpid()}.new")
    import duckdb

    try:
        staged.mkdir(parents=True)
        con = open_duckdb(release / RELEASE_FILE, read_only=True)
        try:
            files = _write_tables(con, staged, output_format)
        finally:
            con.close()
        sums = "".join(f"{file['sha256']}  {file['path']}\n" for file in files)
        (staged / "SHA256SUMS").write_text(sums, "utf-8")
        if folder.exists():
            folder.rmdir()
        os.rename(staged, folder)
    except (OSError, duckdb.Error) as error:
        raise GongkaiError(f"cannot export to {folder}: {str(error).splitlines()[0]}") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    text = f"wrote {len(files)} tables of release {release.name} to {folder}"
    settings.answer(text, {"release_id": release.name, "folder": str(folder), "files": files})


def _write_tables(con: duckdb.DuckDBPyConnection, folder: Path, output_format: str) -> list[dict[str, Any]]:
    tables = con.execute("select table_name from duckdb_tables() where schema_name = 'marts' order by 1").fetchall()
    return [_write_table(con, table, folder / f"{table}.{output_format}") for (table,) in tables]


def _write_table(con: duckdb.DuckDBPyConnection, table: str, path: Path) -> dict[str, Any]:
    quoted = str(path).replace("'", "''")
    if path.suffix == ".parquet":
        con.execute(f"copy marts.\"{table}\" to '{quoted}' (format parquet, compression zstd)")
    else:
        con.execute(f"copy marts.\"{table}\" to '{quoted}' (format csv, header)")
        _prepend(path, codecs.BOM_UTF8)
    rows = con.execute(f'select count(*) from marts."{table}"').fetchall()[0][0]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": path.name, "rows": rows, "bytes": path.stat().st_size, "sha256": digest}


def _prepend(path: Path, mark: bytes) -> None:
    marked = path.with_suffix(".marked")
    with path.open("rb") as source, marked.open("wb") as target:
        target.write(mark)
        shutil.copyfileobj(source, target)
    os.replace(marked, path)
