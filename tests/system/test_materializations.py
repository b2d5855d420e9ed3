"""How tables, views, kept tables and seeds come into the work file: whole or not at all, and as their cards say."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loaders.vocabulary import PROJECT_ROOT

MACROS = (
    "contract_columns",
    "engine",
    "in_one_transaction",
    "materialization_incremental",
    "materialization_seed",
    "materialization_table",
    "materialization_test",
)
PROJECT = """
name: gongkai
version: "1.0"
config-version: 2
profile: small
flags: {send_anonymous_usage_stats: false}
dispatch: [{macro_namespace: dbt, search_order: [gongkai, dbt]}]
models:
  gongkai:
    +persist_docs: {relation: true, columns: true}
    +contract: {enforced: true}
    +incremental_strategy: append
    +on_schema_change: fail
seeds:
  gongkai: {codes: {+column_types: {code: string, code_order: int}}}
"""
PROFILE = "small: {target: dev, outputs: {dev: {type: duckdb, path: work.duckdb, threads: 1, keep_open: false}}}"
CARDS = """
models:
  - name: plain
    description: It's plain.
    columns:
      - {name: code, data_type: string, description: "The code's text.", constraints: [{type: primary_key}]}
      - {name: code_order, data_type: int, description: ''}
  - name: kept
    config: {materialized: incremental, pre_hook: "{% if is_incremental() %}delete from {{ this }}{% endif %}"}
    description: What is kept.
    columns:
      - {name: code, data_type: string, description: The code.}
      - {name: half, data_type: "decimal(10,2)", description: Half of the order.}
  - name: seen
    config: {materialized: view, contract: {enforced: false}}
    description: A view.
"""


class Small:
    """A dbt project of a seed, a table, a kept table and a view that uses the macros of this one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in MACROS:
            self.write(f"macros/{name}.sql", (PROJECT_ROOT / "macros" / f"{name}.sql").read_text("utf-8"))
        self.write("dbt_project.yml", PROJECT)
        self.write("profiles.yml", PROFILE)
        self.write("models/cards.yml", CARDS)
        self.write("seeds/codes.csv", "code,code_order\n01,1\n02,\n")
        self.write("models/plain.sql", "{{ config(materialized='table') }} select * from {{ ref('codes') }}")
        self.write(
            "models/kept.sql", "select code, cast(code_order / 2 as decimal(10, 2)) as half from {{ ref('plain') }}"
        )
        self.write("models/seen.sql", "select code from {{ ref('kept') }}")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def dbt(self, *arguments: str) -> tuple[bool, str]:
        """Run dbt in this process; whether all went well, and what went wrong."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        places = ["--project-dir", str(self.root), "--profiles-dir", str(self.root)]
        try:
            done = dbtRunner().invoke(["--quiet", "--log-level-file", "none", *arguments, *places])
        finally:
            DuckDBConnectionManager.close_all_connections()
        nodes = getattr(done.result, "results", ())
        messages = [str(node.message) for node in nodes if node.status in ("error", "fail")]
        return done.success, "\n".join([*messages, str(done.exception or "")])

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.root / "work.duckdb"), read_only=True) as con:
            return con.execute(query).fetchall()

    def comments(self, table: str) -> list[Any]:
        found = self.ask(f"select comment from duckdb_tables() where table_name = '{table}'")
        found += self.ask(f"select comment from duckdb_columns() where table_name = '{table}' order by column_index")
        return [comment for (comment,) in found]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small")
    patch = pytest.MonkeyPatch()
    patch.chdir(root)
    good, said = Small(root).dbt("build")
    patch.undo()
    assert good, said
    return root


@pytest.fixture
def small(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    root = tmp_path / "small"
    shutil.copytree(built, root)
    monkeypatch.chdir(root)
    return Small(root)


def test_a_build_makes_what_the_cards_say(small: Small) -> None:
    assert small.ask("from codes order by code") == [("01", 1), ("02", None)]
    assert small.ask("select typeof(half), count(*) from kept group by 1") == [("DECIMAL(10,2)", 2)]
    assert small.ask("select count(*) from seen") == [(2,)]
    assert small.ask("select constraint_type from duckdb_constraints() where table_name = 'plain'") != []
    assert small.comments("plain") == ["It's plain.", "The code's text.", ""]
    assert small.ask("select comment from duckdb_views() where view_name = 'seen'") == [("A view.",)]


def test_a_second_build_adds_to_what_is_kept_and_says_what_is_new(small: Small) -> None:
    small.change("seeds/codes.csv", "02,\n", "02,4\n03,5\n")
    small.change("models/cards.yml", "Half of the order.", "Half an order.")
    small.change("models/kept.sql", "select code,", "select cast(code as string) as code,")
    good, said = small.dbt("build")
    assert good, said
    assert [float(half) for (half,) in small.ask("select half from kept order by code")] == [0.5, 2.0, 2.5]
    assert small.comments("kept") == ["What is kept.", "The code.", "Half an order."]


@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        ("models/plain.sql", "select *", "select code, cast(code_order as bigint) as code_order", "contract"),
        pytest.param("models/plain.sql", "select *", "select code", "contract", marks=pytest.mark.long),
        pytest.param("models/kept.sql", "decimal(10, 2)", "decimal(12, 2)", "contract", marks=pytest.mark.long),
        ("models/plain.sql", "select *", "select code, cast(error('lost ' || code) as int) as code_order", "lost 01"),
        ("models/plain.sql", "select *", "select coalesce('01', code) as code, code_order", "duplicate key"),
        ("models/kept.sql", "cast(code_order", "cast(cast('two ' || code as int)", "two 01"),
        ("seeds/codes.csv", "code,code_order\n01,1\n02,\n", "code,code_order,more\n01,1,x\n02,,y\n", "more"),
        ("seeds/codes.csv", "code,code_order\n01,1\n02,\n", "code,other\n01,1\n02,\n", "code_order"),
        pytest.param("seeds/codes.csv", "01,1", "01,one", "one", marks=pytest.mark.long),
    ],
)
def test_what_fails_says_why_and_leaves_what_was_there(small: Small, name: str, old: str, new: str, what: str) -> None:
    tables = ("codes", "plain", "kept", "seen")
    before = [small.ask(f"from {table}") for table in tables]
    small.change(name, old, new)
    good, said = small.dbt("build")
    assert not good
    assert what.lower() in said.lower()
    assert [small.ask(f"from {table}") for table in tables] == before


def test_a_kept_table_with_other_columns_is_made_anew_or_not_at_all(small: Small) -> None:
    small.change("models/kept.sql", "decimal(10, 2)", "decimal(12, 2)")
    small.change("models/cards.yml", "decimal(10,2)", "decimal(12,2)")
    good, said = small.dbt("build")
    assert not good
    assert "half DECIMAL(10,2)" in said
    assert "half DECIMAL(12,2)" in said
    assert "--full-refresh" in said
    good, said = small.dbt("build", "--full-refresh")
    assert good, said
    assert small.ask("select typeof(half) from kept limit 1") == [("DECIMAL(12,2)",)]


def test_a_table_takes_the_place_of_a_view_and_a_view_that_of_a_table(small: Small) -> None:
    small.change("models/cards.yml", "materialized: view", "materialized: table")
    small.change("models/plain.sql", "materialized='table'", "materialized='view'")
    small.change("models/cards.yml", ", constraints: [{type: primary_key}]", "")
    good, said = small.dbt("build")
    assert good, said
    assert small.ask("select table_name from duckdb_tables() where table_name in ('plain', 'seen')") == [("seen",)]
    assert small.ask("select count(*) from plain") == [(2,)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("materialized: incremental", "materialized: incremental, incremental_strategy: merge, unique_key: code"),
        pytest.param(
            "materialized: incremental",
            "materialized: incremental, on_schema_change: append_new_columns",
            marks=pytest.mark.long,
        ),
        ("materialized: incremental", "materialized: incremental, indexes: [{columns: [code]}]"),
    ],
)
def test_what_these_tables_do_not_do_is_refused(small: Small, old: str, new: str) -> None:
    small.change("models/cards.yml", old, new)
    good, said = small.dbt("build", "--full-refresh", "--select", "kept")
    assert not good
    assert "of this project" in said


def test_a_failed_test_counts_its_rows_and_can_keep_them(small: Small) -> None:
    small.write("tests/no_odd_codes.sql", "select * from {{ ref('codes') }} where code_order = 1")
    good, said = small.dbt("test")
    assert not good
    assert "Got 1 result" in said
    good, said = small.dbt("test", "--store-failures")
    assert not good
    assert small.ask("select code from main_dbt_test__audit.no_odd_codes") == [("01",)]


def test_seeds_can_be_shown(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[list[str]] = []
    monkeypatch.setattr("agate.Table.print_table", lambda table, **_: shown.append(list(table.column_names)))
    good, said = small.dbt("seed", "--show")
    assert good, said
    assert shown == [["code", "code_order"]]
