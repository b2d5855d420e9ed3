"""Prose to masked sentences: what the phrase rules read.

In: paragraphs in reading order and the script. Out: :class:`Block` values. A block is a paragraph (or several
printed lines that are one paragraph), folded, without white space and quotation marks, in which every number,
year, date, percentage, title in 《》, address and ordinal is one mark, so that a rule names a kind of token and
never a digit. Percentages, dates, document numbers, telephone numbers and ordinals are marks of their own and
cannot be taken for a count. Every character leads back to the printed one.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import NamedTuple

from loaders.model import Paragraph, Script
from loaders.text.fold import fold
from loaders.text.numbers import APPROXIMATE_AFTER, ARABIC_NUMBER, CHINESE_NUMERAL, parse_chinese_numeral


class Mark(StrEnum):
    """The character that stands for a kind of token in a masked text."""

    QUANTITY = "\ue000"
    BARE = "\ue001"
    PERCENT = "\ue002"
    YEAR = "\ue003"
    DATE = "\ue004"
    TITLE = "\ue005"
    OTHER = "\ue006"


class Token(NamedTuple):
    """A masked piece: ``start`` to ``end`` in the compact text; a count has ``value`` and ``unit``."""

    mark: Mark
    start: int
    end: int
    value: Decimal | None = None
    unit: str | None = None
    is_approximate: bool = False
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading with its level (1 for 一、, 4 for (1)); masked text without the enumerator."""

    level: int
    text: str


class _Run(NamedTuple):
    """Characters printed without a break: from ``start`` of the compact text on, ``folded`` of the folded paragraph.

    A blank that parts two words stands for no printed character.
    """

    start: int
    folded: int
    base: int
    offsets: Sequence[int]
    is_blank: bool


@dataclass(frozen=True)
class Block:
    """A paragraph ready for rules; ``masked`` is what they see, sentences are spans of it."""

    masked: str
    tokens: dict[int, Token]
    sentences: tuple[tuple[int, int], ...]
    headings: tuple[Heading, ...]
    is_heading: bool
    _runs: Sequence[_Run]
    _pieces: Sequence[Paragraph]

    @cached_property
    def _token_places(self) -> tuple[int, ...]:
        return tuple(self.tokens)

    @cached_property
    def _stops(self) -> tuple[int, ...]:
        return tuple(m.start() for m in _CLAUSE_END.finditer(self.masked))

    def tokens_in(self, start: int, end: int) -> Sequence[int]:
        """The masked positions of the tokens from ``start`` to ``end``."""
        places = self._token_places
        return places[bisect_left(places, start) : bisect_left(places, end)]

    def earlier(self, sentence: tuple[int, int], count: int | None = None) -> Sequence[tuple[int, int]]:
        """The sentences before a sentence, or the last ``count`` of them."""
        index = bisect_left(self.sentences, sentence)
        return self.sentences[0 if count is None else max(0, index - count) : index]

    def clause_start(self, sentence: tuple[int, int], position: int) -> int:
        """Where the clause of a position begins."""
        index = bisect_left(self._stops, position)
        return max(sentence[0], self._stops[index - 1] + 1) if index else sentence[0]

    def clause_end(self, sentence: tuple[int, int], position: int) -> int:
        """Where the clause of a position ends, its punctuation left out."""
        index = bisect_left(self._stops, position)
        return min(sentence[1], self._stops[index]) if index < len(self._stops) else sentence[1]

    def _compact_at(self, position: int) -> int:
        """Where in the compact text a masked position lies."""
        index = bisect_left(self._token_places, position)
        if not index:
            return position
        place = self._token_places[index - 1]
        return self.tokens[place].end + position - place - 1

    def _printed_at(self, position: int) -> tuple[int, int]:
        """The span of the document that a character of the compact text was printed on."""
        run = self._runs[bisect_right(self._run_starts, position) - 1]
        at = run.folded + position - run.start
        start = run.offsets[at]
        end = start if run.is_blank else max(run.offsets[at + 1], start + 1)
        return run.base + start, run.base + end

    @cached_property
    def _run_starts(self) -> list[int]:
        return [run.start for run in self._runs]

    @cached_property
    def _piece_starts(self) -> list[int]:
        return [piece.place.start for piece in self._pieces]

    def document_span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the document that the masked characters ``start`` to ``end`` were printed on."""
        first, last = self._compact_at(start), self._compact_at(end) - 1
        return self._printed_at(first)[0], self._printed_at(max(first, last))[1]

    def _piece_at(self, raw_start: int) -> int:
        return max(0, bisect_right(self._piece_starts, raw_start) - 1)

    def printed(self, start: int, end: int) -> str:
        """The printed text of the masked characters ``start`` to ``end``, runs of white space as one space."""
        raw_start, raw_end = self.document_span(start, end)
        parts = []
        for at in range(self._piece_at(raw_start), len(self._pieces)):
            piece = self._pieces[at]
            if piece.place.start >= raw_end:
                break
            parts.append(piece.text[max(0, raw_start - piece.place.start) : max(0, raw_end - piece.place.start)])
        return " ".join(" ".join(parts).split())

    def line_of(self, raw_start: int) -> int:
        """The line of the document on which the document offset lies."""
        piece = self._pieces[self._piece_at(raw_start)]
        return piece.place.line + piece.text.count("\n", 0, max(0, raw_start - piece.place.start))


_CLAUSE_END = re.compile("[,;:。!?]")
_COUNT_UNITS = (
    r"人次|件次|班次|场次|批次|篇次|条次|万元|千元|亿元|元"
    r"|件(?!事(?!项|宜))|条(?!例|款|件|线|龙|理)|篇(?!章)|次(?![性日年于])|人(?![民员均大才口社力])|名(?![称单录册])"
    r"|个(?!工作日|自然日|交易日|月|小时|百分点|季度|年|方面|环节|领域)|项(?!目)|份(?!额)|期(?![间限])|场(?![所景])"
    r"|起(?!草|来|点|诉(?!讼))|宗|例(?![如会行])|家(?![庭长])|户|则|处(?![室理罚长分置])|批(?![准复示])|位(?![于置列])"
    r"|部(?![门署分委队])|张|卷|册|幅|轮|回(?![应复])|堂|班|段"
)
_UNIT = rf"(?:{_COUNT_UNITS})"
_UNIT_STARTS = frozenset(re.findall(r"(?:^|\|)([一-龥])", re.sub(r"\([^()]*(?:\([^()]*\))?\)", "", _COUNT_UNITS)))
_BEFORE = "(?:(?<![附最将接])近|(?<![预])约|大约|超过|超(?=[\\d一二三四五六七八九十百千])|逾|多达|不少于|至少|接近)"
_HAN_DIGITS = CHINESE_NUMERAL[1:-1]
_NUMERAL = f"[{_HAN_DIGITS}]"
_CN_YEAR = "[一二][〇○零Oo一二三四五六七八九]{3}"
# A number is read whole or not at all, so that a run of digits is walked once.
_NUMBER = f"(?>{ARABIC_NUMBER})"
_URL = r"https?:?//[\w./?=&%#:~-]+|www\.[\w./-]+"
_ADDRESS = re.compile(rf"(?:{_URL}|[\w.+-]+@[\w.-]+)")
_EMAIL_START = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w.-]")
# More digits than any count has.
_MAX_DIGITS, _MAX_NUMERAL = 19, 25
# The kinds of token, the first that fits wins.
_KINDS = {
    "endless": rf"\d{{{_MAX_DIGITS},}}|\d{{1,3}}(?:,\d{{3}}){{7,}}|{_NUMERAL}{{{_MAX_NUMERAL},}}",
    "address": _URL,
    "title": r"《[^《》]{1,120}(?:《[^《》]{1,80}》[^《》]{0,80})?》",
    "number_of": r"[〔\[(【﹝][12]\d{3}[〕\])】﹞]第?\d+号|\d+号",
    "phone": r"\(?\d{3,4}\)?[-—]\d{6,8}(?!\d)|(?<!\d)1[3-9]\d{9}(?!\d)",
    "years": r"[12]\d{3}年?(?:-|—|–|~|至|到)[12]\d{3}年(?:度)?",
    "months": r"(?:(?P<myear>[12]\d{3})年)?(?P<from>\d{1,2})月?份?(?:-|—|–|~|―|至|到)(?P<to>\d{1,2})月份?(?!\d)",
    "date": rf"(?P<year>(?<!\d)[12]\d{{3}}|{_CN_YEAR})年(?!来)度?(?P<month>\d{{1,2}}月份?(?:\d{{1,2}}日)?|底|末|初)?",
    "day": r"(?:(?<!\d)\d{1,2}|[一二三四五六七八九十]{1,2})月(?:份|底|末|初|(?:\d{1,2}|[一二三四五六七八九十]{1,3})日)?"
    r"|(?<!\d)\d{1,2}日|第?[一二三四1-4]季度",
    "ordinal": rf"第(?:\d+|{_NUMERAL}+)(?:{_UNIT}|[条款章节号届季])?",
    "percent": rf"{_NUMBER}(?:余|多)?(?:%|‰|个百分点|倍)|百分之{_NUMERAL}+|{_NUMERAL}成(?!立|为|果|员|效|功)",
    "kinds": rf"(?:{_NUMBER}|{_NUMERAL}+)(?:余)?(?:个)?(?:大类|小类|类|大项|个方面)(?!别)",
    "range": rf"(?<![A-Za-z0-9.]){_NUMBER}{_UNIT}?(?:-|—|–|~|至|到|/|\*|:){_NUMBER}{_UNIT}?",
    "arabic": rf"(?P<before>{_BEFORE})?(?<![A-Za-z0-9.\-])(?P<number>{_NUMBER})"
    rf"(?P<more>{APPROXIMATE_AFTER}(?=[万亿]))?(?P<myriad>[万亿](?!元))?"
    rf"(?P<after>余|多|几|有余)?(?P<unit>{_UNIT})?(?P<later>左右|以上|上下|多(?=[,。;、])|有余)?",
    "chinese": rf"(?P<cbefore>{_BEFORE})?(?<![统同唯单第之逐任某进不专划归])(?P<numeral>{_NUMERAL}+)"
    rf"(?P<cafter>余|多|几)?(?P<cunit>{_UNIT})(?P<clater>左右|以上)?",
    "zero": r"(?<=为)零(?![一-龥])",
    "vague": rf"[数几上](?:十|百|千|万)(?:{_UNIT})?",
}


def _any_of(kinds: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{kind}>{_KINDS[kind]})" for kind in kinds))


_TOKEN = _any_of(_KINDS)
_TOKEN_OF_DIGITS = _any_of(kind for kind in _KINDS if kind not in ("address", "title", "chinese", "zero", "vague"))
_TOKEN_OF_NUMERALS = _any_of(("endless", "date", "day", "percent", "kinds", "chinese", "zero"))
# The first character of every token but an e-mail address, with enough behind it to pass over most others.
_TOKEN_START = re.compile(
    rf"[\d《第数几上hw〔\[(【﹝近约大超逾多不至接{_HAN_DIGITS}]"
    rf"(?:(?P<digit>(?<=\d))|(?P<numeral>(?<={_NUMERAL})(?=(?:{_NUMERAL}|[〇○零Oo]){{0,{_MAX_NUMERAL - 1}}}"
    rf"[{_HAN_DIGITS}余多几年月成季分个大小类{''.join(sorted(_UNIT_STARTS))}]|(?<=为零)))|(?<=[《第])"
    rf"|(?<=[〔\[(【﹝])(?=\d)|(?<=[数几上])(?=[十百千万])|(?<=h)(?=ttp)|(?<=w)(?=ww)"
    rf"|(?<=[近约大超逾多不至接])(?=.{{0,2}}[\d{_HAN_DIGITS}]))"
)
_DROPPED = frozenset("“”\"‘’'「」『』„‟\u200b\u200c\u200d\ufeff")
_NOTHING = "\u200b"
_KEPT = re.compile(f"[^\\s{''.join(sorted(_DROPPED))}]+")
_SPACE = re.compile(r"\s")
_WORDS = re.compile("[A-Za-z0-9]{2}")
# The name of an account says nothing of what it published.
_ACCOUNT_NAME = re.compile(
    '[“"「『(](?:(?<![(])(?:'
    + "|".join(f"(?<={word}.)" for word in ("公众号", "公众平台", "微博", "微信", "官方账号"))
    + ')[^”"」』,。;]{1,16}[”"」』]|(?<=[(])(?:'
    + "|".join(f"(?<={word}.)" for word in ("网站", "网", "微博", "微信", "公众号"))
    + r")[^()\d,。;]{2,20}(?:网|网站|号|发布|平台|微博|微信)\)"
    + '|(?<![(])[^”"」』,。;]{1,16}[”"」』](?=(?:政务|官方|门户)?(?:微信|微博|公众号|网站|新媒体|客户端|门户网站)))'
)
# Signs of Markdown for bold print and headings.
_MARKDOWN = re.compile(r"\*\*+|^\s*#{1,6}\s+")
_SENTENCE = re.compile(r"[^。!?]*(?:[。!?]+|$)")
_NUMERALS = "一二三四五六七八九十"
_ENUMERATOR = re.compile(
    rf"^(?:(?P<l1>第?[{_NUMERALS}]{{1,3}}(?:[、.:]|部分[,:]?))|(?P<l2>\([{_NUMERALS}]{{1,3}}\)[、.]?)"
    rf"|(?P<l3>(?:\d{{1,2}}|{Mark.BARE.value})[.、,](?!\d))|(?P<l4>\((?:\d{{1,2}}|{Mark.BARE.value})\)[、.]?|[①-⑳]))"
)
_LIST_START = rf"^(?:[{_NUMERALS}]是|其[{_NUMERALS}]|首先|附[:件表]|[〔\[【(])"
_LINE_START = re.compile(f"{_ENUMERATOR.pattern}|{_LIST_START}")
_OPEN_END = "。;:!?》)】]…"
_HEADING_END = re.compile("[。:;!?]")
_PLAIN_HEADING = re.compile(
    r"[^,无未没]*(?:情况|问题|打算|措施|事项|工作|报告|计划|概述|引言|说明|建设|保障|公开|安排|思路)$"
)
# The length of a text that is likely to be the cell of a table.
_MAX_CELL = 16
_MAX_HEADING = 45
_MIN_FULL_LINE = 24
_MAX_RUN_IN = 26
# One unit by two names.
_SAME_UNIT = {"件次": "件", "条次": "条", "篇次": "篇"}
_LARGE = {"万": 10_000, "亿": 100_000_000}


def _year(text: str) -> int | None:
    if text.isdigit():
        return int(text)
    return parse_chinese_numeral(re.sub("[Oo○]", "〇", text))


_MARK_OF = {"years": Mark.DATE, "day": Mark.DATE, "title": Mark.TITLE, "percent": Mark.PERCENT}


def _token(match: re.Match[str]) -> Token:
    """The token of a match of a token pattern."""
    start, end = match.span()
    kind = match.lastgroup
    if kind == "arabic":
        before, number, more, myriad, after, unit, later = match.group(
            "before", "number", "more", "myriad", "after", "unit", "later"
        )
        number = number.replace(",", "")
        if len(number) >= (_MAX_DIGITS if unit else 7):
            return Token(Mark.OTHER, start, end)
        value = Decimal(number)
        if myriad:
            value *= _LARGE[myriad]
        mark = Mark.QUANTITY if unit else Mark.BARE
        return Token(mark, start, end, value, _SAME_UNIT.get(unit, unit), bool(before or more or after or later))
    if kind == "chinese":
        numeral = parse_chinese_numeral(match["numeral"])
        if numeral is None:
            return Token(Mark.OTHER, start, end)
        unit = _SAME_UNIT.get(match["cunit"], match["cunit"])
        approximate = bool(match["cbefore"] or match["cafter"] or match["clater"])
        return Token(Mark.QUANTITY, start, end, Decimal(numeral), unit, approximate)
    if kind == "zero":
        return Token(Mark.BARE, start, end, Decimal(0))
    if kind == "date":
        return Token(Mark.DATE if match["month"] else Mark.YEAR, start, end, year=_year(match["year"]))
    if kind == "months":
        whole = int(match["from"]) == 1 and int(match["to"]) == 12
        year = int(match["myear"]) if match["myear"] else None
        return Token((Mark.YEAR if year else Mark.OTHER) if whole else Mark.DATE, start, end, year=year)
    return Token(_MARK_OF.get(kind or "", Mark.OTHER), start, end)


@lru_cache(maxsize=8192)
def _mask_short(compact: str) -> tuple[str, dict[int, Token]]:
    return _mask(compact)


def mask(compact: str) -> tuple[str, dict[int, Token]]:
    """Mask a compact text: the masked text and its tokens by position; not to be changed."""
    return _mask_short(compact) if len(compact) <= _MAX_CELL else _mask(compact)


def _find_tokens(compact: str) -> Iterator[Token]:
    """The tokens of a compact text in order."""
    patterns = {"digit": _TOKEN_OF_DIGITS, "numeral": _TOKEN_OF_NUMERALS, None: _TOKEN}
    starts = [(m.start(), patterns[m.lastgroup]) for m in _TOKEN_START.finditer(compact)]
    if "@" in compact:
        starts += [(m.start(), _ADDRESS) for m in _EMAIL_START.finditer(compact)]
        starts.sort(key=lambda start: (start[0], start[1] is not _ADDRESS))
    last = 0
    for start, pattern in starts:
        if start < last and pattern is not _ADDRESS:
            continue
        if match := pattern.match(compact, max(start, last)):
            last = match.end()
            yield Token(Mark.OTHER, *match.span()) if pattern is _ADDRESS else _token(match)


def _mask(compact: str) -> tuple[str, dict[int, Token]]:
    pieces: list[str] = []
    tokens: dict[int, Token] = {}
    last = at = 0
    for token in _find_tokens(compact):
        pieces.append(compact[last : token.start])
        at += token.start - last
        tokens[at] = token
        pieces.append(token.mark)
        at += 1
        last = token.end
    pieces.append(compact[last:])
    return "".join(pieces), tokens


@dataclass(slots=True)
class _Group:
    """Printed lines that are one paragraph: their compact text in parts, and the way back."""

    parts: list[str] = field(default_factory=list)
    runs: list[_Run] = field(default_factory=list)
    pieces: list[Paragraph] = field(default_factory=list)
    length: int = 0

    def append(self, paragraph: Paragraph, parts: list[str], runs: list[_Run]) -> None:
        """Add the compact text of a line."""
        self.runs += [run._replace(start=run.start + self.length) for run in runs] if self.length else runs
        self.parts += parts
        self.length += sum(map(len, parts))
        self.pieces.append(paragraph)


def _blank_out(match: re.Match[str]) -> str:
    return _NOTHING * (match.end() - match.start())


def _compact(paragraph: Paragraph, script: Script) -> tuple[list[str], list[_Run]]:
    """Folded characters without white space and quotes, with the way back."""
    folded = fold(paragraph.text, script)
    text, offsets, base = folded.text, folded.offsets, paragraph.place.start
    text = _ACCOUNT_NAME.sub(_blank_out, text)
    if "*" in text or "#" in text:
        text = _MARKDOWN.sub(_blank_out, text)
    parts: list[str] = []
    runs: list[_Run] = []
    length = last_end = 0
    for kept in _KEPT.finditer(text):
        start, part = kept.start(), kept.group()
        if parts and _WORDS.fullmatch(parts[-1][-1] + part[0]) and _SPACE.search(text, last_end, start):
            parts.append(" ")
            runs.append(_Run(length, start, base, offsets, is_blank=True))
            length += 1
        parts.append(part)
        runs.append(_Run(length, start, base, offsets, is_blank=False))
        length += len(part)
        last_end = kept.end()
    return parts, runs


def _heading_of(masked: str) -> tuple[Heading, int] | None:
    """The heading a masked paragraph is or starts with, and where its body begins."""
    match = _ENUMERATOR.match(masked)
    level = 1
    start = 0
    if match:
        level = next(i for i in range(1, 5) if match[f"l{i}"])
        start = match.end()
    stop = _HEADING_END.search(masked, start)
    body = len(masked) if stop is None else stop.end()
    text = masked[start:body].rstrip("。:;!?")
    if Mark.QUANTITY.value in text or Mark.BARE.value in text:
        return None
    if stop is None:
        if text and len(text) <= _MAX_HEADING and (match or (len(text) <= 30 and _PLAIN_HEADING.match(text))):
            return Heading(level, text), len(masked)
        return None
    if level >= 3 and (body == len(masked) or re.search("未|没有|不收|无", text)):
        return None
    if match and 0 < len(text) <= _MAX_RUN_IN and "," not in text:
        return Heading(level, text), body
    return None


def _joins(previous: _Group, compact: str) -> bool:
    """Whether a printed line goes on with the sentence of the lines before it."""
    if previous.length < _MIN_FULL_LINE or previous.parts[-1][-1] in _OPEN_END or _LINE_START.match(compact):
        return False
    text = "".join(previous.parts) if previous.length <= _MAX_HEADING else ""
    return not (_ENUMERATOR.match(text) and not re.search("[,。;]", text))


def read_blocks(paragraphs: Sequence[Paragraph], script: Script) -> list[Block]:
    """Fold, join, mask and split the paragraphs; each block knows the headings above it."""
    groups: list[_Group] = []
    next_line = 0
    for paragraph in paragraphs:
        parts, runs = _compact(paragraph, script)
        if not parts:
            continue
        if not (groups and paragraph.place.line == next_line and _joins(groups[-1], "".join(parts))):
            groups.append(_Group())
        groups[-1].append(paragraph, parts, runs)
        next_line = paragraph.place.line + paragraph.text.count("\n") + 1
    blocks: list[Block] = []
    stack: list[Heading] = []
    for group in groups:
        masked, tokens = mask("".join(group.parts))
        found = _heading_of(masked)
        body = 0
        if found:
            heading, body = found
            stack = [h for h in stack if h.level < heading.level]
            stack.append(heading)
        sentences = tuple(m.span() for m in _SENTENCE.finditer(masked, body) if m.end() > m.start())
        is_heading = found is not None and body >= len(masked)
        blocks.append(Block(masked, tokens, sentences, tuple(stack), is_heading, group.runs, group.pieces))
    return blocks
