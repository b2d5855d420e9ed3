"""Whose figures a report holds, by the cues of the seed ``scope_cues``; without a cue a government stays unknown."""

from __future__ import annotations

import re
from collections import Counter

from loaders.identify.names import organ_kind
from loaders.identify.text import Page
from loaders.identify.titles import Title
from loaders.identify.words import load_words
from loaders.model import Evidence, Scope

_GROUPS = {
    "government": "government",
    "area": "government",
    "functional_area": "government",
    "government_office": "government_office",
    "unknown": "any",
}
_TOWNSHIP = frozenset(("township_government", "township_area", "street_office"))


def organ_group(name: str | None) -> str:
    """Which cues apply to a body: a government's, a general office's, or a department's."""
    return _GROUPS.get(organ_kind(name), "department") if name else "any"


def find_scope(
    page: Page, name: str | None, title: Title | None, references: Counter[str]
) -> tuple[Scope, tuple[Evidence, ...]]:
    """The scope and its evidence."""
    words = load_words()
    group = organ_group(name)
    kind = organ_kind(name) if name else "unknown"
    telling = words.self_references
    calls_office = sum(n for w, n in references.items() if telling[w][0] and not telling[w][1])
    if name is None and calls_office:
        group = "department"
    text = page.prose.text
    for cue in words.scope_cues:
        if cue.reading_code == "ignored":
            text = cue.replace(text, "\0")
    found: dict[str, Evidence] = {}
    for cue in words.scope_cues:
        if cue.reading_code == "ignored" or cue.reading_code in found or not _applies(cue.organ_group, group):
            continue
        if kind in _TOWNSHIP and cue.reading_code == "area_aggregate":
            continue
        if match := cue.search(text):
            found[cue.reading_code] = page.prose.evidence(
                "scope", f"{cue.reading_code}_cue", match.start(), match.end(), page.document
            )
    if title is not None and title.is_system:
        return Scope.SYSTEM_AGGREGATE, (Evidence("scope", title.printed, "title", title.place),)
    if title is not None and title.is_whole_area:
        return Scope.AREA_AGGREGATE, (Evidence("scope", title.printed, "title", title.place),)
    for code in ("area_aggregate", "system_aggregate", "government_itself"):
        if code in found:
            return Scope(code), (found[code],)
    own = _own_evidence(page, references)
    if kind == "functional_area" and own is None and "own" in found:
        own = found["own"]
    if group == "department" and "system_weak" not in found:
        return Scope.OWN, (own,) if own else _by_kind(name, title)
    if own is not None and (group in ("department", "government_office") or kind == "functional_area"):
        return Scope.OWN, (own,)
    if group == "any" and own is not None and calls_office:
        return Scope.OWN, (own,)
    return Scope.UNKNOWN, ()


def _applies(cue_group: str, group: str) -> bool:
    return cue_group in ("any", group) or (group == "any" and cue_group in ("government", "department"))


def _by_kind(name: str | None, title: Title | None) -> tuple[Evidence, ...]:
    """A department reports on itself by law; the name is the evidence."""
    if name is None:
        return ()
    return (Evidence("scope", title.printed if title else name, "department_by_name", title.place if title else None),)


def _own_evidence(page: Page, references: Counter[str]) -> Evidence | None:
    telling = load_words().self_references
    plain = {w for w, n in references.items() if n and not telling[w][1]}
    if not plain:
        return None
    ordered = sorted(plain, key=lambda w: (-references[w], w))
    at = re.search(re.escape(ordered[0]) + r"[^。\n]{0,20}", page.prose.text)
    if at is None:
        return None
    return page.prose.evidence("scope", "self_reference", at.start(), at.end(), page.document)
