"""The seeds agree with one another and with the closed sets of the code."""

from __future__ import annotations

import re

import pytest

from loaders.errors import GongkaiError
from loaders.model import Scope, Severity
from loaders.vocabulary import PROJECT_ROOT, SEEDS, load_vocabulary, read_seed


def test_closed_sets_of_the_code_are_those_of_the_seeds() -> None:
    assert [scope.value for scope in Scope] == [row["scope_code"] for row in read_seed("scopes")]
    assert {row["severity"] for row in read_seed("issue_codes")} == {severity.value for severity in Severity}


def test_every_issue_code_of_the_code_is_in_the_seed() -> None:
    known = set(load_vocabulary().issue_severity)
    pattern = re.compile(r"""(?:Issue|DocumentRejected|_table_issue)\(\s*"([a-z0-9_]+)\"""")
    used = {
        code for path in (PROJECT_ROOT / "loaders").rglob("*.py") for code in pattern.findall(path.read_text("utf-8"))
    }
    assert len(used) > 10
    assert used <= known


def test_every_printed_cell_of_a_form_has_one_metric_and_every_metric_a_cell() -> None:
    cells = {(row["form_code"], row["metric_code"]) for row in read_seed("form_cells")}
    printed = {
        (row["form_code"], row["metric_code"])
        for row in read_seed("form_metrics")
        if row["place_code"] in ("cell", "in_label")
    }
    assert cells == printed


def test_the_forms_have_the_cells_that_the_statutes_print() -> None:
    """58 rows of 2014 (77 with both variants), 22 + 6 sub-row, 161 and 15 cells of 2019, 10, 175 and 15 of 2021."""
    counts = {
        table.table_code: len([1 for _, column in table.cells if column != "in_label"])
        for table in load_vocabulary().tables
    }
    assert counts["nat2014_statistics"] == 76
    assert sum(n for code, n in counts.items() if code.startswith("fmt2019_article20")) == 22 + 6
    assert counts["fmt2019_requests"] == 161
    assert sum(n for code, n in counts.items() if code.startswith("fmt2021_article20")) == 10
    assert counts["fmt2021_requests"] == 175
    assert counts["fmt2019_remedies"] == counts["fmt2021_remedies"] == 15


def test_every_seed_has_a_card_that_describes_every_column() -> None:
    for path in SEEDS.glob("*.csv"):
        columns = path.read_text("utf-8").splitlines()[0].split(",")
        card = (SEEDS / f"{path.stem}.yml").read_text("utf-8")
        for column in columns:
            assert re.search(rf"- name: {column}\n\s+description: ", card), (path.name, column)


def test_a_missing_seed_is_named() -> None:
    with pytest.raises(GongkaiError, match=r"seed nothing\.csv is missing"):
        read_seed("nothing")
