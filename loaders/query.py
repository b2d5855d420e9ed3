"""``gongkai query``: one SQL question to the current release, for people without a SQL client.

In: a query. Out: its rows as a table, JSON or CSV. The release is opened read-only, with no way to other files.
"""

from __future__ import annotations

import csv
import json
import sys

import duckdb

from loaders.errors import UsageError
from loaders.release_guard import open_release
from loaders.settings import Settings

_MAX_ROWS = 1000
_MAX_WIDTH = 200


def run_query(settings: Settings, query: str, output_format: str) -> None:
    """Print the answer of the current release to a SQL query.

    Raises:
        UsageError: when nothing is published yet, or the query cannot be answered.
    """
    release = settings.warehouse.current_release()
    if release is None:
        raise UsageError(f"nothing is published in {settings.warehouse.root}; run `gongkai refresh SOURCE` first")
    con = open_release(release)
    try:
        con.execute("use marts")
        if output_format == "table":
            con.sql(query).show(max_rows=_MAX_ROWS, max_width=_MAX_WIDTH)
            return
        con.execute(query)
        names = [column[0] for column in con.description or ()]
        rows = con.fetchall()
    except (duckdb.Error, AttributeError) as error:
        # A statement without rows gives no relation to show.
        raise UsageError(f"the query cannot be answered: {error}") from error
    finally:
        con.close()
    if output_format == "json":
        records = [dict(zip(names, row, strict=True)) for row in rows]
        print(json.dumps(records, ensure_ascii=False, indent=2, default=str))
    else:
        writer = csv.writer(sys.stdout)
        writer.writerows([names, *rows])
