"""Every identity of the seed on made-up reports, one build for all: it holds, it fails, and it stays open.

The panel is written from the seeds, so an identity that is added there is tested here without a line of code.
Beside it stand reports for derived figures and for corrected documents.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from loaders.builds import create_quality
from loaders.staging import create_raw
from loaders.vocabulary import PROJECT_ROOT, read_seed
from loaders.warehouse import Warehouse
from tests.system.test_dbt_project import dbt

IDENTITIES = {row["identity_code"]: row for row in read_seed("identities")}
METRICS = {row["metric_code"]: row for row in read_seed("metrics")}
# A body is told from others by its name in its place.
BEIJING = "110000"
EXCESS = 1000


@dataclass
class Report:
    """A made-up report: what is printed in it, by metric, applicant type and part of the report."""

    agency: str
    year: int
    form: str
    figures: dict[tuple[str, str | None, str], str | None] = field(default_factory=dict)
    scope: str = "own"
    division: str | None = None
    loaded_at: datetime = datetime(2026, 1, 1)
    document: str | None = None

    def state(self, metric: str, value: int | str | None, applicant: str | None = None, kind: str = "table") -> None:
        if applicant is None and kind == "table" and METRICS[metric]["has_applicant_type"] == "true":
            applicant = "total"
        self.figures[metric, applicant, kind] = None if value is None else str(value)


def terms_of(code: str) -> list[dict[str, str]]:
    """The terms of an identity; every metric's identity is shown on one metric of the form."""
    form = IDENTITIES[code]["form_code"]
    terms = []
    for row in read_seed("identity_terms"):
        if row["identity_code"] != code:
            continue
        metric = row["metric_code"]
        if metric == "*":
            metric = {"nat2014": "requests_received_fax"}.get(form, "outcome_granted_full")
        terms.append({**row, "metric_code": metric})
    return terms


def children_of(form: str, metric: str) -> list[str]:
    """The printed parts of a group that the form prints no cell for."""
    rows = [row for row in read_seed("form_metrics") if row["form_code"] == form]
    if not any(row["metric_code"] == metric and row["place_code"] == "derived" for row in rows):
        return []
    return [r["metric_code"] for r in rows if r["parent_metric_code"] == metric and r["place_code"] == "cell"]


def reports_of(code: str, outcome: str) -> list[Report]:
    """One or two reports whose figures are the terms of one identity, which then has the outcome."""
    form = IDENTITIES[code]["form_code"]
    terms = terms_of(code)
    name = f"北京市{code}{outcome}局"
    this = Report(name, 2020, form)
    other = Report(name, 2019, form)
    if any(term["member_role"] for term in terms):
        this.division = other.division = f"{code}{outcome}"
        other = Report(f"北京市{code}{outcome}政府", 2020, form, scope="area_aggregate", division=this.division)
    latest = max(int(term["year_offset"]) for term in terms)
    readings = list(dict.fromkeys(term["reading_code"] for term in terms if term["reading_code"]))
    values: dict[tuple[str, str, str, bool], int] = {}
    right = 0
    for number, term in enumerate((t for t in terms if t["side"] == "right"), start=2):
        key = key_of(term, latest)
        # Large enough to stay above zero where a term is subtracted.
        values.setdefault(key, number * (100 if number == 2 else 1))
        if term["reading_code"] in ("", *readings[:1]):
            right += int(term["sign"]) * values[key]
    left = [t for t in terms if t["side"] == "left"]
    for number, term in enumerate(left):
        key = key_of(term, latest)
        value = right - (len(left) - 1) if number == 0 else 1
        values[key] = value + (EXCESS if outcome == "fails" and number == 0 else 0)
        write(this, other, term, values[key], latest)
    rights = [t for t in terms if t["side"] == "right"]
    for term in rights:
        key = key_of(term, latest)
        if outcome == "open" and key == key_of(rights[0], latest):
            continue
        write(this, other, term, values[key], latest)
    return [this, other] if other.figures or other.scope != "own" else [this]


def key_of(term: dict[str, str], latest: int) -> tuple[str, str, str, bool]:
    return term["metric_code"], term["applicant_type_code"], term["source_kind"], is_elsewhere(term, latest)


def is_elsewhere(term: dict[str, str], latest: int) -> bool:
    """Whether the term stands in the other report: that of the year before, or of the aggregate."""
    return term["member_role"] == "aggregate" or int(term["year_offset"]) < latest


def write(this: Report, other: Report, term: dict[str, str], value: int, latest: int) -> None:
    report = other if is_elsewhere(term, latest) else this
    kind = "narrative" if term["source_kind"] == "narrative" else "table"
    children = children_of(report.form, term["metric_code"]) if term["source_kind"] == "table" else []
    for metric in children or [term["metric_code"]]:
        report.state(
            metric, 0 if children and metric != children[0] else value, term["applicant_type_code"] or None, kind
        )


def requests_table(report: Report, **figures: int | None) -> Report:
    """The outcome rows of a fmt2019 table for all applicants, zero unless given, with what is given besides."""
    codes = [t["metric_code"] for t in terms_of("F19_OUTCOME_TOTAL") if t["side"] == "right"]
    for metric in (*codes, "outcome_total", "requests_received_new", "requests_carried_over_in"):
        report.state(metric, 0)
    report.state("requests_carried_over_out", 0)
    for metric, value in figures.items():
        report.state(metric, value)
    return report


def special_reports() -> list[Report]:
    made: list[Report] = []

    def make(name: str, **changes: object) -> Report:
        made.append(Report(f"北京市{name}局", 2020, "fmt2019", **changes))  # type: ignore[arg-type]
        return made[-1]

    requests_table(make("总计空白"), requests_received_new=5, outcome_denied_internal_affairs=5, outcome_total=None)
    requests_table(make("总计不符"), requests_received_new=9, outcome_denied_internal_affairs=5, outcome_total=None)
    requests_table(make("分项不符"), requests_received_new=9, outcome_denied_internal_affairs=5, outcome_total=9)
    requests_table(make("分项空白"), requests_received_new=5, outcome_denied_state_secret=None, outcome_total=5)
    told = requests_table(make("正文合计"), requests_received_new=5, outcome_denied_internal_affairs=5, outcome_total=5)
    told.state("outcome_denied", 5, kind="narrative")
    for name, narrative in (("收办口径", 8), ("办结口径", 6), ("口径不明", 7)):
        report = requests_table(make(name), requests_received_new=5, requests_carried_over_in=3, outcome_granted_full=6)
        report.state("outcome_total", 6)
        report.state("requests_carried_over_out", 2)
        report.state("requests_received_new", narrative, kind="narrative")
    row = make("总计列空白")
    for number, applicant in enumerate(APPLICANTS):
        row.state("outcome_granted_full", number, applicant)
    row.state("outcome_granted_full", None, "total")
    first = requests_table(make("更正", document="first"), requests_received_new=5, outcome_total=5, outcome_other=5)
    first.state("procurement_projects", 7)
    requests_table(
        make("更正", document="second", loaded_at=datetime(2026, 1, 2)),
        requests_received_new=6,
        outcome_total=6,
        outcome_other=6,
        requests_carried_over_in=None,
    ).state("rules_published_total", 1)
    for number, document in enumerate(("here", "there")):
        copy = requests_table(make("转载", document=document, loaded_at=datetime(2026, 1, 1 + number)))
        # The one that speaks, by the id of its document and not by its time, contradicts its table.
        copy.state("requests_received_new", 1 - number, kind="narrative")
    return made


APPLICANTS = (
    "natural_person",
    "legal_business",
    "legal_research",
    "legal_public_interest",
    "legal_services",
    "legal_other",
)


def write_raw(con: duckdb.DuckDBPyConnection, reports: list[Report]) -> None:
    create_raw(con)
    create_quality(con)
    documents, heads, rows = [], [], []
    for number, report in enumerate(reports):
        document, report_id = f"d{number:05}", f"d{number:05}-1"
        documents.append(
            {
                "document_id": document,
                "source_uri": f"{report.document or document}.txt",
                "byte_count": 10,
                "status": "loaded",
                "loader_version": "test",
                "run_id": "test",
                "loaded_at": report.loaded_at,
            }
        )
        heads.append(
            {
                "report_id": report_id,
                "document_id": document,
                "agency_name": report.agency,
                "agency_name_raw": report.agency,
                "report_year": report.year,
                "form_code": report.form,
                "scope": report.scope,
                "division_code": report.division or BEIJING,
            }
        )
        for place, ((metric, applicant, kind), value) in enumerate(report.figures.items(), start=1):
            rows.append(
                {
                    "metric_row_id": f"{report_id}-{place:05}",
                    "report_id": report_id,
                    "source_kind": kind,
                    "metric_code": metric,
                    "applicant_type": applicant,
                    "label_raw": metric,
                    "value_raw": value or "",
                    "value": None if value is None else Decimal(value),
                    "value_status": "blank" if value is None else "number",
                    "is_approximate": False,
                    "locator": f"chars {place}-{place + 1}",
                    "snippet": value or "",
                    "match_method": "exact",
                    "match_score": 100.0,
                }
            )
    for table, records in (("documents", documents), ("reports", heads), ("metric_rows", rows)):
        con.register("made_up", pl.DataFrame(records, infer_schema_length=None).to_arrow())
        lists = ", []::varchar[] as co_agency_names" if table == "reports" else ""
        con.execute(f"insert into raw.{table} by name select *{lists} from made_up")


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    root = tmp_path_factory.mktemp("identities")
    reports = [r for code in IDENTITIES for outcome in ("holds", "fails", "open") for r in reports_of(code, outcome)]
    con = Warehouse(root).connect()
    write_raw(con, reports + special_reports())
    con.close()
    code, said = dbt(root, "build")
    assert code == 0, said[-3000:]
    con = duckdb.connect(str(root / "work.duckdb"), read_only=True)
    yield con
    con.close()


def answer(con: duckdb.DuckDBPyConnection, query: str, *arguments: object) -> list[tuple]:
    return con.execute(query, list(arguments)).fetchall()


def statuses(con: duckdb.DuckDBPyConnection, code: str, outcome: str) -> set[str]:
    return {
        status
        for (status,) in answer(
            con,
            "select c.status from marts.fct_identity_check as c join marts.dim_report as r using (report_id) "
            "where c.identity_code = ? and r.agency_name = ? and r.report_year = 2020 and ("
            "c.left_value is not null or c.status <> 'not_assessable')",
            code,
            f"北京市{code}{outcome}局",
        )
    }


@pytest.mark.parametrize("code", IDENTITIES)
def test_every_identity_of_the_seed_holds_and_fails_where_it_should(
    panel: duckdb.DuckDBPyConnection, code: str
) -> None:
    assert statuses(panel, code, "holds") == {"holds"}
    assert statuses(panel, code, "fails") == {"fails"}
    # A figure less leaves it open; containment speaks only where both reports state the figure.
    assert statuses(panel, code, "open") == (
        set() if IDENTITIES[code]["kind_code"] == "aggregate_containment" else {"not_assessable"}
    )


def figure(con: duckdb.DuckDBPyConnection, agency: str, metric: str, applicant: str = "total") -> tuple:
    (found,) = answer(
        con,
        "select value, source_kind, value_status, printed_value_status, derivation_identity_code, reliability, "
        "choice_rule_code from marts.fct_metric_value as v join marts.dim_report as r using (report_id) "
        "where r.agency_name = ? and v.metric_code = ? and v.applicant_type_code = ?",
        f"北京市{agency}局",
        metric,
        applicant,
    ) or [(None,) * 7]
    return found


def test_a_blank_total_is_derived_and_its_blank_stays_visible(panel: duckdb.DuckDBPyConnection) -> None:
    derived = (Decimal(5), "derived", "number", "blank", "F19_OUTCOME_TOTAL")
    assert figure(panel, "总计空白", "outcome_total")[:5] == derived
    row = (Decimal(15), "derived", "number", "blank", "F19_APPLICANT_ROW_TOTAL")
    assert figure(panel, "总计列空白", "outcome_granted_full")[:5] == row
    group = (Decimal(5), "derived", "number", None, "F19_DENIED_GROUP")
    assert figure(panel, "总计空白", "outcome_denied")[:5] == group


def test_nothing_is_derived_that_another_identity_contradicts(panel: duckdb.DuckDBPyConnection) -> None:
    # 9 received, 5 closed and none carried over: the balance that the form prints would fail.
    assert figure(panel, "总计不符", "outcome_total")[:4] == (None, "table", "blank", "blank")
    # The parts do not add up to the printed total, so none of them makes a group.
    assert figure(panel, "分项不符", "outcome_denied") == (None,) * 7
    # A blank part is no zero.
    assert figure(panel, "分项空白", "outcome_denied") == (None,) * 7
    assert figure(panel, "分项空白", "outcome_unable")[:2] == (0, "derived")


def test_a_stated_group_is_never_derived_over(panel: duckdb.DuckDBPyConnection) -> None:
    stated = (Decimal(5), "narrative", "number", "number", None, "consistent", "only_one")
    assert figure(panel, "正文合计", "outcome_denied") == stated


def test_derived_figures_stand_in_the_wide_tables_once(panel: duckdb.DuckDBPyConnection) -> None:
    assert answer(
        panel,
        "select outcome_total, outcome_denied, derived_count from marts.rpt_requests_yearly where agency_name = ?",
        "北京市总计空白局",
    ) == [(Decimal(5), Decimal(5), 4)]


@pytest.mark.parametrize(
    ("agency", "status", "reading"),
    [
        ("收办口径", "holds", "new_and_carried_over"),
        ("办结口径", "holds", "closed"),
        ("口径不明", "fails", None),
        ("转载", "fails", None),
    ],
)
def test_the_text_says_how_it_counts(
    panel: duckdb.DuckDBPyConnection, agency: str, status: str, reading: str | None
) -> None:
    assert answer(
        panel,
        "select c.status, c.matched_reading_code from marts.fct_identity_check as c "
        "join marts.dim_report as r using (report_id) "
        "where c.identity_code = 'F19_NARR_RECEIVED' and r.agency_name = ?",
        f"北京市{agency}局",
    ) == [(status, reading)]


def test_a_correction_is_told_figure_by_figure_and_is_no_conflict(panel: duckdb.DuckDBPyConnection) -> None:
    changes = answer(
        panel,
        "select r.agency_name, v.metric_code, v.change_kind, cast(v.old_value as integer), "
        "cast(v.new_value as integer), v.old_value_status, v.new_value_status, v.version_number "
        "from marts.fct_report_revision as v "
        "join marts.dim_report as r on v.new_report_id = r.report_id order by v.metric_code",
    )
    who = "北京市更正局"
    assert changes == [
        (who, "outcome_other", "changed", 5, 6, "number", "number", 2),
        (who, "outcome_total", "changed", 5, 6, "number", "number", 2),
        (who, "procurement_projects", "removed", 7, None, "number", None, 2),
        (who, "requests_carried_over_in", "status_changed", 0, None, "number", "blank", 2),
        (who, "requests_received_new", "changed", 5, 6, "number", "number", 2),
        (who, "rules_published_total", "added", None, 1, None, "number", 2),
    ]
    conflicts = answer(
        panel,
        "select count(*) from marts.fct_value_conflict as c join marts.dim_report as r using (report_id) "
        "where r.agency_name = ?",
        who,
    )
    assert conflicts == [(0,)]
    rules = answer(
        panel,
        "select distinct r.agency_name, v.version_rule_code from marts.fct_metric_value as v "
        "join marts.dim_report as r using (report_id) where v.version_rule_code <> 'only_version' order by 1",
    )
    assert rules == [(who, "current_version"), ("北京市转载局", "deduplicated_copy")]


def test_a_renamed_metric_stops_the_build_with_the_identity_and_the_code(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name in ("seeds", "models", "macros", "tests/data"):
        shutil.copytree(PROJECT_ROOT / name, project / name)
    for name in ("dbt_project.yml", "profiles.yml", "selectors.yml"):
        shutil.copy(PROJECT_ROOT / name, project)
    metrics = project / "seeds" / "metrics.csv"
    text = metrics.read_text("utf-8")
    metrics.write_text(text.replace("\nrequests_concluded,", "\nrequests_closed,"), "utf-8")
    con = Warehouse(tmp_path / "wh").connect()
    create_raw(con)
    create_quality(con)
    con.close()
    seeds = ("identities", "identity_terms", "metrics", "form_metrics", "applicant_types")
    test = "assert_identity_terms_are_in_catalogue"
    code, said = dbt(tmp_path / "wh", "build", "--select", *seeds, "--exclude", "test_name:table_contract", cwd=project)
    assert code != 0
    assert f"Compilation Error in test {test}" in said
    assert 'identity N14_CONCLUDED_BY_TIMELINESS: no metric "requests_concluded" in metrics' in said
    assert "Traceback" not in said
