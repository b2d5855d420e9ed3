"""Figures of a statutory form that keep every identity of the seeds, within a report and from year to year.

In: a form, a random source and the same body's figures of the year before. Out: one whole number for each printed
cell, by metric and kind of applicant. Leaves are random, totals follow. Because every identity is linear, the sum of
such reports keeps the identities too, which is how an area's aggregate is made.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from functools import lru_cache

from loaders.vocabulary import load_vocabulary, read_seed

Key = tuple[str, str | None]
Figures = dict[Key, int]

APPLICANTS = ("natural_person", "legal_business", "legal_research", "legal_public_interest", "legal_services")
APPLICANTS += ("legal_other",)
_STOCKS = ("licensing", "other_services", "penalty", "coercion", "admin_fees")
_IN_FORCE = ("rules", "admin_normative_docs")


@lru_cache(maxsize=8)
def printed_keys(form_code: str) -> tuple[Key, ...]:
    """The cells of the national variant of a form."""
    keys: dict[Key, None] = {}
    for table in load_vocabulary().tables:
        if table.form_code != form_code:
            continue
        rows = {row.row_code for row in table.rows if row.variant_code in ("all", "national")}
        keys |= {key: None for (row, column), key in table.cells.items() if row in rows and column != "in_label"}
    return tuple(keys)


def fill(
    form_code: str, rng: random.Random, before: Mapping[Key, int] | None = None, top: int | None = None
) -> Figures:
    """The figures of one report; ``before`` are those of the same body a year earlier on the same or a like form.

    ``top`` bounds the leaves; without it some years are small and some are large.
    """
    top = top or rng.choice((2, 5, 20, 120))
    figures = {key: rng.randint(0, top) for key in printed_keys(form_code)}
    if form_code == "nat2014":
        _fill_2014(figures, rng)
    else:
        _fill_requests(figures, rng, before or {})
        _fill_remedies(figures)
        _fill_items(figures, rng, before or {}, form_code)
    return figures


def total(reports: Iterable[Mapping[Key, int]]) -> Figures:
    """The figures of an aggregate: cell by cell the sum of its members."""
    figures: Figures = {}
    for report in reports:
        for key, value in report.items():
            figures[key] = figures.get(key, 0) + value
    return figures


def _fill_requests(figures: Figures, rng: random.Random, before: Mapping[Key, int]) -> None:
    outcomes = sorted({m for m, a in figures if a and m.startswith("outcome_") and m != "outcome_total"})
    for applicant in APPLICANTS:
        carried_in = before.get(("requests_carried_over_out", applicant), rng.randint(0, 2))
        for metric in outcomes:
            figures[metric, applicant] = rng.randint(0, 4)
        # What was carried in is answered first.
        figures["outcome_granted_full", applicant] += carried_in
        answered = sum(figures[metric, applicant] for metric in outcomes)
        carried_out = rng.randint(0, 3)
        figures["requests_carried_over_in", applicant] = carried_in
        figures["requests_carried_over_out", applicant] = carried_out
        figures["outcome_total", applicant] = answered
        figures["requests_received_new", applicant] = answered + carried_out - carried_in
    for metric in {m for m, a in figures if a == "total"}:
        figures[metric, "total"] = sum(figures[metric, applicant] for applicant in APPLICANTS)


def _fill_remedies(figures: Figures) -> None:
    for stem in ("reconsideration", "litigation_direct", "litigation_after_reconsideration"):
        parts = (f"{stem}_{part}" for part in ("upheld", "corrected", "other", "pending"))
        figures[f"{stem}_total", None] = sum(figures[part, None] for part in parts)


def _fill_items(figures: Figures, rng: random.Random, before: Mapping[Key, int], form_code: str) -> None:
    if form_code == "fmt2019":
        for stem in _STOCKS:
            earlier = before.get((f"{stem}_items_prev_year", None))
            if earlier is not None:
                figures[f"{stem}_items_prev_year", None] = earlier + before[f"{stem}_items_change", None]
            stock = figures[f"{stem}_items_prev_year", None]
            figures[f"{stem}_items_change", None] = rng.randint(-min(stock, 3), 5)
        for stem in ("rules", "normative_docs"):
            made, shown = (f"{stem}_newly_published", None), (f"{stem}_published_total", None)
            if made in figures and shown in figures:
                figures[shown] += figures[made]
        return
    for stem in _IN_FORCE:
        issued, repealed, stock = ((f"{stem}_{part}", None) for part in ("issued", "repealed", "in_force"))
        earlier = before.get(stock)
        if earlier is None:
            figures[repealed] = 0
            figures[stock] += figures[issued]
        else:
            figures[repealed] = rng.randint(0, earlier)
            figures[stock] = earlier + figures[issued] - figures[repealed]


@lru_cache(maxsize=1)
def _sums_2014() -> tuple[tuple[str, tuple[str, ...]], ...]:
    wanted = {
        row["identity_code"]
        for row in read_seed("identities")
        if row["form_code"] == "nat2014" and row["relation"] == "=" and row["kind_code"] == "sum_of_children"
    }
    sides: dict[str, dict[str, list[str]]] = {}
    for term in read_seed("identity_terms"):
        if term["identity_code"] in wanted:
            sides.setdefault(term["identity_code"], {}).setdefault(term["side"], []).append(term["metric_code"])
    return tuple((side["left"][0], tuple(side["right"])) for side in sides.values())


def _fill_2014(figures: Figures, rng: random.Random) -> None:
    def close() -> None:
        for _ in range(3):
            for parent, parts in _sums_2014():
                here = [part for part in parts if (part, None) in figures]
                if (parent, None) in figures and here:
                    figures[parent, None] = sum(figures[part, None] for part in here)

    close()
    # As many requests are concluded as answered.
    figures["requests_concluded_extended", None] = rng.randint(0, figures["replies_total", None])
    figures["requests_concluded_on_time", None] = (
        figures["replies_total", None] - figures["requests_concluded_extended", None]
    )
    close()
    channels = [key for key in figures if key[0].startswith("proactive_via_")]
    figures["proactive_via_website", None] += 1
    figures["proactive_items_total", None] = max(figures[key] for key in channels)
    for less, more in (
        ("proactive_normative_docs", "normative_docs_issued"),
        ("proactive_normative_docs", "proactive_items_total"),
        ("proactive_key_area_items", "proactive_items_total"),
        ("press_conferences_by_principal", "press_conferences_total"),
        ("online_interviews_by_principal", "online_interviews_total"),
        ("ogi_training_sessions", "ogi_trainees"),
    ):
        if (less, None) in figures and (more, None) in figures:
            figures[less, None] = min(figures[less, None], figures[more, None])
