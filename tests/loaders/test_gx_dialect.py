from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import duckdb_engine
import pytest
import sqlalchemy as sa
from sqlalchemy import types as sql_types

from loaders.checks import Expectation, Suite, run_suites
from loaders.gx_dialect import GX_DIALECT_MODULE, Dialect
from loaders.warehouse import Warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    warehouse = Warehouse(tmp_path)
    con = warehouse.connect()
    con.execute("create schema s")
    con.execute(
        "create table s.t as select 'r' || i as id, i::integer as n, (i / 2)::decimal(20, 4) as v, "
        "date '2020-01-01' as d, timestamp '2020-01-01 01:02:03' as ts, i > 1 as b, [i] as l from range(3) r(i)"
    )
    con.close()
    return warehouse


def connect(warehouse: Warehouse, driver: str = "duckdb+gx") -> sa.Engine:
    return sa.create_engine(f"{driver}:///{warehouse.work_file}?access_mode=read_only")


def test_rows_outlive_the_next_statement(warehouse: Warehouse) -> None:
    with connect(warehouse).connect() as con:
        first = con.execute(sa.text("select id from s.t order by id"))
        con.execute(sa.text("select 1")).fetchall()
        assert [row[0] for row in first.fetchmany(2)] == ["r0", "r1"]
        assert first.fetchone() == ("r2",)
        assert first.fetchone() is None


def test_columns_are_reflected_with_their_types(warehouse: Warehouse) -> None:
    columns = {c["name"]: c["type"] for c in sa.inspect(connect(warehouse)).get_columns("t", schema="s")}
    assert list(columns) == ["id", "n", "v", "d", "ts", "b", "l"]
    assert isinstance(columns["n"], sql_types.INTEGER)
    assert (columns["v"].precision, columns["v"].scale) == (20, 4)
    assert isinstance(columns["b"], sql_types.BOOLEAN)
    with pytest.raises(sa.exc.NoSuchTableError):
        sa.inspect(connect(warehouse)).get_columns("nothing", schema="s")


def test_values_keep_their_types(warehouse: Warehouse) -> None:
    with connect(warehouse).connect() as con:
        row = con.execute(sa.text("select v, d, b from s.t where n = :n"), {"n": 1}).fetchone()
    assert row == (Decimal("0.5000"), datetime.date(2020, 1, 1), False)


def test_the_file_is_free_after_the_suites(warehouse: Warehouse) -> None:
    rules = (
        Expectation(
            "id_spelling",
            "expect_column_values_to_match_regex",
            {"column": "id", "regex": r"^r\d$"},
            "critical",
            "",
            "",
            "",
        ),
    )
    (finding,) = run_suites(warehouse, "raw", (Suite("s", "t", ("id",), "", rules),))
    assert finding.is_success
    duckdb.connect(str(warehouse.work_file)).close()
    assert issubclass(GX_DIALECT_MODULE.DremioDialect, Dialect)


def test_a_query_of_a_rule_is_run_once(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    execute = duckdb_engine.CursorWrapper.execute

    def note(self: object, statement: str, *rest: object) -> None:
        seen.append(statement)
        execute(self, statement, *rest)

    monkeypatch.setattr(duckdb_engine.CursorWrapper, "execute", note)
    query = "with checked as (select * from {batch}) select id, '{{2}}' as braces from checked where n >= 1"
    rule = Expectation("no_large_n", "unexpected_rows_expectation", {"unexpected_rows_query": query}, *["warning"] * 4)
    (finding,) = run_suites(warehouse, "raw", (Suite("s", "t", ("id",), "", (rule,)),))
    assert (finding.rule_id, finding.is_success, finding.unexpected_count) == ("no_large_n", False, 2)
    assert finding.offending_rows == ({"id": "r1", "braces": "{2}"}, {"id": "r2", "braces": "{2}"})
    assert len([statement for statement in seen if "from checked" in statement]) == 1


def test_the_dialect_is_still_needed(warehouse: Warehouse) -> None:
    """When this fails, plain duckdb-engine does what the dialect was made for: drop loaders/gx_dialect.py."""
    engine = connect(warehouse, "duckdb")
    needed = []
    try:
        sa.inspect(engine).get_columns("t", schema="s")
    except Exception:  # whatever it raises, reflection does not work
        needed.append("reflection")
    with engine.connect() as con:
        first = con.execute(sa.text("select id from s.t order by id"))
        con.execute(sa.text("select 1"))
        try:
            kept = len(first.fetchall()) == 3
        except Exception:  # the cursor is gone
            kept = False
        if not kept:
            needed.append("cursor")
    assert needed == ["reflection", "cursor"]
