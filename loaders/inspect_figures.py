"""The figures of one report as people look at them: laid out by statutory table, and with what is doubtful.

In: a report as it was read. Out: a :class:`ReportView`: every figure with its doubts, the identities that fail with
the figures they touch, and for each statutory table that was read a grid in the order of the form. Knows nothing of
terminals and pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from loaders.identity_checks import FailedIdentity, evaluate_identities
from loaders.model import MetricRow, ReportReading, SecondReading, Severity, SourceKind, ValueStatus
from loaders.vocabulary import FormTable, load_vocabulary, read_seed

_EXACT = 100.0
_EVERY_METRIC = "*"
_TOTAL = "total"
_ANY_KIND = (SourceKind.TABLE, SourceKind.NARRATIVE)

Position = tuple[str, str]


class Doubt(StrEnum):
    """Why a figure should be compared with the source; the most serious first."""

    NOT_UNDERSTOOD = "not_understood"
    SECOND_READING_DIFFERS = "second_reading_differs"
    IDENTITY_FAILS = "identity_fails"
    UNLIKELY = "unlikely"
    FUZZY_LABEL = "fuzzy_label"
    READ_BY_OCR = "read_by_ocr"


@dataclass(frozen=True, slots=True)
class Wording:
    """A sign and the words for it, Chinese and English."""

    mark: str
    label_zh: str
    label_en: str


DOUBT_WORDS = {
    Doubt.NOT_UNDERSTOOD: Wording("×", "未识别", "not understood"),
    Doubt.SECOND_READING_DIFFERS: Wording("≠", "两次读取不一致", "second reading differs"),
    Doubt.IDENTITY_FAILS: Wording("!", "勾稽不符", "an identity fails"),
    Doubt.UNLIKELY: Wording("*", "不合常理", "contradicts an expected relation"),
    Doubt.FUZZY_LABEL: Wording("?", "标题近似匹配", "label matched roughly"),
    Doubt.READ_BY_OCR: Wording("°", "文字识别", "read by OCR"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A printed figure, its number within the report, and what speaks against it."""

    number: int
    row: MetricRow
    doubts: tuple[Doubt, ...]
    failed: tuple[int, ...]

    @property
    def worst(self) -> Doubt | None:
        """The most serious doubt."""
        return self.doubts[0] if self.doubts else None


@dataclass(frozen=True, slots=True)
class GridLine:
    """A row of a grid: its label, how deep it stands, its unit where it has one, and its figures by column."""

    label: str
    depth: int
    unit: str = ""
    cells: tuple[tuple[Figure, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class FormGrid:
    """A statutory table that was read: the headings of its value columns, and its rows in the form's order."""

    form: FormTable
    columns: tuple[str, ...]
    lines: tuple[GridLine, ...]
    has_units: bool

    def figures(self) -> list[Figure]:
        """All figures of the table."""
        return [figure for line in self.lines for cell in line.cells for figure in cell]


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report with its figures judged and laid out; ``touched`` has the figures of each failed identity."""

    report: ReportReading
    figures: tuple[Figure, ...]
    failed: tuple[FailedIdentity, ...]
    touched: tuple[tuple[Figure, ...], ...]
    grids: tuple[FormGrid, ...]
    narrative: tuple[Figure, ...]
    not_understood: tuple[Figure, ...]


def view_report(report: ReportReading) -> ReportView:
    """Judge the figures of a report and lay them out by table."""
    failed = tuple(evaluate_identities(report))
    touched_rows = [_touched(check, report.metric_rows) for check in failed]
    figures = []
    for number, row in enumerate(report.metric_rows):
        mine = tuple(at for at, touched in enumerate(touched_rows) if number in touched)
        figures.append(Figure(number, row, _doubts(row, [failed[at] for at in mine]), mine))
    return ReportView(
        report,
        tuple(figures),
        failed,
        tuple(tuple(figures[number] for number in sorted(touched)) for touched in touched_rows),
        tuple(_grids(figures, report.form_code)),
        tuple(f for f in figures if f.row.source_kind is SourceKind.NARRATIVE and f.row.metric_code is not None),
        tuple(f for f in figures if f.row.metric_code is None),
    )


def _doubts(row: MetricRow, failed: Sequence[FailedIdentity]) -> tuple[Doubt, ...]:
    is_unread = row.metric_code is None or row.value_status is ValueStatus.ILLEGIBLE
    is_fuzzy = row.source_kind is SourceKind.TABLE and row.metric_code is not None and row.match_score < _EXACT
    found = {
        Doubt.NOT_UNDERSTOOD: is_unread,
        Doubt.SECOND_READING_DIFFERS: row.second_reading is SecondReading.DIFFERS,
        Doubt.IDENTITY_FAILS: any(check.severity == Severity.ERROR for check in failed),
        Doubt.UNLIKELY: any(check.severity != Severity.ERROR for check in failed),
        Doubt.FUZZY_LABEL: is_fuzzy,
        Doubt.READ_BY_OCR: row.is_read_by_ocr,
    }
    return tuple(doubt for doubt in Doubt if found[doubt])


# ---- identities


@lru_cache(maxsize=1)
def _terms() -> dict[str, list[dict[str, str]]]:
    terms: dict[str, list[dict[str, str]]] = {}
    for row in read_seed("identity_terms"):
        terms.setdefault(row["identity_code"], []).append(row)
    return terms


def _touched(check: FailedIdentity, rows: Sequence[MetricRow]) -> set[int]:
    """The numbers of the rows that an identity compares."""
    touched: set[int] = set()
    terms = _terms()[check.identity_code]
    # Where the text may count in several ways, what failed is held against the regular one.
    regular = next((term["reading_code"] for term in terms if term["reading_code"]), "")
    for term in (term for term in terms if term["reading_code"] in ("", regular)):
        metric = check.metric_code if term["metric_code"] == _EVERY_METRIC else term["metric_code"]
        applicant = term["applicant_type_code"] or check.applicant_type
        kinds = [kind for kind in _ANY_KIND if term["source_kind"] in ("any", kind)]
        ways = [(kind, who) for kind in kinds for who in (applicant, _TOTAL if applicant is None else applicant)]
        of_term = [
            {
                number
                for number, row in enumerate(rows)
                if (row.metric_code, row.source_kind, row.applicant_type) == (metric, *way) and row.value is not None
            }
            for way in ways
        ]
        touched |= next(filter(None, of_term), set())
    return touched


# ---- grids


@dataclass(slots=True)
class _Placed:
    form: FormTable
    cells: dict[Position, list[Figure]] = field(default_factory=dict)


def _grids(figures: Iterable[Figure], form_code: str | None) -> list[FormGrid]:
    """The statutory tables that the figures come from, in the order of the document.

    Of two forms that share a figure the one with more of them has it, else the form of the report.
    """
    left = [f for f in figures if f.row.source_kind is SourceKind.TABLE and f.row.metric_code is not None]
    placed = []
    while left:
        form, positions = max(
            _positions(),
            key=lambda known: (sum(_key(figure) in known[1] for figure in left), known[0].form_code == form_code),
        )
        taken = [figure for figure in left if _key(figure) in positions]
        if not taken:  # a metric without a cell in any form
            break
        table = _Placed(form)
        for figure in taken:
            table.cells.setdefault(positions[_key(figure)], []).append(figure)
        placed.append((taken[0].number, table))
        left = [figure for figure in left if _key(figure) not in positions]
    return [_lay_out(table) for _, table in sorted(placed, key=lambda one: one[0])]


def _key(figure: Figure) -> tuple[str | None, str | None]:
    return figure.row.metric_code, figure.row.applicant_type


@lru_cache(maxsize=1)
def _positions() -> tuple[tuple[FormTable, Mapping[tuple[str | None, str | None], Position]], ...]:
    """For each statutory table the cell of each metric and applicant type."""
    known = []
    metrics = load_vocabulary().metrics
    for form in load_vocabulary().tables:
        positions: dict[tuple[str | None, str | None], Position] = {}
        for position, key in form.cells.items():
            positions.setdefault(key, position)
        applicants = {column: applicant for (_, column), (_, applicant) in form.cells.items()}
        for row in form.rows:  # a group that a body filled in, too, is a metric of its own
            if row.row_code in metrics:
                for column, applicant in applicants.items():
                    positions.setdefault((row.row_code, applicant), (row.row_code, column))
        known.append((form, positions))
    return tuple(known)


def _lay_out(table: _Placed) -> FormGrid:
    if table.form.layout_code == "single_row":
        return _lay_out_groups(table)
    form = table.form
    used_columns = [c for c in form.columns if any(column == c.column_code for _, column in table.cells)]
    used_rows = {row for row, _ in table.cells}
    ancestors: dict[str, list[str]] = {}
    for row in form.rows:
        ancestors[row.row_code] = (
            [*ancestors.get(row.parent_row_code, []), row.parent_row_code] if row.parent_row_code else []
        )
    printed = _printed_labels(table, ancestors)
    shown = used_rows | {code for row in used_rows for code in ancestors[row]}
    lines = []
    for row in form.rows:
        if row.row_code not in shown:
            continue
        default = f"{row.enumerator}{'：' if row.enumerator == '其中' else ''}{row.label_zh}"
        cells = tuple(tuple(table.cells.get((row.row_code, c.column_code), ())) for c in used_columns)
        unit = next((figure.row.unit for cell in cells for figure in cell if figure.row.unit), "") or ""
        label = printed.get(row.row_code) or default
        lines.append(GridLine(label, len(ancestors[row.row_code]), unit, cells))
    columns = tuple(_column_label(table, c.column_code, c.label_zh) for c in used_columns)
    has_units = form.layout_code == "row_unit_value" or len({line.unit for line in lines if line.unit}) > 1
    return FormGrid(form, columns, tuple(lines), has_units)


def _printed_labels(table: _Placed, ancestors: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The labels as the document prints them, where the path of a figure tells."""
    printed: dict[str, str] = {}
    for (row, _), figures in table.cells.items():
        parts = figures[0].row.label_raw.split(" / ")
        if parts[-1]:
            printed.setdefault(row, parts[-1])
        if len(parts) == len(ancestors[row]) + 1:
            for code, part in zip(ancestors[row], parts, strict=False):
                printed.setdefault(code, part)
    return printed


def _column_label(table: _Placed, column: str, default: str) -> str:
    found = (f.row.column_label_raw for (_, at), figures in table.cells.items() if at == column for f in figures)
    label = next((label for label in found if label), None)
    return label.split(" / ")[-1] if label else default


def _lay_out_groups(table: _Placed) -> FormGrid:
    """A table of one row: the groups of its headings become rows, so that it fits a page."""
    labels = list(dict.fromkeys(column.label_zh for column in table.form.columns))
    groups = list(dict.fromkeys(column.parent_label_zh for column in table.form.columns))
    cells: dict[tuple[str, str], tuple[Figure, ...]] = {}
    for column in table.form.columns:
        for (_, code), figures in table.cells.items():
            if code == column.column_code:
                cells[column.parent_label_zh, column.label_zh] = tuple(figures)
    lines = [
        GridLine(group, 0, "", tuple(cells.get((group, label), ()) for label in labels))
        for group in groups
        if any((group, label) in cells for label in labels)
    ]
    return FormGrid(table.form, tuple(labels), tuple(lines), False)


# ---- words


@lru_cache(maxsize=1)
def issue_words() -> dict[str, dict[str, str]]:
    """The rows of the seed ``issue_codes`` by code."""
    return {row["issue_code"]: row for row in read_seed("issue_codes")}


@lru_cache(maxsize=1)
def identity_words() -> dict[str, str]:
    """What each identity states, in English."""
    return {row["identity_code"]: row["statement_en"] for row in read_seed("identities")}


@lru_cache(maxsize=8)
def seed_words(seed: str, key: str) -> dict[str, tuple[str, str]]:
    """The Chinese and the English label of each row of a seed."""
    return {row[key]: (row["label_zh"], row["label_en"]) for row in read_seed(seed)}


def metric_words(metric_code: str | None) -> tuple[str, str]:
    """The Chinese and the English label of a metric; empty where it is not known."""
    return seed_words("metrics", "metric_code").get(metric_code or "", ("", ""))


def applicant_words(applicant_type: str | None) -> tuple[str, str]:
    """The Chinese and the English label of an applicant type; empty where there is none."""
    return seed_words("applicant_types", "applicant_type_code").get(applicant_type or "", ("", ""))
