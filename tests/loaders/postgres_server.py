"""A PostgreSQL server of our own in a temporary folder, from the binaries that Debian installs."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "p@ss/wörd %1"
QUOTED_PASSWORD = "p%40ss%2Fw%C3%B6rd%20%251"


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; its owner needs no password on the socket, everybody does on the port."""

    binaries: Path
    folder: Path
    port: int

    def url(self, database: str, user: str = "owner") -> str:
        """The address of a database through the socket."""
        return f"postgresql://{user}@/{database}?host={self.folder}&port={self.port}"

    def psql(self, database: str, *commands: str, user: str = "owner") -> str:
        """What psql prints for commands: rows without headings, cells between bars."""
        arguments = ["-h", self.folder, "-p", self.port, "-U", user, "-d", database, "-v", "ON_ERROR_STOP=1", "-XAtq"]
        for command in commands:
            arguments += ["-c", command]
        found = subprocess.run(
            [self.binaries / "psql", *map(str, arguments)], capture_output=True, text=True, timeout=120
        )
        if found.returncode:
            raise RuntimeError(found.stderr)
        return found.stdout.strip()


def find_binaries() -> Path | None:
    """The folder of the server's programs, None where there is none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    folders += [Path(on_path).resolve().parent] if on_path else []
    wanted = ("initdb", "pg_ctl", "postgres", "psql")
    return next((folder for folder in folders if all((folder / name).is_file() for name in wanted)), None)


def what_is_missing() -> str | None:
    """Why no server can be tested with here, or None."""
    if find_binaries() is None:
        return "no PostgreSQL server here; make test-postgres installs Debian's"
    if importlib.util.find_spec("adbc_driver_postgresql") is None:
        return "the extra postgres is not installed"
    if os.geteuid() == 0 and _server_user() is None:
        return "a PostgreSQL server refuses to run as root, and there is no user postgres or nobody"
    return None


@contextlib.contextmanager
def run_server() -> Iterator[PostgresServer]:
    """Start a server on a socket and a free port of loopback; stop it and remove it in the end."""
    binaries = find_binaries()
    assert binaries is not None
    user = _server_user() if os.geteuid() == 0 else None
    # Not pytest's folder: the server's user must reach it, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="gongkai-pg-"))
    try:
        folder.chmod(0o711)
        password = folder / "password"
        password.write_text(PASSWORD, "utf-8")
        if user:
            os.chown(folder, *user)
            os.chown(password, *user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        data = folder / "data"
        identity = {"user": user[0], "group": user[1], "extra_groups": ()} if user else {}

        def call(program: str, *arguments: object) -> None:
            # A server that inherits a pipe would keep it open.
            with (folder / "log").open("a") as log:
                subprocess.run(
                    [binaries / program, *map(str, arguments)],
                    check=True, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=120, **identity,
                )  # fmt: skip

        call(
            "initdb", "-D", data, "-U", "owner", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}",
        )  # fmt: skip
        options = f"-k {folder} -p {port} -c listen_addresses=127.0.0.1 -c fsync=off"
        call("pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "server.log", "start")
        try:
            yield PostgresServer(binaries, folder, port)
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server_user() -> tuple[int, int] | None:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    return None
