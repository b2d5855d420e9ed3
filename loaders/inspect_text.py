"""``gongkai inspect`` for a person at a terminal: the form as it is known, doubtful figures marked.

In: a reading and a console. Out: printed text that says the same without colour. Whatever stems from the document
is stripped of control characters, so that no document can speak to the terminal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from loaders.inspect_figures import (
    DOUBT_WORDS,
    Doubt,
    Figure,
    FormGrid,
    ReportView,
    applicant_words,
    identity_words,
    issue_words,
    metric_words,
    seed_words,
    view_report,
)
from loaders.model import DocumentReading, Issue, MetricRow, SecondReading, Severity, ValueStatus
from loaders.settings import plain_number

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_DOUBT_STYLES = {
    Doubt.NOT_UNDERSTOOD: "magenta",
    Doubt.SECOND_READING_DIFFERS: "bold red",
    Doubt.IDENTITY_FAILS: "red",
    Doubt.UNLIKELY: "dark_orange",
    Doubt.FUZZY_LABEL: "yellow",
    Doubt.READ_BY_OCR: "cyan",
}
_SEVERITY_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
# Where a label was wrapped in its cell; nothing parts Chinese characters otherwise.
_LINE_BREAK = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])")
_SNIPPET = 120
_FEW_COLUMNS = 3
_NARROW, _WIDE = 14, 30


def print_reading(reading: DocumentReading, console: Console, *, show_all: bool = False) -> None:
    """The reading for a person; ``show_all`` adds every figure with its place."""
    about = f"{reading.media_type or 'unknown format'}, {reading.byte_count:,} bytes, sha256 {reading.document_id[:16]}"
    _say(console, f"{plain(reading.source_uri)}", "bold")
    _say(console, about, "dim")
    if reading.reject_code is not None:
        _print_rejection(reading, console)
    for report in reading.reports:
        _print_report(view_report(report), console, show_all)
    for link in reading.attachments:
        _say(console, f"attachment: {plain(link.label)}  {plain(link.url)}")
    issues = [issue for issue in reading.issues if issue.issue_code != reading.reject_code]
    _print_issues("文件问题 Issues of the document", issues, console)


def plain(text: str) -> str:
    """The text on one line without control characters, which a terminal would obey, and turns of direction."""
    kept = "".join(char if unicodedata.category(char) not in _UNPRINTABLE else _instead(char) for char in text)
    return " ".join(kept.split())


def _instead(char: str) -> str:
    return " " if char.isspace() else "\ufffd"


def shown_value(row: MetricRow) -> str:
    """A figure in a cell: the number, ``·`` for a blank, ``/`` for not applicable."""
    if row.value is not None:
        return f"{'~' if row.is_approximate else ''}{plain_number(row.value)}"
    return {ValueStatus.BLANK: "·", ValueStatus.NOT_APPLICABLE: "/"}.get(row.value_status, plain(row.value_raw)[:12])


def _say(console: Console, text: str, style: str = "", indent: int = 0) -> None:
    from rich.padding import Padding
    from rich.text import Text

    console.print(Padding(Text(text, style=style), (0, 0, 0, indent)))


def _print_rejection(reading: DocumentReading, console: Console) -> None:
    code = reading.reject_code or ""
    words = issue_words().get(code, {})
    _say(console, f"rejected: {code}  {words.get('label_zh', '')}", "bold red")
    for issue in reading.issues:
        if issue.issue_code == code:
            _say(console, f"reason: {plain(issue.message)}", indent=2)
    if words:
        _say(console, f"what to do: {words['remedy_en']}", "green", indent=2)


# ---- a report


def _print_report(view: ReportView, console: Console, show_all: bool) -> None:
    console.print()
    _print_identity(view, console)
    for grid in view.grids:
        _print_grid(grid, console)
    if view.figures:
        _print_legend(view, console)
    _print_narrative(view.narrative, console)
    _print_failed(view, console)
    _print_differences(view, console)
    _print_issues("问题 Issues", [*view.report.identity.issues, *view.report.issues], console)
    _print_not_understood(view.not_understood, console)
    if show_all:
        _print_every_figure(view, console)


def _print_identity(view: ReportView, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    identity, report = view.report.identity, view.report
    agency = "、".join((identity.agency_name or "(agency unknown)", *identity.co_agency_names))
    console.rule(Text(f" {plain(agency)} · {identity.report_year or 'year unknown'} "), align="left", characters="━")
    forms, scopes = seed_words("forms", "form_code"), seed_words("scopes", "scope_code")
    period = " – ".join(str(day) for day in (identity.period_start_date, identity.period_end_date) if day)
    known = {
        "agency_name": ("机关 agency", agency),
        "report_year": ("年度 year", str(identity.report_year or "unknown")),
        "form_code": (
            "表式 form",
            f"{report.form_code or 'unknown'}  {forms[report.form_code][0] if report.form_code in forms else ''}",
        ),
        "scope": ("口径 scope", f"{identity.scope.value}  {scopes.get(identity.scope, ('', ''))[0]}"),
        "title": ("标题 title", identity.title or ""),
        "published_date": ("发布 published", str(identity.published_date or "")),
        "period_start_date": ("期限 period", period),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for attribute, (label, value) in known.items():
        if not value:
            continue
        text = Text(plain(value))
        for evidence in identity.evidence:
            if evidence.attribute == attribute and attribute != "title":
                where = f", line {evidence.place.line}" if evidence.place else ""
                text.append(f"  ← “{_cut(evidence.snippet, 60)}” ({evidence.rule}{where})", "dim")
        table.add_row(label, text)
    console.print(table)


def _print_grid(grid: FormGrid, console: Console) -> None:
    from rich import box
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    _heading(grid.form.label_zh, console)
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("", overflow="fold")
    if grid.has_units:
        table.add_column("单位", no_wrap=True)
    # A heading of two lines, so that seven columns fit into a hundred characters.
    widest = _NARROW if len(grid.columns) > _FEW_COLUMNS else _WIDE
    for label in grid.columns:
        table.add_column(
            _LINE_BREAK.sub("", _cut(label, 40)), justify="right", overflow="fold", min_width=6, max_width=widest
        )
    mark_widths = [
        max((len(figure.doubts) for line in grid.lines for figure in line.cells[at]), default=0)
        for at in range(len(grid.columns))
    ]
    for line in grid.lines:
        cells = [_cell(figures, width) for figures, width in zip(line.cells, mark_widths, strict=True)]
        text = Text(_LINE_BREAK.sub("", plain(line.label)), "" if any(line.cells) else "bold")
        unit = [plain(line.unit)] if grid.has_units else []
        table.add_row(Padding(text, (0, 0, 0, 2 * line.depth)), *unit, *cells)
    console.print(table)


def _cell(figures: Sequence[Figure], mark_width: int) -> Text:
    """The figures of a cell, the last digit under that of the others."""
    from rich.text import Text

    text = Text(" | ").join(map(_value, figures))
    marks = len(figures[-1].doubts) if figures else 0
    text.pad_right(mark_width - marks)
    return text


def _value(figure: Figure) -> Text:
    """A figure with its marks; it stands out by colour only where there is one."""
    from rich.text import Text

    row = figure.row
    style = _DOUBT_STYLES[figure.worst] if figure.worst else "dim" if not row.value else ""
    return Text(shown_value(row) + "".join(DOUBT_WORDS[doubt].mark for doubt in figure.doubts), style)


def _print_legend(view: ReportView, console: Console) -> None:
    from rich.text import Text

    text = Text("· 空白 blank   / 不适用 not applicable", "dim")
    for doubt in Doubt:
        count = sum(doubt in figure.doubts for figure in view.figures)
        if count:
            words = DOUBT_WORDS[doubt]
            text.append("   ")
            text.append(f"{words.mark} {words.label_zh} {words.label_en} ({count})", _DOUBT_STYLES[doubt])
    console.print()
    console.print(text)
    certain = sum(not figure.doubts for figure in view.figures)
    _say(console, f"{len(view.figures)} figures, {certain} without doubt", "dim")


def _print_narrative(figures: Sequence[Figure], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    if not figures:
        return
    _heading("正文数据 Figures in sentences", console)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold", max_width=34)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", style="dim")
    for figure in figures:
        row = figure.row
        label, _ = metric_words(row.metric_code)
        sentence = f"“{_cut(row.snippet, _SNIPPET)}” line {row.place.line}"
        table.add_row(Text(label or row.metric_code or ""), _value(figure), plain(row.unit or ""), Text(sentence))
    console.print(table)


def _print_failed(view: ReportView, console: Console) -> None:
    if not view.failed:
        return
    _heading("勾稽不符 Identities that fail", console)
    for check, touched in zip(view.failed, view.touched, strict=True):
        is_error = check.severity == Severity.ERROR
        doubt = Doubt.IDENTITY_FAILS if is_error else Doubt.UNLIKELY
        where = " · ".join(filter(None, (metric_words(check.metric_code)[0], applicant_words(check.applicant_type)[0])))
        sides = f"{plain_number(check.left_value)} {check.relation} {plain_number(check.right_value)}"
        statement = f"{check.statement_zh}{f'（{where}）' if where else ''}"
        head = f"{DOUBT_WORDS[doubt].mark} {check.identity_code}: {statement}: {sides} does not hold"
        _say(console, head, _DOUBT_STYLES[doubt], indent=2)
        _say(console, identity_words().get(check.identity_code, ""), "dim", indent=4)
        witnesses = [figure for figure in touched if figure.row.second_reading is SecondReading.AGREES]
        if touched and len(witnesses) == len(touched):
            _say(console, "a second reading gave the same figures: the source contradicts itself", "dim", indent=4)


def _print_differences(view: ReportView, console: Console) -> None:
    differing = [figure.row for figure in view.figures if figure.row.second_reading is SecondReading.DIFFERS]
    if not differing:
        return
    _heading("两次读取不一致 Second reading differs", console)
    for row in differing:
        second = "blank" if row.second_value is None else plain_number(row.second_value)
        labels = " · ".join(plain(label) for label in (row.label_raw, row.column_label_raw) if label)
        _say(console, f"≠ {labels}: first {shown_value(row)}, second {second}", "bold red", indent=2)


def _print_not_understood(figures: Sequence[Figure], console: Console) -> None:
    if not figures:
        return
    _heading("未识别 Not understood", console)
    for figure in figures:
        row = figure.row
        labels = " · ".join(plain(label) for label in (row.label_raw, row.column_label_raw) if label)
        _say(console, f"× {labels}: {plain(row.value_raw) or '·'}  (line {row.place.line})", "magenta", indent=2)


def _print_issues(title: str, issues: Sequence[Issue], console: Console) -> None:
    if not issues:
        return
    _heading(title, console)
    for issue in issues:
        words = issue_words().get(issue.issue_code, {})
        severity = words.get("severity", Severity.ERROR)
        place = f" ({issue.locator})" if issue.locator else ""
        text = f"{severity} {issue.issue_code} {words.get('label_zh', '')}: {plain(issue.message)}{place}"
        _say(console, text, _SEVERITY_STYLES.get(Severity(severity), ""), indent=2)


def _print_every_figure(view: ReportView, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    _heading("全部数据 Every figure", console)
    table = Table("metric", "applicant", "value", "unit", "printed", "label", "place", "how", show_edge=False)
    table.columns[2].justify = "right"
    for figure in view.figures:
        row = figure.row
        labels = " / ".join(filter(None, (row.label_raw, row.column_label_raw)))
        score = "" if row.match_score in (0.0, 100.0) else f" {row.match_score:g}"
        texts = (row.unit or "", row.value_raw, labels, f"{row.source_kind.value}: {row.place.locator()}")
        table.add_row(
            Text(row.metric_code or "not understood"),
            row.applicant_type or "",
            _value(figure) if row.value is not None else row.value_status.value,
            *(Text(plain(text)) for text in texts),
            f"{row.match_method}{score}",
        )
    console.print(table)


def _heading(title: str, console: Console) -> None:
    console.print()
    _say(console, title, "bold")


def _cut(text: str, length: int) -> str:
    text = plain(text)
    return text if len(text) <= length else f"{text[: length - 1]}…"
