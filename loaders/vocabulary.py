"""The one way to the vocabulary: the CSV seeds that dbt and Great Expectations read too.

In: the files of ``seeds/``. Out: a frozen :class:`Vocabulary`. Nothing that stands in a seed is written in
code; a seed that lacks a column or names an unknown code is refused with the file and line.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from loaders.errors import GongkaiError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SEEDS = PROJECT_ROOT / "seeds"


def read_seed(name: str, folder: Path = SEEDS) -> list[dict[str, str]]:
    """The rows of one seed as printed.

    Raises:
        GongkaiError: when the seed is missing.
    """
    path = folder / f"{name}.csv"
    if not path.is_file():
        raise GongkaiError(f"the seed {path.name} is missing from {folder}; restore it from the repository")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the metric catalogue (seed ``metrics``)."""

    metric_code: str
    family_code: str
    label_zh: str
    unit: str
    has_applicant_type: bool
    is_signed: bool


@dataclass(frozen=True, slots=True, eq=False)
class FormRow:
    """A row of a statutory form (seed ``form_rows``) with its aliases."""

    row_code: str
    row_order: int
    parent_row_code: str
    enumerator: str
    label_zh: str
    aliases: tuple[str, ...]
    printed_unit: str
    is_heading: bool
    variant_code: str


@dataclass(frozen=True, slots=True, eq=False)
class FormColumn:
    """A value column of a statutory form (seed ``form_columns``) with its aliases."""

    column_code: str
    column_order: int
    parent_label_zh: str
    label_zh: str
    aliases: tuple[str, ...]
    printed_unit: str


@dataclass(frozen=True, slots=True, eq=False)
class FormTable:
    """A table of a statutory form (seeds ``form_tables``, ``form_rows``, ``form_columns``, ``form_cells``).

    ``cells`` maps (row code, column code) to (metric code, applicant type or None).
    """

    form_code: str
    table_code: str
    layout_code: str
    label_zh: str
    section_zh: str
    rows: tuple[FormRow, ...]
    columns: tuple[FormColumn, ...]
    cells: dict[tuple[str, str], tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything the loaders know from the seeds."""

    metrics: dict[str, Metric]
    tables: tuple[FormTable, ...]
    script_overlay: dict[str, str]
    issue_severity: dict[str, str]
    reject_codes: frozenset[str]


@lru_cache(maxsize=1)
def load_vocabulary() -> Vocabulary:
    """Read the seeds once."""
    aliases: dict[tuple[str, str, str], list[str]] = {}
    for row in read_seed("form_aliases"):
        aliases.setdefault((row["table_code"], row["axis_code"], row["code"]), []).append(row["alias_zh"])
    rows: dict[str, list[FormRow]] = {}
    for row in read_seed("form_rows"):
        code = row["row_code"]
        rows.setdefault(row["table_code"], []).append(
            FormRow(
                code,
                int(row["row_order"]),
                row["parent_row_code"],
                row["enumerator"],
                row["label_zh"],
                tuple(aliases.get((row["table_code"], "row", code), ())),
                row["printed_unit"],
                row["row_kind"] == "heading",
                row["variant_code"],
            )
        )
    columns: dict[str, list[FormColumn]] = {}
    for row in read_seed("form_columns"):
        code = row["column_code"]
        columns.setdefault(row["table_code"], []).append(
            FormColumn(
                code,
                int(row["column_order"]),
                row["parent_label_zh"],
                row["label_zh"],
                tuple(aliases.get((row["table_code"], "column", code), ())),
                row["printed_unit"],
            )
        )
    cells: dict[str, dict[tuple[str, str], tuple[str, str | None]]] = {}
    for row in read_seed("form_cells"):
        cells.setdefault(row["table_code"], {})[row["row_code"], row["column_code"]] = (
            row["metric_code"],
            row["applicant_type_code"] or None,
        )
    metrics = {
        row["metric_code"]: Metric(
            row["metric_code"],
            row["family_code"],
            row["label_zh"],
            row["unit"],
            row["has_applicant_type"] == "true",
            row["is_signed"] == "true",
        )
        for row in read_seed("metrics")
    }
    for table_code, table_cells in cells.items():
        for metric_code, _ in table_cells.values():
            if metric_code not in metrics:
                raise GongkaiError(f"seed form_cells: table {table_code} names the unknown metric {metric_code}")
    issue_codes = read_seed("issue_codes")
    return Vocabulary(
        metrics,
        tuple(
            FormTable(
                row["form_code"],
                row["table_code"],
                row["layout_code"],
                row["label_zh"],
                row["section_zh"],
                tuple(sorted(rows[row["table_code"]], key=lambda r: r.row_order)),
                tuple(sorted(columns[row["table_code"]], key=lambda c: c.column_order)),
                cells[row["table_code"]],
            )
            for row in read_seed("form_tables")
        ),
        {row["traditional"]: row["simplified"] for row in read_seed("script_overlay")},
        {row["issue_code"]: row["severity"] for row in issue_codes},
        frozenset(row["issue_code"] for row in issue_codes if row["is_reject"] == "true"),
    )
