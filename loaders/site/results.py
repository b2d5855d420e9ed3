"""What the last checks found, each failed rule with its rows and the evidence behind them.

In: a connection to the work file. Out: one :class:`LayerResult` a layer that was checked. The rows of a failed rule
are those that the rule's ``evidence`` query lists, else those that the check kept. Nothing is checked anew here.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import duckdb

from loaders.builds import LAYERS
from loaders.checks import EXPECTATIONS, KEPT_ROWS, Expectation, Suite, load_suites
from loaders.site.evidence import Evidence, OffendingRow, read_dictionaries
from loaders.site.words import Words, only

NEXT_STEPS = EXPECTATIONS / "next_steps_zh.yml"


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule: what was expected, whether it holds, and what was met where it does not."""

    anchor: str
    suite_name: str
    expectation: str
    severity: str
    expected: Words
    next_step: Words | None
    is_success: bool
    met: Words
    row_count: int | None
    rows: tuple[OffendingRow, ...]


@dataclass(frozen=True, slots=True)
class LayerResult:
    """The last check of a layer."""

    layer: str
    checked_at: datetime
    is_passed: bool
    rules: tuple[RuleResult, ...]

    @property
    def failed(self) -> list[RuleResult]:
        """The rules that do not hold, the most serious first."""
        order = {"critical": 0, "warning": 1, "info": 2}
        return sorted((rule for rule in self.rules if not rule.is_success), key=lambda rule: order[rule.severity])

    @property
    def page(self) -> str:
        """The page of the layer."""
        return f"checks_{self.layer}.html"

    def count(self, severity: str, *, only_failed: bool = False) -> int:
        """How many rules of a severity there are, or fail."""
        return sum(rule.severity == severity and not (only_failed and rule.is_success) for rule in self.rules)


@dataclass(slots=True)
class _Rule:
    """A row of the results with the rule of the suites that it belongs to, before its evidence is known."""

    result: dict[str, Any]
    suite: Suite | None
    rule: Expectation | None
    number: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    row_count: int | None = None
    has_evidence_rows: bool = False


def read_results(con: duckdb.DuckDBPyConnection) -> list[LayerResult]:
    """The last check of each layer that was checked."""
    is_there = con.execute(
        "select 1 from duckdb_tables() where database_name = current_database() and schema_name = 'quality' "
        "and table_name = 'check_results'"
    ).fetchall()
    if not is_there:
        return []
    layers = []
    for layer in LAYERS:
        runs = con.execute(
            "select check_id, checked_at, is_passed from quality.check_runs where layer = ? "
            "order by checked_at desc, check_id desc limit 1",
            [layer],
        ).fetchall()
        if runs:
            check_id, checked_at, is_passed = runs[0]
            rules = _read_rules(con, layer, check_id)
            layers.append(LayerResult(layer, checked_at, bool(is_passed), tuple(_with_evidence(con, rules))))
    return layers


def _read_rules(con: duckdb.DuckDBPyConnection, layer: str, check_id: str) -> list[_Rule]:
    known = {
        (suite.name, rule.type, rule.description): (suite, rule, number)
        for suite in load_suites(layer)
        for number, rule in enumerate(suite.expectations, 1)
    }
    results = read_dictionaries(con, "select * from quality.check_results where check_id = ?", [check_id])
    results.sort(key=lambda row: (row["suite_name"], row["expectation_type"], row["description"]))
    rules = []
    for at, result in enumerate(results, 1):
        triple = (result["suite_name"], result["expectation_type"], result["description"])
        suite, rule, number = known.get(triple, (None, None, at))
        entry = _Rule(result, suite, rule, number)
        if not result["is_success"]:
            _find_rows(con, entry)
        rules.append(entry)
    # In the order of the suite files, where the rules of one table belong together.
    places = {name: at for at, name in enumerate(dict.fromkeys(key[0] for key in known))}
    rules.sort(key=lambda entry: (places.get(entry.result["suite_name"], len(places)), entry.number))
    return rules


def _find_rows(con: duckdb.DuckDBPyConnection, entry: _Rule) -> None:
    entry.rows, entry.row_count = json.loads(entry.result["offending_rows"]), entry.result["unexpected_count"]
    # A rule that could not be evaluated has no count, and its evidence could not be asked for either.
    if entry.suite is None or entry.rule is None or not entry.rule.evidence or entry.row_count is None:
        return
    query = entry.rule.evidence.replace("{table}", entry.suite.name)
    with contextlib.suppress(duckdb.Error):  # its tables may be gone since the check: what was kept then stands
        rows = read_dictionaries(con, f"select * from ({query}) order by all limit {KEPT_ROWS}")
        entry.row_count = con.execute(f"select count(*) from ({query})").fetchall()[0][0]
        entry.rows, entry.has_evidence_rows = rows, True


def _with_evidence(con: duckdb.DuckDBPyConnection, rules: Sequence[_Rule]) -> Iterable[RuleResult]:
    evidence = Evidence(con, [row for entry in rules for row in entry.rows])
    for entry in rules:
        result, rule = entry.result, entry.rule
        rows = tuple(evidence.offending_row(row) for row in entry.rows)
        yield RuleResult(
            anchor=str(result.get("rule_id") or f"{result['suite_name'].replace('.', '_')}_{entry.number}"),
            suite_name=result["suite_name"],
            expectation=" ".join(filter(None, (result["expectation_type"], result["column_name"]))),
            severity=result["severity"],
            expected=Words(rule.description_zh, rule.description_en) if rule else only(result["description"]),
            next_step=_next_step(rule.next_step) if rule and rule.next_step else None,
            is_success=result["is_success"],
            met=_met(entry),
            row_count=entry.row_count,
            rows=rows,
        )


def _next_step(english: str) -> Words:
    """A next step in both languages; in English alone where no Chinese was written for it."""
    return Words(_chinese_steps().get(english, english), english)


@lru_cache(maxsize=1)
def _chinese_steps() -> dict[str, str]:
    from loaders.yaml_files import read_yaml

    steps: dict[str, str] = read_yaml(NEXT_STEPS)
    return steps


def _met(entry: _Rule) -> Words:
    """What was met, in one line: the aggregate where the rows behind it are listed, else their number."""
    result, count = entry.result, entry.row_count
    if result["unexpected_count"] is None:
        return only(result["observed"] or "")
    if entry.has_evidence_rows:
        aggregate = json.loads(result["offending_rows"])
        return only("; ".join(", ".join(f"{name} = {value}" for name, value in row.items()) for row in aggregate))
    return Words(f"{count} 行不符", f"{count} offending row{'' if count == 1 else 's'}")
