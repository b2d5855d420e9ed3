"""Prose to masked sentences: what the phrase rules read.

In: paragraphs in reading order and the script. Out: :class:`Block` values. A block is a paragraph (or several
printed lines that are one paragraph), folded, without white space and quotation marks, in which every number,
year, date, percentage, title in 《》, address and ordinal is one mark, so that a rule names a kind of token and
never a digit. Percentages, dates, document numbers, telephone numbers and ordinals are marks of their own and
cannot be taken for a count. Every character leads back to the printed one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

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


@dataclass(frozen=True, slots=True)
class Token:
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


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph ready for rules; ``masked`` is what they see, sentences are spans of it."""

    masked: str
    tokens: dict[int, Token]
    sentences: tuple[tuple[int, int], ...]
    headings: tuple[Heading, ...]
    is_heading: bool
    _compact_at: tuple[int, ...]
    _raw_at: tuple[int, ...]
    _raw_end: tuple[int, ...]
    _pieces: tuple[Paragraph, ...]

    def document_span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the document that the masked characters ``start`` to ``end`` were printed on."""
        first, last = self._compact_at[start], self._compact_at[end] - 1
        return self._raw_at[first], self._raw_end[max(first, last)]

    def printed(self, start: int, end: int) -> str:
        """The printed text of the masked characters ``start`` to ``end``, runs of white space as one space."""
        raw_start, raw_end = self.document_span(start, end)
        parts = [
            p.text[max(0, raw_start - p.place.start) : max(0, raw_end - p.place.start)]
            for p in self._pieces
            if p.place.start < raw_end and p.place.start + len(p.text) > raw_start
        ]
        return re.sub(r"\s+", " ", " ".join(parts)).strip()

    def line_of(self, raw_start: int) -> int:
        """The line of the document on which the document offset lies."""
        piece = self._pieces[max(0, bisect_right([p.place.start for p in self._pieces], raw_start) - 1)]
        return piece.place.line + piece.text.count("\n", 0, max(0, raw_start - piece.place.start))


_COUNT_UNITS = (
    r"人次|件次|班次|场次|批次|篇次|条次|万元|千元|亿元|元"
    r"|件(?!事(?!项|宜))|条(?!例|款|件|线|龙|理)|篇(?!章)|次(?![性日年于])|人(?![民员均大才口社力])|名(?![称单录册])"
    r"|个(?!工作日|自然日|交易日|月|小时|百分点|季度|年|方面|环节|领域)|项(?!目)|份(?!额)|期(?![间限])|场(?![所景])"
    r"|起(?!草|来|点|诉(?!讼))|宗|例(?![如会行])|家(?![庭长])|户|则|处(?![室理罚长分置])|批(?![准复示])|位(?![于置列])"
    r"|部(?![门署分委队])|张|卷|册|幅|轮|回(?![应复])|堂|班|段"
)
_UNIT = rf"(?:{_COUNT_UNITS})"
_BEFORE = "(?:(?<![附最将接])近|(?<![预])约|大约|超过|超(?=[\\d一二三四五六七八九十百千])|逾|多达|不少于|至少|接近)"
_NUMERAL = CHINESE_NUMERAL[:-1] + "]"
_CN_YEAR = "[一二][〇○零Oo一二三四五六七八九]{3}"
_TOKEN = re.compile(
    r"(?P<address>https?:?//[\w./?=&%#:~-]+|www\.[\w./-]+|[\w.+-]+@[\w.-]+)"
    r"|(?P<title>《[^《》]{1,120}(?:《[^《》]{1,80}》[^《》]{0,80})?》)"
    r"|(?P<number_of>[〔\[(【﹝][12]\d{3}[〕\])】﹞]第?\d+号|\d+号)"
    r"|(?P<phone>\(?\d{3,4}\)?[-—]\d{6,8}(?!\d)|(?<!\d)1[3-9]\d{9}(?!\d))"
    r"|(?P<years>[12]\d{3}年?(?:-|—|–|~|至|到)[12]\d{3}年(?:度)?)"
    r"|(?P<months>(?:(?P<myear>[12]\d{3})年)?(?P<from>\d{1,2})月?份?(?:-|—|–|~|―|至|到)(?P<to>\d{1,2})月份?(?!\d))"
    rf"|(?P<year>(?<!\d)[12]\d{{3}}|{_CN_YEAR})年(?!来)度?(?P<month>\d{{1,2}}月份?(?:\d{{1,2}}日)?|底|末|初)?"
    r"|(?P<day>(?:(?<!\d)\d{1,2}|[一二三四五六七八九十]{1,2})月(?:份|底|末|初|(?:\d{1,2}|[一二三四五六七八九十]{1,3})日)?"
    r"|(?<!\d)\d{1,2}日|第?[一二三四1-4]季度)"
    rf"|(?P<ordinal>第(?:\d+|{_NUMERAL}+)(?:{_UNIT}|[条款章节号届季])?)"
    rf"|(?P<percent>{ARABIC_NUMBER}(?:余|多)?(?:%|‰|个百分点|倍)|百分之{_NUMERAL}+|{_NUMERAL}成(?!立|为|果|员|效|功))"
    rf"|(?P<kinds>(?:{ARABIC_NUMBER}|{_NUMERAL}+)(?:余)?(?:个)?(?:大类|小类|类|大项|个方面)(?!别))"
    rf"|(?P<range>(?<![A-Za-z0-9.]){ARABIC_NUMBER}{_UNIT}?(?:-|—|–|~|至|到|/|\*|:){ARABIC_NUMBER}{_UNIT}?)"
    rf"|(?P<arabic>(?P<before>{_BEFORE})?(?<![A-Za-z0-9.\-])(?P<number>{ARABIC_NUMBER})"
    rf"(?P<more>{APPROXIMATE_AFTER}(?=[万亿]))?(?P<myriad>[万亿](?!元))?"
    rf"(?P<after>余|多|几|有余)?(?P<unit>{_UNIT})?(?P<later>左右|以上|上下|多(?=[,。;、])|有余)?)"
    rf"|(?P<chinese>(?P<cbefore>{_BEFORE})?(?<![统同唯单第之逐任某进不专划归])(?P<numeral>{_NUMERAL}+)"
    rf"(?P<cafter>余|多|几)?(?P<cunit>{_UNIT})(?P<clater>左右|以上)?)"
    r"|(?P<zero>(?<=为)零(?![一-龥]))"
    rf"|(?P<vague>[数几上](?:十|百|千|万)(?:{_UNIT})?)"
)
_DROPPED = frozenset("“”\"‘’'「」『』„‟\u200b\u200c\u200d\ufeff")
_NOTHING = "\u200b"
_KEPT = re.compile(f"[^\\s{''.join(sorted(_DROPPED))}]+")
_SPACE = re.compile(r"\s")
_WORDS = re.compile("[A-Za-z0-9]{2}")
# The name of an account says nothing of what it published.
_ACCOUNT_NAME = re.compile(
    '(?:公众号|公众平台|微博|微信|官方账号)([“"「『][^”"」』,。;]{1,16}[”"」』])'
    r"|(?:网站|网|微博|微信|公众号)(\([^()\d,。;]{2,20}(?:网|网站|号|发布|平台|微博|微信)\))"
    '|([“"「『][^”"」』,。;]{1,16}[”"」』])(?=(?:政务|官方|门户)?(?:微信|微博|公众号|网站|新媒体|客户端|门户网站))'
)
# Signs of Markdown for bold print and headings.
_MARKDOWN = re.compile(r"\*\*+|^\s*#{1,6}\s+")
_SENTENCE = re.compile(r"[^。!?]*(?:[。!?]+|$)")
_NUMERALS = "一二三四五六七八九十"
_ENUMERATOR = re.compile(
    rf"^(?:(?P<l1>第?[{_NUMERALS}]{{1,3}}(?:[、.:]|部分[,:]?))|(?P<l2>\([{_NUMERALS}]{{1,3}}\)[、.]?)"
    rf"|(?P<l3>(?:\d{{1,2}}|{Mark.BARE.value})[.、,](?!\d))|(?P<l4>\((?:\d{{1,2}}|{Mark.BARE.value})\)[、.]?|[①-⑳]))"
)
_LIST_START = re.compile(rf"^(?:[{_NUMERALS}]是|其[{_NUMERALS}]|首先|附[:件表]|[〔\[【(])")
_OPEN_END = re.compile(r"[。;:!?》)】\]…]$")
_PLAIN_HEADING = re.compile(
    r"[^,无未没]*(?:情况|问题|打算|措施|事项|工作|报告|计划|概述|引言|说明|建设|保障|公开|安排|思路)$"
)
# A character that every token has, and the length of a text that is likely to be the cell of a table.
_TOKEN_SIGN = re.compile(r"[\d@《第零数几上\[]|www|http|" + CHINESE_NUMERAL)
_MAX_CELL = 16
_MAX_HEADING = 45
_MAX_RUN_IN = 26
# One unit by two names.
_SAME_UNIT = {"件次": "件", "条次": "条", "篇次": "篇"}
_LARGE = {"万": 10_000, "亿": 100_000_000}


def _year(text: str) -> int | None:
    if text.isdigit():
        return int(text)
    return parse_chinese_numeral(re.sub("[Oo○]", "〇", text))


def _token(match: re.Match[str]) -> Token | None:
    """The token of a match of the token pattern; None leaves the characters as they are."""
    start, end = match.start(), match.end()
    if match["arabic"]:
        number = match["number"]
        if not match["unit"] and len(number.replace(",", "")) >= 7:
            return Token(Mark.OTHER, start, end)
        value = Decimal(number.replace(",", ""))
        if match["myriad"]:
            value *= _LARGE[match["myriad"]]
        approximate = any(match[g] for g in ("before", "more", "after", "later"))
        mark = Mark.QUANTITY if match["unit"] else Mark.BARE
        return Token(mark, start, end, value, _SAME_UNIT.get(match["unit"], match["unit"]), approximate)
    if match["chinese"]:
        numeral = parse_chinese_numeral(match["numeral"])
        if numeral is None:
            return Token(Mark.OTHER, start, end)
        approximate = any(match[g] for g in ("cbefore", "cafter", "clater"))
        return Token(
            Mark.QUANTITY, start, end, Decimal(numeral), _SAME_UNIT.get(match["cunit"], match["cunit"]), approximate
        )
    if match["zero"]:
        return Token(Mark.BARE, start, end, Decimal(0))
    if match["year"]:
        return Token(Mark.DATE if match["month"] else Mark.YEAR, start, end, year=_year(match["year"]))
    if match["months"]:
        whole = int(match["from"]) == 1 and int(match["to"]) == 12
        year = int(match["myear"]) if match["myear"] else None
        return Token((Mark.YEAR if year else Mark.OTHER) if whole else Mark.DATE, start, end, year=year)
    if match["years"]:
        return Token(Mark.DATE, start, end)
    if match["title"]:
        return Token(Mark.TITLE, start, end)
    if match["percent"]:
        return Token(Mark.PERCENT, start, end)
    if match["day"]:
        return Token(Mark.DATE, start, end)
    return Token(Mark.OTHER, start, end)


@lru_cache(maxsize=8192)
def _mask_short(compact: str) -> tuple[str, dict[int, Token], list[int]]:
    return _mask(compact)


def mask(compact: str) -> tuple[str, dict[int, Token], list[int]]:
    """Mask a compact text: the masked text, its tokens by position, and the way back; not to be changed."""
    return _mask_short(compact) if len(compact) <= _MAX_CELL else _mask(compact)


def _mask(compact: str) -> tuple[str, dict[int, Token], list[int]]:
    if not _TOKEN_SIGN.search(compact):
        return compact, {}, list(range(len(compact) + 1))
    pieces: list[str] = []
    at: list[int] = []
    tokens: dict[int, Token] = {}
    last = 0
    for match in _TOKEN.finditer(compact):
        token = _token(match)
        if token is None:
            continue
        pieces.append(compact[last : match.start()])
        at.extend(range(last, match.start()))
        tokens[len(at)] = token
        pieces.append(token.mark.value)
        at.append(match.start())
        last = match.end()
    pieces.append(compact[last:])
    at.extend(range(last, len(compact)))
    at.append(len(compact))
    return "".join(pieces), tokens, at


def _compact(paragraph: Paragraph, script: Script) -> tuple[str, list[int], list[int]]:
    """Folded characters without white space and quotes, with the document span of each."""
    folded = fold(paragraph.text, script)
    text, offsets, base = folded.text, folded.offsets, paragraph.place.start
    names = {i for m in _ACCOUNT_NAME.finditer(text) for g in (1, 2, 3) for i in range(m.start(g), m.end(g))}
    names.update(i for m in _MARKDOWN.finditer(text) for i in range(m.start(), m.end()))
    if names:
        text = "".join(_NOTHING if i in names else char for i, char in enumerate(text))
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    last, last_end = "", 0
    for run in _KEPT.finditer(text):
        first, end, piece = run.start(), run.end(), run.group()
        if last and _WORDS.fullmatch(last + piece[0]) and _SPACE.search(text, last_end, first):
            pieces.append(" ")
            starts.append(base + offsets[first])
            ends.append(base + offsets[first])
        pieces.append(piece)
        starts.extend(base + at for at in offsets[first:end])
        ends.extend(base + max(offsets[i + 1], offsets[i] + 1) for i in range(first, end))
        last, last_end = piece[-1], end
    return "".join(pieces), starts, ends


def _heading_of(masked: str) -> tuple[Heading, int] | None:
    """The heading a masked paragraph is or starts with, and where its body begins."""
    match = _ENUMERATOR.match(masked)
    level = 1
    start = 0
    if match:
        level = next(i for i in range(1, 5) if match[f"l{i}"])
        start = match.end()
    stop = re.search(r"[。:;!?]", masked[start:])
    body = len(masked) if stop is None else start + stop.end()
    text = masked[start:body].rstrip("。:;!?")
    counts = (Mark.QUANTITY.value, Mark.BARE.value)
    if any(c in text for c in counts):
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


def _joins(previous: str, previous_line: int, paragraph: Paragraph, compact: str) -> bool:
    """Whether a printed line goes on with the sentence of the line before it."""
    return (
        len(previous) >= 24
        and not (_ENUMERATOR.match(previous) and len(previous) <= _MAX_HEADING and not re.search("[,。;]", previous))
        and paragraph.place.line == previous_line + 1
        and not _OPEN_END.search(previous)
        and not _ENUMERATOR.match(compact)
        and not _LIST_START.match(compact)
    )


def read_blocks(paragraphs: Sequence[Paragraph], script: Script) -> list[Block]:
    """Fold, join, mask and split the paragraphs; each block knows the headings above it."""
    groups: list[tuple[str, list[int], list[int], list[Paragraph]]] = []
    previous_line = -1
    for paragraph in paragraphs:
        compact, starts, ends = _compact(paragraph, script)
        if not compact:
            continue
        if groups and _joins(groups[-1][0], previous_line, paragraph, compact):
            old = groups[-1]
            groups[-1] = (old[0] + compact, old[1] + starts, old[2] + ends, [*old[3], paragraph])
        else:
            groups.append((compact, starts, ends, [paragraph]))
        previous_line = paragraph.place.line + paragraph.text.count("\n")
    blocks: list[Block] = []
    stack: list[Heading] = []
    for compact, starts, ends, pieces in groups:
        masked, tokens, at = mask(compact)
        found = _heading_of(masked)
        body = 0
        if found:
            heading, body = found
            stack = [h for h in stack if h.level < heading.level]
            stack.append(heading)
        sentences = tuple(
            (m.start() + body, m.end() + body) for m in _SENTENCE.finditer(masked[body:]) if m.end() > m.start()
        )
        blocks.append(
            Block(
                masked,
                tokens,
                sentences,
                tuple(stack),
                found is not None and body >= len(masked),
                tuple(at),
                tuple(starts),
                tuple(ends),
                tuple(pieces),
            )
        )
    return blocks
