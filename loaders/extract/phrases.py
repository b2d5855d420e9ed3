"""The narrative vocabulary: seeds to compiled rules.

In: the seeds ``narrative_concepts``, ``narrative_metrics``, ``narrative_phrases``, ``narrative_none_phrases``,
``narrative_subjects`` and ``narrative_words``. Out: a frozen :class:`NarrativeVocabulary`. A phrase is written as
it is printed, simplified, without quotation marks, in a small notation: ``[a|b]`` may be there, ``(a|b)`` must be
there, ``#`` is the number, ``@`` is the number when a phrase has two (``#`` is then the other one), ``…`` stands
for modifiers of the seed, ``~`` for up to twenty characters of one clause, ``&`` for words with which the body
names itself, ``^`` for the group word that may follow a ground (不予公开), ``Y`` for a year, 《》 for a title, （） for
printed parentheses. Between a label and its number the usual connectors may stand (为, 共, 总数为, a parenthesis),
never a comma with another matter. Words of time and sum (全年, 共) may stand anywhere in a label: the reader looks at
a sentence with and without them. An unknown code or an unbalanced bracket is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from loaders.errors import GongkaiError
from loaders.extract.prose import Mark
from loaders.vocabulary import load_vocabulary, read_seed

_COUNTS = f"[{Mark.QUANTITY.value}{Mark.BARE.value}]"
_TOKENS = "".join(m.value for m in Mark)
_CONNECTOR = (
    r"(?:的)?(?:总数量|数量|总数|总量|总人数|总次数|总件数|总条数|数|人数|次数|件数|条数|总额|总金额)?"
    rf"(?:\([^(){_TOKENS}]{{0,40}}\))?(?:情况|方面)?(?:{Mark.OTHER.value}[,、]?)?"
    r"(?:,(?=共|合计|总计|总数|计(?!划)))?(?:总数|数量|总量)?均?(?:占其中|其中占)?(?:举行|召开|举办|开展)?了?"
    r"(?:为|是|有|共有|共|共计|合计|总计|累计|计|达到了?|已达|达|了|约|现有|现|目前有|仅有|仅|只有|一共|总共|:){0,3}"
)
_STRENGTH_SCORES = {"statutory": 100.0, "plain": 90.0, "weak": 75.0}
_SPECIAL = {
    "~": rf"[^,。;:!?{_TOKENS}]{{0,20}}?",
    "&": "(?:(?:本|我)?[省市区县州镇乡]?(?:人民政府|政府|机关|局|委|厅|单位)(?:办公室|办公厅)?[及和、]?){1,3}",
    "Y": f"(?:{Mark.YEAR.value})",
    "《": "",
    "（": r"\(",
    "）": r"\)",
    "》": Mark.TITLE.value,
}


@dataclass(frozen=True, slots=True, eq=False)
class Concept:
    """What a phrase speaks of, whatever the form; ``metrics`` maps form codes to metric codes."""

    concept_code: str
    label_zh: str
    units: frozenset[str]
    context_code: str
    subject_code: str
    is_stock: bool
    is_whole: bool
    figure_year: str
    needs_sibling: bool
    metrics: dict[str, str]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A compiled phrase; every match holds one of the ``needles`` and one literal of each group of ``required``."""

    concept: Concept
    score: float
    pattern: re.Pattern[str]
    needles: tuple[str, ...]
    required: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class NonePhrase:
    """What a statement of none may be about; ``concept`` is null for matters without a metric."""

    concept: Concept | None
    group: str


@dataclass(frozen=True, slots=True)
class NarrativeVocabulary:
    """All rules of the narrative, compiled once; ``needles`` by their first two characters."""

    concepts: dict[str, Concept]
    phrases: tuple[Phrase, ...]
    needles: dict[str, tuple[tuple[str, tuple[int, ...]], ...]]
    all_of: tuple[Phrase, ...]
    subjects: re.Pattern[str]
    subject_of: dict[str, tuple[str, str]]
    words: dict[str, frozenset[str]]
    patterns: dict[str, re.Pattern[str]]
    statement_items: tuple[tuple[Concept | None, re.Pattern[str]], ...]
    heading_items: tuple[tuple[Concept | None, re.Pattern[str]], ...]


def alternatives(words: frozenset[str]) -> str:
    """Words as a regular expression, longest first."""
    return "(?:" + "|".join(sorted(map(re.escape, words), key=lambda w: (-len(w), w))) + ")"


def _translate(phrase: str, gap: str, group: str = "") -> str:
    """The notation of a phrase as a regular expression with the groups ``before``, ``number``, ``after``."""
    value = "@" if "@" in phrase else "#"
    out: list[str] = ["(?P<before>"]
    depth: list[str] = []
    for char in phrase:
        if char == value:
            out.append(f"){_CONNECTOR}(?P<number>{_COUNTS})(?P<after>(?:的)?")
        elif char == "#":
            out.append(f"{_CONNECTOR}{_COUNTS}")
        elif char in "[(":
            depth.append(char)
            out.append("(?:")
        elif char in "])":
            if not depth or {"[": "]", "(": ")"}[depth.pop()] != char:
                raise GongkaiError(f"seed narrative phrases: unbalanced bracket in {phrase}")
            out.append(")?" if char == "]" else ")")
        elif char == "|":
            out.append("|")
        elif char == "…":
            out.append(gap)
        elif char == "^":
            out.append(group)
        elif char in _SPECIAL:
            out.append(_SPECIAL[char])
        else:
            out.append(re.escape(char))
    if depth:
        raise GongkaiError(f"seed narrative phrases: unbalanced bracket in {phrase}")
    out.append(")")
    text = "".join(out)
    if phrase.endswith("申请"):
        text += "(?![人表书]|材料|行政复议|复议)"
    return text


def _needles(phrase: str) -> tuple[str, ...]:
    """Literals of which every match holds one: the longest plain run, else the alternatives of one bracket."""
    required = phrase
    while (reduced := re.sub(r"\[[^\[\]]*\]", "#", required)) != required:
        required = reduced
    runs = re.findall(r"[一-龥]+", re.sub(r"\([^()]*\)", "#", required))
    if runs and len(max(runs, key=len)) > 1:
        return (max(runs, key=len),)
    choices = [
        tuple((re.findall(r"[一-龥]+", part) or [""])[0] for part in choice.split("|"))
        for choice in re.findall(r"\(([^()]*)\)", required)
    ]
    if usable := [words for words in choices if all(words)]:
        return max(usable, key=lambda words: min(2, *map(len, words)) if len(words) > 1 else min(2, len(words[0])))
    return (max(runs, key=len),) if runs else ()


def _required(phrase: str) -> tuple[tuple[str, ...], ...]:
    """Groups of literals; every match holds one of each group. Empty for a phrase with nested brackets."""
    required = phrase
    while (reduced := re.sub(r"\[[^\[\]]*\]", "#", required)) != required:
        required = reduced
    if re.search(r"\([^()]*\(", required):
        return ()
    groups = [(run,) for run in re.findall(r"[一-龥]+", re.sub(r"\([^()]*\)", "#", required))]
    for choice in re.findall(r"\(([^()]*)\)", required):
        words = tuple((re.findall(r"[一-龥]+", part) or [""])[0] for part in choice.split("|"))
        if all(words):
            groups.append(words)
    return tuple(groups)


def _bool(text: str) -> bool:
    return text == "true"


@lru_cache(maxsize=1)
def load_narrative_vocabulary() -> NarrativeVocabulary:
    """Read and compile the narrative seeds once."""
    catalogue = load_vocabulary().metrics
    metrics: dict[str, dict[str, str]] = {}
    for row in read_seed("narrative_metrics"):
        if row["metric_code"] not in catalogue:
            raise GongkaiError(f"seed narrative_metrics: unknown metric {row['metric_code']}")
        metrics.setdefault(row["concept_code"], {})[row["form_code"]] = row["metric_code"]
    concepts = {
        row["concept_code"]: Concept(
            row["concept_code"],
            row["label_zh"],
            frozenset(row["printed_units"].split("|")),
            row["context_code"],
            row["subject_code"],
            _bool(row["is_stock"]),
            _bool(row["is_whole"]),
            row["figure_year"],
            _bool(row["needs_sibling"]),
            metrics.get(row["concept_code"], {}),
        )
        for row in read_seed("narrative_concepts")
    }
    words: dict[str, set[str]] = {}
    for row in read_seed("narrative_words"):
        words.setdefault(row["word_kind_code"], set()).add(row["word_zh"])
    frozen = {kind: frozenset(group) for kind, group in words.items()}
    org = rf"(?:针对|对|向|以)[^,。;:、{_TOKENS}]{{0,16}}?"
    org += "(?:局|委|厅|办|政府|街道|镇|乡|单位|机关|部门|中心|院|处|所|队|社)"
    gap = f"(?:{alternatives(frozen['modifier'])}|{org}|{Mark.TITLE.value}){{0,12}}?"
    group = f"(?:[的类]?,?(?:而|故|依法|决定)?{alternatives(frozen['group_outcome'])})?"
    phrases: list[Phrase] = []
    all_of: list[Phrase] = []
    for row in read_seed("narrative_phrases"):
        concept = concepts.get(row["concept_code"])
        if concept is None:
            raise GongkaiError(f"seed narrative_phrases: unknown concept {row['concept_code']}")
        score = _STRENGTH_SCORES[row["strength"]]
        if row["frame_code"] == "all_of":
            text = f"(?P<link>{alternatives(frozen['all_of_link'])})?" + _translate(row["phrase_zh"], gap)
            all_of.append(Phrase(concept, score, re.compile(text), (), ()))
        else:
            text = _translate(row["phrase_zh"], gap, group)
            printed = row["phrase_zh"]
            phrases.append(Phrase(concept, score, re.compile(text), _needles(printed), _required(printed)))
    needles: dict[str, list[int]] = {}
    by_start: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for order, phrase in enumerate(phrases):
        for needle in phrase.needles:
            needles.setdefault(needle, []).append(order)
    for needle, places in needles.items():
        by_start.setdefault(needle[:2], []).append((needle, tuple(places)))
    none_gap = (
        f"(?:{alternatives(frozen['modifier'] | frozen['none_modifier'] | frozen['none_verb'])}|{org}"
        f"|[{Mark.TITLE.value}{Mark.YEAR.value}{Mark.QUANTITY.value}]){{0,14}}?"
    )
    tail = f"{alternatives(frozen['none_tail'])}{{0,2}}"
    items: dict[str, list[tuple[Concept | None, re.Pattern[str]]]] = {"statement": [], "heading": []}
    for row in read_seed("narrative_none_phrases"):
        none_concept = concepts[row["concept_code"]] if row["concept_code"] else None
        body = _translate(row["phrase_zh"], "").replace("(?P<before>", "(?P<item>", 1)
        pattern = re.compile(rf"{none_gap}{body}{tail}(?P<link>[、及和与或,]|以及|或者|暨|$)?")
        for kind in ("statement", "heading"):
            if row["applies_to"] in (kind, "both"):
                items[kind].append((none_concept, pattern))
    subject_of = {
        row["word_zh"]: (row["subject_code"], row["subject_group_code"]) for row in read_seed("narrative_subjects")
    }
    return NarrativeVocabulary(
        concepts,
        tuple(phrases),
        {start: tuple(group) for start, group in by_start.items()},
        tuple(all_of),
        re.compile(alternatives(frozenset(subject_of))),
        subject_of,
        frozen,
        {kind: re.compile(alternatives(group)) for kind, group in frozen.items()},
        tuple(items["statement"]),
        tuple(items["heading"]),
    )
