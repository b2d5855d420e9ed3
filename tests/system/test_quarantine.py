"""A report that is read too badly stays out, is told of, and comes back: by corrections, and by a better reader."""

from __future__ import annotations

import csv
import dataclasses
import os
import shutil
from pathlib import Path

import duckdb
import pytest

from loaders.cli import main
from loaders.dbt_build import _close_connections
from loaders.errors import UsageError
from loaders.model import DocumentReading, Hints, ValueStatus
from loaders.refresh import LoadRequest, run_load
from loaders.settings import Settings
from loaders.trace import Question, describe_trace, trace_figure
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse
from tests.loaders.readings import fake_reader

BODY = "丁县人民政府"
# Six of eight cells are printed with letters that look like digits; 10 = 1 + 2 + 3 + 4.
TEXT = (
    f"{BODY},2016,requests_received=1O,requests_received_in_person=0l,requests_received_fax=2,"
    "requests_received_online=3,requests_received_letter=0q,proactive_items_total=1OO,"
    "proactive_via_website=0l,proactive_via_weibo=0O"
)
# What is quarantined, as the marts that a reader would ask tell it.
SELECT = ["+rpt_quarantine", "+rpt_correction", "+rpt_coverage", "+fct_metric_value", "+fct_identity_check"]
FIELDS = (PROJECT_ROOT / "seeds" / "corrections.csv").read_text("utf-8").strip().split(",")


def clumsy_reader(data: bytes, name: str, hints: Hints | None) -> DocumentReading:
    """Cannot read a letter that looks like a digit: the cell is illegible."""
    return _read(data, name, hints, lambda text: None if set(text) & set("lOq") else text)


def better_reader(data: bytes, name: str, hints: Hints | None) -> DocumentReading:
    """Takes such a letter for the digit that it is."""
    return _read(data, name, hints, lambda text: text.translate(str.maketrans("lOq", "104")))


def _read(data: bytes, name: str, hints: Hints | None, understand) -> DocumentReading:
    text = data.decode()
    if not text.startswith(BODY):
        return fake_reader(data, name, hints)
    cells = dict(cell.split("=") for cell in text.strip().split(",")[2:])
    digits = {code: understand(printed) for code, printed in cells.items()}
    clean = ",".join([BODY, "2016", *(f"{code}={value or 0}" for code, value in digits.items())])
    reading = fake_reader(clean.encode(), name, hints)
    (report,) = reading.reports
    rows = tuple(
        dataclasses.replace(row, value_raw=cells[row.metric_code], snippet=f"{row.label_raw} {cells[row.metric_code]}")
        if digits[row.metric_code] is not None
        else dataclasses.replace(
            row, value_raw=cells[row.metric_code], value=None, value_status=ValueStatus.ILLEGIBLE, snippet=row.label_raw
        )
        for row in report.metric_rows
    )
    return dataclasses.replace(reading, reports=(dataclasses.replace(report, metric_rows=rows),))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what dbt builds from, with a register of corrections of its own."""
    copy = tmp_path / "project"
    for name in ("models", "macros", "seeds", "tests/data", "analyses"):
        shutil.copytree(PROJECT_ROOT / name, copy / name)
    for name in ("dbt_project.yml", "profiles.yml", "selectors.yml"):
        shutil.copy(PROJECT_ROOT / name, copy)
    monkeypatch.setattr("loaders.dbt_build.PROJECT_ROOT", copy)
    return copy


def correct(project: Path, monkeypatch: pytest.MonkeyPatch, *corrections: dict[str, object]) -> None:
    """Write the register; another register is other code."""
    with (project / "seeds" / "corrections.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(corrections)
    monkeypatch.setattr("loaders.refresh.build_fingerprint", lambda: f"corrections {corrections}")


def build(project: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The marts that the test asks, without their tests."""
    from dbt.cli.main import dbtRunner

    monkeypatch.setenv("GONGKAI_WAREHOUSE", str(warehouse.root))
    target = warehouse.dbt_target
    arguments = ["--quiet", "build", "--select", *SELECT, "--exclude", "resource_type:test", "resource_type:unit_test"]
    arguments += ["--project-dir", str(project), "--profiles-dir", str(project)]
    done = dbtRunner().invoke([*arguments, "--target-path", str(target), "--log-path", str(target / "logs")])
    _close_connections()
    monkeypatch.delenv("GONGKAI_WAREHOUSE")
    assert done.success, done.exception


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def ask(file: Path, query: str, *parameters: object) -> list[tuple]:
    con = duckdb.connect(str(file), read_only=True)
    try:
        return con.execute(query, list(parameters)).fetchall()
    finally:
        con.close()


def correction(number: int, document_id: str, metric_code: str, printed: str, value: int) -> dict[str, object]:
    return {
        "correction_id": f"C{number}",
        "document_id": document_id,
        "report_year": 2016,
        "metric_code": metric_code,
        "expected_value_raw": printed,
        "new_value": value,
        "new_value_status": "number",
        "correction_kind": "misread",
        "reason": "letters were read for digits",
        "evidence": "the page shows digits",
        "author": "a test",
        "corrected_date": "2026-03-01",
    }


def test_a_misread_report_is_left_out_and_comes_back(
    refreshed: Warehouse, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work = refreshed.work_file
    monkeypatch.setattr("loaders.load._project_reader", lambda: clumsy_reader)
    source = refreshed.root.parent / "in" / "丁.txt"
    source.write_text(TEXT, "utf-8")
    run_load(Settings(refreshed, quiet=True), LoadRequest((str(source),)))
    ((document_id, report_id),) = ask(
        work, "select document_id, report_id from raw.reports where agency_name = ?", BODY
    )

    # Six of eight cells are illegible: the report is out, with its reason and the first such cell.
    build(project, refreshed, monkeypatch)
    quarantine = "select agency_name, rule_code, met_count, assessed_count, evidence, speaking_report_id, remedy_en"
    ((name, rule, met, assessed, evidence, speaking, remedy),) = ask(work, f"{quarantine} from marts.rpt_quarantine")
    assert (name, rule, met, assessed, speaking) == (BODY, "cells_illegible", 6, 8, None)
    assert evidence == "（一）收到申请数"
    assert "corrections.csv" in remedy
    state = "select exclusion_reason, is_in_facts from marts.dim_report where report_id = ?"
    assert ask(work, state, report_id) == [("quarantined", False)]
    coverage = "select status, quarantined_count from marts.rpt_coverage join marts.dim_agency using (agency_key) "
    coverage += "where dim_agency.agency_name = ? and report_year = 2016"
    assert ask(work, coverage, BODY) == [("quarantined", 1)]
    for table in ("fct_metric_value", "fct_identity_check"):
        assert ask(work, f"select count(*) from marts.{table} where report_id = ?", report_id) == [(0,)]

    con = duckdb.connect(str(work), read_only=True)
    with pytest.raises(UsageError, match="in quarantine"):
        trace_figure(con, Question(BODY, 2016, "requests_received"))
    con.close()

    # Two cells are looked up: four are left, fewer than the rule asks for. The third names a document elsewhere.
    looked_up = (
        correction(1, document_id, "requests_received", "1O", 10),
        correction(2, document_id, "requests_received_in_person", "0l", 1),
    )
    correct(project, monkeypatch, *looked_up, correction(3, "0" * 64, "requests_received", "1O", 10))
    assert run("refresh", "--warehouse", refreshed.root) == 0, capsys.readouterr().err
    release = refreshed.current_release()
    assert release is not None
    published = release / "warehouse.duckdb"
    figures = "select metric_code, value, value_raw, value_status, correction_id from marts.fct_metric_value "
    figures += "where report_id = ? and correction_id is not null order by 1"
    assert ask(published, figures, report_id) == [
        ("requests_received", 10, "1O", "number", "C1"),
        ("requests_received_in_person", 1, "0l", "number", "C2"),
    ]
    assert ask(published, state, report_id) == [(None, True)]
    assert ask(published, coverage, BODY) == [("had", 0)]
    assert ask(published, "select count(*) from marts.rpt_quarantine") == [(0,)]
    register = "select correction_id, status, is_in_facts from marts.rpt_correction order by 1"
    assert ask(published, register) == [
        ("C1", "applied", True),
        ("C2", "applied", True),
        ("C3", "document_not_loaded", False),
    ]
    con = duckdb.connect(str(published), read_only=True)
    said = describe_trace(trace_figure(con, Question(BODY, 2016, "requests_received")))
    con.close()
    assert "printed   '1O'" in said
    assert "corrected from illegible to 10: letters were read for digits (C1)" in said

    # A better reader reads the cells: what the corrections expect is no longer there, and nobody may overlook it.
    monkeypatch.setattr("loaders.load._project_reader", lambda: better_reader)
    monkeypatch.setattr("loaders.load.LOADER_VERSION", "better loaders of the tests")
    assert run("reread", "--warehouse", refreshed.root) == 0
    assert "outdated 6 = loaded 5 + rejected 1 + changed 0 + gone 0" in capsys.readouterr().out
    before = (os.readlink(refreshed.current), published.stat().st_mtime_ns)
    assert run("refresh", "--warehouse", refreshed.root) == 4
    error = capsys.readouterr().err
    assert "nothing was published" in error
    assert "correction_id=C1, status=stale" in error
    assert "expected_value_raw=1O, expected_value=None, met_value_raw=1O, met_value=10" in error
    assert "remove the correction or renew what it expects" in error
    assert "C3" not in error
    assert "Traceback" not in error
    assert (os.readlink(refreshed.current), published.stat().st_mtime_ns) == before

    # Without them the report speaks as it is read now.
    correct(project, monkeypatch)
    build(project, refreshed, monkeypatch)
    assert ask(work, state, report_id) == [(None, True)]
    assert ask(work, "select count(*) from marts.rpt_quarantine") == [(0,)]
    values = "select value from marts.fct_metric_value where report_id = ? and metric_code = 'requests_received'"
    assert ask(work, values, report_id) == [(10,)]
    sums = (
        "select status from marts.fct_identity_check where report_id = ? and identity_code = 'N14_RECEIVED_BY_CHANNEL'"
    )
    assert ask(work, sums, report_id) == [("holds",)]
