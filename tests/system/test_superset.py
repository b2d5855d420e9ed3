"""Superset run for real over a release: `make test-superset` installs it and asks it everything that is promised.

Long, and only on demand (``GONGKAI_REQUIRE_SUPERSET``): an environment of 0.7 GB is installed from the package index.
With ``GONGKAI_SUPERSET_ENVIRONMENT`` one that is there already is taken.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import stat
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from loaders.refresh import LoadRequest, run_refresh
from loaders.release_guard import guard_release
from loaders.settings import Settings
from loaders.vocabulary import PROJECT_ROOT
from loaders.warehouse import Warehouse, new_id
from tools import superset

CHROMIUM = shutil.which("chromium")
PLAYWRIGHT = "playwright-core@1.64.1"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif("GONGKAI_REQUIRE_SUPERSET" not in os.environ, reason="run by make test-superset"),
]


class Client:
    """Superset's interface, signed in."""

    def __init__(self, server: superset.Server) -> None:
        self.server = server
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._headers = {"Referer": server.address}
        task = {"username": server.user, "password": server.password, "provider": "db", "refresh": False}
        status, token = self.ask("/api/v1/security/login", task)
        assert status == 200, token
        self._headers["Authorization"] = f"Bearer {token['access_token']}"
        self._headers["X-CSRFToken"] = self.ask("/api/v1/security/csrf_token/")[1]["result"]

    def ask(self, path: str, body: Any = None, method: str | None = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        # A question without a body that announces JSON is refused.
        kind = {} if body is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(self.server.address + path, data, {**self._headers, **kind}, method=method)
        try:
            with self._opener.open(request, timeout=300) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            try:
                return error.code, json.loads(text)
            except ValueError:
                return error.code, text

    def assets(self, kind: str) -> dict[str, dict[str, Any]]:
        """What there is of a kind, by its uuid."""
        status, found = self.ask(f"/api/v1/{kind}/?q=(page_size:100)")
        assert status == 200, found
        return {one["uuid"]: one for one in (self.ask(f"/api/v1/{kind}/{n}")[1]["result"] for n in found["ids"])}

    def run_sql(self, sql: str) -> tuple[int, Any]:
        (database,) = self.ask("/api/v1/database/")[1]["ids"]
        task = {"database_id": database, "sql": sql, "runAsync": False, "queryLimit": 1000, "schema": "marts"}
        return self.ask("/api/v1/sqllab/execute/", task)


@pytest.fixture(scope="module")
def environment() -> Path:
    named = os.environ.get("GONGKAI_SUPERSET_ENVIRONMENT")
    folder = Path(named) if named else superset.default_environment()
    superset.install(folder)
    return folder


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root = tmp_path_factory.mktemp("superset") / "wh"
    found = Warehouse(root)
    run_refresh(Settings(found, quiet=True), LoadRequest((str(PROJECT_ROOT / "samples" / "reports"),)))
    release = found.current_release()
    assert release is not None
    guard_release(release)
    return found


@pytest.fixture(scope="module")
def server(environment: Path, warehouse: Warehouse) -> Iterator[superset.Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with superset.serve(warehouse, environment, port) as found:
        yield found


@pytest.fixture(scope="module")
def client(server: superset.Server) -> Client:
    return Client(server)


def files(kind: str) -> list[dict[str, Any]]:
    return [yaml.safe_load(path.read_text("utf-8")) for path in sorted((superset.BUNDLE / kind).glob("*.yaml"))]


def publish_next(warehouse: Warehouse, statement: str) -> None:
    """A release with other data, swapped in as publishing does."""
    before = warehouse.current_release()
    assert before is not None
    after = warehouse.releases / new_id()
    after.mkdir()
    shutil.copyfile(before / "warehouse.duckdb", after / "warehouse.duckdb")
    con = duckdb.connect(str(after / "warehouse.duckdb"))
    con.execute(statement)
    con.close()
    (after / "warehouse.duckdb").chmod(0o444)
    guard_release(after)
    link = warehouse.releases / f".current-{after.name}"
    link.symlink_to(Path("releases", after.name))
    os.replace(link, warehouse.current)


def plain(value: Any) -> Any:
    """A cell as JSON has it, with figures rounded."""
    return round(float(value), 9) if isinstance(value, int | float) and not isinstance(value, bool) else value


def direct_rows(warehouse: Warehouse, chart: dict[str, Any]) -> list[dict[str, Any]]:
    """The same question in our own words: not by way of Superset."""
    params = chart["params"]
    (dataset,) = [one for one in files("datasets") if one["uuid"] == chart["dataset_uuid"]]
    metrics = {one["metric_name"]: one["expression"] for one in dataset["metrics"]}
    names = [params["metric"]] if "metric" in params else params.get("metrics", [])
    keys = [*([params["x_axis"]] if "x_axis" in params else []), *params.get("groupby", [])]
    if params.get("query_mode") == "raw":
        keys = params["all_columns"]
    wanted = [f'"{key}"' for key in keys] + [f'{metrics[name]} as "{name}"' for name in names]
    where = ["true"]
    for found in params["adhoc_filters"]:
        values = found.get("comparator")
        texts = ", ".join(f"'{value}'" for value in (values if isinstance(values, list) else [values]))
        where.append(f"{found['subject']} " + ("is not null" if values is None else f"in ({texts})"))
    group = f" group by {', '.join(str(n + 1) for n in range(len(keys)))}" if keys and names else ""
    sql = f"select {', '.join(wanted)} from ({dataset['sql']}) as t where {' and '.join(where)}{group}"
    with duckdb.connect(str(warehouse.current / "warehouse.duckdb"), read_only=True) as con:
        cursor = con.execute(sql)
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, map(plain, row), strict=True)) for row in cursor.fetchall()]


def sortable(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps({key: plain(row[key]) for key in sorted(row)}, ensure_ascii=False) for row in rows)


def test_the_bundle_imports_completely(client: Client, warehouse: Warehouse) -> None:
    (database,) = client.assets("database").values()
    assert database["database_name"] == "公开 Gongkai"
    for kind, name in (("dataset", "datasets"), ("chart", "charts"), ("dashboard", "dashboards")):
        assert set(client.assets(kind)) == {one["uuid"] for one in files(name)}, kind
    (dashboard,) = client.assets("dashboard").values()
    assert dashboard["dashboard_title"] == "政府信息公开年度报告"
    shown = [
        part["meta"]["uuid"]
        for part in json.loads(dashboard["position_json"]).values()
        if "CHART" in str(part)[:60] and "meta" in part and "uuid" in part["meta"]
    ]
    assert sorted(shown) == sorted(one["uuid"] for one in files("charts"))


def test_every_dataset_names_its_columns(warehouse: Warehouse) -> None:
    with duckdb.connect(str(warehouse.current / "warehouse.duckdb"), read_only=True) as con:
        for dataset in files("datasets"):
            found = [column[0] for column in con.execute(dataset["sql"]).description]
            assert sorted(found) == sorted(column["column_name"] for column in dataset["columns"])


def test_every_chart_shows_what_sql_answers(client: Client, warehouse: Warehouse) -> None:
    charts = client.assets("chart")
    met = 0
    for chart in files("charts"):
        status, answer = client.ask(f"/api/v1/chart/{charts[chart['uuid']]['id']}/data/")
        assert status == 200, (chart["slice_name"], answer)
        rows = answer["result"][0]["data"]
        assert sortable(rows) == sortable(direct_rows(warehouse, chart)), chart["slice_name"]
        met += len(rows)
    assert met > 30


def test_sql_reaches_nothing_but_the_release(client: Client, warehouse: Warehouse, tmp_path: Path) -> None:
    release = warehouse.current.resolve()
    before = sorted(path.name for path in release.iterdir())
    bait = tmp_path / "bait.csv"
    bait.write_text("n\n1\n", "utf-8")
    assert client.run_sql("select count(*) as n from marts.dim_year")[1]["data"] == [{"n": 14}]
    for sql in (
        "select * from read_text('/etc/passwd')",
        "select * from read_text('/proc/self/environ')",
        f"select * from read_text('{warehouse.root}/superset/secret_key')",
        f"select * from '{bait}'",
        "select * from glob('/etc/*')",
        f"copy (select 1) to '{tmp_path}/stolen.csv'",
        f"copy (select 1) to '{release}/warehouse.duckdb.wal'",
        f"with a as (copy (select 1) to '{release}/warehouse.duckdb.wal') select 1",
        f"copy (select 1) to '{release}/warehouse.duckdb.tmp/x.csv'",
        f"attach '{warehouse.work_file}' as work (read_only)",
        f"attach '{tmp_path}/new.duckdb' as fresh",
        f"export database '{tmp_path}/stolen'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set memory_limit = '9GB'",
        "reset memory_limit",
        "pragma profiling_output = '/tmp/profile.json'",
        "call enable_logging('QueryLog', storage = 'file', storage_path = '/tmp/log')",
        "create table marts.mine (n integer)",
        "create table marts.mine as select 1 as n",
        "insert into marts.dim_year select * from marts.dim_year",
        "update marts.dim_year set publication_year = 1",
        "delete from marts.dim_year",
        "drop table marts.dim_year",
        "select getenv('HOME')",
    ):
        status, answer = client.run_sql(sql)
        assert status >= 400, (sql, answer)
        assert "Traceback" not in str(answer), sql
    assert [path.name for path in tmp_path.iterdir()] == ["bait.csv"]
    assert sorted(path.name for path in release.iterdir()) == before


def test_an_unlocked_connection_is_locked_all_the_same(client: Client, warehouse: Warehouse, tmp_path: Path) -> None:
    """Whoever edits the database in the form, or adds another, gets no further."""
    (database,) = client.assets("database").values()
    path = f"/api/v1/database/{database['id']}"
    extra = json.loads(client.ask(f"{path}/connection")[1]["result"]["extra"])
    assert extra["engine_params"]["connect_args"]["config"]["lock_configuration"] is True
    unlocked = {**extra, "engine_params": {}}
    assert client.ask(path, {"extra": json.dumps(unlocked), "allow_dml": True}, "PUT")[0] == 200
    try:
        for sql in ("select * from read_text('/etc/passwd')", "create table marts.mine (n integer)"):
            assert client.run_sql(sql)[0] >= 400, sql
        assert client.run_sql("select 1 as n")[1]["data"] == [{"n": 1}]
    finally:
        assert client.ask(path, {"extra": json.dumps(extra), "allow_dml": False}, "PUT")[0] == 200
    for other in (f"duckdb:///{tmp_path}/other.duckdb", "duckdb:///:memory:", f"duckdb:///{warehouse.work_file}"):
        task = {"database_name": "other", "sqlalchemy_uri": other, "expose_in_sqllab": True}
        assert client.ask("/api/v1/database/", task)[0] >= 400, other
        assert client.ask("/api/v1/database/test_connection/", task)[0] >= 400, other
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(CHROMIUM is None or shutil.which("npm") is None, reason="needs chromium and npm")
def test_the_dashboard_is_drawn_in_a_browser(server: superset.Server, tmp_path: Path) -> None:
    named = os.environ.get("GONGKAI_PLAYWRIGHT")
    folder = Path(named) if named else tmp_path
    if named is None:
        (folder / "package.json").write_text('{"private": true}', "utf-8")
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", PLAYWRIGHT], cwd=folder, check=True)
    picture = tmp_path / "superset.png"
    page = folder / "superset_page.mjs"
    shutil.copyfile(PROJECT_ROOT / "tools" / "superset_page.mjs", page)
    task = {
        "address": server.address,
        "dashboard": server.dashboard,
        "user": server.user,
        "password": server.password,
        "picture": str(picture),
        "chromium": CHROMIUM,
    }
    done = subprocess.run(
        ["node", str(page)], input=json.dumps(task) + "\n", capture_output=True, text=True, check=True, timeout=600
    )
    met = json.loads(done.stdout)
    assert not met["errors"]
    assert [answer for answer in met["answers"] if answer["status"] != 200] == []
    assert len({answer["chart"] for answer in met["answers"] if answer["chart"]}) == len(files("charts"))
    for chart in files("charts"):
        assert chart["slice_name"] in met["text"], chart["slice_name"]
    for word in ("北京市西城区人民政府", "1,343", "43.1%", "吉林市统计局龙潭分局", "省份"):
        assert word in met["text"], word
    # What other sites would be asked for is stopped by the policy of the page, and it is telemetry alone.
    assert all("scarf.sh" in address for address in met["asked"])
    assert len(met["refused"]) >= len(met["asked"])
    assert picture.stat().st_size > 50_000
    if keep := os.environ.get("GONGKAI_SUPERSET_PICTURE"):
        shutil.copyfile(picture, keep)


def test_a_new_release_is_seen_at_the_next_question(client: Client, warehouse: Warehouse) -> None:
    charts = client.assets("chart")
    (requests,) = [one for one in files("charts") if one["slice_name"] == "收到申请（件）"]
    path = f"/api/v1/chart/{charts[requests['uuid']]['id']}/data/"
    (begun,) = client.ask(path)[1]["result"][0]["data"]
    for n in range(1, 6):
        publish_next(
            warehouse,
            "update marts.fct_indicator_value set value = value + 1 "
            "where indicator_code = 'h_requests_received' and scope_code = 'area_aggregate'",
        )
        status, answer = client.ask(path)
        assert status == 200, answer
        assert answer["result"][0]["data"] == [{"total": begun["total"] + n}]
        assert client.run_sql("select 1 as n")[0] == 200
    # Held open between questions, an old release could not be given back to the disk.
    held = [
        os.readlink(link)
        for process in Path("/proc").glob("[0-9]*")
        for link in _descriptors(process)
        if "warehouse.duckdb" in _target(link)
    ]
    assert not [path for path in held if str(warehouse.root) in path]


def _descriptors(process: Path) -> list[Path]:
    try:
        return list((process / "fd").iterdir())
    except OSError:
        return []


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def test_secrets_stand_nowhere(server: superset.Server, warehouse: Warehouse) -> None:
    state = warehouse.root / "superset"
    key = (state / "secret_key").read_bytes()
    assert len(key) > 40
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert stat.S_IMODE((state / "secret_key").stat().st_mode) == 0o600
    for path in (path for path in state.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert server.password.encode() not in content, path
        assert key not in content or path.name == "secret_key", path
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                content = (process / name).read_bytes()
            except OSError:
                continue
            assert server.password.encode() not in content
            assert key not in content


def test_only_this_machine_and_only_who_signed_in(server: superset.Server) -> None:
    port = int(server.address.rpartition(":")[2])
    for path in ("/api/v1/chart/", "/api/v1/database/", "/api/v1/dashboard/gongkai"):
        plain_client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        plain_client.request("GET", path)
        answer = plain_client.getresponse()
        assert answer.status in (401, 403, 404), (path, answer.status)
        policy = answer.getheader("Content-Security-Policy") or ""
        assert "scarf" not in policy
    listening = Path("/proc/net/tcp").read_text("utf-8")
    addresses = {line.split()[1] for line in listening.splitlines()[1:] if line.split()[3] == "0A"}
    assert {one for one in addresses if one.endswith(f":{port:04X}")} == {f"0100007F:{port:04X}"}


def test_a_second_start_keeps_what_is_there_and_changes_the_password(
    server: superset.Server, environment: Path, warehouse: Warehouse
) -> None:
    begun = time.monotonic()
    with superset.serve(warehouse, environment, int(server.address.rpartition(":")[2]) + 1, workers=1) as second:
        assert time.monotonic() - begun < 240
        assert second.password != server.password
        assert len(Client(second).assets("chart")) == len(files("charts"))
        task = {"username": "admin", "password": server.password, "provider": "db"}
        request = urllib.request.Request(
            f"{second.address}/api/v1/security/login", json.dumps(task).encode(), {"Content-Type": "application/json"}
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        assert refused.value.code == 401
