"""The data package of a whole release, judged by the library of its makers, and the dictionary."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import yaml
from frictionless import Package
from selectolax.lexbor import LexborHTMLParser

from loaders.dictionary import read_dictionary
from loaders.package import PACKAGE_FILES, Imprint, describe_package
from loaders.warehouse import RELEASE_FILE, Warehouse, open_duckdb


def problems(release: Path) -> list[tuple[str, str]]:
    report = Package(str(release / "datapackage.json")).validate()
    found = [(task.name, error.type) for task in report.tasks for error in task.errors]
    return found + [("package", error.type) for error in report.errors]


def test_the_package_and_its_data_are_valid(refreshed: Warehouse) -> None:
    release = refreshed.current_release()
    assert release is not None
    assert problems(release) == []
    package = json.loads((release / "datapackage.json").read_text("utf-8"))
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    rows = {f"marts.{resource['name']}": resource["rows"] for resource in package["resources"]}
    assert rows == {name: count for name, count in manifest["table_rows"].items() if name.startswith("marts.")}
    sums = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
    assert all(resource["hash"] == f"sha256:{sums[resource['path']]}" for resource in package["resources"])
    assert all(resource["schema"].get("primaryKey") for resource in package["resources"])
    keys = {resource["name"]: resource["schema"].get("foreignKeys", []) for resource in package["resources"]}
    assert {"fields": ["report_id"], "reference": {"resource": "dim_report", "fields": ["report_id"]}} in keys[
        "fct_metric_value"
    ]
    (reliability,) = (
        field["constraints"]
        for resource in package["resources"]
        if resource["name"] == "fct_metric_value"
        for field in resource["schema"]["fields"]
        if field["name"] == "reliability"
    )
    assert reliability["required"]
    assert "source_inconsistent" in reliability["enum"]


@pytest.mark.parametrize(
    ("table", "old", "new", "kinds"),
    [
        ("dim_applicant_type", "natural_person", "", {"hash-count", "constraint-error", "foreign-key"}),
        ("dim_year", "\n2015,", "\nabc,", {"type-error", "foreign-key"}),
        ("dim_form", "nat2014", "nat2015", {"hash-count", "foreign-key"}),
    ],
)
def test_data_that_break_the_schema_are_noticed(
    refreshed: Warehouse, tmp_path: Path, table: str, old: str, new: str, kinds: set[str]
) -> None:
    release = tmp_path / "release"
    release.mkdir()
    for name in ("csv", "datapackage.json"):
        source = refreshed.current / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, release / name)
    path = release / "csv" / f"{table}.csv"
    path.chmod(0o644)
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    assert kinds & {kind for _, kind in problems(release)}


def test_every_mart_and_column_is_named_and_explained_in_both_languages(refreshed: Warehouse) -> None:
    con = open_duckdb(refreshed.current / RELEASE_FILE, read_only=True)
    tables = read_dictionary(con)
    con.close()
    assert len(tables) > 25
    for table in tables:
        assert table.key, table.name
        for texts in (table.title, table.about, *(t for c in table.columns for t in (c.label, c.about))):
            assert texts.zh.strip(), table.name
            assert texts.en.strip(), table.name
        assert table.title.zh != table.name
        for column in table.columns:
            assert any("\u4e00" <= sign <= "\u9fff" for sign in column.label.zh), (table.name, column.name)
            assert any("\u4e00" <= sign <= "\u9fff" for sign in column.about.zh), (table.name, column.name)
            assert column.label.en != column.name, (table.name, column.name)
    with (refreshed.current / "dictionary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["table_name"], row["column_name"]) for row in rows] == [
        (table.name, column.name) for table in tables for column in table.columns
    ]
    (unit,) = (row["unit"] for row in rows if row["column_name"] == "requests_received")
    assert unit == "件"


def test_a_release_can_be_cited_and_found(refreshed: Warehouse) -> None:
    release = refreshed.current_release()
    assert release is not None
    citation = yaml.safe_load((release / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "date-released", "license"} <= citation.keys()
    assert (citation["type"], citation["version"]) == ("dataset", release.name)
    dataset = json.loads((release / "dataset.jsonld").read_text("utf-8"))
    assert (dataset["@type"], dataset["version"], dataset["temporalCoverage"]) == ("Dataset", release.name, "2015/2016")
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    sums = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
    assert {part["contentUrl"]: part["sha256"] for part in dataset["distribution"]}.items() <= sums.items()
    assert {"warehouse.duckdb", "csv/dim_report.csv", "xlsx/dim_report.xlsx", "parquet/dim_report.parquet"} <= {
        part["contentUrl"] for part in dataset["distribution"]
    }
    index = LexborHTMLParser((release / "site" / "index.html").read_text("utf-8"))
    links = {link.attributes["href"] for link in index.css("a[href]")}
    for name in (*PACKAGE_FILES, "csv/", "xlsx/", "parquet/"):
        assert f"../{name}" in links
        assert (release / name).exists()


def test_a_table_of_one_file_a_year_is_not_referred_to(refreshed: Warehouse, tmp_path: Path) -> None:
    con = open_duckdb(refreshed.current / RELEASE_FILE, read_only=True)
    try:
        tables = read_dictionary(con)
    finally:
        con.close()
    parts = {}
    for table in tables:
        path = f"csv/{table.name}/2020.csv" if table.name == "dim_report" else f"csv/{table.name}.csv"
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
        parts[table.name] = [(path, 0)]
    package = describe_package(tmp_path, tables, parts, Imprint("r", "2020-01-01T00:00:00Z", "0", None, None))
    names = {resource["name"] for resource in package["resources"]}
    referred = {
        key["reference"]["resource"] or resource["name"]
        for resource in package["resources"]
        for key in resource["schema"].get("foreignKeys", [])
    }
    assert "dim_report-2020" in names
    assert "dim_agency" in referred
    assert referred <= names
