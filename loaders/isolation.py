"""Documents are read in worker processes, so that one of them costs no more than itself.

In: bytes, a name and hints, submitted one document at a time. Out: a future of what the reader said of them, or what
was made of that in the worker, or a rejection. A reader that raises, crashes, hangs or eats memory is stopped and its
document rejected (``reader_failed``, ``time_limit``, ``memory_limit``); the next document meets a healthy worker. What
is said of a document depends neither on the number of workers nor on what they read before: a worker that died or grew
too large after other documents gets a second try, with a fresh one.

One process, the nursery, imports the readers and reads a sentence to load what they look up; the workers are forked
from it, in milliseconds and sharing its memory. This process itself never imports a reader, and nothing is started
before the first document. The nursery ends when this process does, however it ends, and the workers end with it.

The time limit is one of work: a document may take ``seconds`` of CPU time. One that rests (a deadlock) is stopped
after as many seconds of wall time, one that is starved by other processes after four times as many.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import pickle
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Generic, NoReturn, TypeVar

from loaders.errors import DocumentRejected, GongkaiError, UsageError
from loaders.model import DocumentReading, Hints

Result = TypeVar("Result")
Outcome = DocumentReading | DocumentRejected
_Read = Callable[..., Any]

SECONDS_VARIABLE = "GONGKAI_DOCUMENT_SECONDS"
MEGABYTES_VARIABLE = "GONGKAI_DOCUMENT_MEGABYTES"

# Most documents are read before anybody looks. A growth that is faster than the watch meets the system's own limit.
_FIRST_LOOK_MILLISECONDS = 200
_LOOK_MILLISECONDS = 50
_STARVED = 4
_RESTING = 1 / 20
# A reading is some hundred kilobytes; one beyond this was made by a document that is out of all proportion.
_LARGEST_ANSWER = 256 * 1024 * 1024
_SERVE = "import sys; from loaders.isolation import serve; serve(int(sys.argv[1]), sys.argv[2:])"
_WARM_UP = "某县2018年政府信息公开工作年度报告\n\n本年度收到政府信息公开申请3件，主动公开政府信息5条。\n"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may take, and how many documents a worker reads before a fresh one takes its place."""

    seconds: float = 120.0
    memory_bytes: int = 2 * 1024**3
    documents_per_worker: int = 300

    @classmethod
    def from_environment(cls) -> Limits:
        """The limits with what ``GONGKAI_DOCUMENT_SECONDS`` and ``GONGKAI_DOCUMENT_MEGABYTES`` say.

        Raises:
            UsageError: when one of them is not a number above zero.
        """
        seconds = _positive(SECONDS_VARIABLE, cls().seconds)
        megabytes = _positive(MEGABYTES_VARIABLE, cls().memory_bytes / 1024**2)
        return cls(seconds, int(megabytes * 1024**2))


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Pool(Generic[Result]):
    """Worker processes that read documents; a context manager.

    ``reader`` is named as ``module:function``, since only the workers import it; so is ``finish``, which makes of a
    reading what is handed back. On leaving, whatever is still being read is stopped at once.
    """

    def __init__(self, reader: str, workers: int, limits: Limits | None = None, finish: str | None = None) -> None:
        """Prepare for at most ``workers`` processes; none is started yet."""
        self._limits = limits or Limits.from_environment()
        self._nursery = _Nursery([reader] if finish is None else [reader, finish])
        # A thread tends one worker each: it sends a document, watches the limits and takes the answer.
        self._threads = ThreadPoolExecutor(workers, "gongkai-worker")
        self._own = threading.local()
        self._workers: set[_Worker] = set()
        self._lock = threading.Lock()
        self._is_closing = False

    def __enter__(self) -> Pool[Result]:
        """Nothing is started before the first document."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop every worker at once, also in the middle of a document."""
        with self._lock:
            self._is_closing = True
            for worker in self._workers:
                worker.kill()
        if error is not None:
            self._nursery.kill()
        self._threads.shutdown(cancel_futures=True)
        if error is None:
            for worker in self._workers:
                worker.close()
        self._nursery.close()

    def submit(self, data: bytes, name: str, hints: Hints | None, *more: str) -> Future[Result | DocumentRejected]:
        """Queue a document, with what ``finish`` is told besides; they are begun in the order in which they come."""
        return self._threads.submit(self._read, data, name, hints, *more)

    def _read(self, data: bytes, name: str, hints: Hints | None, *more: str) -> Result | DocumentRejected:
        task = pickle.dumps((data, name, hints, *more), pickle.HIGHEST_PROTOCOL)
        worker = self._worker()
        is_fresh = worker.documents == 0
        outcome = self._read_with(worker, task)
        if not is_fresh and isinstance(outcome, _Stopped) and outcome.may_be_due_to_others:
            outcome = self._read_with(self._worker(), task)
        return outcome

    def _read_with(self, worker: _Worker, task: bytes) -> Result | DocumentRejected:
        outcome: Result | DocumentRejected = worker.read(task, self._limits)
        if self._is_closing:
            raise GongkaiError("reading was stopped")
        if isinstance(outcome, _Stopped) or worker.is_worn(self._limits):
            self._retire(worker)
        return outcome

    def _worker(self) -> _Worker:
        worker: _Worker | None = getattr(self._own, "worker", None)
        if worker is None:
            worker = self._nursery.fork(self._limits)
            with self._lock:
                self._workers.add(worker)
                if self._is_closing:
                    worker.kill()
            self._own.worker = worker
        return worker

    def _retire(self, worker: _Worker) -> None:
        with self._lock:
            self._workers.discard(worker)
        worker.close()
        self._own.worker = None


class _Stopped(DocumentRejected):
    """The rejection of a document whose worker had to end or ended by itself."""

    def __init__(self, reject_code: str, message: str, *, may_be_due_to_others: bool) -> None:
        super().__init__(reject_code, message)
        self.may_be_due_to_others = may_be_due_to_others


class _Worker:
    """A worker process as seen from here."""

    def __init__(self, nursery: _Nursery, pid: int, connection: Connection) -> None:
        self._nursery = nursery
        self._pid = pid
        self._connection = connection
        self._own_bytes = self._last_bytes = _private_bytes(pid)
        self._last_cpu = 0.0
        # Made once: the connection's own way to wait makes a selector each time.
        self._answers = select.poll()
        self._answers.register(connection.fileno(), select.POLLIN)
        self._exit_code: int | None = None
        self.documents = 0

    def read(self, task: bytes, limits: Limits) -> Any:
        """Have a document read, and stop the worker when that takes more than the limits allow."""
        self.documents += 1
        begun, patience = time.monotonic(), _FIRST_LOOK_MILLISECONDS
        try:
            self._connection.send_bytes(task)
            while not self._answers.poll(patience):
                patience = _LOOK_MILLISECONDS
                if _private_bytes(self._pid) - self._own_bytes > limits.memory_bytes:
                    return self._stop("memory_limit", _memory_message(limits), may_be_due_to_others=True)
                wall = time.monotonic() - begun
                if wall >= limits.seconds and _is_too_long(wall, self._cpu_since_last(), limits):
                    message = f"reading took longer than {limits.seconds:g} seconds ({SECONDS_VARIABLE} sets the limit)"
                    return self._stop("time_limit", message, may_be_due_to_others=False)
            answer = self._connection.recv_bytes(_LARGEST_ANSWER)
        except EOFError:
            return self._account_for_end()
        except OSError as error:  # a broken pipe, or an answer beyond the limit
            if error.errno is None:
                return self._stop("memory_limit", "what was read is out of all proportion", may_be_due_to_others=False)
            return self._account_for_end()
        rejection, result, self._last_bytes, self._last_cpu = pickle.loads(answer)
        if rejection is None:
            return result
        code, message = rejection
        if code == "memory_limit":
            # Whether the watch or the worker met the limit first is a matter of chance.
            return self._stop(code, _memory_message(limits), may_be_due_to_others=True)
        return DocumentRejected(code, message)

    def is_worn(self, limits: Limits) -> bool:
        """Whether a fresh worker should read the next document."""
        grown = self._last_bytes - self._own_bytes
        return self.documents >= limits.documents_per_worker or grown > limits.memory_bytes * 3 // 4

    def kill(self) -> None:
        """End the process and what it started; until it is reaped its number cannot be another's."""
        if self._exit_code is not None:
            return
        _kill_with_children(self._pid)

    def close(self) -> int:
        """End the process and return how it ended, as ``os.waitstatus_to_exitcode`` puts it."""
        if self._exit_code is None:
            self.kill()
            self._connection.close()
            self._exit_code = self._nursery.reap(self._pid)
        return self._exit_code

    def _cpu_since_last(self) -> float:
        return _cpu_seconds(self._pid) - self._last_cpu

    def _stop(self, code: str, message: str, *, may_be_due_to_others: bool) -> _Stopped:
        self.kill()
        return _Stopped(code, message, may_be_due_to_others=may_be_due_to_others)

    def _account_for_end(self) -> _Stopped:
        ended = self.close()
        if ended < 0:
            name = next((known.name for known in signal.Signals if known == -ended), f"signal {-ended}")
            by = ", most likely by the system for lack of memory" if -ended == signal.SIGKILL else ""
            message = f"the reader was ended by {name}{by}"
        else:
            message = f"the reader ended its process with exit code {ended}"
        return _Stopped("reader_failed", message, may_be_due_to_others=True)


class _Nursery:
    """The process that the workers are forked from, as seen from here; started when the first is needed."""

    def __init__(self, functions: list[str]) -> None:
        self._functions = functions
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._connection: Connection | None = None

    def fork(self, limits: Limits) -> _Worker:
        """A fresh worker.

        Raises:
            GongkaiError: when the readers cannot be imported or no process can be had.
        """
        with self._lock:
            if self._process is None:
                self._start()
            ours, theirs = socket.socketpair()
            with theirs:
                pid = self._ask("fork", limits.memory_bytes, theirs)
            return _Worker(self, pid, Connection(ours.detach()))

    def reap(self, pid: int) -> int:
        """How a worker ended; waits until it has."""
        with self._lock:
            return self._ask("reap", pid)

    def kill(self) -> None:
        """End the process; whoever waits for an answer of it gets an error."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Let the process end: it does when nobody is on the other side."""
        with self._lock:
            if self._process is None:
                return
            if self._connection is not None and self._socket is not None:
                self._connection.close()
                self._socket.close()
            self._process.wait()

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._connection = Connection(os.dup(self._socket.fileno()))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVE, str(theirs.fileno()), *self._functions],
                # Arrow's own allocator reserves memory in large pieces, which would count as the document's.
                env=os.environ
                | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
                | {"ARROW_DEFAULT_MEMORY_POOL": "system"},
                stdin=subprocess.DEVNULL,
                # What native code prints must not get into the answer of the command or the progress bar.
                stdout=subprocess.DEVNULL,
                stderr=None if os.environ.get("GONGKAI_DEBUG") == "1" else subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                # A Ctrl-C at the terminal is for this process, which then ends the others.
                start_new_session=True,
            )
        self._receive()

    def _ask(self, question: str, number: int, passed: socket.socket | None = None) -> int:
        assert self._connection is not None
        assert self._socket is not None
        try:
            self._connection.send((question, number))
            if passed is not None:
                socket.send_fds(self._socket, [b"."], [passed.fileno()])
        except OSError as error:
            raise GongkaiError("the process that starts the readers has ended; run it again") from error
        return self._receive()

    def _receive(self) -> int:
        assert self._connection is not None
        try:
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise GongkaiError("the process that starts the readers has ended; run it again") from error
        if isinstance(answer, str):
            raise GongkaiError(answer)
        return int(answer)


def serve(descriptor: int, functions: list[str]) -> NoReturn:
    """Be the nursery: import the reader, then fork and reap workers as asked, until the other side is gone."""
    control = socket.socket(fileno=descriptor)
    connection = Connection(os.dup(descriptor))
    try:
        read = _one_after_the_other([_import(name) for name in functions])
    except BaseException as error:
        connection.send(f"the readers cannot be imported: {type(error).__name__}: {error}")
        os._exit(1)
    _warm_up(read)
    # A crash is accounted for by its signal; nobody waits for a dump of it.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.collect()
    gc.freeze()
    connection.send(0)
    alive: set[int] = set()
    while True:
        try:
            question, number = connection.recv()
            if question == "fork":
                _, (theirs,), _, _ = socket.recv_fds(control, 1, 1)
        except (EOFError, OSError):
            for pid in alive:
                _kill_with_children(pid)
            os._exit(0)
        if question == "reap":
            connection.send(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]))
            alive.discard(number)
            continue
        nursery_pid = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(theirs)
            connection.send(f"no process can be started for reading: {error.strerror}")
            continue
        if pid == 0:
            control.close()
            connection.close()
            _work(read, Connection(theirs), number, nursery_pid)
        os.close(theirs)
        _lead_own_group(pid)
        alive.add(pid)
        connection.send(pid)


def _work(read: _Read, connection: Connection, memory_bytes: int, nursery: int) -> NoReturn:
    """Be a worker: read what is sent, until the other side is gone."""
    _lead_own_group(os.getpid())
    _die_with_parent()
    if os.getppid() != nursery:
        os._exit(0)
    _limit_data(memory_bytes)
    while True:
        try:
            task = connection.recv_bytes()
        except (EOFError, OSError):
            os._exit(0)
        answer = _answer(read, task)
        del task
        try:
            connection.send_bytes(answer)
        except OSError:
            os._exit(0)
        del answer


def _answer(read: _Read, task: bytes) -> bytes:
    """A rejection or a result, null for the other, and the memory and the CPU time of this process."""
    pid = os.getpid()
    try:
        result = read(*pickle.loads(task))
        return pickle.dumps((None, result, _private_bytes(pid), time.process_time()), pickle.HIGHEST_PROTOCOL)
    except DocumentRejected as error:
        rejection = (error.reject_code, str(error))
    except MemoryError:
        rejection = ("memory_limit", "the reader ran out of memory")
    except BaseException as error:  # whatever a reader throws must cost this document only, not the load
        rejection = ("reader_failed", f"{type(error).__name__}: {error}")
    return pickle.dumps((rejection, None, _private_bytes(pid), time.process_time()))


def _import(name: str) -> _Read:
    module, _, function = name.partition(":")
    found: _Read = getattr(importlib.import_module(module), function)
    return found


def _one_after_the_other(functions: list[_Read]) -> _Read:
    """A reader, or a reader and what goes on with its reading."""
    reader, *finish = functions

    def read(data: bytes, name: str, hints: Hints | None, *more: str) -> Any:
        result = reader(data, name, hints)
        return finish[0](result, *more) if finish else result

    return read


def _warm_up(read: _Read) -> None:
    try:
        read(_WARM_UP.encode(), "warm-up.txt", None)
    except Exception:  # what it makes of the sentence does not matter
        return


def _lead_own_group(pid: int) -> None:
    """Put a worker into a group of its own, so that what it starts ends with it; both sides ask for it."""
    try:
        os.setpgid(pid, pid)
    except OSError:  # the other side was first
        return


def _kill_with_children(pid: int) -> None:
    """End a worker, its group, and what it started that went into a group of its own (LibreOffice)."""
    started = _descendants(pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it ended already
        os.killpg(pid, signal.SIGKILL)
    for child in started:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    """The processes that a process and those below it have started; none where the system does not tell."""
    children = [int(child) for child in _proc(pid, f"task/{pid}/children").split()]
    return children + [below for child in children for below in _descendants(child)]


def _die_with_parent() -> None:
    # For the case that the nursery is killed; otherwise it ends its workers itself. The nursery cannot do the same:
    # what counts is the end of the thread that started a process, and the threads of a pool come and go.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _limit_data(memory_bytes: int) -> None:
    """Twice the limit as a backstop for a growth that is faster than the watch."""
    if sys.platform != "linux":
        return
    with open("/proc/self/status") as file:
        data = next((int(line.split()[1]) * 1024 for line in file if line.startswith("VmData:")), 0)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = data + 2 * memory_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))


def _is_too_long(wall: float, cpu: float, limits: Limits) -> bool:
    return cpu >= limits.seconds or cpu < wall * _RESTING or wall >= limits.seconds * _STARVED


def _memory_message(limits: Limits) -> str:
    megabytes = limits.memory_bytes / 1024**2
    return f"reading took more than {megabytes:g} MB of memory ({MEGABYTES_VARIABLE} sets the limit)"


def _private_bytes(pid: int) -> int:
    """The memory of a process that is not shared with files; zero where the system does not tell."""
    fields = _proc(pid, "statm").split()
    return (int(fields[1]) - int(fields[2])) * resource.getpagesize() if fields else 0


def _cpu_seconds(pid: int) -> float:
    """The CPU time of a process with all its threads; zero where the system does not tell."""
    # The name of the program, in brackets, may hold anything.
    fields = _proc(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _proc(pid: int, name: str) -> str:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read().decode("ascii", "replace")
    except OSError:
        return ""


def _positive(variable: str, default: float) -> float:
    text = os.environ.get(variable, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UsageError(f"{variable} is {text!r}; wanted a number above zero")
    return value


__all__ = ["Limits", "Outcome", "Pool", "available_cores"]
