"""Results of validation in the structure that statistical offices exchange.

In: the history of checks and the marts. Out: entries of a validation report of the European Statistical System,
version 1.0.1 (docs/validation_exchange.md; docs/validation_report.schema.json), in UTF-8::

    validation.json               one entry a rule of the suites, one aggregation an identity
    validation_identities.jsonl   one entry a line: each identity that fails, each text that contradicts its table

What the structure has no place for stands in each entry under ``gongkai``. The second file grows with the reports:
DuckDB writes it, row by row, and nobody has to read it whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.version import package_versions, project_version
from loaders.warehouse import quote_text

if TYPE_CHECKING:
    import duckdb

REPORT_FILE = "validation.json"
IDENTITIES_FILE = "validation_identities.jsonl"
# Severities of the suites and of the seed of identities, in the words of the structure.
SEVERITIES = {"critical": "error", "warning": "warning", "info": "information", "error": "error", "warn": "warning"}


@dataclass(frozen=True, slots=True)
class Event:
    """When something was validated and what for."""

    time: str
    command: str
    run_id: str

    def as_json(self) -> dict[str, str]:
        """The event of an entry; an agent is not named, since nobody is on record."""
        versions = package_versions()
        tools = ", ".join(f"{name} {versions[name]}" for name in ("great-expectations", "dbt-core", "duckdb"))
        trigger = f"gongkai {self.command}, run {self.run_id}" if self.command else f"run {self.run_id}"
        return {"time": self.time, "actor": f"gongkai {project_version()} with {tools}", "trigger": trigger}


@dataclass(frozen=True, slots=True)
class Validation:
    """What the suites judged before a release, and when."""

    event: Event
    entries: list[dict[str, Any]]


def last_event(con: duckdb.DuckDBPyConnection, layer: str) -> Event:
    """The last check of a layer, which there must be."""
    ((time, command, run_id),) = con.execute(
        "select strftime(c.checked_at, '%Y-%m-%dT%H:%M:%SZ'), coalesce(r.command, ''), c.run_id "
        "from quality.check_runs as c left join raw.runs as r on c.run_id = r.run_id where c.layer = ? "
        "order by c.checked_at desc, c.check_id desc limit 1",
        [layer],
    ).fetchall()
    return Event(time, command, run_id)


def suite_entries(con: duckdb.DuckDBPyConnection, layers: Sequence[str]) -> list[dict[str, Any]]:
    """One entry a rule, of the last check of each of these layers."""
    events = {layer: last_event(con, layer).as_json() for layer in layers}
    rules = _rules(layers)
    cursor = con.execute(
        "select c.check_id, c.layer, c.data_token, f.rule_id, f.suite_name, f.expectation_type, "
        "coalesce(f.column_name, '') as column_name, f.severity, f.description, f.is_success, "
        "f.is_error, f.observed, f.unexpected_count "
        "from quality.check_results as f join quality.check_runs as c on f.check_id = c.check_id "
        "where c.check_id in (select max_by(check_id, (checked_at, check_id)) from quality.check_runs "
        "where layer in (select unnest(?)) group by layer) order by c.layer desc, f.suite_name, f.rule_id",
        [list(layers)],
    )
    names = [column[0] for column in cursor.description]
    results = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [_suite_entry(found, events[found["layer"]], rules.get(found["rule_id"])) for found in results]


def _suite_entry(found: dict[str, Any], event: dict[str, str], expression: str | None) -> dict[str, Any]:
    # A rule about a whole table concerns every unit and every variable of it.
    key = [found["suite_name"], found["data_token"], "", found["column_name"]]
    outcome = "not_evaluated" if found["is_error"] else "holds" if found["is_success"] else "fails"
    return {
        "id": f"{found['check_id']}/{found['rule_id']}",
        "type": "validation",
        "event": event,
        "rule": {
            "language": f"Great Expectations {package_versions()['great-expectations']}",
            "expression": expression or found["expectation_type"],
            "severity": SEVERITIES[found["severity"]],
            "description": found["description"],
        },
        "data": {"source": [key], "target": [key], "description": _met(found)},
        "value": {"not_evaluated": "NA", "holds": "1", "fails": "0"}[outcome],
        "gongkai": {
            "rule_id": found["rule_id"],
            "object": found["suite_name"],
            "level": found["layer"],
            "severity": found["severity"],
            "outcome": outcome,
            "observed": found["observed"],
            "unexpected_count": found["unexpected_count"],
        },
    }


def identity_entries(con: duckdb.DuckDBPyConnection, event: Event) -> list[dict[str, Any]]:
    """One aggregation an identity that could be assessed: the share of its checks that hold."""
    rows = con.execute(
        "select c.identity_code, any_value(c.severity), any_value(i.statement_zh), any_value(i.statement_en), "
        "any_value(i.form_code), count(*) filter (where c.status = 'holds') as holds, "
        "count(*) filter (where c.status = 'fails') as fails, count(*) filter (where c.status = 'not_assessable'), "
        # A term over every metric of the form names none.
        "(select list(distinct ['agencies', '', '', replace(t.metric_code, '*', '')] order by 1) "
        "from seeds.identity_terms as t where t.identity_code = c.identity_code and t.metric_code is not null) "
        "from marts.fct_identity_check as c join seeds.identities as i on c.identity_code = i.identity_code "
        "group by c.identity_code having holds + fails > 0 order by c.identity_code"
    ).fetchall()
    entries = []
    for code, severity, zh, en, form, holds, fails, open_count, metrics in rows:
        keys = metrics or [["agencies", "", "", ""]]
        entries.append(
            {
                "id": f"{event.run_id}/{code}",
                "type": "aggregation",
                "event": event.as_json(),
                "aggregate": {
                    "language": "SQL",
                    "expression": "count(holds) / (count(holds) + count(fails)) of marts.fct_identity_check",
                    "description": f"{en} {zh}",
                },
                "data": {
                    "source": keys,
                    "target": keys,
                    "description": f"{holds} hold, {fails} fail, {open_count} could not be assessed",
                },
                "value": f"{holds / (holds + fails):.6f}",
                "gongkai": {
                    "rule_id": code,
                    "object": "marts.fct_identity_check",
                    "level": "report",
                    "severity": severity,
                    "form_code": form,
                    "holds_count": holds,
                    "fails_count": fails,
                    "not_assessable_count": open_count,
                },
            }
        )
    return entries


def write_validation(con: duckdb.DuckDBPyConnection, folder: Path, validation: Validation) -> None:
    """Write both files of a release beside the database that ``con`` reads."""
    write_report(folder / REPORT_FILE, [*validation.entries, *identity_entries(con, validation.event)])
    write_identities(con, folder / IDENTITIES_FILE, validation.event)


def write_report(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Write a validation report whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with staged.open("w", encoding="utf-8") as file:
            json.dump(entries, file, ensure_ascii=False, indent=1, default=str)
            file.write("\n")
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)


def write_identities(con: duckdb.DuckDBPyConnection, path: Path, event: Event) -> None:
    """Write the identities that fail and the texts that contradict their tables, one entry a line."""
    query = _IDENTITIES
    for name, text in {**event.as_json(), "run_id": event.run_id}.items():
        query = query.replace(f"${name}", quote_text(text))
    con.execute(f"copy ({query}) to {quote_text(path)} (format json)")


_IDENTITIES = """
with agencies as (
    select report_id, agency_id, report_year from marts.dim_report
),
failed as (
    select
        c.identity_check_key as finding_key,
        'identity' as finding_kind,
        c.report_id,
        c.aggregate_report_id,
        c.identity_code as rule_id,
        i.form_code,
        c.severity,
        c.relation,
        c.metric_code,
        c.applicant_type_code,
        i.statement_en || ' ' || c.statement_zh as description,
        c.left_value,
        c.right_value,
        c.is_certain_reading
    from marts.fct_identity_check as c
    join seeds.identities as i on c.identity_code = i.identity_code
    where c.status = 'fails'
    union all
    select
        finding_key, finding_kind, report_id, null, 'NARRATIVE_CONTRADICTS_TABLE', null, severity, relation,
        metric_code, applicant_type_code, statement_en || ' ' || statement_zh, left_value, right_value, true
    from marts.rpt_source_inconsistency
    where finding_kind = 'contradiction'
),
terms as (
    select distinct
        f.finding_key,
        case
            when coalesce(t.metric_code, '*') = '*' then coalesce(f.metric_code, '') else t.metric_code
        end
        || coalesce('/' || coalesce(t.applicant_type_code, nullif(f.applicant_type_code, 'not_applicable')), '')
            as variable,
        coalesce(t.year_offset, 0) as year_offset,
        coalesce(t.member_role = 'aggregate', false) as is_of_aggregate
    from failed as f
    left join seeds.identity_terms as t on f.rule_id = t.identity_code
),
sources as (
    select
        terms.finding_key,
        list(
            [
                'agencies',
                cast(a.report_year + terms.year_offset as varchar),
                case when terms.is_of_aggregate then coalesce(w.agency_id, '') else a.agency_id end,
                terms.variable
            ]
            order by terms.is_of_aggregate, terms.year_offset desc, terms.variable
        ) as source
    from terms
    join failed as f on terms.finding_key = f.finding_key
    join agencies as a on f.report_id = a.report_id
    left join agencies as w on f.aggregate_report_id = w.report_id
    group by terms.finding_key
)
select
    $run_id || '/' || f.finding_key as id,
    'validation' as type,
    {'time': $time, 'actor': $actor, 'trigger': $trigger} as event,
    {
        'language': 'seeds/identities.csv',
        'expression': f.rule_id || ': left ' || f.relation || ' right',
        'severity': case f.severity when 'error' then 'error' else 'warning' end,
        'description': f.description
    } as rule,
    {
        'source': s.source,
        'target': [[
            'agencies',
            cast(a.report_year as varchar),
            a.agency_id,
            coalesce(f.metric_code, '') || coalesce('/' || nullif(f.applicant_type_code, 'not_applicable'), '')
        ]],
        'description': 'left ' || f.left_value || ', right ' || f.right_value
    } as data,
    '0' as value,
    {
        'rule_id': f.rule_id,
        'object': 'report ' || f.report_id,
        'level': 'report',
        'severity': f.severity,
        'outcome': 'fails',
        'form_code': f.form_code,
        'relation': f.relation,
        'left_value': cast(f.left_value as varchar),
        'right_value': cast(f.right_value as varchar),
        'is_certain_reading': f.is_certain_reading,
        'left_evidence': r.left_evidence,
        'right_evidence': r.right_evidence
    } as gongkai
from failed as f
join agencies as a on f.report_id = a.report_id
join sources as s on f.finding_key = s.finding_key
left join marts.rpt_source_inconsistency as r on f.finding_key = r.finding_key
order by f.finding_key, f.finding_kind
"""


def _rules(layers: Sequence[str]) -> dict[str, str]:
    """Each rule of the suites as it is evaluated: its kind and its arguments."""
    from loaders.checks import load_suites

    return {
        rule.rule_id: f"{rule.type}({json.dumps(rule.arguments, ensure_ascii=False, default=str)})"
        for layer in layers
        for suite in load_suites(layer)
        for rule in suite.expectations
    }


def _met(found: dict[str, Any]) -> str:
    if found["is_error"]:
        return f"could not be evaluated: {found['observed']}"
    if found["unexpected_count"] is not None:
        return f"{found['unexpected_count']} rows do not hold"
    return "nothing is counted" if found["observed"] is None else f"met: {found['observed']}"
