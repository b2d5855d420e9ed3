"""The analyses: each compiles, gives the columns of its card on the sample warehouse, and the right answer on tables
filled by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from loaders.vocabulary import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "analyses"
NAMES = sorted(path.stem for path in FOLDER.glob("*.sql"))
CARDS = {
    card["name"]: [column["name"] for column in card["columns"]]
    for card in yaml.safe_load((FOLDER / "_analyses.yml").read_text("utf-8"))["analyses"]
}
Answers = dict[str, list[dict[str, Any]]]


def compiled(root: Path, name: str) -> str:
    (path,) = (root / "target" / "compiled").glob(f"*/analyses/{name}.sql")
    return path.read_text("utf-8")


def ask(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    done = con.execute(sql)
    names = [column[0] for column in done.description]
    return [dict(zip(names, row, strict=True)) for row in done.fetchall()]


@pytest.fixture(scope="module")
def answers(sample: Path) -> Answers:
    with duckdb.connect(str(sample / "work.duckdb"), read_only=True) as con:
        return {name: ask(con, compiled(sample, name)) for name in NAMES}


def test_every_analysis_has_a_card_and_no_card_is_left_over() -> None:
    assert len(NAMES) >= 12
    assert sorted(CARDS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_comment_says_question_reading_and_caveats(name: str) -> None:
    text = (FOLDER / f"{name}.sql").read_text("utf-8")
    comment = re.match(r"(?:--.*\n)+", text)
    assert comment is not None
    assert re.findall(r"^-- (\w+):", comment[0], re.MULTILINE) == ["Question", "Read", "Caveats"]


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_those_of_the_card(sample: Path, name: str) -> None:
    with duckdb.connect(str(sample / "work.duckdb"), read_only=True) as con:
        assert [column[0] for column in con.execute(compiled(sample, name)).description] == CARDS[name]


@pytest.mark.parametrize("name", NAMES)
def test_shares_and_counts_of_the_samples_are_possible(answers: Answers, name: str) -> None:
    for row in answers[name]:
        for column, value in row.items():
            if value is None:
                continue
            if column.endswith("_share"):
                assert 0 <= value <= 1, (column, row)
            if column.endswith("_count"):
                assert value >= 0, (column, row)


def test_answers_about_the_samples(answers: Answers) -> None:
    assert [(row["report_year"], row["had_count"]) for row in answers["coverage_by_year"]] == [
        (2017, 1),
        (2018, 3),
        (2019, 0),
        (2020, 1),
    ]
    assert [row["agency_name"] for row in answers["the_register_by_body"]] == ["吉林市统计局龙潭分局"]
    assert {row["metric_code"] for row in answers["text_against_table"]} == {"ogi_meetings", "ogi_training_sessions"}
    assert answers["who_published_late"] == []
    assert answers["reports_that_were_replaced"] == []
    changes = {row["metric_code"]: row["change_code"] for row in answers["what_changed_with_the_2019_form"]}
    assert changes["requests_received"] == "ended"
    assert changes["requests_received_new"] == "began"


@pytest.fixture
def hand(sample: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts of the samples without their rows, in memory under the name of the work file."""
    con = duckdb.connect()
    con.execute(f"attach '{sample / 'work.duckdb'}' as built (read_only)")
    con.execute("attach ':memory:' as work")
    con.execute("create schema work.marts")
    tables = con.execute(
        "select table_name from duckdb_tables() where database_name = 'built' and schema_name = 'marts'"
    ).fetchall()
    for (table,) in tables:
        con.execute(f'create table work.marts."{table}" as select * from built.marts."{table}" where 1 = 0')
    yield con
    con.close()


def fill(con: duckdb.DuckDBPyConnection, table: str, *rows: dict[str, Any]) -> None:
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        con.execute(
            f'insert into work.marts."{table}" ({names}) values ({", ".join("?" * len(row))})', list(row.values())
        )


def only(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


AGENCY = {"agency_key": "k", "agency_id": "a", "agency_name": "甲县统计局", "is_provisional": False}


def ratio_row(code: str, numerator: int | None, denominator: int | None, **changes: Any) -> dict[str, Any]:
    row = {
        "report_id": "r",
        "agency_key": "k",
        "agency_id": "a",
        "form_code": "fmt2021",
        "scope_code": "own",
        "indicator_code": code,
        "reliability": "consistent",
        "report_year": 2022,
        "numerator": numerator,
        "denominator": denominator,
    }
    return row | changes


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("grant_rate_by_province_and_year", "grant_rate"),
        ("correction_rate_in_reconsideration_by_level", "reconsideration_correction_rate"),
        ("litigation_loss_rate_by_level", "litigation_loss_rate"),
        ("natural_persons_among_applicants", "natural_person_share"),
        ("refusal_grounds_over_time", "denial_share_privacy"),
    ],
)
def test_ratios_are_pooled_within_a_scope_and_doubt_is_left_out(
    sample: Path, hand: duckdb.DuckDBPyConnection, name: str, code: str
) -> None:
    fill(hand, "dim_agency", AGENCY | {"level_code": "county", "province_name": "甲省"})
    fill(
        hand,
        "fct_indicator_value",
        ratio_row(code, 1, 1),
        ratio_row(code, 9, 39),
        ratio_row(code, 0, 0),
        ratio_row(code, None, 7),
        ratio_row(code, 100, 100, reliability="extraction_suspect"),
        ratio_row("clearance_rate", 100, 100),
        ratio_row(code, 50, 100, scope_code="area_aggregate"),
    )
    rows = ask(hand, compiled(sample, name))
    assert only(rows, "scope_code", "report_count", "numerator", "denominator", "ratio") == [
        ("area_aggregate", 1, 50, 100, 0.5),
        ("own", 3, 10, 40, 0.25),
    ]


def test_late_reports_and_the_share_in_time(sample: Path, hand: duckdb.DuckDBPyConnection) -> None:
    for number, (status, days) in enumerate(
        [("late", 3), ("late", 40), ("on_time", -5), ("on_time", 0), ("on_time", 0), ("unknown_date", None)]
    ):
        fill(
            hand,
            "rpt_timeliness",
            {
                "report_id": f"r{number}",
                "status": status,
                "days_after_deadline": days,
                "report_year": 2020,
                "kind_code": "department",
                "latest_due_date": date(2021, 1, 31),
            },
        )
    assert only(ask(hand, compiled(sample, "who_published_late")), "report_id", "days_after_deadline") == [
        ("r1", 40),
        ("r0", 3),
    ]
    (row,) = ask(hand, compiled(sample, "punctuality_by_year"))
    assert (row["on_time_count"], row["late_count"], row["unknown_count"], row["on_time_share"]) == (3, 2, 1, 0.6)


def test_outliers_are_at_the_ends_of_a_compared_group(sample: Path, hand: duckdb.DuckDBPyConnection) -> None:
    peer = {"indicator_code": "grant_rate", "report_year": 2022, "comparison_status": "compared", "peer_median": 0.5}
    fill(
        hand,
        "rpt_peer_comparison",
        peer | {"report_id": "high", "value": 1, "peer_percentile": 100},
        peer | {"report_id": "low", "value": 0.1, "peer_percentile": 0},
        peer | {"report_id": "middle", "value": 0.5, "peer_percentile": 50},
        peer | {"report_id": "same", "value": 0.5, "peer_percentile": 0},
        peer | {"report_id": "few", "value": 1, "peer_percentile": None, "comparison_status": "too_few_peers"},
    )
    assert only(ask(hand, compiled(sample, "outliers_against_peers")), "report_id") == [("high",), ("low",)]


def test_backlog_and_companies_need_figures_without_doubt(sample: Path, hand: duckdb.DuckDBPyConnection) -> None:
    good = {
        "report_year": 2021,
        "scope_code": "own",
        "requests_received_new": 8,
        "requests_received_new_legal_business": 2,
        "requests_carried_over_in": 2,
        "requests_carried_over_out": 5,
        "extraction_suspect_count": 0,
        "source_inconsistent_count": 0,
    }
    fill(
        hand,
        "rpt_requests_yearly",
        good | {"report_id": "grows"},
        good | {"report_id": "falls", "requests_carried_over_out": 0, "requests_received_new_legal_business": 8},
        good | {"report_id": "blank", "requests_carried_over_out": None, "requests_received_new": None},
        good | {"report_id": "doubt", "extraction_suspect_count": 1},
    )
    assert only(ask(hand, compiled(sample, "backlog_growth")), "report_id", "backlog_change", "backlog_share") == [
        ("grows", 3, 0.5),
        ("falls", -2, 0.0),
    ]
    (row,) = ask(hand, compiled(sample, "commercial_applicants"))
    assert (row["report_count"], row["company_requests"], row["requests"], row["company_share"]) == (2, 10, 16, 0.625)


def test_the_best_and_the_worst_of_a_level_and_year(sample: Path, hand: duckdb.DuckDBPyConnection) -> None:
    fill(hand, "dim_agency", AGENCY | {"level_code": "county"}, AGENCY | {"agency_key": "p", "level_code": "province"})
    score = {"agency_key": "k", "report_year": 2020, "criterion_count": 3}
    scores = {"a": 0.5, "b": 0.1, "c": 0.9, "d": 0.4, "e": 0.2, "f": 0.8, "g": 0.7}
    fill(hand, "rpt_report_scorecard", *({"report_id": key, "overall_score": s} | score for key, s in scores.items()))
    fill(
        hand,
        "rpt_report_scorecard",
        score | {"report_id": "alone", "agency_key": "p", "overall_score": 0.3},
        score | {"report_id": "two", "overall_score": 1, "criterion_count": 2},
    )
    rows = only(ask(hand, compiled(sample, "best_and_worst_reports_by_level")), "level_code", "best_rank", "report_id")
    county = [("county", rank, key) for rank, key in [(1, "c"), (2, "f"), (3, "g"), (5, "d"), (6, "e"), (7, "b")]]
    assert rows == [*county, ("province", 1, "alone")]


def test_a_body_is_silent_from_its_last_report_on(sample: Path, hand: duckdb.DuckDBPyConnection) -> None:
    for agency, statuses in {
        "stopped": ["had", "unreadable", "missing", "missing"],
        "gap": ["had", "missing", "missing", "had"],
    }.items():
        for year, status in enumerate(statuses, start=2019):
            fill(hand, "rpt_coverage", {"agency_id": agency, "report_year": year, "status": status})
    rows = ask(hand, compiled(sample, "agencies_that_stopped_reporting"))
    assert only(rows, "agency_id", "last_report_year", "silent_years", "report_count") == [("stopped", 2020, 2, 1)]
    years = ask(hand, compiled(sample, "coverage_by_year"))
    assert only(years, "report_year", "had_count", "unreadable_count", "missing_count", "had_share") == [
        (2019, 2, 0, 0, 1.0),
        (2020, 0, 1, 1, 0.0),
        (2021, 0, 0, 2, 0.0),
        (2022, 1, 0, 1, 0.5),
    ]


def test_failing_identities_and_conflicts_are_counted_where_certain(
    sample: Path, hand: duckdb.DuckDBPyConnection
) -> None:
    check = {"identity_code": "A", "report_id": "r", "severity": "error", "is_certain_reading": True}
    fill(
        hand,
        "fct_identity_check",
        check | {"status": "fails"},
        check | {"status": "holds"},
        check | {"status": "not_assessable"},
        check | {"status": "fails", "is_certain_reading": False},
        check | {"status": "holds", "identity_code": "B"},
    )
    rows = ask(hand, compiled(sample, "identities_that_fail_most"))
    assert only(rows, "identity_code", "judged_count", "failed_count", "failed_share") == [
        ("A", 2, 1, 0.5),
        ("B", 1, 0, 0.0),
    ]
    fill(hand, "dim_metric", {"metric_code": "m", "label_zh": "收到申请数"})
    conflict = {"metric_code": "m", "conflict_kind": "narrative_against_table", "report_id": "r", "value": 10}
    fill(
        hand,
        "fct_value_conflict",
        conflict | {"losing_value": 7},
        conflict | {"losing_value": 30},
        conflict | {"losing_value": None},
    )
    rows = ask(hand, compiled(sample, "text_against_table"))
    assert only(rows, "metric_code", "conflict_count", "report_count", "widest_gap") == [("m", 2, 1, 20)]


def test_register_and_revisions(sample: Path, hand: duckdb.DuckDBPyConnection) -> None:
    report = {"agency_id": "a", "agency_name": "甲县统计局", "report_year": 2020}
    fill(
        hand,
        "dim_report",
        report | {"report_id": "new", "is_in_facts": True, "published_date": date(2021, 3, 1)},
        report
        | {
            "report_id": "old",
            "is_in_facts": False,
            "published_date": date(2021, 1, 30),
            "superseded_by_report_id": "new",
        },
        report | {"report_id": "copy", "is_in_facts": False, "copy_of_report_id": "new"},
    )
    rows = ask(hand, compiled(sample, "reports_that_were_replaced"))
    assert only(rows, "old_report_id", "new_report_id", "days_between") == [("old", "new", 30)]
    for severity in ("error", "warn", "warn"):
        fill(
            hand,
            "rpt_source_inconsistency",
            {
                "agency_id": "a",
                "agency_name": "甲县统计局",
                "report_id": "new",
                "severity": severity,
                "report_year": 2020,
            },
        )
    rows = ask(hand, compiled(sample, "the_register_by_body"))
    assert only(rows, "report_count", "inconsistent_report_count", "finding_count", "error_count") == [(1, 1, 3, 1)]


def test_trust_is_a_share_of_stated_figures(sample: Path, hand: duckdb.DuckDBPyConnection) -> None:
    figure = {"form_code": "fmt2019", "report_year": 2019, "value": 1}
    fill(
        hand,
        "fct_metric_value",
        figure | {"reliability": "consistent"},
        figure | {"reliability": "unchecked"},
        figure | {"reliability": "unchecked", "value": None},
        figure | {"reliability": "source_inconsistent"},
        figure | {"reliability": "extraction_suspect"},
    )
    (row,) = ask(hand, compiled(sample, "how_far_figures_can_be_trusted"))
    assert row["figure_count"] == 4
    assert [row[f"{kind}_share"] for kind in ("consistent", "unchecked", "source_inconsistent")] == [0.25] * 3
