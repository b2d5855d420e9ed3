"""The words by which a report says who it is, read once from the seeds and compiled.

In: the seeds ``organ_suffixes``, ``self_references``, ``title_phrases``, ``identity_phrases``,
``metadata_labels``, ``scope_cues``, ``document_kinds``, ``report_sections`` and ``name_prefixes``.
Out: a frozen :class:`Words`. Only grammar stands in code: where a slot may stand, never what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from loaders.vocabulary import read_seed

NAME_CHARS = r"\u3400-\u9fff\U00020000-\U0002ffff·〇()"


def any_of(words: Iterable[str]) -> str:
    """A pattern for the longest of the words."""
    return _any_of(tuple(words))


@lru_cache(maxsize=256)
def _any_of(words: tuple[str, ...]) -> str:
    return "|".join(sorted({re.escape(word) for word in words}, key=lambda w: (-len(w), w)))


def shortest(words: Iterable[str]) -> tuple[str, ...]:
    """The words that hold no other of them: a text without these has none of the words."""
    found: list[str] = []
    for word in sorted(set(words), key=lambda w: (len(w), w)):
        if not any(other in word for other in found):
            found.append(word)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class OrganSuffix:
    """A row of the seed ``organ_suffixes``."""

    suffix_zh: str
    organ_kind: str
    is_area: bool
    is_division: bool
    is_distinct: bool


@dataclass(frozen=True, slots=True)
class ScopeCue:
    """A row of the seed ``scope_cues``, compiled; ``needles`` stand in every text that it matches."""

    pattern: re.Pattern[str]
    needles: tuple[str, ...]
    reading_code: str
    organ_group: str

    def search(self, text: str) -> re.Match[str] | None:
        """The first place of the cue in a text."""
        return self.pattern.search(text) if self._may_be_in(text) else None

    def replace(self, text: str, character: str) -> str:
        """The text with another character for each of the cue's, or without the cue."""
        if not self._may_be_in(text):
            return text
        return self.pattern.sub(lambda m: character * len(m.group()), text)

    def _may_be_in(self, text: str) -> bool:
        return all(map(text.__contains__, self.needles))


@dataclass(frozen=True, slots=True)
class KindPhrase:
    """A row of the seed ``document_kinds``."""

    phrase_zh: str
    document_kind: str
    match_at: str
    overrides_form: bool


@dataclass(frozen=True, slots=True)
class Words:
    """All words of identification."""

    organ_suffixes: tuple[OrganSuffix, ...]
    self_references: dict[str, tuple[frozenset[str], bool]]
    title: dict[str, tuple[str, ...]]
    phrases: dict[str, tuple[str, ...]]
    metadata: dict[str, str]
    scope_cues: tuple[ScopeCue, ...]
    kinds: tuple[KindPhrase, ...]
    sections: dict[tuple[str, str], tuple[str, ...]]
    prefixes: dict[str, str]


def _cue_pattern(cue: str) -> re.Pattern[str]:
    pattern = re.escape(cue).replace("…", r"[^。\n;]{0,40}?")
    pattern = pattern.replace(re.escape("{area}"), r"全(?:省|市|区|县|州|盟|旗|自治区|兵团|镇|乡)")
    pattern = pattern.replace(re.escape("{n}"), r"[\d,.]+余?")
    return re.compile(pattern)


def _cue_needles(cue: str) -> tuple[str, ...]:
    pieces = re.split(r"…|\{n\}", cue.replace("{area}", "全…"))
    return tuple(sorted(filter(None, pieces), key=len, reverse=True))


def _slots(seed: str) -> dict[str, tuple[str, ...]]:
    slots: dict[str, list[str]] = {}
    for row in read_seed(seed):
        slots.setdefault(row["slot_code"], []).append(row["phrase_zh"])
    return {slot: tuple(words) for slot, words in slots.items()}


@lru_cache(maxsize=1)
def load_words() -> Words:
    """Read the seeds once."""
    suffixes = [
        OrganSuffix(
            row["suffix_zh"],
            row["organ_kind"],
            row["is_area"] == "true",
            row["is_division"] == "true",
            row["is_distinct"] == "true",
        )
        for row in read_seed("organ_suffixes")
    ]
    endings: dict[str, set[str]] = {}
    is_area: dict[str, bool] = {}
    for row in read_seed("self_references"):
        endings.setdefault(row["reference_zh"], set()).add(row["ending_zh"])
        is_area[row["reference_zh"]] = row["is_area"] == "true"
    sections: dict[tuple[str, str], list[str]] = {}
    for row in read_seed("report_sections"):
        sections.setdefault((row["section_code"], row["match_kind"]), []).append(row["phrase_zh"])
    return Words(
        tuple(sorted(suffixes, key=lambda s: -len(s.suffix_zh))),
        {word: (frozenset(e for e in found if e != "*"), is_area[word]) for word, found in endings.items()},
        _slots("title_phrases"),
        _slots("identity_phrases"),
        {row["label_zh"]: row["attribute_code"] for row in read_seed("metadata_labels")},
        tuple(
            ScopeCue(_cue_pattern(cue), _cue_needles(cue), row["reading_code"], row["organ_group"])
            for row in read_seed("scope_cues")
            for cue in (row["cue_zh"],)
        ),
        tuple(
            KindPhrase(row["phrase_zh"], row["document_kind"], row["match_at"], row["overrides_form"] == "true")
            for row in read_seed("document_kinds")
        ),
        {key: tuple(found) for key, found in sections.items()},
        {row["prefix_zh"]: row["prefix_kind"] for row in read_seed("name_prefixes")},
    )
