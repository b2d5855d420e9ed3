"""Superset over the current release, in an environment of its own: `make superset`.

In: a warehouse with a release, and ``deploy/superset``: pinned packages, settings, and the bundle of assets. Out: a
server on this machine with one Chinese dashboard, until it is interrupted. Nothing is installed into the project's own
environment; Superset's own database and its secret key lie in ``<warehouse>/superset``, which only its owner may read.

    python -m tools.superset [--warehouse DIR] [--port 8088] [--environment DIR]
    python -m tools.superset --bundle FILE      only the zip, for a Superset that runs already

The key is made once. The administrator's password is made anew at every start and stands nowhere but on the screen.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from loaders.warehouse import RELEASE_FILE, Warehouse

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "deploy" / "superset"
LOCK_FILE = RECIPE / "requirements.lock"
BUNDLE = RECIPE / "bundle"
PLACEHOLDER = "duckdb:///RELEASE"
_START_SECONDS = 300


class SupersetError(Exception):
    """Superset cannot be installed or started; the message says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A Superset that answers."""

    address: str
    dashboard: str
    user: str
    password: str


def default_environment() -> Path:
    """Where the packages of this lock are installed: in the cache of the user, to be shared by warehouses."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "gongkai" / f"superset-{_digest()}"


def _digest() -> str:
    return hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()[:12]


def release_file(warehouse: Warehouse) -> Path:
    """The database of the current release, named through ``current`` so that it moves with it.

    Raises:
        SupersetError: when nothing was published yet.
    """
    if warehouse.current_release() is None:
        raise SupersetError(f"nothing is published in {warehouse.root}; run make warehouse or gongkai refresh first")
    return warehouse.current / RELEASE_FILE


def make_bundle(release: Path) -> bytes:
    """The assets as Superset imports them: the address of this release, and each chart with the question it asks."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in sorted(BUNDLE.rglob("*.yaml")):
            asset = yaml.safe_load(path.read_text("utf-8"))
            if path.parent.name == "databases":
                if asset["sqlalchemy_uri"] != PLACEHOLDER:
                    raise SupersetError(f"{path} does not name the release as {PLACEHOLDER}")
                asset["sqlalchemy_uri"] = f"duckdb:///{release}"
            elif path.parent.name == "charts":
                asset["query_context"] = json.dumps(make_question(asset["params"]), ensure_ascii=False)
            entry = zipfile.ZipInfo(f"gongkai/{path.relative_to(BUNDLE)}", (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            bundle.writestr(entry, yaml.safe_dump(asset, allow_unicode=True, sort_keys=False))
    return packed.getvalue()


def make_question(params: dict[str, Any]) -> dict[str, Any]:
    """What a chart asks the server for, from its settings: Superset keeps it for those who ask without a browser."""
    metrics = [params["metric"]] if "metric" in params else params["metrics"]
    columns = [*([params["x_axis"]] if "x_axis" in params else []), *params.get("groupby", [])]
    if params.get("query_mode") == "raw":
        columns, metrics = params["all_columns"], None
    filters = [
        {
            "col": found["subject"],
            "op": found["operator"],
            **({"val": found["comparator"]} if "comparator" in found else {}),
        }
        for found in params["adhoc_filters"]
    ]
    order = [json.loads(text) for text in params.get("order_by_cols", [])]
    if params.get("timeseries_limit_metric"):
        order = [[params["timeseries_limit_metric"], False]]
    query = {
        "columns": columns,
        "metrics": metrics,
        "filters": filters,
        "orderby": order,
        "row_limit": params["row_limit"],
        "extras": {},
    }
    return {"datasource": {}, "queries": [query], "form_data": params, "result_format": "json", "result_type": "full"}


def install(environment: Path, python: str = sys.executable) -> None:
    """Install the pinned packages, each with its hash, unless they are there.

    Raises:
        SupersetError: when pip fails; the environment is taken away again.
    """
    if (environment / ".installed").is_file():
        return
    print(f"installing Superset into {environment} (0.7 GB, five minutes, once)", file=sys.stderr, flush=True)
    shutil.rmtree(environment, ignore_errors=True)
    try:
        environment.parent.mkdir(parents=True, exist_ok=True)
        _run([python, "-m", "venv", str(environment)])
        pip = [str(environment / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--require-hashes", "-r", str(LOCK_FILE)])
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(environment, ignore_errors=True)
        raise SupersetError(f"Superset cannot be installed: {_last_lines(error)}") from error
    (environment / ".installed").touch()


@contextlib.contextmanager
def serve(warehouse: Warehouse, environment: Path, port: int, workers: int = 2) -> Iterator[Server]:
    """Prepare Superset, start it under gunicorn on this machine alone, and stop it in the end.

    Raises:
        SupersetError: when it cannot be prepared, or does not answer.
    """
    release = release_file(warehouse)
    state = _make_state(warehouse)
    variables = _variables(state, release, environment)
    password = secrets.token_urlsafe(15)
    dashboard = _prepare(state, environment, variables, password, release)
    address = f"http://127.0.0.1:{port}"
    with (state / "server.log").open("ab") as log:
        server = subprocess.Popen(
            [
                str(environment / "bin" / "gunicorn"),
                *("--bind", f"127.0.0.1:{port}", "--workers", str(workers), "--worker-class", "gthread"),
                *("--threads", "4", "--timeout", "180", "superset.app:create_app()"),
            ],
            env=variables,
            stdout=log,
            stderr=log,
            cwd=state,
        )
        try:
            _wait(server, address, state / "server.log")
            yield Server(address, address + dashboard, "admin", password)
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _make_state(warehouse: Warehouse) -> Path:
    """The folder of Superset's own database, closed to others, with the key that its secrets are encrypted by."""
    state = warehouse.root / "superset"
    state.mkdir(mode=0o700, exist_ok=True)
    state.chmod(0o700)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(state / "secret_key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(48))
    return state


def _variables(state: Path, release: Path, environment: Path) -> dict[str, str]:
    """The variables of Superset's processes: none of ours that could hold a secret, and no telemetry."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PATH": f"{environment / 'bin'}:/usr/bin:/bin",
        "PYTHONUTF8": "1",
        "SUPERSET_CONFIG_PATH": str(RECIPE / "superset_config.py"),
        "SUPERSET_HOME": str(state),
        "FLASK_APP": "superset.app:create_app()",
        "GONGKAI_SUPERSET_STATE": str(state),
        "GONGKAI_SUPERSET_RELEASE": str(release),
        "SCARF_ANALYTICS": "false",
    }


def _prepare(state: Path, environment: Path, variables: dict[str, str], password: str, release: Path) -> str:
    """Make or mend Superset's own database; the path of the dashboard."""
    mark = state / "made_by"
    is_new = not mark.is_file() or mark.read_text("utf-8") != _digest()
    if is_new:
        print("making Superset's own database (two minutes, once)", file=sys.stderr, flush=True)
    bundle = state / "bundle.zip"
    bundle.write_bytes(make_bundle(release))
    command = [str(environment / "bin" / "python"), str(RECIPE / "prepare.py"), str(bundle)]
    task = json.dumps({"password": password, "is_new": is_new}) + "\n"
    try:
        done = subprocess.run(command, env=variables, input=task, capture_output=True, text=True, check=True, cwd=state)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SupersetError(f"Superset cannot be prepared: {_last_lines(error)}") from error
    mark.write_text(_digest(), "utf-8")
    dashboard: str = json.loads(done.stdout.splitlines()[-1])["dashboard"]
    return dashboard


def _wait(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SupersetError(f"Superset ended with {server.returncode}; its log is {log}")
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
                if answer.status == 200 and server.poll() is None:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise SupersetError(f"Superset did not answer at {address} in {_START_SECONDS} s; its log is {log}")


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def _last_lines(error: Exception) -> str:
    text = (getattr(error, "stderr", "") or str(error)).strip()
    return " / ".join(line.strip() for line in text.splitlines()[-3:])


def main() -> int:
    """Serve until interrupted, or write the bundle."""
    arguments = _arguments()
    warehouse = Warehouse(Path(arguments.warehouse).absolute())
    try:
        if arguments.bundle:
            Path(arguments.bundle).write_bytes(make_bundle(release_file(warehouse)))
            return 0
        release_file(warehouse)
        environment = Path(arguments.environment) if arguments.environment else default_environment()
        install(environment)
        with serve(warehouse, environment, arguments.port) as server, contextlib.suppress(KeyboardInterrupt):
            print(f"dashboard  {server.dashboard}\nuser       {server.user}\npassword   {server.password}")
            print("Stop it with Ctrl+C.", flush=True)
            while True:
                time.sleep(3600)
    except SupersetError as error:
        print(f"superset: {error}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> Any:
    parser = argparse.ArgumentParser(description="Superset over the current release.")
    parser.add_argument("--warehouse", default=os.environ.get("GONGKAI_WAREHOUSE", "warehouse"), metavar="DIR")
    parser.add_argument("--port", type=int, default=int(os.environ.get("GONGKAI_SUPERSET_PORT", "8088")))
    parser.add_argument("--environment", metavar="DIR", help="where the packages are; a folder of the cache by default")
    parser.add_argument("--bundle", metavar="FILE", help="write the zip of the assets and end")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
