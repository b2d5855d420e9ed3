"""A work file with the marts of the samples, built once for the tests that only read it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loaders.refresh import LoadRequest, run_load
from loaders.settings import Settings
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse

DBT = "from dbt.cli.main import cli; cli()"


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work file with the marts of the samples, and the compiled analyses under ``target``."""
    root = tmp_path_factory.mktemp("analyses")
    run_load(Settings(Warehouse(root), quiet=True), LoadRequest((str(PROJECT_ROOT / "samples" / "reports"),)))
    folders = ["--target-path", str(root / "target"), "--log-path", str(root / "logs")]
    for command in (["build", "--exclude", "resource_type:test"], ["compile"]):
        select = ["--select", "resource_type:analysis"] if command == ["compile"] else []
        done = subprocess.run(
            [sys.executable, "-c", DBT, "--quiet", *command, *select, *folders],
            cwd=PROJECT_ROOT,
            env={**os.environ, "GONGKAI_WAREHOUSE": str(root), "DO_NOT_TRACK": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return root
