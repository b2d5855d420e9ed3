"""Report or not: what the title, the headings, the figures and the form say together.

Out: null for a report, else a reject code of the seed ``issue_codes`` with a message that says what was met.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from loaders.identify.agency import self_references
from loaders.identify.names import organ_kind, organ_of
from loaders.identify.text import Page
from loaders.identify.titles import Title, lone_year, page_titles
from loaders.identify.words import KindPhrase, any_of, load_words

_HEAD_LINES = 30
_LONGEST_HEADING = 60
_NONE_STATED = "未|没有|无|零|不存在|0"
_ENUMERATOR = (
    r"(?:[一二三四五六七八九十]{1,3}[、.,:]|\([一二三四五六七八九十\d]{1,3}\)|\d{1,2}[.、,]"
    r"|第[一二三四五六七八九十]部分[、:,]?)"
)
_FORWARDED = re.compile(r"(?:报告|年报)》?的?(?:通知|公告|通告|公示|函|报告)$")
_COMPILED = re.compile(r"(?:汇总|综合)[^。\n]{0,60}(?:编制|形成|而成)")
_ADDRESSEE = re.compile(
    r"(?:^|\n)(?:各|市直|县直|区直|局属|机关各|本局各|厅属|委属)[^。\n]{1,60}(?:单位|部门|政府|机构|办事处|科室|处室|机关|街道\)?|乡镇)[^。\n]{0,10}:"
)
_FILE = re.compile(r"\.(?:docx?|pdf|wps|xlsx?|jpe?g|png|zip|rar|ofd)\b", re.IGNORECASE)
_LONGEST_EXCERPT = 1500
_HEADING_END = re.compile(
    r"(?:报告|总结|小结|通知|公告|通报|方案|要点|计划|报表|公报|指南|目录|制度|办法|规定|解读|预算|决算|情况|统计表?|报告书|提醒|提示|答复|函|[?])(?:\([^()]*\))?$"
)
_SHORTEST_LEAD = 6
_SENTENCE = 20
_MENU = re.compile(
    r"(?:首页|网站|本站|走进|新闻|法定|依申请|主动公开|重点领域|(?:政府|政务)?信息公开|政务公开|政策|机构|办事|互动)[^年关于《]{0,14}$"
    r"|[^,。]{0,12}(?:今天是|欢迎|分享到|字号|字体|浏览|点击|索引号|[::]\[|备案|版权)"
)
# What a report without title must show: headings of three parts, and figures or their absence in one.
_FEWEST_SECTIONS = 3
_SHORTEST_BODY = 150


@lru_cache(maxsize=1)
def _sections() -> tuple[list[tuple[str, re.Pattern[str]]], list[tuple[str, re.Pattern[str]]]]:
    headings, figures = [], []
    for (code, kind), phrases in load_words().sections.items():
        if kind == "heading":
            headings.append((code, re.compile(rf"^{_ENUMERATOR}?[^。;,:]{{0,25}}?(?:{any_of(phrases)})")))
        else:
            figures.append(
                (
                    code,
                    re.compile(
                        rf"(?:{any_of(phrases)})[^。\n]{{0,30}}?\d+(?:\.\d+)?余?万?(?:条|件|次|人|篇|项|元|万元|个|起|例|宗)"
                        rf"|(?:{_NONE_STATED})[^。,;\n]{{0,24}}?(?:{any_of(phrases)})"
                        rf"|(?:{any_of(phrases)})[^。,;\n]{{0,12}}?(?:为0|为零|:0|:无|。无|均为0)"
                    ),
                )
            )
    return headings, figures


def section_codes(page: Page) -> set[str]:
    """The parts of an annual report that the page has headings for."""
    headings, _ = _sections()
    numbered = re.compile(f"^{_ENUMERATOR}")
    found: set[str] = set()
    for _, line in page.text_lines:
        if not 4 <= len(line.text) <= _LONGEST_HEADING and not numbered.match(line.text):
            continue
        if not numbered.match(line.text) and len(line.text) > 30:
            continue
        for code, pattern in headings:
            if pattern.search(line.text[:40]):
                found.add(code)
                break
    return found


def figure_codes(page: Page) -> set[str]:
    """The kinds of figures (or of their absence) that the prose states."""
    _, figures = _sections()
    return {code for code, pattern in figures if pattern.search(page.prose.text)}


def heading_kind(page: Page, part: range | None = None) -> tuple[KindPhrase, str] | None:
    """The kind of another document that one of the first headings names; in a part of the lines, menus left out."""
    words = load_words()
    heads: list[str] = []
    neighbour = re.compile(any_of(words.title["neighbour"]))
    for index, line in page.text_lines[:_HEAD_LINES]:
        if neighbour.match(line.text) or (part is not None and (index not in part or _MENU.match(line.text))):
            continue
        if len(line.text) > _LONGEST_HEADING:
            if len(heads) >= 1 and len(line.text) > 80:
                break
            continue
        heads.append(line.text)
    joined = [a + b for a, b in itertools.pairwise(heads)] + [
        a + b + c for a, b, c in zip(heads, heads[1:], heads[2:], strict=False)
    ]
    subject = re.compile(any_of((*words.title["subject"], "年报", "年度报告")))
    if part is not None:
        # Lines side by side may be items of a menu.
        joined = [text for text in joined if re.search(r"(?:19|20)\d{2}年(?!\d)|关于|《", text)]
    for phrase in sorted(words.kinds, key=lambda k: not k.overrides_form):
        if phrase.match_at == "body":
            continue
        for head in (*heads, *joined):
            text = re.split(r"[>»›|_]", head)[-1].rstrip("》")
            # A sentence is not a heading.
            if len(text) < 9 or len(text) > 90 or re.search(r"[。,;]", text):
                continue
            if phrase.match_at == "title_end" and re.sub(r"\([^()]*\)$", "", text).endswith(phrase.phrase_zh):
                return phrase, text
            if (
                phrase.match_at == "title"
                and phrase.phrase_zh in text
                and (phrase.document_kind == "other_report" or subject.search(text))
            ):
                return phrase, text
    return None


def body_phrases(page: Page, document_kind: str) -> int:
    """How many phrases of a kind the prose holds."""
    text = page.prose.text
    return sum(
        p.phrase_zh in text for p in load_words().kinds if p.match_at == "body" and p.document_kind == document_kind
    )


def classify(page: Page, titles: list[Title], has_filled_form: bool, has_form: bool) -> tuple[str, str] | None:
    """The reject code and message, null for a report."""
    if not page.lines:
        return "empty_document", "the document holds no text"
    titles = titles or list(page_titles(page))
    kind = heading_kind(page) if not titles else None
    if kind is not None and kind[0].document_kind == "statistics" and has_form:
        kind = None
    if kind is not None and kind[0].overrides_form:
        return "not_a_report", f"the heading {kind[1]!r} names another kind of document ({kind[0].document_kind})"
    if has_filled_form:
        return None
    sections, figures = section_codes(page), figure_codes(page)
    prose = sum(len(line.text) for _, line in page.text_lines if len(line.text) > 25)
    is_template = body_phrases(page, "template") >= 2
    if is_template and has_form:
        return "blank_form", "a template: the form has no figure and the text has placeholders"
    if is_template and len(figures) < 2:
        return "not_a_report", "a template: the text has placeholders where a report has names and figures"
    if titles:
        return _classify_titled(page, titles, sections, figures, prose, has_form)
    if kind is not None:
        return "not_a_report", f"the heading {kind[1]!r} names another kind of document ({kind[0].document_kind})"
    announces = re.search(r"(?:现将|现就)[^。\n]{0,60}(?:报告|公布|公开)如下", page.prose.text) is not None
    is_body = (len(sections) >= _FEWEST_SECTIONS and bool(figures)) or (announces and len(figures) >= 2)
    # A short report may state everything in lines too short to count as prose.
    is_whole = len(sections) > _FEWEST_SECTIONS and len(figures) >= 2
    if is_body and (prose >= _SHORTEST_BODY or is_whole) and body_phrases(page, "notice") < 2:
        return None
    if has_form:
        return "blank_form", "the statutory form is there, but no figure, no title and no narrative"
    met = f"headings of {len(sections)} parts and figures of {len(figures)} kinds"
    return (
        "not_a_report",
        f"no annual-report title, no statutory form; {met} were met, a report has at least three and one",
    )


def _classify_titled(
    page: Page, titles: list[Title], sections: set[str], figures: set[str], prose: int, has_form: bool
) -> tuple[str, str] | None:
    if (
        len({t.first_line for t in titles if t.is_telling}) >= 4
        and prose < _SHORTEST_BODY * 2
        and len(sections) < _FEWEST_SECTIONS
    ):
        return "not_a_report", f"a list of {len(titles)} annual-report titles without a body"
    if body_phrases(page, "notice") >= 2 and len(figures) < 2:
        return "not_a_report", "the text gives instructions for such reports"
    title = next((t for t in (*titles, *page_titles(page)) if t.is_telling), titles[0])
    is_body = len(sections) >= _FEWEST_SECTIONS and bool(figures)
    if (other := _other_subject(page, title, is_body)) is not None:
        return "not_a_report", other
    if not title.names and (heading := heading_kind(page, range(title.last_line + 1, title.last_line + 4))):
        # 2020年政府信息公开年报 is the column in which a summary of work stands.
        return "not_a_report", f"the heading {heading[1]!r} names another kind of document ({heading[0].document_kind})"
    if not is_body and (other := _other_rendering(page, titles, title)) is not None:
        return "not_a_report", other
    if len(figures) >= 2 or is_body or (prose >= _SHORTEST_BODY and figures):
        return None
    if has_form:
        if prose >= _SHORTEST_BODY and (self_references(page) or len(sections) >= 2):
            return None
        return "blank_form", "the statutory form is there, but nobody filled it in"
    if (len(sections) >= _FEWEST_SECTIONS and prose >= _SHORTEST_BODY) or _has_lead(page, titles):
        return None
    if prose >= _SHORTEST_BODY * 3 and (self_references(page) or sections):
        return None
    return "no_figures", "a title without a body: the report may be an image or an attachment"


def _other_subject(page: Page, title: Title, is_body: bool) -> str | None:
    """Why a title is of another kind of disclosure: a firm's or school's own, or that of one topic."""
    words = load_words().title
    is_open = title.subject in words["open_subject"]
    if not title.names and re.search(any_of(words["own_rules"]), page.prose.text):
        return "the text reports under the rules of firms, schools or hospitals"
    for name in title.names:
        is_organisation = organ_kind(name) == "organisation"
        if is_organisation and is_open and (not is_body or re.search(any_of(words["own_rules"]), page.prose.text)):
            return f"the title {title.printed!r} is of the public disclosure of a firm, school or hospital"
        is_topic = organ_of(name) is None and (name.endswith(words["topic"]) or is_open)
        if is_topic and not (is_body and title.subject not in words["open_subject"]):
            return f"the title {title.printed!r} is of the disclosure of one topic"
    return None


def _other_rendering(page: Page, titles: list[Title], title: Title) -> str | None:
    """Why a page with such a title but no body of a report is none: an explanation, a summary, a notice, news, a list.

    A page of a few sentences may be the beginning of a report; then none of the words of those may stand in it.
    """
    words = load_words().title
    heading = heading_kind(page, range(title.first_line))
    if heading is not None and not _FORWARDED.search(heading[1]):
        return f"the heading {heading[1]!r} names another kind of document ({heading[0].document_kind})"
    if not title.is_telling and (heading := heading_kind(page, range(len(page.lines)))) is not None:
        return f"the heading {heading[1]!r} names another kind of document ({heading[0].document_kind})"
    if not title.is_telling and (other := _other_heading(page, titles)) is not None:
        return f"a column 政府信息公开年报 of a site, and below it {other}"
    above = "".join(line.text for index, line in page.text_lines if index == title.first_line - 1)
    rendering = any_of(words["rendering"])
    if re.search(rendering, title.around) or re.fullmatch(rf"[^\u3400-\u9fff]*(?:{rendering})[^\u3400-\u9fff]*", above):
        return f"the title {title.printed!r} is that of an explanation of a report, and the report is not there"
    if (
        title.subject in words["government_subject"]
        and "年" not in title.report
        and ("总结" in title.report or not re.search(any_of(words["open_subject"]), _below(page, titles)))
    ):
        return f"the title {title.printed!r} is that of a summary of work"
    has_lead = _has_lead(page, titles)
    if not has_lead and (not title.is_telling or sum(lone_year(line.text) is not None for line in page.lines) > 1):
        return "a heading 政府信息公开年报 without a body and without a year: a column of a site"
    before = [line.text for index, line in page.text_lines if index < title.first_line]
    if not has_lead and sum(text.endswith("。") and len(text) >= _SENTENCE for text in before) > 1:
        return f"the title {title.printed!r} stands below another text"
    if len(page.prose.text) > _LONGEST_EXCERPT:
        return None
    below = _below(page, titles)
    met = _other_words().search(below)
    if met is not None and not _COMPILED.search(below):
        return f"the text under the title reads as another kind of document: {met.group().strip()!r}"
    if _ADDRESSEE.search(below):
        return "the text under the title is addressed to those who are to report"
    if len({(t.names, t.year) for t in titles if t.is_telling}) >= 2 and not has_lead:
        return f"a list of {len(titles)} annual-report titles without a body"
    return None


def _other_heading(page: Page, titles: list[Title]) -> str | None:
    """Why what stands below a column of reports is none: its heading is another, or no sentence speaks of a report."""
    words = load_words()
    labels = re.compile(rf"(?:{any_of((*words.metadata, *words.title['neighbour']))})|附件")
    about = re.compile(any_of(words.phrases["report_word"]))
    lines = [line for line in _below(page, titles).split("\n") if line and not labels.match(line)]
    for line in lines:
        if _HEADING_END.search(line) and 9 <= len(line) <= _LONGEST_HEADING and not re.search(r"[。;>]", line):
            return f"the heading {line!r}"
    sentences = [line for line in lines if not _MENU.match(line) and re.search(r"[。:,]", line) and ">" not in line]
    return None if any(about.search(line) for line in sentences) else "no sentence about a report"


def _below(page: Page, titles: list[Title]) -> str:
    """The lines of a page that are no titles, one a line."""
    inside = {i for t in titles for i in range(t.first_line, t.last_line + 1)}
    return "\n".join(line.text for index, line in page.text_lines if index not in inside)


def _has_lead(page: Page, titles: list[Title]) -> bool:
    """Whether a sentence of a report stands under the title, not only what a site prints around an attachment."""
    about = _lead_words()
    first = min((t.first_line for t in titles), default=-1)
    inside = {i for t in titles for i in range(t.first_line, t.last_line + 1)}
    labels = re.compile(rf"[\[【(]?(?:{any_of(load_words().metadata)})[】\])]?(?:[::]|$)|附件|相关|上一|下一|版权|主办")
    return any(
        len(line.text) >= _SHORTEST_LEAD
        and index > first
        and index not in inside
        and not labels.match(line.text)
        and not _MENU.match(line.text)
        and ">" not in line.text
        and not _FILE.search(line.text)
        and (line.text.endswith("。") or (re.search(r"[。,:;、(]", line.text) and about.search(line.text) is not None))
        for index, line in page.text_lines
    )


@lru_cache(maxsize=1)
def _other_words() -> re.Pattern[str]:
    """Words of a notice or an explanation anywhere, of news at the beginning of a sentence."""
    phrases = load_words().phrases
    anywhere = any_of((*phrases["notice_word"], *phrases["explaining_word"]))
    return re.compile(rf"{anywhere}|(?:^|[\n。])(?:{any_of(phrases['news_word'])})")


@lru_cache(maxsize=1)
def _lead_words() -> re.Pattern[str]:
    return re.compile(any_of(load_words().phrases["lead_word"]))
