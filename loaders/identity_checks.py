"""Identities (勾稽关系) of one report, evaluated without a database.

In: a report as it was read. Out: the identities of its form that fail. Only identities within one report and
one year are looked at, and only where every term was read with one value: this is for looking at a single
document. The warehouse evaluates all of them, also across years and reports, in ``fct_identity_check``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from loaders.model import ReportReading, SourceKind
from loaders.vocabulary import load_vocabulary, read_seed

_EVERY_METRIC = "*"
_SIDES = ("left", "right")
_ANY_KIND = tuple(kind.value for kind in SourceKind)


@dataclass(frozen=True, slots=True)
class FailedIdentity:
    """An identity that the printed figures contradict."""

    identity_code: str
    statement_zh: str
    severity: str
    metric_code: str | None
    applicant_type: str | None
    relation: str
    left_value: Decimal
    right_value: Decimal


@dataclass(frozen=True, slots=True)
class _Term:
    side: str
    sign: int
    metric_code: str
    applicant_type: str
    source_kind: str
    # Where the text may count in several ways, the way that the term belongs to; empty where to every one.
    reading_code: str


@dataclass(frozen=True, slots=True)
class _Identity:
    code: str
    form_code: str
    relation: str
    tolerance: Decimal
    severity: str
    statement_zh: str
    terms: tuple[_Term, ...]

    def readings(self) -> tuple[str, ...]:
        """The ways to count that the identity admits, the regular one first."""
        return tuple(dict.fromkeys(term.reading_code for term in self.terms if term.reading_code)) or ("",)


_Values = dict[tuple[str, str | None, str], Decimal | None]


def evaluate_identities(report: ReportReading) -> list[FailedIdentity]:
    """The identities of the report's form that fail, in the order of the seed."""
    values = _collect_values(report)
    failed = []
    for identity in _identities():
        if identity.form_code != report.form_code:
            continue
        for metric_code, applicant_type in _instances(identity, values):
            sides = [
                tuple(_sum_side(identity, side, reading, metric_code, applicant_type, values) for side in _SIDES)
                for reading in identity.readings()
            ]
            # A reading that may hold, or does, keeps the identity from failing.
            failing = [
                (left, right)
                for left, right in sides
                if left is not None and right is not None and not _holds(identity, left, right)
            ]
            if len(failing) < len(sides):
                continue
            left, right = failing[0]
            failed.append(
                FailedIdentity(
                    identity.code,
                    identity.statement_zh,
                    identity.severity,
                    metric_code,
                    applicant_type,
                    identity.relation,
                    left,
                    right,
                )
            )
    return failed


@lru_cache(maxsize=1)
def _identities() -> tuple[_Identity, ...]:
    terms: dict[str, list[_Term]] = {}
    spanning: set[str] = set()
    for row in read_seed("identity_terms"):
        code = row["identity_code"]
        if row["year_offset"] != "0" or row["member_role"]:
            spanning.add(code)
        term = _Term(
            row["side"],
            int(row["sign"]),
            row["metric_code"],
            row["applicant_type_code"],
            row["source_kind"],
            row["reading_code"],
        )
        terms.setdefault(code, []).append(term)
    return tuple(
        _Identity(
            row["identity_code"],
            row["form_code"],
            row["relation"],
            Decimal(row["tolerance"]),
            row["severity"],
            row["statement_zh"],
            tuple(terms[row["identity_code"]]),
        )
        for row in read_seed("identities")
        if row["identity_code"] in terms and row["identity_code"] not in spanning
    )


def _collect_values(report: ReportReading) -> _Values:
    """Values by metric, applicant type and source kind; None where one place gives two values."""
    values: _Values = {}
    for row in report.metric_rows:
        # An approximate figure neither keeps nor breaks an identity.
        if row.metric_code is None or row.value is None or row.is_approximate:
            continue
        key = (row.metric_code, row.applicant_type, row.source_kind.value)
        values[key] = row.value if values.get(key, row.value) == row.value else None
    return values


def _instances(identity: _Identity, values: _Values) -> Iterator[tuple[str | None, str | None]]:
    """The metrics and applicant types an identity is evaluated for; None where it names its own."""
    has_wildcard = any(term.metric_code == _EVERY_METRIC for term in identity.terms)
    metric_codes: list[str | None] = [None]
    if has_wildcard:
        compared = _compared_by_name(identity.form_code) if _is_about_narrative(identity) else frozenset()
        metric_codes = [code for code in dict.fromkeys(code for code, _, _ in values) if code not in compared]
    metrics = load_vocabulary().metrics
    named = [term.metric_code for term in identity.terms if term.metric_code != _EVERY_METRIC]
    by_applicant = any(code in metrics and metrics[code].has_applicant_type for code in named)
    open_applicant = by_applicant and all(not term.applicant_type for term in identity.terms)
    applicant_types: list[str | None] = [None]
    if open_applicant:
        applicant_types = list(dict.fromkeys(kind for _, kind, _ in values if kind is not None))
    for metric_code in metric_codes:
        for applicant_type in applicant_types:
            yield metric_code, applicant_type


def _is_about_narrative(identity: _Identity) -> bool:
    return any(term.source_kind == SourceKind.NARRATIVE for term in identity.terms)


@lru_cache(maxsize=8)
def _compared_by_name(form_code: str) -> frozenset[str]:
    """Metrics whose narrative and table value an identity of their own compares."""
    own = (i for i in _identities() if i.form_code == form_code and _is_about_narrative(i))
    return frozenset(term.metric_code for identity in own for term in identity.terms) - {_EVERY_METRIC}


def _sum_side(
    identity: _Identity,
    side: str,
    reading_code: str,
    metric_code: str | None,
    applicant_type: str | None,
    values: _Values,
) -> Decimal | None:
    total = Decimal(0)
    for term in identity.terms:
        if term.side != side or term.reading_code not in ("", reading_code):
            continue
        code = metric_code if term.metric_code == _EVERY_METRIC else term.metric_code
        value = _look_up(code or "", term.applicant_type or applicant_type, term.source_kind, values)
        if value is None:
            return None
        total += term.sign * value
    return total


def _look_up(metric_code: str, applicant_type: str | None, source_kind: str, values: _Values) -> Decimal | None:
    for kind in _ANY_KIND if source_kind == "any" else (source_kind,):
        for applicant in (applicant_type, "total" if applicant_type is None else applicant_type):
            if (metric_code, applicant, kind) in values:
                return values[metric_code, applicant, kind]
    return None


def _holds(identity: _Identity, left: Decimal, right: Decimal) -> bool:
    if identity.relation == "=":
        return abs(left - right) <= identity.tolerance
    return left <= right + identity.tolerance
