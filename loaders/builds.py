"""What the work file knows of its own builds and checks: schema ``quality``.

``quality.builds`` has one row a dbt build, ``quality.check_runs`` one a run of the suites on a layer,
``quality.check_results`` one an expectation. A build or a check counts only for the very data and code it was
made of: each carries a token of the tables and the fingerprint of the code, and what is asked later is whether
both still hold. So a killed refresh goes on where it stood, and nothing unchecked can be published.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loaders.errors import ChecksFailedError
from loaders.history import create_history, insert_rows
from loaders.warehouse import new_id, utc_now

if TYPE_CHECKING:
    import duckdb

LAYERS = ("raw", "marts")

_DDL = """
create schema if not exists quality;
create table if not exists quality.builds (
    build_id varchar primary key,
    run_id varchar not null,
    fingerprint varchar not null,
    raw_token varchar not null,
    status varchar not null,
    message varchar,
    started_at timestamp not null,
    ended_at timestamp
);
create table if not exists quality.check_runs (
    check_id varchar primary key,
    layer varchar not null,
    run_id varchar not null,
    fingerprint varchar not null,
    data_token varchar not null,
    is_passed boolean not null,
    checked_at timestamp not null
);
create table if not exists quality.check_results (
    check_id varchar not null,
    rule_id varchar not null,
    suite_name varchar not null,
    expectation_type varchar not null,
    column_name varchar,
    severity varchar not null,
    description varchar not null,
    is_success boolean not null,
    is_error boolean not null,
    observed varchar,
    unexpected_count bigint,
    offending_rows varchar not null
);
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one expectation found; ``observed`` is an error message when it could not be evaluated.

    ``rule_id`` names the rule of the suite files: it stays when words, bounds or severity of the rule change.
    """

    rule_id: str
    suite_name: str
    expectation_type: str
    column_name: str | None
    severity: str
    description: str
    next_step: str
    is_success: bool
    is_error: bool
    observed: str | None
    unexpected_count: int | None
    offending_rows: tuple[dict[str, Any], ...]

    @property
    def blocks(self) -> bool:
        """Whether nothing may be published with this finding; a check that could not run blocks as well."""
        return not self.is_success and (self.severity == "critical" or self.is_error)


@dataclass(frozen=True, slots=True)
class PassedBuild:
    """A build whose checks passed on the tables as they are now."""

    build_id: str
    run_id: str
    fingerprint: str
    raw_token: str
    marts_token: str


def create_quality(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of schema ``quality`` where they are missing."""
    con.execute(_DDL)
    create_history(con)


def data_token(con: duckdb.DuckDBPyConnection, schema: str, database: str | None = None) -> str:
    """A token of the content of a schema: tables, columns, row counts and a sum of row hashes."""
    database = database or _scalar(con, "select current_database()")
    found = []
    for table, columns in hashed_columns(con, database, schema):
        values = ", ".join(f'"{column}"' for column in columns)
        count, total = con.execute(
            f'select count(*), sum(hash({values})) from "{database}"."{schema}"."{table}"'
        ).fetchall()[0]
        found.append((table, columns, count, total))
    return describe_content(schema, found)


def hashed_columns(con: duckdb.DuckDBPyConnection, database: str, schema: str) -> list[tuple[str, list[str]]]:
    """The tables and views of a schema with the columns that the hash of a row is made of, in their order."""
    return con.execute(
        "select table_name, list(column_name order by column_index) from duckdb_columns() "
        "where database_name = ? and schema_name = ? group by table_name order by table_name",
        [database, schema],
    ).fetchall()


def describe_content(schema: str, tables: Sequence[tuple[str, list[str], int, int | None]]) -> str:
    """The token of a schema, of the columns, row count and sum of row hashes of each of its tables.

    ``raw.runs`` is left out, since every run changes it and no model depends on it. The columns are part of the token
    so that a row of another table shape never counts alike.
    """
    parts = [
        [table, columns, count, str(total)]
        for table, columns, count, total in tables
        if (schema, table) != ("raw", "runs")
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def begin_build(con: duckdb.DuckDBPyConnection, run_id: str, fingerprint: str, raw_token: str) -> str:
    """Record that a build starts; until it ends well, no earlier build counts."""
    build_id = new_id()
    con.execute(
        "insert into quality.builds values (?, ?, ?, ?, 'running', null, ?, null)",
        [build_id, run_id, fingerprint, raw_token, utc_now()],
    )
    return build_id


def end_build(con: duckdb.DuckDBPyConnection, build_id: str, status: str, message: str | None = None) -> None:
    """Record how a build ended: ``built`` or ``failed``."""
    con.execute(
        "update quality.builds set status = ?, message = ?, ended_at = ? where build_id = ?",
        [status, message, utc_now(), build_id],
    )


def is_built(con: duckdb.DuckDBPyConnection, fingerprint: str, raw_token: str) -> bool:
    """Whether the last build ended well and was made of these raw tables by this code."""
    rows = con.execute(
        "select status = 'built' and fingerprint = ? and raw_token = ? from quality.builds "
        "order by started_at desc, build_id desc limit 1",
        [fingerprint, raw_token],
    ).fetchall()
    return bool(rows and rows[0][0])


def built_fingerprint(con: duckdb.DuckDBPyConnection) -> str | None:
    """The code of the last build that ended well; null before the first."""
    rows = con.execute(
        "select fingerprint from quality.builds where status = 'built' order by started_at desc, build_id desc limit 1"
    ).fetchall()
    return rows[0][0] if rows else None


def is_left_by(con: duckdb.DuckDBPyConnection, fingerprint: str) -> bool:
    """Whether what dbt last did here was a build of a refresh, by this code, that went well; see macros/."""
    import duckdb

    try:
        return con.execute("select fingerprint from intermediate.last_invocation").fetchall() == [(fingerprint,)]
    except duckdb.CatalogException:  # before the first build
        return False


def note_left_by(con: duckdb.DuckDBPyConnection, fingerprint: str) -> None:
    """Note that what dbt last did here was a build of a refresh that went well."""
    con.execute("update intermediate.last_invocation set fingerprint = ?", [fingerprint])


def record_check(
    con: duckdb.DuckDBPyConnection,
    layer: str,
    run_id: str,
    fingerprint: str,
    token: str,
    findings: Sequence[Finding],
) -> bool:
    """Record what the suites of a layer found, and return whether they passed."""
    check_id = new_id()
    is_passed = not any(finding.blocks for finding in findings)
    con.execute("begin")
    con.execute(
        "insert into quality.check_runs values (?, ?, ?, ?, ?, ?, ?)",
        [check_id, layer, run_id, fingerprint, token, is_passed, utc_now()],
    )
    insert_rows(
        con,
        "quality.check_results",
        [
            {
                "check_id": check_id,
                "rule_id": finding.rule_id,
                "suite_name": finding.suite_name,
                "expectation_type": finding.expectation_type,
                "column_name": finding.column_name,
                "severity": finding.severity,
                "description": finding.description,
                "is_success": finding.is_success,
                "is_error": finding.is_error,
                "observed": finding.observed,
                "unexpected_count": finding.unexpected_count,
                "offending_rows": json.dumps(finding.offending_rows, ensure_ascii=False, default=str),
            }
            for finding in findings
        ],
    )
    con.execute("commit")
    return is_passed


def is_checked(con: duckdb.DuckDBPyConnection, layer: str, fingerprint: str, token: str) -> bool:
    """Whether the last check of a layer passed on these tables with these suites."""
    rows = con.execute(
        "select is_passed and fingerprint = ? and data_token = ? from quality.check_runs "
        "where layer = ? order by checked_at desc, check_id desc limit 1",
        [fingerprint, token, layer],
    ).fetchall()
    return bool(rows and rows[0][0])


def require_passed_build(con: duckdb.DuckDBPyConnection, fingerprint: str, tokens: Mapping[str, str]) -> PassedBuild:
    """The build in the work file, if it may be published; ``tokens`` are of its schemas as they are now.

    Raises:
        ChecksFailedError: when it was not built, built of other tables or code, or its checks did not pass.
    """
    raw_token, marts_token = tokens["raw"], tokens["marts"]
    if not is_built(con, fingerprint, raw_token):
        raise ChecksFailedError(
            "nothing to publish: the marts were not built, or not from the documents, seeds and models as they are "
            "now; run `gongkai refresh`"
        )
    for layer, token in (("raw", raw_token), ("marts", marts_token)):
        if not is_checked(con, layer, fingerprint, token):
            raise ChecksFailedError(
                f"nothing published: the checks of {layer} have not passed on the tables as they are now; "
                f"run `gongkai check {layer}` and mend what it names"
            )
    build_id, run_id = con.execute(
        "select build_id, run_id from quality.builds order by started_at desc, build_id desc limit 1"
    ).fetchall()[0]
    return PassedBuild(build_id, run_id, fingerprint, raw_token, marts_token)


def _scalar(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    return con.execute(query).fetchall()[0][0]
