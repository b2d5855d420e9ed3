"""Which identities fail in a panel, told the slow and plain way: report by report, term by term.

In: the figures of every report. Out: the failing checks. It reads the same seeds as the warehouse and shares no code
with it. A check over several years belongs to the latest. A missing figure is any number from zero up, if it is one
that cannot be negative: a side that is too large without it stays too large.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from loaders.vocabulary import load_vocabulary, read_seed
from tests.panel.figures import APPLICANTS, Key

NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Printed:
    """What one report prints; ``area`` is the area whose aggregate speaks for it, or that it aggregates."""

    report: str
    body: str
    year: int
    form_code: str
    table: Mapping[Key, int]
    narrative: Mapping[Key, int]
    area: str | None = None
    is_aggregate: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """A check that fails."""

    report: str
    identity_code: str
    metric_code: str
    applicant_type_code: str


@dataclass(frozen=True, slots=True)
class _Side:
    """The known part of a side; whether terms are missing, and whether one of them could lower it."""

    known: int
    is_open: bool = False
    is_unbounded: bool = False


@dataclass(frozen=True, slots=True)
class _Identity:
    code: str
    form_code: str
    kind: str
    relation: str
    left: tuple[dict[str, str], ...]
    right: tuple[dict[str, str], ...]


@lru_cache(maxsize=1)
def _identities() -> tuple[_Identity, ...]:
    terms: dict[tuple[str, str], list[dict[str, str]]] = {}
    for term in read_seed("identity_terms"):
        terms.setdefault((term["identity_code"], term["side"]), []).append(dict(term))
    return tuple(
        _Identity(
            row["identity_code"],
            row["form_code"],
            row["kind_code"],
            row["relation"],
            tuple(terms.get((row["identity_code"], "left"), ())),
            tuple(terms.get((row["identity_code"], "right"), ())),
        )
        for row in read_seed("identities")
    )


@lru_cache(maxsize=1)
def _groups() -> dict[tuple[str, str], tuple[str, ...]]:
    """Groups without a printed cell and their printed children."""
    derived = {
        (row["form_code"], row["metric_code"]) for row in read_seed("form_metrics") if row["place_code"] == "derived"
    }
    children: dict[tuple[str, str], list[str]] = {}
    for row in read_seed("form_metrics"):
        key = (row["form_code"], row["parent_metric_code"])
        if key in derived and row["place_code"] == "cell":
            children.setdefault(key, []).append(row["metric_code"])
    return {key: tuple(codes) for key, codes in children.items()}


@lru_cache(maxsize=1)
def _cells() -> frozenset[tuple[str, str]]:
    rows = read_seed("form_metrics")
    return frozenset((r["form_code"], r["metric_code"]) for r in rows if r["place_code"] in ("cell", "in_label"))


@lru_cache(maxsize=1)
def _signed() -> frozenset[str]:
    return frozenset(row["metric_code"] for row in read_seed("metrics") if row["is_signed"] == "true")


@lru_cache(maxsize=1)
def _additive() -> frozenset[str]:
    rows = read_seed("metrics")
    return frozenset(r["metric_code"] for r in rows if r["is_additive"] == "true" and r["is_signed"] == "false")


@lru_cache(maxsize=1)
def _compared_by_name() -> frozenset[tuple[str, str]]:
    """Metrics, by form, whose sentences have an identity of their own."""
    kinds = [i for i in _identities() if i.kind == "narrative_vs_table"]
    return frozenset((i.form_code, term["metric_code"]) for i in kinds for term in i.left)


def find_failures(reports: Mapping[str, Printed]) -> set[Failure]:
    """Every failing check of a panel by report id."""
    by_year = {(printed.body, printed.year): printed for printed in reports.values()}
    aggregates = {(p.area, p.year, p.form_code): p for p in reports.values() if p.is_aggregate}
    found: set[Failure] = set()
    for printed in reports.values():
        for identity in _identities():
            if identity.form_code != printed.form_code:
                continue
            if identity.kind == "aggregate_containment":
                aggregate = aggregates.get((printed.area, printed.year, printed.form_code))
                if aggregate is not None and not printed.is_aggregate:
                    found |= _uncontained(identity, printed, aggregate)
                continue
            for metric, applicant, sides in _evaluations(identity, printed, by_year):
                # Where the text may count in several ways, it is wrong only if it is wrong in every one.
                if all(_is_broken(identity.relation, *reading) for reading in sides):
                    found.add(Failure(printed.report, identity.code, metric, applicant))
    return found


def _uncontained(identity: _Identity, member: Printed, aggregate: Printed) -> set[Failure]:
    return {
        Failure(member.report, identity.code, metric, applicant or NOT_APPLICABLE)
        for (metric, applicant), value in member.table.items()
        if metric in _additive() and value > aggregate.table.get((metric, applicant), value)
    }


def _evaluations(
    identity: _Identity, printed: Printed, by_year: Mapping[tuple[str, int], Printed]
) -> Iterator[tuple[str, str, list[tuple[_Side, _Side]]]]:
    """Each metric and applicant type that the identity speaks of, with both sides by every reading."""
    metrics = load_vocabulary().metrics

    def sides(wildcard: str | None, applicant: str | None) -> list[tuple[_Side, _Side]]:
        readings = {term["reading_code"] for term in identity.right if term["reading_code"]} or {""}
        return [
            (
                _sum(identity, identity.left, reading, printed, by_year, wildcard, applicant),
                _sum(identity, identity.right, reading, printed, by_year, wildcard, applicant),
            )
            for reading in readings
        ]

    if any(term["metric_code"] == "*" for term in identity.left):
        for metric in dict.fromkeys(metric for metric, _ in printed.table):
            if (identity.form_code, metric) not in _cells():
                continue
            if identity.kind == "row_total" and not metrics[metric].has_applicant_type:
                continue
            if identity.kind == "narrative_vs_table" and (identity.form_code, metric) in _compared_by_name():
                continue
            yield metric, "total" if metrics[metric].has_applicant_type else NOT_APPLICABLE, sides(metric, None)
        return
    codes = [term["metric_code"] for term in (*identity.left, *identity.right)]
    subject = identity.left[0]["metric_code"] if len(identity.left) == 1 else ""
    if all(metrics[code].has_applicant_type for code in codes) and identity.kind != "narrative_vs_table":
        for applicant in (*APPLICANTS, "total"):
            yield subject, applicant, sides(None, applicant)
        return
    yield (
        subject,
        "total" if any(metrics[code].has_applicant_type for code in codes) else NOT_APPLICABLE,
        sides(None, None),
    )


def _is_broken(relation: str, left: _Side, right: _Side) -> bool:
    if left.is_unbounded or right.is_unbounded or (left.is_open and right.is_open):
        return False
    if not right.is_open and left.known > right.known:
        return True
    return relation == "=" and not left.is_open and left.known < right.known


def _sum(
    identity: _Identity,
    terms: tuple[dict[str, str], ...],
    reading: str,
    printed: Printed,
    by_year: Mapping[tuple[str, int], Printed],
    wildcard: str | None,
    applicant: str | None,
) -> _Side:
    latest = max(int(term["year_offset"] or 0) for term in (*identity.left, *identity.right))
    whole, missing, is_unbounded = 0, 0, False
    terms = tuple(term for term in terms if term["reading_code"] in ("", reading))
    for term in terms:
        metric = wildcard or term["metric_code"]
        has_applicant = load_vocabulary().metrics[metric].has_applicant_type
        kind = (term["applicant_type_code"] or applicant or "total") if has_applicant else None
        at = by_year.get((printed.body, printed.year + int(term["year_offset"] or 0) - latest))
        value = None if at is None else _term_value(term, at, metric, kind)
        if value is None:
            missing += 1
            # Without a report nothing is known of its figures.
            is_unbounded |= at is None or int(term["sign"]) < 0 or metric in _signed()
        else:
            whole += int(term["sign"]) * value
    return _Side(whole, missing > 0, is_unbounded or missing == len(terms))


def _term_value(term: Mapping[str, str], at: Printed, metric: str, kind: str | None) -> int | None:
    if term["source_kind"] == "narrative":
        return at.narrative.get((metric, kind))
    if term["source_kind"] == "any":
        # What is stated in a sentence alone speaks too.
        return at.table.get((metric, kind), at.narrative.get((metric, kind)))
    if (metric, kind) in at.table:
        return at.table[metric, kind]
    parts = [at.table.get((child, kind)) for child in _groups().get((at.form_code, metric), ())]
    return None if not parts or None in parts else sum(part for part in parts if part is not None)
