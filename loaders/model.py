"""What travels between the rooms of the loaders: frozen values, no behaviour beyond small conveniences.

A reader turns bytes into a :class:`Document` (paragraphs and tables, each piece with its place in the
text). Identification and extraction turn a document into a :class:`DocumentReading` (reports with
metric rows and issues, or a reject code). Staging writes readings to the raw tables. Positions are character
offsets into ``Document.text``: the decoded text of a text file, else the text as it was taken out of the page,
before any folding, so that evidence is verbatim.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, make_dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import repeat
from typing import Any, TypeVar

Made = TypeVar("Made")


@lru_cache(maxsize=16)
def _open_twin(kind: type) -> Callable[..., Any]:
    """A class of the same slots whose values may be changed: its constructor need not go around the frozen one."""
    return make_dataclass(kind.__name__, [field.name for field in fields(kind)], eq=False, repr=False, slots=True)


def make_many(kind: type[Made], count: int, *columns: Iterable[Any]) -> list[Made]:
    """So many values of a frozen class with slots, given their fields as columns, one for each field.

    The constructor takes five times as long, and documents have hundreds of cells and figures.
    """
    values = list(map(_open_twin(kind), *columns))  # type: ignore[arg-type]
    if len(values) != count:
        raise ValueError(f"{len(values)} rows of fields for {count} values of {kind.__name__}")
    deque(map(setattr, values, repeat("__class__"), repeat(kind)), maxlen=0)
    return values


class Script(StrEnum):
    """Script of a document; ``traditional_tw`` also uses Taiwan vocabulary."""

    SIMPLIFIED = "simplified"
    TRADITIONAL = "traditional"
    TRADITIONAL_TW = "traditional_tw"


class SourceKind(StrEnum):
    """Where in a report a figure was read."""

    TABLE = "table"
    NARRATIVE = "narrative"


class ValueStatus(StrEnum):
    """What a printed cell or sentence says. Only ``number`` and ``none_stated`` carry a value."""

    NUMBER = "number"
    BLANK = "blank"
    NOT_APPLICABLE = "not_applicable"
    NONE_STATED = "none_stated"
    ILLEGIBLE = "illegible"


class SecondReading(StrEnum):
    """What an independent second reading of a figure says of the first."""

    AGREES = "agrees"
    DIFFERS = "differs"


class Scope(StrEnum):
    """Whose figures a report holds (seed ``scopes``)."""

    OWN = "own"
    GOVERNMENT_ITSELF = "government_itself"
    AREA_AGGREGATE = "area_aggregate"
    SYSTEM_AGGREGATE = "system_aggregate"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """Severity of an issue (seed ``issue_codes``)."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class DocumentStatus(StrEnum):
    """What became of a document."""

    LOADED = "loaded"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Place:
    """A span of ``Document.text``: characters ``start`` to ``end`` (exclusive), on line ``line`` (1-based).

    ``page`` (1-based) where the format has pages or sheets; ``table``, ``row`` and ``column`` (1-based) for a cell.
    """

    start: int
    end: int
    line: int
    table: int | None = None
    row: int | None = None
    column: int | None = None
    page: int | None = None

    def locator(self) -> str:
        """The place as text, e.g. ``page 2, line 215, chars 8123-8190, table 1 row 4 column 3``."""
        text = f"line {self.line}, chars {self.start}-{self.end}"
        if self.page is not None:
            text = f"page {self.page}, {text}"
        if self.table is not None:
            text += f", table {self.table}"
        if self.row is not None:
            text += f" row {self.row}"
        if self.column is not None:
            text += f" column {self.column}"
        return text


@dataclass(frozen=True, slots=True)
class Cell:
    """One printed cell, verbatim; a blank cell has white space only and is still a cell.

    ``simplified`` is the text in Simplified characters where the printed ones are Traditional. ``row_span`` and
    ``column_span`` count the slots of the grid that a merged cell covers, from its place to the right and down;
    a slot under a merged cell, laid open, is blank and spans 0 rows.
    """

    text: str
    place: Place
    simplified: str | None = None
    row_span: int = 1
    column_span: int = 1

    @property
    def is_blank(self) -> bool:
        """Whether nothing is printed in the cell."""
        return not self.text.strip()

    @property
    def is_covered(self) -> bool:
        """Whether this stands for a slot without a cell of its own: under a merged cell, or beyond a row's end."""
        return self.row_span == 0

    @property
    def plain(self) -> str:
        """The text in Simplified characters: what labels are compared by."""
        return self.text if self.simplified is None else self.simplified


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A run of prose, verbatim."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a document as rows of printed cells in reading order, each cell once.

    ``has_rows`` is false where the source prints one cell a line and row ends are not marked; then ``rows``
    holds a single row with all cells. ``grid`` is there where the format knows slots: every slot that a merged
    cell covers holds that same cell (its anchor), and a slot without any cell is null.
    """

    rows: tuple[tuple[Cell, ...], ...]
    has_rows: bool
    style: str
    place: Place
    grid: tuple[tuple[Cell | None, ...], ...] | None = None


Block = Paragraph | Table


class MetadataName(StrEnum):
    """What a page says of itself outside its text."""

    TITLE = "title"
    ARTICLE_TITLE = "article_title"
    SITE_NAME = "site_name"
    PUBLISHER = "publisher"
    PUBLISHED_DATE = "published_date"
    COLUMN = "column"


@dataclass(frozen=True, slots=True)
class Metadata:
    """A statement of the page about itself (HTML ``title`` and ``meta``, document properties), verbatim."""

    name: MetadataName
    value: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another file, as printed: where to, and the words of the link."""

    url: str
    label: str


@dataclass(frozen=True, slots=True)
class Issue:
    """Something odd or refused; ``issue_code`` is a row of the seed ``issue_codes``."""

    issue_code: str
    message: str
    locator: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A readable document: its text, its script, and its blocks in reading order.

    Compared by identity: it is large, and what is derived from it is cached. ``encoding`` is null where the format
    has none. ``is_read_by_ocr`` says that the characters were recognised in a picture. ``attachments`` are links
    to files that may hold the report or its table. ``other_text`` is the same content taken out by another
    route (a PDF's own text order), where the format has one; ``issues`` is what was odd in reading the format.
    """

    text: str
    encoding: str | None
    script: Script
    blocks: tuple[Block, ...]
    media_type: str
    metadata: tuple[Metadata, ...] = ()
    attachments: tuple[Link, ...] = ()
    is_read_by_ocr: bool = False
    other_text: str | None = None
    issues: tuple[Issue, ...] = ()

    @property
    def paragraphs(self) -> tuple[Paragraph, ...]:
        """The prose of the document in order."""
        return tuple(b for b in self.blocks if isinstance(b, Paragraph))

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables of the document in order."""
        return tuple(b for b in self.blocks if isinstance(b, Table))


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One printed figure with its evidence; the columns of ``raw.metric_rows`` but for the ids.

    ``value`` is in ``unit``, the unit of the metric in the catalogue. ``match_score`` is 0 to 100.
    ``second_reading`` says what an independent reading of the same table gave, ``second_value`` its value; both
    are null where none was made or it could not tell.
    """

    source_kind: SourceKind
    metric_code: str | None
    applicant_type: str | None
    label_raw: str
    column_label_raw: str | None
    value_raw: str
    value: Decimal | None
    value_status: ValueStatus
    is_approximate: bool
    unit: str | None
    place: Place
    snippet: str
    match_method: str
    match_score: float
    is_read_by_ocr: bool = False
    second_reading: SecondReading | None = None
    second_value: Decimal | None = None

    @property
    def page_number(self) -> int | None:
        """The page or sheet the figure stands on, 1-based; null where the format has none."""
        return self.place.page


@dataclass(frozen=True, slots=True)
class Hints:
    """What a ``manifest.csv`` says of a document; it wins over the text, with an issue where they differ."""

    agency_name: str | None = None
    report_year: int | None = None
    published_date: date | None = None
    scope: Scope | None = None
    source_uri: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why an attribute of a report has its value: the attribute, the printed words and the rule."""

    attribute: str
    snippet: str
    rule: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who reports on which year, in which scope; null where the text does not say.

    ``division_code`` is the division (seed ``divisions``) that the body's name begins with, by the report's year.
    """

    agency_name: str | None
    co_agency_names: tuple[str, ...]
    agency_name_raw: str | None
    report_year: int | None
    scope: Scope
    title: str | None
    published_date: date | None
    period_start_date: date | None
    period_end_date: date | None
    evidence: tuple[Evidence, ...] = ()
    issues: tuple[Issue, ...] = ()
    division_code: str | None = None


@dataclass(frozen=True, slots=True)
class ReportReading:
    """One report read from a document."""

    identity: Identity
    form_code: str | None
    table_year: int | None
    metric_rows: tuple[MetricRow, ...]
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class DocumentReading:
    """All that is known of one document: what staging writes.

    ``document_id`` is the sha256 of the bytes in hex. A rejected document has a ``reject_code`` that is an issue
    code with ``is_reject``, and no figures; where it is known whose report it is, its report says so.
    """

    document_id: str
    source_uri: str
    byte_count: int
    media_type: str | None
    script: Script | None
    status: DocumentStatus
    reject_code: str | None
    reports: Sequence[ReportReading] = ()
    issues: Sequence[Issue] = field(default_factory=tuple)
    attachments: Sequence[Link] = ()
