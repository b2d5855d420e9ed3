"""The layout of a warehouse folder, its work file and its run lock.

::

    <warehouse>/
        work.duckdb        private: written by the loaders and dbt, never opened by readers
        run.lock           one run at a time; holds who, since when, which process
        releases/<id>/     immutable releases
        current            symlink to the release that readers see
        rollback.json      what a rollback withdrew, while it stands
        data_docs/         what the checks found, as pages
        validation/        what they found, for machines: one report a layer
        fetched/           what sites answered, as WARC files (loaders/fetch/store.py)
        dbt/               dbt's compiled files and logs

The work file is created at storage version v1.2.0 so that every DuckDB since 1.2 reads it; the version sticks
to a file, so whoever creates it decides. The lock is an advisory ``flock``: the kernel releases it when the
process ends, however it ends; what stands in the file only says who it is. It needs a local file system.

Times on record never go back, whatever the clock of the machine does: what came first is told by them.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import getpass
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from loaders.errors import GongkaiError, LockedError, UsageError

if TYPE_CHECKING:
    import duckdb

STORAGE_VERSION = "v1.2.0"
DUCKDB_CONFIG = {"storage_compatibility_version": STORAGE_VERSION}
WORK_FILE = "work.duckdb"
RELEASE_FILE = "warehouse.duckdb"

_WRITER_PATIENCE_SECONDS = 10.0
# A look at who holds the lock, as `gongkai status` takes, lasts a moment; a run that begins then is not refused.
_LOOK_PATIENCE_SECONDS = 0.3
_MEND_LOCK = "it must be a file that this user may read and write; when no run works, remove it"
_UNSIGNED = "another run, which has not signed run.lock"


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Where the parts of one warehouse lie."""

    root: Path

    @property
    def work_file(self) -> Path:
        """The private database of loaders and dbt."""
        return self.root / WORK_FILE

    @property
    def lock_file(self) -> Path:
        """The file whose lock admits one run."""
        return self.root / "run.lock"

    @property
    def releases(self) -> Path:
        """The folder of immutable releases."""
        return self.root / "releases"

    @property
    def published_rows(self) -> Path:
        """The folder of what is kept of the rows of the last release; may go at any time."""
        return self.root / "published_rows"

    @property
    def current(self) -> Path:
        """The symlink to the release that readers see."""
        return self.root / "current"

    @property
    def data_docs(self) -> Path:
        """The pages that show what the checks found."""
        return self.root / "data_docs"

    @property
    def validation(self) -> Path:
        """The reports that exchange what the checks found."""
        return self.root / "validation"

    @property
    def site(self) -> Path:
        """The pages for people, of the work file as it was last checked."""
        return self.root / "site"

    @property
    def fetched(self) -> Path:
        """The content that sites sent, with its headers."""
        return self.root / "fetched"

    @property
    def dbt_target(self) -> Path:
        """dbt's own files; one folder a warehouse keeps its partial parsing valid."""
        return self.root / "dbt"

    def current_release(self) -> Path | None:
        """The folder of the current release, or None when nothing was published yet."""
        release = self.current.resolve()
        return release if self.current.is_symlink() and (release / RELEASE_FILE).is_file() else None

    def create(self) -> None:
        """Make the folder of the warehouse.

        Raises:
            UsageError: when the path cannot be a folder.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise UsageError(f"{self.root} is a file, not a folder; name another --warehouse") from None
        except OSError as error:
            raise UsageError(f"cannot make the warehouse folder {self.root}: {error.strerror}") from error

    def connect(self, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
        """Open the work file; a writer creates it when it is missing.

        Raises:
            UsageError: when a reader meets no work file.
            LockedError: when another process holds the work file.
            GongkaiError: when the file cannot be opened.
        """
        if read_only and not self.work_file.is_file():
            raise UsageError(f"no warehouse at {self.root}: {WORK_FILE} is missing; load documents first")
        if not self.work_file.exists():
            self.create()
            _create_work_file(self.work_file)
        return open_duckdb(self.work_file, read_only=read_only)


def is_warehouse(folder: Path) -> bool:
    """Whether a folder is a warehouse, of which nothing is a document."""
    return (folder / WORK_FILE).is_file()


def open_duckdb(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open a database file and translate DuckDB's refusals.

    Raises:
        LockedError: when another process holds the file.
        GongkaiError: when the file cannot be opened.
    """
    import duckdb

    # A look at the file, as `gongkai status` takes, lasts a moment: a writer waits for it instead of failing.
    patience = time.monotonic() + (0 if read_only else _WRITER_PATIENCE_SECONDS)
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=dict(DUCKDB_CONFIG))
        except duckdb.Error as error:
            if "Could not set lock" not in str(error) or time.monotonic() >= patience:
                raise _refusal(path, error) from error
            time.sleep(0.1)


def quote_text(text: Path | str) -> str:
    """A text as a literal of DuckDB and PostgreSQL, for statements that take no parameters."""
    return "'" + str(text).replace("'", "''") + "'"


def _refusal(path: Path, error: Exception) -> GongkaiError:
    reason = str(error).splitlines()[0]
    if "Could not set lock" in reason:
        return LockedError(f"{path} is open in another process; wait for it to end. DuckDB says: {reason}")
    hint = "; docs/operation.md says how to make the work file again" if path.name == WORK_FILE else ""
    return GongkaiError(f"cannot open {path}: {reason}{hint}")


def _create_work_file(path: Path) -> None:
    # DuckDB refuses a half-written file for good, so a kill while creating must not leave one under this name.
    import duckdb

    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    with contextlib.ExitStack() as stack:
        stack.callback(temporary.unlink, missing_ok=True)
        try:
            duckdb.connect(str(temporary), config=dict(DUCKDB_CONFIG)).close()
            os.replace(temporary, path)
        except (OSError, duckdb.Error) as error:
            raise GongkaiError(f"cannot create {path}: {str(error).splitlines()[0]}") from error


class _Clock:
    """The present in UTC, counted on where the clock of the machine is put back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last, self._counted_at = datetime.min, time.monotonic()

    def now(self) -> datetime:
        with self._lock:
            counted_at = time.monotonic()
            counted = self._last + timedelta(seconds=max(0.0, counted_at - self._counted_at))
            self._last, self._counted_at = max(_machine_time(), counted), counted_at
            return self._last

    def start_after(self, moment: datetime) -> timedelta:
        behind = moment - _machine_time()
        with self._lock:
            self._last = max(self._last, moment)
        return behind


def _machine_time() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


_CLOCK = _Clock()


def utc_now() -> datetime:
    """The present in UTC without a zone, as the TIMESTAMP columns hold it; it never goes back within a process."""
    return _CLOCK.now()


def start_after(moment: datetime) -> timedelta:
    """Let :func:`utc_now` give later times than ``moment`` only; by how much the machine's clock is behind it."""
    return _CLOCK.start_after(moment)


def id_time(text: str) -> datetime | None:
    """The time that an id of :func:`new_id` carries; None for another text."""
    try:
        return datetime.strptime(text.partition("-")[0], "%Y%m%dT%H%M%SZ")
    except ValueError:
        return None


def new_id() -> str:
    """An id that sorts by time and never repeats, e.g. ``20260301T120000Z-9f2c1a``."""
    return f"{utc_now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds the lock of a warehouse, as it signed; ``pid`` is 0 when the signature cannot be read."""

    who: str
    command: str
    pid: int
    since: str

    def __str__(self) -> str:
        """The holder for a message."""
        if self.pid == 0:
            return _UNSIGNED
        return f"{self.who} (process {self.pid}, `{self.command}`) since {self.since}"


def read_holder(warehouse: Warehouse) -> LockHolder | None:
    """Who holds the lock right now, or None when it is free.

    Raises:
        GongkaiError: when the lock file cannot be read.
    """
    try:
        file = warehouse.lock_file.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GongkaiError(f"cannot read {warehouse.lock_file}: {error.strerror}; {_MEND_LOCK}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _parse_holder(file.read())
    return None


def refuse_if_held(warehouse: Warehouse) -> None:
    """Refuse to look at a warehouse that a run is changing.

    Raises:
        LockedError: when a run holds it.
    """
    holder = read_holder(warehouse)
    if holder is not None:
        raise LockedError(f"the warehouse {warehouse.root} is held by {holder}; wait for it to end")


def _parse_holder(text: str) -> LockHolder:
    try:
        holder = LockHolder(**json.loads(text))
    except (ValueError, TypeError, RecursionError):
        return LockHolder("", "", 0, "")
    return holder if isinstance(holder.pid, int) else LockHolder("", "", 0, "")


@contextlib.contextmanager
def run_lock(warehouse: Warehouse, command: str, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the warehouse for one run; wait up to ``wait_seconds`` for another run to end.

    Raises:
        LockedError: when another run still holds it.
        UsageError: when the warehouse cannot be written.
    """
    warehouse.create()
    try:
        # Never truncated on opening: the text belongs to whoever holds the lock.
        descriptor = os.open(warehouse.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if os.path.lexists(warehouse.lock_file):
            raise UsageError(f"cannot open {warehouse.lock_file}: {error.strerror}; {_MEND_LOCK}") from error
        raise UsageError(f"cannot write to the warehouse {warehouse.root}: {error.strerror}") from error
    with os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace") as file:
        _acquire(file, warehouse, wait_seconds)
        _sign(file, command)
        try:
            yield
        finally:
            file.seek(0)
            file.truncate()


def _acquire(file: TextIO, warehouse: Warehouse, wait_seconds: float) -> None:
    deadline = time.monotonic() + max(wait_seconds, _LOOK_PATIENCE_SECONDS)
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise GongkaiError(f"cannot lock {warehouse.lock_file}: {error.strerror}") from error
        if time.monotonic() >= deadline:
            file.seek(0)
            holder = _parse_holder(file.read())
            raise LockedError(
                f"the warehouse {warehouse.root} is held by {holder}; wait for it to end or use --wait SECONDS"
            )
        time.sleep(min(0.1, max(0.0, deadline - time.monotonic())))


def _sign(file: TextIO, command: str) -> None:
    holder = LockHolder(
        who=signature(),
        command=command,
        pid=os.getpid(),
        since=f"{utc_now():%Y-%m-%dT%H:%M:%SZ}",
    )
    file.seek(0)
    file.truncate()
    json.dump(asdict(holder), file, ensure_ascii=False)
    file.flush()


def signature() -> str:
    """Who runs this: a user and a machine."""
    return f"{_user()}@{socket.gethostname()}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number without a name
        return str(os.getuid())
