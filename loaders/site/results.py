"""What the last checks found, each failed rule with its rows and the evidence behind them.

In: a connection to the work file. Out: one :class:`LayerResult` a layer that was checked. The rows of a failed rule
are those that the rule's ``evidence`` query lists, else those that the check kept. A row that names a figure, an
identity check, a report or a document leads to what is printed there: body, year, metric, text, place and document.
Nothing is checked anew here.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import duckdb

from loaders.builds import LAYERS
from loaders.checks import EXPECTATIONS, KEPT_ROWS, Expectation, Suite, load_suites
from loaders.inspect_figures import applicant_words, identity_words, issue_words, metric_words
from loaders.settings import plain_number
from loaders.site.words import Words, only, statement_words

NEXT_STEPS = EXPECTATIONS / "next_steps_zh.yml"

_DECIMAL = re.compile(r"-?\d+\.\d+")
_FIGURES_A_ROW = 20
_ISSUES_A_ROW = 5
_FIGURE_KEYS = ("metric_row_id", "losing_metric_row_id", "first_metric_row_id", "old_metric_row_id")


@dataclass(frozen=True, slots=True)
class Piece:
    """Evidence of one row: a figure with its print, or what is known of a report or a document."""

    agency_name: str | None = None
    report_year: int | None = None
    subject: Words | None = None
    printed: str | None = None
    snippet: str | None = None
    place: str | None = None
    source_uri: str | None = None
    document_id: str | None = None
    notes: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True)
class OffendingRow:
    """A row that a rule found, as the check saw it, and its evidence."""

    values: tuple[tuple[str, str], ...]
    statement: Words | None
    finding_key: str | None
    pieces: tuple[Piece, ...]


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
    schema = _results_schema(con)
    if schema is None:
        return []
    layers = []
    for layer in LAYERS:
        runs = con.execute(
            f"select check_id, checked_at, is_passed from {schema}.check_runs where layer = ? "
            "order by checked_at desc, check_id desc limit 1",
            [layer],
        ).fetchall()
        if runs:
            check_id, checked_at, is_passed = runs[0]
            rules = _read_rules(con, schema, layer, check_id)
            layers.append(LayerResult(layer, checked_at, bool(is_passed), tuple(_with_evidence(con, rules))))
    return layers


def _results_schema(con: duckdb.DuckDBPyConnection) -> str | None:
    rows = con.execute(
        "select schema_name from duckdb_tables() where table_name = 'check_results' "
        "and database_name = current_database() and schema_name in ('quality', 'checks') order by schema_name desc"
    ).fetchall()
    return rows[0][0] if rows else None


def _read_rules(con: duckdb.DuckDBPyConnection, schema: str, layer: str, check_id: str) -> list[_Rule]:
    known = {
        (suite.name, rule.type, rule.description): (suite, rule, number)
        for suite in load_suites(layer)
        for number, rule in enumerate(suite.expectations, 1)
    }
    results = _dictionaries(con, f"select * from {schema}.check_results where check_id = ?", [check_id])
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
        rows = _dictionaries(con, f"select * from ({query}) order by all limit {KEPT_ROWS}")
        entry.row_count = con.execute(f"select count(*) from ({query})").fetchall()[0][0]
        entry.rows, entry.has_evidence_rows = rows, True


def _dictionaries(con: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    cursor = con.execute(query, list(values))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _with_evidence(con: duckdb.DuckDBPyConnection, rules: Sequence[_Rule]) -> Iterable[RuleResult]:
    evidence = _Evidence(con, [row for entry in rules for row in entry.rows])
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
    import yaml

    steps: dict[str, str] = yaml.safe_load(NEXT_STEPS.read_text("utf-8"))
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


class _Evidence:
    """What is printed behind the rows of failed rules, asked in one query a kind."""

    def __init__(self, con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> None:
        tables = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where database_name = current_database()"
        ).fetchall()
        self._con, self._tables = con, {name for (name,) in tables}
        self._values = self._by_key("marts.fct_metric_value", "metric_value_key", _named(rows, "metric_value_key"))
        self._indicators = self._by_key(
            "marts.fct_indicator_value", "indicator_value_key", _named(rows, "indicator_value_key")
        )
        checks = _named(rows, "identity_check_key", "finding_key")
        self._checks = self._by_key("marts.fct_identity_check", "identity_check_key", checks)
        self._terms = self._many("intermediate.int_finding_figures", "finding_key", checks)
        figures = _named(rows, *_FIGURE_KEYS) | _named(self._values.values(), "metric_row_id")
        figures |= _named((term for terms in self._terms.values() for term in terms), "metric_row_id")
        self._figures = self._by_key("raw.metric_rows", "metric_row_id", figures)
        owners = (self._values, self._indicators, self._checks, self._figures)
        reports = _named(rows, "report_id").union(*(_named(owner.values(), "report_id") for owner in owners))
        self._reports = self._by_key("raw.reports", "report_id", reports)
        documents = _named(rows, "document_id") | _named(self._reports.values(), "document_id")
        self._documents = self._by_key("raw.documents", "document_id", documents)
        self._issues = self._many("raw.issues", "document_id", documents)
        self._bodies = self._by_key("marts.dim_agency", "agency_id", _named(rows, "agency_id"))

    def offending_row(self, row: dict[str, Any]) -> OffendingRow:
        """A row with its evidence."""
        check = self._checks.get(row.get("identity_check_key") or row.get("finding_key"))
        return OffendingRow(
            values=tuple((name, _shown(value)) for name, value in row.items()),
            statement=_statement(check) if check else None,
            finding_key=check["identity_check_key"] if check else None,
            pieces=tuple(self._pieces(row, check)),
        )

    def _pieces(self, row: dict[str, Any], check: dict[str, Any] | None) -> list[Piece]:
        """The figures that a row names, else its report, else its document, else its body."""
        figures = [row[key] for key in _FIGURE_KEYS if row.get(key)]
        value = self._values.get(row.get("metric_value_key"))
        if not figures and value is not None:
            figures = [value["metric_row_id"]]
        if not figures and check is not None:
            terms = self._terms.get(check["identity_check_key"], [])
            figures = [term["metric_row_id"] for term in sorted(terms, key=lambda term: term["figure_order"])]
        known = [self._figures[key] for key in dict.fromkeys(figures) if key in self._figures]
        if known:
            return [self._figure(figure) for figure in known[:_FIGURES_A_ROW]]
        indicator = self._indicators.get(row.get("indicator_value_key"))
        owner = row if row.get("report_id") else value or indicator or check or row
        report = self._reports.get(owner.get("report_id"))
        if report is not None:
            return [self._report(report, owner)]
        document = self._documents.get(row.get("document_id"))
        if document is not None:
            return [self._document(document)]
        body = self._bodies.get(row.get("agency_id"))
        return [Piece(body["agency_name"], row.get("report_year"))] if body is not None else []

    def _figure(self, figure: dict[str, Any]) -> Piece:
        report = self._reports.get(figure["report_id"], {})
        page = f"page {figure['page_number']}, " if figure.get("page_number") is not None else ""
        locator = figure.get("locator") or ""
        return Piece(
            agency_name=report.get("agency_name"),
            report_year=report.get("report_year"),
            subject=_subject(figure),
            printed=figure.get("value_raw"),
            snippet=figure.get("snippet"),
            place=locator if locator.startswith(page) else page + locator,
            source_uri=self._documents.get(report.get("document_id"), {}).get("source_uri"),
            document_id=report.get("document_id"),
        )

    def _report(self, report: dict[str, Any], owner: dict[str, Any]) -> Piece:
        document = self._documents.get(report["document_id"], {})
        issues = self._issues.get(report["document_id"], [])
        return Piece(
            agency_name=report["agency_name"],
            report_year=report["report_year"],
            subject=_subject(owner),
            snippet=report["title"],
            source_uri=document.get("source_uri"),
            document_id=report["document_id"],
            notes=_notes([issue for issue in issues if issue["report_id"] in (None, report["report_id"])]),
        )

    def _document(self, document: dict[str, Any]) -> Piece:
        return Piece(
            source_uri=document["source_uri"],
            document_id=document["document_id"],
            notes=_notes(self._issues.get(document["document_id"], [])),
        )

    def _by_key(self, table: str, key: str, values: set[str]) -> dict[Any, dict[str, Any]]:
        return {found: rows[-1] for found, rows in self._many(table, key, values).items()}

    def _many(self, table: str, key: str, values: set[str]) -> dict[Any, list[dict[str, Any]]]:
        """The rows of a table by a key; empty where the file has no such table."""
        found: dict[Any, list[dict[str, Any]]] = {}
        if values and table in self._tables:
            query = f"select * from {table} where {key} in (select unnest(?)) order by all"
            for row in _dictionaries(self._con, query, [sorted(values)]):
                found.setdefault(row[key], []).append(row)
        return found


def _named(rows: Iterable[dict[str, Any]], *columns: str) -> set[str]:
    return {str(row[column]) for row in rows for column in columns if row.get(column) is not None}


def _subject(row: dict[str, Any]) -> Words | None:
    """The metric and the applicant type of a row; what is printed beside the figure where it has no metric."""
    code = row.get("metric_code")
    applicant = row.get("applicant_type") or row.get("applicant_type_code")
    labels = metric_words(code)
    if not labels[0]:
        printed = " · ".join(filter(None, (row.get("label_raw"), row.get("column_label_raw"))))
        return only(code or printed) if code or printed else None
    people = ("", "") if applicant == "not_applicable" else applicant_words(applicant)
    return Words(" · ".join(filter(None, (labels[0], people[0]))), " · ".join(filter(None, (labels[1], people[1]))))


def _statement(check: dict[str, Any]) -> Words:
    left, right = ("?" if check[side] is None else plain_number(check[side]) for side in ("left_value", "right_value"))
    sides = f"{left} {check['relation']} {right}"
    english = identity_words().get(check["identity_code"], check["identity_code"])
    words = statement_words(check["statement_zh"], english)
    return Words(f"{words.zh}：{sides} 不成立", f"{words.en}: {sides} does not hold")


def _notes(issues: Sequence[dict[str, Any]]) -> tuple[Words, ...]:
    notes = []
    for issue in issues[:_ISSUES_A_ROW]:
        label = issue_words().get(issue["issue_code"], {}).get("label_zh", issue["issue_code"])
        notes.append(Words(f"{label}：{issue['message']}", f"{issue['issue_code']}: {issue['message']}"))
    return tuple(notes)


def _shown(value: Any) -> str:
    """A value as the check kept it, a decimal without the zeros at its end."""
    text = "—" if value is None else str(value)
    return text.rstrip("0").rstrip(".") if _DECIMAL.fullmatch(text) else text
