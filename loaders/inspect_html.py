"""``gongkai inspect --html``: the document as it was read, every figure marked where it stands, on one page.

In: a document and its reading, or a rejected reading alone. Out: a web page that needs nothing else: no network, styles
and script inside. Everything of the document is escaped, and a content security policy keeps the page's own script the
only one that runs. Of a very long document the parts in which nothing was read are left out, and said to be.
"""

from __future__ import annotations

import base64
import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template

from loaders.identity_checks import FailedIdentity
from loaders.inspect_figures import (
    DOUBT_WORDS,
    Doubt,
    Figure,
    ReportView,
    applicant_words,
    identity_words,
    issue_words,
    metric_words,
    seed_words,
    view_report,
)
from loaders.model import (
    Block,
    Cell,
    Document,
    DocumentReading,
    Evidence,
    Hints,
    Issue,
    Paragraph,
    SecondReading,
    Severity,
    Table,
    ValueStatus,
)
from loaders.settings import plain_number

_TEMPLATE = Path(__file__).with_name("inspect_page.html")
# Beyond this, blocks in which nothing was read are left out; a gap within a block keeps its ends.
_SHOWN_TEXT = 2_500_000
_SHOWN_GAP = 60_000
_CHARS = re.compile(r"chars (\d+)-(\d+)")
# What a page may not hold, or what would turn the direction of the text around it.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NUMBER_OR_SIGN = re.compile(r"\s*[-—–/\d.,，．]*\d[\d.,，．]*\D{0,2}\s*|\s*[-—–/]*\s*")
_STATUS_WORDS = {
    ValueStatus.NUMBER: "数值 number",
    ValueStatus.BLANK: "空白 blank",
    ValueStatus.NOT_APPLICABLE: "不适用 not applicable",
    ValueStatus.NONE_STATED: "文字表述为零 none stated",
    ValueStatus.ILLEGIBLE: "无法辨认 illegible",
}
_METHOD_WORDS = {
    "exact": "标题一致 exact label",
    "fuzzy": "标题近似 similar label",
    "between_neighbours": "由上下行判定 by its neighbours",
    "phrase": "语句 phrase",
    "unmatched": "未识别 not matched",
}
_ATTRIBUTE_WORDS = {
    "agency_name": "机关 Agency",
    "co_agency_names": "联合机关 With",
    "report_year": "年度 Year",
    "form_code": "表式 Form",
    "scope": "口径 Scope",
    "title": "标题 Title",
    "published_date": "发布 Published",
    "period_start_date": "期限起 From",
    "period_end_date": "期限止 To",
}


_CONFIRMED = (
    "<p>两次读取一致：原文自相矛盾。 A second reading gave the same figures: the source contradicts itself.</p>"
)


@dataclass(frozen=True, slots=True)
class PagedReading(DocumentReading):
    """A reading with the page that shows it, as it comes from the process that read the document."""

    page: str | None = None


def read_with_page(data: bytes, name: str, hints: Hints | None = None) -> PagedReading:
    """Read one document and write its page: what a worker process is asked for."""
    from loaders.reading import read_with_document  # the readers are for the worker, which alone calls this

    document, reading = read_with_document(data, name, hints)
    fields = {key: getattr(reading, key) for key in DocumentReading.__dataclass_fields__}
    return PagedReading(**fields, page=render_page(document, reading))


def page_of(reading: DocumentReading) -> str:
    """The page that came with a reading; where the document could not be read at all, one that says why."""
    page = reading.page if isinstance(reading, PagedReading) else None
    return page or render_page(None, reading)


def render_page(document: Document | None, reading: DocumentReading) -> str:
    """The whole page."""
    views = [view_report(report) for report in reading.reports]
    marks = _Marks(document, views)
    # The panel first: what it points to gets an anchor in the document.
    panel = "".join(_panel_parts(document, reading, views, marks))
    template, script = _template()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return template.substitute(
        title=_text(_title(reading)),
        script_hash=f"sha256-{digest}",
        header=_header(reading, views),
        document="".join(_document_parts(document, marks)),
        panel=panel,
    )


@lru_cache(maxsize=1)
def _template() -> tuple[Template, str]:
    text = _TEMPLATE.read_text("utf-8")
    return Template(text), text.split("<script>", 1)[1].split("</script>", 1)[0]


def _text(text: object) -> str:
    """Text of the document, safe between tags and within an attribute in double quotes."""
    return escape(UNPRINTABLE.sub("\ufffd", str(text)), quote=True)


def _title(reading: DocumentReading) -> str:
    names = [f"{report.identity.agency_name or '?'} {report.identity.report_year or ''}" for report in reading.reports]
    return " · ".join((*names, reading.source_uri.rsplit("/", 1)[-1]))


# ---- where things stand


Piece = Cell | Paragraph


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of a piece's text to be wrapped."""

    start: int
    end: int
    opening: str
    closing: str


@dataclass(slots=True)
class _Place:
    """What was read in a piece of the document: figures and evidence, and the anchor that others point to."""

    figures: list[Figure] = field(default_factory=list)
    spans: list[_Span] = field(default_factory=list)
    is_target: bool = False


class _Marks:
    """Every figure, evidence and issue with the piece of the document it belongs to."""

    def __init__(self, document: Document | None, views: Sequence[ReportView]) -> None:
        self.pieces = sorted(_pieces(document.blocks if document else ()), key=lambda piece: piece.place.start)
        self._starts = [piece.place.start for piece in self.pieces]
        self._numbers = {id(piece): at for at, piece in enumerate(self.pieces)}
        self._exact: dict[tuple[int, int], int] = {}
        for at, piece in enumerate(self.pieces):
            self._exact.setdefault((piece.place.start, piece.place.end), at)
        self.places: dict[int, _Place] = {}
        self.evidence: set[str] = set()
        self.homeless: list[tuple[Figure, str]] = []
        for report, view in enumerate(views):
            for figure in view.figures:
                self._put_figure(figure, _figure_tag(report, figure, view))
            for number, evidence in enumerate(view.report.identity.evidence):
                self._put_evidence(report, number, evidence)

    def place_of(self, piece: Piece) -> _Place | None:
        """What was read in a piece."""
        return self.places.get(self._numbers[id(piece)])

    def anchor(self, piece: Piece) -> str | None:
        """The id of a piece that something points to."""
        place = self.place_of(piece)
        return f"p{self._numbers[id(piece)]}" if place and place.is_target else None

    def point_to(self, locator: str | None) -> str | None:
        """The id of the piece that a locator names, which gets an anchor; null where there is none."""
        match = _CHARS.search(locator or "")
        at = self._find(int(match[1]), int(match[2])) if match else None
        if at is None:
            return None
        self.places.setdefault(at, _Place()).is_target = True
        return f"p{at}"

    def _find(self, start: int, end: int) -> int | None:
        if (start, end) in self._exact:
            return self._exact[start, end]
        at = bisect_right(self._starts, start) - 1
        if at >= 0 and start <= self.pieces[at].place.end:
            return at
        # A place that begins before its first piece: a table's own.
        return at + 1 if at + 1 < len(self.pieces) and self.pieces[at + 1].place.start < end else None

    def _put_figure(self, figure: Figure, tag: str) -> None:
        at = self._find(figure.row.place.start, figure.row.place.end)
        if at is None:
            self.homeless.append((figure, tag))
            return
        start, end = self._inner(at, figure)
        place = self.places.setdefault(at, _Place())
        place.figures.append(figure)
        place.spans.append(_Span(start, end, tag, "</mark>"))

    def _inner(self, at: int, figure: Figure) -> tuple[int, int]:
        """The stretch of a piece that a figure was printed in: the number alone, if it stands there once."""
        piece, row = self.pieces[at], figure.row
        length = len(piece.text)
        start = min(max(row.place.start - piece.place.start, 0), length)
        end = min(max(row.place.end - piece.place.start, start), length)
        stretch = piece.text[start:end]
        if not row.value_raw and not stretch.strip():
            end = start
        elif row.value_raw and stretch.count(row.value_raw) == 1:
            start += stretch.index(row.value_raw)
            end = start + len(row.value_raw)
        return start, end

    def _put_evidence(self, report: int, number: int, evidence: Evidence) -> None:
        at = self._find(evidence.place.start, evidence.place.end) if evidence.place else None
        if at is None or evidence.place is None:
            return
        piece = self.pieces[at]
        start = min(max(evidence.place.start - piece.place.start, 0), len(piece.text))
        end = min(max(evidence.place.end - piece.place.start, start), len(piece.text))
        words = _ATTRIBUTE_WORDS.get(evidence.attribute, evidence.attribute)
        identifier = evidence_id(report, number)
        self.evidence.add(identifier)
        tag = f'<span class="ev" id="{identifier}" title="{_text(words)}">'
        self.places.setdefault(at, _Place()).spans.append(_Span(start, end, tag, "</span>"))


def figure_id(report: int, figure: Figure) -> str:
    """The id of a figure's mark."""
    return f"f{report}-{figure.number}"


def evidence_id(report: int, number: int) -> str:
    """The id of the words that an attribute of the report was taken from."""
    return f"e{report}-{number}"


def _pieces(blocks: Iterable[Block]) -> Iterator[Piece]:
    """Paragraphs and printed cells, each once: those cells that are shown."""
    for block in blocks:
        if isinstance(block, Paragraph):
            yield block
        elif block.grid is None or not block.has_rows:
            yield from (cell for row in block.rows for cell in row)
        else:
            yield from {id(cell): cell for row in block.grid for cell in row if cell is not None}.values()


# ---- figures


def _figure_class(figure: Figure) -> str:
    """The classes of a figure: its worst doubt or certain, and what kind of value it is."""
    doubt = figure.worst.value if figure.worst else "certain"
    return f"f d-{doubt} v-{figure.row.value_status.value}"


def _figure_tag(report: int, figure: Figure, view: ReportView) -> str:
    shown = _text("\n".join(_figure_lines(figure, view)))
    identifier = figure_id(report, figure)
    return f'<mark id="{identifier}" class="{_figure_class(figure)}" tabindex="0" title="{shown}">'


def _figure_lines(figure: Figure, view: ReportView) -> Iterator[str]:
    """All that is known of a figure, a line each."""
    row = figure.row
    label_zh, label_en = metric_words(row.metric_code)
    yield label_zh or "未识别 not understood"
    if label_en:
        yield label_en
    if row.applicant_type:
        yield " ".join(applicant_words(row.applicant_type))
    value = "—" if row.value is None else f"{'≈' if row.is_approximate else ''}{plain_number(row.value)}"
    yield f"值 value: {value} {row.unit or ''} ({_STATUS_WORDS[row.value_status]})"
    yield f"原文 printed: {row.value_raw or '·'}"
    labels = " · ".join(filter(None, (row.label_raw, row.column_label_raw)))
    yield f"标题 label: {labels}"
    method = _METHOD_WORDS.get(row.match_method, row.match_method)
    yield f"匹配 matched: {method}, {row.match_score:g}/100"
    yield f"代码 code: {row.metric_code or '—'}"
    if row.second_reading is not None:
        second = "空白 blank" if row.second_value is None else plain_number(row.second_value)
        agrees = "一致 agrees" if row.second_reading is SecondReading.AGREES else f"不一致 differs: {second}"
        yield f"第二次读取 second reading: {agrees}"
    for doubt in figure.doubts:
        words = DOUBT_WORDS[doubt]
        yield f"{words.mark} {words.label_zh} {words.label_en}"
    for at in figure.failed:
        check = view.failed[at]
        yield f"{check.statement_zh}: {_sides(check)} 不成立 does not hold"


def _sides(check: FailedIdentity) -> str:
    return f"{plain_number(check.left_value)} {check.relation} {plain_number(check.right_value)}"


# ---- the document


def _document_parts(document: Document | None, marks: _Marks) -> Iterator[str]:
    if document is None:
        yield '<p class="none">没有可显示的内容 Nothing of the document could be shown.</p>'
        return
    budget = _SHOWN_TEXT
    left_out = 0
    page: int | None = None
    for block in document.blocks:
        size = block.place.end - block.place.start
        is_wanted = any(marks.place_of(piece) for piece in _pieces([block]))
        if size > budget and not is_wanted:
            left_out += 1
            continue
        if left_out:
            yield _left_out(left_out)
            left_out = 0
        budget -= size
        if block.place.page is not None and block.place.page != page:
            page = block.place.page
            yield f'<p class="page"><span>第 {page} 页 page {page}</span></p>'
        yield from _table_parts(block, marks) if isinstance(block, Table) else _paragraph_parts(block, marks)
    if left_out:
        yield _left_out(left_out)


def _left_out(count: int) -> str:
    return f'<p class="none">（未显示 {count} 段 {count} blocks without figures are not shown）</p>'


def _paragraph_parts(paragraph: Paragraph, marks: _Marks) -> Iterator[str]:
    yield f"<p{_id(marks.anchor(paragraph))}>{_piece_html(paragraph, marks)}</p>\n"


def _id(anchor: str | None) -> str:
    return f' id="{anchor}"' if anchor else ""


def _table_parts(table: Table, marks: _Marks) -> Iterator[str]:
    if not table.has_rows:
        yield '<div class="flat">'
        for line in _lines([cell for row in table.rows for cell in row]):
            yield '<div class="line">' + "".join(_flat_cell(cell, marks) for cell in line) + "</div>\n"
        yield "</div>\n"
        return
    yield '<div class="wide"><table>\n'
    if table.grid is None:
        for row in table.rows:
            yield "<tr>" + "".join(_cell_html(cell, marks, "") for cell in row) + "</tr>\n"
    else:
        yield from _grid_rows(table.grid, marks)
    yield "</table></div>\n"


def _lines(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """Cells whose row ends are not marked, by eye: a label after a number begins a line."""
    line: list[Cell] = []
    for cell in cells:
        is_label = not _NUMBER_OR_SIGN.fullmatch(cell.text)
        if line and is_label and _NUMBER_OR_SIGN.fullmatch(line[-1].text):
            yield line
            line = []
        line.append(cell)
    if line:
        yield line


def _flat_cell(cell: Cell, marks: _Marks) -> str:
    return f'<span class="c"{_id(marks.anchor(cell))}>{_piece_html(cell, marks)}</span>'


def _grid_rows(grid: Sequence[Sequence[Cell | None]], marks: _Marks) -> Iterator[str]:
    """The rows of a grid, each cell once with what it spans."""
    done: set[int] = set()
    for at, row in enumerate(grid):
        parts = []
        for column, cell in enumerate(row):
            if cell is None:
                parts.append('<td class="gap"></td>')
            elif id(cell) not in done:
                done.add(id(cell))
                wide = 1
                while column + wide < len(row) and row[column + wide] is cell:
                    wide += 1
                high = 1
                while at + high < len(grid) and column < len(grid[at + high]) and grid[at + high][column] is cell:
                    high += 1
                spans = (f' colspan="{wide}"' if wide > 1 else "") + (f' rowspan="{high}"' if high > 1 else "")
                parts.append(_cell_html(cell, marks, spans))
        yield f"<tr>{''.join(parts)}</tr>\n"


def _cell_html(cell: Cell, marks: _Marks, spans: str) -> str:
    place = marks.place_of(cell)
    kind = ' class="n"' if place and place.figures else ""
    return f"<td{spans}{kind}{_id(marks.anchor(cell))}>{_piece_html(cell, marks)}</td>"


def _piece_html(piece: Piece, marks: _Marks) -> str:
    """The text of a piece with its marks, which may lie within each other."""
    place = marks.place_of(piece)
    spans = sorted(place.spans, key=lambda span: (span.start, -span.end)) if place else []
    parts: list[str] = []
    opened: list[tuple[int, str]] = []
    at = 0

    def close_until(position: int) -> None:
        nonlocal at
        while opened and opened[-1][0] <= position:
            end, closing = opened.pop()
            parts.append(_gap(piece.text[at:end]) + closing)
            at = end

    for span in spans:
        # A mark without text closes at once and must not be shut by what ends where it stands.
        close_until(span.start if span.end > span.start else span.start - 1)
        parts.append(_gap(piece.text[at : span.start]) + span.opening)
        at = span.start
        # Marks that overlap are cut so that they lie within each other.
        opened.append((min([span.end, *(end for end, _ in opened[-1:])]), span.closing))
    close_until(len(piece.text))
    parts.append(_gap(piece.text[at:]))
    return "".join(parts)


def _gap(text: str) -> str:
    if len(text) <= _SHOWN_GAP:
        return _text(text)
    half = _SHOWN_GAP // 2
    count = len(text) - 2 * half
    note = f'<span class="none">（未显示 {count} 字 {count} characters not shown）</span>'
    return _text(text[:half]) + note + _text(text[-half:])


# ---- header and panel


def _header(reading: DocumentReading, views: Sequence[ReportView]) -> str:
    name = _text(reading.source_uri.rsplit("/", 1)[-1])
    facts = f"{name} · {_text(reading.media_type or '格式不明 unknown format')} · {reading.byte_count:,} bytes"
    facts += f' · <span title="sha256 {reading.document_id}">sha256 {reading.document_id[:12]}</span>'
    heading = "文件 Document"
    if views:
        identity = views[0].report.identity
        agency = "、".join((identity.agency_name or "机关不明 agency unknown", *identity.co_agency_names))
        year = identity.report_year or "年度不明 year unknown"
        heading = f"{_text(agency)} <b>{year}</b>"
    chips = []
    if reading.reject_code is not None:
        chips.append(f'<span class="chip bad">已拒绝 rejected: {_text(reading.reject_code)}</span>')
    figures = [figure for view in views for figure in view.figures]
    if figures:
        certain = sum(not figure.doubts for figure in figures)
        failed = sum(check.severity == Severity.ERROR for view in views for check in view.failed)
        chips.append(f'<span class="chip">{len(figures)} 个数据 figures</span>')
        chips.append(f'<span class="chip good">{certain} 无疑问 without doubt</span>')
        if certain < len(figures):
            chips.append(f'<span class="chip warn">{len(figures) - certain} 待核对 to compare</span>')
        if failed:
            chips.append(f'<span class="chip bad">{failed} 勾稽不符 identities fail</span>')
    return f'<h1>{heading}</h1><p class="facts">{facts}</p><p class="chips">{"".join(chips)}</p>'


def _panel_parts(
    document: Document | None, reading: DocumentReading, views: Sequence[ReportView], marks: _Marks
) -> Iterator[str]:
    if reading.reject_code is not None:
        yield _rejection(reading)
    figures = [(report, figure) for report, view in enumerate(views) for figure in view.figures]
    if figures:
        yield _legend([figure for _, figure in figures])
    for report, view in enumerate(views):
        if view.failed:
            yield _failed(report, view)
        yield _identity(report, view, marks)
    issues = [issue for issue in reading.issues if issue.issue_code != reading.reject_code]
    for view in views:
        issues += [*view.report.identity.issues, *view.report.issues]
    if issues:
        body = "".join(_issue(issue, marks) for issue in issues)
        yield _section("问题 Issues", f"<ul>{body}</ul>", len(issues))
    for report, view in enumerate(views):
        if view.figures:
            yield _account(report, view)
    if marks.homeless:
        body = "".join(f"<li>{_homeless(figure, tag)}</li>" for figure, tag in marks.homeless)
        yield _section("未能定位 Figures without a place", f"<ul>{body}</ul>", len(marks.homeless))
    links = "".join(f"<li>{_text(link.label)} <code>{_text(link.url)}</code></li>" for link in reading.attachments)
    if links:
        yield _section("附件 Attachments", f"<ul>{links}</ul>", len(reading.attachments))
    if document is not None and document.metadata:
        rows = "".join(f"<dt>{_text(fact.name.value)}</dt><dd>{_text(fact.value)}</dd>" for fact in document.metadata)
        yield _section("页面信息 Metadata", f"<dl>{rows}</dl>", is_open=False)


def _section(title: str, body: str, count: int | None = None, *, is_open: bool = True) -> str:
    number = f' <span class="count">{count}</span>' if count is not None else ""
    opened = " open" if is_open else ""
    return f"<details{opened}><summary>{title}{number}</summary>{body}</details>\n"


def _rejection(reading: DocumentReading) -> str:
    code = reading.reject_code or ""
    words = issue_words().get(code, {})
    reasons = "".join(f"<p>{_text(issue.message)}</p>" for issue in reading.issues if issue.issue_code == code)
    return (
        f'<section class="rejection"><h2>已拒绝 Rejected: {_text(words.get("label_zh", ""))} '
        f"<code>{_text(code)}</code></h2>{reasons}<p>{_text(words.get('message_en', ''))}</p>"
        f"<p><b>下一步 What to do:</b> {_text(words.get('remedy_en', ''))}</p></section>\n"
    )


def _legend(figures: Sequence[Figure]) -> str:
    """The colours with how many figures have them; a click goes from one to the next."""
    entries = [("d-certain", "", "无疑问", "without doubt", sum(not figure.doubts for figure in figures))]
    for doubt in Doubt:
        words = DOUBT_WORDS[doubt]
        count = sum(figure.worst is doubt for figure in figures)
        entries.append((f"d-{doubt.value}", words.mark, words.label_zh, words.label_en, count))
    for status, label_zh, label_en in (
        (ValueStatus.BLANK, "空白", "blank"),
        (ValueStatus.NOT_APPLICABLE, "不适用", "not applicable"),
    ):
        count = sum(figure.row.value_status is status for figure in figures)
        entries.append((f"v-{status.value}", "", label_zh, label_en, count))
    buttons = "".join(
        f'<button type="button" data-step="{kind}"><span class="swatch {kind}">{mark or "&nbsp;"}</span>'
        f'<span>{label_zh} <i>{label_en}</i></span><span class="count">{count}</span></button>'
        for kind, mark, label_zh, label_en, count in entries
        if count
    )
    return f'<div class="legend">{buttons}</div>\n'


def _identity(report: int, view: ReportView, marks: _Marks) -> str:
    identity = view.report.identity
    forms, scopes = seed_words("forms", "form_code"), seed_words("scopes", "scope_code")
    form = view.report.form_code or ""
    values = {
        "agency_name": identity.agency_name,
        "co_agency_names": "、".join(identity.co_agency_names),
        "report_year": identity.report_year,
        "form_code": f"{form} {' '.join(forms.get(form, ()))}" if form else None,
        "scope": f"{identity.scope.value} {' '.join(scopes.get(identity.scope.value, ()))}",
        "title": identity.title,
        "published_date": identity.published_date,
        "period_start_date": identity.period_start_date,
        "period_end_date": identity.period_end_date,
    }
    rows = []
    for attribute, label in _ATTRIBUTE_WORDS.items():
        value = values[attribute]
        if not value and attribute not in ("agency_name", "report_year", "form_code"):
            continue
        reasons = "".join(
            _evidence(report, number, evidence, marks)
            for number, evidence in enumerate(identity.evidence)
            if evidence.attribute == attribute
        )
        rows.append(f"<dt>{label}</dt><dd>{_text(value or '不明 unknown')}{reasons}</dd>")
    return _section("身份 Identity", f"<dl>{''.join(rows)}</dl>")


def _evidence(report: int, number: int, evidence: Evidence, marks: _Marks) -> str:
    words = f"“{_text(_cut(evidence.snippet, 90))}” <i>{_text(evidence.rule)}</i>"
    identifier = evidence_id(report, number)
    if identifier in marks.evidence:
        return f'<a class="why" href="#{identifier}">{words}</a>'
    return f'<span class="why">{words}</span>'


def _failed(report: int, view: ReportView) -> str:
    parts = []
    for check, touched in zip(view.failed, view.touched, strict=True):
        doubt = Doubt.IDENTITY_FAILS if check.severity == Severity.ERROR else Doubt.UNLIKELY
        where = " · ".join(filter(None, (metric_words(check.metric_code)[0], applicant_words(check.applicant_type)[0])))
        links = " ".join(_figure_link(report, figure) for figure in touched)
        is_confirmed = touched and all(figure.row.second_reading is SecondReading.AGREES for figure in touched)
        about = f"（{_text(where)}）" if where else ""
        parts.append(
            f'<li class="d-{doubt.value}"><p><b>{DOUBT_WORDS[doubt].mark} {_text(check.statement_zh)}</b>{about}</p>'
            f"<p>{_text(identity_words().get(check.identity_code, ''))}</p>"
            f'<p><span class="sides">{_text(_sides(check))}</span> 不成立 does not hold '
            f"<code>{_text(check.identity_code)}</code></p>{_CONFIRMED if is_confirmed else ''}"
            f'<p class="links">{links}</p></li>'
        )
    return _section("勾稽不符 Failed identities", f'<ul class="failed">{"".join(parts)}</ul>', len(parts))


def _figure_link(report: int, figure: Figure) -> str:
    row = figure.row
    label = " ".join(filter(None, (metric_words(row.metric_code)[0], applicant_words(row.applicant_type)[0])))
    target = figure_id(report, figure)
    shown = "·" if row.value is None else _text(plain_number(row.value))
    return f'<a class="{_figure_class(figure)}" href="#{target}" title="{_text(label)}">{shown}</a>'


def _issue(issue: Issue, marks: _Marks) -> str:
    words = issue_words().get(issue.issue_code, {})
    target = marks.point_to(issue.locator)
    head = f"{_text(words.get('label_zh', ''))} <code>{_text(issue.issue_code)}</code>"
    if target:
        head = f'<a href="#{target}">{head}</a>'
    remedy = words.get("remedy_en", "")
    return (
        f'<li class="s-{_text(words.get("severity", "error"))}">{head}<p>{_text(_cut(issue.message, 400))}</p>'
        f'<p class="remedy">{_text(remedy)}</p></li>'
    )


def _account(report: int, view: ReportView) -> str:
    """The figures by table, each linked to its mark."""
    parts = [(_text(grid.form.label_zh), grid.figures()) for grid in view.grids]
    parts += [("正文 Sentences", list(view.narrative)), ("未识别 Not understood", list(view.not_understood))]
    bodies = []
    for label, figures in parts:
        if not figures:
            continue
        read = sum(figure.row.value is not None for figure in figures)
        doubtful = sum(bool(figure.doubts) for figure in figures)
        counts = f"{len(figures)} 格 cells · {read} 数值 values · {doubtful} 待核对 to compare"
        rows = "".join(
            f"<tr><td>{_text(_label(figure))}</td><td>{_figure_link(report, figure)}</td>"
            f"<td>{_text(figure.row.unit or '')}</td></tr>"
            for figure in figures
        )
        bodies.append(f"<details><summary>{label}<small>{counts}</small></summary><table>{rows}</table></details>")
    return _section("数据 Figures by table", "".join(bodies), len(view.figures))


def _label(figure: Figure) -> str:
    row = figure.row
    label = metric_words(row.metric_code)[0] or row.label_raw
    return " · ".join(filter(None, (label, applicant_words(row.applicant_type)[0])))


def _homeless(figure: Figure, tag: str) -> str:
    return f"{_text(_label(figure))} {tag}{_text(figure.row.value_raw)}</mark>"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
