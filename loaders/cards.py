"""Cards of the wide tables, generated from the seeds.

In: the seeds ``metrics``, ``metric_families``, ``form_metrics``, ``forms`` and ``applicant_types``. Out: one
``.yml`` beside each ``rpt_*_yearly`` model, which describes and types every column; the contract of the table
then refuses a model that disagrees. A new metric is a new seed row and a run of this module::

    python -m loaders.cards            write the cards
    python -m loaders.cards --check    write nothing; exit 1 if a card on disk differs

The columns and their order are those of the macro ``wide_table_columns``.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from loaders.vocabulary import PROJECT_ROOT, SEEDS, read_seed

Rows = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class WideTable:
    """One wide table: its place, its subject, and the metrics that it splits by applicant type."""

    path: str
    subject_code: str
    title_en: str
    by_applicant_type: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the model."""
        return Path(self.path).stem


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a card; ``description`` is text, or a reference to a docs block."""

    name: str
    data_type: str
    description: str
    is_required: bool = False


WIDE_TABLES = (
    WideTable(
        path="models/marts/requests/rpt_requests_yearly.yml",
        subject_code="requests",
        title_en="Requests for information: received, handled and decided",
        by_applicant_type=("requests_received_new",),
    ),
    WideTable(
        path="models/marts/proactive/rpt_proactive_disclosure_yearly.yml",
        subject_code="proactive_disclosure",
        title_en="Proactive disclosure, rule-making, engagement and administrative acts",
    ),
    WideTable(
        path="models/marts/remedies/rpt_remedies_yearly.yml",
        subject_code="remedies",
        title_en="Reconsideration, litigation and complaints",
    ),
    WideTable(
        path="models/marts/capacity/rpt_capacity_yearly.yml",
        subject_code="capacity",
        title_en="Institutions, staff, funds, fees and training",
    ),
)


def _doc(block: str) -> str:
    return f"{{{{ doc('{block}') }}}}"


_KEYS = (
    Column("agency_key", "string", _doc("agency_key"), True),
    Column("agency_id", "string", _doc("agency_id"), True),
    Column("report_id", "string", _doc("report_id"), True),
    Column("agency_name", "string", _doc("agency_name")),
    Column("scope_code", "string", _doc("scope_code"), True),
    Column("form_code", "string", _doc("form_code")),
    Column("report_year", "int", _doc("figures_year"), True),
)
_COUNTS = (
    Column("value_count", "bigint", _doc("value_count"), True),
    Column("derived_count", "bigint", _doc("derived_count"), True),
    Column("consistent_count", "bigint", _doc("consistent_count"), True),
    Column("unchecked_count", "bigint", _doc("unchecked_count"), True),
    Column("source_inconsistent_count", "bigint", _doc("source_inconsistent_count"), True),
    Column("extraction_suspect_count", "bigint", _doc("extraction_suspect_count"), True),
    Column("conflict_count", "bigint", _doc("conflict_count"), True),
    Column("is_in_totals", "boolean", _doc("is_in_totals"), True),
)


def metric_columns(table: WideTable, seeds: Path = SEEDS) -> tuple[Column, ...]:
    """The value columns of a table: metrics by family, then as the forms print them."""
    families = {row["family_code"]: row for row in read_seed("metric_families", seeds)}
    form_orders = {row["form_code"]: int(row["form_order"]) for row in read_seed("forms", seeds)}
    first_places: dict[str, tuple[int, int]] = {}
    for row in read_seed("form_metrics", seeds):
        place = (form_orders[row["form_code"]], int(row["metric_order"]))
        first_places[row["metric_code"]] = min(place, first_places.get(row["metric_code"], place))
    metrics = [
        row
        for row in read_seed("metrics", seeds)
        if families[row["family_code"]]["subject_code"] == table.subject_code and row["metric_code"] in first_places
    ]
    metrics.sort(key=lambda row: (int(families[row["family_code"]]["family_order"]), first_places[row["metric_code"]]))
    parts = sorted(
        (row for row in read_seed("applicant_types", seeds) if row["parent_code"]),
        key=lambda row: int(row["applicant_type_order"]),
    )
    columns: list[Column] = []
    for row in metrics:
        columns.append(_metric_column(row, None))
        if row["metric_code"] in table.by_applicant_type:
            columns.extend(_metric_column(row, part) for part in parts)
    return tuple(columns)


def _metric_column(metric: dict[str, str], part: dict[str, str] | None) -> Column:
    name = metric["metric_code"]
    label = metric["label_zh"]
    if part is not None:
        name = f"{name}_{part['applicant_type_code']}"
        label = f"{label}：{part['label_zh']}"
    return Column(name, "decimal(20,4)", f"{label}，单位：{metric['unit']}")


def render_card(table: WideTable, seeds: Path = SEEDS) -> str:
    """The card of a table as YAML."""
    lines = [
        "# Generated from the seeds by `python -m loaders.cards`; do not edit.",
        "version: 2",
        "",
        "models:",
        f"  - name: {table.name}",
        "    description: >",
        f"      {table.title_en}. The scope says whose figures",
        "      a row holds: aggregates contain their members, so never add the two. Rows",
        "      with is_in_totals hold nothing twice and may be summed. A cell is null",
        "      where nothing is stated and no identity gives it. A total stands beside",
        "      its parts: add columns only where neither holds the other.",
        "      One row per body and year, of one scope.",
        "    data_tests:",
        "      - table_contract:",
        f"          name: {table.name}_keeps_its_contract",
        "          arguments:",
        "            kept_by: report_id",
        "            grains:",
        "              - [agency_id, report_year]",
        "            references:",
        "              - {column: agency_key, to: ref('dim_agency')}",
        "              - {column: report_id, to: ref('dim_report')}",
        "    constraints:",
        "      - type: primary_key",
        "        columns: [agency_key, report_year]",
        "    columns:",
    ]
    for column in (*_KEYS, *metric_columns(table, seeds), *_COUNTS):
        lines += [
            f"      - name: {column.name}",
            f"        data_type: {column.data_type}",
            f'        description: "{_escaped(column.description)}"',
        ]
        if column.is_required:
            lines += ["        constraints:", "          - type: not_null"]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def stale_cards(root: Path = PROJECT_ROOT) -> list[Path]:
    """The cards on disk that differ from what the seeds give."""
    stale = []
    for table in WIDE_TABLES:
        path = root / table.path
        if not path.is_file() or path.read_text(encoding="utf-8") != render_card(table, root / "seeds"):
            stale.append(path)
    return stale


def write_cards(root: Path = PROJECT_ROOT) -> list[Path]:
    """Write the cards that differ; returns their paths."""
    stale = stale_cards(root)
    for table in WIDE_TABLES:
        path = root / table.path
        if path in stale:
            path.write_text(render_card(table, root / "seeds"), encoding="utf-8")
    return stale


def main(arguments: list[str] | None = None) -> int:
    """Write or check the cards; the exit code is 1 when a check finds one that differs."""
    parser = argparse.ArgumentParser(prog="python -m loaders.cards", description="Cards of the wide tables.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a card differs")
    options = parser.parse_args(arguments)
    stale = stale_cards() if options.check else write_cards()
    for path in stale:
        place = path.relative_to(PROJECT_ROOT)
        print(f"{place} differs from the seeds; run `python -m loaders.cards`" if options.check else f"wrote {place}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
