"""Indicators of the sample reports against ratios worked out by hand from the printed figures."""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest
import yaml

from loaders.vocabulary import PROJECT_ROOT, read_seed
from loaders.warehouse import Warehouse

GOVERNMENT, BUREAU = "北京市西城区人民政府", "北京市西城区统计局"
LONGTAN, CHENGDU, DAXING = "吉林市统计局龙潭分局", "成都市统计局", "北京市大兴区统计局"

# Body, indicator, numerator, denominator: read off the reports with pencil and paper.
RATIOS = [
    (GOVERNMENT, "clearance_rate", 1319, 1306),
    (GOVERNMENT, "extension_rate", 82, 1319),
    (GOVERNMENT, "on_time_rate", 1237, 1319),
    (GOVERNMENT, "lawful_timeliness_rate", 1237 + 82, 1319),
    (GOVERNMENT, "litigation_loss_rate", 1, 70),
    (GOVERNMENT, "overall_correction_rate", 12 + 1, 96 + 70),
    (GOVERNMENT, "full_time_staff_share", 8, 200),
    (GOVERNMENT, "channel_overlap_factor", 55476, 45476),
    (GOVERNMENT, "grant_rate", 88 + 327 + 153, 1319),
    (GOVERNMENT, "not_fully_disclosed_rate", 1319 - 88 - 327 - 153, 1319),
    (GOVERNMENT, "not_held_share", 285 + 214, 1319),
    (GOVERNMENT, "operational_refusal_share", 214 + 285 + 19 + 129, 214 + 285 + 19 + 129 + 104 - 75),
    (GOVERNMENT, "dispute_rate", 96 + 70, 1306),
    (GOVERNMENT, "denial_share_third_party", 4 + 8, 104),
    (BUREAU, "channel_overlap_factor", 829, 734),
    (BUREAU, "grant_rate", 0 + 1 + 1, 3),
    (BUREAU, "key_area_share", 2, 734),
    (LONGTAN, "full_time_staff_share", 1, 5),
    (DAXING, "licence_to_enforcement_ratio", 0, 23),
]
REASONS = [
    (BUREAU, "litigation_loss_rate", "missing_term"),  # the Beijing form splits results by instance
    (BUREAU, "reconsideration_correction_rate", "zero_denominator"),
    (BUREAU, "h_litigation_pending", "blank_term"),
    (BUREAU, "natural_person_share", "not_in_form"),
    (LONGTAN, "grant_rate", "blank_term"),
    (CHENGDU, "grant_rate", "missing_term"),
    (DAXING, "grant_rate", "zero_denominator"),
    (DAXING, "h_admin_fees_amount", "unit_differs"),  # fee items, not money
]


@pytest.fixture(scope="module")
def facts(published_samples: Warehouse):
    con = duckdb.connect(str(published_samples.current / "warehouse.duckdb"), read_only=True)
    cells = con.execute(
        "select r.agency_name, f.indicator_code, f.numerator, f.denominator, f.value, f.null_reason_code, "
        "f.is_small_denominator, f.comparability_grade, f.change, f.change_null_reason_code "
        "from marts.fct_indicator_value as f join marts.dim_report as r using (report_id)"
    ).fetchall()
    yield {(agency, code): rest for agency, code, *rest in cells}, con
    con.close()


@pytest.mark.parametrize(("agency", "code", "numerator", "denominator"), RATIOS)
def test_a_ratio_is_what_the_printed_figures_give(
    facts, agency: str, code: str, numerator: int, denominator: int
) -> None:
    found = facts[0][agency, code]
    assert found[:2] == [Decimal(numerator), Decimal(denominator)]
    assert found[2] == pytest.approx(numerator / denominator, rel=1e-12)
    assert found[3:5] == [None, denominator < 30]


@pytest.mark.parametrize(("agency", "code", "reason"), REASONS)
def test_where_there_is_no_value_there_is_a_reason(facts, agency: str, code: str, reason: str) -> None:
    found = facts[0][agency, code]
    assert found[2] is None
    assert found[3] == reason


def test_the_percentage_that_the_report_prints_is_met(facts) -> None:
    assert round(facts[0][GOVERNMENT, "extension_rate"][2] * 100, 2) == 6.22
    assert round(facts[0][GOVERNMENT, "litigation_loss_rate"][2] * 100, 1) == 1.4


def test_every_report_has_every_computed_indicator_and_no_change_without_a_year_before(facts) -> None:
    cells, con = facts
    computed = {row["indicator_code"] for row in read_seed("indicators") if row["computability_code"] == "computed"}
    series = {row["harmonised_code"] for row in read_seed("harmonised_series")}
    agencies = {agency for agency, _ in cells}
    assert agencies == {GOVERNMENT, BUREAU, LONGTAN, CHENGDU, DAXING}
    assert set(cells) == {(agency, code) for agency in agencies for code in computed | series}
    assert all(found[6] is None and found[7] is not None for found in cells.values())
    listed = con.execute("select indicator_code from marts.dim_indicator").fetchall()
    assert {code for (code,) in listed} == series | {row["indicator_code"] for row in read_seed("indicators")}


def test_every_indicator_of_practice_is_computed_or_says_why_not() -> None:
    rows = read_seed("indicators")
    listed = {f"{group}{n}" for group, last in zip("ABCDE", (24, 10, 9, 4, 4), strict=True) for n in range(1, last + 1)}
    assert {row["reference_code"] for row in rows} == listed
    terms = {row["indicator_code"] for row in read_seed("indicator_terms")}
    for row in rows:
        assert (row["indicator_code"] in terms) == (row["computability_code"] == "computed")
        assert bool(row["computability_note_en"]) == (row["computability_code"] != "computed")


def test_every_metric_is_in_the_page_and_adds_only_own_figures() -> None:
    page = (PROJECT_ROOT / "docs" / "metrics.md").read_text("utf-8")
    cards = yaml.safe_load((PROJECT_ROOT / "models" / "marts" / "core" / "_metrics.yml").read_text("utf-8"))
    indicators = {row["indicator_code"] for row in read_seed("indicators")}
    for metric in cards["metrics"]:
        if metric["type"] == "ratio":
            assert metric["name"] in indicators
        else:
            assert "in ('own', 'government_itself')" in metric["filter"]
        if not metric["name"].endswith(("_reports", "_numerator", "_denominator")):
            assert f"| `{metric['name']}` | " in page
