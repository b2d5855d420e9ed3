from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loaders.cli import cli, main
from loaders.warehouse import Warehouse
from tests.conftest import write_documents

pytestmark = pytest.mark.usefixtures("pinned")


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    code = caught.value.code
    assert isinstance(code, int)
    return code


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    return write_documents(tmp_path / "documents")


def test_load_prints_the_account(tmp_path: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("load", documents, "--warehouse", tmp_path / "wh") == 0
    out = capsys.readouterr().out
    assert out.startswith("seen 5 = loaded 4 + unchanged 0 + rejected 1\n")
    assert "notice.txt: not_a_report: notice.txt says so" in out


def test_load_answers_in_json(tmp_path: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("load", documents, "--warehouse", tmp_path / "wh", "--json") == 0
    account = json.loads(capsys.readouterr().out)
    assert (account["seen"], account["loaded"], account["unchanged"], account["rejected"]) == (5, 4, 0, 1)
    assert account["rejections"][0]["reject_code"] == "not_a_report"


def test_strict_fails_for_rejected_documents_also_the_second_time(tmp_path: Path, documents: Path) -> None:
    assert run("load", documents, "--strict", "--warehouse", tmp_path / "wh") == 3
    assert run("load", documents, "--strict", "--warehouse", tmp_path / "wh") == 3
    assert run("refresh", documents, "--strict", "--warehouse", tmp_path / "wh") == 3
    assert not (tmp_path / "wh" / "current").exists()


def test_the_warehouse_comes_from_the_environment(
    tmp_path: Path, documents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONGKAI_WAREHOUSE", str(tmp_path / "elsewhere"))
    assert run("load", documents, "--quiet") == 0
    assert (tmp_path / "elsewhere" / "work.duckdb").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["load", "nowhere"], 2, "no such file or folder"),
        (["load", "ftp://example.org/x"], 2, "only http and https addresses are fetched"),
        (["load"], 2, "Missing argument"),
        (["load", ".", "--nonsense"], 2, "No such option"),
        (["nonsense"], 2, "No such command"),
        (["refresh"], 2, "give a SOURCE"),
        (["check"], 2, "gongkai load SOURCE"),
        (["check", "silver"], 2, "is not one of"),
        (["publish"], 2, "gongkai load SOURCE"),
        (["trace", "--agency", "甲", "--year", "2016", "--metric", "m"], 2, "load documents first"),
        (["trace", "--agency", "甲"], 2, "Missing option"),
        (["export", "out"], 2, "nothing was published"),
        (["rollback"], 2, "nothing is published"),
        (["inspect", "nowhere.txt"], 2, "no such file"),
        (["status"], 0, ""),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_the_unexpected_is_one_line_and_a_hint(
    tmp_path: Path, documents: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("loaders.refresh.load_documents", lambda *_, **__: 1 / 0)
    assert run("load", documents, "--warehouse", tmp_path / "wh") == 1
    error = capsys.readouterr().err
    assert "unexpected ZeroDivisionError" in error
    assert "GONGKAI_DEBUG=1" in error
    assert "Traceback" not in error
    monkeypatch.setenv("GONGKAI_DEBUG", "1")
    run("load", documents, "--warehouse", tmp_path / "wh")
    assert "Traceback" in capsys.readouterr().err


def test_every_command_and_option_is_described() -> None:
    for name, command in cli.commands.items():
        assert command.help, name
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "output_format":
                assert getattr(parameter, "help", None), (name, parameter.name)


def test_python_m_loaders_is_gongkai() -> None:
    found = subprocess.run([sys.executable, "-m", "loaders", "--version"], capture_output=True, text=True, check=True)
    assert found.stdout.startswith("gongkai, version 0.")


def test_a_closed_pipe_is_no_error_message(refreshed: Warehouse) -> None:
    command = (
        f"{sys.executable} -m loaders trace --agency 甲县 --year 2016 --metric requests_received --json | head -c 1"
    )
    found = subprocess.run(
        command,
        shell=True,
        capture_output=True,
        text=True,
        env={**os.environ, "GONGKAI_WAREHOUSE": str(refreshed.root)},
    )
    assert found.stdout == "{"
    assert found.stderr == ""


def test_inspect_shows_a_document_without_a_database(
    tmp_path: Path, documents: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = documents / "甲县人民政府2016.txt"
    path.write_text(path.read_text("utf-8").replace("requests_received=10", "requests_received=11"), "utf-8")
    assert run("inspect", path, "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"document", "reports", "issues"}
    (report,) = found["reports"]
    assert (report["agency_name"], report["report_year"], report["form_code"]) == ("甲县人民政府", 2016, "nat2014")
    row = report["metric_rows"][0]
    promised = (
        "metric_code applicant_type value value_status source_kind label_raw value_raw unit page_number locator "
        "snippet match_method"
    )
    assert set(promised.split()) <= set(row)
    assert (row["metric_code"], row["value"]) == ("requests_received", 11)
    assert [check["identity_code"] for check in report["failed_identities"]] == ["N14_RECEIVED_BY_CHANNEL"]
    assert {issue["issue_code"] for issue in report["issues"]} == {"scope_unknown", "table_missing"}
    assert run("inspect", path) == 0
    table = capsys.readouterr().out
    assert "N14_RECEIVED_BY_CHANNEL" in table
    assert run("inspect", path, "--format", "csv") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert lines[1].startswith("甲县人民政府,2016,nat2014,own,requests_received,,11,number,table")
    assert run("inspect", documents / "notice.txt") == 0
    assert "rejected: not_a_report" in capsys.readouterr().out
    assert not (tmp_path / "warehouse").exists()


def test_trace_leads_to_the_printed_cell(refreshed: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    question = ("trace", "--agency", "甲县", "--year", 2016, "--metric", "requests_received")
    assert run(*question, "--warehouse", refreshed.root) == 0
    text = capsys.readouterr().out
    for part in (
        "甲县人民政府 2016",
        "'10'",
        "line 2, chars 10-12",
        "甲县人民政府2016.txt",
        "N14_RECEIVED_BY_CHANNEL holds",
    ):
        assert part in text
    assert run(*question, "--warehouse", refreshed.root, "--json") == 0
    (figure,) = json.loads(capsys.readouterr().out)["figures"]
    assert figure["value"] == 10
    assert len(figure["document_id"]) == 64


@pytest.mark.parametrize(
    ("agency", "year", "metric", "said"),
    [
        ("县", 2016, "requests_received", "fits 2 agencies"),
        ("丙县", 2016, "requests_received", "no agency"),
        ("甲县", 2001, "requests_received", "no figures for 2001"),
        ("甲县", 2016, "收到申请", "did you mean"),
        ("甲县", 2016, "ogi_staff_total", "has no figure"),
    ],
)
def test_trace_says_what_it_did_not_find(
    refreshed: Warehouse, capsys: pytest.CaptureFixture[str], agency: str, year: int, metric: str, said: str
) -> None:
    code = run("trace", "--agency", agency, "--year", year, "--metric", metric, "--warehouse", refreshed.root)
    assert code == 2
    assert said in capsys.readouterr().err


def test_status_tells_what_is_there(refreshed: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status", "--warehouse", refreshed.root) == 0
    text = capsys.readouterr().out
    assert "4 loaded, 1 rejected; 4 reports, 24 figures" in text
    assert "check     marts passed" in text
    assert run("status", "--warehouse", refreshed.root, "--json") == 0
    assert json.loads(capsys.readouterr().out)["release"]["table_rows"]["marts.fct_metric_value"] == 24


@pytest.mark.parametrize("output_format", ["parquet", "csv", "xlsx"])
def test_export_writes_every_mart_with_its_checksum(
    refreshed: Warehouse, tmp_path: Path, output_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out"
    assert run("export", target, "--format", output_format, "--warehouse", refreshed.root) == 0
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=target, check=True)
    data = (target / f"fct_metric_value.{output_format}").read_bytes()
    starts = {"parquet": b"PAR1", "csv": b"\xef\xbb\xbfmetric_value_key,", "xlsx": b"PK"}
    assert data.startswith(starts[output_format])
    assert run("export", target, "--warehouse", refreshed.root) == 2
    assert "not an empty folder" in capsys.readouterr().err


def test_a_refresh_with_nothing_new_does_nothing(refreshed: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    before = refreshed.current_release()
    assert run("refresh", refreshed.root.parent / "in", "--warehouse", refreshed.root) == 0
    output = capsys.readouterr()
    assert "nothing new" in output.out
    assert "building" not in output.err
    assert refreshed.current_release() == before


def test_check_and_publish_alone(refreshed: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "raw", "--warehouse", refreshed.root, "--json") == 0
    assert all(finding["is_success"] for finding in json.loads(capsys.readouterr().out))
    before = refreshed.current_release()
    assert run("publish", "--warehouse", refreshed.root) == 0
    assert refreshed.current_release() != before
