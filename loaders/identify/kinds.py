"""Report or not: what the title, the headings, the figures and the form say together.

Out: null for a report, else a reject code of the seed ``issue_codes`` with a message that says what was met.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from loaders.identify.agency import self_references
from loaders.identify.text import Page
from loaders.identify.titles import Title
from loaders.identify.words import KindPhrase, any_of, load_words

_HEAD_LINES = 30
_LONGEST_HEADING = 60
_NONE_STATED = "未|没有|无|零|不存在|0"
_ENUMERATOR = (
    r"(?:[一二三四五六七八九十]{1,3}[、.,:]|\([一二三四五六七八九十\d]{1,3}\)|\d{1,2}[.、,]"
    r"|第[一二三四五六七八九十]部分[、:,]?)"
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


def heading_kind(page: Page) -> tuple[KindPhrase, str] | None:
    """The kind of another document that one of the first headings names."""
    words = load_words()
    heads: list[str] = []
    for _, line in page.text_lines[:_HEAD_LINES]:
        if len(line.text) > _LONGEST_HEADING:
            if len(heads) >= 1 and len(line.text) > 80:
                break
            continue
        heads.append(line.text)
    joined = [a + b for a, b in itertools.pairwise(heads)] + [
        a + b + c for a, b, c in zip(heads, heads[1:], heads[2:], strict=False)
    ]
    subject = re.compile(any_of((*words.title["subject"], "年报", "年度报告")))
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
    letters = sum(len(line.text) for line in page.lines)
    if not letters:
        return "empty_document", "the document holds no text"
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
    if len({t.first_line for t in titles}) >= 4 and prose < _SHORTEST_BODY * 2 and len(sections) < _FEWEST_SECTIONS:
        return "not_a_report", f"a list of {len(titles)} annual-report titles without a body"
    if body_phrases(page, "notice") >= 2 and len(figures) < 2:
        return "not_a_report", "the text gives instructions for such reports"
    if len(figures) >= 2 or (len(sections) >= _FEWEST_SECTIONS and figures) or (prose >= _SHORTEST_BODY and figures):
        return None
    if has_form:
        if prose >= _SHORTEST_BODY and (self_references(page) or len(sections) >= 2):
            return None
        return "blank_form", "the statutory form is there, but nobody filled it in"
    if len(sections) >= _FEWEST_SECTIONS and prose >= _SHORTEST_BODY:
        return None
    if prose >= _SHORTEST_BODY * 3 and (self_references(page) or sections):
        return None
    return "no_figures", "a title without a body: the report may be an image or an attachment"
