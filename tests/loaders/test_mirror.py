"""The mirror, against a real PostgreSQL server that the tests start themselves."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loaders import mirror
from loaders.cli import main
from loaders.errors import GongkaiError, LockedError, UsageError
from loaders.mirror import MirrorRequest, run_mirror
from loaders.postgres import Server
from loaders.settings import Settings
from loaders.tables import LOOKUPS, read_tables
from loaders.warehouse import Warehouse
from tests.loaders.postgres_server import PASSWORD, QUOTED_PASSWORD, PostgresServer, run_server, what_is_missing

MISSING = what_is_missing()
needs_server = pytest.mark.skipif(
    MISSING is not None and not os.environ.get("GONGKAI_REQUIRE_POSTGRES"), reason=str(MISSING)
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    assert MISSING is None, MISSING
    with run_server() as running:
        yield running


@pytest.fixture
def database(server: PostgresServer) -> Iterator[str]:
    name = f"d{time.monotonic_ns()}"
    server.psql("postgres", f"create database {name}")
    yield name
    server.psql("postgres", f"drop database {name} with (force)")


@dataclass
class Releases:
    """A warehouse with hand-made releases that differ in every table."""

    root: Path
    made: list[str] = field(default_factory=list)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.root)

    def publish(self, mark: str, rows: int = 200) -> str:
        """Make a release all of whose rows carry a mark, and let readers see it."""
        folder = self.root / "releases" / mark
        if not folder.exists():
            folder.mkdir(parents=True)
            con = duckdb.connect(str(folder / "warehouse.duckdb"))
            con.execute(
                f"""
                create schema marts;
                create table marts.dim_agency as select 'k' || n as agency_key, '局' || n as agency_name,
                    '{mark}' as mark from range({rows}) as t(n);
                alter table marts.dim_agency alter agency_key set not null;
                alter table marts.dim_agency add primary key (agency_key);
                comment on table marts.dim_agency is 'Bodies. It''s 机关 "quoted".';
                comment on column marts.dim_agency.mark is '发布 mark';
                create table marts.fct_figure as select 'f' || n as figure_key, 'k' || n as agency_key,
                    (2000 + n % 20)::integer as report_year, (n * 1.5)::decimal(20,4) as value, n / 7 as ratio,
                    case n % 3 when 0 then null when 1 then '' else '~:' || chr(10) || '甲 𠮷 \t\\' end as label,
                    n % 2 = 0 as is_even, n * 10000000000 as big, date '1899-12-31' + n::integer as day_date,
                    timestamp '2024-02-29 01:02:03.000001' + to_microseconds(n) as at, '{mark}' as mark
                    from range({rows}) as t(n);
                alter table marts.fct_figure alter figure_key set not null;
                create table marts.fct_empty as select * from marts.fct_figure limit 0;
                """
            )
            con.close()
            manifest = {"release_id": mark, "created_at": "2026-01-02T03:04:05Z", "gongkai_version": "0"}
            (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        link = self.root / f".current-{mark}"
        link.symlink_to(Path("releases", mark))
        os.replace(link, self.root / "current")
        return mark


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path / "wh")


def copy_to(warehouse: Warehouse, url: str, **options: Any) -> None:
    run_mirror(Settings(warehouse, quiet=True), MirrorRequest(url, **{"wait_seconds": 5.0, **options}))


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["mirror", *map(str, arguments)])
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    assert isinstance(caught.value.code, int)
    return caught.value.code, output.out, output.err


STANDING = "select string_agg(nspname, ',' order by nspname) from pg_namespace where nspname ~ '^(marts|other)'"


@needs_server
def test_every_mart_arrives_as_the_release_has_it(
    refreshed: Warehouse, server: PostgresServer, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, server.url(database), "--warehouse", refreshed.root, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["is_changed"]
    con = duckdb.connect(str(refreshed.current / "warehouse.duckdb"), read_only=True)
    tables = read_tables(con)
    assert set(found["tables"]) == {table.name for table in tables}
    assert server.psql(database, "select release_id from marts.mirror_release") == found["release_id"]
    for table in tables:
        (rows,) = con.execute(f'select count(*) from marts."{table.name}"').fetchall()[0]
        assert server.psql(database, f'select count(*) from marts."{table.name}"') == str(rows)
        columns = server.psql(
            database,
            "select attname, attnotnull from pg_attribute "
            f"where attrelid = 'marts.{table.name}'::regclass and attnum > 0 order by attnum",
        )
        assert columns == "\n".join(f"{c.name}|{'f' if c.is_nullable else 't'}" for c in table.columns)
        comments = server.psql(
            database,
            f"select count(col_description('marts.{table.name}'::regclass, attnum)), "
            f"obj_description('marts.{table.name}'::regclass) is not null "
            f"from pg_attribute where attrelid = 'marts.{table.name}'::regclass and attnum > 0",
        )
        assert comments == f"{len(table.columns)}|t"
        keys = server.psql(
            database, f"select count(*) from pg_index where indrelid = 'marts.{table.name}'::regclass and indisprimary"
        )
        assert keys == ("1" if table.key else "0")
    assert {table.name for table in tables if not table.key} <= {"dim_indicator_form", "rpt_peer_comparison"}
    by_name = {table.name: table for table in tables}
    assert by_name["fct_metric_value"].key == ("metric_value_key",)
    used = {found for table in tables for found in table.lookups}
    assert used == set(LOOKUPS)
    question = "select agency_name, report_year, requests_received from marts.rpt_requests_yearly order by 1, 2"
    answer = con.execute(question).fetchall()
    con.close()
    assert server.psql(database, question) == "\n".join("|".join(map(str, row)) for row in answer)
    code, out, _ = run(capsys, server.url(database), "--warehouse", refreshed.root)
    assert (code, "nothing to do" in out) == (0, True)


@needs_server
def test_types_and_texts_survive(releases: Releases, server: PostgresServer, database: str) -> None:
    releases.publish("a")
    copy_to(releases.warehouse, server.url(database))
    columns = server.psql(
        database,
        "select column_name, data_type, numeric_precision, numeric_scale from information_schema.columns "
        "where table_name = 'fct_figure' and column_name in ('value', 'ratio', 'at', 'day_date', 'big') order by 1",
    )
    assert columns.splitlines() == [
        "at|timestamp without time zone||",
        "big|bigint|64|0",
        "day_date|date||",
        "ratio|double precision|53|",
        "value|numeric|20|4",
    ]
    row = server.psql(
        database,
        "select value, label = '~:' || chr(10) || '甲 𠮷 ' || chr(9) || chr(92), is_even, big, day_date, at "
        "from marts.fct_figure where figure_key = 'f5'",
    )
    assert row == "7.5000|t|f|50000000000|1900-01-05|2024-02-29 01:02:03.000006"
    comments = server.psql(database, "select obj_description('marts.dim_agency'::regclass)")
    assert comments == 'Bodies. It\'s 机关 "quoted".'
    assert server.psql(database, "select count(*) from marts.fct_empty") == "0"
    indexes = server.psql(database, "select indexdef from pg_indexes where tablename = 'fct_figure' order by 1")
    assert "UNIQUE" in indexes
    assert "(agency_key, report_year)" in indexes


@needs_server
@pytest.mark.parametrize(
    "spoil",
    [
        "update {table} set value = value + 0.0001 where figure_key = 'f7'",
        "update {table} set ratio = ratio + 1e-15 where figure_key = 'f7'",
        "update {table} set label = null where label = ''",
        "update {table} set at = at + interval '1 microsecond' where figure_key = 'f7'",
        "delete from {table} where figure_key = 'f7'",
    ],
)
def test_what_differs_from_the_release_is_not_shown(
    releases: Releases, server: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    releases.publish("a")
    copy_to(releases.warehouse, server.url(database))
    releases.publish("b")
    copy = Server.copy

    def copy_badly(self: Server, schema: str, table: str, batches: Any) -> None:
        copy(self, schema, table, batches)
        if table == "fct_figure":
            self.run(spoil.format(table=f"{schema}.{table}"))

    monkeypatch.setattr(Server, "copy", copy_badly)
    with pytest.raises(GongkaiError, match="something else than fct_figure"):
        copy_to(releases.warehouse, server.url(database))
    assert server.psql(database, "select release_id from marts.mirror_release", STANDING) == "a\nmarts"


class Reader(threading.Thread):
    """Asks all tables for their marks until it is stopped, in one statement or in one transaction."""

    def __init__(self, url: str, *, in_transaction: bool, pause: float) -> None:
        super().__init__()
        self.url, self.in_transaction, self.pause = url, in_transaction, pause
        self.is_stopped = threading.Event()
        self.answers = 0
        self.seen: set[str] = set()
        self.wrong: list[Any] = []

    def run(self) -> None:
        try:
            with Server(self.url) as session:
                while not self.is_stopped.is_set():
                    marks = self._ask(session)
                    self.answers += 1
                    self.seen |= marks
                    if len(marks) != 1:
                        self.wrong.append(marks)
                    time.sleep(self.pause)
        except Exception as error:
            self.wrong.append(error)

    def _ask(self, session: Server) -> set[str]:
        one = (
            "select mark from marts.dim_agency union all select mark from marts.fct_figure "
            "union all select release_id from marts.mirror_release"
        )
        if not self.in_transaction:
            marks = {mark for (mark,) in session.rows(one)}
            session.commit()
            return marks
        # The other way round: were the swap to lock one table after the other, this would meet it half-way.
        marks = {mark for (mark,) in session.rows("select release_id from marts.mirror_release")}
        time.sleep(self.pause)
        marks |= {mark for (mark,) in session.rows("select distinct mark from marts.fct_figure")}
        time.sleep(self.pause)
        marks |= {mark for (mark,) in session.rows("select distinct mark from marts.dim_agency")}
        session.commit()
        return marks


@needs_server
@pytest.mark.parametrize("swaps", [4, pytest.param(50, marks=pytest.mark.long)])
def test_four_readers_never_fail_and_never_see_two_releases(
    releases: Releases, server: PostgresServer, database: str, swaps: int
) -> None:
    """Swaps between two releases under four readers that hardly pause."""
    server.psql("postgres", "drop role if exists looker", "create role looker login")
    releases.publish("a")
    copy_to(releases.warehouse, server.url(database), readers=("looker",))
    url = server.url(database, "looker")
    readers = [Reader(url, in_transaction=n % 2 == 1, pause=0.01 * n) for n in range(4)]
    for reader in readers:
        reader.start()
    try:
        for n in range(swaps):
            releases.publish("b" if n % 2 == 0 else "a")
            copy_to(releases.warehouse, server.url(database), wait_seconds=60.0)
    finally:
        for reader in readers:
            reader.is_stopped.set()
        for reader in readers:
            reader.join(30)
    assert [reader.wrong for reader in readers] == [[], [], [], []]
    assert all(reader.seen == {"a", "b"} for reader in readers)
    print(f"answers {[reader.answers for reader in readers]}")
    server.psql(database, "drop owned by looker", "drop role looker")


def start_mirror(releases: Releases, url: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "loaders", "mirror", url, "--warehouse", str(releases.root), "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_until(server: PostgresServer, database: str, question: str) -> None:
    """Wait until a question is answered with t."""
    deadline = time.monotonic() + 60
    with Server(server.url(database)) as session:
        while time.monotonic() < deadline:
            if session.rows(question) == [(True,)]:
                return
            session.rollback()
            time.sleep(0.002)
    raise AssertionError(f"never true: {question}")


@needs_server
@pytest.mark.parametrize("moment", ["copy%", "alter table%", "lock table%"])
def test_killed_at_any_moment_the_old_schema_stands_and_the_next_run_completes(
    releases: Releases, server: PostgresServer, database: str, moment: str
) -> None:
    releases.publish("a")
    copy_to(releases.warehouse, server.url(database))
    releases.publish("b", rows=100_000)
    with Server(server.url(database)) as holder:
        # The swap waits for this transaction; loading does not.
        holder.rows("select count(*) from marts.fct_figure")
        process = start_mirror(releases, server.url(database))
        working = (
            "select exists (select from pg_stat_activity where application_name = 'gongkai mirror' "
            f"and datname = current_database() and state = 'active' and query ilike '{moment}')"
        )
        wait_until(server, database, working)
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
    gone = "select not exists (select from pg_locks where locktype = 'advisory')"
    wait_until(server, database, gone)
    assert server.psql(database, "select distinct mark from marts.fct_figure") == "a"
    assert server.psql(database, STANDING) == ("marts,marts_next" if moment == "lock table%" else "marts")
    copy_to(releases.warehouse, server.url(database))
    assert (
        server.psql(database, "select mark, count(*) from marts.fct_figure group by 1", STANDING) == "b|100000\nmarts"
    )


@needs_server
def test_a_second_mirror_is_refused_and_told_who_works(
    releases: Releases, server: PostgresServer, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    releases.publish("a")
    with Server(server.url(database)) as first:
        mirror._lock(first, MirrorRequest("", wait_seconds=0))
        code, _, err = run(capsys, server.url(database), "--warehouse", releases.root, "--wait", "0")
        assert (code, "another mirror (owner, server process " in err) == (5, True)
        copy_to(releases.warehouse, server.url(database), schema="other")
    copy_to(releases.warehouse, server.url(database))
    assert server.psql(database, STANDING) == "marts,other"


@needs_server
def test_a_query_that_never_ends_keeps_the_old_schema(
    releases: Releases, server: PostgresServer, database: str
) -> None:
    releases.publish("a")
    copy_to(releases.warehouse, server.url(database))
    releases.publish("b")
    with Server(server.url(database)) as holder:
        holder.rows("select * from marts.dim_agency")
        with pytest.raises(LockedError, match="queries have held the tables"):
            copy_to(releases.warehouse, server.url(database), wait_seconds=1.0)
        assert holder.rows("select distinct mark from marts.dim_agency") == [("a",)]
    copy_to(releases.warehouse, server.url(database))
    assert server.psql(database, "select distinct mark from marts.dim_agency") == "b"


@needs_server
def test_rights_pass_from_release_to_release(releases: Releases, server: PostgresServer, database: str) -> None:
    server.psql("postgres", *(f"create role {name} login" for name in ("given", "all_tables", "one_table")))
    releases.publish("a")
    copy_to(releases.warehouse, server.url(database), readers=("given",))
    server.psql(
        database,
        "grant usage on schema marts to all_tables, one_table",
        "grant select on all tables in schema marts to all_tables",
        "grant select on marts.dim_agency to one_table",
    )
    releases.publish("b")
    con = duckdb.connect(str(releases.root / "releases/b/warehouse.duckdb"))
    con.execute("create table marts.dim_new as select 1 as n")
    con.close()
    copy_to(releases.warehouse, server.url(database))
    for reader in ("given", "all_tables"):
        assert server.psql(database, "select n from marts.dim_new", user=reader) == "1"
    assert server.psql(database, "select distinct mark from marts.dim_agency", user="one_table") == "b"
    for reader, statement in (
        ("one_table", "select * from marts.dim_new"),
        ("given", "delete from marts.dim_agency"),
        ("given", "create table marts.mine (n int)"),
    ):
        with pytest.raises(RuntimeError, match="permission denied"):
            server.psql(database, statement, user=reader)
    for name in ("given", "all_tables", "one_table"):
        server.psql(database, f"drop owned by {name}", f"drop role {name}")


@needs_server
def test_what_others_made_is_never_dropped(releases: Releases, server: PostgresServer, database: str) -> None:
    releases.publish("a")
    url = server.url(database)
    server.psql(database, "create schema marts", "create table marts.mine (n int)")
    with pytest.raises(UsageError, match="not made by `gongkai mirror`"):
        copy_to(releases.warehouse, url)
    server.psql(database, "alter schema marts rename to mine")
    copy_to(releases.warehouse, url)
    releases.publish("b")
    server.psql(database, "create view public.seen as select agency_name from marts.dim_agency")
    with pytest.raises(GongkaiError, match=r"view seen depends on table marts\.dim_agency"):
        copy_to(releases.warehouse, url)
    server.psql(database, "drop view public.seen", "create table marts.note (n int)")
    with pytest.raises(GongkaiError, match=r"table marts\.note"):
        copy_to(releases.warehouse, url)
    assert server.psql(database, "select distinct mark from marts.dim_agency") == "a"
    server.psql(database, "drop table marts.note", "drop table marts.fct_empty")
    copy_to(releases.warehouse, url)
    assert server.psql(database, "select distinct mark from marts.dim_agency", "select n from mine.mine") == "b"


@needs_server
def test_a_release_published_meanwhile_is_not_mixed_in(
    releases: Releases, server: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    releases.publish("a")
    current = Warehouse.current_release

    def publish_after(self: Warehouse) -> Path | None:
        found = current(self)
        releases.publish("b")
        return found

    monkeypatch.setattr(Warehouse, "current_release", publish_after)
    copy_to(releases.warehouse, server.url(database))
    question = "select release_id from marts.mirror_release union select mark from marts.fct_figure"
    assert server.psql(database, question) == "a"


@needs_server
def test_the_recipe_of_the_page_makes_a_reader_that_only_reads(
    releases: Releases, server: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "postgres.md").read_text("utf-8")
    (recipe,) = re.findall(r"^```sql\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    server.psql("postgres", *recipe.strip().split(";\n"))
    releases.publish("a")
    code, _, err = run(capsys, server.url("statistics", "gongkai"), "--warehouse", releases.root, "--reader", "bi")
    assert code == 0, err
    assert server.psql("statistics", "select count(*) from marts.dim_agency", user="bi") == "200"
    writable = "set default_transaction_read_only = off"
    for statement, said in (
        ("delete from marts.dim_agency", "read-only transaction"),
        (f"{writable}; delete from marts.dim_agency", "permission denied"),
        (f"{writable}; create table marts.mine (n int)", "permission denied"),
        (f"{writable}; create schema mine", "permission denied"),
        ("select pg_read_file('/etc/passwd')", "permission denied"),
        (f"{writable}; copy marts.dim_agency to '/tmp/stolen'", "must be superuser"),
    ):
        with pytest.raises(RuntimeError, match=said):
            server.psql("statistics", *statement.split("; "), user="bi")
    server.psql("postgres", "drop database statistics", "drop role gongkai", "drop role bi")


@needs_server
def test_the_same_release_is_loaded_again_only_by_force(
    releases: Releases, server: PostgresServer, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    releases.publish("a")
    arguments = (server.url(database), "--warehouse", releases.root, "--json")
    assert json.loads(run(capsys, *arguments)[1])["is_changed"]
    before = server.psql(database, "select 'marts.dim_agency'::regclass::oid")
    again = json.loads(run(capsys, *arguments)[1])
    assert (again["is_changed"], again["tables"]["dim_agency"]["rows"]) == (False, 200)
    assert server.psql(database, "select 'marts.dim_agency'::regclass::oid") == before
    assert json.loads(run(capsys, *arguments, "--force")[1])["is_changed"]
    assert server.psql(database, "select 'marts.dim_agency'::regclass::oid") != before


@needs_server
def test_refusals_of_the_server_are_sentences(
    releases: Releases, server: PostgresServer, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    releases.publish("a")
    server.psql("postgres", "drop role if exists weak", f"create role weak login password '{PASSWORD}'")
    server.psql("postgres", "drop database if exists latin")
    server.psql("postgres", "create database latin encoding 'LATIN1' locale 'C' template template0")
    port = f"127.0.0.1:{server.port}"
    for url, code, said in (
        (f"postgresql://weak:{QUOTED_PASSWORD}@{port}/{database}", 1, "permission denied for database"),
        (f"postgresql://weak:wrong-secret@{port}/{database}", 1, "password authentication failed"),
        (f"postgresql://weak:{QUOTED_PASSWORD}@{port}/nowhere", 1, 'database "nowhere" does not exist'),
        (f"postgresql://weak:{QUOTED_PASSWORD}@127.0.0.1:1/x", 1, "Connection refused"),
        (server.url("latin"), 2, "encoded in LATIN1"),
    ):
        met, _, err = run(capsys, url, "--warehouse", releases.root)
        assert (met, said in err) == (code, True), err
        for secret in (PASSWORD, QUOTED_PASSWORD, "wrong-secret"):
            assert secret not in err
    met, _, err = run(capsys, server.url(database), "--warehouse", releases.root, "--reader", "nobody_here")
    assert (met, "no role nobody_here" in err) == (2, True)
    assert server.psql(database, STANDING) == ""
    server.psql("postgres", "drop role weak", "drop database latin")


@needs_server
def test_a_server_that_goes_away_is_named(
    releases: Releases, server: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    releases.publish("a")

    def copy_and_lose(self: Server, schema: str, table: str, batches: Any) -> None:
        server.psql(
            "postgres",
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gongkai mirror'",
        )
        self.rows("select 1")

    monkeypatch.setattr(Server, "copy", copy_and_lose)
    with pytest.raises(GongkaiError, match=r"the connection to owner@.* broke: .*; run it again"):
        copy_to(releases.warehouse, server.url(database))
    assert server.psql(database, STANDING) == ""


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:s3cret@h/d", "does not begin with postgresql://"),
        ("s3cret", "does not begin with postgresql://"),
        ("postgresql:u:s3cret@h/d", "does not begin with postgresql://"),
        ("postgresql://u:s3cret@h:port/d", "the port is no number"),
        ("postgresql://u:s3cret@[h/d", "it cannot be read"),
    ],
)
def test_a_wrong_address_is_refused_without_its_password(
    releases: Releases, capsys: pytest.CaptureFixture[str], url: str, said: str
) -> None:
    releases.publish("a")
    code, _, err = run(capsys, url, "--warehouse", releases.root)
    assert (code, said in err, "s3cret" in err) == (2, True, False)


@pytest.mark.skipif(MISSING is not None and "extra" in MISSING, reason=str(MISSING))
@pytest.mark.parametrize(
    "url", ["postgresql://u:s3c%zzret@127.0.0.1:1/d", "postgresql://127.0.0.1:1/d?password=s3c%zzret"]
)
def test_a_password_is_never_repeated(releases: Releases, capsys: pytest.CaptureFixture[str], url: str) -> None:
    releases.publish("a")
    code, _, err = run(capsys, url, "--warehouse", releases.root)
    assert (code, "cannot connect to" in err, "s3c" in err) == (1, True, False)


def test_what_is_needed_is_said(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgresql://127.0.0.1:1/d"
    assert run(capsys, url, "--warehouse", tmp_path / "none")[2].startswith("gongkai: nothing is published")
    assert "Missing argument 'URL'" in run(capsys)[2]
    monkeypatch.setenv("GONGKAI_MIRROR_URL", url)
    assert "nothing is published" in run(capsys, "--warehouse", tmp_path / "none")[2]
    releases.publish("a")
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    code, _, err = run(capsys, url, "--warehouse", releases.root)
    assert (code, "pip install 'gongkai[postgres]'" in err) == (2, True)
    for schema in ("pg_marts", "Marts", 'x"y', "a" * 59):
        code, _, err = run(capsys, url, "--warehouse", releases.root, "--schema", schema)
        assert (code, "cannot be the schema" in err) == (2, True)


def test_a_type_without_a_counterpart_is_named(releases: Releases) -> None:
    releases.publish("a")
    con = duckdb.connect(str(releases.root / "releases/a/warehouse.duckdb"))
    con.execute("create table marts.dim_odd as select [1, 2] as numbers")
    table = next(table for table in read_tables(con) if table.name == "dim_odd")
    con.close()
    with pytest.raises(GongkaiError, match=r"dim_odd\.numbers has the type INTEGER\[\]"):
        mirror.make_statements("marts", table)
