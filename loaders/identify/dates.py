"""Years, dates and reporting periods as printed, in digits or Chinese numerals, with their misprints refused."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from loaders.identify.words import any_of, load_words

_DIGITS = {
    c: str(d)
    for d, chars in enumerate(("0〇○零OoО◯", "一", "二", "三", "四", "五", "六", "七", "八", "九"))
    for c in chars
}
_CHINESE = "".join(_DIGITS)
# What must not stand before a year is looked for behind its first character, so that a search can jump to that.
YEAR_PATTERN = (
    r"(?:2(?<![\d.]2)0\d{2}(?!\d)|1(?<![\d.]1)9\d{2}(?!\d)"
    rf"|二(?<![{_CHINESE}]二)[{_CHINESE}]{{3}}(?=年)|一(?<![{_CHINESE}]一)[{_CHINESE}]{{3}}(?=年))"
)
# All characters that a year, or a period of years, is printed with.
YEAR_CHARACTERS = rf"{_CHINESE}\d年月度至到()\[\]~—–\-"
FIRST_YEAR, LAST_YEAR = 2003, 2040

_DAY = r"[一二三四五六七八九十]{1,3}"
DATE_PATTERN = (
    r"(?:2(?<!\d2)0|1(?<!\d1)9)\d{2}(?:年\d{1,2}月\d{1,2}日?|([-./])\d{1,2}\1\d{1,2})(?!\d)"
    rf"|[二][{_CHINESE}]{{3}}年{_DAY}月{_DAY}日"
)
_DATE = re.compile(DATE_PATTERN)
_DATE_TIME_GLUED = re.compile(r"((?:2(?<!\d2)0|1(?<!\d1)9)\d{2}([-./])\d{1,2}\2\d{2})(?=\d{1,2}:\d{2})")


def read_year(text: str) -> int | None:
    """The year of a printed token, null outside the years in which such reports exist."""
    digits = "".join(_DIGITS.get(c, c) for c in text if c in _DIGITS or c.isdigit())
    if len(digits) != 4:
        return None
    year = int(digits)
    return year if FIRST_YEAR <= year <= LAST_YEAR else None


def _small_number(text: str) -> int:
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    value = {c: i for i, c in enumerate("一二三四五六七八九", 1)}
    if not ten:
        return value.get(ones, 0) if len(ones) == 1 else 0
    return (value.get(tens, 0) if tens else 1) * 10 + (value.get(ones, 0) if ones else 0)


def parse_date(text: str) -> date | None:
    """The date of a printed token, null when there is no such day."""
    if match := re.fullmatch(rf"([{_CHINESE}]{{4}})年({_DAY})月({_DAY})日", text):
        parts = [read_year(match[1]) or 0, _small_number(match[2]), _small_number(match[3])]
    else:
        parts = [int(number) for number in re.findall(r"\d+", text)]
    try:
        return date(parts[0], parts[1], parts[2])
    except (ValueError, IndexError):
        return None


def find_dates(text: str) -> list[tuple[date, int, int]]:
    """All dates of a compact text with their spans, also those glued to a time of day."""
    if "20" not in text and "19" not in text and "二" not in text:
        return []
    found = [(m.group(), m.start(), m.end()) for m in _DATE.finditer(text)]
    covered = {start for _, start, _ in found}
    found += [(m[1], m.start(1), m.end(1)) for m in _DATE_TIME_GLUED.finditer(text) if m.start() not in covered]
    dates = [(parse_date(token), start, end) for token, start, end in found]
    return sorted((d, s, e) for d, s, e in dates if d is not None)


_UNTIL_DECEMBER = re.compile(
    rf"(?P<year>{YEAR_PATTERN})年\d{{1,2}}月(?:\d{{1,2}}日)?(?:起|开始)?(?:至|到|[-—–~～]+)(?:(?P=year)年)?12月(?:31日)?止?"
)


def year_until_december(text: str) -> int | None:
    """The year of a period that ends with it: 2008年5月1日至12月31日, the first year of such reports."""
    match = _UNTIL_DECEMBER.search(text)
    return read_year(match["year"]) if match else None


@dataclass(frozen=True, slots=True)
class Period:
    """A printed reporting period; a date is null when it is not clean."""

    start_date: date | None
    end_date: date | None
    is_clean: bool
    start: int
    end: int

    @property
    def year(self) -> int | None:
        """The year the period lies in, by its end."""
        if self.end_date is not None:
            return self.end_date.year
        return self.start_date.year if self.start_date else None


_PERIOD_SENTENCE = re.compile(r"[^。\n]{0,90}")
_YEAR_SENTENCE = re.compile(r"[^。\n]{0,60}")
_NUMBER = r"[\d一二三四五六七八九十]{1,4}"
_YEAR = r"[\d〇○零OoО一二三四五六七八九]{4,6}"
# A day needs its month mark, else 11日 would read as January 1st; what has none is kept as unclean.
_MONTH_AND_DAY = rf"(?P<%sm>{_NUMBER})(?:[月\-./](?P<%sd>{_NUMBER})日?|[月日])?"
_FULL = rf"(?P<ay>{_YEAR})[年\-./]" + _MONTH_AND_DAY % ("a", "a")
_END = rf"(?:(?P<by>{_YEAR})[年\-./])?" + _MONTH_AND_DAY % ("b", "b")
_RANGE = re.compile(_FULL + r"(?:起|开始)?[,,]?(?:截至|截止到|截止|至|到|[-—–~～]+)" + _END)


def _clean(year: str, month: str, day: str | None) -> date | None:
    if len(year) != 4 or not 1 <= len(month) <= 3 or day is None:
        return None
    value = read_year(year)
    try:
        return date(value, _small_number(month), _small_number(day)) if value else None
    except ValueError:
        return None


def find_period(text: str) -> Period | None:
    """The reporting period of a compact prose: after its label, or a whole year printed in the first part."""
    for label in _patterns().period.finditer(text):
        sentence = _PERIOD_SENTENCE.match(text, label.start())
        window = sentence.group() if sentence else ""
        match = _RANGE.search(window)
        if match and match.start() <= 50:
            return _period(match, label.start(), is_labelled=True)
    for match in _RANGE.finditer(text[:6000]):
        period = _period(match, 0, is_labelled=False)
        if period and period.is_clean and period.start_date and period.end_date:
            starts, ends = period.start_date, period.end_date
            if (starts.month, starts.day, ends.month, ends.day) == (1, 1, 12, 31):
                return period
    return None


def _period(match: re.Match[str], base: int, is_labelled: bool) -> Period | None:
    starts = _clean(match["ay"], match["am"], match["ad"])
    ends = _clean(match["by"] or match["ay"], match["bm"], match["bd"])
    is_clean = starts is not None and ends is not None and starts <= ends
    if starts and ends and starts > ends:
        starts = ends = None
    if not is_labelled and not is_clean:
        return None
    return Period(starts, ends, is_clean, base + match.start(), base + match.end())


@dataclass(frozen=True, slots=True)
class _Patterns:
    period: re.Pattern[str]
    year_context: re.Pattern[str]
    plan: re.Pattern[str]
    work: re.Pattern[str]
    not_work_year: re.Pattern[str]
    report: re.Pattern[str]


@lru_cache(maxsize=1)
def _patterns() -> _Patterns:
    phrases, title = load_words().phrases, load_words().title
    return _Patterns(
        re.compile(any_of(phrases["period"])),
        re.compile(rf"(?P<year>{YEAR_PATTERN})(?:年度|年)(?:以来|来)?,?(?={any_of(phrases['year_context'])})"),
        re.compile(any_of(phrases["plan"])),
        re.compile(
            rf"(?P<year>{YEAR_PATTERN})(?:年度|年)(?P<between>,?[^。,;:()《》\n]{{0,40}}?,?[^。,;:()《》\n]{{0,30}}?)"
            rf"(?P<work>{any_of(phrases['work_done'])})"
        ),
        re.compile(any_of(phrases["not_work_year"])),
        re.compile(rf"(?:{any_of(title['filler'])})*(?:{any_of(title['report'])})"),
    )


def narrative_years(text: str) -> Counter[int]:
    """How often each year stands where a report speaks of its own year, plans left out."""
    patterns = _patterns()
    counts: Counter[int] = Counter()
    for match in patterns.year_context.finditer(text):
        year = read_year(match["year"])
        before = text[max(0, match.start() - 1) : match.start()]
        rest = _YEAR_SENTENCE.match(text, match.end())
        if year is None or (before in '《〈“"比较' and before) or (rest and patterns.plan.search(rest.group())):
            continue
        counts[year] += 1
    return counts


def work_years(text: str) -> list[tuple[int, int, int]]:
    """Sentences that report disclosure work of a year: the year and the span of the words that say so.

    2024年,某局新收政府信息公开申请553件. Plans, comparisons and years inside titles and brackets are left out.
    """
    patterns, other_years = _patterns(), tuple(load_words().phrases["before_other_year"])
    found = []
    for match in patterns.work.finditer(text):
        year = read_year(match["year"])
        before = re.search(r"[^。;\n]{0,30}$", text[: match.start()])
        rest = re.match(r"[^。;\n]{0,60}", text[match.end() :])
        around = match["between"] + match["work"] + (rest.group() if rest else "")
        inside = before.group() if before else ""
        if year is None or patterns.plan.search(around) or patterns.not_work_year.search(match["between"]):
            continue
        if rest and patterns.report.match(rest.group()):
            continue
        if inside.endswith(other_years) or inside.count("《") > inside.count("》"):
            continue
        found.append((year, match.start(), match.end()))
    return found
