"""Rules of the suites that follow from what stands elsewhere: seeds, columns of the raw tables, the last release.

In: a rule as written in ``expectations/*.yml``. Out: the rules it stands for, as plain dictionaries. Pure, but for
reading the seeds. What it understands is described in ``loaders/checks.py``; what it refuses raises ValueError or
KeyError, which the reader of the suite file turns into a message that names the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from loaders.version import PROJECT_ROOT
from loaders.vocabulary import read_seed
from loaders.warehouse import quote_text, utc_now

_SEED_TABLE = re.compile(r"\{seed\.(\w+)\(([\w\s,]+)\)\}")
_VARIABLE = re.compile(r"\{var\.(\w+)\}")


def expand_rule(rule: Mapping[str, Any], table: str) -> list[dict[str, Any]]:
    """The rules that one entry stands for: itself, or one a row of the seed that ``for_each`` names."""
    entry = dict(rule)
    chosen = entry.pop("for_each", None)
    if entry.get("generate") is not None:
        if entry.pop("generate") != "columns":
            raise ValueError(f"generate {rule['generate']!r} in {table}; wanted columns")
        entry |= {"expect": "no_rows", "query": _column_query(table)}
    rows = [{}] if chosen is None else _seed_rows(chosen)
    return [_fill({"{table}": table.split(".")[1]} | {f"{{{c}}}": v for c, v in row.items()}, entry) for row in rows]


def resolve_value(value: Any, previous: Mapping[str, int]) -> Any:
    """An argument of an expectation, with what it takes from a seed, the calendar or the last release."""
    if not isinstance(value, dict):
        return value
    if "current_year" in value:
        return utc_now().year + int(value["current_year"])
    if "previous" in value:
        return int(previous.get(value["previous"], 0) * float(value["share"]))
    column = value["column"]
    known = list(dict.fromkeys(row[column] for row in _seed_rows(value) if row[column]))
    if not known:
        raise ValueError(f"seed {value['seed']} has nothing in {column}")
    aggregate = {"min": min, "max": max}.get(value.get("aggregate", ""))
    return aggregate(int(cell) for cell in known) if aggregate else known


def resolve_query(query: str) -> str:
    """A query with its seeds as rows and the variables of the dbt project as numbers."""
    text = _SEED_TABLE.sub(lambda found: _values(found[1], [name.strip() for name in found[2].split(",")]), query)
    return _VARIABLE.sub(lambda found: str(_variables()[found[1]]), text)


def _fill(words: Mapping[str, str], value: Any) -> Any:
    """The value with every word that stands for another replaced, at any depth but in ``{table}`` of a query."""
    if isinstance(value, dict):
        # In a query {table} is the table with its schema, which the reader of the suite knows.
        return {
            key: _fill({w: v for w, v in words.items() if not (key in ("query", "evidence") and w == "{table}")}, part)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_fill(words, part) for part in value]
    if isinstance(value, str):
        for word, replacement in words.items():
            value = value.replace(word, replacement)
    return value


def _seed_rows(chosen: Mapping[str, Any]) -> list[dict[str, str]]:
    """The rows of ``seed`` for which ``where`` holds and ``unless`` does not."""
    wanted, unwanted = chosen.get("where", {}), chosen.get("unless", {})
    rows = [
        row
        for row in read_seed(chosen["seed"])
        if all(row[name] == str(cell) for name, cell in wanted.items())
        and not any(row[name] == str(cell) for name, cell in unwanted.items())
    ]
    if not rows:
        raise ValueError(f"seed {chosen['seed']} has no row where {wanted} unless {unwanted}")
    return rows


def _values(seed: str, columns: list[str]) -> str:
    """Columns of a seed as a subquery of texts; an empty cell is null."""
    rows = dict.fromkeys(tuple(row[column] for column in columns) for row in read_seed(seed))
    lines = ", ".join("(" + ", ".join(_literal(cell) for cell in row) + ")" for row in rows)
    return f"(select * from (values {lines}) as seed_rows({', '.join(columns)}))"


def _literal(cell: str) -> str:
    return quote_text(cell) if cell else "null"


@lru_cache(maxsize=1)
def _variables() -> dict[str, Any]:
    """The variables that the models read too."""
    from loaders.yaml_files import read_yaml

    found: dict[str, Any] = read_yaml(PROJECT_ROOT / "dbt_project.yml")["vars"]
    return found


@lru_cache(maxsize=1)
def _raw_columns() -> dict[str, list[tuple[str, str]]]:
    """Columns and types of the raw tables as the loaders make them."""
    import duckdb

    from loaders.staging import create_raw

    con = duckdb.connect(":memory:")
    try:
        create_raw(con)
        rows = con.execute(
            "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
            "where schema_name = 'raw' order by table_name, column_index"
        ).fetchall()
    finally:
        con.close()
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, name, data_type in rows:
        columns.setdefault(table, []).append((name, data_type))
    return columns


def _column_query(table: str) -> str:
    wanted = ", ".join(f"({_literal(name)}, {_literal(kind)})" for name, kind in _raw_columns()[table])
    schema, name = table.split(".")
    return (
        f"select column_name, wanted.data_type as wanted_type, met.data_type as met_type "
        f"from (select * from (values {wanted}) as names(column_name, data_type)) as wanted "
        f"full join (select column_name, data_type from duckdb_columns() where database_name = current_database() "
        f"and schema_name = '{schema}' and table_name = '{name}') as met using (column_name) "
        f"where wanted.data_type is distinct from met.data_type"
    )
