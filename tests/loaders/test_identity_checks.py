"""Identities of one document without a database: the text may count requests in several ways."""

from __future__ import annotations

import dataclasses

import pytest

from loaders.identity_checks import evaluate_identities
from loaders.model import SourceKind
from tests.loaders.readings import make_report, make_row


@pytest.mark.parametrize(
    ("told", "failed"),
    [
        ("5", []),
        ("8", []),
        ("6", []),
        ("7", ["F19_NARR_RECEIVED"]),
    ],
    ids=["new", "new and carried over", "closed", "none of them"],
)
def test_a_text_that_counts_in_an_admitted_way_does_not_contradict_the_table(told: str, failed: list[str]) -> None:
    rows = (
        make_row("requests_received_new", "5", applicant_type="total"),
        make_row("requests_carried_over_in", "3", applicant_type="total"),
        make_row("outcome_total", "6", applicant_type="total"),
        make_row("requests_carried_over_out", "2", applicant_type="total"),
        make_row("requests_received_new", told, source_kind=SourceKind.NARRATIVE),
    )
    report = dataclasses.replace(make_report(rows=rows), form_code="fmt2019")
    found = evaluate_identities(report)
    assert [check.identity_code for check in found] == failed
    assert [check.right_value for check in found] == [5 for _ in failed]
