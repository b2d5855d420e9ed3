"""Identification: is the document an annual report, who reports, on which year, in which scope, when.

In: a :class:`Document` and the :class:`Hints` of a manifest. Out: an :class:`Identity` whose attributes are
null where the text does not say, each with its evidence, and issues for what is missing or contradicts.
The order of belief, for the body: title, 由…编制, the report named in a sentence, publisher, signature, contact;
for the year: title, period, lead sentence, years spoken of. A hint wins over all of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from loaders.identify.agency import (
    choose_agency,
    contradicts_self_reference,
    line_dates,
    metadata_fields,
    self_references,
)
from loaders.identify.dates import (
    YEAR_PATTERN,
    Period,
    find_dates,
    find_period,
    narrative_years,
    read_year,
    work_years,
    year_until_december,
)
from loaders.identify.kinds import classify
from loaders.identify.names import are_compatible, is_organ_name, organ_kind
from loaders.identify.scope import find_scope
from loaders.identify.text import Page, read_page
from loaders.identify.titles import Title, find_titles, lone_year, page_titles
from loaders.identify.words import any_of, load_words
from loaders.model import Document, Evidence, Hints, Identity, Issue, MetadataName, Place, Scope
from loaders.text.fold import detect_script, fold

__all__ = ["ReportTitle", "classify_document", "find_report_titles", "identify_report"]

# A title has a body of its own when this much is printed before the next title.
_SHORTEST_BODY = 200
_LATEST_PUBLICATION = 12
_LONGEST_PERIOD_LINE = 30
_LONGEST_DATE_LINE = 60
_ABOUT_REPORT = re.compile(r"的?(?:编制|通知|格式|有关|要求|工作的|模板)")
_OPEN_QUOTE = re.compile(r"《[^》\n]*$")
_TIME_OF_DAY = re.compile(r"(?:\d{1,2}:\d{2}(?::\d{2})?)?")


@dataclass(frozen=True, slots=True)
class ReportTitle:
    """An annual-report title with its own body."""

    title: str
    agency_name_raw: str | None
    report_year: int | None
    place: Place


def classify_document(document: Document, has_filled_form: bool, has_form: bool) -> tuple[str, str] | None:
    """Null for an annual report, else the reject code and what was met.

    ``has_form`` says that a statutory table was recognised, ``has_filled_form`` that figures stand in it.
    """
    page = read_page(document)
    return classify(page, find_titles(page), has_filled_form, has_form)


def find_report_titles(document: Document) -> list[ReportTitle]:
    """The different annual reports a document holds: titles of other bodies or years, each with its own body."""
    page = read_page(document)
    found: list[Title] = []
    for title, length in _with_body(page, find_titles(page)):
        if length >= _SHORTEST_BODY and not any(_is_same(title, other) for other in found):
            found.append(title)
    return [ReportTitle(t.printed, t.printed_names, t.year, t.place) for t in found]


def _is_same(one: Title, other: Title) -> bool:
    if one.year is not None and other.year is not None and one.year != other.year:
        return False
    return not (one.names and other.names) or are_compatible(one.names[0], other.names[0])


def _with_body(page: Page, titles: list[Title]) -> list[tuple[Title, int]]:
    """Each title with the number of characters printed between it and the next title."""
    if not titles:
        return []
    ends = [*(t.first_line for t in titles[1:]), len(page.lines)]
    return [
        (title, sum(len(line.text) for line in page.lines[title.last_line + 1 : end]))
        for title, end in zip(titles, ends, strict=True)
    ]


def _choose_title(page: Page, titles: list[Title]) -> Title | None:
    """The report's title: the first with a body. A list of links to other years has none."""
    if not titles:
        return None
    bodies = _with_body(page, titles)
    # Without a body, a bare 政府信息公开年报 is rather a column of the site.
    telling = [b for b in bodies if b[0].is_telling] or bodies
    return next((t for t, length in bodies if length >= _SHORTEST_BODY), max(telling, key=lambda b: b[1])[0])


def _naming_title(title: Title | None, titles: list[Title]) -> Title | None:
    """The title that names the body: the report's own, else the one name that all titles of its year agree on."""
    if title is None or title.names:
        return title
    named = [t for t in titles if t.names and (title.year is None or t.year in (None, title.year))]
    return named[0] if named and all(t.names == named[0].names for t in named) else title


@dataclass(frozen=True, slots=True)
class _Year:
    value: int | None
    evidence: tuple[Evidence, ...]
    issues: tuple[Issue, ...]


@lru_cache(maxsize=1)
def _lead_report() -> re.Pattern[str]:
    words = load_words().title
    subject = rf"《?(?:{any_of(words['subject'])})》?"
    return re.compile(
        rf"(?P<year>{YEAR_PATTERN})(?:年度|年)?[\u3400-\u9fff、()]{{0,40}}?{subject}"
        rf"(?:{any_of(words['filler'])})*(?:{any_of(words['report'])}|情况(?:报告|公布|公开)?如下)"
    )


def _lead_years(page: Page) -> list[tuple[int, Evidence]]:
    """Years with which the first sentences name the report itself, or with which its title names it elsewhere."""
    found = []
    for match in _lead_report().finditer(page.prose.text[:4000]):
        rest = page.prose.text[match.end() : match.end() + 10]
        before = page.prose.text[max(0, match.start() - 30) : match.start()]
        year = read_year(match["year"])
        if year is None or _ABOUT_REPORT.match(rest):
            continue
        if _OPEN_QUOTE.search(before) and not rest.startswith("》"):
            continue
        evidence = page.prose.evidence("report_year", "lead_sentence", match.start(), match.end(), page.document)
        found.append((year, evidence))
    return found


def _was_published_before_end_of(page: Page, year: int) -> bool:
    """Whether the fields of publication all lie before the end of a year: then the page is not its report."""
    labelled, _ = _dates_of_publication(page)
    return bool(labelled) and all(day.year <= year for day, _ in labelled)


def _worked_year(page: Page, spoken: Counter[int]) -> _Year | None:
    """The one year in which the text says that this report's work was done, when nothing speaks for another.

    Two sentences must say so, or one that the date of publication in the next year bears out.
    """
    found = work_years(page.prose.text)
    years = {year for year, _, _ in found}
    if len(years) != 1:
        return None
    year = years.pop()
    if (set(spoken) - {year}) or _was_published_before_end_of(page, year):
        return None
    is_borne_out = any(day.year == year + 1 for dates in _dates_of_publication(page) for day, _ in dates)
    if len(found) < 2 and not is_borne_out:
        return None
    _, start, end = found[0]
    return _Year(year, (page.prose.evidence("report_year", "work_sentence", start, end, page.document),), ())


def _year_beside_title(page: Page, title: Title | None) -> _Year | None:
    """The year on a line of its own below the title, or in the title that the page bears outside its text."""
    if title is not None and title.has_several_years:
        return None
    if title is not None:
        if (value := year_until_december(title.around)) is not None:
            return _Year(value, (Evidence("report_year", title.printed, "title", title.place),), ())
        below = [line for index, line in page.text_lines if title.last_line < index <= title.last_line + 3]
        for position, line in enumerate(below[:2]):
            value = lone_year(line.text)
            if value is not None and position + 1 < len(below) and lone_year(below[position + 1].text) is not None:
                # A list of years.
                break
            if value is None and len(line.text) <= _LONGEST_PERIOD_LINE:
                value = year_until_december(line.text)
            if value is not None:
                return _Year(value, (Evidence("report_year", line.printed(), "title_line", line.place()),), ())
            if position == 0 and not is_organ_name(line.text):
                break
    outside = [t for t in page_titles(page) if t.year is not None and (title is None or _is_same(t, title))]
    if len({t.year for t in outside}) != 1:
        return None
    return _Year(outside[0].year, (Evidence("report_year", outside[0].printed, "page_title"),), ())


def _choose_year(page: Page, title: Title | None, titles: list[Title], period: Period | None) -> _Year:
    spoken = narrative_years(page.prose.text)
    ranked = spoken.most_common(2)
    main = ranked[0][0] if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]) else None
    period_year = period.year if period else None
    leads = _lead_years(page)
    lead_years = {year for year, _ in leads}
    lead = next(iter(lead_years)) if len(lead_years) == 1 else None
    period_evidence = (
        (page.prose.evidence("report_year", "period", period.start, period.end, page.document),) if period else ()
    )
    title_year = title.year if title else None
    evidence: tuple[Evidence, ...] = ()
    if title_year is None and title is not None and not title.has_several_years:
        # The page's title above the heading may say the year; links below the report may not.
        above = [t for t in titles if t.first_line < title.first_line and t.year is not None and _is_same(t, title)]
        others = {t.year for t in above}
        if len(others) == 1 and {period_year, lead, main} <= {None, *others}:
            title_year = others.pop()
    printed = next((t for t in titles if t.year == title_year), None) if title_year is not None else None
    if printed is not None:
        evidence = (Evidence("report_year", printed.printed, "title", printed.place),)
    if title_year is None and (titled := _year_beside_title(page, title)) is not None:
        title_year, evidence = titled.value, titled.evidence
    if title_year is not None:
        if period_year is not None and period_year != title_year:
            contradicted = main == period_year and lead in (None, period_year, title_year)
            strong = contradicted and spoken[period_year] >= 2 and spoken[title_year] == 0
            if strong and period is not None and period.is_clean and period_year == title_year - 1:
                message = f"the title says {title_year}, the period and the text say {period_year}"
                return _Year(period_year, (*period_evidence, *evidence), (Issue("title_year_mismatch", message),))
        return _Year(title_year, evidence, ())
    lead_evidence = tuple(e for year, e in leads if year == lead)[:1]
    if period_year is not None and lead is not None and period_year != lead:
        if main == lead:
            return _Year(lead, lead_evidence, ())
        if main == period_year:
            return _Year(period_year, period_evidence, ())
        message = f"the period says {period_year}, the lead sentence {lead}"
        return _Year(None, (), (Issue("report_year_unknown", message),))
    if period_year is not None:
        return _Year(period_year, period_evidence, ())
    if lead is not None:
        return _Year(lead, lead_evidence, ())
    is_clear = main is not None and spoken[main] >= 2 and (len(ranked) == 1 or ranked[0][1] >= 2 * ranked[1][1])
    if is_clear and main is not None and not _was_published_before_end_of(page, main):
        match = re.search(rf"{main}年", page.prose.text)
        shown = (
            (page.prose.evidence("report_year", "years_spoken_of", match.start(), match.end(), page.document),)
            if match
            else ()
        )
        return _Year(main, shown, ())
    if (worked := _worked_year(page, spoken)) is not None:
        return worked
    message = "no title, period or sentence says which year the figures cover"
    return _Year(None, (), (Issue("report_year_unknown", message),))


@lru_cache(maxsize=1)
def _furniture() -> re.Pattern[str]:
    return re.compile(rf"\d{{1,2}}:\d{{2}}|{any_of(load_words().metadata)}|\||$")


@lru_cache(maxsize=4)
def _dates_of_publication(
    page: Page,
) -> tuple[tuple[tuple[date, Evidence], ...], tuple[tuple[date, Evidence], ...]]:
    """The dates that fields call publication, and all others: of writing, alone on a line, under a signature."""
    labelled: list[tuple[date, Evidence]] = []
    other: list[tuple[date, Evidence]] = []
    for attribute, value, _, evidence in metadata_fields(page):
        if attribute in ("published_date", "written_date") and (dates := find_dates(value)) and dates[0][1] <= 1:
            rule = "labelled" if attribute == "published_date" else "labelled_written"
            shown = Evidence("published_date", evidence.snippet, rule, evidence.place)
            (labelled if attribute == "published_date" else other).append((dates[0][0], shown))
    lines = page.text_lines
    furniture, dates_of = _furniture(), line_dates(page)
    for position, (_, line) in enumerate(lines):
        if len(line.text) > _LONGEST_DATE_LINE:
            continue
        if len(dates_of[position]) != 1:
            continue
        day, start, end = dates_of[position][0]
        before, after = line.text[:start].strip("([【"), line.text[end:].strip(")]】")
        is_alone = not before and _TIME_OF_DAY.fullmatch(after) is not None
        is_heading_line = position < 25 and not before and furniture.match(after) is not None
        is_signed = (
            after in ("", "印发") and 4 <= len(before) <= 50 and organ_kind(before) not in ("unknown", "division")
        )
        if is_alone or is_heading_line or is_signed:
            printed = Evidence("published_date", line.printed(start, end), "date_line", line.place(start, end))
            other.append((day, printed))

    if not labelled:
        for metadata in page.document.metadata:
            if metadata.name is MetadataName.PUBLISHED_DATE and (dates := find_dates(metadata.value)):
                labelled.append((dates[0][0], Evidence("published_date", metadata.value, "meta_published")))
    return tuple(labelled), tuple(other)


def _published(page: Page, year: int | None) -> tuple[date | None, Evidence | None]:
    """The date of publication.

    A field that says so (发布日期) in the year after the report wins. A later one may be a repost: then, and without
    such a field, the earliest credible date counts, be it of writing, alone on a line, or under a signature.
    """
    labelled, other = _dates_of_publication(page)

    def credible(found: Iterable[tuple[date, Evidence]], latest: int) -> list[tuple[date, Evidence]]:
        return [f for f in found if year is None or year + 1 <= f[0].year <= year + latest]

    found = credible(labelled, 1) or credible((*labelled, *other), _LATEST_PUBLICATION)
    return min(found, key=lambda f: f[0]) if found else (None, None)


def _period_issues(period: Period, year: int | None) -> list[Issue]:
    issues = []
    if period.year is not None and year is not None and period.year != year:
        message = f"the printed period lies in {period.year}, the report year is {year}"
        issues.append(Issue("period_year_mismatch", message))
    if not period.is_clean:
        issues.append(Issue("period_unreadable", "the printed reporting period is not a pair of dates"))
    return issues


def identify_report(document: Document, hints: Hints, form_code: str | None) -> Identity:
    """Who reports, on which year, in which scope; null with an issue where the text does not say.

    ``form_code`` is known to the caller and does not decide the identity: a form outlives its years.
    """
    del form_code
    page = read_page(document)
    titles = find_titles(page)
    title = _choose_title(page, titles)
    references: Counter[str] = self_references(page)
    period = find_period(page.prose.text)
    issues: list[Issue] = []
    evidence: list[Evidence] = []

    agency = choose_agency(page, _naming_title(title, titles), titles, references)
    evidence += agency.evidence
    name = agency.name
    if agency.rivals and name is not None:
        rival = agency.rivals[0]
        message = f"{name} by {agency.evidence[0].rule}, {'、'.join(rival.names)} by {rival.rule}"
        locator = rival.evidence.place.locator() if rival.evidence.place else None
        issues.append(Issue("agency_conflict", message, locator))
    elif name is not None and contradicts_self_reference(name, references):
        issues.append(Issue("agency_conflict", f"the text calls itself otherwise than {name}"))
    if hints.agency_name is not None:
        # A manifest in Traditional names the same body.
        hinted = fold(hints.agency_name, detect_script(hints.agency_name)).text
        if name is not None and not are_compatible(name, hinted):
            issues.append(Issue("hint_conflict", f"the manifest says {hints.agency_name}, the text {name}"))
        name = hinted
        evidence.append(Evidence("agency_name", hints.agency_name, "hint"))
    elif name is None:
        met = f"{agency.printed} is met without its place" if agency.printed else "nothing names the reporting body"
        issues.append(Issue("agency_unknown", f"{met}: no title, lead sentence, signature, contact or page says more"))

    year = _choose_year(page, title, titles, period)
    report_year = year.value
    evidence += year.evidence
    if hints.report_year is not None:
        if report_year is not None and report_year != hints.report_year:
            issues.append(Issue("hint_conflict", f"the manifest says {hints.report_year}, the text {report_year}"))
        report_year = hints.report_year
        evidence.append(Evidence("report_year", str(hints.report_year), "hint"))
    else:
        issues += year.issues
    if period is not None:
        for attribute, value in (("period_start_date", period.start_date), ("period_end_date", period.end_date)):
            if value is not None:
                evidence.append(page.prose.evidence(attribute, "period", period.start, period.end, document))
        issues += _period_issues(period, report_year)

    scope, scope_evidence = find_scope(page, name, title, references)
    evidence += scope_evidence
    if hints.scope is not None:
        if scope not in (Scope.UNKNOWN, hints.scope):
            issues.append(Issue("hint_conflict", f"the manifest says {hints.scope.value}, the text {scope.value}"))
        scope = hints.scope
        evidence.append(Evidence("scope", hints.scope.value, "hint"))
    elif scope is Scope.UNKNOWN:
        issues.append(Issue("scope_unknown", "no cue says whether the figures are the body's own or an aggregate"))

    published, published_evidence = _published(page, report_year)
    if published_evidence is not None:
        evidence.append(published_evidence)
    if hints.published_date is not None:
        if published is not None and published != hints.published_date:
            issues.append(Issue("hint_conflict", f"the manifest says {hints.published_date}, the text {published}"))
        published = hints.published_date
        evidence.append(Evidence("published_date", hints.published_date.isoformat(), "hint"))
    if title is not None:
        evidence.append(Evidence("title", title.printed, "title", title.place))
    co_names = tuple(n for n in agency.co_names if n != name)
    return Identity(
        name,
        co_names,
        agency.printed,
        report_year,
        scope,
        title.printed if title else None,
        published,
        period.start_date if period else None,
        period.end_date if period else None,
        tuple(dict.fromkeys(evidence)),
        tuple(issues),
    )
