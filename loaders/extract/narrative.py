"""Figures stated in the prose of a report.

In: the paragraphs of one report, its form, script and year. Out: metric rows of source kind ``narrative`` and
issues. A figure is read where a label phrase of the seeds and a number stand in one of the frames of the phrase
notation (:mod:`loaders.extract.phrases`), or where a sentence says that there was none. Nothing is read from a
number alone. A figure is refused where the words around it speak of another year, a change, a plan, a running
total, a part of the year, another body or a part of the matter; where two readings are left, nothing is taken
and the issue ``ambiguous_value`` says so. The function is pure: same input, same rows.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, cached_property
from typing import NamedTuple

from loaders.extract.phrases import Concept, NarrativeVocabulary, Phrase, load_narrative_vocabulary
from loaders.extract.prose import Block, Mark, Token, read_blocks
from loaders.model import Issue, MetricRow, Paragraph, Place, Script, SourceKind, ValueStatus
from loaders.text.numbers import convert_unit
from loaders.vocabulary import load_vocabulary

_N, _B, _Y, _D, _T = (m.value for m in (Mark.QUANTITY, Mark.BARE, Mark.YEAR, Mark.DATE, Mark.TITLE))
_ANY = "".join(m.value for m in Mark)
_HAN = re.compile("[一-龥]")
_NEGATION = re.compile(
    r"(?:均|暂|尚|从|并|也|都|亦|全)?(?:未曾|未有|未(?!来|经|必|成年|按|办结|能|及时|答复|公开|如|尽|达)|没有|没(?!收|有)"
    r"|不再(?=收)|不(?=收取|收费|收缴)|零(?=收费)|(?<!有)无(?!法|偿|障碍|关(?!于)|论|线|误|条件|正当|纸|缝|形|效|人机|缘|需(?!要))|不存在)|已?停止(?=收取|征收)"
)
# One of these characters stands in every negation.
_NOTHING = re.compile("[未没不零无停]")
_NEGATED_LABEL = re.compile(
    "(?:未|没有|没|不|无|非|尚未|不再)(?:曾|能|有|予|及时|按时|按期|依法|按规定|按要求|完全){0,3}$"
)
_NONE_ALONE = re.compile(
    r"^(?:本年度|全年|本年|本单位|本机关|我局|目前|暂|均|为|\ue003|,|:)*"
    r"(?:无|没有|未发生|未涉及|不涉及|无此类情况|无相关情况|无此情况|\ue000)[。;.]?$"
)
_JOINED = re.compile("(?:[、和及与或/]|以及|或者|暨)$")
_ORG = re.compile(
    rf"(?:^|[,;:。])(?:[{_Y}{_D}]|今年|全年|其中|度|本年度|,)*(?P<name>[^,;:。、{_ANY}进规加强对按由经为将把在通向与和及推做完认严积充共收受的包括含其于设以举召参赴邀至是了]{{1,12}}?"
    r"(?:局|委员会|委|办公室|办公厅|街道办事处|街道办|街道|镇|乡|大队|中心|公司|法院|医院|学校|集团|镇政府|人民政府|政府|厅|处|院))"
    rf"(?=[{_Y}{_D},收受共主公发召举开全年组累未没无通在办接新设配有制于已])"
)
_SELF_ORG = re.compile("^(?:我|本|全|该|各级)|^(?:局|委|厅|院|处|办公室)$")
_FULL_YEAR = re.compile(f"{_D}(?:起|日)?,?(?:至|到|-|—|~|―)(?:{_D}|12月)")
_CHANNELS = re.compile(
    "网站|官网|信息网|政务网|微信|微博|公众号|客户端|报刊|报纸|电视|公告栏|公开栏|公报|专栏|平台|宣传栏|显示屏|广播"
)
_ALL_WAYS = re.compile(
    "(?:通过|利用|以)?(?:各种|各类|多种|多个|不同|各|相关)(?:渠道|方式|形式|途径|载体|平台|媒介)|这?一年来?"
)
_CHANNEL_CLAUSE = re.compile("^(?:通过|在|利用|依托|借助|于|以|运用)")
_DISTRIBUTIVE = re.compile(r"分别|(?<!全市)(?<!全区)(?<!全县)(?<!全局)各(?!类|种|项|级|方|界|渠|自)")
_SUMMED = re.compile("^各[^,;:。]*(?:共|总)|各地区?各部门|各级各部门")
_SUBUNIT = re.compile("本级|[市区县州省]直|[市区县州]属")
_WHOLE_AREA = re.compile("全[市区县省州镇乡局委厅系]|各级|共|总|累计|各地区?各部门")
_OTHERWISE = re.compile("其中,?(?:涉及|关于|因|属于|有|与|对|针对)?(?:政府|政务)?(?:信息|政务)公开")
_PLAN_HEADING = re.compile("打算|下一步|计划|展望|思路|今后|明年|方向")
_SOME = re.compile("个别|部分(?!公开)|有的|一些|某|其中有一")
_YEAR_END = re.compile(f"(?:截至|截止|到)(?:本|当)?(?:年底|年末|{_D})(?=,)")
_PART_OF = re.compile("^(?:以上|以下)?的?(?:单位|部门|处室|科室|街道|乡镇|地区|区县)")
_AFTER_CARRIED = re.compile(f"(?:含|包括|其中[^。;]{{0,12}}?)(?:上年度?|去年|上一年度?|往年|{_Y})(?:度)?结转")
_ALL_CASES = re.compile("全[市县区省州旗]|法院|复议机关|公安|司法局")
_STAFF_WHOLE = re.compile(f"([^,;:。]*?)(?:工作)?人员[^,;:。{_N}]{{0,6}}{_N}[,(](?:其中)?[^;。]*$")
_SIBLING = re.compile("维持|纠|撤销|驳回")
_OGI_WORK = re.compile("(?<![校村厂党居财警检司院事])公开工作")
_OGI_REMEDY = re.compile("依申请公开|申请公开|政府信息|信息公开|政务公开")
_REQUEST_WORDS = re.compile("依申请公开|信息公开申请|申请公开|政府信息公开|信息公开|政务公开")
_TWO_YEARS = re.compile(f"{_Y}(?:[、和及与]|以及){_Y}")
# A year whose figure is quoted beside that of the report year (,2014年为97件).
_COMPARED_YEAR = re.compile(f"{_Y}(?:同期|全年)?(?:则?为|是|仅为?|只有|约为)[{_N}{_B}](?=[,;。)])")
# Cases that are not about disclosure, or the business of a body that hears or argues cases.
_OTHER_CASES = re.compile(
    "(?:其他|其它|其余|各类|各种|代理|代为|承办|审理|审结|立案|裁决|出庭|指导|监督|全部|所有|负责)[^,;:。]{0,12}$"
)
_HEARD = re.compile("办理|受理|审理|审结|立案|承办|代理|接收|收到|新收|办结|应诉|结案|化解|调解")
_HEARING_BODY = re.compile("司法|法制|法院|检察")
# More characters than a sentence has; every guard looks at all of it for every figure.
_MAX_SENTENCE = 12_000
# More matters than a statement of none lists.
_MAX_ITEMS = 100
# Documents by their class of disclosure.
_CLASSES = re.compile(f"主动公开(?:的|类)?[{_N}{_B}][^。;]{{0,6}}依申请公开(?:的|类)?[{_N}{_B}]")
_COUNTED_ELSEWHERE = re.compile(
    "^[^;。]{0,12}(?:已?并入|已?计入|已?纳入|未纳入|不在|未列入)[^,;。]{0,8}(?:统计|合计|总数|范围)"
)
_OUTCOME_LEAD = re.compile("(?:其中|有|已|,|、|:|并|分别为?|(?:办理|答复)?(?:结果|情况)(?:为|是)?)*")
_CUE = re.compile(f"共|总|全年|年度|年内|本年|今年|这一年|{_Y}")
# A statement of none may end with its negation: 行政复议、行政诉讼均未发生.
_NONE_END = re.compile("(?:发生|产生|出现|收到|接到|此类情况|相关情况|发生过|此类情形)?")
_TIME = f"(?:本年度?|全年度?|年内|当年|{_Y}|我局|本机关|本单位|也|都|均|全|全部|,)"
_TIME_ONLY = re.compile(f"{_TIME}*")
_TIME_TAIL = re.compile(f"{_TIME}+$")
_NEGATED_AFTER = frozenset(
    {"reconsideration_total", "litigation_total", "complaints_bare", "appeals", "requests_received"}
)
# A sentence that quotes a rule on fees, or its exception.
_RULE = re.compile("但是|但(?!全)|除|超过|原则上|应当|可以|规定:|规定,行政机关|有权|如需|的,不")
_COUNTED_REQUESTS = re.compile(f"申请[^。;]{{0,8}}[{_N}{_B}]|[{_N}][^。;,]{{0,12}}申请")
# What may stand anywhere in a label and says nothing of its matter.
_FILLER = re.compile(
    "(?<![至到入往的])(?:本年度内?|本年内?|年度内|年内|全年度?|当年)|(?<![上前去后来隔每近])一年来?(?![级期])"
    "|总共|一共|共计|累计|合计|共(?![同青产享和管用有性识])|仅|先后|了(?!解)"
)
# What is said of all of them, by the matter that is counted.
_ALL_OF_GROUP = {"staff_total": "ogi", "requests_received": "request", "reconsideration_total": "remedy"}
# Outcomes that are a group of grounds.
_GROUPS = ("不予公开", "不同意公开", "无法提供", "不予处理", "不予提供", "其他处理")
# Labels that are only clear as an item of a list.
_LISTED = frozenset(
    {
        *("via_website_bare", "via_weibo_bare", "via_weibo_listed", "via_wechat_bare", "via_wechat_posted"),
        *("via_gazette_bare", "via_other_bare", "proactive_normative_bare", "key_area_bidding_bare"),
        *("litigation_first_bare", "litigation_second_bare"),
    }
)
_BODY_END = re.compile("(?:局|委|办|厅|府|镇|乡|街道|院|部|署|会|中心|队|室|处|校|所|站|海关|法院|办事处|单位)$")
_SITE_PART = re.compile("(?:网站|官网|平台|网)([^,]{1,20}?)(?:专栏|栏目|频道|板块)")
_HANDLED = re.compile(
    "收[集到]|维护|删除|检查|抽查|监[测管看]|采[集编写]|编辑|审[核查批]|清[理查]|修[订改]|办理|整改|处理|回复|答复|转办|转载|留言|征集|问题|建议"
)
_MEDIUM = re.compile(
    "(?:图文|图解|视频|图片|动漫|动画|音频|专家|文字|媒体|一图|简明问答|领导|部门|转载|转发|上级|形式|方式)(?:类|版|式|的|重要|政策)*$"
)
_COURSE_SIZE = re.compile(f"[,、;(]?(?:[^,;。:会派赴选省{_ANY}]{{2,16}})?共?")
_OTHER_AGENDA = re.compile(
    "[,、]?(?:专题|认真|及时|先后)?(?:研究|部署|审议|听取|讨论|传达|学习|推进|安排|落实|解决|协调|分析)(?![^。;]{0,16}公开)"
)
_OTHER_CHANNEL = re.compile("(?:微博|微信|网站|公众号|客户端|报刊|报纸|电视|公报|平台)[、和及与/]?$")
_BARE_PROCESSING = frozenset({"requests_concluded", "replies_total", "requests_on_time", "requests_extended"})
# Statements that may start with their number after other words.
_NUMBER_FIRST_FREE = frozenset(
    {"requests_concluded", "replies_total", "requests_on_time", "requests_carried_out", "requests_received"}
)
# Matters that are printed one after the other without a comma: 行政复议诉讼.
_COMPOUNDING = frozenset({"reconsideration_total", "litigation_total", "complaints_bare", "appeals"})


@dataclass(frozen=True, slots=True)
class _Found:
    """A figure that passed: masked ``start`` to ``end`` of its label and number."""

    concept: Concept
    metric_code: str
    block: Block
    sentence: tuple[int, int]
    start: int
    end: int
    label: tuple[int, int]
    value: Decimal
    unit: str | None
    raw: tuple[int, int]
    is_approximate: bool
    status: ValueStatus
    method: str
    score: float


class _Match(NamedTuple):
    """A phrase that matched; ``at`` is the masked position of its number."""

    phrase: Phrase
    start: int
    end: int
    at: int
    before: tuple[int, int]
    has_after: bool

    @property
    def length(self) -> int:
        """How much of the sentence the label covers."""
        return (self.before[1] - self.before[0]) + (self.end - self.at - 1 if self.has_after else 0)


def _readings(text: str) -> Iterator[tuple[str, Sequence[int]]]:
    """A sentence as it stands, and without its words of time and sum; each with the way back."""
    yield text, range(len(text))
    parts: list[str] = []
    kept: list[int] = []
    last = 0
    for match in _FILLER.finditer(text):
        parts.append(text[last : match.start()])
        kept.extend(range(last, match.start()))
        last = match.end()
    if last:
        kept.extend(range(last, len(text)))
        yield "".join(parts) + text[last:], kept


@cache
def _with_ends(kind: str, tail: str) -> re.Pattern[str]:
    """The words of a kind with a regular expression behind them."""
    return re.compile(load_narrative_vocabulary().patterns[kind].pattern + tail)


class _BlockFacts:
    """What guards ask again and again of the block that is being read."""

    def __init__(self, block: Block, words: NarrativeVocabulary) -> None:
        """Facts are found when they are asked for."""
        self._block = block
        self._words = words
        self._subjects: dict[str, list[str | None]] = {}

    @cached_property
    def _leading_years(self) -> list[int]:
        """Where a year opens a clause, not beside another year for comparison."""
        block, masked = self._block, self._block.masked
        return [
            at
            for start, end in block.sentences
            for at in block.tokens_in(start, end)
            if block.tokens[at].mark is Mark.YEAR
            and (at == start or (masked[at - 1] in ",;:。" and not _COMPARED_YEAR.match(masked, at, end)))
        ]

    def year_before(self, position: int) -> Token | None:
        """The last year that opens a clause in the sentences before a position."""
        index = bisect_left(self._leading_years, position)
        return self._block.tokens[self._leading_years[index - 1]] if index else None

    @cached_property
    def _surroundings(self) -> str:
        return "\n".join((self._block.masked, *(h.text for h in self._block.headings)))

    @cached_property
    def is_about_requests(self) -> bool:
        """Whether the block or its headings speak of requests or replies."""
        return "申请" in self._surroundings or "答复" in self._surroundings

    @cached_property
    def is_about_disclosure(self) -> bool:
        """Whether the block or its headings speak of disclosure."""
        return "公开" in self._surroundings

    @cached_property
    def is_under_plans(self) -> bool:
        """Whether a heading speaks of plans or problems."""
        pattern = self._words.patterns["planning_heading"]
        return any(pattern.search(h.text) for h in self._block.headings)

    @cached_property
    def first_request_word(self) -> int:
        """Where the first word of requests ends; beyond the block where there is none."""
        match = _REQUEST_WORDS.search(self._block.masked, self._block.sentences[0][0])
        return match.end() if match else len(self._block.masked) + 1

    def subject_in(self, text: str, group: str) -> str | None:
        """The last subject of a group in a text; ``mixed`` where two are named together."""
        subject_of = self._words.subject_of
        hits = [m for m in self._words.subjects.finditer(text) if subject_of[m.group()][1] == group]
        if not hits:
            return None
        code = subject_of[hits[-1].group()][0]
        if len(hits) > 1 and subject_of[hits[-2].group()][0] != code:
            between = text[hits[-2].end() : hits[-1].start()]
            if re.fullmatch("(?:案件)?(?:[、和及与或,]|以及)?(?:被)?(?:提起)?", between):
                return "mixed"
        return code

    def subject_before(self, sentence: tuple[int, int], group: str) -> str | None:
        """The last subject of a group in the sentences before a sentence."""
        if group not in self._subjects:
            codes: list[str | None] = [None]
            for start, end in self._block.sentences:
                codes.append(self.subject_in(self._block.masked[start:end], group) or codes[-1])
            self._subjects[group] = codes
        return self._subjects[group][bisect_left(self._block.sentences, sentence)]


class _Reader:
    """Reads the blocks of one report; holds what the guards need to know of the whole report."""

    def __init__(self, blocks: list[Block], form_code: str, report_year: int | None) -> None:
        self.words: NarrativeVocabulary = load_narrative_vocabulary()
        self.blocks = blocks
        self.form_code = form_code
        self.report_year = report_year
        self.is_text_form = form_code in ("fmt2019", "fmt2021")
        self.issues: list[Issue] = []
        self.found: list[_Found] = []
        self.found_in: dict[tuple[int, int], list[_Found]] = {}
        self.names = self._own_names()

    def _own_names(self) -> str:
        """The text that names the reporting body: the title lines and the opening."""
        opening = [b.masked for b in self.blocks[:3] if len(b.masked) <= 60 and "。" not in b.masked]
        titles = [b.masked for b in self.blocks if len(b.masked) <= 70 and "年度报告" in b.masked]
        names = "\n".join(opening + titles)
        self.hears_cases = bool(_HEARING_BODY.search(names))
        if not re.search("局|委|办|厅|府|镇|乡|街道|院|部|署|会|中心|队|县|市|区|省", names):
            names = "\n".join(b.masked for b in self.blocks[:6])
        return names + "\n" + re.sub("(?<=[镇乡])人民(?=政府)|人民(?=政府办)", "", names)

    @cached_property
    def titles(self) -> str:
        """The names without what is said of them."""
        return re.sub("政府(?:政务)?信息.*|政务(?:信息)?公开.*|信息公开.*", "", self.names)

    def has(self, kind: str, text: str) -> bool:
        """Whether a word of the kind stands in the text."""
        return self.words.patterns[kind].search(text) is not None

    # Guards. Each says why a figure must not be taken, or None.

    def other_year(self, block: Block, sentence: tuple[int, int], position: int, concept: Concept) -> str | None:
        """Whether the nearest year of the sentence, or of the paragraph before it, is not the report year."""
        masked = block.masked
        years: list[int | None] = []
        for at in reversed(block.tokens_in(sentence[0], position)):
            token = block.tokens[at]
            if token.year is None:
                continue
            if at > sentence[0] and masked[at - 1] in "与比较同和从":
                continue
            if masked.startswith(("结转", "以前", "之前"), at + 1):
                continue
            if self.beside(masked, sentence, at, position):
                continue
            if concept.is_stock and masked.startswith(("起", "以来", "开始"), at + 1):
                continue
            years.append(token.year)
        if _TWO_YEARS.search(masked[sentence[0] : position]):
            return "two years"
        if self.report_year is None:
            return "two years" if len({y for y in years if y}) > 1 else None
        if years:
            return None if years[0] == self.report_year else "another year"
        if self.has("whole_year", masked[sentence[0] : position]):
            return None
        before = self.facts.year_before(sentence[0])
        return None if before is None or before.year == self.report_year else "another year"

    def beside(self, masked: str, sentence: tuple[int, int], at: int, position: int) -> bool:
        """Whether a year is that of an aside: in a closed parenthesis, or of a matter named after the year."""
        between = masked[at:position]
        if ")" in between and "(" not in between[: between.index(")")]:
            opened = masked.rfind("(", sentence[0], at)
            if opened >= 0 and ")" not in masked[opened:at]:
                return True
        start = max(sentence[0], *(masked.rfind(c, sentence[0], at) + 1 for c in ",;:"))
        if start == sentence[0] or not any(c in between for c in ",;:"):
            return False
        named = re.search(r"(?:申请公开|涉及|关于|咨询|查询|要求公开|内容为|索取|获取)[^,;:]{0,8}$", masked[start:at])
        return bool(named) and self.has("whole_year", masked[sentence[0] : start])

    def wrong_time(self, block: Block, sentence: tuple[int, int], start: int, concept: Concept) -> str | None:
        """Another year, a part of the year, a running total or a plan."""
        masked = block.masked
        clause = block.clause_start(sentence, start)
        lead, before = masked[clause:start], masked[sentence[0] : start]
        recent = masked[block.clause_start(sentence, max(sentence[0], clause - 1)) : start]
        if concept.figure_year == "report":
            if self.has("prior_year", lead) or (
                before.endswith(",") and _with_ends("prior_year", "(?:全年|度)?,$").search(before)
            ):
                return "prior year"
            if reason := self.other_year(block, sentence, start, concept):
                return reason
        is_plan = self.has("planning", lead) or self.facts.is_under_plans
        if is_plan and not self.told_of_the_year(block, sentence, before, concept):
            return "plan"
        if concept.figure_year == "report":
            if self.has("partial_period", re.sub("(?:报告|统计|年度)期间", "", recent)):
                return "part of the year"
            range_free = _FULL_YEAR.sub("", before)
            if concept.context_code == "request" and not self.has("cumulative", before) and "累计" not in before:
                range_free = before = _YEAR_END.sub("", range_free)
            if not concept.is_stock:
                if self.has("cumulative", _with_ends("this_year_since", f"|{_Y}以来").sub("", before)):
                    return "running total"
                if _D in range_free:
                    tail = range_free[range_free.rindex(_D) :]
                    is_until = self.has("until", range_free[: range_free.rindex(_D)][-4:])
                    if not is_until:
                        return "a date"
                    if not self.has("whole_year", tail) and _Y not in range_free:
                        return "until a date"
                elif self.has("until", before) and not self.has("whole_year", before):
                    return "until a date"
        return None

    def told_of_the_year(self, block: Block, sentence: tuple[int, int], before: str, concept: Concept) -> bool:
        """Whether a sentence under a heading of problems states the remedies of the year as a fact."""
        text = block.masked[sentence[0] : sentence[1]]
        return (
            concept.context_code == "remedy"
            and not self.has("planning", re.sub("[人户平]均", "", before))
            and not any(_PLAN_HEADING.search(h.text) for h in block.headings)
            and not _SOME.search(before)
            and bool(_OGI_REMEDY.search(text))
        )

    def other_body(
        self, block: Block, sentence: tuple[int, int], start: int, concept: Concept, label_end: int | None = None
    ) -> str | None:
        """Whether the sentence has another body, or each of several, for its subject."""
        before = block.masked[sentence[0] : start]
        lead = block.masked[block.clause_start(sentence, start) : start]
        if _DISTRIBUTIVE.search(lead) and not _WHOLE_AREA.search(lead + block.masked[start : label_end or start]):
            return "each of several"
        if "分别" in lead:
            return "a list"
        if _SUBUNIT.search(lead):
            return "a part of the body"
        for match in _ORG.finditer(block.masked[sentence[0] : start + 2]):
            name = match["name"]
            if match.end() > len(before) or _SELF_ORG.search(name) or name in self.names or self.short_name(name):
                continue
            if _SUMMED.search(lead):
                continue
            if concept.concept_code == "meetings" and "政府" in name:
                continue
            if concept.subject_code.startswith("litigation") and name.endswith("法院"):
                continue
            if re.search("申请|提供", name):
                continue
            return "another body"
        return None

    def short_name(self, name: str) -> bool:
        """Whether the body may call itself so: the letters of its name in their order (县局, 县卫健委)."""
        if not 2 <= len(name) <= 8 or re.fullmatch("[省市州区县镇乡]?(?:党委|委|人民政府|政府|府)", name):
            return False
        letters = re.compile("[^省市州区县镇乡村]{0,8}?".join(map(re.escape, name)))
        return letters.search(self.titles) is not None

    def joined(self, lead: str) -> bool:
        """Whether the label is the last of several labels that share the number."""
        rest = lead[max(lead.rfind(_N), lead.rfind(_B), lead.rfind(Mark.PERCENT.value)) + 1 :]
        has_number = rest != lead
        if has_number and re.fullmatch(r"\)?(?:[、和及与/]|以及)?", rest):
            return False
        return bool(_JOINED.search(rest))

    def outside_context(self, block: Block, sentence: tuple[int, int], concept: Concept) -> bool:
        """Whether the words that must be near are missing."""
        text = block.masked[sentence[0] : sentence[1]]
        headings = "\n".join(h.text for h in block.headings)
        match concept.context_code:
            case "ogi":
                if self.has("ogi", text) or _OGI_WORK.search(text):
                    return False
                inner = block.headings[-1].text if block.headings else ""
                if self.is_text_form:
                    return not self.has("oversight_heading", inner)
                earlier = block.earlier(sentence, 3)
                return not self.has("ogi", "".join(block.masked[a:b] for a, b in earlier) + inner) and not self.has(
                    "capacity_heading", inner
                )
            case "request":
                return not self.facts.is_about_requests
            case "proactive":
                return not self.facts.is_about_disclosure
            case "remedy":
                earlier = block.earlier(sentence, 1)
                previous = "".join(block.masked[a:b] for a, b in earlier)
                return not (
                    _OGI_REMEDY.search(text)
                    or self.has("remedy_heading", headings)
                    or re.search("依申请公开|信息公开申请|行政复议", previous)
                )
            case "remedy_heading":
                return not (self.has("remedy_heading", headings) or re.search("复议|诉讼", text))
        return False

    def subject(self, block: Block, sentence: tuple[int, int], end: int, group: str) -> str | None:
        """The governing subject of a group: nearest before in the sentence, the paragraph, then the headings."""

        here = self.facts.subject_in(block.masked[sentence[0] : end], group)
        if code := here or self.facts.subject_before(sentence, group):
            return code
        for heading in reversed(block.headings):
            if code := self.facts.subject_in(heading.text, group):
                return code
        return None

    def partial_whole(self, block: Block, sentence: tuple[int, int], match: _Match) -> str | None:
        """Whether a label of the whole is about one channel or one matter only."""
        masked = block.masked
        clause = block.clause_start(sentence, match.start)
        lead = _ALL_WAYS.sub("", masked[clause : match.start])
        channels = set(_CHANNELS.findall(lead))
        if len(channels) == 1:
            return "one channel"
        before = masked[sentence[0] : clause]
        previous = re.split("[,;:]", before.rstrip(",;:"))[-1] if before else ""
        if _CHANNEL_CLAUSE.match(previous) and len(set(_CHANNELS.findall(previous))) == 1 and _N not in previous:
            return "one channel"
        if before.endswith((",", ":")) and _with_ends("topic", "[上中内里]?$").search(previous):
            return "one matter"
        inner = block.headings[-1].text if block.headings else ""
        if self.has("topic", lead) or "重点领域" in inner:
            return "one matter"
        if match.phrase.score >= 100:
            return None
        rest = lead[max(lead.rfind(_N), lead.rfind(_B)) + 1 :]
        rest = self.words.patterns["lead"].sub("", re.sub(f"[{_ANY}()]", "", rest))
        rest = self.without_name(rest)
        if len(channels) > 1:
            rest = ""
        if rest:
            return "one matter"
        if match.phrase.score < 90:
            if not _CUE.search(masked[sentence[0] : match.end]):
                return "no word of the whole"
            if self.has("topic", before) or (inner and not re.search("公开|概述|概况|总体|情况|数量|数据", inner)):
                return "one matter"
        return None

    def refusal(self, block: Block, sentence: tuple[int, int], match: _Match, value: Decimal) -> str | None:
        """Why the figure of a match must not be taken."""
        concept = match.phrase.concept
        masked = block.masked
        clause = block.clause_start(sentence, match.start)
        lead = masked[clause : match.start]
        if _NEGATED_LABEL.search(lead) and value != 0:
            return "negated"
        if value != 0 and (
            (self.joined(lead) and match.at > match.start) or "均" in masked[match.before[1] : match.at]
        ):
            return "shared number"
        if concept.figure_year == "report":
            if _with_ends("change_end", "$").search(lead) and not re.search(f"(?:全年|本年|年度|{_Y})新增$", lead):
                return "a change"
            if self.has("year_on_year", lead):
                return "a change"
        if concept.figure_year == "other" and self.report_year is not None:
            wanted = self.report_year + (-1 if concept.concept_code == "requests_carried_in" else 1)
            if any(block.tokens[p].year not in (None, wanted) for p in block.tokens_in(match.start, match.end)):
                return "another year"
        if concept.figure_year == "comparison" and self.report_year is not None:
            near = (block.tokens[p].year for p in block.tokens_in(match.start, match.end))
            if any(y not in (None, self.report_year, self.report_year - 1) for y in near):
                return "another year"
        if reason := self.wrong_time(block, sentence, match.start, concept):
            return reason
        if reason := self.other_body(block, sentence, match.start, concept, match.at):
            return reason
        after = masked[match.end : sentence[1]]
        if after.startswith(("/", "每")) or _PART_OF.match(after):
            return "a part"
        if match.has_after and re.match(
            "(?:和|及|与|、|以及)(?![^,。;]{0,14}[" + _N + _B + "])(?=[^,。;]*(?:会|培训))", after
        ):
            return "shared number"
        if concept.concept_code == "requests_received" and (_AFTER_CARRIED.search(after) or "结转" in lead):
            return "with the carried-over ones"
        if concept.is_whole and (reason := self.partial_whole(block, sentence, match)):
            return reason
        if self.outside_context(block, sentence, concept):
            return "outside its context"
        if reason := self.wrong_matter(block, sentence, match):
            return reason
        if concept.needs_sibling and not _SIBLING.search(masked[sentence[0] : sentence[1]]):
            return "outside its context"
        if concept.concept_code == "replies_total" and re.search("(?:逾期|延期|电话|口头|当场|按时|按期)$", lead):
            return "a part"
        return None

    def wrong_matter(self, block: Block, sentence: tuple[int, int], match: _Match) -> str | None:
        """Whether a label that other matters share is about another matter here."""
        concept, masked = match.phrase.concept, block.masked
        lead = masked[block.clause_start(sentence, match.start) : match.start]
        before, after = masked[sentence[0] : match.start], masked[match.end : sentence[1]]
        label = masked[match.start : match.end]
        inner = block.headings[-1].text if block.headings else ""
        code, context = concept.concept_code, concept.context_code
        if (
            code == "requests_received"
            and not self.has("ogi", label + before)
            and not any("申请" in h.text for h in block.headings)
        ):
            return "another matter"
        if code.startswith("requests_") and _COUNTED_ELSEWHERE.match(after):
            return "counted elsewhere"
        if code == "complaints" and not re.search("举报|投诉", label):
            spoken = re.split("复议|诉讼", before + inner)[-1]
            if not re.search("举报|投诉", spoken):
                return "another matter"
        if code == "complaints_bare" and not self.is_clear(
            re.sub(
                "举报|投诉|行政|[\\d.]|接到|收到|受理|办理|处理|政府信息公开|政务公开|信息公开|方面|相关|有关|工作|类|的|关于|对|就|涉及",
                "",
                lead,
            )
        ):
            return "another matter"
        if code == "replies_total" and masked[match.at - 1] == ":":
            return "a part"
        if context == "request" and _CLASSES.search(before):
            return "another matter"
        if code == "via_gazette" and Mark.TITLE.value in label:
            title = block.printed(match.start, match.start + 1)
            if not re.search("公报》$|政报》$|公報》$|政報》$", title):
                return "another matter"
        if context == "request":
            known = [m.end() for m in _REQUEST_WORDS.finditer(masked, sentence[0], match.end)]
            under = any("申请" in h.text or "答复" in h.text for h in block.headings)
            if not known and not under and self.facts.first_request_word > sentence[0]:
                return "another matter"
            since = masked[known[-1] if known else sentence[0] : match.end].removesuffix(label)
            if self.has("other_matter", re.sub("信访、?举报、?投诉类", "", since)):
                return "another matter"
            if code in _BARE_PROCESSING and "申请" not in label:
                rest = lead[max(lead.rfind(_N), lead.rfind(_B)) + 1 :].strip("、,")
                rest = self.words.patterns["processing_lead"].sub("", re.sub(f"[{_ANY}]", "", rest))
                if rest or ("申请" not in before and not under):
                    return "another matter"
            rest = lead[max(lead.rfind(_N), lead.rfind(_B)) + 1 :].strip("、,(和及")
            number_first = not match.before[1] > match.before[0]
            if number_first and concept.subject_code == "" and code not in _NUMBER_FIRST_FREE:
                before_number = masked[block.clause_start(sentence, match.at) : match.at]
                if not _OUTCOME_LEAD.fullmatch(before_number) or not re.match("[,;:。、)]|$", after):
                    return "a part"
                if label.rstrip("的").endswith(_GROUPS) is False and re.match(f"、[^,;。{_N}{_B}]*(?:[,;。]|$)", after):
                    return "several grounds"
            if (
                number_first
                and code != "requests_carried_out"
                and re.search("(?:其余|其他|其它|另有|另外|另|剩余|余下|还有|尚有|不含|除)$", lead)
            ):
                return "a part"
            if label.startswith(_GROUPS) and (
                self.words.patterns["group_lead"].sub("", re.sub(f"[{_ANY}()]", "", rest))
                or self.given_ground(block, sentence, match)
            ):
                return "one ground"
        if context.startswith("remedy"):
            if self.has("unrelated", after) or _OTHERWISE.search(after):
                return "another matter"
            if not concept.subject_code and self.unrelated_cases(block, sentence, lead, label):
                return "another matter"
            if (
                _ALL_CASES.search(lead)
                and not _OGI_REMEDY.search(lead + label)
                and not self.has("remedy_heading", inner)
            ):
                return "another matter"
            if context == "remedy" and not concept.subject_code and not self.has("remedy_heading", inner):
                earlier = block.earlier(sentence, 1)
                if not _OGI_REMEDY.search("".join(masked[a:b] for a, b in earlier) + before + label):
                    return "another matter"
        if code in ("training_sessions", "meetings", "interpretation") and self.has("attended", lead):
            return "another matter"
        is_total = code in ("press_total", "interviews_total") and label.startswith(("参", "出", "做客", "走进"))
        if is_total and re.search("主要(?:负责|领导)[^;:]*$", re.sub(r"\([^()]*\)", "", before)):
            return "a part"
        if code == "interpretation" and _MEDIUM.search(lead):
            return "a part"
        if label.startswith("公开") and re.search("(?<!政)务$|事$", lead):
            return "another matter"
        if (
            code == "meetings"
            and "公开" not in label
            and (
                _OTHER_AGENDA.match(after)
                or not (self.has("ogi", masked[sentence[0] : sentence[1]]) or "培训" in masked)
                or not self.is_clear(lead)
            )
        ):
            return "another matter"
        if code in ("staff_full_time", "staff_part_time") and "其中" in lead + label and "公开" not in label:
            whole = _STAFF_WHOLE.search(before)
            if whole and "公开" not in whole[1] and not self.is_clear(whole[1]):
                return "another matter"
        if code == "staff_total" and label.startswith("工作人员") and not self.is_clear(lead):
            return "another matter"
        if code.startswith("staff_") and re.search("(?:培训|组织|参训|受训|轮训|召集|对)$", lead):
            return "another matter"
        if code == "requests_carried_out" and not match.before[1] > match.before[0] and "申请" not in label:
            asked = "申请" in before or any("申请" in h.text for h in block.headings)
            if not asked or self.has("other_matter", before):
                return "another matter"
        if "其中" in lead and any(f.concept is concept for f in self.found_in.get(sentence, ())):
            return "a part"
        if code == "special_funds" and match.phrase.score < 90 and not self.is_clear(lead):
            return "another matter"
        if code.startswith("via_") and _OTHER_CHANNEL.search(lead):
            return "several channels"
        part = _SITE_PART.search(label) if code == "via_website" else None
        if part and "公开" not in part[1] and self.without_name(part[1].strip("上的")):
            return "one matter"
        if code in _LISTED:
            if not re.match("[,;:。、!()]|$|占|同比|比|较|信息", after):
                return "another matter"
            rest = lead[max(lead.rfind(_N), lead.rfind(_B), lead.rfind(Mark.PERCENT.value)) + 1 :]
            if _HANDLED.search(rest) or (not code.startswith("via_we") and not self.is_clear(lead)):
                return "another matter"
        if code in ("staff_full_time", "staff_part_time") and not match.has_after:
            rest = lead[max(lead.rfind(_N), lead.rfind(_B)) + 1 :].strip("、,和及")
            if rest and not _with_ends("staff_lead", "$").search(rest):
                return "another matter"
        if code == "trainees" and match.phrase.score < 100:
            siblings = self.found_in.get(sentence, ())
            is_course = label.startswith(("组织", "开展", "举办"))
            if is_course and not any(
                f.concept.concept_code == "training_sessions" and match.start <= f.start < match.at for f in siblings
            ):
                return "another matter"
            if "训" not in label and not any(
                f.concept.concept_code == "training_sessions" and _COURSE_SIZE.fullmatch(masked, f.end, match.start)
                for f in siblings
            ):
                return "another matter"
            if not any(f.concept.concept_code == "training_sessions" for f in siblings):
                rest = before[max(before.rfind(_N), before.rfind(_B)) + 1 :]
                if not self.has("ogi", rest):
                    return "another matter"
        return None

    def unrelated_cases(self, block: Block, sentence: tuple[int, int], lead: str, label: str) -> bool:
        """Whether the cases are those of another matter, or those that the body hears."""
        if _OGI_REMEDY.search(lead + label):
            return False
        if _OTHER_CASES.search(lead):
            return True
        if not self.hears_cases or _OGI_REMEDY.search(block.masked[sentence[0] : sentence[1]]):
            return False
        return bool(_HEARD.search(lead + label)) or not any(_OGI_REMEDY.search(h.text) for h in block.headings)

    def is_clear(self, lead: str) -> bool:
        """Whether nothing but words without a matter and the own name stand before a label."""
        rest = lead[max(lead.rfind(c) for c in (_N, _B, Mark.PERCENT.value)) + 1 :]
        rest = re.sub(f"[{_ANY}()、]|包括|有|含|通过|等|条|以", "", rest)
        rest = self.without_name(rest)
        return not self.words.patterns["lead"].sub("", rest)

    def without_name(self, text: str) -> str:
        """A text without the name of the reporting body."""
        for name in re.findall(r"[一-龥]{2,}", text):
            if name in self.names and _BODY_END.search(name):
                text = text.replace(name, "")
        return text

    def given_ground(self, block: Block, sentence: tuple[int, int], match: _Match) -> bool:
        """Whether the clause before names the ground of a refusal (因涉及个人隐私,不予公开3件)."""
        before = block.masked[sentence[0] : block.clause_start(sentence, match.start)]
        if not before.endswith(","):
            return False
        previous = re.split("[,;:]", before[:-1])[-1]
        return not re.search(f"[{_N}{_B}{Mark.PERCENT.value}]", previous) and bool(
            re.search("因|由于|鉴于|属于|涉及|依据|根据", previous)
        )

    # Frames.

    def matches(self, block: Block, sentence: tuple[int, int]) -> dict[int, list[_Match]]:
        """All phrase matches of a sentence by the position of their number."""
        text = block.masked[sentence[0] : sentence[1]]
        hits: dict[int, dict[int, _Match]] = {}
        for reading, back in _readings(text):
            for order in self.words.index.candidates(reading):
                phrase = self.words.phrases[order]
                for found in phrase.pattern.finditer(reading):
                    before = found.end("before")
                    begin, at = sentence[0] + back[found.start()], sentence[0] + back[found.start("number")]
                    label = (begin, sentence[0] + back[before - 1] + 1 if before > found.start("before") else begin)
                    end = sentence[0] + back[found.end() - 1] + 1
                    hit = _Match(phrase, begin, end, at, label, bool(found["after"]))
                    known = hits.setdefault(at, {}).get(order)
                    if known is None or known.length < hit.length:
                        hits[at][order] = hit
        return {at: list(by_phrase.values()) for at, by_phrase in hits.items()}

    def fits(self, block: Block, match: _Match, token: Token) -> bool:
        """Whether the number has a unit that the concept can have."""
        if token.unit is not None:
            return token.unit in match.phrase.concept.units
        printed = block.masked[match.before[1] : match.at]
        if match.has_after and match.phrase.score >= 90:
            return token.value is not None
        following = block.masked[match.end : match.end + 1]
        return following in ("", ",", "。", ";", ")", "、") and any(c in printed for c in "数为:是")

    def take(self, figures: Sequence[_Found]) -> None:
        """Keep figures of the block that is being read."""
        self.found += figures
        for found in figures:
            self.found_in.setdefault(found.sentence, []).append(found)

    def read_numbers(self, block: Block, sentence: tuple[int, int]) -> None:
        """Figures with a number."""
        for at, hits in sorted(self.matches(block, sentence).items()):
            token = block.tokens[at]
            value = token.value
            if value is None:
                continue
            longest = max(m.length for m in hits)
            top = [m for m in hits if m.length == longest]
            passed: dict[str, _Match] = {}
            for match in top:
                concept = match.phrase.concept
                metric = concept.metrics.get(self.form_code)
                if metric is None or not self.fits(block, match, token) or metric in passed:
                    continue
                if concept.subject_code:
                    group = next(g for c, g in self.words.subject_of.values() if c == concept.subject_code)
                    if self.subject(block, sentence, match.end, group) != concept.subject_code:
                        continue
                reason = self.refusal(block, sentence, match, value)
                if reason is None:
                    passed[metric] = match
                elif reason == "until a date":
                    self.doubt(block, sentence, match.start, "the figure may be a running total")
            if len(passed) > 1:
                self.doubt(block, sentence, at, "the label fits " + " and ".join(sorted(passed)))
                continue
            for metric, match in passed.items():
                found = self.figure(block, sentence, match, metric, token)
                self.take((found, *self.shared_zero(found), *self.all_of(found)))

    def figure(self, block: Block, sentence: tuple[int, int], match: _Match, metric: str, token: Token) -> _Found:
        """The figure of a match, in the unit of the catalogue."""
        assert token.value is not None
        value = convert_unit(token.value, token.unit, load_vocabulary().metrics[metric].unit)
        label = (match.start, match.end) if match.has_after else match.before
        return _Found(
            match.phrase.concept,
            metric,
            block,
            sentence,
            match.start,
            match.end,
            label,
            value,
            token.unit,
            (match.at, match.at + 1),
            token.is_approximate,
            ValueStatus.NUMBER,
            "phrase",
            match.phrase.score,
        )

    def shared_zero(self, found: _Found) -> Iterator[_Found]:
        """A zero that several labels share is the zero of each."""
        if found.value != 0:
            return
        clause = found.block.clause_start(found.sentence, found.start)
        lead = found.block.masked[clause : found.start]
        if not self.joined(lead):
            return
        items = self.parse_items(found.block.masked, clause, found.label[1], self.words.statement_items)
        for concept in items or ():
            metric = concept.metrics.get(self.form_code)
            if metric and metric != found.metric_code:
                yield replace(found, concept=concept, metric_code=metric, start=clause, method="list_item")

    def all_of(self, found: _Found) -> Iterator[_Found]:
        """What a sentence says of all the counted things is said of the same number."""
        code = found.concept.concept_code
        if found.value == 0 or code not in ("staff_total", "requests_received", "reconsideration_total"):
            return
        after = found.block.masked[found.end : found.sentence[1]]
        deciding = "(?:行政)?(?:复议)?(?:结果|机关|决定)?" if code == "reconsideration_total" else ""
        match = re.match(f"[,(](?:其中)?{deciding}", after) or re.match("(?=[均都全皆])", after)
        if not match:
            return
        for phrase in self.words.all_of:
            metric = phrase.concept.metrics.get(self.form_code)
            hit = phrase.pattern.match(found.block.masked, found.end + match.end(), found.sentence[1])
            if not metric or not hit or _ALL_OF_GROUP[code] != phrase.concept.context_code:
                continue
            if not hit["link"] and (phrase.concept.context_code != "remedy" or found.value != 1):
                continue
            if not re.match(r"[,;。)]|$|[一-龥]{0,8}(?:[,;。)]|$)", found.block.masked[hit.end() : found.sentence[1]]):
                continue
            yield replace(
                found, concept=phrase.concept, metric_code=metric, end=hit.end(), label=hit.span(), method="all_of"
            )

    # Statements of none.

    def parse_items(
        self, text: str, start: int, end: int, items: Sequence[tuple[Concept | None, re.Pattern[str]]]
    ) -> list[Concept] | None:
        """The matters of an enumeration that is nothing else, or None."""
        failed: set[int] = set()

        def parse(start: int, depth: int) -> list[Concept] | None:
            if start in failed or depth > _MAX_ITEMS:
                return None
            for concept, pattern in items:
                match = pattern.match(text, start, end)
                if match is None or match.end() == start:
                    continue
                here = [concept] if concept else []
                at = match.end()
                if at == end:
                    return here
                is_last = text[at] in ",;:。!?)"
                if not match["link"] and concept is not None and concept.concept_code not in _COMPOUNDING:
                    if is_last:
                        return here
                    continue
                if is_last and not match["link"]:
                    return here
                rest = parse(at, depth + 1)
                if rest is not None:
                    return here + rest
                if match["link"] == "," or _NEGATION.match(text, at):
                    return here
            failed.add(start)
            return None

        return parse(start, 0)

    def read_none(self, block: Block, sentence: tuple[int, int]) -> None:
        """Sentences that say there was none."""
        masked = block.masked
        done = sentence[0]
        for match in _NEGATION.finditer(masked, sentence[0], sentence[1]):
            if match.start() < done:
                continue
            clause = block.clause_start(sentence, match.start())
            lead = masked[clause : match.start()]
            earlier = masked[block.clause_start(sentence, max(sentence[0], clause - 1)) : clause]
            if "该" in lead or self.has("aim", lead) or self.words.patterns["condition"].match(earlier):
                continue
            stop = block.clause_end(sentence, match.end())
            if match.group().startswith("不") and _RULE.search(masked[sentence[0] : sentence[1]]):
                continue
            items = self.parse_items(masked, match.end(), sentence[1], self.words.statement_items)
            if not items and _NONE_END.fullmatch(masked, match.end(), stop):
                clause, items = self.negated_before(block, sentence, clause, match.start())
                lead = masked[clause : match.start()]
                if items and ("该" in lead or self.has("aim", lead)):
                    continue
            if not items:
                continue
            done = stop
            if any(block.tokens[p].value not in (0, 1, None) for p in block.tokens_in(match.end(), stop)):
                continue
            near = bool(_OGI_REMEDY.search(masked[clause:stop]))
            bare = match.group().endswith(("未", "未曾"))
            verb = self.words.patterns["none_verb"].match(masked, match.end()) or masked.startswith(
                ("因", "被", "由"), match.end()
            )
            for concept in dict.fromkeys(items):
                metric = concept.metrics.get(self.form_code)
                if metric is None or (bare and concept.concept_code == "requests_received" and not verb):
                    continue
                if concept.subject_code == "request" and not _COUNTED_REQUESTS.search(masked[: match.start()]):
                    continue
                probe = replace(concept, is_stock=True)
                if (
                    self.wrong_time(block, sentence, match.start(), probe)
                    or self.other_body(block, sentence, match.start(), concept)
                    or (
                        self.outside_context(block, sentence, concept)
                        and not (near and "remedy" in concept.context_code)
                    )
                ):
                    continue
                said = (match.start(), verb.end() if isinstance(verb, re.Match) else match.end())
                self.take((self.none(concept, metric, block, sentence, clause, stop, said),))

    def negated_before(
        self, block: Block, sentence: tuple[int, int], clause: int, end: int
    ) -> tuple[int, list[Concept] | None]:
        """The matters that stand before their negation (行政复议、行政诉讼均未发生), and where they start."""
        masked = block.masked
        if _TIME_ONLY.fullmatch(masked, clause, end) and clause > sentence[0] and masked[clause - 1] in ",:":
            end = clause - 1
            clause = block.clause_start(sentence, end)
        while end > clause and (tail := _TIME_TAIL.search(masked, clause, end)):
            end = tail.start()
        if self.words.patterns["condition"].match(masked, clause):
            return clause, None
        items = self.parse_items(masked, clause, end, self.words.statement_items)
        codes = {c.concept_code for c in items or ()}
        return clause, items if codes <= _NEGATED_AFTER else None

    def none(
        self,
        concept: Concept,
        metric: str,
        block: Block,
        sentence: tuple[int, int],
        start: int,
        end: int,
        raw: tuple[int, int],
    ) -> _Found:
        """A stated none."""
        return _Found(
            concept,
            metric,
            block,
            sentence,
            start,
            end,
            (start, end),
            Decimal(0),
            None,
            raw,
            False,
            ValueStatus.NONE_STATED,
            "none_phrase",
            90.0,
        )

    def read_heading_none(self, block: Block, previous: Block | None) -> None:
        """A heading with nothing but 无 under it."""
        body = block.masked
        if not block.headings or block.is_heading:
            return
        heading = block.headings[-1].text
        start = block.sentences[0][0] if block.sentences else len(body)
        text = body[start:]
        if start == 0 and (previous is None or not previous.is_heading):
            match = re.match(r"^[^。:;,]{2,30}:(?=无|没有|未)", body)
            if not match:
                return
            heading, text = body[: match.end() - 1], body[match.end() :]
        if not _NONE_ALONE.match(text):
            return
        zeros = [t for p, t in block.tokens.items() if p >= start and t.mark in (Mark.QUANTITY, Mark.BARE)]
        if any(t.value != 0 for t in zeros):
            return
        heading = re.sub(r"^(?:因|对)?", "", heading)
        items = self.parse_items(heading, 0, len(heading), self.words.heading_items)
        for concept in dict.fromkeys(items or ()):
            metric = concept.metrics.get(self.form_code)
            if metric and not self.facts.is_under_plans:
                end = len(body.rstrip("。;."))
                found = self.none(concept, metric, block, (0, end), 0, end, (start, end))
                self.take((replace(found, method="heading_none"),))

    # The whole report.

    def doubt(self, block: Block, sentence: tuple[int, int], at: int, reason: str) -> None:
        """Say that a sentence has two readings."""
        start = block.clause_start(sentence, at)
        end = max(start + 1, block.clause_end(sentence, at))
        place = _place(block, start, end)
        message = f"{block.printed(start, end)[:80]}: {reason}; nothing was taken"
        self.issues.append(Issue("ambiguous_value", message, place.locator()))

    def settle(self) -> list[_Found]:
        """Drop what contradicts a stronger statement, and both where neither is stronger."""
        kept: list[_Found] = []
        by_metric: dict[str, list[_Found]] = {}
        for found in self.found:
            by_metric.setdefault(found.metric_code, []).append(found)
        for metric, group in by_metric.items():
            values = {f.value for f in group}
            if len(values) == 1:
                kept.extend(group)
                continue
            best = max(f.score for f in group)
            strong = [f for f in group if f.score == best]
            if len({f.value for f in strong}) == 1:
                kept.extend(f for f in group if f.value == strong[0].value)
                continue
            doubtful = strong[0]
            printed = ", ".join(sorted({f"{f.value.normalize():f}" for f in strong}))
            self.doubt(doubtful.block, doubtful.sentence, doubtful.start, f"{metric} is stated as {printed}")
        return kept

    def read(self) -> tuple[list[MetricRow], list[Issue]]:
        """All figures in reading order."""
        previous: Block | None = None
        for block in self.blocks:
            self.facts = _BlockFacts(block, self.words)
            self.found_in.clear()
            self.read_heading_none(block, previous)
            for sentence in block.sentences:
                if sentence[1] - sentence[0] > _MAX_SENTENCE:
                    self.doubt(block, sentence, sentence[0], "a sentence of this length is none")
                    continue
                text = block.masked[sentence[0] : sentence[1]]
                if not _HAN.search(text):
                    continue
                if _N in text or _B in text:
                    self.read_numbers(block, sentence)
                if _NOTHING.search(text):
                    self.read_none(block, sentence)
            previous = block
        rows = [self.row(found) for found in self.settle()]
        unique = {(r.metric_code, r.place.start, r.place.end, r.value): r for r in rows}
        return sorted(unique.values(), key=lambda r: (r.place.start, r.place.end, r.metric_code or "")), self.issues

    def row(self, found: _Found) -> MetricRow:
        """The metric row of a figure with its evidence."""
        block = found.block
        start = block.clause_start(found.sentence, found.start)
        end = max(found.end, block.clause_end(found.sentence, found.end))
        while end > start + 1 and block.masked[end - 1] in ",;:。!?":
            end -= 1
        return MetricRow(
            SourceKind.NARRATIVE,
            found.metric_code,
            None,
            block.printed(*found.label),
            None,
            block.printed(*found.raw),
            found.value.normalize() + 0 if found.value else Decimal(0),
            found.status,
            found.is_approximate,
            load_vocabulary().metrics[found.metric_code].unit,
            _place(block, start, end),
            block.printed(start, end),
            found.method,
            found.score,
        )


def _place(block: Block, start: int, end: int) -> Place:
    raw_start, raw_end = block.document_span(start, end)
    return Place(raw_start, raw_end, block.line_of(raw_start))


def extract_narrative(
    paragraphs: Sequence[Paragraph], form_code: str, script: Script, report_year: int | None
) -> tuple[list[MetricRow], list[Issue]]:
    """The figures that the prose of one report states for ``report_year``, with the doubtful ones as issues."""
    return _Reader(read_blocks(paragraphs, script), form_code, report_year).read()
