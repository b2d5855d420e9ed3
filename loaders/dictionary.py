"""The data dictionary: what every mart and column is called, holds, and promises, in Chinese and in English.

In: a connection to a file with the marts. Out: :class:`TableEntry`. Nothing is said here: types and English
descriptions are those that the build left in the file, keys, closed sets and references are those of the cards
(``models/marts``), Chinese words those of the seeds ``table_words``, ``column_words``, ``metrics`` and
``applicant_types``. A mart or column without words is called by its name and described in English.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from loaders.tables import Column, Table, read_tables
from loaders.vocabulary import PROJECT_ROOT, SEEDS, read_seed
from loaders.yaml_files import read_yaml

if TYPE_CHECKING:
    import duckdb

_REF = re.compile(r"ref\('(\w+)'\)")
_NAMES = (
    *("table_name", "column_name", "data_type", "is_required", "key_position", "refers_to", "allowed_values", "unit"),
    *("label_zh", "label_en", "definition_zh", "definition_en"),
)


@dataclass(frozen=True, slots=True)
class Texts:
    """The same in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The mart and column in which every value of a column is found."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """A column of a mart; ``allowed`` are all values that it may have, empty where that is not a closed set."""

    name: str
    type: str
    label: Texts
    about: Texts
    unit: str
    is_required: bool
    reference: Reference | None
    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A mart with its rows, key and other columns that tell its rows apart."""

    name: str
    title: Texts
    about: Texts
    row_count: int
    key: tuple[str, ...]
    grains: tuple[tuple[str, ...], ...]
    columns: tuple[ColumnEntry, ...]


def read_dictionary(con: duckdb.DuckDBPyConnection) -> list[TableEntry]:
    """What the marts of a file are and promise."""
    cards = _cards()
    tables = read_tables(con)
    names = {table.name for table in tables}
    return [_describe_table(con, table, cards.get(table.name, {}), names) for table in tables]


def dictionary_csv(tables: list[TableEntry]) -> str:
    """The dictionary as CSV, a row a column."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_NAMES)
    for table in tables:
        for column in table.columns:
            position = table.key.index(column.name) + 1 if column.name in table.key else ""
            reference = f"{column.reference.table}.{column.reference.column}" if column.reference else ""
            writer.writerow(
                (
                    *(table.name, column.name, column.type, str(column.is_required).lower(), position, reference),
                    *(" ".join(column.allowed), column.unit),
                    *(column.label.zh, column.label.en, column.about.zh, column.about.en),
                )
            )
    return text.getvalue()


def _describe_table(
    con: duckdb.DuckDBPyConnection, table: Table, contract: Mapping[str, Any], names: set[str]
) -> TableEntry:
    words = _words("table_words", "table_name").get(table.name, {})
    columns = {column.name for column in table.columns}
    promised = ((grain,) if isinstance(grain, str) else tuple(grain) for grain in contract.get("grains", ()))
    grains = tuple(grain for grain in promised if columns.issuperset(grain))
    rows = con.execute(f'select count(*) from marts."{table.name}"').fetchall()[0][0]
    return TableEntry(
        name=table.name,
        title=Texts(words.get("title_zh", table.name), words.get("title_en", table.name)),
        about=Texts(words.get("definition_zh") or _plain(table.comment), _plain(table.comment)),
        row_count=rows,
        key=table.key or (grains[0] if grains else ()),
        grains=grains,
        columns=tuple(_describe_column(column, contract, names) for column in table.columns),
    )


def _describe_column(column: Column, contract: Mapping[str, Any], names: set[str]) -> ColumnEntry:
    label, about, unit = _column_texts(column)
    reference, allowed = _bounds(column.name, contract, names)
    return ColumnEntry(
        name=column.name,
        type=column.type,
        label=label,
        about=about,
        unit=unit,
        is_required=not column.is_nullable or column.name in contract.get("filled", ()),
        reference=reference,
        allowed=allowed,
    )


def _bounds(column: str, contract: Mapping[str, Any], names: set[str]) -> tuple[Reference | None, tuple[str, ...]]:
    """Where the values of a column are found: in another mart, or in a closed set, that of a seed included."""
    closed = contract.get("closed_sets", {}).get(column)
    if closed:
        return None, tuple(map(str, closed))
    for reference in contract.get("references", ()):
        found = _REF.search(reference["to"])
        # One that admits other values besides is no key.
        if reference["column"] != column or found is None or reference.get("besides"):
            continue
        field = reference.get("field") or column
        if found[1] in names:
            return Reference(found[1], field), ()
        # A mart that the file does not have, as in a build of a part, is no seed either.
        is_seed = (SEEDS / f"{found[1]}.csv").is_file()
        return None, tuple(row[field] for row in read_seed(found[1])) if is_seed else ()
    return None, ()


def _column_texts(column: Column) -> tuple[Texts, Texts, str]:
    metric, applicant = _metric_of(column.name)
    if metric is None:
        words = _words("column_words", "column_name").get(column.name, {})
        label = Texts(words.get("label_zh", column.name), words.get("label_en", column.name))
        return label, Texts(words.get("definition_zh") or _plain(column.comment), _plain(column.comment)), ""
    zh, en = metric["label_zh"], metric["label_en"]
    if applicant is not None:
        zh, en = f"{zh}：{applicant['label_zh']}", f"{en}: {applicant['label_en']}"
    return Texts(zh, en), Texts(metric["definition_zh"], metric["definition_en"]), metric["unit"]


def _metric_of(column: str) -> tuple[dict[str, str] | None, dict[str, str] | None]:
    """The metric that a column of a wide table holds, and the applicant type that it is split by."""
    metrics = _words("metrics", "metric_code")
    if column in metrics:
        return metrics[column], None
    for code, applicant in _words("applicant_types", "applicant_type_code").items():
        metric = metrics.get(column.removesuffix(f"_{code}"))
        if metric is not None and column.endswith(f"_{code}"):
            return metric, applicant
    return None, None


@lru_cache(maxsize=8)
def _words(seed: str, key: str) -> dict[str, dict[str, str]]:
    return {row[key]: row for row in read_seed(seed)}


@lru_cache(maxsize=1)
def _cards() -> dict[str, Mapping[str, Any]]:
    """What each mart promises beyond types: the arguments of the test table_contract on its card."""
    contracts: dict[str, Mapping[str, Any]] = {}
    for path in sorted((PROJECT_ROOT / "models" / "marts").rglob("*.yml")):
        for model in (read_yaml(path) or {}).get("models", ()):
            for test in model.get("data_tests", ()):
                if isinstance(test, dict) and "table_contract" in test:
                    contracts[model["name"]] = test["table_contract"].get("arguments", {})
    return contracts


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())
