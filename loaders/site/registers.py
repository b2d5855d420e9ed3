"""The registers: marts that people leaf through, each a page with its rows, split by year when they are many.

In: a connection to a file with the marts. Out: :class:`Register` with its sections, read one year at a time. A
register is one entry of :data:`REGISTERS`; one whose mart is not in the file has no page. Columns that an entry does
not name are shown under their own names, so that a mart may grow without a change here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loaders.site.words import Words

if TYPE_CHECKING:
    import duckdb

# Up to so many rows stand on the page of the register itself, more have a page a year, a long year several.
ROWS_TOGETHER = 1_000
ROWS_A_PAGE = 4_000


@dataclass(frozen=True, slots=True)
class Register:
    """A mart as a page.

    ``columns`` are shown as they stand, ``details`` behind a click, ``counted`` above the rows as a table of how many
    there are; without ``columns`` all of the mart are shown but its keys. ``key`` names a row.
    """

    name: str
    mart: str
    title: Words
    about: Words
    key: str = ""
    columns: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    order: tuple[str, ...] = ("agency_name",)

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
        columns=("report_year", "agency_name", "statement", "sides", "delta", "severity"),
        details=(
            "metric_code",
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
            "读取有严重问题、因而暂不进入数据集的报告及其原因。新版程序读对之后，或登记更正之后，自动恢复。",
            "Reports that are kept out of the data because their reading failed critically, with the reasons. They "
            "come back by themselves once a newer version reads them well or a correction heals them.",
        ),
    ),
    Register(
        name="scorecard",
        mart="rpt_report_scorecard",
        title=Words("报告评分", "Scorecard of reports"),
        about=Words(
            "每份报告的完整性、一致性、及时性与证据情况。",
            "Completeness, consistency, timeliness and evidence of each report.",
        ),
    ),
    Register(
        name="coverage",
        mart="rpt_coverage",
        title=Words("报告收录情况", "Coverage"),
        about=Words(
            "每个机关每一应报年度：报告已有、无法读取，还是缺失。“缺失”指本库未收，不等于该机关没有公布。",
            "For each body and each year in which a report is expected: had, unreadable or missing. Missing means not "
            "in this warehouse, not that nothing was published.",
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
)


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one page: a year, or a part of one."""

    year: int | None
    part: int
    parts: int
    offset: int
    row_count: int

    @property
    def suffix(self) -> str:
        """What the page's name ends with."""
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
        if "report_year" in table.types:
            where = f"where report_year is not distinct from {'null' if section.year is None else section.year}"
        limit = f"limit {section.row_count} offset {section.offset}"
    first = [name for name in table.register.order if name in table.types]
    # Every column decides in the end, so that the same rows always stand in the same order.
    others = [name for name in table.types if name not in (*first, "report_year")]
    order = [f'"{name}" nulls last' for name in (*first, *others)]
    if "report_year" in table.types:
        order.insert(0, "report_year desc nulls last")
    query = f'select * from marts."{table.register.mart}" {where} order by {", ".join(order)} {limit}'
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
        f'select {names}, count(*) from marts."{table.register.mart}" group by {names} '
        f"order by count(*) desc, {', '.join(f'{name} nulls last' for name in columns)}"
    ).fetchall()
    return [(dict(zip(columns, row[:-1], strict=True)), row[-1]) for row in rows]


def source_columns(column: str) -> tuple[str, ...]:
    """The columns of a mart that a column of a page is made of."""
    return {
        "statement": ("statement_zh", "statement_en"),
        "legal_basis": ("legal_basis_zh", "legal_basis_en"),
        "sides": ("left_value", "relation", "right_value"),
    }.get(column, (column,))


def _find_register(con: duckdb.DuckDBPyConnection, register: Register) -> RegisterTable | None:
    types = dict(
        con.execute(
            "select column_name, data_type from duckdb_columns() where database_name = current_database() "
            "and schema_name = 'marts' and table_name = ? order by column_index",
            [register.mart],
        ).fetchall()
    )
    if not types:
        return None
    wanted = register.columns or tuple(name for name in types if not name.endswith(("_key", "_id")))
    details = register.details or (
        () if register.columns else tuple(name for name in types if name.endswith(("_key", "_id")))
    )
    counts = _count_years(con, register, types)
    return RegisterTable(
        register=register,
        columns=tuple(name for name in wanted if set(source_columns(name)) <= set(types)),
        details=tuple(name for name in details if set(source_columns(name)) <= set(types)),
        types=types,
        row_count=sum(count for _, count in counts),
        sections=tuple(section for year, count in counts for section in _sections(year, count)),
    )


def _count_years(
    con: duckdb.DuckDBPyConnection, register: Register, types: dict[str, str]
) -> list[tuple[int | None, int]]:
    year = "report_year" if "report_year" in types else "cast(null as integer)"
    rows: list[tuple[int | None, int]] = con.execute(
        f'select {year} as year, count(*) from marts."{register.mart}" group by year order by year desc nulls last'
    ).fetchall()
    return rows


def _sections(year: int | None, count: int) -> list[Section]:
    parts = -(-count // ROWS_A_PAGE)
    return [
        Section(year, part + 1, parts, part * ROWS_A_PAGE, min(ROWS_A_PAGE, count - part * ROWS_A_PAGE))
        for part in range(parts)
    ]
