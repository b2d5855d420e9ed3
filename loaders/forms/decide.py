"""Which form a report is written to: from its tables, else from its words, never from the year alone.

In: the votes of the tables that were read, the document, the report year. Out: a form code and the issue to
record when no table decided. The year only breaks a tie between forms that the words speak for alike, because
the forms of 2019 and 2021 share their headings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from loaders.model import Document, Issue
from loaders.text.fold import fold
from loaders.text.labels import compact
from loaders.vocabulary import read_seed

_MIN_WEIGHT = 2


@dataclass(frozen=True, slots=True)
class _Form:
    first_year: int
    last_year: int
    phrases: tuple[tuple[str, int], ...]


@lru_cache(maxsize=1)
def _forms() -> dict[str, _Form]:
    phrases: dict[str, list[tuple[str, int]]] = {}
    for row in read_seed("form_fingerprints"):
        phrases.setdefault(row["form_code"], []).append((compact(row["phrase_zh"]), int(row["weight"])))
    return {
        row["form_code"]: _Form(
            int(row["first_report_year"]),
            int(row["last_report_year"] or 9999),
            tuple(phrases.get(row["form_code"], ())),
        )
        for row in read_seed("forms")
    }


def decide_form(votes: dict[str, int], document: Document, report_year: int | None) -> tuple[str | None, Issue | None]:
    """The form of a report and, when no table decided, the issue that says so."""
    if votes and max(votes.values()) > 0:
        return max(sorted(votes), key=lambda code: votes[code]), None
    text = compact(fold(document.text, document.script).text)
    weights = {code: sum(w for phrase, w in form.phrases if phrase in text) for code, form in _forms().items()}
    best = max(weights.values())
    leaders = sorted(code for code, weight in weights.items() if weight == best)
    in_use = [c for c, f in _forms().items() if report_year and f.first_year <= report_year <= f.last_year]
    if best < _MIN_WEIGHT:
        chosen = in_use[0] if in_use else None
        why = "hardly any word of a form was found; the form in use in the report year was taken"
    else:
        chosen = next((code for code in leaders if code in in_use), leaders[0] if len(leaders) == 1 else None)
        why = f"the words of the text decided ({', '.join(f'{c} {w}' for c, w in weights.items() if w)})"
    if chosen is None:
        return None, Issue("form_unknown", "no statutory table, and the words of the text speak for no single form")
    return chosen, Issue("form_from_narrative", f"no statutory table; {why}")
