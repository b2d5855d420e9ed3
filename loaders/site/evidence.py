"""What is printed behind the rows of failed rules.

In: rows as a check kept them, and a connection to the work file. Out: for each row the figures that it names with their
print, else its reports, else its documents. A row names them by id in its columns; what has no id of these has no
evidence in print. Asked in one query a kind of id, however many rows there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loaders.inspect_figures import applicant_words, identity_words, issue_words, metric_words
from loaders.settings import plain_number
from loaders.site.words import Words, only, statement_words

if TYPE_CHECKING:
    import duckdb

_DECIMAL = re.compile(r"-?\d+\.\d+")
_FIGURES_A_ROW = 20
_ISSUES_A_ROW = 5
# A column of a row names what it ends with: losing_metric_row_id, other_report_id.
_FIGURE, _REPORT, _DOCUMENT = "metric_row_id", "report_id", "document_id"


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


class Evidence:
    """What is printed behind the rows of failed rules, asked in one query a kind."""

    def __init__(self, con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> None:
        """Ask for what all the rows name."""
        tables = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where database_name = current_database()"
        ).fetchall()
        self._con, self._tables = con, {name for (name,) in tables}
        self._values = self._by_key("marts.fct_metric_value", "metric_value_key", _named(rows, "metric_value_key"))
        self._indicators = self._by_key(
            "marts.fct_indicator_value", "indicator_value_key", _named(rows, "indicator_value_key")
        )
        checks = _named(rows, "identity_check_key") | _named(rows, "finding_key")
        self._checks = self._by_key("marts.fct_identity_check", "identity_check_key", checks)
        self._terms = self._many("intermediate.int_finding_figures", "finding_key", checks)
        terms = [term for terms in self._terms.values() for term in terms]
        figures = _named([*rows, *self._values.values(), *terms], _FIGURE)
        self._figures = self._by_key("raw.metric_rows", "metric_row_id", figures)
        owners = (self._values, self._indicators, self._checks, self._figures)
        reports = _named([*rows, *(row for owner in owners for row in owner.values())], _REPORT)
        self._reports = self._by_key("raw.reports", "report_id", reports)
        documents = _named([*rows, *self._reports.values()], _DOCUMENT)
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
        """The figures that a row names, else its reports, else its documents, else its body."""
        value = self._values.get(row.get("metric_value_key"))
        indicator = self._indicators.get(row.get("indicator_value_key"))
        figures = _ids(row, _FIGURE) or _ids(value, _FIGURE)
        if not figures and check is not None:
            terms = self._terms.get(check["identity_check_key"], [])
            figures = [term["metric_row_id"] for term in sorted(terms, key=lambda term: term["figure_order"])]
        pieces = [self._figure(self._figures[key]) for key in dict.fromkeys(figures) if key in self._figures]
        if not pieces:
            known = [one for one in (row, value, indicator, check) if one is not None]
            owner = next((one for one in known if _ids(one, _REPORT)), row)
            pieces = [self._report(self._reports[key], owner) for key in _ids(owner, _REPORT) if key in self._reports]
        if not pieces:
            pieces = [self._document(self._documents[key]) for key in _ids(row, _DOCUMENT) if key in self._documents]
        if not pieces and row.get("agency_id") in self._bodies:
            pieces = [Piece(self._bodies[row["agency_id"]]["agency_name"], row.get("report_year"))]
        return pieces[:_FIGURES_A_ROW]

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
            for row in read_dictionaries(self._con, query, [sorted(values)]):
                found.setdefault(row[key], []).append(row)
        return found


def _ids(row: dict[str, Any] | None, kind: str) -> list[str]:
    """The ids of a kind that a row names, in the order of its columns."""
    return [str(value) for name, value in (row or {}).items() if name.endswith(kind) and value is not None]


def _named(rows: Iterable[dict[str, Any]], kind: str) -> set[str]:
    return {value for row in rows for value in _ids(row, kind)}


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
        # A work file of another version may lack the words; the pages stand all the same.
        message = issue.get("message", "—")
        notes.append(Words(f"{label}：{message}", f"{issue['issue_code']}: {message}"))
    return tuple(notes)


def _shown(value: Any) -> str:
    """A value as the check kept it, a decimal without the zeros at its end."""
    text = "—" if value is None else str(value)
    return text.rstrip("0").rstrip(".") if _DECIMAL.fullmatch(text) else text


def read_dictionaries(con: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The rows of a query by the names of their columns."""
    cursor = con.execute(query, list(values))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
