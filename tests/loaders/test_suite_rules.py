"""What the suites take from seeds, columns and the last release."""

from __future__ import annotations

import re

import duckdb
import pytest

from loaders.checks import load_suites
from loaders.staging import create_raw
from loaders.suite_rules import expand_rule, resolve_query, resolve_value
from loaders.vocabulary import read_seed


def test_one_rule_a_row_of_a_seed() -> None:
    rule = {"for_each": {"seed": "forms", "unless": {"form_code": "nat2014"}}, "rule_id": "{form_code}_{table}_whole"}
    rule |= {"expect": "no_rows", "query": "select * from {table} where form_code = '{form_code}'"}
    rules = expand_rule(rule, "marts.dim_report")
    codes = [row["form_code"] for row in read_seed("forms") if row["form_code"] != "nat2014"]
    assert [found["rule_id"] for found in rules] == [f"{code}_dim_report_whole" for code in codes]
    assert rules[0]["query"] == f"select * from {{table}} where form_code = '{codes[0]}'"
    assert "for_each" not in rules[0]


@pytest.mark.parametrize(
    "chosen",
    [{"seed": "forms", "where": {"form_code": "none"}}, {"seed": "forms", "where": {"no_column": "x"}}],
)
def test_a_choice_that_names_no_row_is_refused(chosen: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError)):
        expand_rule({"for_each": chosen, "rule_id": "x"}, "marts.dim_report")


def test_columns_are_those_that_the_loaders_write() -> None:
    (rule,) = expand_rule({"generate": "columns", "rule_id": "{table}_columns"}, "raw.documents")
    con = duckdb.connect()
    create_raw(con)
    assert rule["rule_id"] == "documents_columns"
    assert con.execute(rule["query"]).fetchall() == []
    con.execute("alter table raw.documents alter byte_count type integer")
    con.execute("alter table raw.documents rename script to writing")
    con.execute("alter table raw.documents drop column run_id")
    assert sorted(con.execute(rule["query"]).fetchall()) == [
        ("byte_count", "BIGINT", "INTEGER"),
        ("run_id", "VARCHAR", None),
        ("script", "VARCHAR", None),
        ("writing", None, "VARCHAR"),
    ]
    with pytest.raises(ValueError, match="wanted columns"):
        expand_rule({"generate": "rows", "rule_id": "x"}, "raw.documents")


def test_a_seed_in_a_query_is_a_table_of_texts() -> None:
    query = resolve_query("select * from {seed.metric_bounds(bound_code, metric_code)} as s order by all")
    rows = duckdb.sql(query).fetchall()
    assert sorted(rows, key=str) == sorted(
        ((row["bound_code"], row["metric_code"] or None) for row in read_seed("metric_bounds")), key=str
    )
    assert resolve_query("having count(*) >= {var.minimum_peer_count}") == "having count(*) >= 10"
    with pytest.raises(KeyError):
        resolve_query("{var.nothing}")


def test_volume_is_measured_against_the_release_before() -> None:
    wanted = {"previous": "raw.documents", "share": 0.5}
    assert resolve_value(wanted, {"raw.documents": 41}) == 20
    assert resolve_value(wanted, {}) == 0


def test_every_metric_has_bounds_at_every_level() -> None:
    bounds = read_seed("metric_bounds")
    general = {row["unit"] for row in bounds if not row["metric_code"] and not row["level_code"]}
    assert {row["unit"] for row in read_seed("metrics")} <= general
    grains = [(row["metric_code"], row["unit"], row["level_code"]) for row in bounds]
    assert len(set(grains)) == len(grains)
    units = {row["metric_code"]: row["unit"] for row in read_seed("metrics")}
    assert all(units[row["metric_code"]] == row["unit"] for row in bounds if row["metric_code"])
    # A wider area is never held to less than a narrower one of it.
    for levels in (("provincial", "prefecture"), ("prefecture", "county"), ("county", "township")):
        wide, narrow = (
            {
                row["unit"]: int(row["maximum_value"])
                for row in bounds
                if row["level_code"] == level and not row["metric_code"]
            }
            for level in levels
        )
        assert all(wide[unit] >= narrow[unit] for unit in wide.keys() & narrow.keys())


PRINTED = {
    "mobile_number": (
        ("电话13912345678。", "139-1234-5678"),
        ("1391234567", "213912345678", "12912345678", "139 1234 5678"),
    ),
    "id_number": (
        ("11010119900307123X", "身份证110101199003071234，"),
        ("110101199013071234", "1101011990030712345", "20190307"),
    ),
    "landline_number": (
        ("010-66012345", "（0755）1234567", "传真：6601234", "电话 66012345"),
        ("2018-2019", "0 1234567", "电话12条", "2019-12345678"),
    ),
    "mail_address": (("xxgk@example.gov.cn",), ("@区政府", "a@b")),
    "contact_person": (
        ("联系人：张三", "负责人: 欧阳小明 ", "填报人:李四 2019"),
        ("联系人：", "单位负责人：审核人：填报人：", "负责人：区信息公开工作办公室", "领导负责人数3"),
    ),
}


@pytest.mark.parametrize("row", read_seed("personal_data_patterns"), ids=lambda row: row["pattern_code"])
def test_personal_data_is_known_by_its_print(row: dict[str, str]) -> None:
    con = duckdb.connect()
    personal, harmless = PRINTED[row["pattern_code"]]
    for texts, wanted in ((personal, True), (harmless, False)):
        for text in texts:
            (met,) = con.execute("select regexp_matches(?, ?)", [text, row["regex"]]).fetchall()[0]
            assert met is wanted, text


def test_a_pattern_is_no_parameter_of_a_statement() -> None:
    # A colon before a letter or digit would be taken for one by SQLAlchemy.
    for row in read_seed("personal_data_patterns"):
        assert not re.search(r":\w", row["regex"])
    for layer in ("raw", "marts"):
        for suite in load_suites(layer):
            for rule in suite.expectations:
                query = re.sub(r"'[^']*'", "''", rule.arguments.get("unexpected_rows_query", ""))
                assert not re.search(r"(?<!:):\w", query), rule.rule_id
