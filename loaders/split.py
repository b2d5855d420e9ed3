"""Several reports in one document: cut where a report ends and the next begins, or not at all.

In: a document. Out: one document a report, in order, with the text positions and table numbers of the whole, so
that evidence points to the printed place; the document itself where it holds one report; null where it holds
several and it is not certain which figure is whose. Certain is a cut at a title outside tables when

- no statutory table stands before the first title, and no part holds two values for one figure;
- every part begins its own count of sections (一、), or is no report at all by the rules for documents;
- a part without a statutory table comes before none with one, unless that one stands between the sections of
  its own report;
- no body and year comes back after another one's report, and there are no more than 50 parts.

Null is also the answer where the titles speak of one report, yet the sections are counted anew and the tables of
the second count give other values for the same figures.

A title that a report quotes between two of its sections is no cut. Titles above the first report (a table of
contents), and the fields of a page above a title, belong to no part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from loaders.extract.tables import TableReading, extract_tables
from loaders.identify import classify_document, find_report_titles
from loaders.identify.names import are_compatible
from loaders.identify.text import Line, Page, read_page
from loaders.identify.titles import Title, find_titles
from loaders.identify.words import any_of, load_words
from loaders.model import (
    Block,
    Document,
    Hints,
    Issue,
    MetadataName,
    MetricRow,
    Paragraph,
    SourceKind,
    Table,
    ValueStatus,
)

MAX_REPORTS = 50
# A title has a report of its own when this much is printed before the next title.
_SHORTEST_BODY = 200
# A count of sections that starts anew and gets this far is another report's.
_SECOND_COUNT = 3
# Fewer figures that differ may be misprints.
_RIVAL_VALUES = 3
_DIGITS = {char: n for n, char in enumerate("一二三四五六七八九", start=1)}
_SECTION = re.compile(r"^第?([一二三四五六七八九十]{1,3})(?:[、.,:]|部分|章)")
_FIGURE_SENTENCE = re.compile(r"\d[^。]*。")
_NOT_LINE_END = re.compile(r"[^\n]")

Span = tuple[int, int]
_Key = tuple[str | None, str | None]
_Value = tuple[Decimal | None, ValueStatus]


@dataclass(slots=True)
class _Part:
    """A report on its way out of a document: its title, what its titles say of body and year, its spans of text."""

    title: Title
    names: tuple[str, ...]
    year: int | None
    spans: list[Span] = field(default_factory=list)

    def is_same(self, title: Title) -> bool:
        """Whether a title can be of this report: no other year, no other body."""
        if self.year is not None and title.year is not None and self.year != title.year:
            return False
        return not (self.names and title.names) or are_compatible(self.names[0], title.names[0])

    def add(self, title: Title, span: Span) -> None:
        """Take in another stretch under a title of the same report."""
        self.spans.append(span)
        self.names = self.names or title.names
        self.year = title.year if self.year is None else self.year


@dataclass(frozen=True, slots=True)
class _Section:
    number: int
    start: int


class _Uncertain(Exception):
    """The document can not be cut with certainty."""


def split_reports(document: Document) -> tuple[Document, ...] | None:
    """The reports of a document, each as a document; null where it holds several and no cut is certain."""
    page = read_page(document)
    titles = find_titles(page)
    if len(titles) < 2:
        return None if _is_mixed(document) else (document,)
    is_one_by_titles = len(find_report_titles(document)) <= 1
    try:
        parts = _cut(page, titles)
    except _Uncertain:
        # What passes for one report by its titles stays one: its repeated or quoted title is no other report.
        return (document,) if is_one_by_titles and not _is_mixed(document) else None
    if len(parts) > 1 and is_one_by_titles and not all(_is_whole(part) for part in parts):
        parts = (document,)
    return None if len(parts) == 1 and _is_mixed(document) else parts


def hints_of_parts(parts: Sequence[Document], hints: Hints) -> tuple[Hints, tuple[Issue, ...]]:
    """What a manifest says of a document as far as it can hold for each of its reports, and what it can not."""
    titles = [title for part in parts for title in find_report_titles(part)[:1]]
    is_one_body = len({title.agency_name_raw for title in titles}) == 1
    is_one_year = len({title.report_year for title in titles}) == 1
    shared = replace(
        hints,
        agency_name=hints.agency_name if is_one_body else None,
        scope=hints.scope if is_one_body else None,
        report_year=hints.report_year if is_one_year else None,
        published_date=hints.published_date if is_one_year else None,
    )
    if shared == hints:
        return hints, ()
    message = f"the manifest speaks of one report, the document holds {len(parts)}; what differs is taken from the text"
    return shared, (Issue("hint_conflict", message),)


def _cut(page: Page, titles: list[Title]) -> tuple[Document, ...]:
    document = page.document
    if any(title.place.table is not None for title in titles):
        raise _Uncertain
    starts = [_line_start(document, title.place.start) for title in titles]
    if any(later <= earlier for earlier, later in pairwise(starts)):
        raise _Uncertain
    sections = _sections(page)
    parts: list[_Part] = []
    has_contents = False
    ends = [*(_fields_start(page, start) for start in starts[1:]), len(document.text)]
    for title, span in zip(titles, zip(starts, ends, strict=True), strict=True):
        lines = _lines_within(page, span)
        is_long = sum(len(line.text) for line in lines) - len(title.printed) >= _SHORTEST_BODY
        current = parts[-1] if parts else None
        if current is not None and (current.is_same(title) or _goes_on(current, span, sections)):
            if current.is_same(title):
                current.add(title, span)
            else:
                current.spans.append(span)
        elif is_long:
            if any(part.is_same(title) for part in parts[:-1]):
                raise _Uncertain
            parts.append(_Part(title, title.names, title.year, [span]))
        elif current is None:
            has_contents = True
        elif any(line.is_table or _FIGURE_SENTENCE.search(line.text) for line in lines[1:]):
            # Somebody's figures under a title that may be a quotation.
            raise _Uncertain
    if len(parts) < 2:
        return (document,)
    if len(parts) > MAX_REPORTS:
        raise _Uncertain
    above = (0, parts[0].spans[0][0])
    before = _within(document, [above], is_first=True)
    if before.blocks and extract_tables(before).tables_seen:
        raise _Uncertain
    if not has_contents:
        parts[0].spans.insert(0, above)
    found = [_within(document, part.spans, n == 0) for n, part in enumerate(parts)]
    _check(found)
    return tuple(found)


def _check(parts: list[Document]) -> None:
    """Refuse parts of which one may hold what belongs to another."""
    readings = [extract_tables(part) for part in parts]
    has_tables = any(reading.tables_seen for reading in readings)
    is_after_tableless = False
    for part, reading in zip(parts, readings, strict=True):
        sections = _sections(read_page(part))
        if _has_rival_values(reading.metric_rows) or _second_counts(sections):
            raise _Uncertain
        if reading.tables_seen:
            if not sections or sections[0].number != 1:
                raise _Uncertain
            if is_after_tableless and not _encloses(sections, reading):
                raise _Uncertain
        elif classify_document(part, has_filled_form=False, has_form=False) is None:
            if not sections or sections[0].number != 1:
                raise _Uncertain
            is_after_tableless = has_tables


def _is_whole(part: Document) -> bool:
    """Whether a part is a report with sections and statutory tables of its own beyond doubt."""
    return extract_tables(part).tables_seen > 0 and len(_sections(read_page(part))) >= _SECOND_COUNT


def _has_rival_values(rows: Iterable[MetricRow]) -> bool:
    """Whether the tables give two values for one figure: then they are of two reports."""
    seen: dict[_Key, _Value] = {}
    for row in rows:
        if row.source_kind is SourceKind.TABLE and row.metric_code is not None:
            value = (row.value, row.value_status)
            if seen.setdefault((row.metric_code, row.applicant_type), value) != value:
                return True
    return False


def _second_counts(sections: Sequence[_Section]) -> list[int]:
    """Where sections are counted from one again as far as a report's are: a report whose title was not seen."""
    numbers = [section.number for section in sections]
    again = [n for n in range(1, len(numbers)) if numbers[n] == 1]
    return [sections[n].start for n in again if numbers[n : n + _SECOND_COUNT] == list(range(1, _SECOND_COUNT + 1))]


def _is_mixed(document: Document) -> bool:
    """Whether tables before and after a second count of sections contradict each other: they are of two reports."""
    counts = _second_counts(_sections(read_page(document)))
    if not counts:
        return False
    rows = [row for row in extract_tables(document).metric_rows if row.metric_code is not None]
    for at in counts:
        before, after = (_figures(rows, at, late) for late in (False, True))
        if sum(before[key] != after[key] for key in before.keys() & after.keys()) >= _RIVAL_VALUES:
            return True
    return False


def _figures(rows: Iterable[MetricRow], at: int, is_after: bool) -> dict[_Key, _Value]:
    """The values of the rows before or after a position, by figure."""
    return {
        (row.metric_code, row.applicant_type): (row.value, row.value_status)
        for row in rows
        if (row.place.start >= at) is is_after
    }


def _encloses(sections: Sequence[_Section], reading: TableReading) -> bool:
    """Whether all figures of the tables stand between sections that count on."""
    if not reading.metric_rows:
        return False
    last = max(row.place.end for row in reading.metric_rows)
    first = min(row.place.start for row in reading.metric_rows)
    before = [section.number for section in sections if section.start < first]
    after = [section.number for section in sections if section.start >= last]
    return bool(before) and bool(after) and after[0] > before[-1]


def _goes_on(part: _Part, span: Span, sections: Sequence[_Section]) -> bool:
    """Whether the count of sections goes on under a title: the report only quotes it."""
    before = [s.number for s in sections if any(start <= s.start < end for start, end in part.spans)]
    after = [s.number for s in sections if span[0] <= s.start < span[1]]
    return bool(before) and bool(after) and after[0] == before[-1] + 1


def _sections(page: Page) -> list[_Section]:
    """The headings of a page that are counted 一、二、三."""
    found = []
    for _, line in page.text_lines:
        if (match := _SECTION.match(line.text)) is not None and (number := _read_count(match[1])) is not None:
            found.append(_Section(number, line.place().start))
    return found


def _read_count(text: str) -> int | None:
    """A Chinese number up to 99; null for 一一."""
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _DIGITS.get(text)
    if (tens and tens not in _DIGITS) or (ones and ones not in _DIGITS):
        return None
    return _DIGITS.get(tens, 1) * 10 + _DIGITS.get(ones, 0)


def _line_start(document: Document, at: int) -> int:
    return document.text.rfind("\n", 0, at) + 1


def _lines_within(page: Page, span: Span) -> list[Line]:
    return [line for line in page.lines if span[0] <= line.place().start < span[1]]


@lru_cache(maxsize=1)
def _field_label() -> re.Pattern[str]:
    return re.compile(rf"[\[【(]?(?:{any_of(load_words().metadata)})[】\])]?[:：]")


def _fields_start(page: Page, start: int) -> int:
    """Where the fields of a page (发布日期, 来源) begin that stand directly above a title."""
    label = _field_label()
    for _, line in reversed(page.text_lines):
        at = line.place().start
        if at >= start:
            continue
        if not label.match(line.text):
            break
        start = at
    return start


def _within(document: Document, spans: Sequence[Span], is_first: bool) -> Document:
    """The document with only what stands in some spans; its text is blank elsewhere, so that positions stay."""
    blocks = [piece for block in document.blocks for span in spans if (piece := _piece(block, span, document))]
    pieces = []
    done = 0
    for start, end in spans:
        pieces += [_NOT_LINE_END.sub(" ", document.text[done:start]), document.text[start:end]]
        done = end
    pieces.append(_NOT_LINE_END.sub(" ", document.text[done:]))
    outside = (MetadataName.TITLE, MetadataName.ARTICLE_TITLE)
    return replace(
        document,
        text="".join(pieces),
        blocks=tuple(blocks),
        # The page's own title speaks of its first report at most.
        metadata=tuple(m for m in document.metadata if is_first or m.name not in outside),
        other_text=None,
    )


def _piece(block: Block, span: Span, document: Document) -> Block | None:
    """What of a block stands in a span, null for nothing."""
    place = block.place
    start, end = max(place.start, span[0]), min(place.end, span[1])
    if start >= end:
        return None
    if (start, end) == (place.start, place.end):
        return block
    if isinstance(block, Table) or document.text[place.start : place.end] != block.text:
        raise _Uncertain
    line = place.line + document.text.count("\n", place.start, start)
    text = block.text[start - place.start : end - place.start]
    return Paragraph(text, replace(place, start=start, end=end, line=line)) if text.strip() else None
