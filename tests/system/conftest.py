"""A warehouse of the samples, made once for the tests that only read it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loaders.refresh import LoadRequest, run_refresh
from loaders.settings import Settings
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse
from tests.conftest import made_once

DBT = "from dbt.cli.main import cli; cli()"


@pytest.fixture(scope="session")
def published_samples(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A published warehouse of the sample reports, only to be read."""
    with made_once(tmp_path_factory, "published_samples") as (root, is_to_make):
        if is_to_make:
            request = LoadRequest((str(PROJECT_ROOT / "samples" / "reports"),))
            run_refresh(Settings(Warehouse(root), quiet=True), request)
    return Warehouse(root)


@pytest.fixture(scope="session")
def sample(published_samples: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work file with the marts of the samples, and the compiled analyses under ``target``."""
    with made_once(tmp_path_factory, "analyses") as (root, is_to_make):
        if is_to_make:
            shutil.copy(published_samples.work_file, root)
            _compile_analyses(root)
    return root


def _compile_analyses(root: Path) -> None:
    folders = ["--target-path", str(root / "target"), "--log-path", str(root / "logs")]
    done = subprocess.run(
        [sys.executable, "-c", DBT, "--quiet", "compile", "--select", "resource_type:analysis", *folders],
        cwd=PROJECT_ROOT,
        env={**os.environ, "GONGKAI_WAREHOUSE": str(root), "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
