"""Which identities fail in a panel, told the slow and plain way: report by report, term by term.

In: the figures of every report. Out: the failing checks. It reads the same seeds as the warehouse and shares no code
with it. A check with a missing term is no failure here: panels print every cell that a planted fault does not touch.
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
            for metric, applicant, left, right in _evaluations(identity, printed, by_year):
                if left is None or right is None:
                    continue
                if (left != right) if identity.relation == "=" else (left > right):
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
) -> Iterator[tuple[str, str, int | None, int | None]]:
    metrics = load_vocabulary().metrics
    if any(term["metric_code"] == "*" for term in identity.left):
        for metric in dict.fromkeys(metric for metric, _ in printed.table):
            if (identity.form_code, metric) not in _cells():
                continue
            if identity.kind == "row_total" and not metrics[metric].has_applicant_type:
                continue
            if identity.kind == "narrative_vs_table" and (identity.form_code, metric) in _compared_by_name():
                continue
            applicant = "total" if metrics[metric].has_applicant_type else NOT_APPLICABLE
            sides = [_sum(side, printed, by_year, metric, None) for side in (identity.left, identity.right)]
            yield metric, applicant, *sides
        return
    codes = [term["metric_code"] for term in (*identity.left, *identity.right)]
    is_narrative = identity.kind == "narrative_vs_table"
    subject = identity.left[0]["metric_code"] if len(identity.left) == 1 else ""
    if all(metrics[code].has_applicant_type for code in codes) and not is_narrative:
        for applicant in (*APPLICANTS, "total"):
            sides = [_sum(side, printed, by_year, None, applicant) for side in (identity.left, identity.right)]
            yield subject, applicant, *sides
        return
    applicant = "total" if any(metrics[code].has_applicant_type for code in codes) else NOT_APPLICABLE
    sides = [_sum(side, printed, by_year, None, None) for side in (identity.left, identity.right)]
    yield subject, applicant, *sides


def _sum(
    terms: tuple[dict[str, str], ...],
    printed: Printed,
    by_year: Mapping[tuple[str, int], Printed],
    wildcard: str | None,
    applicant: str | None,
) -> int | None:
    whole = 0
    for term in terms:
        metric = wildcard or term["metric_code"]
        has_applicant = load_vocabulary().metrics[metric].has_applicant_type
        kind = (term["applicant_type_code"] or applicant or "total") if has_applicant else None
        at = by_year.get((printed.body, printed.year + int(term["year_offset"] or 0)))
        if at is None:
            return None
        if term["source_kind"] == "narrative":
            value = at.narrative.get((metric, kind))
        elif term["source_kind"] == "any":
            # What is stated in a sentence alone speaks too.
            value = at.table.get((metric, kind), at.narrative.get((metric, kind)))
        else:
            value = _value(at.table, at.form_code, metric, kind)
        if value is None:
            return None
        whole += int(term["sign"]) * value
    return whole


def _value(source: Mapping[Key, int], form_code: str, metric: str, applicant: str | None) -> int | None:
    if (metric, applicant) in source:
        return source[metric, applicant]
    parts = [source.get((child, applicant)) for child in _groups().get((form_code, metric), ())]
    return None if not parts or None in parts else sum(part for part in parts if part is not None)
