"""Rolling back, keeping and sealing releases, and disks that are full, read-only or several."""

from __future__ import annotations

import csv
import json
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from frictionless import Package

from loaders.builds import data_token
from loaders.errors import GongkaiError, LockedError, UsageError
from loaders.refresh import LoadRequest, run_publish, run_refresh
from loaders.release_guard import GUARDED, is_guarded
from loaders.releases import read_rollback, verify_release
from loaders.rollback import run_rollback
from loaders.row_tokens import content_tokens, write_row_tokens
from loaders.settings import Settings
from loaders.status import describe_status, read_status
from loaders.warehouse import RELEASE_FILE, Warehouse, open_duckdb, run_lock
from tests.conftest import FINGERPRINT
from tests.loaders.releases import change, make_warehouse, publish

ADD = "insert into marts.dim_report values ('r{0}', 'gov-1', null, 2021, true, null)"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_warehouse(tmp_path_factory.mktemp("releases") / "wh")
    publish(made)
    publish(made, ADD.format(3))
    return made.root


@pytest.fixture
def warehouse(made_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Two releases; the second has a row more."""
    monkeypatch.setattr("loaders.publish.write_validation", lambda *_: None)
    monkeypatch.setattr("loaders.site.write_release_site", lambda target, *_: target.mkdir())
    monkeypatch.setattr("loaders.refresh.build_fingerprint", lambda: FINGERPRINT)
    return Warehouse(Path(shutil.copytree(made_once, tmp_path / "wh", symlinks=True)))


def current(warehouse: Warehouse) -> str:
    return Path(os.readlink(warehouse.current)).name


def releases(warehouse: Warehouse) -> list[str]:
    """All that lies among the releases, hidden names included, the oldest first by the time of making."""
    return sorted((path.name for path in warehouse.releases.iterdir()), key=lambda name: made_at(warehouse, name))


def made_at(warehouse: Warehouse, name: str) -> float:
    return (warehouse.releases / name / "manifest.json").stat().st_mtime_ns


def roll_back(warehouse: Warehouse, release_id: str | None = None) -> None:
    run_rollback(Settings(warehouse, quiet=True), release_id, 0)


def refresh(warehouse: Warehouse, capsys: pytest.CaptureFixture[str]) -> dict:
    capsys.readouterr()
    run_refresh(Settings(warehouse, as_json=True), LoadRequest(()))
    return json.loads(capsys.readouterr().out)


def test_a_rollback_stands_until_there_is_something_new(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = releases(warehouse)
    roll_back(warehouse)
    assert current(warehouse) == first
    answer = refresh(warehouse, capsys)
    assert (answer["release"], answer["rolled_back"]["from_release_id"], current(warehouse)) == (None, second, first)
    run_refresh(Settings(warehouse), LoadRequest(()))
    assert f"{first} stands, rolled back from {second}" in capsys.readouterr().out

    status = read_status(warehouse)
    assert [(one["release_id"], one["is_current"]) for one in status["releases"]] == [
        (second, False),
        (first, True),
    ] or (second < first)
    assert f"rolled back from {second}" in describe_status(status)
    con = warehouse.connect(read_only=True)
    runs = con.execute("select status from raw.runs where command = ?", [f"rollback {first}"]).fetchall()
    con.close()
    assert runs == [("done",)]

    change(warehouse, ADD.format(4))
    answer = refresh(warehouse, capsys)
    assert answer["release"]["release_id"] == current(warehouse) not in (first, second)
    assert not (warehouse.root / "rollback.json").exists()
    assert json.loads((warehouse.current / "manifest.json").read_text())["previous_release_id"] == first
    assert refresh(warehouse, capsys)["release"] is None


def test_other_code_with_the_same_marts_does_not_undo_a_rollback(
    warehouse: Warehouse, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    roll_back(warehouse)
    first = current(warehouse)
    con = warehouse.connect()
    for table in ("builds", "check_runs"):
        con.execute(f"update quality.{table} set fingerprint = 'newer code'")
    con.close()
    monkeypatch.setattr("loaders.refresh.build_fingerprint", lambda: "newer code")
    assert refresh(warehouse, capsys)["rolled_back"]["release_id"] == first == current(warehouse)


def test_a_person_may_publish_what_was_withdrawn(warehouse: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = releases(warehouse)
    roll_back(warehouse)
    run_publish(Settings(warehouse, quiet=True), 0)
    assert current(warehouse) not in (first, second)
    assert refresh(warehouse, capsys)["release"] is None


def test_steps_back_and_forward(warehouse: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = releases(warehouse)
    publish(warehouse, ADD.format(4))
    third = current(warehouse)
    roll_back(warehouse)
    assert current(warehouse) == second
    roll_back(warehouse)
    assert current(warehouse) == first
    with pytest.raises(UsageError, match=f"no release before {first}"):
        roll_back(warehouse)
    roll_back(warehouse, second)
    rollback = read_rollback(warehouse)
    assert rollback is not None
    assert len(rollback.withdrawn_marts) == 1
    assert refresh(warehouse, capsys)["release"] is None
    roll_back(warehouse, third)
    assert read_rollback(warehouse) is None
    assert refresh(warehouse, capsys)["release"] is None
    assert current(warehouse) == third


def spoil_byte(release: Path) -> str:
    path = release / "csv" / "dim_report.csv"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-2] + b"x\n")
    return "csv/dim_report.csv has another checksum"


def lose_file(release: Path) -> str:
    release.joinpath("parquet").chmod(0o755)
    (release / "parquet" / "dim_report.parquet").unlink()
    return "parquet/dim_report.parquet is missing"


def add_file(release: Path) -> str:
    release.chmod(0o755)
    (release / "warehouse.duckdb.wal").unlink()
    (release / "warehouse.duckdb.wal").write_bytes(b"stale")
    return "warehouse.duckdb.wal is not of it"


def spoil_manifest(release: Path) -> str:
    path = release / "manifest.json"
    path.chmod(0o644)
    path.write_text(path.read_text().replace('"gongkai_version"', '"gongkai_versio"'))
    return "manifest.json has another checksum"


def lose_manifest(release: Path) -> str:
    release.chmod(0o755)
    (release / "manifest.json").unlink()
    return "its manifest.json cannot be read"


@pytest.mark.parametrize("spoil", [spoil_byte, lose_file, add_file, spoil_manifest, lose_manifest])
def test_a_damaged_release_is_not_brought_back(warehouse: Warehouse, spoil) -> None:  # type: ignore[no-untyped-def]
    first, second = releases(warehouse)
    said = spoil(warehouse.releases / first)
    with pytest.raises(GongkaiError, match=f"release {first} is damaged: .*{said}.*; readers keep {second}"):
        roll_back(warehouse, first)
    assert current(warehouse) == second
    assert read_rollback(warehouse) is None


def test_what_cannot_be_rolled_back_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    first, second = releases(warehouse)
    with pytest.raises(UsageError, match=f"is the current release already .*{first}"):
        roll_back(warehouse, second)
    with pytest.raises(UsageError, match=f"no release ../etc is kept .*{first}"):
        roll_back(warehouse, "../etc")
    with pytest.raises(UsageError, match="nothing is published"):
        roll_back(Warehouse(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()
    with run_lock(warehouse, "gongkai refresh"), pytest.raises(LockedError, match="gongkai refresh"):
        roll_back(warehouse)
    assert current(warehouse) == second


@pytest.mark.parametrize("content", [None, b"no database"])
def test_a_lost_work_file_does_not_stop_a_rollback(
    warehouse: Warehouse, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = releases(warehouse)
    warehouse.work_file.unlink()
    if content:
        warehouse.work_file.write_bytes(content)
    run_rollback(Settings(warehouse, as_json=True), None, 0)
    out, err = capsys.readouterr()
    assert json.loads(out)["is_recorded"] is False
    assert current(warehouse) == first
    assert ("cannot be recorded" in err) == bool(content)


def test_a_rollback_that_was_stopped_never_was(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second = releases(warehouse)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("loaders.rollback.swap_current", stop)
    with pytest.raises(KeyboardInterrupt):
        roll_back(warehouse)
    assert current(warehouse) == second
    assert read_rollback(warehouse) is None


def test_retention_follows_its_settings(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = releases(warehouse)
    for name in (first, second):
        os.utime(warehouse.releases / name, (1, 1))
    monkeypatch.setenv("GONGKAI_KEPT_RELEASES", "2")
    monkeypatch.setenv("GONGKAI_KEPT_HOURS", "0.5")
    third = publish(warehouse).release_id
    # The first is old and out of the newest two; the second was left just now.
    assert set(releases(warehouse)) == {second, third}
    assert time.time() - (warehouse.releases / second).stat().st_mtime < 600
    fourth = publish(warehouse).release_id
    assert set(releases(warehouse)) == {second, third, fourth}


def test_a_release_that_readers_leave_is_kept_for_its_hour(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = releases(warehouse)
    monkeypatch.setenv("GONGKAI_KEPT_RELEASES", "2")
    for name in (first, second):
        os.utime(warehouse.releases / name, (1, 1))
    third = publish(warehouse).release_id
    roll_back(warehouse, second)
    os.utime(warehouse.releases / third, (1, 1))
    fourth, fifth = publish(warehouse).release_id, publish(warehouse).release_id
    assert set(releases(warehouse)) == {second, fourth, fifth}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GONGKAI_KEPT_RELEASES", "1"),
        ("GONGKAI_KEPT_RELEASES", "many"),
        ("GONGKAI_KEPT_HOURS", "-1"),
        ("GONGKAI_KEPT_HOURS", "nan"),
    ],
)
def test_a_wrong_setting_is_met_before_the_work(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=f"{name} is '{value}'"):
        run_refresh(Settings(warehouse, quiet=True), LoadRequest(()))


def test_nothing_of_a_release_is_written_by_accident(warehouse: Warehouse) -> None:
    release = warehouse.current_release()
    assert release is not None
    paths = [release, *release.rglob("*")]
    taken = [path for path in paths if path.is_symlink()]
    assert {path.name for path in taken} == set(GUARDED)
    for path in paths:
        if path in taken:
            assert is_guarded(path)
            continue
        assert stat.S_IMODE(path.stat().st_mode) == (0o555 if path.is_dir() else 0o444), path
    verify_release(release)


def test_sha256sum_knows_the_sums(warehouse: Warehouse) -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=warehouse.current, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    listed = {line.split("  ", 1)[1] for line in (warehouse.current / "SHA256SUMS").read_text().splitlines()}
    release = warehouse.current.resolve()
    found = {path.relative_to(release).as_posix() for path in release.rglob("*") if path.is_file()}
    assert found == listed | {"SHA256SUMS"}


def noted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """The parts, or databases, that publishing writes anew from here on."""
    from loaders import publish as module

    made: list[str] = []
    write = getattr(module, name)

    def note(*arguments: Any) -> Any:
        made.append(getattr(arguments[1], "name", ""))
        return write(*arguments)

    monkeypatch.setattr(module, name, note)
    return made


def rows(release: Path, relation: str) -> list[tuple[object, ...]]:
    con = open_duckdb(release / RELEASE_FILE, read_only=True)
    try:
        return sorted(con.execute(f"from {relation}").fetchall(), key=str)
    finally:
        con.close()


def test_unchanged_tables_are_taken_over(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    made, whole = noted(monkeypatch, "write_part"), noted(monkeypatch, "write_database")
    before = warehouse.current_release()
    assert before is not None
    release = publish(warehouse, "update marts.dim_report set title = '新' where report_id = 'r1'")
    assert (made, whole) == (["dim_report"], [])
    assert ("r1", "gov-1", "新") in [row[:3] for row in rows(release.folder, "marts.dim_report")]
    for name in ("csv/fct_metric_value.csv", "xlsx/fct_metric_value.xlsx"):
        assert (release.folder / name).read_bytes() == (before / name).read_bytes()
        assert (release.folder / name).stat().st_ino != (before / name).stat().st_ino
    tables = [json.loads((folder / "manifest.json").read_text())["tables"] for folder in (before, release.folder)]
    assert tables[0]["fct_metric_value"] == tables[1]["fct_metric_value"]

    # One that was spoiled since is written anew.
    spoiled = release.folder / "csv" / "fct_metric_value.csv"
    spoiled.chmod(0o644)
    spoiled.write_bytes(b"spoiled")
    again = publish(warehouse).folder / "csv" / "fct_metric_value.csv"
    assert again.read_bytes() == (before / "csv" / "fct_metric_value.csv").read_bytes()
    assert made == ["dim_report", "fct_metric_value"]


def test_of_a_large_table_only_the_touched_years_are_written(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.table_files.MAX_CELLS_TOGETHER", 1)
    # Other code may have cut the tables in another way.
    publish(
        warehouse,
        "insert into marts.fct_metric_value select 'k4', 'r2', * exclude (metric_value_key, report_id) "
        "from marts.fct_metric_value where report_id = 'r2'",
    )
    made = noted(monkeypatch, "write_part")
    release = publish(warehouse, "delete from marts.fct_metric_value where metric_value_key = 'k2'")
    assert made == ["fct_metric_value/2020"]
    files = sorted(path.name for path in (release.folder / "parquet" / "fct_metric_value").iterdir())
    assert files == ["2020.parquet", "2021.parquet"]
    verify_release(release.folder)
    package = json.loads((release.folder / "datapackage.json").read_text("utf-8"))
    found = {resource["path"]: resource["rows"] for resource in package["resources"]}
    assert found == {"csv/dim_report.csv": 3, "csv/fct_metric_value/2020.csv": 1, "csv/fct_metric_value/2021.csv": 2}
    assert Package(str(release.folder / "datapackage.json")).validate().valid


CHANGES = {
    "rows twice": "insert into marts.fct_metric_value from marts.fct_metric_value where report_id = 'r1'",
    "a row less": "delete from marts.dim_report where report_id = 'r2'",
    "a key of another row": "update marts.dim_report set title = report_id",
    "a null in the place of nothing": "update marts.fct_metric_value set snippet = null where snippet = ''",
    "everything": "delete from marts.fct_metric_value",
    "another year": "update marts.dim_report set report_year = null where report_id = 'r1'",
    "raw rows": "insert into raw.attachments values ('d', 1, 'u', 'l'), ('d', 1, 'u', 'l'), ('e', 1, 'u', 'l')",
}
CATALOGUES = {
    "a comment": "comment on column marts.dim_report.title is 'what it is called'",
    "a column": "alter table marts.dim_report add column another integer",
    "a table": "create table marts.dim_odd (odd_key varchar primary key)",
    "a view": "create view quality.odd as select 1 as one",
}


def test_the_tokens_of_rows_tell_the_content_as_it_is_told_elsewhere(warehouse: Warehouse, tmp_path: Path) -> None:
    con = warehouse.connect()
    try:
        con.execute("create table marts.dim_empty (report_id varchar)")
        con.execute("create view quality.odd as select 1 as one union all select null")
        write_row_tokens(con, "work", tmp_path / "rows.parquet")
        found = content_tokens(con, "work", tmp_path / "rows.parquet")
        assert found == {schema: data_token(con, schema) for schema in ("raw", "seeds", "marts", "quality")}
    finally:
        con.close()


@pytest.mark.parametrize("change_made", [*CHANGES.values(), *CATALOGUES.values()], ids=[*CHANGES, *CATALOGUES])
def test_a_release_made_from_the_one_before_holds_what_the_work_file_holds(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, change_made: str
) -> None:
    whole = noted(monkeypatch, "write_database")
    release = publish(warehouse, change_made)
    assert len(whole) == (change_made in CATALOGUES.values())
    con = warehouse.connect(read_only=True)
    con.execute(f"attach '{release.folder / RELEASE_FILE}' as release (read_only)")
    try:
        for schema in ("raw", "marts", "seeds"):
            assert data_token(con, schema, "release") == data_token(con, schema)
        asked = "select column_name, comment from duckdb_columns() where schema_name = 'marts' and database_name = ?"
        found = [sorted(con.execute(asked, [name]).fetchall(), key=str) for name in ("release", "work")]
        assert found[0] == found[1]
    finally:
        con.close()
    # And its files hold what it holds.
    for table in ("dim_report", "fct_metric_value"):
        parquet = release.folder / "parquet" / f"{table}.parquet"
        assert rows(release.folder, f"'{parquet}'") == rows(release.folder, f"marts.{table}")
        text = (release.folder / "csv" / f"{table}.csv").read_text("utf-8-sig")
        assert len(list(csv.reader(text.splitlines()))) == 1 + len(rows(release.folder, f"marts.{table}"))


def test_a_release_is_never_made_from_a_spoiled_one(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = noted(monkeypatch, "write_database")
    wanted = rows(warehouse.current.resolve(), "marts.dim_report")
    for n, where in enumerate((0, 20_000), start=1):
        spoiled = warehouse.current.resolve() / RELEASE_FILE
        spoiled.chmod(0o644)
        with spoiled.open("r+b") as file:
            file.seek(where)
            file.write(b"spoiled")
        assert rows(publish(warehouse).folder, "marts.dim_report") == wanted
        assert len(whole) == n


def test_what_is_kept_of_the_rows_of_a_release_may_go_or_spoil(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = noted(monkeypatch, "write_database")
    spoils: list[Callable[[Path], object]] = [Path.unlink, lambda path: path.write_bytes(b"PAR1 spoiled PAR1")]
    for n, spoil in enumerate(spoils):
        (kept,) = warehouse.published_rows.iterdir()
        spoil(kept)
        release = publish(warehouse, f"update marts.dim_report set title = '{n}'")
        assert {row[2] for row in rows(release.folder, "marts.dim_report")} == {str(n)}
    assert whole == []
    # Of other rows, so that nothing seems to differ: the copy is compared with the work file all the same.
    (kept,) = warehouse.published_rows.iterdir()
    change(warehouse, "update marts.dim_report set title = 'later'")
    con = warehouse.connect(read_only=True)
    write_row_tokens(con, "work", kept)
    con.close()
    assert {row[2] for row in rows(publish(warehouse).folder, "marts.dim_report")} == {"later"}
    assert len(whole) == 1


def test_an_update_that_went_wrong_is_noticed(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    from loaders import release_database

    whole = noted(monkeypatch, "write_database")
    monkeypatch.setattr(release_database, "_bring_up", lambda *_: release_database.Change(frozenset()))
    release = publish(warehouse, "update marts.dim_report set title = '新'")
    assert len(whole) == 1
    assert {row[2] for row in rows(release.folder, "marts.dim_report")} == {"新"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"this machine does not let the test mount a disk: {done.stderr.strip()}")
    yield folder
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def apart(warehouse: Warehouse, disk: Path) -> Warehouse:
    """The releases on another disk than the link to them."""
    shutil.copytree(warehouse.releases, disk / "releases", symlinks=True)
    shutil.rmtree(warehouse.releases)
    warehouse.releases.symlink_to(disk / "releases")
    assert warehouse.releases.stat().st_dev != warehouse.root.stat().st_dev
    return warehouse


def test_releases_may_lie_on_another_disk(apart: Warehouse) -> None:
    before = current(apart)
    release = publish(apart, ADD.format(4))
    assert current(apart) == release.release_id
    assert os.readlink(apart.current) == f"releases/{release.release_id}"
    roll_back(apart)
    assert current(apart) == before


@pytest.mark.parametrize("share", [0.01, 0.4, 0.9, 0.97, 0.98])
def test_a_disk_that_is_full_leaves_the_old_release(apart: Warehouse, share: float) -> None:
    before = (current(apart), releases(apart))
    size = sum(path.stat().st_size for path in apart.current.resolve().rglob("*") if path.is_file())
    change(apart, ADD.format(4))
    filler = apart.releases / "filler"
    free = shutil.disk_usage(apart.releases).free
    filler.write_bytes(b"\0" * (free - int(size * share)))
    with pytest.raises(GongkaiError, match=r"no space left on the disk of .*; readers keep the release they have"):
        publish(apart)
    filler.unlink()
    assert (current(apart), releases(apart)) == before
    verify_release(apart.current.resolve())
    publish(apart)


def test_a_disk_that_cannot_be_written_leaves_the_old_release(apart: Warehouse, disk: Path) -> None:
    before = (current(apart), releases(apart))
    change(apart, ADD.format(4))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(GongkaiError, match=r"cannot write the release \(.*: Read-only file system\); readers keep"):
        publish(apart)
    assert (current(apart), releases(apart)) == before
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    publish(apart)


def test_a_link_that_cannot_be_moved_leaves_the_old_release(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, replace = current(warehouse), os.replace

    def refuse(source: Path, target: Path) -> None:
        if target == warehouse.current:
            raise PermissionError(13, "Permission denied", str(target))
        replace(source, target)

    monkeypatch.setattr("loaders.releases.os.replace", refuse)
    with pytest.raises(GongkaiError, match=r"cannot write the release \(.*current: Permission denied\)"):
        publish(warehouse)
    monkeypatch.undo()
    assert current(warehouse) == before
