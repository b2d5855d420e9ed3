"""Tokens of rows: what tells whether two databases hold the same, and in which reports they differ.

In: a connection and the name of a database. Out: a Parquet file with one line for each relation and group of its rows:
how many there are, and the sum of their hashes. The rows of a report are a group; where rows belong to no report, those
of a year, a document or a run. The content of a schema, as :func:`loaders.builds.data_token` tells it, follows from
these lines without another look at the rows.

The tokens of what was published last are kept beside the work file, under the checksum of the database that they are
of: the next release is made from that one without reading its rows again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from loaders.builds import describe_content, hashed_columns
from loaders.warehouse import Warehouse, quote_text

if TYPE_CHECKING:
    import duckdb

PUBLISHED_SCHEMAS = ("raw", "seeds", "marts", "quality")
# Rows are compared together by the first of these that a row has, else all together.
_GROUPS = ("report_id", "report_year", "document_id", "run_id", "check_id")


def row_group(columns: list[str]) -> str:
    """The expression that tells to which group a row of a relation with these columns belongs."""
    return f"coalesce({''.join(f'cast({column} as varchar), ' for column in _GROUPS if column in columns)}'')"


def write_row_tokens(con: duckdb.DuckDBPyConnection, database: str, path: Path) -> None:
    """Write the tokens of all published relations of a database."""
    asked = " union all ".join(
        f"select '{schema}' as schema_name, '{table}' as table_name, {row_group(columns)} as row_group, "
        # Exact in a file, which holds no hugeint.
        f"count(*) as row_count, cast(sum(hash({_listed(columns)})) as decimal(38, 0)) as token "
        f'from "{database}"."{schema}"."{table}" group by all'
        for schema in PUBLISHED_SCHEMAS
        for table, columns in hashed_columns(con, database, schema)
    )
    con.execute(f"copy ({asked}) to {quote_text(path)} (format parquet)")


def content_tokens(con: duckdb.DuckDBPyConnection, database: str, path: Path) -> dict[str, str]:
    """The content of each published schema of a database, from its tokens."""
    sums = {
        (schema, table): (count, total)
        for schema, table, count, total in con.execute(
            "select schema_name, table_name, sum(row_count), sum(cast(token as hugeint)) "
            f"from read_parquet({quote_text(path)}) group by all"
        ).fetchall()
    }
    return {
        schema: describe_content(
            schema,
            [
                (table, columns, *sums.get((schema, table), (0, None)))
                for table, columns in hashed_columns(con, database, schema)
            ],
        )
        for schema in PUBLISHED_SCHEMAS
    }


def new_row_tokens(warehouse: Warehouse) -> Path:
    """Where to write the tokens of what is being published."""
    warehouse.published_rows.mkdir(exist_ok=True)
    return warehouse.published_rows / "new.parquet"


def kept_row_tokens(warehouse: Warehouse, checksum: str) -> Path:
    """Where the tokens of a published database with this checksum are kept, if they are."""
    return warehouse.published_rows / f"{checksum}.parquet"


def keep_row_tokens(warehouse: Warehouse, path: Path, checksum: str) -> None:
    """Keep a file of tokens as those of the database with this checksum, and no others."""
    kept = kept_row_tokens(warehouse, checksum)
    os.replace(path, kept)
    for other in warehouse.published_rows.iterdir():
        if other != kept:
            other.unlink()


def _listed(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
