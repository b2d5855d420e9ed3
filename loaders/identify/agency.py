"""Who reports: the candidates a text offers for the reporting body, and the choice among them.

In: a :class:`Page` and its titles. Out: candidates ranked by how directly the text says "this report is ours":
the title, a by-line, 由…编制, the report named in a sentence, the publisher's field, a signature, a contact
sentence, the form's 填报单位, the source field, and last the body that the text names as author of its own
documents. A candidate that does not fit the text's self-reference (我局, 我委) is refused where the place alone
does not prove it. Nothing fits: null.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from loaders.identify.dates import YEAR_PATTERN, find_dates, read_year
from loaders.identify.names import (
    are_compatible,
    begins_with_place,
    has_province,
    is_full_name,
    is_fuller,
    is_name,
    is_national,
    is_office,
    is_organ_name,
    is_place_chain,
    is_variant,
    organ_kind,
    organ_of,
    split_names,
    trim_division,
)
from loaders.identify.text import Line, Page, fold_lines
from loaders.identify.titles import Title, page_titles
from loaders.identify.words import NAME_CHARS, any_of, load_words
from loaders.model import Evidence, MetadataName

_JOINT = rf"[{NAME_CHARS}、]"
_HEAD_LENGTH = 4000
_LONGEST_HEAD = 60
_BEFORE = re.compile(rf"{_JOINT}+$")
_OPENING_LENGTH = 1000
_ENUMERATION = r"(?:[一二三四五六七八九十]{1,3}[、.,:]|\([一二三四五六七八九十\d]{1,3}\)|\d{1,2}[.、,](?!\d))"

# The order of belief. Rules from ``contact`` on do not prove by their place alone and must fit the self-reference.
RANKS = (
    "title",
    "called_self",
    "by_line",
    "prepared_by",
    "named_report",
    "page_title",
    "publisher",
    "meta_publisher",
    "subject",
    "signature",
    "filler",
    "contact",
    "source",
    "opening",
    "own_figures",
    "own_documents",
    "site_name",
)
_MUST_FIT = frozenset(
    (
        "publisher",
        "meta_publisher",
        "subject",
        "signature",
        "filler",
        "contact",
        "source",
        "opening",
        "own_figures",
        "own_documents",
        "site_name",
    )
)


_WEAK = frozenset(("filler", "source", "own_documents", "meta_publisher", "site_name"))
_UNITS = "省市县区州旗"
_MOST_HEAD_LINES = 60
_BEFORE_PHRASE = '。,;:、\n《〈“"('
_LONGEST_PREFIX = 12
_SEAL = re.compile(r"\((?:印章|公章|盖章|章)\)$")
_BARE_PLACE = re.compile(rf"[{_UNITS}镇乡]?(?:人民)?政府")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A body the text offers as the reporting one, with the rule and the printed words."""

    names: tuple[str, ...]
    printed: str
    rule: str
    evidence: Evidence

    @property
    def rank(self) -> int:
        """Place in the order of belief; smaller is better."""
        return RANKS.index(self.rule)


@dataclass(frozen=True, slots=True)
class Agency:
    """The choice: main name, other names of a joint body, the name as printed, the evidence."""

    name: str | None
    co_names: tuple[str, ...]
    printed: str | None
    evidence: tuple[Evidence, ...]
    rivals: tuple[Candidate, ...]


def self_references(page: Page) -> Counter[str]:
    """How often each self-reference (我局, 本机关) stands in the prose, form labels left out."""
    words = load_words()
    text = page.prose.text
    for cue in words.scope_cues:
        if cue.reading_code == "ignored":
            text = cue.replace(text, "")
    return Counter(_patterns().self_reference.findall(text))


def fits_self_reference(name: str, references: Counter[str]) -> bool:
    """Whether a name fits what the text calls itself; true when it calls itself nothing that tells."""
    words = load_words().self_references
    telling = {word: n for word, n in references.items() if words[word][0] and not words[word][1]}
    if not telling:
        return True
    most = max(telling.values())
    leading = [word for word, n in telling.items() if n * 2 >= most]
    return any(name.endswith(ending) for word in leading for ending in words[word][0])


def contradicts_self_reference(name: str, references: Counter[str]) -> bool:
    """Whether a government or place is named, but the text speaks as a bureau or other office throughout."""
    words = load_words().self_references
    telling = {w: n for w, n in references.items() if words[w][0] and not words[w][1] and "办" not in w}
    if organ_kind(name) not in ("government", "area") or sum(telling.values()) < 3:
        return False
    return not fits_self_reference(name, references)


@dataclass(frozen=True, slots=True)
class _Patterns:
    self_reference: re.Pattern[str]
    called_self: re.Pattern[str]
    prepared_by: re.Pattern[str]
    subject: re.Pattern[str]
    named_report: re.Pattern[str]
    contact: re.Pattern[str]
    announce: re.Pattern[str]
    contact_about: re.Pattern[str]
    opening: re.Pattern[str]
    opening_about: re.Pattern[str]
    own_figures: re.Pattern[str]


@lru_cache(maxsize=1)
def _patterns() -> _Patterns:
    words = load_words()
    phrase, title = words.phrases, words.title
    selves = any_of(words.self_references)
    subject = rf"《?(?:{any_of(title['subject'])})》?"
    report = rf"(?:{any_of(title['filler'])}|[(\[]?{YEAR_PATTERN}(?:年度|年)?[)\]]?)*(?:{any_of(title['report'])}|情况)"
    return _Patterns(
        re.compile(selves),
        re.compile(
            rf"\((?:{any_of(phrase['call_self'])})[:为]?(?:[\"“”'「『]+[^()]{{2,20}}?[\"“”'」』]+[、,或和]?)?"
            rf"[\"“”'「『]*(?P<self>{selves})[\"“”'」』]*[^)]{{0,10}}\)"
        ),
        re.compile(
            rf"(?:{any_of(phrase['prepared_by'])})(?P<name>{_JOINT}{{3,60}}?)(?:\([^()]{{0,30}}\))?(?:{any_of(phrase['manner'])})*"
            rf"(?:(?:根据|按照|依据|在|对|结合)[^。\n]{{0,80}}?)?(?:{any_of(phrase['manner'])})*(?:{any_of(phrase['prepare_verb'])})"
        ),
        re.compile(
            rf"(?:^|[。;\n]|,(?={_JOINT}{{3,60}}(?:\([^()]{{0,30}}\))?(?:现|特)(?:{any_of(phrase['announce'])})))"
            rf"(?P<name>{_JOINT}{{3,60}}?)(?:\([^()]{{0,30}}\))?,?(?:{any_of(phrase['ground'])})[^。\n]{{0,160}}?"
            rf"(?:{any_of(phrase['prepare_verb'])}|公布|发布|向社会公开)[^。\n]{{0,30}}?(?:{any_of(phrase['this_report'])})"
        ),
        re.compile(rf"(?P<year>{YEAR_PATTERN})(?:年度|年)?(?P<after>{_JOINT}{{0,40}}?)(?P<subject>{subject}){report}"),
        re.compile(
            rf"(?:{any_of(phrase['contact_before'])})(?P<name>{_JOINT}{{3,60}}?)(?={any_of(phrase['contact_after'])}|[,。;:\n(]|电话|$)"
        ),
        re.compile(rf"(?:{any_of(phrase['announce'])})"),
        re.compile(any_of(phrase["contact_about"])),
        re.compile(
            rf"(?:^|[。\n])(?:{YEAR_PATTERN}(?:年度|年)(?:以来)?,?)?(?P<name>[{NAME_CHARS}]{{4,40}}?)"
            rf"(?:{any_of(phrase['ground'])})(?P<rest>[^。\n]{{4,200}})"
        ),
        re.compile(any_of(title["subject"])),
        re.compile(
            rf"(?:^|[。;\n])(?:{_ENUMERATION})?(?:[^。;,\n《》]{{2,12}}[。:])?(?:(?:{YEAR_PATTERN})(?:年度|年),?)"
            rf"(?P<name>[{NAME_CHARS}]{{4,40}}?)(?:全年)?(?:{any_of(phrase['work_figure'])})[^。\n]{{0,60}}?\d"
        ),
    )


def _strip_lead(text: str) -> list[tuple[str, int]]:
    """The text and what is left after each announcing word in it, longest first, with the offsets."""
    found = [(text, 0)]
    for match in _patterns().announce.finditer(text):
        if match.start() == 0 and len(match.group()) > 1:
            found.clear()
        if text[: match.start()].endswith("机构") and match.group().startswith("编制"):
            continue
        found.append((text[match.end() :], match.end()))
    return found


def _names_in(text: str) -> tuple[tuple[str, ...], int] | None:
    """The organ names that a stretch of text ends in, after any announcing words, and where they begin."""
    for rest, offset in _strip_lead(text):
        names = split_names(rest)
        if names and all(is_organ_name(n) for n in names):
            return names, offset
    return None


def find_candidates(page: Page, titles: list[Title], references: Counter[str]) -> list[Candidate]:
    """All bodies the text offers, best first, except the title's own."""
    found = [
        *_from_prose(page, titles),
        *_from_lines(page, titles),
        *_from_fields(page),
        *_from_own_documents(page, references),
        *_from_metadata(page, references),
    ]
    found = [c for c in found if c.rule not in _MUST_FIT or fits_self_reference(c.names[0], references)]
    return sorted(found, key=lambda c: c.rank)


def _candidate(
    page: Page, rule: str, names: tuple[str, ...], start: int, length: int, match: re.Match[str]
) -> Candidate:
    evidence = page.prose.evidence("agency_name", rule, min(start, match.start()), match.end(), page.document)
    printed = page.prose.evidence("agency_name", rule, start, start + length, page.document).snippet
    return Candidate(names, printed, rule, evidence)


def _from_prose(page: Page, titles: list[Title]) -> list[Candidate]:
    patterns, text = _patterns(), page.prose.text
    found: list[Candidate] = []
    for match in patterns.called_self.finditer(text):
        head = _BEFORE.search(text, max(0, match.start() - _LONGEST_HEAD), match.start())
        printed = head.group() if head else ""
        if hit := _names_in(printed.removeprefix("由")):
            start = match.start() - len(printed) + hit[1] + (1 if printed.startswith("由") else 0)
            found.append(_candidate(page, "called_self", hit[0], start, len("".join(hit[0])), match))
    for match in patterns.prepared_by.finditer(text[:_HEAD_LENGTH]):
        names = split_names(match["name"])
        if all(is_organ_name(n) for n in names):
            found.append(_candidate(page, "prepared_by", names, match.start("name"), len(match["name"]), match))
    for match in patterns.subject.finditer(text[:_HEAD_LENGTH]):
        names = split_names(match["name"])
        if all(is_organ_name(n) for n in names) and all(is_office(n) for n in names):
            found.append(_candidate(page, "subject", names, match.start("name"), len(match["name"]), match))
    found += _named_reports(page, titles)
    found += _openings(page)
    found += _own_figures(page)
    for match in patterns.contact.finditer(text):
        printed = match["name"]
        if not patterns.contact_about.search(text[max(0, match.start() - 90) : match.start()].rpartition("\n")[2]):
            continue
        names = tuple(trim_division(n) for n in split_names(printed))
        if not all(is_organ_name(n) and (is_office(n) or organ_kind(n) == "township_area") for n in names):
            continue
        found.append(_candidate(page, "contact", names, match.start("name"), len("、".join(names)), match))
    return found


def _openings(page: Page) -> list[Candidate]:
    """The subject of a first sentence about disclosure: 2019年，某局在…领导下，认真开展政府信息公开工作。"""
    patterns = _patterns()
    found: dict[str, Candidate] = {}
    for match in patterns.opening.finditer(page.prose.text[:_OPENING_LENGTH]):
        name = match["name"]
        if not (is_organ_name(name) and is_full_name(name) and patterns.opening_about.search(match["rest"])):
            continue
        if is_national(name) and not re.search("[省市县区州旗]", name):
            continue
        found.setdefault(name, _candidate(page, "opening", (name,), match.start("name"), len(name), match))
    return list(found.values()) if len(found) == 1 else []


def _own_figures(page: Page) -> list[Candidate]:
    """The one full name that is the subject of sentences with the report's own figures: 2024年,某局新收…申请553件."""
    found: dict[str, Candidate] = {}
    for match in _patterns().own_figures.finditer(page.prose.text):
        name = match["name"]
        if is_organ_name(name) and is_full_name(name) and organ_kind(name) != "unknown":
            found.setdefault(name, _candidate(page, "own_figures", (name,), match.start("name"), len(name), match))
    names = list(found)
    if not names or not all(are_compatible(names[0], other) for other in names):
        return []
    return [max(found.values(), key=lambda c: len(c.names[0]))]


_QUOTED_OTHER = re.compile(r"《[^》\n]{0,60}$")


def _named_reports(page: Page, titles: list[Title]) -> list[Candidate]:
    patterns, text = _patterns(), page.prose.text[:_HEAD_LENGTH]
    found: list[Candidate] = []
    title_years = {t.year for t in titles} - {None}
    title_lines = {i for t in titles for i in range(t.first_line, t.last_line + 1)}
    for match in patterns.named_report.finditer(text):
        if page.prose.where(match.start("subject"))[0] in title_lines:
            continue
        rest = text[match.end() : match.end() + 12]
        if re.match(r"》?的?(?:基础|编制|通知|格式|有关|要求|工作的|模板|指标|统计)", rest):
            continue
        is_quoted = _QUOTED_OTHER.search(text[: match.start("subject")]) is not None
        if is_quoted and not rest.startswith("》"):
            continue
        if is_quoted and title_years and read_year(match["year"]) not in title_years:
            continue
        head = _BEFORE.search(text, max(0, match.start() - _LONGEST_HEAD), match.start())
        before_start = head.start() if head else match.start()
        for group in ("before", "after"):
            part = match["after"] if group == "after" else text[before_start : match.start()]
            part_start = match.start("after") if group == "after" else before_start
            shift = 2 if group == "before" and part.startswith("关于") else 0
            part = part[shift:]
            if group == "before":
                for cut in ("的", "关于"):
                    part = part.removesuffix(cut)
            else:
                part = part.removesuffix("的").removesuffix("关于")
            hit = _names_in(part)
            if hit is None and group == "before" and (tail := re.search(rf"由?({_JOINT}+)$", part)):
                hit = _names_in(tail[1].removeprefix("由"))
            if hit is None:
                continue
            names, offset = hit
            if group == "before" and offset == 0 and before_start > 0 and text[before_start - 1] not in '。;,:\n《“"':
                continue
            found.append(
                _candidate(page, "named_report", names, part_start + shift + offset, len("".join(names)), match)
            )
            break
    return found


def _from_lines(page: Page, titles: list[Title]) -> list[Candidate]:
    """The line under the title, and the signature: a line that is a name, with a date beside or below it."""
    found: list[Candidate] = []
    lines, dates_of = page.text_lines, line_dates(page)
    last_title_lines = {t.last_line for t in titles}
    for position, (_, line) in enumerate(lines):
        dates = dates_of[position]
        end = len(line.text)
        if dates and line.text[dates[-1][2] :] in ("", ")", "印发"):
            end = dates[0][1]
        is_by_line = position > 0 and lines[position - 1][0] in last_title_lines
        below = dates_of[position + 1] if position + 1 < len(lines) else ()
        # A date and hardly more stands below.
        is_signed = end < len(line.text) or bool(
            below and below[0][1] <= 1 and below[0][2] >= len(lines[position + 1][1].text) - 2
        )
        if not is_by_line and not (is_signed and position > 0):
            continue
        head = _SEAL.sub("", line.text[:end]).rstrip(":,。(").lstrip("(")
        if not 4 <= len(head) <= 50:
            continue
        names = tuple(trim_division(n) for n in split_names(head, tuple(g for g in line.gaps if g < len(head))))
        if not all(is_organ_name(n) and is_full_name(n) for n in names):
            continue
        rule = "by_line" if is_by_line else "signature"
        evidence = Evidence("agency_name", line.printed(), rule, line.place())
        start = line.text.index(head)
        found.append(Candidate(names, line.printed(start, start + len(head)), rule, evidence))
    return found


@lru_cache(maxsize=4)
def line_dates(page: Page) -> tuple[Sequence[tuple[date, int, int]], ...]:
    """The dates of each line outside tables."""
    return tuple([find_dates(line.text) for _, line in page.text_lines])


def _from_fields(page: Page) -> list[Candidate]:
    """Fields such as 发布机构:…, in one line, or as a cell beside its value."""
    found: list[Candidate] = []
    for attribute, value, printed, evidence in metadata_fields(page):
        if attribute not in ("publisher", "filler", "source"):
            continue
        names = split_names(value)
        if not all(is_organ_name(n) and is_office(n) for n in names):
            trimmed = trim_division(value)
            if not (is_organ_name(trimmed) and is_office(trimmed)):
                continue
            names = (trimmed,)
        found.append(Candidate(names, printed, attribute, evidence))
    return found


def _from_metadata(page: Page, references: Counter[str]) -> list[Candidate]:
    """What the page says of itself outside its text: its title, the source of its content, its site.

    A government's portal and office put out the reports of all its bodies: they count only where the text speaks for
    the area.
    """
    found = []
    for title in page_titles(page):
        if title.names:
            evidence = Evidence("agency_name", title.printed, "page_title")
            found.append(Candidate(title.names, title.printed_names or "".join(title.names), "page_title", evidence))
    for metadata in page.document.metadata:
        rule = {MetadataName.PUBLISHER: "meta_publisher", MetadataName.SITE_NAME: "site_name"}.get(metadata.name)
        name = _site_body(page, metadata.value) if rule is not None else None
        if rule is None or name is None or not is_full_name(name):
            continue
        if organ_kind(name) in ("government", "government_office", "area") and not _speaks_for_area(references):
            continue
        found.append(Candidate((name,), metadata.value, rule, Evidence("agency_name", metadata.value, rule)))
    return found


def _site_body(page: Page, value: str) -> str | None:
    """The body or place that a site is named after: 某市司法局网站 is that of 某市司法局."""
    lines = fold_lines(value, page.document)
    if len(lines) != 1:
        return None
    name = _site_words().sub("", lines[0].text)
    return name if is_organ_name(name) else None


@lru_cache(maxsize=1)
def _site_words() -> re.Pattern[str]:
    return re.compile(rf"(?:{any_of(load_words().phrases['site_word'])})+$")


@lru_cache(maxsize=1)
def _local_organ() -> re.Pattern[str]:
    return re.compile(rf"(?:本|[{_UNITS}])?(?:{any_of(load_words().title['local_organ'])})")


def _with_place_of_site(name: str, page: Page) -> tuple[str, Evidence] | None:
    """A body named without its place, on the portal of a government of the same unit: 市教育局 of 某市人民政府网."""
    for metadata in page.document.metadata:
        if metadata.name is not MetadataName.SITE_NAME or name[0] not in _UNITS:
            continue
        site = _site_body(page, metadata.value)
        if site is not None and organ_kind(site) in ("government", "area"):
            place = _without_government(site)
            if place.endswith(name[0]):
                return place + name[1:], Evidence("agency_name", metadata.value, "site_name")
    return None


def _with_outer_place(name: str, page: Page) -> tuple[str, Evidence] | None:
    """The name with the place around its own, as a crumb of the page's path or the site's name gives it."""
    for _, line in page.text_lines[:_MOST_HEAD_LINES]:
        if ">" not in line.text or name not in line.text:
            continue
        for crumb in re.finditer(r"[^>»]+", line.text):
            if crumb.group().endswith(name) and is_place_chain(crumb.group()[: -len(name)]):
                place = line.place(crumb.start(), crumb.end())
                return crumb.group(), Evidence("agency_name", line.printed(*crumb.span()), "breadcrumb", place)
    own = re.match(r"[\u3400-\u9fff]{2,7}?[市县区旗州盟]", name)
    for metadata in page.document.metadata if own else ():
        site = _site_body(page, metadata.value) if metadata.name is MetadataName.SITE_NAME else None
        if own and site is not None and organ_kind(site) in ("government", "area"):
            place_name = _without_government(site)
            if place_name.endswith(own.group()) and place_name != own.group():
                return place_name + name[own.end() :], Evidence("agency_name", metadata.value, "site_name")
    return None


def _without_government(name: str) -> str:
    return re.sub(rf"(?:{'|'.join(_GOVERNMENTS)})$", "", name)


@lru_cache(maxsize=1)
def _field_label() -> re.Pattern[str]:
    return re.compile(rf"[\[【]?(?P<label>{any_of(load_words().metadata)})[\]】]?(?P<colon>:)")


@lru_cache(maxsize=4)
def metadata_fields(page: Page) -> tuple[tuple[str, str, str, Evidence], ...]:
    """Labelled fields of the page: attribute, compact value, printed value, evidence."""
    metadata, label = load_words().metadata, _field_label()
    fields: list[tuple[str, str, str, Evidence]] = []
    for index, line in enumerate(page.lines):
        text = line.text
        has_colon = ":" in text
        if not (has_colon or line.gaps or text in metadata) or len(text) > 400:
            continue
        marks = list(label.finditer(text)) if has_colon else []
        for number, match in enumerate(marks):
            attribute = metadata[match["label"]]
            end = marks[number + 1].start() if number + 1 < len(marks) else len(line.text)
            start = match.end()
            gaps = sorted(g for g in line.gaps if start < g < end)
            value_end = end
            if attribute in ("publisher", "source", "filler"):
                value_end = next(
                    (g for g in gaps if is_organ_name(line.text[start:g]) and is_office(line.text[start:g])), end
                )
            if start >= end:
                if number + 1 == len(marks) and index + 1 < len(page.lines):
                    below = page.lines[index + 1]
                    if not label.match(below.text) and len(below.text) <= 60:
                        evidence = Evidence(attribute, below.printed(), attribute, below.place())
                        fields.append((attribute, below.text, below.printed(), evidence))
                continue
            while value_end > start and line.text[value_end - 1] in "|,;。[]【】/":
                value_end -= 1
            if value_end <= start:
                continue
            evidence = Evidence(
                attribute, line.printed(match.start(), value_end), attribute, line.place(match.start(), value_end)
            )
            fields.append((attribute, line.text[start:value_end], line.printed(start, value_end), evidence))
        if not marks and line.gaps:
            fields += _spaced_fields(line)
        if not marks and (line.text.rstrip(":") in metadata) and index + 1 < len(page.lines):
            attribute = metadata[line.text.rstrip(":")]
            below = page.lines[index + 1]
            if (line.is_table and below.is_table) or attribute in ("publisher", "published_date"):
                evidence = Evidence(attribute, below.printed(), attribute, below.place())
                fields.append((attribute, below.text, below.printed(), evidence))
    return tuple(fields)


def _spaced_fields(line: Line) -> list[tuple[str, str, str, Evidence]]:
    """Labels and values side by side without a colon, apart by white space."""
    metadata = load_words().metadata
    cuts = [0, *sorted(g for g in line.gaps if 0 < g < len(line.text)), len(line.text)]
    tokens = list(itertools.pairwise(cuts))
    fields = []
    for (start, end), (first, last) in itertools.pairwise(tokens):
        attribute = metadata.get(line.text[start:end])
        if attribute is not None and line.text[first:last] not in metadata:
            evidence = Evidence(attribute, line.printed(start, last), attribute, line.place(start, last))
            fields.append((attribute, line.text[first:last], line.printed(first, last), evidence))
    return fields


@dataclass(frozen=True, slots=True)
class _OwnPatterns:
    clean_before: re.Pattern[str]
    above_before: re.Pattern[str]
    above_after: re.Pattern[str]
    own_before: re.Pattern[str]
    own_after: re.Pattern[str]
    own_account: re.Pattern[str]


@lru_cache(maxsize=1)
def _own_patterns() -> _OwnPatterns:
    phrase = load_words().phrases
    return _OwnPatterns(
        re.compile(rf"(?:^|[。,;:、\n《〈“\"()]|{any_of(phrase['particle'])})$"),
        re.compile(rf"(?:{any_of(phrase['superior_before'])})(?:了|好)?[《“]?$"),
        re.compile(rf"(?:{any_of(phrase['superior_after'])})"),
        re.compile(rf"(?:{any_of(phrase['own_before'])})[^。\n]{{0,30}}《$|[》、]、?《$"),
        re.compile(rf"[^》\n]{{0,30}}?(?:{any_of(phrase['own_document'])})"),
        # Everybody puts out a budget of his own: 《某局2018年预算情况说明》上网.
        re.compile(
            rf"(?:{YEAR_PATTERN})?(?:年度|年)?[^》\n]{{0,12}}?(?:{any_of(phrase['own_account'])})[^》\n]{{0,12}}》"
            rf"[^。,;《\n]{{0,8}}?(?:{any_of(phrase['own_published'])})"
        ),
    )


@lru_cache(maxsize=256)
def _mention(endings: frozenset[str]) -> re.Pattern[str]:
    return re.compile(rf"(?P<name>[{NAME_CHARS}]{{3,24}}?(?:{any_of(endings)}))")


def _from_own_documents(page: Page, references: Counter[str]) -> list[Candidate]:
    """The fully named body that the text names as author of its own documents, when no other one is."""
    words, patterns = load_words().self_references, _own_patterns()
    telling = frozenset(e for word in references for e in words[word][0] if not words[word][1])
    if not telling:
        return []
    mention, text = _mention(telling), page.prose.text
    own: Counter[str] = Counter()
    places: dict[str, re.Match[str]] = {}
    for title in re.finditer("《", text):
        match = mention.match(text, title.end())
        if match is None or not is_full_name(match["name"]) or not is_name(match["name"]):
            continue
        before, after = text[max(0, match.start() - 40) : match.start()], text[match.end() : match.end() + 40]
        if patterns.above_before.search(before) or patterns.above_after.match(after):
            continue
        if (patterns.own_before.search(before) and patterns.own_after.match(after)) or patterns.own_account.match(
            after
        ):
            own[match["name"]] += 1
            places.setdefault(match["name"], match)
    ranked = own.most_common(2)
    if not ranked or ranked[0][1] < 2 or (len(ranked) > 1 and ranked[1][1] * 2 > ranked[0][1]):
        return []
    name = ranked[0][0]
    if any(are_compatible(name, other) for other in _superiors(text, mention)):
        return []
    if is_national(name) and not re.search("[省市县区州旗]", name):
        return []
    return [_candidate(page, "own_documents", (name,), places[name].start(), len(name), places[name])]


def _superiors(text: str, mention: re.Pattern[str]) -> set[str]:
    """The bodies whose documents the text carries out."""
    patterns = _own_patterns()
    found: set[str] = set()
    for match in mention.finditer(text):
        before, after = text[max(0, match.start() - 40) : match.start()], text[match.end() : match.end() + 40]
        if not patterns.clean_before.search(before) or not is_full_name(match["name"]) or not is_name(match["name"]):
            continue
        if patterns.above_before.search(before) or patterns.above_after.match(after):
            found.add(match["name"])
    return found


def choose_agency(page: Page, title: Title | None, titles: list[Title], references: Counter[str]) -> Agency:
    """The reporting body: the title's, made full by the text, or the best candidate's."""
    candidates = find_candidates(page, titles, references)
    proving = [c for c in candidates if c.rank <= RANKS.index("signature")]
    if title is not None and title.names and title.is_name_apart:
        # A name on a line of its own above the title may be the site's header: the text must not contradict it.
        best = proving[0] if proving else None
        if (
            best is not None
            and not are_compatible(title.names[0], best.names[0])
            and best.rule in ("called_self", "prepared_by", "named_report", "publisher")
        ):
            title = None
    base: Candidate | None
    if title is not None and title.names:
        evidence = Evidence("agency_name", title.printed, "title", title.place)
        base = Candidate(title.names, title.printed_names or "".join(title.names), "title", evidence)
    elif candidates:
        base = _best_of(page, candidates, references)
    else:
        return Agency(None, (), None, (), ())
    if base is None:
        return Agency(None, (), None, (), tuple(candidates))
    if title is not None and _BARE_PLACE.fullmatch(title.printed_names or "") and base.rule != "title":
        # The title says 县政府, and the office of a county's government speaks for it.
        government = _without_office(base.names[0])
        if organ_kind(base.names[0]) == "government_office" and organ_kind(government) == "government":
            base = replace(base, names=(government,))
    base, used_government = _government_of(base, candidates, page, references)
    names, used = _full_names(base, candidates, page)
    used = [*used_government, *used]
    if _local_organ().fullmatch(names[0]):
        # 教育局 alone is a body of every town: without its place it names none.
        placed = _with_place_of_site(names[0], page)
        if placed is None:
            return Agency(None, (), base.printed, (), ())
        names = (placed[0], *names[1:])
        used.append(placed[1])
    rivals = tuple(
        c
        for c in candidates
        if c.rule in ("called_self", "prepared_by", "named_report", "filler")
        and not any(are_compatible(n, o) or _is_office_of(n, o) for n in names for o in c.names)
    )
    return Agency(names[0], names[1:], base.printed, tuple(dict.fromkeys((base.evidence, *used))), rivals)


def _speaks_as_office(place: str, references: Counter[str]) -> bool:
    """Whether the text of a place's report speaks as a bureau or other office, its general office left out."""
    words = load_words().self_references
    return any(
        word[0] in "我本" and not words[word][1] and "办" not in word and words[word][0]
        for word in references
        if not any((place + "人民政府").endswith(ending) for ending in words[word][0])
    )


_GOVERNMENTS = ("人民政府", "行政公署")
_GOVERNMENT_BEHIND = re.compile(
    rf"(?:{'|'.join(_GOVERNMENTS)})(?!(?:公众|公共|公开|信息)?(?:门户)?网|公报|令|微|客户端|APP)"
)


def _government_of(
    base: Candidate, candidates: list[Candidate], page: Page, references: Counter[str]
) -> tuple[Candidate, list[Evidence]]:
    """The people's government of a bare place in the title, where the text prints its name.

    By article 49 the report of a place is its government's. The name must stand in the text, in full or before its
    office (某县人民政府办公室), and neither 我局 nor a named body may speak against it; a web site is no such name.
    """
    if (
        base.rule not in ("title", "named_report")
        or len(base.names) != 1
        or organ_kind(base.names[0]) not in ("area", "township_area")
        or _speaks_as_office(base.names[0], references)
    ):
        return base, []
    place = base.names[0]
    named = [c for c in candidates if c.rule in ("called_self", "by_line", "prepared_by", "named_report", "signature")]
    if any(not are_compatible(place, _without_office(n)) and not _is_inside(place, n) for c in named for n in c.names):
        return base, []
    text = page.prose.text
    at = text.find(place)
    while at >= 0:
        match = _GOVERNMENT_BEHIND.match(text, at + len(place))
        start = _start_of_government(text, at) if match is not None else None
        if match is not None and start is not None:
            evidence = page.prose.evidence("agency_name", "government_of_place", start, match.end(), page.document)
            return replace(base, names=(text[start : match.end()],)), [evidence]
        at = text.find(place, at + 1 if match is None else match.end())
    for attribute, value, _, evidence in metadata_fields(page):
        if attribute not in ("publisher", "filler", "source") or not value.startswith(place):
            continue
        if (match := _GOVERNMENT_BEHIND.match(value, len(place))) is not None:
            shown = Evidence("agency_name", evidence.snippet, "government_of_place", evidence.place)
            return replace(base, names=(value[: match.end()],)), [shown]
    return base, []


def _start_of_government(text: str, at: int) -> int | None:
    """Where a government's name begins that has its place at ``at``: there, or at a province before; null in a word."""
    run = re.search(r"[\u3400-\u9fff]{0,14}$", text[:at])
    before = run.group() if run else ""
    particles = tuple(load_words().phrases["particle"])
    for cut in range(len(before)):
        if (cut == 0 or before[:cut].endswith(particles)) and has_province(before[cut:]):
            return at - len(before) + cut if is_place_chain(before[cut:]) else None
    prepared_by = tuple(load_words().phrases["prepared_by"])
    for cut in range(len(before)):
        prefix = before[cut:]
        is_start = not before.startswith(particles) if cut == 0 else before[:cut].endswith(prepared_by)
        if is_start and len(prefix) >= 3 and prefix[-1] in "市州盟" and is_place_chain(prefix):
            return at - len(prefix)
    if not before or before.endswith(particles) or (begins_with_place(before) and is_place_chain(before)):
        return at
    return None


def _is_inside(place: str, name: str) -> bool:
    """Whether a named body is an office of the place's government: 某县政府办公室."""
    return name.startswith(place) and organ_kind(name) in ("government_office", "government")


def _without_office(name: str) -> str:
    """A body without its office: 某县人民政府办公室 and 某县政务公开办公室 act for others."""
    trimmed = trim_division(name)
    if trimmed != name:
        return trimmed
    return _government_office().sub("", name)


@lru_cache(maxsize=1)
def _government_office() -> re.Pattern[str]:
    return re.compile(rf"(?:{any_of(load_words().phrases['office_of_government'])})$")


def _is_office_of(name: str, other: str) -> bool:
    """Whether one is the general office or an inner office of the other."""
    return any(are_compatible(_without_office(a), b) for a, b in ((name, other), (other, name)))


def _best_of(page: Page, candidates: list[Candidate], references: Counter[str]) -> Candidate | None:
    best = candidates[0]
    if best.rule == "filler":
        # The form's line and the prose name the body alike but for a letter: the prose is written with more care.
        said = [c for c in candidates if c.rule in ("contact", "opening", "own_figures")]
        for other in said:
            if are_compatible(other.names[0], best.names[0]) and not is_fuller(other.names[0], best.names[0]):
                return other
    if best.rank >= RANKS.index("contact"):
        others = [c for c in candidates if not are_compatible(c.names[0], best.names[0])]
        if others and best.rule != "filler":
            return None
        if organ_kind(best.names[0]) in ("government", "government_office") and not _speaks_for_area(references):
            # A contact at a government's office may serve any body of that government, and so may its figures.
            return None if best.rule in ("contact", "source", "own_figures") else best
        if best.rule == "source" and not any(load_words().self_references[w][0] for w in references):
            return None
    if (
        best.rule in ("prepared_by", "named_report")
        and organ_kind(best.names[0]) == "government_office"
        and (_speaks_for_area(references) or _is_compiled(page))
    ):
        # By article 49 the office publishes the report of its government, and the text speaks of the whole area.
        government = _without_office(best.names[0])
        if organ_kind(government) == "government":
            return replace(best, names=(government,))
    return best


def _is_compiled(page: Page) -> bool:
    """Whether the text says that it is put together from the reports of others."""
    return any(
        cue.search(page.prose.text)
        for cue in load_words().scope_cues
        if cue.reading_code == "area_aggregate" and cue.organ_group == "government_office"
    )


def _speaks_for_area(references: Counter[str]) -> bool:
    words = load_words().self_references
    telling = {w: n for w, n in references.items() if words[w][0]}
    return bool(telling) and all(words[w][1] for w in telling)


def _full_names(base: Candidate, candidates: list[Candidate], page: Page) -> tuple[tuple[str, ...], list[Evidence]]:
    used: list[Evidence] = []
    names: list[str] = []
    for name in base.names:
        full = name
        for candidate in sorted(candidates, key=lambda c: (c.rule == "filler", c.rank)):
            for other in candidate.names:
                if not is_fuller(full, other) or (candidate.rule == "source" and not is_office(other)):
                    continue
                if candidate.rule in _WEAK and _is_prefixed(full):
                    continue
                full = other
                used.append(candidate.evidence)
        if not has_province(full) and not is_national(full) and is_office(full):
            longer = _prefixed_in_prose(full, page)
            if longer:
                full, evidence = longer
                used.append(evidence)
        if not has_province(full) and not is_national(full) and (placed := _with_outer_place(full, page)):
            full, evidence = placed
            used.append(evidence)
        names.append(full)
    for candidate in candidates:
        if (
            candidate.rule in ("called_self", "prepared_by")
            and len(candidate.names) > len(names)
            and any(are_compatible(names[0], n) for n in candidate.names)
        ):
            extra = [n for n in candidate.names if not any(are_compatible(n, own) for own in names)]
            names += extra
            used.append(candidate.evidence)
    return tuple(names), used


def _is_prefixed(name: str) -> bool:
    """Whether a name already begins with its place."""
    return (
        has_province(name)
        or is_national(name)
        or re.match(r"[\u3400-\u9fff]{2,6}?[省市县区旗州盟镇乡]", name) is not None
    )


def _prefixed_in_prose(name: str, page: Page) -> tuple[str, Evidence] | None:
    """The name with the province or city before it as the prose prints it at the start of a phrase."""
    text = page.prose.text
    at = text.find(name)
    end = 0
    while at >= 0:
        start = at
        while start > max(0, at - _LONGEST_PREFIX) and "\u3400" <= text[start - 1] <= "\u9fff":
            start -= 1
        if at - start >= 2 and (start == 0 or (start > end and text[start - 1] in _BEFORE_PHRASE)):
            end = at + len(name)
            full = text[start:end]
            suffix = organ_of(text[start:at])
            is_longer = has_province(full) and suffix is not None and suffix.is_area
            if is_longer and is_name(full) and is_variant(name, full):
                return full, page.prose.evidence("agency_name", "full_name", start, end, page.document)
        at = text.find(name, max(at + 1, end))
    return None
