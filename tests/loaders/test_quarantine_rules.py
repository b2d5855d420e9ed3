"""The rules of quarantine are those that the models count and the page describes."""

from __future__ import annotations

import re
from decimal import Decimal

from loaders.vocabulary import PROJECT_ROOT, read_seed

PAGE = (PROJECT_ROOT / "docs" / "quarantine.md").read_text("utf-8")


def test_every_rule_is_counted() -> None:
    sql = (PROJECT_ROOT / "models" / "intermediate" / "int_quarantine_measures.sql").read_text("utf-8")
    for rule in read_seed("quarantine_rules"):
        assert f"'{rule['rule_code']}'" in sql


def test_the_page_tells_the_thresholds_that_hold() -> None:
    told = {
        code: (int(count), Decimal(share))
        for code, count, share in re.findall(r"^\| `(\w+)` \|.*\| (\d+) \| ([\d.]+) \|$", PAGE, re.MULTILINE)
    }
    assert told == {
        rule["rule_code"]: (int(rule["minimum_count"]), Decimal(rule["minimum_share"]))
        for rule in read_seed("quarantine_rules")
    }


def test_the_page_describes_every_column_of_a_correction() -> None:
    columns = (PROJECT_ROOT / "seeds" / "corrections.csv").read_text("utf-8").splitlines()[0].split(",")
    described = set(re.findall(r"`(\w+)`", PAGE))
    assert set(columns) <= described
