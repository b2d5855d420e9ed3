"""A panel of reports with planted facts: 300 bodies, twelve years, three forms.

In: nothing but the seeds. Out: a :class:`Panel`: what every report prints, and what was planted in it; and
:func:`write_raw`, which stages it into the raw tables as the loaders would. Bodies are 25 counties and districts with
a government that speaks for its area and eleven departments each, and bodies of the registry that were renamed in
these years. Figures are invented. Pure: no clock, no chance beyond a fixed seed.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from loaders.vocabulary import load_vocabulary, read_seed
from tests.panel.figures import Figures, Key, fill, total
from tests.panel.oracle import Printed

if TYPE_CHECKING:
    import duckdb

YEARS = tuple(range(2014, 2026))
DEPARTMENTS = (
    "教育局",
    "民政局",
    "司法局",
    "财政局",
    "审计局",
    "统计局",
    "信访局",
    "水务局",
    "商务局",
    "林业局",
    "气象局",
)
AREA_COUNT = 25
LOADED_AT = datetime(2026, 3, 1, 12)
CORRECTED_AT = datetime(2026, 4, 1, 12)
_EMPTY: dict[Key, int] = {}


@dataclass(frozen=True, slots=True)
class Body:
    """A body: its name in each year, its division, the area it belongs to and whether it speaks for that area."""

    code: str
    names: Mapping[int, str]
    division_code: str | None = None
    area: str | None = None
    is_aggregate: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """One staged report; ``blank`` cells are printed without a figure."""

    report_id: str
    body: Body
    printed: Printed
    published_date: date | None
    loaded_at: datetime = LOADED_AT
    blank: frozenset[Key] = frozenset()
    is_rejected: bool = False

    @property
    def document_id(self) -> str:
        """The id of the document that holds this report alone."""
        return hashlib.sha256(self.report_id.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Fault:
    """A figure changed so that one identity fails."""

    report_id: str
    identity_code: str
    key: Key
    is_narrative: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A figure of a report that a later version prints otherwise."""

    old_report_id: str
    new_report_id: str
    metric_code: str
    applicant_type_code: str
    old_value: int
    new_value: int


@dataclass
class Panel:
    """All reports, and what was planted."""

    reports: dict[str, Report] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    copies: set[tuple[str, str]] = field(default_factory=set)
    missing: set[tuple[str, int]] = field(default_factory=set)
    unreadable: set[tuple[str, int]] = field(default_factory=set)
    late: dict[str, int] = field(default_factory=dict)
    undated: set[str] = field(default_factory=set)
    derived: dict[tuple[str, str, str], int] = field(default_factory=dict)
    readings: dict[str, set[str]] = field(default_factory=dict)

    @property
    def current(self) -> dict[str, Printed]:
        """What the versions that speak print, by report."""
        silent = {change.old_report_id for change in self.changes} | {copy for copy, _ in self.copies}
        return {
            r.report_id: replace(
                r.printed, table={key: value for key, value in r.printed.table.items() if key not in r.blank}
            )
            for r in self.reports.values()
            if r.report_id not in silent and not r.is_rejected
        }


def form_of(year: int) -> str:
    """The form that a panel's bodies use in a year."""
    return "nat2014" if year < 2019 else "fmt2019" if year < 2021 else "fmt2021"


@lru_cache(maxsize=1)
def lasting_areas() -> list[dict[str, str]]:
    """Counties and districts that kept name and code throughout, one of each province before the second of any."""
    rows = [dict(row) for row in read_seed("divisions")]
    full_names = Counter(row["full_name_zh"] for row in rows)
    turns: Counter[str] = Counter()
    found = []
    for row in rows:
        lasted = int(row["valid_from_year"]) <= YEARS[0] and not row["valid_to_year"]
        # Its full name must have meant nothing else in these years.
        if row["level_code"] == "county" and lasted and full_names[row["full_name_zh"]] == 1:
            turns[row["province_code"]] += 1
            found.append((turns[row["province_code"]], row["division_code"], row))
    return [row for *_, row in sorted(found, key=lambda item: item[:2])]


@lru_cache(maxsize=1)
def bodies() -> list[Body]:
    """The bodies of the panel."""
    found = []
    for row in lasting_areas()[:AREA_COUNT]:
        place, code = row["full_name_zh"], row["division_code"]
        named = [f"{place}人民政府", *(place + department for department in DEPARTMENTS)]
        found += [
            Body(f"{code}/{n}", dict.fromkeys(YEARS, name), code, code, is_aggregate=n == 0)
            for n, name in enumerate(named)
        ]
    return found + renamed_bodies()


def renamed_bodies() -> list[Body]:
    """Bodies of the registry whose name changed within the years of the panel."""
    spans: dict[str, list[dict[str, str]]] = {}
    for row in read_seed("agencies"):
        spans.setdefault(row["agency_id"], []).append(dict(row))
    found = []
    for agency_id, rows in spans.items():
        names = {
            year: row["agency_name"]
            for row in rows
            for year in YEARS
            if int(row["valid_from_year"] or 0) <= year <= int(row["valid_to_year"] or YEARS[-1])
        }
        if len(set(names.values())) > 1 and len(names) == len(YEARS):
            found.append(Body(agency_id, names))
    return found[:12]


def make_panel(seed: int = 2026) -> Panel:
    """The panel with everything planted."""
    panel = Panel()
    rng = random.Random(seed)
    by_area: dict[str, list[Body]] = {}
    for body in bodies():
        by_area.setdefault(body.area or body.code, []).append(body)
    for members in by_area.values():
        figures = {body.code: _history(body, random.Random(f"{seed}/{body.code}")) for body in members}
        for body in members:
            for year in YEARS:
                table = figures[body.code][year]
                if body.is_aggregate:
                    table = total(figures[other.code][year] for other in members)
                _add(panel, body, year, table)
    _plant(panel, rng)
    return panel


def make_clean_panel(area_count: int, years: Sequence[int], seed: int = 2026) -> Panel:
    """A smaller panel in which nothing is planted and no body has years far larger than its others."""
    panel = Panel()
    by_area: dict[str, list[Body]] = {}
    for body in bodies():
        if body.area:
            by_area.setdefault(body.area, []).append(body)
    for members in list(by_area.values())[:area_count]:
        figures = {b.code: _history(b, random.Random(f"{seed}/{b.code}"), years, top=20) for b in members}
        for body in members:
            for year in years:
                table = figures[body.code][year]
                if body.is_aggregate:
                    table = total(figures[other.code][year] for other in members)
                _add(panel, body, year, table)
    return panel


def _history(
    body: Body, rng: random.Random, years: Sequence[int] = YEARS, top: int | None = None
) -> dict[int, Figures]:
    history: dict[int, Figures] = {}
    for year in years:
        history[year] = fill(form_of(year), rng, history.get(year - 1, _EMPTY), top)
    return history


def _add(panel: Panel, body: Body, year: int, table: Figures) -> None:
    report_id = hashlib.sha256(f"{body.code}/{year}".encode()).hexdigest()[:16] + "-1"
    form_code = form_of(year)
    narrative: dict[Key, int] = {}
    if year % 3 == 0:
        names = {"nat2014": ("requests_received", "replies_total"), "fmt2019": ("requests_received_new",)}
        for metric in names.get(form_code, ("requests_received_new", "outcome_total", "reconsideration_total")):
            key = (metric, "total" if (metric, "total") in table else None)
            narrative[key] = table[key]
    printed = Printed(report_id, body.code, year, form_code, table, narrative, body.area, body.is_aggregate)
    panel.reports[report_id] = Report(report_id, body, printed, _published(body, year))


def _published(body: Body, year: int) -> date:
    """A date in time by any rule."""
    return date(year + 1, 1, 20) if not body.is_aggregate else date(year + 1, 3, 10)


# ---- what is planted


def _plant(panel: Panel, rng: random.Random) -> None:
    """Plant each fact in a body of its own, so that none hides another."""
    free = [b for b in bodies() if b.area and not b.is_aggregate]
    rng.shuffle(free)
    identities = [row for row in read_seed("identities") if row["form_code"] != "pre2014_local"]
    for identity in identities:
        _plant_fault(panel, free.pop(), identity["identity_code"], identity["form_code"])
    years = iter([year for year in YEARS[1:-1] for _ in range(12)])
    for _ in range(20):
        _plant_revision(panel, free.pop(), next(years), rng)
    for _ in range(15):
        _plant_copy(panel, free.pop(), next(years))
    for n in range(20):
        body, year = free.pop(), next(years)
        report_id = _id_of(body, year)
        old = panel.reports[report_id]
        if n < 10:
            del panel.reports[report_id]
            panel.missing.add((body.code, year))
        else:
            panel.reports[report_id] = replace(old, is_rejected=True)
            panel.unreadable.add((body.code, year))
    for n in range(20):
        body, year = free.pop(), next(years)
        report_id = _id_of(body, year)
        late_days = n + 1
        deadline = date(year + 1, 3, 31) if year < 2019 else date(year + 1, 1, 31)
        published = None if n >= 15 else date.fromordinal(deadline.toordinal() + late_days)
        panel.reports[report_id] = replace(panel.reports[report_id], published_date=published)
        if published is None:
            panel.undated.add(report_id)
        else:
            panel.late[report_id] = late_days
    for n in range(10):
        _plant_blank(panel, free.pop(), YEARS[1 + n])
    for year in (2019, 2020, 2022, 2024):
        for code in ("new_and_carried_over", "closed"):
            _plant_reading(panel, free.pop(), year, code)


def _id_of(body: Body, year: int) -> str:
    return hashlib.sha256(f"{body.code}/{year}".encode()).hexdigest()[:16] + "-1"


def _year_for(form_code: str, offsets: set[int]) -> int:
    """A year of a form such that the years a check looks at are there; carry-overs stay within the form."""
    years = [year for year in YEARS if form_of(year) == form_code]
    return years[-1] if -1 in offsets else years[0]


def _plant_fault(panel: Panel, body: Body, code: str, form_code: str) -> None:
    terms = [dict(term) for term in read_seed("identity_terms") if term["identity_code"] == code]
    kind, relation = next(
        (row["kind_code"], row["relation"]) for row in read_seed("identities") if row["identity_code"] == code
    )
    report_id = _id_of(body, _year_for(form_code, {int(term["year_offset"] or 0) for term in terms}))
    report = panel.reports[report_id]
    table, narrative = dict(report.printed.table), dict(report.printed.narrative)
    left = [term for term in terms if term["side"] == "left"]
    right = [term for term in terms if term["side"] == "right"]
    if kind == "aggregate_containment":
        key: Key = ("ogi_meetings" if form_code == "nat2014" else "licensing_decisions", None)
        whole = panel.reports[_id_of(_government(body), report.printed.year)].printed.table[key]
        table[key] = whole + 1
    elif kind == "narrative_vs_table":
        metric = "ogi_reading_points" if left[0]["metric_code"] == "*" else left[0]["metric_code"]
        key = _key(left[0], metric)
        # Both parts of a sum are stated.
        for term in left[1:]:
            narrative[_key(term)] = 0
        narrative[key] = 10_007 + sum(_printed(table, _key(term, metric)) for term in right)
    elif relation == "<=":
        key = _key(left[0])
        for term in right:
            table.setdefault(_key(term), 0)
        table[key] = 1 + sum(int(term["sign"]) * table[_key(term)] for term in right)
    else:
        term = next((t for t in left if int(t["year_offset"] or 0) == 0), right[0])
        wild = "licensing_decisions" if form_code == "nat2014" else "outcome_total"
        key = _key(term, wild)
        parts = [_key(other, wild) for other in right]
        # What the national variant does not print is printed here, and adds up but for one.
        if key not in table or not table.keys() >= set(parts) - {key}:
            for part in parts:
                table.setdefault(part, 0)
            table[key] = sum(table[part] for part in parts)
        table[key] += 1
    panel.reports[report_id] = replace(report, printed=replace(report.printed, table=table, narrative=narrative))
    panel.faults.append(Fault(report_id, code, key, kind == "narrative_vs_table"))


def _government(body: Body) -> Body:
    return next(other for other in bodies() if other.area == body.area and other.is_aggregate)


def _key(term: Mapping[str, str], wildcard: str | None = None) -> Key:
    metric = wildcard if term["metric_code"] == "*" and wildcard else term["metric_code"]
    has_applicant = load_vocabulary().metrics[metric].has_applicant_type
    return metric, (term["applicant_type_code"] or "total") if has_applicant else None


def _printed(table: Mapping[Key, int], key: Key) -> int:
    """A printed cell, or what a group without one comes to at most."""
    stem = key[0]
    return table.get(
        key, sum(value for (metric, kind), value in table.items() if metric.startswith(stem) and kind == key[1])
    )


def _plant_revision(panel: Panel, body: Body, year: int, rng: random.Random) -> None:
    new = panel.reports[_id_of(body, year)]
    old_id = new.report_id.removesuffix("-1") + "-0"
    table = dict(new.printed.table)
    metrics = ("ogi_meetings", "complaints_total") if year < 2019 else ("licensing_decisions", "penalty_decisions")
    for metric in metrics:
        table[metric, None] += rng.randint(1, 9)
        panel.changes.append(
            Change(
                old_id, new.report_id, metric, "not_applicable", table[metric, None], new.printed.table[metric, None]
            )
        )
    panel.reports[old_id] = replace(new, report_id=old_id, printed=replace(new.printed, report=old_id, table=table))
    panel.reports[new.report_id] = replace(new, loaded_at=CORRECTED_AT)


def _plant_copy(panel: Panel, body: Body, year: int) -> None:
    original = panel.reports[_id_of(body, year)]
    stem = original.report_id.removesuffix("-1")
    # Of copies the one whose document has the smaller id speaks.
    copy_id = next(
        copy_id
        for copy_id in (f"{stem}-{number}" for number in itertools.count(2))
        if hashlib.sha256(copy_id.encode()).hexdigest() > original.document_id
    )
    panel.reports[copy_id] = replace(
        original, report_id=copy_id, printed=replace(original.printed, report=copy_id), loaded_at=datetime(2026, 2, 1)
    )
    panel.copies.add((copy_id, original.report_id))


def _plant_blank(panel: Panel, body: Body, year: int) -> None:
    """A total left blank that an identity of its form determines."""
    report = panel.reports[_id_of(body, year)]
    metric, applicant = {
        "nat2014": ("replies_total", None),
        "fmt2019": ("reconsideration_total", None),
        "fmt2021": ("outcome_total", "legal_other"),
    }[report.printed.form_code]
    # What a sentence states is not derived.
    printed = replace(report.printed, narrative={})
    panel.reports[report.report_id] = replace(report, printed=printed, blank=frozenset({(metric, applicant)}))
    value = report.printed.table[metric, applicant]
    panel.derived[report.report_id, metric, applicant or "not_applicable"] = value


def _plant_reading(panel: Panel, body: Body, year: int, code: str) -> None:
    """A sentence that counts the requests received in another way than the table does."""
    report = panel.reports[_id_of(body, year)]
    key = ("requests_received_new", "total")
    carried = report.printed.table["requests_carried_over_in", "total"]
    ways = {
        "new_and_carried_over": report.printed.table[key] + carried,
        "closed": report.printed.table["outcome_total", "total"],
    }
    printed = replace(report.printed, narrative={**report.printed.narrative, key: ways[code]})
    panel.reports[report.report_id] = replace(report, printed=printed)
    panel.readings[report.report_id] = {way for way, value in ways.items() if value == ways[code]} | (
        {"new"} if ways[code] == report.printed.table[key] else set()
    )


# ---- into the raw tables


def write_raw(con: duckdb.DuckDBPyConnection, panel: Panel) -> None:
    """Stage a panel as the loaders stage what they read."""
    import polars as pl

    from loaders.builds import create_quality
    from loaders.staging import create_raw

    create_raw(con)
    create_quality(con)
    for name, rows in raw_rows(panel).items():
        columns = [column[0] for column in con.execute(f"select * from raw.{name} limit 0").description or ()]
        con.register("panel_frame", pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None))
        con.execute(f"insert into raw.{name} by name select * from panel_frame")
        con.unregister("panel_frame")


def raw_rows(panel: Panel) -> dict[str, list[tuple[Any, ...]]]:
    """The raw rows of a panel: documents, reports and metric rows, in the order of their columns."""
    reports = list(panel.reports.values())
    return {
        "documents": [_document(r) for r in reports],
        "reports": [_report(r) for r in reports],
        "metric_rows": [row for r in reports if not r.is_rejected for row in _metric_rows(r)],
    }


def _document(report: Report) -> tuple[Any, ...]:
    status, code = ("rejected", "no_figures") if report.is_rejected else ("loaded", None)
    uri = f"panel/{report.report_id}.html"
    version = ("panel", "panel-run", report.loaded_at)
    return (report.document_id, uri, "text/html", 1000, "simplified", status, code, *version)


def _report(report: Report) -> tuple[Any, ...]:
    body, year = report.body, report.printed.year
    name = body.names[year]
    scope = "area_aggregate" if body.is_aggregate else "own"
    title = f"{name}{year}年政府信息公开工作年度报告"
    period = (date(year, 1, 1), date(year, 12, 31))
    form_code = report.printed.form_code
    start = (report.report_id, report.document_id, name, [], name, year, form_code, scope, title)
    return (*start, report.published_date, *period, None, body.division_code)


def _metric_rows(report: Report) -> Iterator[tuple[Any, ...]]:
    metrics = load_vocabulary().metrics
    number = 0
    sources = (("table", report.printed.table), ("narrative", report.printed.narrative))
    for source_kind, figures in sources:
        for (metric, applicant), value in figures.items():
            number += 1
            is_blank = source_kind == "table" and (metric, applicant) in report.blank
            label, printed = metrics[metric].label_zh, "" if is_blank else str(value)
            place = f"line {number}, chars 1-9"
            place += f", table 1 row {number} column 2" if source_kind == "table" else ""
            yield (
                f"{report.report_id}-{number:05}",
                report.report_id,
                source_kind,
                metric,
                applicant,
                label,
                applicant,
                printed,
                None if is_blank else value,
                "blank" if is_blank else "number",
                False,
                metrics[metric].unit,
                None,
                place,
                f"{label}{printed}",
                "exact" if source_kind == "table" else "phrase",
                100.0,
                False,
                None,
                None,
            )


def write_run(con: duckdb.DuckDBPyConnection) -> None:
    """Record the run that staged the panel, with the documents that stand there now."""
    con.execute("delete from raw.runs where run_id = 'panel-run'")
    con.execute(
        "insert into raw.runs select 'panel-run', 'load', ?, ?, 'done', count(*), "
        "count(*) filter (where status = 'loaded'), 0, count(*) filter (where status = 'rejected'), 'panel', '{}' "
        "from raw.documents",
        [LOADED_AT, LOADED_AT],
    )


def multiply_raw(con: duckdb.DuckDBPyConnection, copies: int) -> None:
    """Repeat the staged panel in further areas until it stands there ``copies`` times."""
    import polars as pl

    rows = lasting_areas()
    moves = pl.DataFrame(
        [
            (n, old["division_code"], new["division_code"], old["full_name_zh"], new["full_name_zh"])
            for n in range(1, copies)
            for old, new in zip(rows[:AREA_COUNT], rows[n * AREA_COUNT : (n + 1) * AREA_COUNT], strict=True)
        ],
        schema=["copy", "old_code", "new_code", "old_name", "new_name"],
        orient="row",
    )
    con.register("moves", moves)
    con.execute(
        "create temp table moved as select m.*, r.report_id, r.document_id from moves m "
        "join raw.reports r on r.division_code = m.old_code"
    )
    con.unregister("moves")
    renamed = "replace({}, old_name, new_name) as {}"
    names = ", ".join(renamed.format(name, name) for name in ("agency_name", "agency_name_raw", "title"))
    con.execute(
        "insert into raw.documents by name select d.* replace (m.document_id || '-' || copy as document_id, "
        "source_uri || '-' || copy as source_uri) from raw.documents d join moved m using (document_id)"
    )
    con.execute(
        "insert into raw.metric_rows by name select t.* replace (metric_row_id || '-' || copy as metric_row_id, "
        "m.report_id || '-' || copy as report_id) from raw.metric_rows t join moved m using (report_id)"
    )
    con.execute(
        f"insert into raw.reports by name select r.* replace (m.report_id || '-' || copy as report_id, "
        f"m.document_id || '-' || copy as document_id, {names}, new_code as division_code) "
        "from raw.reports r join moved m using (report_id)"
    )
    con.execute("drop table moved")
