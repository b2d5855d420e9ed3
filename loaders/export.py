"""``gongkai export``: the marts of the current release as a folder of files with checksums.

One file a table, as Parquet, CSV or XLSX (:mod:`loaders.table_files`), and ``SHA256SUMS`` over all of them. A table
that is too large for one workbook is several.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

from loaders.errors import GongkaiError, UsageError
from loaders.releases import SUMS_FILE, remove_tree
from loaders.settings import Settings
from loaders.table_files import ACCOUNTS, FORMATS, describe_file, whole, write_part
from loaders.tables import read_tables
from loaders.warehouse import RELEASE_FILE, open_duckdb


def export_marts(settings: Settings, folder: Path, output_format: str) -> None:
    """Write the marts to ``folder``, which must not exist or be empty.

    Raises:
        UsageError: when the format is not supported, the folder is not empty or nothing was published yet.
        GongkaiError: when a file cannot be written.
    """
    if output_format not in FORMATS:
        raise UsageError(f"{output_format} cannot be written; choose one of {', '.join(FORMATS)}")
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
            # Beside a release nothing may be written.
            con.execute("set temp_directory = ?", [str(staged / ".spill")])
            written = [
                write_part(con, whole(con, table), {output_format: staged})[output_format] for table in read_tables(con)
            ]
        finally:
            con.close()
        remove_tree(staged / ".spill")
        files = [
            {"table": one.part.table.name, "rows": one.part.rows, **describe_file(staged, path)}
            for one in written
            for path in one.paths
        ]
        sums = "".join(f"{file['sha256']}  {file['path']}\n" for file in files)
        (staged / SUMS_FILE).write_text(sums, "utf-8")
        if folder.exists():
            folder.rmdir()
        os.rename(staged, folder)
    except (OSError, duckdb.Error) as error:
        raise GongkaiError(f"cannot export to {folder}: {str(error).splitlines()[0]}") from error
    finally:
        remove_tree(staged)
    altered = [account for one in written for account in one.cells]
    text = f"wrote {len(written)} tables of release {release.name} to {folder}"
    for account in altered:
        text += f"\n  {account.table}.{account.column}: {account.cells} cells {ACCOUNTS[account.kind]}"
    value = {
        "release_id": release.name,
        "folder": str(folder),
        "files": files,
        "altered_cells": [asdict(account) for account in altered],
    }
    settings.answer(text, value)
