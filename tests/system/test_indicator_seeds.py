"""A term that no form holds stops the build and is named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loaders.vocabulary import PROJECT_ROOT

PARTS = ("dbt_project.yml", "profiles.yml", "selectors.yml", "seeds", "models", "macros", "tests/data")
TERM_SEEDS = ("crosswalk_terms", "indicator_terms")
DBT = [sys.executable, "-c", "import sys; from dbt.cli.main import cli; sys.exit(cli())"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, refreshed_once: Path) -> Path:
    """A copy of the dbt project, whose seeds a test may spoil, with a built warehouse in it."""
    root = tmp_path_factory.mktemp("spoiled")
    for part in PARTS:
        source = PROJECT_ROOT / part
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, root / part)
    (root / "warehouse").mkdir()
    shutil.copy(refreshed_once / "wh" / "work.duckdb", root / "warehouse")
    return root


@pytest.mark.parametrize(
    ("seed", "old", "new", "said"),
    [
        ("indicator_terms", "outcome_granted_partial", "outcome_granted_partly", "granted_partial_rate (fmt2019)"),
        pytest.param(
            "crosswalk_terms",
            "outcome_total",
            "replies_total",
            "h_requests_decided (fmt2019): replies_total",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "indicator_terms", "natural_person", "natural_persons", "natural_persons]", marks=pytest.mark.long
        ),
    ],
)
def test_a_term_that_its_form_does_not_have_stops_the_build(
    project: Path, seed: str, old: str, new: str, said: str
) -> None:
    path = project / "seeds" / f"{seed}.csv"
    sound = path.read_text("utf-8")
    path.write_text(sound.replace(f",{old},", f",{new},"), "utf-8")
    options = ["--resource-type", "seed", "--resource-type", "model", "--no-use-colors"]
    try:
        ran = subprocess.run(
            [*DBT, "build", "--select", *TERM_SEEDS, "int_indicator_terms", *options],
            cwd=project,
            env={**os.environ, "DO_NOT_TRACK": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(sound, "utf-8")
    output = ran.stdout + ran.stderr
    assert ran.returncode != 0
    assert f"{seed} has terms that no cell of their form holds" in output, output[-3000:]
    assert said in output
