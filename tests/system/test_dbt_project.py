"""Plain dbt on a warehouse of the samples: every model, data test, unit test and seed, nothing deprecated."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from loaders.builds import data_token, is_left_by, note_left_by
from loaders.refresh import LoadRequest, run_load
from loaders.settings import Settings
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse

DBT = Path(sys.executable).parent / "dbt"


def dbt(warehouse: Path, *arguments: str, cwd: Path = PROJECT_ROOT) -> tuple[int, str]:
    done = subprocess.run(
        [str(DBT), *arguments, "--target-path", str(warehouse / "target"), "--log-path", str(warehouse / "logs")],
        cwd=cwd,
        env={**os.environ, "GONGKAI_WAREHOUSE": str(warehouse), "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("dbt")
    run_load(Settings(Warehouse(root), quiet=True), LoadRequest((str(PROJECT_ROOT / "samples" / "reports"),)))
    return root


def test_plain_dbt_build_passes_with_every_seed_and_unit_test(loaded: Path) -> None:
    code, said = dbt(loaded, "build", "--selector", "everything", "--show-all-deprecations")
    assert code == 0, said[-3000:]
    assert "ERROR=0" in said
    assert "unit tests" in said
    assert "one_row_per_int_reports_versioned" in said
    assert "metrics_keeps_its_contract" in said
    assert "WARN=0" in said
    assert "Deprecat" not in said


def test_the_next_build_makes_nothing_anew_and_warns_of_nothing(loaded: Path) -> None:
    with duckdb.connect(str(loaded / "work.duckdb")) as con:
        con.execute("alter table intermediate.built_reports add column is_old boolean")
    code, said = dbt(loaded, "build")
    assert code == 0, said[-3000:]
    assert "WARN=0" in said
    assert "Deprecat" not in said
    with duckdb.connect(str(loaded / "work.duckdb"), read_only=True) as con:
        assert con.execute("select count(*) from intermediate.int_report_years where is_touched").fetchall() == [(0,)]
        # What a plain build selects is enough to keep its tokens: it asked every test of the tables that grow.
        columns = con.execute("from intermediate.built_reports limit 0").description
        assert "is_old" not in [column[0] for column in columns]


def test_what_is_made_of_seeds_alone_stands_until_somebody_else_runs_dbt(loaded: Path) -> None:
    with duckdb.connect(str(loaded / "work.duckdb")) as con:
        assert not is_left_by(con, "code")
        note_left_by(con, "code")
        assert is_left_by(con, "code")
        assert not is_left_by(con, "other code")
        before = data_token(con, "marts")
        con.execute("alter table intermediate.built_reports add column is_old boolean")
    code, said = dbt(loaded, "build", "--selector", "below_sources")
    assert code == 0, said[-3000:]
    assert "seed file" not in said
    assert "model marts.dim_metric " not in said
    assert "WARN=0" in said
    with duckdb.connect(str(loaded / "work.duckdb"), read_only=True) as con:
        assert not is_left_by(con, "code")
        assert data_token(con, "marts") == before
        # It asked every test of the tables that grow, as a plain build does.
        columns = con.execute("from intermediate.built_reports limit 0").description
        assert "is_old" not in [column[0] for column in columns]
    with duckdb.connect(str(loaded / "work.duckdb")) as con:
        note_left_by(con, "code")
    assert dbt(loaded, "seed", "--select", "scopes")[0] == 0
    with duckdb.connect(str(loaded / "work.duckdb"), read_only=True) as con:
        assert not is_left_by(con, "code")


def test_a_broken_grain_of_an_intermediate_table_is_found(loaded: Path) -> None:
    with duckdb.connect(str(loaded / "work.duckdb")) as con:
        con.execute("insert into intermediate.int_report_layers from intermediate.int_report_layers limit 1")
    code, said = dbt(loaded, "test", "--select", "assert_intermediate_tables_keep_their_grain", "--store-failures")
    assert code != 0
    assert "Got 1 result" in said
    with duckdb.connect(str(loaded / "work.duckdb"), read_only=True) as con:
        failures = "dbt_test__audit.assert_intermediate_tables_keep_their_grain"
        assert con.execute(f"from {failures}").fetchall() == [("int_report_layers", "report_id", 1)]


def test_a_seed_that_breaks_its_contract_is_named(loaded: Path) -> None:
    with duckdb.connect(str(loaded / "work.duckdb")) as con:
        con.execute("update seeds.metrics set family_code = 'no_family' where metric_code = 'requests_received'")
    code, said = dbt(loaded, "test", "--select", "assert_seeds_keep_their_contracts", "--store-failures")
    assert code != 0
    assert "Got 1 result" in said
    with duckdb.connect(str(loaded / "work.duckdb"), read_only=True) as con:
        assert con.execute("from dbt_test__audit.assert_seeds_keep_their_contracts").fetchall() == [
            ("metrics", "family_code: known in metric_families", "no_family")
        ]


def test_a_build_without_raw_tables_says_what_to_do(tmp_path: Path) -> None:
    code, said = dbt(tmp_path, "build")
    assert code != 0
    assert "gongkai load" in said
    assert "Traceback" not in said
