"""The validation reports: every rule and every failing identity, in the structure that is documented."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from loaders.checks import load_suites
from loaders.refresh import run_check
from loaders.settings import Settings
from loaders.validation import (
    IDENTITIES_FILE,
    REPORT_FILE,
    Validation,
    last_event,
    suite_entries,
    write_validation,
)
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse

SCHEMA = json.loads((PROJECT_ROOT / "docs" / "validation_report.schema.json").read_text("utf-8"))
Entries = list[dict[str, Any]]


def refuse(entries: Entries) -> list[str]:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(entries)]


def read(folder: Path) -> tuple[Entries, Entries]:
    lines = (folder / IDENTITIES_FILE).read_text("utf-8").splitlines()
    return json.loads((folder / REPORT_FILE).read_text("utf-8")), [json.loads(line) for line in lines]


def write(warehouse: Warehouse, folder: Path, *changes: str) -> tuple[Entries, Entries]:
    con = warehouse.connect()
    for change in changes:
        con.execute(change)
    layers = ("raw", "marts")
    write_validation(con, folder, Validation(last_event(con, "marts"), suite_entries(con, layers)))
    con.close()
    return read(folder)


def test_a_release_says_what_was_judged_of_it(refreshed: Warehouse) -> None:
    release = refreshed.current_release()
    assert release is not None
    entries, lines = read(release)
    assert refuse(entries) == []
    assert refuse(lines) == []
    judged = [entry["gongkai"]["rule_id"] for entry in entries if entry["type"] == "validation"]
    rules = [rule.rule_id for layer in ("raw", "marts") for suite in load_suites(layer) for rule in suite.expectations]
    assert sorted(judged) == sorted(rules)
    assert len({entry["id"] for entry in entries + lines}) == len(entries) + len(lines)
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    assert {REPORT_FILE, IDENTITIES_FILE} <= {file["path"] for file in manifest["files"]}
    (event,) = {json.dumps(entry["event"]) for entry in entries if entry["gongkai"]["level"] == "marts"}
    assert manifest["run_id"] in event


def test_each_check_leaves_a_report_of_its_layer(refreshed: Warehouse) -> None:
    con = refreshed.connect()
    con.execute("update raw.metric_rows set snippet = '  '")
    con.execute("alter table raw.issues rename column message to said")
    con.close()
    before = (refreshed.validation / "marts.json").read_bytes()
    with pytest.raises(Exception, match="nothing was published"):
        run_check(Settings(refreshed, quiet=True), "raw", 0)
    assert (refreshed.validation / "marts.json").read_bytes() == before
    entries = json.loads((refreshed.validation / "raw.json").read_text("utf-8"))
    assert refuse(entries) == []
    by_rule = {entry["gongkai"]["rule_id"]: entry for entry in entries}
    broken = by_rule["snippet_present"]
    assert (broken["value"], broken["rule"]["severity"]) == ("0", "error")
    assert broken["gongkai"]["unexpected_count"] == 24
    assert broken["data"]["target"][0][0] == "raw.metric_rows"
    assert "snippet" in broken["rule"]["expression"]
    unknown = by_rule["issue_message_present"]
    assert (unknown["value"], unknown["gongkai"]["outcome"]) == ("NA", "not_evaluated")
    assert by_rule["document_id_is_sha256"]["value"] == "1"


def test_every_identity_that_fails_has_a_line_and_no_other(refreshed: Warehouse, tmp_path: Path) -> None:
    con = refreshed.connect(read_only=True)
    checks = con.execute(
        "select identity_check_key, report_id, identity_code, metric_code from marts.fct_identity_check "
        "where status = 'holds' and severity = 'error' order by 1"
    ).fetchall()
    con.close()
    (key, report_id, code, metric), *others = checks
    open_key = next(other for other, _, found, _ in others if found == code)
    entries, lines = write(
        refreshed,
        tmp_path,
        "update marts.fct_identity_check set status = 'fails', left_value = 3, right_value = 5 "
        f"where identity_check_key = '{key}'",
        f"update marts.fct_identity_check set status = 'not_assessable' where identity_check_key = '{open_key}'",
        "insert into marts.rpt_source_inconsistency by name select 'said' as finding_key, report_id, document_id, "
        "agency_key, agency_id, 'contradiction' as finding_kind, 'narrative_vs_table' as kind_code, "
        "'warn' as severity, '=' as relation, 'requests_received' as metric_code, "
        "'not_applicable' as applicant_type_code, "
        "'正文＝表格' as statement_zh, 'text = table' as statement_en, report_year, 1 as left_value, 2 as right_value, "
        f"-1 as delta from marts.dim_report where report_id = '{report_id}'",
    )
    assert refuse(entries) == []
    assert refuse(lines) == []
    failed, said = sorted(lines, key=lambda line: line["gongkai"]["rule_id"] == "NARRATIVE_CONTRADICTS_TABLE")
    assert len(lines) == 2
    assert failed["id"].endswith(f"/{key}")
    assert (failed["rule"]["severity"], failed["value"]) == ("error", "0")
    assert (failed["gongkai"]["rule_id"], failed["gongkai"]["object"]) == (code, f"report {report_id}")
    assert (failed["gongkai"]["left_value"], failed["gongkai"]["right_value"]) == ("3.0000", "5.0000")
    assert failed["data"]["target"][0][3] == metric
    assert failed["data"]["target"][0] in failed["data"]["source"]
    assert len(failed["data"]["source"]) > 1
    assert (said["rule"]["severity"], said["data"]["target"][0][3]) == ("warning", "requests_received")
    totals = {entry["gongkai"]["rule_id"]: entry for entry in entries if entry["type"] == "aggregation"}
    holds = sum(found == code for _, _, found, _ in checks) - 2
    counts = [totals[code]["gongkai"][f"{name}_count"] for name in ("holds", "fails", "not_assessable")]
    assert counts == [holds, 1, 1]
    assert holds > 0
    assert totals[code]["value"] == f"{holds / (holds + 1):.6f}"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda entry: entry.pop("value"),
        lambda entry: entry.update(value=1),
        lambda entry: entry.update(value="2"),
        lambda entry: entry["rule"].update(severity="critical"),
        lambda entry: entry["rule"].pop("expression"),
        lambda entry: entry["event"].update(time="yesterday"),
        lambda entry: entry["data"].update(target=["raw.documents"]),
        lambda entry: entry["data"].update(source=[]),
        lambda entry: entry["gongkai"].pop("outcome"),
        lambda entry: entry.update(more="words"),
    ],
)
def test_the_schema_refuses_what_is_not_of_the_structure(
    refreshed: Warehouse, spoil: Callable[[dict[str, Any]], object]
) -> None:
    entries = json.loads((refreshed.validation / "raw.json").read_text("utf-8"))
    assert refuse(entries[:1]) == []
    spoiled = copy.deepcopy(entries[:1])
    spoil(spoiled[0])
    assert refuse(spoiled) != []


def test_the_page_names_every_field(refreshed: Warehouse) -> None:
    page = (PROJECT_ROOT / "docs" / "validation_exchange.md").read_text("utf-8")
    names = {name for part in SCHEMA["$defs"].values() for name in part.get("properties", {})}
    assert {name for name in names if f"`{name}`" not in page} == set()
