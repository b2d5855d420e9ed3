from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from loaders.columns import to_rows
from loaders.load import BATCH_DOCUMENTS, load_documents, reading_version
from loaders.model import Hints, ValueStatus
from loaders.runs import begin_run
from loaders.sources import list_documents
from loaders.staging import Staged, create_raw, stage
from loaders.version import LOADER_VERSION
from loaders.warehouse import Warehouse
from tests.loaders.readings import fake_reader, make_reading, make_report, make_row

NOW = datetime(2026, 1, 2, 3, 4, 5)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = Warehouse(tmp_path / "wh").connect()
    create_raw(connection)
    yield connection
    connection.close()


def put(con: duckdb.DuckDBPyConnection, *readings) -> None:
    stage(con, [Staged(to_rows(reading), "v1") for reading in readings], run_id="r1", loaded_at=NOW)


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return con.execute(query).fetchall()


def load(con: duckdb.DuckDBPyConnection, *sources: Path, **options):
    return load_documents(
        con, list_documents([str(s) for s in sources]), run_id=begin_run(con, "load"), reader=fake_reader, **options
    )


def snapshot(con: duckdb.DuckDBPyConnection) -> list[list[tuple]]:
    return [
        rows(con, f"select * from raw.{t} order by all")
        for t in ("documents", "reports", "metric_rows", "issues", "attachments")
    ]


def test_the_raw_tables_have_the_contracted_columns(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "select table_name, string_agg(column_name || ' ' || data_type, ', ' order by column_index) "
        "from duckdb_columns() where schema_name = 'raw' group by 1 order by 1",
    )
    assert dict(found) == {
        "documents": "document_id VARCHAR, source_uri VARCHAR, media_type VARCHAR, byte_count BIGINT, script VARCHAR, "
        "status VARCHAR, reject_code VARCHAR, loader_version VARCHAR, run_id VARCHAR, loaded_at TIMESTAMP",
        "reports": "report_id VARCHAR, document_id VARCHAR, agency_name VARCHAR, co_agency_names VARCHAR[], "
        "agency_name_raw VARCHAR, report_year INTEGER, form_code VARCHAR, scope VARCHAR, title VARCHAR, "
        "published_date DATE, period_start_date DATE, period_end_date DATE, table_year INTEGER, "
        "division_code VARCHAR",
        "metric_rows": "metric_row_id VARCHAR, report_id VARCHAR, source_kind VARCHAR, metric_code VARCHAR, "
        "applicant_type VARCHAR, label_raw VARCHAR, column_label_raw VARCHAR, value_raw VARCHAR, "
        "value DECIMAL(20,4), value_status VARCHAR, is_approximate BOOLEAN, unit VARCHAR, page_number INTEGER, "
        "locator VARCHAR, snippet VARCHAR, match_method VARCHAR, match_score DOUBLE, is_read_by_ocr BOOLEAN, "
        "second_reading VARCHAR, second_value DECIMAL(20,4)",
        "attachments": "document_id VARCHAR, attachment_number INTEGER, url VARCHAR, label VARCHAR",
        "issues": "document_id VARCHAR, report_id VARCHAR, severity VARCHAR, issue_code VARCHAR, message VARCHAR, "
        "locator VARCHAR",
        "runs": "run_id VARCHAR, command VARCHAR, started_at TIMESTAMP, ended_at TIMESTAMP, status VARCHAR, "
        "seen_count BIGINT, loaded_count BIGINT, unchanged_count BIGINT, rejected_count BIGINT, "
        "loader_version VARCHAR, versions VARCHAR",
    }


def test_a_reading_becomes_rows_with_their_ids(con: duckdb.DuckDBPyConnection) -> None:
    reading = make_reading(b"d", (make_report(rows=(make_row(), make_row(value="25.1"))), make_report("乙", 2018)))
    put(con, reading)
    short = reading.document_id[:16]
    assert rows(con, "select report_id, agency_name, co_agency_names from raw.reports order by 1") == [
        (f"{short}-1", "某县人民政府", []),
        (f"{short}-2", "乙", []),
    ]
    assert rows(con, "select metric_row_id, value, locator from raw.metric_rows order by 1") == [
        (f"{short}-1-00001", Decimal("3.0000"), "line 2, chars 10-12, table 1 row 3 column 2"),
        (f"{short}-1-00002", Decimal("25.1000"), "line 2, chars 10-12, table 1 row 3 column 2"),
        (f"{short}-2-00001", Decimal("3.0000"), "line 2, chars 10-12, table 1 row 3 column 2"),
    ]
    assert rows(con, "select distinct report_id, severity, issue_code from raw.issues order by all") == [
        (f"{short}-1", "info", "scope_unknown"),
        (f"{short}-1", "warning", "table_missing"),
        (f"{short}-2", "info", "scope_unknown"),
        (f"{short}-2", "warning", "table_missing"),
    ]


def test_staging_again_replaces_and_leaves_the_same_rows(con: duckdb.DuckDBPyConnection) -> None:
    reading = make_reading(b"d", (make_report(rows=(make_row(), make_row(value=None))),))
    put(con, reading, make_reading(b"other"))
    before = snapshot(con)
    put(con, reading)
    assert snapshot(con) == before
    put(con, dataclasses.replace(reading, reports=(make_report(rows=()),)))
    assert len(rows(con, "select * from raw.metric_rows")) == 1


@pytest.mark.parametrize("value", ["0.00001", "1e16", "-1e16", "NaN", "Infinity"])
def test_a_value_that_would_be_altered_is_illegible(con: duckdb.DuckDBPyConnection, value: str) -> None:
    put(con, make_reading(b"d", (make_report(rows=(make_row(value=value),)),)))
    assert rows(con, "select value, value_status, value_raw from raw.metric_rows") == [
        (None, ValueStatus.ILLEGIBLE, value)
    ]
    assert ("illegible_value",) in rows(con, "select issue_code from raw.issues")


@pytest.mark.parametrize("value", ["9999999999999999.9999", "-9999999999999999.9999", "0", "1E+3"])
def test_the_largest_values_are_kept_exactly(con: duckdb.DuckDBPyConnection, value: str) -> None:
    put(con, make_reading(b"d", (make_report(rows=(make_row(value=value),)),)))
    assert rows(con, "select value from raw.metric_rows") == [(Decimal(value),)]


def test_a_batch_that_fails_leaves_nothing(con: duckdb.DuckDBPyConnection) -> None:
    bad = make_report(rows=(make_row(snippet=None),))
    with pytest.raises(duckdb.ConstraintException):
        put(con, make_reading(b"good"), make_reading(b"bad", (bad,)))
    assert snapshot(con) == [[], [], [], [], []]
    put(con, make_reading(b"good"))
    assert len(rows(con, "select * from raw.documents")) == 1


def test_every_document_stands_once_in_the_account(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("甲,2017,requests_received=1")
    (folder / "b.txt").write_text("甲,2017,requests_received=1")
    (folder / "c.txt").write_text("reject not_a_report")
    (folder / "d.txt").write_text("explode")
    (folder / "manifest.csv").write_text("path\ngone.txt\n")
    account = load(con, folder)
    assert (account.seen, account.loaded, account.unchanged, account.rejected) == (5, 1, 1, 3)
    assert [r.reject_code for r in account.rejections] == ["manifest_file_missing", "not_a_report", "reader_failed"]
    assert account.rejections[2].message == "ZeroDivisionError: the reader stumbled"
    (duplicate,) = account.duplicates
    assert duplicate.source_uri.endswith("b.txt")
    assert duplicate.first_source_uri.endswith("a.txt")
    assert rows(con, "select status, count(*) from raw.documents group by 1 order by 1") == [
        ("loaded", 1),
        ("rejected", 3),
    ]
    assert rows(con, "select seen_count, loaded_count, unchanged_count, rejected_count from raw.runs") == [(5, 1, 1, 3)]
    before = snapshot(con)
    again = load(con, folder)
    assert (again.loaded, again.unchanged, again.rejected, again.standing_rejected) == (0, 5, 0, 3)
    assert snapshot(con) == before
    assert (load(con, folder, force=True).changed) == 4


def test_a_missing_document_that_turns_up_is_no_longer_missing(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path\na.txt\n")
    assert load(con, manifest).rejected == 1
    (tmp_path / "a.txt").write_text("甲,2017,requests_received=1")
    assert load(con, manifest).loaded == 1
    assert rows(con, "select status from raw.documents") == [("loaded",)]
    assert rows(con, "select count(*) from raw.issues where issue_code = 'manifest_file_missing'") == [(0,)]


def test_changed_loaders_read_again(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("甲,2017,requests_received=1")
    assert load(con, path).loaded == 1
    monkeypatch.setattr("loaders.load.LOADER_VERSION", "next")
    assert load(con, path).loaded == 1
    assert rows(con, "select loader_version from raw.documents") == [("next",)]


def test_a_corrected_manifest_is_read_again_and_not_forgotten(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("甲,2017,requests_received=1")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,agency_name\na.txt,乙县\n")
    assert load(con, manifest).loaded == 1
    assert load(con, manifest).unchanged == 1
    manifest.write_text("path,agency_name\na.txt,丙县\n")
    assert load(con, manifest).loaded == 1
    # The same bytes without hints do not take the hint back.
    assert load(con, tmp_path / "a.txt").unchanged == 1
    assert rows(con, "select agency_name from raw.reports") == [("丙县",)]
    assert reading_version(Hints("丙县")).startswith(LOADER_VERSION)


def test_batches_are_bounded_and_reported(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for n in range(BATCH_DOCUMENTS + 5):
        (tmp_path / "in" / f"{n:04}.txt").write_text(f"甲{n},2017,requests_received={n}")
    seen: list[int] = []
    account = load(con, tmp_path / "in", advance=seen.append)
    assert seen == [BATCH_DOCUMENTS, 5]
    assert account.loaded == BATCH_DOCUMENTS + 5
    assert rows(con, "select count(distinct metric_row_id) from raw.metric_rows") == [(BATCH_DOCUMENTS + 5,)]
