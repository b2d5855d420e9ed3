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

import operator
import re
from collections.abc import Iterable, Iterator, Sequence
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
_COUNT = re.compile(_COUNTS)
_MAX_PARENTHESIS = 42
_CONNECTOR_CHARS = frozenset(re.findall("[一-龥]", _CONNECTOR)) | {",", "、", ":", Mark.OTHER.value}
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
# What the signs of the notation print where it is one certain character.
_LITERAL = {"《": "", "》": Mark.TITLE.value, "（": "(", "）": ")", "Y": Mark.YEAR.value}
_HAN = re.compile("[一-龥]")


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
    """A compiled phrase, and what every match of it has: what :class:`PhraseIndex` looks for first.

    A match holds one literal of each group of ``needles``; its label ends with one of the characters ``ends``,
    what follows its number begins with one of ``begins`` (null where any character may stand there).
    """

    concept: Concept
    score: float
    pattern: re.Pattern[str]
    needles: tuple[tuple[str, ...], ...] = ()
    ends: frozenset[str] | None = None
    begins: frozenset[str] | None = None


def _phrases_by_edge(edges: Iterable[frozenset[str] | None]) -> tuple[int, dict[str, int]]:
    """The phrases with any character at an edge, and by character those with a certain one, as bits."""
    anything = 0
    by_char: dict[str, int] = {}
    for order, chars in enumerate(edges):
        if chars is None:
            anything |= 1 << order
        for char in chars or ():
            by_char[char] = by_char.get(char, 0) | 1 << order
    return anything, by_char


def _connector_start(text: str, at: int) -> int:
    """Where the connector before a number begins, or earlier."""
    while at:
        char = text[at - 1]
        if char == ")":
            at = max(at - 1, text.rfind("(", max(0, at - _MAX_PARENTHESIS), at))
        elif char in _CONNECTOR_CHARS:
            at -= 1
        else:
            break
    return at


class PhraseIndex:
    """Tells the few phrases that may match a sentence from the many that cannot; sets of phrases are bits."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        """Index phrases by their place in the sequence."""
        ranked = [sorted(p.needles, key=_least, reverse=True) for p in phrases]
        self._further = [groups[1:] for groups in ranked]
        self._by_start: dict[str, dict[str, int]] = {}
        for order, (first, *_) in enumerate(ranked):
            for needle in first:
                group = self._by_start.setdefault(needle[:2], {})
                group[needle] = group.get(needle, 0) | 1 << order
        self._any_end, self._ends = _phrases_by_edge(p.ends for p in phrases)
        self._any_begin, self._begins = _phrases_by_edge(p.begins for p in phrases)

    def _beside_numbers(self, text: str) -> int:
        """The phrases whose label may end before a number of the text and go on behind it."""
        found = 0
        for match in _COUNT.finditer(text):
            at = match.start()
            ending, beginning = self._any_end, self._any_begin
            for char in text[max(0, _connector_start(text, at) - 1) : at]:
                ending |= self._ends.get(char, 0)
            for char in text[at + 1 : at + (3 if text.startswith("的", at + 1) else 2)]:
                beginning |= self._begins.get(char, 0)
            found |= ending & beginning
        return found

    def _with_needle(self, text: str) -> int:
        """The phrases of which the longest needles are in a text."""
        found = 0
        for start in self._by_start.keys() & {*text, *map(operator.add, text, text[1:])}:
            for needle, phrases in self._by_start[start].items():
                if needle in text:
                    found |= phrases
        return found

    def candidates(self, text: str) -> Iterator[int]:
        """The places of the phrases that may match a text, in order."""
        found = self._beside_numbers(text) & self._with_needle(text)
        while found:
            lowest = found & -found
            found ^= lowest
            order = lowest.bit_length() - 1
            for group in self._further[order]:
                for needle in group:
                    if needle in text:
                        break
                else:
                    break
            else:
                yield order


@dataclass(frozen=True, slots=True)
class NonePhrase:
    """What a statement of none may be about; ``concept`` is null for matters without a metric."""

    concept: Concept | None
    group: str


@dataclass(frozen=True, slots=True)
class NarrativeVocabulary:
    """All rules of the narrative, compiled once."""

    concepts: dict[str, Concept]
    phrases: tuple[Phrase, ...]
    index: PhraseIndex
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


@dataclass(frozen=True, slots=True)
class _Choice:
    """A bracket of the notation: one of its alternatives, or nothing where it is optional."""

    is_optional: bool
    alternatives: tuple[_Sequence, ...]


_Sequence = tuple["str | _Choice", ...]


def _parse(phrase: str) -> _Sequence:
    """The notation of a phrase as a sequence of characters and choices."""
    open_brackets: list[str] = []
    levels: list[list[list[str | _Choice]]] = [[[]]]
    for char in phrase:
        if char in "[(":
            open_brackets.append(char)
            levels.append([[]])
        elif char in "])":
            if not open_brackets or {"[": "]", "(": ")"}[open_brackets.pop()] != char:
                raise GongkaiError(f"seed narrative phrases: unbalanced bracket in {phrase}")
            choice = _Choice(char == "]", tuple(map(tuple, levels.pop())))
            levels[-1][-1].append(choice)
        elif char == "|" and open_brackets:
            levels[-1].append([])
        else:
            levels[-1][-1].append(char)
    if open_brackets:
        raise GongkaiError(f"seed narrative phrases: unbalanced bracket in {phrase}")
    return tuple(levels[0][0])


def _translate(phrase: str, gap: str, group: str = "") -> str:
    """The notation of a phrase as a regular expression with the groups ``before``, ``number``, ``after``."""
    value = f"){_CONNECTOR}(?P<number>{_COUNTS})(?P<after>(?:的)?"
    other = f"{_CONNECTOR}{_COUNTS}"
    signs = {**_SPECIAL, "…": gap, "^": group, "@": value, "#": other if "@" in phrase else value}

    def translate(items: _Sequence) -> str:
        return "".join(
            signs.get(item) or ("" if item in signs else re.escape(item))
            if isinstance(item, str)
            else f"(?:{'|'.join(map(translate, item.alternatives))}){'?' if item.is_optional else ''}"
            for item in items
        )

    text = f"(?P<before>{translate(_parse(phrase))})"
    if phrase.endswith("申请"):
        text += "(?![人表书]|材料|行政复议|复议)"
    return text


def _needles(items: _Sequence) -> tuple[tuple[str, ...], ...]:
    """Groups of literals; every text of a sequence holds one literal of each group."""
    groups: list[tuple[str, ...]] = []
    run = ""
    for item in (*items, ""):
        if isinstance(item, str) and _HAN.match(item):
            run += item
            continue
        if run:
            groups.append((run,))
        run = ""
        if isinstance(item, _Choice) and not item.is_optional:
            inner = [_needles(alternative) for alternative in item.alternatives]
            if all(inner):
                groups.append(tuple(word for group in inner for word in max(group, key=_least)))
    return tuple(groups)


def _least(group: tuple[str, ...]) -> int:
    return min(map(len, group))


def _edge(items: Iterable[str | _Choice], *, is_end: bool) -> tuple[frozenset[str] | None, bool]:
    """The characters with which a sequence may end or begin (null for any), and whether it may be empty."""
    chars: set[str] = set()
    for item in reversed(tuple(items)) if is_end else items:
        if isinstance(item, _Choice):
            edges = [_edge(alternative, is_end=is_end) for alternative in item.alternatives]
            may_be_empty = item.is_optional or any(empty for _, empty in edges)
            found = [edge for edge, _ in edges]
        else:
            may_be_empty = item == "《"
            found = [None if item in "…~&^#@" else frozenset(_LITERAL.get(item, item))]
        for edge in found:
            if edge is None:
                return None, False
            chars |= edge
        if not may_be_empty:
            return frozenset(chars), False
    return frozenset(chars), True


def _compile(concept: Concept, score: float, printed: str, gap: str, group: str) -> Phrase:
    """A phrase that stands about a number."""
    items = _parse(printed)
    value = items.index("@" if "@" in items else "#")
    ends, no_label = _edge(items[:value], is_end=True)
    begins, nothing_after = _edge(items[value + 1 :], is_end=False)
    return Phrase(
        concept,
        score,
        re.compile(_translate(printed, gap, group)),
        _needles(items),
        None if no_label else ends,
        None if nothing_after else begins,
    )


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
            all_of.append(Phrase(concept, score, re.compile(text)))
        else:
            phrases.append(_compile(concept, score, row["phrase_zh"], gap, group))
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
        PhraseIndex(phrases),
        tuple(all_of),
        re.compile(alternatives(frozenset(subject_of))),
        subject_of,
        frozen,
        {kind: re.compile(alternatives(group)) for kind, group in frozen.items()},
        tuple(items["statement"]),
        tuple(items["heading"]),
    )
