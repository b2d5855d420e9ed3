"""Every table and column of the project is described, and the descriptions are of what is there."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest
import yaml

from loaders import card_coverage
from loaders.card_coverage import LAYERS, list_claims
from loaders.vocabulary import PROJECT_ROOT


def test_every_claim_of_every_card_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    code = card_coverage.main()
    said = capsys.readouterr().out
    assert code == 0, said
    assert said.count("100.00 %") == len(LAYERS)


def test_marts_are_many_and_all_claim_a_contract() -> None:
    marts = [claim for claim in list_claims() if claim.layer == "marts"]
    tables = {claim.table for claim in marts}
    assert len(tables) >= 15
    assert {claim.table for claim in marts if claim.what == "enforced contract"} == tables
    assert {claim.table for claim in marts if claim.what == "test of the key"} == tables


def test_exposures_name_what_reads_the_marts() -> None:
    """Every mart is in the release; the others name what their code and queries name."""
    exposures = {
        exposure["name"]: {re.findall(r"ref\('(\w+)'\)", ref)[0] for ref in exposure["depends_on"]}
        for exposure in yaml.safe_load((PROJECT_ROOT / "models" / "exposures.yml").read_text("utf-8"))["exposures"]
    }
    marts = {path.stem for path in (PROJECT_ROOT / "models" / "marts").rglob("*.sql")}
    assert marts - exposures["published_release"] == set()
    suites = (PROJECT_ROOT / "expectations" / "marts.yml").read_text("utf-8")
    assert set(re.findall(r"marts\.(\w+)", suites)) == exposures["checks_before_publishing"]
    code = (PROJECT_ROOT / "loaders" / "trace.py").read_text("utf-8")
    assert set(re.findall(r"marts\.((?:dim|fct|rpt)_\w+)", code)) == exposures["trace"]
    datasets = "".join(
        path.read_text("utf-8")
        for path in (PROJECT_ROOT / "deploy" / "superset" / "bundle" / "datasets").glob("*.yaml")
    )
    assert set(re.findall(r"marts\.(\w+)", datasets)) == exposures["dashboard"]
    questions = "".join(path.read_text("utf-8") for path in (PROJECT_ROOT / "analyses").glob("*.sql"))
    assert set(re.findall(r"ref\('(\w+)'\)", questions)) <= exposures["analyses"] | {"form_metrics"}


@pytest.mark.parametrize("layer", ["staging", "intermediate", "marts"])
def test_cards_name_the_columns_that_are_there(sample: Path, layer: str) -> None:
    with duckdb.connect(str(sample / "work.duckdb"), read_only=True) as con:
        found: dict[str, set[str]] = {}
        for table, column in con.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = ?", [layer]
        ).fetchall():
            found.setdefault(table, set()).add(column)
    assert found
    for path in (PROJECT_ROOT / "models" / layer).rglob("*.yml"):
        for card in yaml.safe_load(path.read_text("utf-8")).get("models", []):
            assert {column["name"] for column in card["columns"]} == found[card["name"]], card["name"]


def test_comments_reach_the_tables(sample: Path) -> None:
    """`persist_docs` carries the descriptions to whoever opens the file, Chinese labels included."""
    with duckdb.connect(str(sample / "work.duckdb"), read_only=True) as con:
        bare = con.execute(
            "select table_name, column_name from duckdb_columns() "
            "where schema_name = 'marts' and coalesce(comment, '') = '' and table_name in "
            "(select table_name from duckdb_tables() where schema_name = 'marts' and coalesce(comment, '') <> '')"
        ).fetchall()
        label = con.execute(
            "select c.comment, m.label_zh, m.unit from duckdb_columns() as c join marts.dim_metric as m "
            "on c.column_name = m.metric_code where c.schema_name = 'marts' and c.table_name like 'rpt_%_yearly'"
        ).fetchall()
    assert bare == []
    assert len(label) > 200
    assert all(comment == f"{label_zh}，单位：{unit}" for comment, label_zh, unit in label)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A project of one mart whose card says everything."""
    for folder in ("models/marts", "seeds", "analyses"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "dbt_project.yml").write_text("name: p\nmodels: {p: {marts: {+contract: {enforced: true}}}}\n")
    (tmp_path / "models/docs.md").write_text("{% docs key %}\nThe key.\n{% enddocs %}\n")
    (tmp_path / "models/marts/fct.sql").write_text("select 1 as k")
    (tmp_path / "models/marts/fct.yml").write_text(CARD)
    return tmp_path


CARD = """
models:
  - name: fct
    description: Facts. One row per key.
    columns:
      - {name: k, data_type: int, description: "{{ doc('key') }}", data_tests: [unique]}
"""


def unkept(root: Path) -> set[str]:
    return {claim.what for claim in list_claims(root) if not claim.is_kept}


def test_a_full_card_keeps_every_claim(small: Path) -> None:
    assert unkept(small) == set()


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        ("One row per key.", "Many rows.", {"grain as the last sentence"}),
        ("One row per key.", "One row per key. And more.", {"grain as the last sentence"}),
        ("description: Facts. One row per key.", "description: ''", {"description", "grain as the last sentence"}),
        ("doc('key')", "doc('other')", {"column k"}),
        (", data_tests: [unique]", "", {"test of the key"}),
        ("data_type: int, ", "", {"types"}),
        ("name: fct", "name: fct\n    config: {contract: {enforced: false}}", {"enforced contract"}),
    ],
)
def test_what_a_card_leaves_out_is_found(small: Path, old: str, new: str, missing: set[str]) -> None:
    assert old in CARD
    (small / "models/marts/fct.yml").write_text(CARD.replace(old, new))
    assert unkept(small) == missing


def test_a_model_without_a_card_is_found(small: Path) -> None:
    (small / "models/marts/dim.sql").write_text("select 1 as k")
    (small / "seeds/codes.csv").write_text("code\na\n")
    assert unkept(small) == {"card"}
