"""What a warehouse holds, in the numbers that stand on the first page.

In: a connection to the work file. Out: counts. What the file does not have yet is left out, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loaders.site.words import Words, code_words

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Fact:
    """A number with its name."""

    words: Words
    number: str


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the figures: its name, how many, and how wide it is drawn."""

    code: str
    words: Words
    count: int
    percent: float


@dataclass(frozen=True, slots=True)
class YearLine:
    """A report year: its reports, the bodies that report and their figures."""

    year: int
    reports: int
    agencies: int
    figures: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What the first page says of the data."""

    facts: tuple[Fact, ...]
    shares: tuple[Share, ...]
    years: tuple[YearLine, ...]


def read_summary(con: duckdb.DuckDBPyConnection) -> Summary:
    """Count what the file holds."""
    tables = _tables(con)
    facts: list[Fact] = []
    if "raw.documents" in tables:
        seen, loaded, rejected = _one(
            con,
            "select count(*), count(*) filter (where status = 'loaded'), count(*) filter (where status = 'rejected') "
            "from raw.documents",
        )
        facts += [
            Fact(Words("收到文件", "documents seen"), f"{seen:,}"),
            Fact(Words("已装载", "loaded"), f"{loaded:,}"),
            Fact(Words("已拒收", "rejected"), f"{rejected:,}"),
        ]
    if not {"marts.dim_report", "marts.fct_metric_value"} <= tables:
        return Summary(tuple(facts), (), ())
    reports, used, agencies, first, last = _one(
        con,
        "select count(*), count(*) filter (where is_in_facts), count(distinct agency_id) filter (where is_in_facts), "
        "min(report_year) filter (where is_in_facts), max(report_year) filter (where is_in_facts) "
        "from marts.dim_report",
    )
    (figures,) = _one(con, "select count(value) from marts.fct_metric_value")
    facts += [
        Fact(Words("报告", "reports"), f"{reports:,}"),
        Fact(Words("其中计入数据", "of which speak in the figures"), f"{used:,}"),
        Fact(Words("机关", "bodies"), f"{agencies:,}"),
        Fact(Words("数值", "figures with a value"), f"{figures:,}"),
    ]
    if first is not None:
        facts.append(Fact(Words("年度", "years"), str(first) if first == last else f"{first}–{last}"))
    return Summary(tuple(facts), tuple(_shares(con)), tuple(_years(con)))


def _shares(con: duckdb.DuckDBPyConnection) -> list[Share]:
    rows = con.execute(
        "select reliability, count(*) from marts.fct_metric_value where value is not null group by reliability"
    ).fetchall()
    order = ("consistent", "unchecked", "source_inconsistent", "extraction_suspect")
    total = sum(count for _, count in rows)
    rows.sort(key=lambda row: order.index(row[0]) if row[0] in order else len(order))
    return [Share(code, code_words("reliability", code), count, 100 * count / total) for code, count in rows]


def _years(con: duckdb.DuckDBPyConnection) -> list[YearLine]:
    rows = con.execute(
        "select report_year, count(distinct report_id), count(distinct agency_id), count(value) "
        "from marts.fct_metric_value group by report_year order by report_year desc"
    ).fetchall()
    return [YearLine(*row) for row in rows]


def _tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {
        name
        for (name,) in con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where database_name = current_database()"
        ).fetchall()
    }


def _one(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    return con.execute(query).fetchall()[0]
