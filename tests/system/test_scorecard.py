"""The scorecard of the sample reports, computed a second time from the raw rows and the seeds."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loaders.vocabulary import PROJECT_ROOT, read_seed

PAGE = PROJECT_ROOT / "docs" / "scorecard.md"
EXAMPLE = "吉林市统计局龙潭分局"
Card = dict[str, Any]


@pytest.fixture(scope="module")
def built(sample: Path):
    with duckdb.connect(str(sample / "work.duckdb"), read_only=True) as con:
        yield con


@pytest.fixture(scope="module")
def cards(built: duckdb.DuckDBPyConnection) -> dict[str, Card]:
    done = built.execute("from marts.rpt_report_scorecard")
    names = [column[0] for column in done.description]
    rows = [dict(zip(names, row, strict=True)) for row in done.fetchall()]
    return {row["agency_name"]: row for row in rows}


def demanded_cells(form_code: str) -> set[tuple[str, str]]:
    tables = {row["table_code"] for row in read_seed("form_tables") if row["is_demanded"] == "true"}
    rows = {(row["table_code"], row["row_code"]) for row in read_seed("form_rows") if row["variant_code"] == "all"}
    return {
        (row["metric_code"], row["applicant_type_code"])
        for row in read_seed("form_cells")
        if row["form_code"] == form_code
        and row["table_code"] in tables
        and (row["table_code"], row["row_code"]) in rows
    }


def test_every_report_in_the_facts_has_a_card(built: duckdb.DuckDBPyConnection, cards: dict[str, Card]) -> None:
    reports = built.execute("select agency_name from marts.dim_report where is_in_facts").fetchall()
    assert sorted(cards) == sorted(name for (name,) in reports)
    assert len(cards) == 5


def test_cells_are_those_that_the_form_prints(built: duckdb.DuckDBPyConnection, cards: dict[str, Card]) -> None:
    seen = 0
    for card in cards.values():
        demanded = demanded_cells(str(card["form_code"]))
        found = {"number": set(), "blank": set()}
        for metric, applicant, status in built.execute(
            "select metric_code, coalesce(applicant_type, ''), value_status from raw.metric_rows "
            "where report_id = ? and source_kind = 'table'",
            [card["report_id"]],
        ).fetchall():
            found[status].add((metric, applicant))
        numbers = found["number"] & demanded
        blanks = (found["blank"] & demanded) - numbers
        assert card["demanded_cell_count"] == len(demanded)
        assert card["understood_cell_count"] == len(numbers)
        assert card["blank_cell_count"] == len(blanks)
        assert card["illegible_cell_count"] == 0
        assert card["missing_cell_count"] == len(demanded) - len(numbers) - len(blanks)
        seen += len(numbers)
    assert seen > 200


def test_the_overall_score_is_the_weighted_mean(cards: dict[str, Card]) -> None:
    weights = {row["criterion_code"]: Decimal(row["weight"]) for row in read_seed("scorecard_weights")}
    for card in cards.values():
        scores = {code: card[f"{code}_score"] for code in weights if card[f"{code}_score"] is not None}
        assert card["criterion_count"] == len(scores)
        total = sum(weights[code] * score for code, score in scores.items())
        exact = total / sum(weights[code] for code in scores)
        assert abs(card["overall_score"] - exact) <= Decimal("0.00005")
    assert {card["criterion_count"] for card in cards.values()} == {2, 3, 4}


def test_the_example_of_the_page_is_true(cards: dict[str, Card]) -> None:
    card = cards[EXAMPLE]
    page = PAGE.read_text("utf-8")
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", page, re.MULTILINE)
    counts = {
        "completeness": (card["understood_cell_count"], card["demanded_cell_count"]),
        "consistency": (card["held_identity_count"], card["assessed_identity_count"]),
        "evidence": (card["firm_figure_count"], card["figure_count"]),
    }
    assert [row[0] for row in rows] == [row["criterion_code"] for row in read_seed("scorecard_weights")]
    for (criterion, reached, possible, score, weight, product), seed in zip(
        rows, read_seed("scorecard_weights"), strict=True
    ):
        assert card[f"{criterion}_score"] == Decimal(score)
        assert Decimal(seed["weight"]) == Decimal(weight)
        assert Decimal(score) * Decimal(weight) == Decimal(product)
        if criterion in counts:
            assert counts[criterion] == (int(reached), int(possible))
    assert card["days_after_deadline"] == -30
    assert f"so the overall score is {card['overall_score']}." in page
    assert EXAMPLE in page
