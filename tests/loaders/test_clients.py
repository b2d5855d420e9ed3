"""What docs/clients.md promises to programs that read a release."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loaders.warehouse import Warehouse
from tools.clients import digest_question, read_questions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "clients.md"
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
SAFE = {"enable_external_access": "false", "lock_configuration": "true"}


@pytest.fixture
def project(refreshed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a warehouse, as the page supposes."""
    folder = refreshed.root.parent
    refreshed.root.rename(folder / "warehouse")
    monkeypatch.chdir(folder)
    return folder


def test_the_python_of_the_page_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(PYTHON) == 2
    met: dict[str, Any] = {}
    for snippet in PYTHON:
        exec(snippet, met)
    assert "甲县人民政府" in capsys.readouterr().out
    for frame in (met["as_polars"], met["as_pandas"]):
        assert set(frame["agency_name"]) == {"甲县人民政府", "乙县人民政府"}
    met["con"].close()


def test_the_safe_connection_refuses_other_files_and_writing(project: Path) -> None:
    """Each is done first where nothing but read-only holds: it is the lock that refuses it."""
    (project / "bait.csv").write_text("n\n1\n", "utf-8")
    duckdb.connect("other.duckdb").close()
    path = "warehouse/current/warehouse.duckdb"
    by_lock = (
        "select * from read_text('bait.csv')",
        "select * from 'bait.csv'",
        "select * from glob('*')",
        "copy (select 1) to 'stolen.csv'",
        "attach 'other.duckdb' as other (read_only)",
        "export database 'stolen'",
        "set threads = 2",
    )
    always = ("delete from marts.dim_year", "create table marts.mine (n integer)", "set enable_external_access = true")
    with duckdb.connect(path, read_only=True) as con:
        for statement in by_lock:
            con.execute(statement).fetchall()
        for statement in always:
            with pytest.raises(duckdb.Error):
                con.execute(statement)
    for left in (project / "stolen.csv", *(project / "stolen").iterdir()):
        left.unlink()
    with duckdb.connect(path, read_only=True, config=SAFE) as con:
        for statement in by_lock + always:
            with pytest.raises(duckdb.Error):
                con.execute(statement).fetchall()
        assert con.execute("select count(*) from marts.rpt_requests_yearly").fetchall() == [(4,)]
    assert not (project / "stolen.csv").exists()
    assert not list((project / "stolen").iterdir())


def test_the_page_uses_the_settings_that_are_tested() -> None:
    text = PAGE.read_text("utf-8")
    for name, value in SAFE.items():
        assert text.count(f'"{name}": "{value}"') == 2


def test_every_question_of_the_pages_has_a_digest(project: Path) -> None:
    questions = read_questions()
    assert len(questions) > 10
    with duckdb.connect("warehouse/current/warehouse.duckdb", read_only=True, config=SAFE) as con:
        con.execute("use marts")
        for question in questions:
            con.execute(digest_question(question)).fetchall()
        # Order does not matter, content does.
        first, second, third = (
            con.execute(digest_question(f"select unnest({numbers}) as n")).fetchall()
            for numbers in ("[1, 2]", "[2, 1]", "[2, 2]")
        )
        assert first == second != third
