"""The same documents give the same Parquet files, byte for byte, whatever the way in which they came.

Documents hold all that the order could matter for: a report twice with the same figures, a corrected one with a later
date, several years of a body, and one that is rejected.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from loaders.release_database import write_database
from loaders.table_files import whole, write_part
from loaders.tables import read_tables
from loaders.version import PROJECT_ROOT
from loaders.warehouse import RELEASE_FILE, Warehouse, open_duckdb
from tests.conftest import CHANNELS, write_documents

SAMPLES = PROJECT_ROOT / "samples" / "reports"
PATIENCE = 3600


def write_all(folder: Path) -> list[Path]:
    """The documents, in the order of their names."""
    write_documents(folder)
    figures = f"requests_received=10,{CHANNELS},proactive_items_total=100"
    # The same figures in another document, so that its bytes and hence its id differ.
    (folder / "甲县人民政府2016转载.txt").write_text(f"甲县人民政府,2016,{figures} ", "utf-8")
    (folder / "乙县人民政府2016更正.txt").write_text(
        "乙县人民政府,2016,published_date=2017-05-01,requests_received=11", "utf-8"
    )
    return sorted(path for path in folder.iterdir() if path.is_file())


def run(warehouse: Warehouse, module: str, *arguments: object) -> None:
    environment = os.environ | {"GONGKAI_WAREHOUSE": str(warehouse.root), "DO_NOT_TRACK": "1"}
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def load(warehouse: Warehouse, paths: Sequence[Path], workers: int, reader: str = "tests.system.driver") -> None:
    run(warehouse, reader, "load", *paths, "--workers", workers, "--quiet")


def build(warehouse: Warehouse) -> None:
    folders = ("--target-path", warehouse.dbt_target, "--log-path", warehouse.dbt_target / "logs")
    run(warehouse, "dbt.cli.main", "--quiet", "build", "--exclude", "resource_type:test", *folders)


def digests(warehouse: Warehouse, folder: Path) -> dict[str, str]:
    """The checksum of the Parquet file of each mart, written as a publication writes it."""
    folder.mkdir()
    write_database(warehouse.work_file, folder / RELEASE_FILE)
    con = open_duckdb(folder / RELEASE_FILE, read_only=True)
    try:
        written = [write_part(con, whole(con, table), {"parquet": folder})["parquet"] for table in read_tables(con)]
    finally:
        con.close()
    assert len(written) > 20
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for one in written for path in one.paths}


@pytest.mark.long
def test_another_order_in_two_refreshes_gives_the_same_bytes(tmp_path: Path) -> None:
    paths = write_all(tmp_path / "in")
    at_once, by_and_by = Warehouse(tmp_path / "at_once"), Warehouse(tmp_path / "by_and_by")
    load(at_once, paths, 1)
    build(at_once)
    backwards = paths[::-1]
    load(by_and_by, backwards[:4], 2)
    build(by_and_by)
    load(by_and_by, backwards[4:], 1)
    build(by_and_by)
    wanted = digests(at_once, tmp_path / "first")
    assert digests(by_and_by, tmp_path / "second") == wanted


@pytest.mark.long
def test_no_way_of_loading_changes_a_byte(tmp_path: Path) -> None:
    documents = sorted(SAMPLES.iterdir())
    ways: dict[str, list[tuple[list[Path], int]]] = {
        "at once": [(documents, 1)],
        "backwards, two workers": [(documents[::-1], 2)],
        "one by one": [([path], 1) for path in documents],
        "twice, in halves": [(documents[2:], 2), (documents[:3], 1), (documents, 1)],
    }
    found = {}
    for number, (way, loads) in enumerate(ways.items()):
        warehouse = Warehouse(tmp_path / f"wh{number}")
        for paths, workers in loads:
            load(warehouse, paths, workers, reader="loaders")
            build(warehouse)
        found[way] = digests(warehouse, tmp_path / f"out{number}")
    for way, sums in found.items():
        assert sums == found["at once"], way
