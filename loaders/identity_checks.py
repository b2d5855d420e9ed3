"""Identities (勾稽关系) of one report, evaluated without a database.

In: a report as it was read. Out: the identities of its form that fail. Only identities within one report and
one year are looked at, and only where every term was read with one value: this is for looking at a single
document. The warehouse evaluates all of them, also across years and reports, in ``fct_identity_check``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from loaders.model import ReportReading, SourceKind
from loaders.vocabulary import load_vocabulary, read_seed

_EVERY_METRIC = "*"
_TABLE, _NARRATIVE = SourceKind.TABLE.value, SourceKind.NARRATIVE.value
_ANY_KIND = (_TABLE, _NARRATIVE)
_ZERO = Decimal(0)
# A metric, an applicant type and a kind of source.
Figure = tuple[str, str | None, str]


@dataclass(frozen=True, slots=True)
class FailedIdentity:
    """An identity that the printed figures contradict; ``figures`` are those that it compares."""

    identity_code: str
    statement_zh: str
    severity: str
    metric_code: str | None
    applicant_type: str | None
    relation: str
    left_value: Decimal
    right_value: Decimal
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class _Term:
    side: str
    sign: int
    metric_code: str
    applicant_type: str
    source_kind: str
    # Where the text may count in several ways, the way that the term belongs to; empty where to every one.
    reading_code: str


# Compared by identity: there is one of each, and it is looked up for every instance.
@dataclass(frozen=True, slots=True, eq=False)
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


_Values = dict[Figure, Decimal | None]
# The numbers of the figures that are added, and of those that are taken away.
_Side = tuple[tuple[int, ...], tuple[int, ...]]


def evaluate_identities(report: ReportReading) -> list[FailedIdentity]:
    """The identities of the report's form that fail, in the order of the seed."""
    if report.form_code is None:
        return []
    values = _collect_values(report)
    figures = list(values.values())
    failed = []
    for instance in _instances(report.form_code, tuple(values)):
        found = _failure(instance, figures)
        if found is not None:
            failed.append(found)
    return failed


def _failure(instance: _Instance, figures: Sequence[Decimal | None]) -> FailedIdentity | None:
    """The failing instance, told by its regular reading; null where one reading holds or may hold."""
    identity = instance.identity
    told: tuple[_Check, Decimal, Decimal] | None = None
    for check in instance.checks:
        left = _sum_side(check.left, figures)
        right = None if left is None else _sum_side(check.right, figures)
        if left is None or right is None or _holds(identity, left, right):
            return None
        told = told or (check, left, right)
    if told is None:
        return None
    check, left, right = told
    return FailedIdentity(
        identity.code,
        identity.statement_zh,
        identity.severity,
        instance.metric_code,
        instance.applicant_type,
        identity.relation,
        left,
        right,
        check.compared,
    )


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
        key = (row.metric_code, row.applicant_type, _TABLE if row.source_kind is SourceKind.TABLE else _NARRATIVE)
        values[key] = row.value if values.get(key, row.value) == row.value else None
    return values


@dataclass(frozen=True, slots=True)
class _Group:
    """The instances of an identity: for each metric, for each applicant type, or as it names its own.

    ``compared`` are metrics left out, ``source_kinds`` the kinds of source without which there is no instance.
    """

    identity: _Identity
    is_open_metric: bool
    is_open_applicant: bool
    compared: frozenset[str]
    source_kinds: frozenset[str]


@lru_cache(maxsize=8)
def _groups(form_code: str) -> tuple[_Group, ...]:
    """The identities of a form with what they are evaluated for."""
    metrics = load_vocabulary().metrics
    groups = []
    for identity in _identities():
        if identity.form_code != form_code:
            continue
        named = [term.metric_code for term in identity.terms if term.metric_code != _EVERY_METRIC]
        by_applicant = any(code in metrics and metrics[code].has_applicant_type for code in named)
        groups.append(
            _Group(
                identity,
                len(named) < len(identity.terms),
                by_applicant and all(not term.applicant_type for term in identity.terms),
                _compared_by_name(form_code) if _is_about_narrative(identity) else frozenset(),
                frozenset(term.source_kind for term in identity.terms) - {"any"},
            )
        )
    return tuple(groups)


def _is_about_narrative(identity: _Identity) -> bool:
    return any(term.source_kind == SourceKind.NARRATIVE for term in identity.terms)


@lru_cache(maxsize=8)
def _compared_by_name(form_code: str) -> frozenset[str]:
    """Metrics whose narrative and table value an identity of their own compares."""
    own = (i for i in _identities() if i.form_code == form_code and _is_about_narrative(i))
    return frozenset(term.metric_code for identity in own for term in identity.terms) - {_EVERY_METRIC}


@dataclass(frozen=True, slots=True)
class _Check:
    """One reading of an instance: which figures of the report stand on its sides."""

    left: _Side
    right: _Side
    compared: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class _Instance:
    """An identity for one metric and one applicant type, with a check for each reading that it admits."""

    identity: _Identity
    metric_code: str | None
    applicant_type: str | None
    checks: tuple[_Check, ...]


# Most reports of a form give the same figures, so that what can be compared is worked out once.
@lru_cache(maxsize=64)
def _instances(form_code: str, figures: tuple[Figure, ...]) -> tuple[_Instance, ...]:
    """The instances of which every term of every reading is among the figures."""
    # Codes and types once each, in the order of the report.
    metric_codes = tuple(dict.fromkeys(code for code, _, _ in figures))
    applicant_types = tuple(dict.fromkeys(kind for _, kind, _ in figures if kind is not None))
    source_kinds = {kind for _, _, kind in figures}
    numbers = {figure: number for number, figure in enumerate(figures)}
    found = []
    for group in _groups(form_code):
        if not group.source_kinds <= source_kinds:
            continue
        for metric_code in metric_codes if group.is_open_metric else (None,):
            if metric_code in group.compared:
                continue
            for applicant_type in applicant_types if group.is_open_applicant else (None,):
                checks = _checks(group.identity, metric_code, applicant_type, numbers)
                if checks is not None:
                    found.append(_Instance(group.identity, metric_code, applicant_type, checks))
    return tuple(found)


def _checks(
    identity: _Identity, metric_code: str | None, applicant_type: str | None, numbers: Mapping[Figure, int]
) -> tuple[_Check, ...] | None:
    """One check for each reading, the regular one first; null where a term of one is not among the figures."""
    checks = []
    for reading_code in identity.readings():
        sides: dict[str, list[tuple[int, Figure]]] = {"left": [], "right": []}
        for term in identity.terms:
            if term.reading_code not in ("", reading_code):
                continue
            places = _places(term, metric_code, applicant_type)
            figure = next((place for place in places if place in numbers), None)
            if figure is None:
                return None
            sides[term.side].append((term.sign, figure))
        left, right = (
            (
                tuple(numbers[figure] for sign, figure in sides[name] for _ in range(sign)),
                tuple(numbers[figure] for sign, figure in sides[name] for _ in range(-sign)),
            )
            for name in ("left", "right")
        )
        compared = tuple(figure for name in ("left", "right") for _, figure in sides[name])
        checks.append(_Check(left, right, compared))
    return tuple(checks)


def _places(term: _Term, metric_code: str | None, applicant_type: str | None) -> tuple[Figure, ...]:
    """Where the value of a term may stand, in the order of preference."""
    code = (metric_code if term.metric_code == _EVERY_METRIC else term.metric_code) or ""
    applicant = term.applicant_type or applicant_type
    kinds = _ANY_KIND if term.source_kind == "any" else (term.source_kind,)
    applicants = (None, "total") if applicant is None else (applicant,)
    return tuple((code, who, kind) for kind in kinds for who in applicants)


def _sum_side(side: _Side, figures: Sequence[Any]) -> Decimal | None:
    """The sum of a side; null where a figure has two values."""
    plus, minus = side
    try:
        total: Decimal = sum(map(figures.__getitem__, plus), _ZERO)
        return total - sum(map(figures.__getitem__, minus), _ZERO) if minus else total
    except TypeError:
        return None


def _holds(identity: _Identity, left: Decimal, right: Decimal) -> bool:
    if left == right:
        return True
    if identity.relation == "=":
        return abs(left - right) <= identity.tolerance
    return left <= right + identity.tolerance
