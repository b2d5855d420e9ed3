"""What docs/security.md promises: releases are only read, SQL reaches nothing else, secrets stand nowhere."""

from __future__ import annotations

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loaders.cli import main
from loaders.errors import GongkaiError
from loaders.release_guard import GUARDED, LOCKED, guard_release, is_guarded, open_release
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse
from tests.loaders.test_clients import SAFE

NOBODY = 65534
# Who may open DuckDB, and on what. Whoever opens it anew is asked to stand here.
OPENINGS = {
    ("loaders/release_guard.py", "open_release"),  # a release, read-only and locked
    ("loaders/warehouse.py", "open_duckdb"),  # the work file; a release read-only
    ("loaders/warehouse.py", "_create_work_file"),
    ("loaders/release_database.py", "_open"),  # a release that nobody sees yet
    ("loaders/suite_rules.py", "_raw_columns"),  # nothing but memory
}


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as caught:
        main(list(map(str, arguments)))
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    assert isinstance(caught.value.code, int)
    return caught.value.code, output.out + output.err


@pytest.fixture
def guarded(refreshed: Warehouse) -> Path:
    """A release beside which nothing can be written."""
    release = refreshed.current_release()
    assert release is not None
    guard_release(release)
    return release


def escapes(release: Path, folder: Path) -> list[str]:
    """What SQL could try to read, write or change; ``folder`` holds ``bait.csv`` and ``other.duckdb``."""
    wal, spill = release / GUARDED[0], release / GUARDED[1]
    return [
        "select * from read_text('/etc/passwd')",
        "select * from read_blob('/proc/self/environ')",
        f"select * from read_csv('{folder}/bait.csv')",
        f"select * from sniff_csv('{folder}/bait.csv')",
        f"select * from '{folder}/bait.csv'",
        f"select * from '{release}/parquet/dim_year.parquet'",
        f"select * from read_text('{release}/manifest.json')",
        f"select * from query('select * from read_text(''{folder}/bait.csv'')')",
        f"select * from glob('{folder}/*')",
        f"copy (select 1) to '{folder}/stolen.csv'",
        f"with a as (copy (select 1) to '{folder}/stolen.csv') select 1",
        f"explain analyze copy (select 1) to '{folder}/stolen.csv'",
        f"copy (select 1) to '{wal}'",
        f"copy (select 1) to '{wal}' (use_tmp_file false)",
        f"with a as (copy (select 1) to '{wal}') select 1",
        f"copy (select 1) to '{spill}/x.csv'",
        f"copy (select 1) to '{release}/warehouse.duckdb'",
        f"copy marts.dim_year from '{folder}/bait.csv'",
        f"attach '{folder}/other.duckdb' as other (read_only)",
        f"attach '{folder}/fresh.duckdb' as fresh",
        "attach ':memory:' as fresh",
        f"export database '{folder}/stolen'",
        f"import database '{folder}'",
        "install httpfs",
        "load httpfs",
        f"load '{folder}/x.duckdb_extension'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set allowed_paths = ['/etc/passwd']",
        "set threads = 64",
        "reset memory_limit",
        f"set temp_directory = '{folder}'",
        f"pragma profiling_output = '{folder}/profile.json'",
        f"call enable_logging('QueryLog', storage = 'file', storage_path = '{folder}/log')",
        "create secret s (type s3)",
        "create persistent secret s (type http)",
        "select getenv('HOME')",
        "create table marts.mine (n integer)",
        "create view marts.mine as select 1",
        "create macro marts.mine() as 1",
        "insert into marts.dim_year select * from marts.dim_year",
        "with a as (delete from marts.dim_year returning *) select * from a",
        "update marts.dim_year set publication_year = 1",
        "delete from marts.dim_year",
        "drop table marts.dim_year",
        "alter table marts.dim_year add column n integer",
        "comment on table marts.dim_year is 'mine'",
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "elsewhere"
    made.mkdir()
    (made / "bait.csv").write_text("n\n1\n", "utf-8")
    duckdb.connect(str(made / "other.duckdb")).close()
    return made


def test_gongkai_query_answers_from_the_release_and_from_nothing_else(
    guarded: Path, refreshed: Warehouse, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(refreshed.root.rglob("*"))
    options = ("--warehouse", refreshed.root, "--format", "csv")
    assert run(capsys, "query", "select count(*) as n from dim_year", *options) == (0, "n\r\n14\r\n")
    for sql in escapes(guarded, folder):
        code, said = run(capsys, "query", sql, *options)
        assert (code, said.startswith("gongkai: the query cannot be answered")) == (2, True), (sql, said)
    assert sorted(path.name for path in folder.iterdir()) == ["bait.csv", "other.duckdb"]
    assert sorted(refreshed.root.rglob("*")) == before


@pytest.mark.parametrize("settings", [dict(SAFE), dict(LOCKED)], ids=["of docs/clients.md", "of our commands"])
def test_the_documented_connection_holds(guarded: Path, folder: Path, settings: dict[str, str]) -> None:
    before = sorted(guarded.rglob("*"))
    with duckdb.connect(str(guarded / "warehouse.duckdb"), read_only=True, config=settings) as con:
        for sql in escapes(guarded, folder):
            with pytest.raises(duckdb.Error):
                con.execute(sql).fetchall()
        assert con.execute("select count(*) from marts.dim_year").fetchall() == [(14,)]
    assert sorted(path.name for path in folder.iterdir()) == ["bait.csv", "other.duckdb"]
    assert sorted(guarded.rglob("*")) == before


def test_every_release_is_published_guarded(refreshed: Warehouse) -> None:
    release = refreshed.current_release()
    assert release is not None
    assert all(is_guarded(release / name) for name in GUARDED)


def test_the_name_of_a_log_is_taken_since_the_lock_leaves_it_open(refreshed: Warehouse) -> None:
    """Without the links a locked reader can write it: should DuckDB end that, they may go."""
    release = refreshed.current_release()
    assert release is not None
    for name in GUARDED:
        (release / name).unlink()
    wal = release / GUARDED[0]
    write = f"copy (select 1) to '{wal}'"
    with open_release(release) as con:
        con.execute(write)
    assert wal.is_file()
    with pytest.raises(GongkaiError, match="was not closed or was written to"):
        guard_release(release)
    wal.unlink()
    guard_release(release)
    guard_release(release)
    assert all(is_guarded(release / name) for name in GUARDED)
    with open_release(release) as con, pytest.raises(duckdb.Error):
        con.execute(write)
    with duckdb.connect(str(release / "warehouse.duckdb"), read_only=True) as con:
        assert con.execute("select count(*) from marts.dim_year").fetchall() == [(14,)]


def test_a_question_too_large_for_the_memory_writes_nothing(guarded: Path) -> None:
    large = "select md5(i::varchar) as h from range(3000000) as t(i) order by h offset 2999999"
    for settings in (dict(LOCKED), dict(SAFE)):
        small = {"memory_limit": "100MB", "threads": "2", **settings}
        with duckdb.connect(str(guarded / "warehouse.duckdb"), read_only=True, config=small) as con:
            with pytest.raises(duckdb.Error):
                con.execute(large).fetchall()
            assert con.execute("select count(*) from marts.dim_year").fetchall() == [(14,)]
    assert not [path for path in guarded.iterdir() if path.name.endswith(".tmp") and not is_guarded(path)]


def test_whoever_opens_duckdb_is_known() -> None:
    found = set()
    for path in sorted((PROJECT_ROOT / "loaders").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef):
                calls = [ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)]
                if "duckdb.connect" in calls:
                    found.add((path.relative_to(PROJECT_ROOT).as_posix(), function.name))
    assert found == OPENINGS


def commands(warehouse: Warehouse, folder: Path) -> list[list[str]]:
    return [
        ["query", "select 1 as n"],
        ["trace", "--agency", "甲县人民政府", "--year", "2016", "--metric", "requests_received"],
        ["export", str(folder / "exported")],
        ["status"],
        ["mirror", "postgresql://u@127.0.0.1:1/d"],
    ]


def test_no_command_opens_a_release_to_write(
    guarded: Path,
    refreshed: Warehouse,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[tuple[str, bool]] = []
    connect: Callable[..., Any] = duckdb.connect

    def record(path: str = ":memory:", read_only: bool = False, **more: Any) -> Any:
        opened.append((os.path.realpath(path), read_only))
        return connect(path, read_only=read_only, **more)

    monkeypatch.setattr(duckdb, "connect", record)
    for command in commands(refreshed, folder):
        run(capsys, *command, "--warehouse", refreshed.root)
    releases = str(refreshed.releases.resolve())
    of_releases = [read_only for path, read_only in opened if path.startswith(releases)]
    assert len(of_releases) >= 4
    assert all(of_releases)


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_system_sees_no_release_opened_to_write(guarded: Path, refreshed: Warehouse, folder: Path) -> None:
    log = folder / "strace.log"
    releases = str(refreshed.releases.resolve())
    met = 0
    for command in commands(refreshed, folder)[:3]:
        subprocess.run(
            [
                *("strace", "-f", "-qq", "-o", str(log)),
                *("-e", "trace=open,openat,creat,rename,renameat,renameat2,unlink,unlinkat,truncate"),
                *(sys.executable, "-m", "loaders", *command, "--warehouse", str(refreshed.root)),
            ],
            cwd=PROJECT_ROOT,
            capture_output=True,
            check=True,
        )
        calls = [line for line in log.read_text("utf-8", "replace").splitlines() if releases in line]
        met += sum("warehouse.duckdb" in line for line in calls)
        for line in calls:
            assert not re.search(r"O_RDWR|O_WRONLY|O_CREAT|O_TRUNC|rename|unlink|truncate|creat\(", line), line
    assert met >= 3


def as_nobody(work: Callable[[], object]) -> str:
    """What a function says when another user of the machine calls it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            said = str(work())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode()[:4000])
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to become another user")
def test_another_user_reads_a_release_and_writes_nothing(refreshed: Warehouse) -> None:
    release = refreshed.current_release()
    assert release is not None
    for parent in (release, *release.parents):
        if Path(tempfile.gettempdir()) in parent.parents:
            parent.chmod(0o755)
    database = str(release / "warehouse.duckdb")

    def count() -> object:
        with duckdb.connect(database, read_only=True) as con:
            return con.execute("select count(*) from marts.dim_year").fetchall()

    def ask(sql: str) -> Callable[[], object]:
        def work() -> object:
            with duckdb.connect(database, read_only=True) as con:
                return con.execute(sql).fetchall()

        return work

    assert as_nobody(count) == "[(14,)]"
    assert "Permission denied" in as_nobody(lambda: duckdb.connect(database))
    # Without any lock, and without the links: the modes alone.
    for name in GUARDED:
        (release / name).unlink()
    assert "Permission denied" in as_nobody(ask(f"copy (select 1) to '{release}/{GUARDED[0]}'"))
    assert "Permission denied" in as_nobody(ask(f"copy (select 1) to '{database}' (use_tmp_file false)"))
    assert "Error" in as_nobody(lambda: os.chmod(database, 0o666))


# Addresses as examples and tests have them; a password of this kind protects nothing.
HARMLESS = re.compile(r"s3c|secret|password|pw\b|user:|u:p@|:x@|\$|\{|<|%", re.IGNORECASE)
KEY_PATTERNS = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "token of GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})",
    "token of GitLab": r"\bglpat-[A-Za-z0-9_-]{20}",
    "token of Slack": r"\bxox[abposr]-[A-Za-z0-9-]{10,}",
    "token of npm or PyPI": r"\b(?:npm_[A-Za-z0-9]{36}|pypi-AgEI[A-Za-z0-9_-]{20,})",
    "key of Google": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "signed token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "password in an address": r"\b[a-z][a-z0-9+]{2,}://[^\s/:@'\"`]+:[^\s/@'\"`]+@[^\s'\"`]+",
    "secret as a literal": (
        r"(?i)\b(?:secret_key|api_?key|passwd|password|access_token)\b['\"]?\s*[:=]\s*['\"][^'\"{}$<>\s]{8,}['\"]"
    ),
}
REGISTRIES = re.compile(
    r"https?://(?:[\w.-]*pythonhosted\.org|pypi\.org/(?:simple|pypi)|registry\.npmjs\.org|registry\.yarnpkg\.com)"
    r"|--(?:extra-)?index-url|--find-links|--registry\b"
)


def tracked_files() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT_ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a checkout")
    return [path for name in done.stdout.decode().split("\0") if name and (path := PROJECT_ROOT / name).is_file()]


def find_secrets(text: str) -> list[str]:
    """What looks like a secret, as kind and text."""
    return [
        f"{kind}: {found[0]}"
        for kind, pattern in KEY_PATTERNS.items()
        for found in re.finditer(pattern, text)
        if not (
            kind in ("password in an address", "secret as a literal")
            and HARMLESS.search(found[0].partition("=")[2] or found[0])
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE " + "KEY-----",
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "ghp_" + "a" * 36,
        "postgresql://gongkai:Tr0ub4dor" + "&3@db.internal/statistics",
        'SECRET_KEY = "' + 'N7tq0wXz9LmK2v"',
    ],
)
def test_a_secret_would_be_noticed(text: str) -> None:
    assert find_secrets(text)


def test_no_tracked_file_holds_a_secret_or_the_address_of_a_registry() -> None:
    files = tracked_files()
    assert len(files) > 300
    found = []
    for path in files:
        name = path.relative_to(PROJECT_ROOT).as_posix()
        text = path.read_bytes().decode("utf-8", "ignore")
        found += [f"{name}: {secret}" for secret in find_secrets(text)]
        if name != Path(__file__).relative_to(PROJECT_ROOT).as_posix():
            found += [f"{name}: {address[0]}" for address in REGISTRIES.finditer(text)]
    assert not found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
@pytest.mark.parametrize("way", ["variable", "PGPASSWORD"])
def test_a_password_of_the_mirror_is_seen_nowhere(refreshed: Warehouse, way: str) -> None:
    """While it works, in what it says, and in what it leaves."""
    secret = "Kuh4Paes1ooNg"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(300)
        port = listener.getsockname()[1]
        address = f"postgresql://u@127.0.0.1:{port}/d?sslmode=disable"
        variables = {**os.environ, "GONGKAI_WAREHOUSE": str(refreshed.root), "GONGKAI_DEBUG": "1"}
        arguments = [address]
        if way == "variable":
            variables["GONGKAI_MIRROR_URL"] = address.replace("u@", f"u:{secret}@")
            arguments = []
        else:
            variables["PGPASSWORD"] = secret
        process = subprocess.Popen(
            [sys.executable, "-m", "loaders", "mirror", *arguments],
            cwd=PROJECT_ROOT,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = listener.accept()
        command_line = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
        connection.recv(1000)
        # Asked for the password in clear, as a server may, and then told that it was wrong.
        connection.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x03")
        assert secret.encode() in connection.recv(1000)
        message = f"SFATAL\0C28P01\0Mpassword {secret} is wrong\0\0".encode()
        connection.sendall(b"E" + (len(message) + 4).to_bytes(4, "big") + message)
        connection.close()
        said = "".join(process.communicate(timeout=300))
    assert process.returncode == 1
    assert "cannot connect to" in said
    assert "mirror" in command_line
    assert secret not in command_line
    assert secret not in said
    for path in refreshed.root.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


def test_a_password_on_the_command_line_is_warned_of(refreshed: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, "mirror", "postgresql://u:s3cret@127.0.0.1:1/d", "--warehouse", refreshed.root)
    assert (code, "s3cret" in said, "GONGKAI_MIRROR_URL" in said) == (1, False, True)
    code, said = run(capsys, "mirror", "postgresql://u@127.0.0.1:1/d", "--warehouse", refreshed.root)
    assert (code, "GONGKAI_MIRROR_URL" in said) == (1, False)
