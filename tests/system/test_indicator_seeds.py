"""A term that no form holds stops the build and is named; years and applicants reach the facts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loaders.refresh import LoadRequest, run_load
from loaders.settings import Settings
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse

PARTS = ("dbt_project.yml", "profiles.yml", "selectors.yml", "seeds", "models", "macros", "tests/data")


@pytest.mark.parametrize(
    ("seed", "old", "new", "said"),
    [
        ("indicator_terms", "outcome_granted_partial", "outcome_granted_partly", "granted_partial_rate (fmt2019)"),
        ("crosswalk_terms", "outcome_total", "replies_total", "h_requests_decided (fmt2019): replies_total"),
        ("indicator_terms", "natural_person", "natural_persons", "natural_persons]"),
    ],
)
def test_a_renamed_metric_in_a_term_stops_the_build(tmp_path: Path, seed: str, old: str, new: str, said: str) -> None:
    project = tmp_path / "project"
    for part in PARTS:
        source = PROJECT_ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        (project / part).parent.mkdir(parents=True, exist_ok=True)
        copy(source, project / part)
    path = project / "seeds" / f"{seed}.csv"
    path.write_text(path.read_text("utf-8").replace(f",{old},", f",{new},"), "utf-8")
    run_load(Settings(Warehouse(tmp_path / "wh"), quiet=True), LoadRequest((str(PROJECT_ROOT / "samples/reports"),)))
    seeds = ["metrics", "form_metrics", "applicant_types", "forms", "crosswalk_terms", "indicator_terms", "indicators"]
    dbt = [sys.executable, "-c", "import sys; from dbt.cli.main import cli; sys.exit(cli())"]
    options = ["--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs"), "--no-use-colors"]
    environment = {**os.environ, "GONGKAI_WAREHOUSE": str(tmp_path / "wh"), "DO_NOT_TRACK": "1"}
    done = ""
    for verb, names in (("seed", seeds), ("run", ["int_indicator_terms"])):
        ran = subprocess.run(
            [*dbt, verb, "--select", *names, *options],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        done = ran.stdout + ran.stderr
    assert ran.returncode != 0
    assert f"{seed} has terms that no cell of their form holds" in done
    assert said in done
