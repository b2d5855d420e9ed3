"""The registers: marts that people leaf through, each a page with its rows, split by year when they are many.

In: a connection to a file with the marts. Out: :class:`Register` with its sections, read one year at a time. A
register is one entry of :data:`REGISTERS`; one whose mart is not in the file has no page, and a column that the mart
does not have is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loaders.site.words import Words

if TYPE_CHECKING:
    import duckdb

# Up to so many rows stand on the page of the register itself, more have a page a year, a long year several.
ROWS_TOGETHER = 1_000
ROWS_A_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Register:
    """A mart as a page.

    ``columns`` are shown as they stand, ``details`` behind a click, ``counted`` above the rows as a table of how many
    there are. ``key`` names a row, where something links to it.
    """

    name: str
    mart: str
    title: Words
    about: Words
    columns: tuple[str, ...]
    key: str = ""
    details: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    order: tuple[str, ...] = ("agency_name",)
    schema: str = "marts"

    @property
    def relation(self) -> str:
        """The mart with its schema."""
        return f'{self.schema}."{self.mart}"'

    @property
    def page(self) -> str:
        """The page of the register."""
        return f"register_{self.name}.html"


REGISTERS = (
    Register(
        name="inconsistencies",
        mart="rpt_source_inconsistency",
        title=Words("原文矛盾登记", "Source inconsistencies"),
        about=Words(
            "报告自身前后矛盾之处：勾稽关系不成立，或正文数字与表格不一致。只收读取确定无疑的数字，"
            "读取可能有误的不列入。每条都附原文与位置，可据此向发布机关核实。",
            "Where reports contradict themselves: an identity fails, or a number of the text differs from the table. "
            "Only figures that were read with certainty stand here, never a suspected misreading. Each finding shows "
            "the printed text and its place, so that it can be put to the body that published it.",
        ),
        key="finding_key",
        columns=("report_year", "agency_name", "metric_code", "statement", "sides", "delta", "severity"),
        details=(
            "left_evidence",
            "right_evidence",
            "snippets",
            "locator",
            "title",
            "source_uri",
            "document_id",
            "identity_code",
        ),
        counted=("statement", "severity"),
        order=("agency_name", "identity_code", "metric_code"),
    ),
    Register(
        name="quarantine",
        mart="rpt_quarantine",
        title=Words("隔离登记", "Quarantine"),
        about=Words(
            "读取有严重问题、因而暂不进入数据的报告，以及原因和处理办法。重新读取或登记更正之后，问题消除即自动恢复。",
            "Reports that are kept out of the figures because they were read too badly, why, and what heals it. They "
            "come back by themselves once a better reading or a correction heals every reason.",
        ),
        columns=("report_year", "agency_name", "label", "evidence", "met_count", "assessed_count"),
        details=(
            "locator",
            "source_uri",
            "remedy_en",
            "form_code",
            "minimum_count",
            "minimum_share",
            "speaking_report_id",
            "metric_row_id",
            "report_id",
            "document_id",
        ),
        counted=("label",),
    ),
    Register(
        name="corrections",
        mart="rpt_correction",
        title=Words("更正登记", "Corrections"),
        about=Words(
            "人工登记的更正：更正何处、原读数应为何、改为何、理由与证据，以及是否已经生效。原文与预期不符的更正不会套用。",
            "Corrections that people registered: where, what was expected to be read there, what it becomes, why, on "
            "what evidence, and whether it applies. One that does not meet what it expects is not applied.",
        ),
        columns=(
            "report_year",
            "agency_name",
            "metric_code",
            "expected_value_raw",
            "met_value_raw",
            "new_value",
            "status",
        ),
        details=(
            "correction_kind",
            "new_value_status",
            "reason",
            "evidence",
            "author",
            "corrected_date",
            "snippet",
            "locator",
            "correction_id",
            "report_id",
            "document_id",
        ),
        counted=("status",),
    ),
    Register(
        name="scorecard",
        mart="rpt_report_scorecard",
        title=Words("报告评分", "Scorecard of reports"),
        about=Words(
            "每份报告作为统计来源的质量：完整性、一致性、及时性、证据四项及加权总分，均在 0 与 1 之间；"
            "无从评定的为“—”。",
            "How good each report is as a statistical source: completeness, consistency, timeliness and evidence, and "
            "their weighted mean, from 0 to 1; — where nothing can be told.",
        ),
        columns=(
            "report_year",
            "agency_name",
            "overall_score",
            "completeness_score",
            "consistency_score",
            "timeliness_score",
            "evidence_score",
        ),
        details=(
            "demanded_cell_count",
            "understood_cell_count",
            "blank_cell_count",
            "missing_cell_count",
            "illegible_cell_count",
            "assessed_identity_count",
            "held_identity_count",
            "days_after_deadline",
            "figure_count",
            "firm_figure_count",
            "form_code",
            "scope_code",
            "report_id",
        ),
    ),
    Register(
        name="coverage",
        mart="rpt_coverage",
        title=Words("报告收录情况", "Coverage"),
        about=Words(
            "每个机关每一应报年度：报告已有、被隔离、无法读取，还是缺失。“缺失”指本库未收，不等于该机关没有公布。",
            "For each body and each year in which a report is expected: had, quarantined, unreadable or missing. "
            "Missing means not in this warehouse, not that nothing was published.",
        ),
        columns=("report_year", "agency_name", "level_code", "kind_code", "province_name", "status"),
        details=(
            "document_count",
            "rejected_count",
            "superseded_count",
            "copy_count",
            "undated_report_count",
            "reject_codes",
            "error_issue_codes",
            "report_id",
        ),
        counted=("status",),
    ),
    Register(
        name="timeliness",
        mart="rpt_timeliness",
        title=Words("公布及时情况", "Timeliness"),
        about=Words(
            "报告的公布日期与当年法定期限之比较。",
            "The date on which a report was published against the legal deadline of its kind and year.",
        ),
        columns=(
            "report_year",
            "agency_name",
            "status",
            "published_date",
            "latest_due_date",
            "days_after_deadline",
        ),
        details=("stated_published_date", "date_doubt", "legal_basis", "report_id"),
        counted=("status",),
    ),
    Register(
        name="drift",
        mart="rpt_quality_drift",
        schema="quality",
        title=Words("历次运行变化", "Drift over runs"),
        about=Words(
            "每次运行量得的数目与此前各次相比的变化；超出近几次波动范围的有标示。",
            "What each run measured beside the runs before it, and whether it lies outside the band of the last runs.",
        ),
        columns=(
            "started_at",
            "subject_kind",
            "subject_code",
            "measure_code",
            "value",
            "previous_value",
            "band_low",
            "band_high",
            "is_outside_band",
        ),
        details=("command", "difference", "difference_share", "band_run_count", "run_id"),
        counted=("is_outside_band",),
        order=("started_at desc", "is_outside_band desc", "subject_kind", "subject_code", "measure_code"),
    ),
)


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one page: a year, or a part of one, or a part of a register without years."""

    year: int | None
    has_year: bool
    part: int
    parts: int
    offset: int
    row_count: int

    @property
    def suffix(self) -> str:
        """What the page's name ends with."""
        if not self.has_year:
            return f"_{self.part}"
        year = "unknown" if self.year is None else str(self.year)
        return f"_{year}" if self.parts == 1 else f"_{year}_{self.part}"


@dataclass(frozen=True, slots=True)
class RegisterTable:
    """A register in a file: the columns that its mart has there, and its rows by year."""

    register: Register
    columns: tuple[str, ...]
    details: tuple[str, ...]
    types: dict[str, str]
    row_count: int
    sections: tuple[Section, ...]

    @property
    def is_together(self) -> bool:
        """Whether all rows stand on the page of the register."""
        return self.row_count <= ROWS_TOGETHER

    def page_of(self, section: Section) -> str:
        """The page that holds the rows of a section."""
        stem = self.register.page.removesuffix(".html")
        return self.register.page if self.is_together else f"{stem}{section.suffix}.html"


def find_registers(con: duckdb.DuckDBPyConnection) -> list[RegisterTable]:
    """The registers whose marts are in the file."""
    return [table for register in REGISTERS if (table := _find_register(con, register)) is not None]


def read_rows(con: duckdb.DuckDBPyConnection, table: RegisterTable, section: Section | None) -> list[dict[str, Any]]:
    """The rows of a section, or all of them, in the order of the register."""
    where = limit = ""
    if section is not None:
        if section.has_year:
            where = f"where report_year is not distinct from {'null' if section.year is None else section.year}"
        limit = f"limit {section.row_count} offset {section.offset}"
    # Every column decides in the end, so that the same rows always stand in the same order.
    wanted = ("report_year desc", *table.register.order, *table.types)
    order = [f"{column} nulls last" for column in wanted if column.split()[0] in table.types]
    query = f"select * from {table.register.relation} {where} order by {', '.join(order)} {limit}"
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def count_rows(con: duckdb.DuckDBPyConnection, table: RegisterTable, column: str) -> list[tuple[dict[str, Any], int]]:
    """How many rows each value of a column has, the most frequent first."""
    columns = source_columns(column)
    if not set(columns) <= set(table.types):
        return []
    names = ", ".join(columns)
    rows = con.execute(
        f"select {names}, count(*) from {table.register.relation} group by {names} "
        f"order by count(*) desc, {', '.join(f'{name} nulls last' for name in columns)}"
    ).fetchall()
    return [(dict(zip(columns, row[:-1], strict=True)), row[-1]) for row in rows]


def source_columns(column: str) -> tuple[str, ...]:
    """The columns of a mart that a column of a page is made of."""
    return {
        "statement": ("statement_zh", "statement_en"),
        "label": ("label_zh", "label_en"),
        "legal_basis": ("legal_basis_zh", "legal_basis_en"),
        "sides": ("left_value", "relation", "right_value"),
    }.get(column, (column,))


def _find_register(con: duckdb.DuckDBPyConnection, register: Register) -> RegisterTable | None:
    types = dict(
        con.execute(
            "select column_name, data_type from duckdb_columns() where database_name = current_database() "
            "and schema_name = ? and table_name = ? order by column_index",
            [register.schema, register.mart],
        ).fetchall()
    )
    if not types:
        return None
    counts = _count_years(con, register, types)
    return RegisterTable(
        register=register,
        columns=_present(register.columns, types),
        details=_present(register.details, types),
        types=types,
        row_count=sum(count for _, count in counts),
        sections=tuple(section for year, count in counts for section in _sections(year, "report_year" in types, count)),
    )


def _present(columns: tuple[str, ...], types: dict[str, str]) -> tuple[str, ...]:
    return tuple(column for column in columns if set(source_columns(column)) <= set(types))


def _count_years(
    con: duckdb.DuckDBPyConnection, register: Register, types: dict[str, str]
) -> list[tuple[int | None, int]]:
    year = "report_year" if "report_year" in types else "cast(null as integer)"
    rows: list[tuple[int | None, int]] = con.execute(
        f"select {year} as year, count(*) from {register.relation} group by year order by year desc nulls last"
    ).fetchall()
    return rows


def _sections(year: int | None, has_year: bool, count: int) -> list[Section]:
    parts = -(-count // ROWS_A_PAGE)
    return [
        Section(year, has_year, part + 1, parts, part * ROWS_A_PAGE, min(ROWS_A_PAGE, count - part * ROWS_A_PAGE))
        for part in range(parts)
    ]
