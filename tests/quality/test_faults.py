"""Planted faults are noticed by the rule that should notice them. The whole panel: ``make faults``."""

from __future__ import annotations

import shutil
from collections import Counter

import pytest

from loaders.builds import LAYERS
from loaders.checks import load_suites
from tests.quality.faults import FAULTS, Fault
from tests.quality.planting import Clean, check, make_clean, plant, try_fault

# One of each kind: the raw rows alone, so that no marts must be made.
QUICK = (
    "half of the load is lost",
    "the same report at two addresses",
    "the wrong year",
    "last year's report shown again",
    "ten thousand times the printed number",
    "two cells read as one",
    "the labels of a form drifted",
    "a mobile number in a printed text",
)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    return make_clean(tmp_path_factory.mktemp("clean"), is_built=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    return make_clean(tmp_path_factory.mktemp("built"), is_built=True)


def by_name(name: str) -> Fault:
    (fault,) = (fault for fault in FAULTS if fault.name == name)
    return fault


def test_of_clean_raw_rows_the_suites_say_nothing(clean: Clean) -> None:
    assert [finding.rule_id for finding in check(clean, clean.warehouse, ("raw",)) if not finding.is_success] == []


@pytest.mark.parametrize("name", QUICK)
def test_a_fault_in_the_raw_rows_is_noticed(clean: Clean, name: str) -> None:
    outcome = try_fault(clean, by_name(name))
    assert outcome.is_caught, outcome.failed


def test_an_offending_text_is_named_and_not_repeated(clean: Clean) -> None:
    warehouse = plant(clean, by_name("a mobile number in a printed text"))
    try:
        found = [finding for finding in check(clean, warehouse, ("raw",)) if finding.rule_id == "no_mobile_number"]
    finally:
        shutil.rmtree(clean.trial)
    (finding,) = found
    assert finding.blocks
    assert [set(row) for row in finding.offending_rows] == [{"table_name", "column_name", "row_id"}]
    assert "13912345678" not in str(finding)


def test_forty_faults_and_more_are_planted_each_once() -> None:
    assert len(FAULTS) >= 40
    assert {name: n for name, n in Counter(fault.name for fault in FAULTS).items() if n > 1} == {}
    severities = {
        rule.rule_id: rule.severity for layer in LAYERS for s in load_suites(layer) for rule in s.expectations
    }
    for fault in FAULTS:
        if not fault.is_test_of_dbt:
            assert severities[fault.rule_id] == fault.severity, fault.name


@pytest.mark.long
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.name not in QUICK], ids=lambda fault: fault.name)
def test_every_other_fault_is_noticed(built: Clean, fault: Fault) -> None:
    outcome = try_fault(built, fault)
    assert outcome.is_caught, outcome.failed


@pytest.mark.long
def test_of_a_clean_warehouse_the_suites_say_nothing(built: Clean) -> None:
    assert [finding.rule_id for finding in check(built, built.warehouse) if not finding.is_success] == []
