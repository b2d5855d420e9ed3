"""``gongkai trace``: from a figure back to the printed cell.

In: agency, report year, metric and, if wanted, applicant type. Out: each figure with its document, place,
printed text and how it was matched, the correction that was applied, the figures that competed with it, and the
identities that touch it. Reads the current release, or the work file before the first release.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loaders.errors import GongkaiError, UsageError
from loaders.release_guard import open_release
from loaders.settings import Settings, plain_number
from loaders.warehouse import Warehouse

if TYPE_CHECKING:
    import duckdb

_SHOWN_NAMES = 10


@dataclass(frozen=True, slots=True)
class Question:
    """Which figure is asked for; ``metric`` is a code or a Chinese label."""

    agency: str
    year: int
    metric: str
    applicant: str | None = None


def show_trace(settings: Settings, question: Question) -> None:
    """Print the answer to a question.

    Raises:
        UsageError: when the question fits no agency, no metric or several.
        GongkaiError: when there are no marts yet.
    """
    con = open_readable(settings.warehouse)
    try:
        answer = trace_figure(con, question)
    finally:
        con.close()
    settings.answer(describe_trace(answer), answer)


def open_readable(warehouse: Warehouse) -> duckdb.DuckDBPyConnection:
    """The current release, or the work file when nothing was published yet.

    Raises:
        UsageError: when there is neither.
    """
    release = warehouse.current_release()
    if release is not None:
        return open_release(release)
    return warehouse.connect(read_only=True)


def trace_figure(con: duckdb.DuckDBPyConnection, question: Question) -> dict[str, Any]:
    """The figures that fit a question, with evidence, competitors and checks.

    Raises:
        UsageError: when the question fits no agency, no metric or several, or there is no such figure.
        GongkaiError: when there are no marts yet.
    """
    built = con.execute(
        "select count(*) from duckdb_tables() where schema_name = 'marts' and table_name = 'fct_metric_value'"
    ).fetchall()[0][0]
    if not built:
        raise GongkaiError("the marts are not built yet; run `gongkai refresh`")
    metric_code, metric_label = _resolve_metric(con, question.metric)
    agency_keys, agency_name = _resolve_agency(con, question.agency, question.year)
    figures = _rows(
        con,
        "select v.*, d.source_uri, d.media_type, r.title, i.statement_zh as derivation_statement_zh "
        "from marts.fct_metric_value as v "
        "left join seeds.identities as i on v.derivation_identity_code = i.identity_code "
        "left join raw.documents as d on v.document_id = d.document_id "
        "left join raw.reports as r on v.report_id = r.report_id "
        "where v.agency_key in (select unnest(?)) and v.report_year = ? and v.metric_code = ? "
        "and (? is null or v.applicant_type_code = ?) "
        "order by v.report_id, v.applicant_type_code nulls first",
        [agency_keys, question.year, metric_code, question.applicant, question.applicant],
    )
    if not figures:
        applicant = f" for applicant type {question.applicant}" if question.applicant else ""
        raise UsageError(
            f"{agency_name} has no figure {metric_code} ({metric_label}) for {question.year}{applicant}; "
            "its report does not print it, or it was not understood: see `gongkai status` and raw.issues"
        )
    for figure in figures:
        figure["competitors"] = _competitors(con, figure)
        figure["checks"] = _checks(con, figure)
        figure["correction"] = _correction(con, figure)
    return {
        "agency_name": agency_name,
        "report_year": question.year,
        "metric_code": metric_code,
        "metric_label_zh": metric_label,
        "figures": figures,
    }


def describe_trace(answer: dict[str, Any]) -> str:
    """The answer for a person."""
    lines = [f"{answer['agency_name']} {answer['report_year']} {answer['metric_code']} {answer['metric_label_zh']}"]
    for figure in answer["figures"]:
        value = figure["value"] if figure["value"] is not None else figure["value_status"]
        applicant = figure.get("applicant_type_code")
        applicant = f" [{applicant}]" if applicant and applicant != "not_applicable" else ""
        lines.append(f"\n{value} {figure.get('unit') or ''}{applicant}  {figure['reliability']}")
        if figure["derivation_identity_code"] is not None:
            lines.append(
                f"  derived   by {figure['derivation_identity_code']} {figure['derivation_statement_zh']} "
                "from the figures that the report states"
            )
        if figure["locator"] is not None:
            lines += _describe_place(figure)
        if figure["correction"] is not None:
            lines.append(_describe_correction(figure["correction"]))
        lines.append(f"  document  {figure['source_uri']} sha256 {figure['document_id']}")
        lines.append(f"  chosen    {figure['choice_rule_code']}, {figure['version_rule_code']}")
        for competitor in figure["competitors"]:
            lost = competitor["losing_value"]
            lines.append(
                f"  against   {competitor['losing_value_status'] if lost is None else lost} "
                f"({competitor['losing_source_kind']}, {competitor['losing_locator']}): {competitor['losing_snippet']}"
            )
        for check in figure["checks"]:
            left, right = ("?" if check[side] is None else check[side] for side in ("left_value", "right_value"))
            lines.append(
                f"  check     {check['identity_code']} {check['status']}: {left} {check['relation']} {right} "
                f"({check['severity']}) {check['statement_zh'] or ''}"
            )
    return "\n".join(lines)


def _describe_place(figure: dict[str, Any]) -> list[str]:
    """Where the figure is printed, or the blank that a derived one stands for."""
    printed = " / ".join(filter(None, (figure["label_raw"], figure["column_label_raw"])))
    return [
        f"  printed   {figure['value_raw']!r} at {printed}",
        f"  place     {figure['locator']} ({figure['source_kind']})",
        f"  text      {figure['snippet']}",
        f"  matched   {figure['match_method']}, score {figure['match_score']}{_doubt(figure)}",
    ]


def _describe_correction(correction: dict[str, Any]) -> str:
    """From what to what, why, and under which name in the register."""
    before, after = (
        correction[f"{side}_value_status"] if correction[f"{side}_value"] is None else correction[f"{side}_value"]
        for side in ("met", "new")
    )
    return f"  corrected from {before} to {after}: {correction['reason']} ({correction['correction_id']})"


def _doubt(figure: dict[str, Any]) -> str:
    """How sure the reading is, beyond its score."""
    text = ", characters recognised in a picture" if figure["is_read_by_ocr"] else ""
    if figure["second_reading"] == "differs":
        second = "blank" if figure["second_value"] is None else figure["second_value"]
        text += f", a second reading gives {second}"
    elif figure["second_reading"] == "agrees":
        text += ", a second reading gives the same"
    return text


def _resolve_metric(con: duckdb.DuckDBPyConnection, metric: str) -> tuple[str, str]:
    found = con.execute(
        "select metric_code, label_zh from marts.dim_metric where metric_code = ? or label_zh = ? "
        "order by (metric_code = ?) desc",
        [metric, metric, metric],
    ).fetchall()
    if len(found) == 1 or (found and found[0][0] == metric):
        return str(found[0][0]), str(found[0][1])
    if found:
        raise UsageError(f"{metric} is the label of several metrics: {', '.join(row[0] for row in found)}; give a code")
    near = con.execute(
        "select metric_code from marts.dim_metric where contains(metric_code, ?) or contains(label_zh, ?) "
        "order by metric_code limit ?",
        [metric, metric, _SHOWN_NAMES],
    ).fetchall()
    hint = f"; did you mean {', '.join(row[0] for row in near)}" if near else "; the codes are in seeds/metrics.csv"
    raise UsageError(f"no metric {metric}{hint}")


def _resolve_agency(con: duckdb.DuckDBPyConnection, agency: str, year: int) -> tuple[list[str], str]:
    """The keys of one agency, from its id, its name in any year, its name as read, or a part of its name."""
    as_read = "exists (select 1 from marts.dim_report as r where r.agency_id = a.agency_id and r.agency_name = ?)"
    for condition in ("a.agency_id = ?", "a.agency_name = ?", as_read, "contains(a.agency_name, ?)"):
        found = con.execute(
            "select a.agency_id, coalesce(min(a.agency_name), a.agency_id) from marts.dim_agency as a "
            f"where {condition} and a.agency_id in (select agency_id from marts.fct_metric_value) "
            "group by a.agency_id order by 2",
            [agency],
        ).fetchall()
        if len(found) > 1:
            names = ", ".join(row[1] for row in found[:_SHOWN_NAMES])
            raise UsageError(f"{agency!r} fits {len(found)} agencies: {names}; give one name in full")
        if found:
            ((agency_id, name),) = found
            keys = con.execute(
                "select distinct agency_key from marts.fct_metric_value where agency_id = ? and report_year = ?",
                [agency_id, year],
            ).fetchall()
            if not keys:
                raise UsageError(f"{name} has no figures for {year}{_quarantine(con, str(name), year)}")
            return [str(key) for (key,) in keys], str(name)
    if hint := _quarantine(con, agency, year):
        raise UsageError(f"{agency} has no figures for {year}{hint}")
    raise UsageError(f"no agency with figures is called {agency!r} or contains it; names are in marts.dim_agency")


def _quarantine(con: duckdb.DuckDBPyConnection, agency: str, year: int) -> str:
    """Why there is nothing to trace, where the report was read too badly."""
    if not con.execute(
        "select count(*) from duckdb_tables() where schema_name = 'marts' and table_name = 'rpt_quarantine'"
    ).fetchall()[0][0]:
        return ""
    found = con.execute(
        "select distinct label_en from marts.rpt_quarantine where contains(agency_name, ?) and report_year = ? "
        "order by 1",
        [agency, year],
    ).fetchall()
    reasons = "; ".join(str(label) for (label,) in found)
    return f": its report is in quarantine ({reasons}); see marts.rpt_quarantine" if reasons else ""


def _competitors(con: duckdb.DuckDBPyConnection, figure: dict[str, Any]) -> list[dict[str, Any]]:
    return _rows(
        con,
        "select * exclude (report_id, agency_key, report_year, metric_code, applicant_type_code) "
        "from marts.fct_value_conflict where agency_key = ? and report_year = ? and metric_code = ? "
        "and applicant_type_code is not distinct from ?",
        [figure[name] for name in ("agency_key", "report_year", "metric_code", "applicant_type_code")],
    )


def _correction(con: duckdb.DuckDBPyConnection, figure: dict[str, Any]) -> dict[str, Any] | None:
    # A release of an earlier version knows no corrections.
    if figure.get("correction_id") is None:
        return None
    (correction,) = _rows(
        con,
        "select correction_id, correction_kind, met_value, met_value_status, new_value, new_value_status, reason, "
        "evidence, author, corrected_date from marts.rpt_correction where correction_id = ?",
        [figure["correction_id"]],
    )
    return correction


def _checks(con: duckdb.DuckDBPyConnection, figure: dict[str, Any]) -> list[dict[str, Any]]:
    return _rows(
        con,
        "select c.identity_code, c.status, c.relation, c.left_value, c.right_value, c.delta, c.severity, "
        "i.statement_zh from marts.fct_identity_check as c "
        "left join seeds.identities as i on c.identity_code = i.identity_code "
        "where c.report_id = ? and (c.metric_code is null or c.metric_code = ?) "
        "and (c.applicant_type_code is null or c.applicant_type_code is not distinct from ?) "
        "and c.identity_code in (select identity_code from seeds.identity_terms where metric_code in (?, '*')) "
        "order by c.status, c.identity_code",
        [figure["report_id"], figure["metric_code"], figure["applicant_type_code"], figure["metric_code"]],
    )


def _rows(con: duckdb.DuckDBPyConnection, query: str, parameters: list[Any]) -> list[dict[str, Any]]:
    cursor = con.execute(query, parameters)
    names = [column[0] for column in cursor.description]
    return [
        {
            name: plain_number(value) if isinstance(value, Decimal) else value
            for name, value in zip(names, row, strict=True)
        }
        for row in cursor.fetchall()
    ]
