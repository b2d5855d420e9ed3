"""Titles of annual reports: ORG + year + 政府信息公开工作年度报告 in every order and over several lines.

In: a :class:`Page`. Out: the headings that are such titles, in document order. A sentence that only talks about
a report, a notice, or news is not one: behind the title nothing may follow but site furniture, and what stands
for the body must be able to be a name.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from loaders.identify.dates import DATE_PATTERN, YEAR_CHARACTERS, YEAR_PATTERN, read_year
from loaders.identify.names import (
    begins_with_place,
    is_full_name,
    is_name,
    is_national,
    is_office,
    is_organ_name,
    is_place_chain,
    organ_of,
    split_names,
)
from loaders.identify.text import Line, Page, Prose, fold_lines
from loaders.identify.words import any_of, load_words, shortest
from loaders.model import MetadataName, Place

_LONGEST_LINE = 130
_LONGEST_TITLE = 110
_MOST_LINES = 5
# More titles than this are a list; reading on would only cost time.
_MOST_TITLES = 200
_MARK = "\0"
_YEAR_TOKEN = re.compile(
    rf"[(\[]?(?:{YEAR_PATTERN}年?(?:\d{{1,2}}月)?[至到\-—–~])?(?P<year>{YEAR_PATTERN})(?![-./]\d{{1,2}}(?!\d)|年\d{{1,2}}月)(?:年度|年)?[)\]]?"
)


_YEARS = re.compile(YEAR_PATTERN)
# 县政府 names no place, nor does its office.
_BARE_GOVERNMENT = re.compile(r"[省市县区州旗镇乡]?(?:人民)?政府(?:办公室|办公厅|办)?")
# Below a text, what follows is other pages.
_LINKS = re.compile(
    r"[^\u3400-\u9fff]*(?:相关|推荐|延伸|热门)(?:链接|阅读|信息|文章|新闻|文档|内容|推荐|稿件|资讯)[^\u3400-\u9fff]*"
)
_SITE_MARK = re.compile(r"\s*[-_|—–－｜]+\s*")


@dataclass(frozen=True, slots=True)
class Title:
    """A printed title: its words, the bodies and the year it names, and its lines.

    ``subject`` and ``report`` are the folded words for what is reported, ``around`` what stands beside them.
    """

    printed: str
    names: tuple[str, ...]
    printed_names: str | None
    year: int | None
    has_several_years: bool
    place: Place
    first_line: int
    last_line: int
    is_name_apart: bool
    is_system: bool
    is_whole_area: bool
    subject: str
    report: str
    around: str

    @property
    def is_telling(self) -> bool:
        """Whether the title names a body or a year; a bare 政府信息公开年报 may be a column of the site."""
        return bool(self.names) or self.year is not None or self.has_several_years


@lru_cache(maxsize=1)
def _core() -> re.Pattern[str]:
    title = load_words().title
    fill = rf"(?:{any_of(title['filler'])}|[(\[]?{_MARK}+[)\]]?)"
    return re.compile(
        rf"(?P<subject>《?(?:{any_of(title['subject'])})》?)(?:工作)?{fill}*(?P<report>{any_of(title['report'])})"
        rf"(?:[(\[]?{_MARK}+[)\]]?)?(?:{any_of(title['tail'])})?(?:\([^()]{{0,20}}\))?》?"
        rf"(?P<announcement>的?(?:{any_of(title['announcement'])}))?"
    )


@lru_cache(maxsize=1)
def _possible_core() -> re.Pattern[str]:
    """What stands in every text in which :func:`_core` can be found once its years are marked."""
    title = load_words().title
    subjects, reports = (any_of(shortest(title[slot])) for slot in ("subject", "report"))
    between = re.escape("".join(sorted({*"工作》", *"".join((*title["subject"], *title["filler"], *title["report"]))})))
    return re.compile(rf"(?:{subjects})[{between}{YEAR_CHARACTERS}]*(?:{reports})")


@lru_cache(maxsize=1)
def _announced() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """关于公布 before an announced report, and a next line that makes the heading a notice: 编制工作的通知."""
    title = load_words().title
    return (
        re.compile(rf"关于(?:{any_of(title['announce_verb'])})"),
        re.compile(rf"的?(?:{any_of(title['not_title_rest'])}).{{0,30}}?(?:{any_of(title['not_title_end'])})"),
    )


@lru_cache(maxsize=1)
def _labels() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    words = load_words()
    titles = any_of(label for label, kind in words.metadata.items() if kind == "title")
    labels = any_of(words.metadata)
    return (
        re.compile(rf"(?:{titles})[】\]]?[::]"),
        re.compile(rf"(?:{labels})[】\]]?[::]"),
        re.compile(any_of(words.title["neighbour"])),
        re.compile(rf"(?:{any_of(words.title['before_subject'])})+$"),
    )


@lru_cache(maxsize=1)
def _tail() -> re.Pattern[str]:
    labels = any_of(load_words().metadata)
    return re.compile(
        rf"[》。]?(?:\.(?:docx?|pdf|wps|xlsx?|html?|et))?(?:$|[_|\-—–·»《【\[].{{0,60}}$|(?:\(?(?:{DATE_PATTERN}))|(?:{labels})[】\]]?[::\d(]|\d{{4}}-)",
        re.IGNORECASE,
    )


@lru_cache(maxsize=1)
def _head() -> re.Pattern[str]:
    return re.compile(
        rf"^(?:[(\[]?(?:{DATE_PATTERN})[)\]]?|附件?\d*[:.、]?|\d{{1,2}}[.、](?!\d)|[·•●■◆▪*\-—]+|【[^】]{{0,12}}】|\[[^\]]{{0,12}}\]|《|关于(?:公布|发布|印发)?)+"
    )


@dataclass(frozen=True, slots=True)
class _Window:
    """Consecutive lines as one string; ``starts`` is where each of the lines begins, ``indexes`` which they are."""

    text: str
    starts: tuple[int, ...]
    indexes: tuple[int, ...]
    gaps: tuple[int, ...]

    @property
    def breaks(self) -> tuple[int, ...]:
        """Where a line ends and the next begins."""
        return self.starts[1:]

    def line(self, at: int) -> int:
        """The index of the line a character stands on."""
        return self.indexes[bisect_right(self.starts, at) - 1]

    def where(self, at: int) -> tuple[int, int]:
        """The index of the line a character stands on, and its position there."""
        number = bisect_right(self.starts, at) - 1
        return self.indexes[number], at - self.starts[number]


def _window(lines: list[tuple[int, Line]]) -> _Window:
    text = ""
    starts, gaps = [], []
    for _, line in lines:
        starts.append(len(text))
        gaps += [len(text) + g for g in line.gaps if g]
        text += line.text
    return _Window(text, tuple(starts), tuple([index for index, _ in lines]), tuple(sorted((*gaps, *starts[1:]))))


def _spans(page: Page, window: _Window, start: int, end: int) -> Iterator[tuple[Line, int, int]]:
    """The lines that a part of the window stands on, each with the characters of it."""
    for index, first, last in zip(window.indexes, window.starts, (*window.breaks, len(window.text)), strict=True):
        if first < end and start < last:
            yield page.lines[index], max(start, first) - first, min(end, last) - first


def _printed(page: Page, window: _Window, start: int, end: int) -> str:
    return "".join(line.printed(first, last) for line, first, last in _spans(page, window, start, end))


def _named(page: Page, window: _Window, start: int, end: int) -> str:
    return "".join(line.named(first, last) for line, first, last in _spans(page, window, start, end))


def _place(page: Page, window: _Window, start: int, end: int) -> Place:
    (first_line, first), (last_line, last) = window.where(start), window.where(end - 1)
    head = page.lines[first_line].place(first, first + 1)
    tail = page.lines[last_line].place(last, last + 1)
    return Place(head.start, max(tail.end, head.end), head.line, head.table, head.row, head.column)


def _parse(page: Page, window: _Window) -> Title | None:
    """Read a window as one title, null when it is anything else."""
    text = window.text
    if not _possible_core().search(text):
        return None
    title_label, _, neighbour, before_subject = _labels()
    start = 0
    if match := list(title_label.finditer(text)):
        start = match[-1].end()
    elif neighbour.match(text):
        return None
    for crumb in re.finditer(r"[>»›→]+|::|[_|]", text):
        # Behind _ and | may stand the site's name as well as the title.
        if crumb.group() not in "_|" or _core().search(text, crumb.end()):
            start = max(start, crumb.end())
    if match_head := _head().match(text[start:]):
        start += match_head.end()
    years: list[int | None] = []

    def mark(match: re.Match[str]) -> str:
        years.extend(map(read_year, _YEARS.findall(match.group())))
        return _MARK * len(match.group())

    marked = text[:start] + _YEAR_TOKEN.sub(mark, text[start:])
    core = None
    for match_core in _core().finditer(marked, start):
        if _tail().match(text[match_core.end() :]) and match_core.end() > window.starts[-1]:
            core = match_core
            break
    if core is None or re.search(any_of(load_words().title["not_report_note"]), text[core.end("report") : core.end()]):
        return None
    is_announced = core["announcement"] or core["report"].endswith("的报告")
    if is_announced and (verb := _announced()[0].search(marked, start, core.start())):
        # 某办公厅关于公布某政府…年度报告的公告 announces the report of the second, else its own.
        if marked[verb.end() : core.start()].strip(_MARK + '《〈“"()[]'):
            start = verb.end()
        else:
            marked = marked[: verb.start()] + "·" * len(verb.group()) + marked[verb.end() :]
    years = [read_year(y) for m in _YEAR_TOKEN.finditer(text[start : core.end()]) for y in _YEARS.findall(m.group())]
    organ_end = core.start()
    if text[:organ_end].endswith("人民") and core["subject"].lstrip("《").startswith("政府"):
        organ_end += 2
    segment = marked[start:organ_end]
    spans = [(start + m.start(), start + m.end()) for m in re.finditer(rf"[^{_MARK}]+", segment)]
    cleaned: list[tuple[int, int]] = []
    for first, last in spans:
        while last > first and (tail := before_subject.search(marked[first:last])):
            last = first + tail.start()
        while first < last and (marked[first] in "《〈\"“'的:·-—、," or marked.startswith("关于", first)):
            first += 2 if marked.startswith("关于", first) else 1
        while last > first and marked[last - 1] in "》\"”':·-—、,":
            last -= 1
        if last > first:
            cleaned.append((first, last))
    end = core.end() - 1 if core.group().endswith("》") and "《" not in core.group() else core.end()
    is_whole_area = False
    organs: list[tuple[int, int]] = []
    for first, last in cleaned:
        if re.fullmatch(r"全[省市县区州旗盟镇乡]", text[first:last]):
            is_whole_area = True
        else:
            organs.append((first, last))
    if len(organs) > 2:
        return None
    if len(organs) == 2:
        joined = text[organs[0][0] : organs[0][1]] + text[organs[1][0] : organs[1][1]]
        first_organ = organ_of(text[organs[0][0] : organs[0][1]])
        if first_organ is None or not first_organ.is_area or not is_office(joined):
            return None
    if (
        not organs
        and (note := re.search(r"\(([^()]{4,20})\)》?$", text[core.start() : core.end()]))
        and is_organ_name(note[1])
    ):
        organs = [(core.start() + note.start(1), core.start() + note.end(1))]
    is_system = False
    names: tuple[str, ...] = ()
    printed_names = None
    is_name_apart = False
    if organs:
        printed_names = "".join(_printed(page, window, a, b) for a, b in organs)
        name = "".join(_named(page, window, a, b) for a, b in organs)
        folded = "".join(text[a:b] for a, b in organs)
        if notes := re.search(rf"\((?:{any_of(load_words().title['name_note'])}|原[^()]{{3,}})\)$", folded):
            name, folded = name[: notes.start()], folded[: notes.start()]
        if folded.endswith("系统"):
            is_system, folded, name = True, folded[:-2], name[:-2]
            if not is_office(folded):
                # A system is not a body: 某省地税系统 names none.
                return _title(page, window, (start, end), core, years, (), printed_names, is_system=True)
        gaps = (
            tuple(g - organs[0][0] for g in window.gaps if organs[0][0] < g < organs[0][1]) if len(organs) == 1 else ()
        )
        names = _restore(folded, name, split_names(folded, gaps))
        if not all(is_name(_fold_name(n)) for n in names):
            if not _is_self_reference(folded) and not _BARE_GOVERNMENT.fullmatch(folded):
                return None
            return _title(page, window, (start, end), core, years, (), printed_names)
        is_name_apart = window.line(organs[0][0]) != window.line(core.start())
        breaks = [b for b in window.breaks if organs[0][0] < b <= organs[0][1]]
        if breaks and not all(is_organ_name(_fold_name(n)) for n in names):
            return None
    return _title(
        page, window, (start, end), core, years, names, printed_names, is_name_apart, is_system, is_whole_area
    )


def _is_self_reference(name: str) -> bool:
    return name in load_words().self_references


def _title(
    page: Page,
    window: _Window,
    span: tuple[int, int],
    core: re.Match[str],
    years: list[int | None],
    names: tuple[str, ...] = (),
    printed_names: str | None = None,
    is_name_apart: bool = False,
    is_system: bool = False,
    is_whole_area: bool = False,
) -> Title:
    start, end = span
    distinct = {y for y in years if y is not None}
    return Title(
        _printed(page, window, start, end),
        names,
        printed_names,
        next(iter(distinct)) if len(distinct) == 1 else None,
        len(distinct) > 1,
        _place(page, window, start, end),
        window.line(start),
        window.line(core.end() - 1),
        is_name_apart,
        is_system,
        is_whole_area,
        core["subject"].strip("《》"),
        core[0][len(core["subject"]) : core.end("report") - core.start()].replace(_MARK, ""),
        window.text[:start] + _MARK + window.text[core.end("report") : core.end()],
    )


def _fold_name(name: str) -> str:
    return name.replace("（", "(").replace("）", ")")


def _restore(folded: str, named: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of the folded name as they stand in the name with printed punctuation."""
    if len(folded) != len(named):
        return parts
    at = 0
    found = []
    for part in parts:
        at = folded.index(part, at)
        found.append(named[at : at + len(part)])
        at += len(part)
    return tuple(found)


def find_titles(page: Page) -> list[Title]:
    """All annual-report titles of a page in order, outside tables; inside them when there are none outside."""
    return list(_titles_of(page))


@lru_cache(maxsize=4)
def _titles_of(page: Page) -> tuple[Title, ...]:
    titles = _find(page, page.text_lines)
    if not titles:
        titles = _find(page, [(i, line) for i, line in enumerate(page.lines) if line.is_table])
    return tuple(titles)


@lru_cache(maxsize=1)
def _report_words() -> re.Pattern[str]:
    return re.compile(any_of(shortest(load_words().title["report"])))


def lone_year(text: str) -> int | None:
    """The year of a line that holds nothing else: (2021年度)."""
    match = _YEAR_TOKEN.fullmatch(text)
    return read_year(match["year"]) if match else None


@lru_cache(maxsize=4)
def page_titles(page: Page) -> tuple[Title, ...]:
    """The annual-report titles that the page bears outside its text: 某局2020年…年度报告 - 某市人民政府网."""
    found: list[Title] = []
    for metadata in page.document.metadata:
        if metadata.name not in (MetadataName.TITLE, MetadataName.ARTICLE_TITLE):
            continue
        for text in (metadata.value, *_SITE_MARK.split(metadata.value)):
            lines = fold_lines(text, page.document)
            bare = Page(page.document, tuple(lines), Prose("", (), (), ()))
            title = _parse(bare, _window([(0, lines[0])])) if len(lines) == 1 else None
            if title is not None:
                # Article titles bear no site's name.
                found.insert(0 if metadata.name is MetadataName.ARTICLE_TITLE else len(found), title)
                break
    return tuple(found)


def _find(page: Page, lines: list[tuple[int, Line]]) -> list[Title]:
    titles: list[Title] = []
    reports = _report_words()
    has_sentence = False
    for last, (_, line) in enumerate(lines):
        if has_sentence and _LINKS.fullmatch(line.text):
            break
        has_sentence = has_sentence or line.text.endswith("。") or len(line.text) > _LONGEST_LINE
        if len(line.text) > _LONGEST_LINE:
            continue
        if len(titles) >= _MOST_TITLES:
            break
        # A title ends on this line, so its last word begins here or the word itself is cut in two.
        if not (reports.search(line.text) or line.text.startswith(("告", "报", "度报告"))):
            continue
        around = "".join([piece.text for _, piece in lines[max(0, last - _MOST_LINES + 1) : last + 1]])
        if not _possible_core().search(around):
            continue
        found: Title | None = None
        for count in range(1, _MOST_LINES + 1):
            first = last - count + 1
            if first < 0:
                break
            part = lines[first : last + 1]
            if len(part[0][1].text) > _LONGEST_LINE or sum(len(piece.text) for _, piece in part) > max(
                _LONGEST_TITLE, len(line.text)
            ):
                break
            title = _parse(page, _window(part))
            if title is None or title.first_line != part[0][0]:
                if found is not None and found.names:
                    break
                continue
            if found is None or _adds(found, title):
                found = title
            elif found.names:
                break
        if found is not None and found.year is None and not found.has_several_years and last + 1 < len(lines):
            after = lines[last + 1][1].text
            if _YEAR_TOKEN.fullmatch(after):
                begin = last
                while begin > 0 and lines[begin][0] > found.first_line:
                    begin -= 1
                found = _parse(page, _window(lines[begin : last + 2])) or found
        if found is not None and last + 1 < len(lines) and _announced()[1].fullmatch(lines[last + 1][1].text):
            found = None
        if found is not None and not (titles and titles[-1].last_line >= found.first_line):
            titles.append(found)
    return titles


def _adds(found: Title, wider: Title) -> bool:
    """Whether more lines before a title say more of the body or the year, and nothing else."""
    if not wider.names and found.year is None and wider.year is not None:
        return True
    if not found.names:
        return bool(wider.names) and all(_is_name_line(_fold_name(n)) for n in wider.names)
    return (
        len(wider.names) >= len(found.names)
        and "".join(wider.names).endswith("".join(found.names))
        and len(set(wider.names)) == len(wider.names)
        and "".join(wider.names) != "".join(found.names)
        and all(is_organ_name(_fold_name(n)) for n in wider.names)
        and (
            (len(wider.names) > len(found.names) and all(map(is_full_name, wider.names[: -len(found.names)])))
            or _may_precede(wider.names[0][: -len(found.names[0])], found.names[0])
        )
    ) or (found.year is None and wider.year is not None and wider.names == found.names)


def _is_name_line(name: str) -> bool:
    """Whether a line above a title can be its body: fully named, or a bare place."""
    return is_organ_name(name) and (is_full_name(name) or not is_office(name))


def _may_precede(prefix: str, name: str) -> bool:
    """Whether a line before a name belongs to it: its place or State body or first half, not a header or a menu."""
    if is_national(prefix):
        return True
    if is_office(prefix):
        return False
    return is_place_chain(prefix) or (begins_with_place(prefix) and not is_full_name(name))
