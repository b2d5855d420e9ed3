"""CSV and workbooks: what spreadsheets do to texts and numbers, and that nothing is lost without a word."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from loaders.errors import GongkaiError
from loaders.table_files import FORMULA, TableFiles, split, whole, write_part
from loaders.tables import read_tables
from loaders.workbooks import MAX_TEXT

Make = Callable[[str], TableFiles]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    made = duckdb.connect()
    made.execute("create schema marts")
    yield made
    made.close()


def write(con: duckdb.DuckDBPyConnection, folder: Path, output_format: str) -> TableFiles:
    (table,) = read_tables(con)
    return write_part(con, whole(con, table), {output_format: folder})[output_format]


def accounts(files: TableFiles) -> dict[tuple[str, str], int]:
    return {(account.column, account.kind): account.cells for account in files.cells}


def sheet(path: Path) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(path).worksheets[0].iter_rows())


TEXTS = (
    "=1+1",
    "http://example.com/",
    "0012",
    "_x0041_",
    "两行\n第二行",
    " 前后空格 ",
    "tab\tand \x07 bell",
    "\r\n",
    "字" * (MAX_TEXT + 1),
    "𠀀" * MAX_TEXT,
    "",
    None,
)


def test_texts_survive_a_workbook(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute("create table marts.dim_odd (n integer, label varchar)")
    con.executemany("insert into marts.dim_odd values (?, ?)", list(enumerate(TEXTS)))
    files = write(con, tmp_path, "xlsx")
    assert accounts(files) == {("label", "replaced_sign"): 1, ("label", "cut_text"): 2, ("label", "empty_text"): 1}
    rows = sheet(files.paths[0])
    assert [cell.value for cell in rows[0]] == ["n", "label"]
    assert {row[1].data_type for row in rows[1:]} <= {"s", "inlineStr", "n"}
    assert not any(row[1].data_type == "f" or row[1].hyperlink for row in rows[1:])
    found = [row[1].value for row in rows[1:]]
    assert found[:3] == list(TEXTS[:3])
    assert found[4:6] == list(TEXTS[4:6])
    assert found[6] == "tab\tand \ufffd bell"
    assert found[8].endswith("…［截断 cut］")
    assert len(found[8]) == MAX_TEXT
    assert len(found[9].encode("utf-16-le")) // 2 <= MAX_TEXT
    assert found[10:] == [None, None]


def test_numbers_and_dates_survive_a_workbook(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute(
        "create table marts.dim_odd as select * from (values "
        "(1, 0.1::decimal(20,4), 9007199254740993::bigint, 1.5::double, true, date '2021-03-31', "
        " timestamp '2021-03-31 08:09:10'), "
        "(2, 9999999999999999.9999, 3, 1/3, false, date '1899-12-31', timestamp '2021-03-31'), "
        "(3, null, null, 'nan'::double, null, date 'infinity', null)"
        ") as t(n, amount, big, ratio, flag, day, moment)"
    )
    files = write(con, tmp_path, "xlsx")
    assert accounts(files) == {
        ("amount", "number_as_text"): 1,
        ("big", "number_as_text"): 1,
        ("ratio", "number_as_text"): 1,
        ("day", "date_as_text"): 2,
    }
    first, second, third = ([cell.value for cell in row] for row in sheet(files.paths[0])[1:])
    assert [str(cell) for cell in first] == [
        *("1", "0.1", "9007199254740993", "1.5", "True", "2021-03-31 00:00:00", "2021-03-31 08:09:10")
    ]
    assert second[1] == "9999999999999999.9999"
    assert second[3] == pytest.approx(1 / 3, rel=1e-15)
    assert second[5] == "1899-12-31"
    assert third[1:5] == [None, None, "nan", None]


def test_more_links_than_a_sheet_may_have_are_all_there(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute("create table marts.dim_odd as select 'https://example.com/' || i as uri from range(65_600) as t(i)")
    files = write(con, tmp_path, "xlsx")
    assert files.cells == ()
    book = openpyxl.load_workbook(files.paths[0], read_only=True)
    found = [uri for (uri,) in book.worksheets[0].iter_rows(values_only=True)]
    assert found[1:] == sorted(f"https://example.com/{i}" for i in range(65_600))


def test_a_table_too_long_for_one_workbook_is_several(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.workbooks.MAX_CELLS", 8)
    con.execute("create table marts.dim_odd as select i, 'x' || i as label from range(10) as t(i)")
    files = write(con, tmp_path, "xlsx")
    assert [path.name for path in files.paths] == ["dim_odd.xlsx", "dim_odd_2.xlsx", "dim_odd_3.xlsx"]
    rows = [tuple(cell.value for cell in row) for path in files.paths for row in sheet(path)[1:]]
    assert rows == [(i, f"x{i}") for i in range(10)]


@pytest.mark.parametrize(
    ("method", "said"),
    [("write_string", "row 2, column label, where '甲' was written"), ("write_number", "row 2, column n")],
)
def test_a_cell_that_is_lost_is_noticed(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, said: str
) -> None:
    from xlsxwriter.worksheet import Worksheet

    con.execute("create table marts.dim_odd as select 1 as n, '甲' as label")
    write_cell = getattr(Worksheet, method)

    def lose(self: Worksheet, row: int, *rest: Any) -> Any:
        return 0 if row else write_cell(self, row, *rest)

    monkeypatch.setattr(Worksheet, method, lose)
    with pytest.raises(GongkaiError, match=f"dim_odd.xlsx, read back, has '' in {said}"):
        write(con, tmp_path, "xlsx")


def test_the_same_rows_give_the_same_bytes(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute(
        "create table marts.dim_odd as select md5(cast(i as varchar)) as id, i * 1.5 as value from range(300_000) t(i)"
    )
    for output_format in ("parquet", "csv"):
        made = []
        for threads in (1, 4, 4):
            con.execute(f"set threads = {threads}")
            folder = tmp_path / f"{output_format}{len(made)}"
            folder.mkdir()
            made.append(write(con, folder, output_format).paths[0].read_bytes())
        assert made[0] == made[1] == made[2]
    con.execute("delete from marts.dim_odd where value > 100")
    for name in "ab":
        (tmp_path / name).mkdir()
    first, second = (write(con, tmp_path / name, "xlsx").paths[0].read_bytes() for name in "ab")
    assert first == second


FORMULAS = ("=1+1", "＝1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|x", "\t=1", "'=1", "'plain", "-x")
HARMLESS = ("-", "=", "-1,234.5", "+5", "-12%", "乙", "1-2", "")


def test_no_text_of_a_csv_file_is_run_as_a_formula(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute("create table marts.dim_odd (label varchar, value decimal(20, 4), none varchar)")
    texts = sorted([*FORMULAS, *HARMLESS])
    con.executemany("insert into marts.dim_odd values (?, -1.5, null)", [(text,) for text in texts])
    files = write(con, tmp_path, "csv")
    assert accounts(files) == {("label", "guarded_formula"): len(FORMULAS) - 1}
    data = files.paths[0].read_bytes()
    assert data.startswith(b"\xef\xbb\xbflabel,value,none\n")
    with files.paths[0].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [row["label"] for row in rows]
    assert [text for text in found if text[:1] in "=＝@＠+＋\t" and text not in HARMLESS and text] == []
    assert "'=1+1" in found
    assert "''=1" in found
    assert {row["value"] for row in rows} == {"-1.5000"}
    # A program undoes it with the pattern alone.
    undone = con.execute(
        "select list(case when regexp_matches(t, ?, 's') then substr(t, 2) else t end order by n) "
        "from (select unnest(?) as t, unnest(?) as n)",
        [FORMULA, found, list(range(len(found)))],
    ).fetchall()[0][0]
    assert undone == texts
    # Nothing and an empty text are two things.
    assert b'\n"",-1.5000,\n' in data


def test_a_csv_file_that_no_spreadsheet_shows_is_compressed(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.table_files.MAX_ROWS", 2)
    con.execute("create table marts.dim_odd as select '甲' as label, i::decimal(20,4) as value from range(3) as t(i)")
    files = write(con, tmp_path, "csv")
    assert files.paths[0].name == "dim_odd.csv.gz"
    text = gzip.decompress(files.paths[0].read_bytes()).decode("utf-8-sig")
    assert [Decimal(row["value"]) for row in csv.DictReader(text.splitlines())] == [0, 1, 2]


def test_a_large_mart_of_facts_is_a_file_a_year(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    con.execute(
        "create table marts.fct_odd as select 'k' || i as odd_key, "
        "case when i % 3 < 2 then 2020 + i % 3 end as report_year from range(9) as t(i)"
    )
    (table,) = read_tables(con)
    assert [part.name for part in split(con, table)] == ["fct_odd"]
    monkeypatch.setattr("loaders.table_files.MAX_CELLS_TOGETHER", 17)
    parts = split(con, table)
    assert [(part.name, part.rows) for part in parts] == [
        ("fct_odd/2020", 3),
        ("fct_odd/2021", 3),
        ("fct_odd/unknown", 3),
    ]
    folders = {output_format: tmp_path / output_format for output_format in ("parquet", "csv", "xlsx")}
    for folder in folders.values():
        folder.mkdir()
    for part in parts:
        write_part(con, part, folders)
    for output_format, folder in folders.items():
        assert [path.name for path in sorted((folder / "fct_odd").iterdir())] == [
            f"{year}.{output_format}" for year in ("2020", "2021", "unknown")
        ]
    found = con.execute(f"select odd_key from '{tmp_path}/parquet/fct_odd/*.parquet' order by report_year nulls last")
    assert [key for (key,) in found.fetchall()] == ["k0", "k3", "k6", "k1", "k4", "k7", "k2", "k5", "k8"]
    # Dimensions are one file however large.
    con.execute("alter table marts.fct_odd rename to dim_odd")
    (table,) = read_tables(con)
    assert [part.name for part in split(con, table)] == ["dim_odd"]
