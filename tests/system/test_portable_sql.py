"""The SQL of the project keeps to what DuckDB and Spark share; the differences stand in ``macros/engine.sql``."""

from __future__ import annotations

import pytest

from loaders.vocabulary import PROJECT_ROOT
from tests.system.portable_sql import BANNED, find_breaches

ENGINE = PROJECT_ROOT / "macros" / "engine.sql"
FILES = sorted(
    path
    for folder in ("models", "analyses", "tests/data", "macros")
    for path in (PROJECT_ROOT / folder).rglob("*.sql")
    if path != ENGINE
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_sql_keeps_to_the_common_dialect(path) -> None:
    assert [str(breach) for breach in find_breaches(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "sql",
    [
        "select a from t qualify row_number() over (order by a nulls last) = 1",
        "with recursive t as (select 1 as n) select * from t",
        "select a::date from t",
        "select distinct on (a) a, b from t",
        "select a, count(*) from t group by all",
        "select * exclude (a) from t",
        "select * replace (1 as a) from t",
        "select [x for x in a] from t",
        "select {'a': 1} as s from t",
        "select list_transform(a, x -> x + 1) from t",
        "select a // b from t",
        'select "a b" from t',
        "select cast(a as varchar) from t",
        "select regexp_replace(a, 'x', '') from t",
        "select strftime(a, '%Y') from t",
        "select starts_with(a, 'x') from t",
        "select arg_max(a, b) from t",
        "select string_agg(a, ',') from t",
        "select unnest(a) from t",
        "select current_date from t",
        "select a from t order by a",
        "select a from t order by a nulls last, b desc",
        "select a, row_number() over (partition by b order by c) as n from t",
        "select a from t order by a desc limit 3",
        "select a / b as c from t",
        "select cast(a as double) / b as c from t",
        "select a / cast(b as double) as c from t",
        "select a + 1 as b, b * 2 as c from t",
        "select a as b,\n    case when b > 1 then 1 end as c from t",
    ],
)
def test_what_does_not_travel_is_found(sql: str) -> None:
    assert find_breaches(sql) != []


@pytest.mark.parametrize(
    "sql",
    [
        "select cast(sum(a) as double) / nullif(cast(sum(b) as double), 0) as c from t",
        "select a, row_number() over (partition by b order by c asc nulls last, d desc nulls last) as n from t",
        "select t.a as b, u.b as c from t inner join u on t.a = u.a",
        "select a from t where b = 'a::b / c [x] order by y' -- a / b",
        "select {{ join_rows('a', '/') }} as a, {# a / b #} b from {{ ref('t') }}",
        "{% set names = ['a', 'b'] %}\nselect {% for n in names %}{{ n }}, {% endfor %} c from t",
        "select (select max(u.a) from u) as b, c from t",
        "select a from t order by a nulls last limit 3",
        "select cast(a as string) as a, count(*) filter (where b) as n from t group by a",
    ],
)
def test_what_travels_passes(sql: str) -> None:
    assert find_breaches(sql) == []


def test_every_ban_is_a_pattern_with_advice() -> None:
    assert len(BANNED) >= 20
    assert all(advice for advice in BANNED.values())


def test_a_breach_names_its_line() -> None:
    (breach,) = find_breaches("-- one\nselect\n    a\nfrom t\norder by a\n")
    assert breach.line == 5
