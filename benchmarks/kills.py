"""Refreshes that are killed at random moments, and what is left of them.

``python -m benchmarks.kills [--count 100] [--jobs 2] [--seed 1] [--folder DIR]`` refreshes a warehouse
of the sample reports that holds a release already, with one new or changed document, so that every step has work to
do, and kills the whole process group with SIGKILL. Then it looks as a reader does: the current release must be whole
(every file with its size and sha256, every table with its count, the token of the marts) and be the release from
before or the one of an undisturbed refresh. Then the refresh is run again, undisturbed: it must end well, publish the
very Parquet files of an undisturbed refresh, leave no leftovers, and have the killed run on record as interrupted.

The moment is uniform over the CPU time of an undisturbed refresh, so that what else the machine does does not move it.
Every refresh is a process of its own, forked from one that has imported dbt and Great Expectations: their imports are
a fifth of a refresh, write nothing and are left out. With ``--folder`` the soak can be stopped and goes on with the
kills that are missing; the code must then be the same. It ends with 1 when anything was found.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loaders.releases import MANIFEST_FILE, SUMS_FILE
from loaders.version import PROJECT_ROOT
from loaders.warehouse import RELEASE_FILE, Warehouse

SAMPLES = PROJECT_ROOT / "samples" / "reports"
_TICKS = os.sysconf("SC_CLK_TCK")
_LOOK_SECONDS = 0.02
# A machine that does much else takes its time; this only ends a refresh that hangs.
_PATIENCE_SECONDS = 4 * 3600.0
# What a refresh says last before the kill, and where it was then.
_STEPS = {
    "": "start and load",
    "seen": "after the load",
    "checking raw": "check raw",
    "building the marts": "build",
    "checking marts": "check marts",
    "publishing": "publish",
}
_AFTER = "after the swap"
_IMPORTED_ONCE = (
    *("duckdb", "pyarrow", "great_expectations", "dbt.cli.main", "dbt.adapters.duckdb.connections"),
    *("loaders.cli", "loaders.refresh", "loaders.checks", "loaders.dbt_build", "loaders.site", "loaders.validation"),
)


@dataclass(frozen=True)
class Change:
    """A new or changed document: the sample that it is made of, what is replaced in it and how much of it is kept."""

    name: str
    sample: str
    replaced: tuple[tuple[str, str], ...]
    kept_characters: int | None = None


# A body that is new, a year that is new for a body, another version of a report that is loaded; a body with a
# report of nobody and one that is rejected.
CHANGES = {
    "body": (Change("new.txt", "daxing_statistics_2020.txt", (("大兴", "海淀"),)),),
    "year": (Change("year.txt", "daxing_statistics_2020.txt", (("2020年", "2019年"),)),),
    "version": (Change("version.txt", "xicheng_statistics_2018.txt", (("文后附统计表", "文后附统计表。本版已更正"),)),),
    "rejected": (
        Change("other.txt", "daxing_statistics_2020.txt", (("大兴", "门头沟"),)),
        Change("nobody.txt", "daxing_statistics_2020.txt", (("政府信息公开工作年度报告", ""), ("公开", ""))),
        Change("notice.txt", "daxing_statistics_2020.txt", (), kept_characters=9),
    ),
}


@dataclass
class Look:
    """What a reader sees: the current release and whatever is wrong with it."""

    release_id: str | None
    marts_token: str | None
    parquet: dict[str, str]
    problems: list[str]


@dataclass
class Reference:
    """An undisturbed refresh: what it published and the CPU seconds that it took."""

    marts_token: str
    parquet: dict[str, str]
    cpu_seconds: float
    wall_seconds: float


@dataclass
class Round:
    """One kill: where it fell, what readers saw, how the next refresh ended."""

    number: int
    change: str
    share: float
    step: str
    seen: str
    cpu_seconds: float
    problems: list[str]


def main(arguments: list[str]) -> int:
    """Kill refreshes and print where the kills fell and what was left."""
    parser = argparse.ArgumentParser(description="Kill refreshes at random moments.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work and, stopped, to go on; temporary without it")
    options = parser.parse_args(arguments)
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    _import_once()
    with contextlib.ExitStack() as stack:
        root = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        root.mkdir(parents=True, exist_ok=True)
        jobs = [_Job(root, number) for number in range(options.jobs)]
        _write_documents(root)
        print(f"{options.count} kills, {options.jobs} at a time, seed {options.seed}", flush=True)
        _together([job.make_base for job in jobs])
        names = list(CHANGES)
        _together([_bound(jobs[n].measure, names[n :: len(jobs)]) for n in range(len(jobs))])
        references = {name: Reference(**json.loads((root / f"{name}.json").read_text())) for name in names}
        for change, reference in references.items():
            print(
                f"undisturbed, {change}: {reference.cpu_seconds:.1f} CPU s, {reference.wall_seconds:.1f} s", flush=True
            )
        for job in jobs:
            job.references = references
        log = root / "rounds.jsonl"
        done = {found.number for found in _read_rounds(log)}
        numbers = [number for number in range(options.count) if number not in done]
        began = time.monotonic()
        _together([_bound(jobs[n].rounds, numbers[n :: len(jobs)], options.seed, log) for n in range(len(jobs))])
        rounds = _read_rounds(log)
    return _report(rounds, options.count, time.monotonic() - began)


class _Job:
    """A warehouse that is refreshed, killed, healed and put back, again and again at the same place."""

    def __init__(self, root: Path, number: int) -> None:
        self._root = root
        self._home = root / f"job{number}"
        self._number = number
        self._warehouse = Warehouse(self._home / "warehouse")
        self._base = self._home / "base"
        self.references: dict[str, Reference] = {}

    def make_base(self) -> None:
        """A warehouse of the samples with a release, kept aside."""
        if self._base.exists():
            return
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir()
        ended = self._refresh(SAMPLES)
        if ended.code != 0:
            raise SystemExit(f"the first refresh ended with {ended.code}\n{ended.said}")
        whole = self._home / "base.new"
        shutil.copytree(self._warehouse.root, whole, symlinks=True)
        whole.rename(self._base)

    def measure(self, changes: list[str]) -> None:
        """Refresh undisturbed with each change and keep what came of it."""
        for change in changes:
            if (self._root / f"{change}.json").exists():
                continue
            self._put_back()
            ended = self._refresh(self._root / change)
            seen = self._look()
            if ended.code != 0 or seen.problems or seen.marts_token is None:
                raise SystemExit(f"{change}: an undisturbed refresh ended with {ended.code}, {seen.problems}")
            reference = Reference(seen.marts_token, seen.parquet, ended.cpu_seconds, ended.wall_seconds)
            _write_whole(self._root / f"{change}.json", json.dumps(dataclasses.asdict(reference)))

    def rounds(self, numbers: list[int], seed: int, log: Path) -> None:
        """Kill and heal, a round a number."""
        before = self._look_at_base()
        for number in numbers:
            found = self._round(number, random.Random(f"{seed}-{number}"), before)
            with log.open("a") as file:
                file.write(json.dumps(dataclasses.asdict(found), ensure_ascii=False) + "\n")
            told = "; ".join(found.problems) or "ok"
            print(
                f"kill {number + 1:3} {found.change:8} at {found.share:4.0%} {found.step:15} readers saw the "
                f"{found.seen} release, healed in {found.cpu_seconds:.1f} CPU s: {told}",
                flush=True,
            )

    def _round(self, number: int, rng: random.Random, before: Look) -> Round:
        change = rng.choice(list(CHANGES))
        reference = self.references[change]
        documents = self._root / change
        problems: list[str] = []
        while True:
            share = rng.random()
            self._put_back()
            ended = self._refresh(documents, kill_after=share * reference.cpu_seconds)
            if ended.was_killed:
                break
            # It was faster than the undisturbed one and ended before its moment: nothing was killed, draw again.
        look = self._look()
        problems += look.problems
        seen = "new" if look.release_id != before.release_id else "old"
        wanted = reference if seen == "new" else before
        if (look.marts_token, look.parquet) != (wanted.marts_token, wanted.parquet):
            problems.append(f"the {seen} release after the kill differs from what it must be")
        step = _AFTER if seen == "new" else _step(ended.said)
        healed = self._refresh(documents)
        if healed.code != 0:
            problems.append(f"the next refresh ended with {healed.code}: {healed.said[-500:]}")
        after = self._look()
        problems += after.problems
        if (after.marts_token, after.parquet) != (reference.marts_token, reference.parquet):
            problems.append("the release of the next refresh differs from that of an undisturbed one")
        problems += self._leftovers()
        return Round(number, change, share, step, seen, healed.cpu_seconds, problems)

    def _put_back(self) -> None:
        """The warehouse as it was with its first release, at the same place, so that dbt need not parse anew."""
        root = self._warehouse.root
        if root.exists():
            shutil.rmtree(root)
        releases = self._base / "releases"
        shutil.copytree(
            self._base, root, symlinks=True, ignore=lambda path, _: releases.name if path == str(self._base) else ()
        )
        # Releases are never written again.
        shutil.copytree(releases, root / releases.name, symlinks=True, copy_function=os.link)

    def _refresh(self, documents: Path, kill_after: float | None = None) -> _Ended:
        log = self._home / "said.txt"
        begun = time.monotonic()
        pid = os.fork()
        if pid == 0:
            _become_refresh(log, ["refresh", str(documents), "--warehouse", str(self._warehouse.root)])
        with contextlib.suppress(OSError):  # either of both is first
            os.setpgid(pid, pid)
        deadline = begun + _PATIENCE_SECONDS
        cpu = 0.0
        was_killed = False
        while True:
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                break
            cpu = _cpu_seconds(pid)
            if time.monotonic() > deadline or (kill_after is not None and cpu >= kill_after):
                others = _descendants(pid)
                os.killpg(pid, signal.SIGKILL)
                _, status, usage = os.wait4(pid, 0)
                was_killed = os.WIFSIGNALED(status) and time.monotonic() <= deadline
                _wait_for_end(others)
                break
            time.sleep(_LOOK_SECONDS)
        said = log.read_text("utf-8", "replace")
        code = os.waitstatus_to_exitcode(status)
        return _Ended(code, said, max(cpu, usage.ru_utime + usage.ru_stime), time.monotonic() - begun, was_killed)

    def _look(self) -> Look:
        return Look(**_in_fork(lambda: dataclasses.asdict(look_at_current(self._warehouse))))

    def _look_at_base(self) -> Look:
        self._put_back()
        return self._look()

    def _leftovers(self) -> list[str]:
        return _in_fork(lambda: find_leftovers(self._warehouse))


@dataclass(frozen=True)
class _Ended:
    code: int
    said: str
    cpu_seconds: float
    wall_seconds: float
    was_killed: bool


def look_at_current(warehouse: Warehouse) -> Look:
    """Open the current release as a reader does, and compare everything in it with its manifest."""
    import duckdb

    from loaders.builds import data_token

    problems: list[str] = []
    if not warehouse.current.is_symlink():
        return Look(None, None, {}, ["there is no current release"])
    release = warehouse.current.resolve()
    try:
        manifest = json.loads((release / MANIFEST_FILE).read_text("utf-8"))
    except (OSError, ValueError) as error:
        return Look(release.name, None, {}, [f"the manifest of {release.name} cannot be read: {error}"])
    if manifest["release_id"] != release.name:
        problems.append(f"the manifest of {release.name} is that of {manifest['release_id']}")
    listed = {entry["path"]: entry for entry in manifest["files"]}
    files = (path for path in release.rglob("*") if path.is_file())
    there = {path.relative_to(release).as_posix() for path in files} - {MANIFEST_FILE, SUMS_FILE}
    problems += [f"{name} is not in the manifest" for name in sorted(there - listed.keys())]
    for name, entry in listed.items():
        path = release / name
        if name not in there:
            problems.append(f"{name} is missing")
        elif (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) != (entry["bytes"], entry["sha256"]):
            problems.append(f"{name} differs from its checksum")
    token = None
    try:
        con = duckdb.connect(str(release / RELEASE_FILE), read_only=True)
        try:
            token = data_token(con, "marts")
            if token != manifest["marts_token"]:
                problems.append("the marts are not those of the manifest")
            for table, count in manifest["table_rows"].items():
                (met,) = con.execute(f"select count(*) from {table}").fetchall()[0]
                if met != count:
                    problems.append(f"{table} has {met} rows, the manifest says {count}")
            builds = con.execute(
                "select status from quality.builds where build_id = ?", [manifest["build_id"]]
            ).fetchall()
            if builds != [("built",)]:
                problems.append(f"its build {manifest['build_id']} is {builds}")
        finally:
            con.close()
    except duckdb.Error as error:
        problems.append(f"it cannot be read: {error}")
    parquet = {name: entry["sha256"] for name, entry in listed.items() if name.startswith("parquet/")}
    if len(parquet) < 10:
        problems.append(f"it has {len(parquet)} Parquet files")
    return Look(release.name, token, parquet, problems)


def find_leftovers(warehouse: Warehouse) -> list[str]:
    """What a healed warehouse must not have: hidden folders, temporary files, a run without an end."""
    import duckdb

    problems = [f"releases/{path.name} is left" for path in warehouse.releases.iterdir() if path.name.startswith(".")]
    problems += [f"{path.name} is left" for path in warehouse.root.glob("*.new")]
    if warehouse.lock_file.read_text():
        problems.append("the lock is still signed")
    con = duckdb.connect(str(warehouse.work_file), read_only=True)
    try:
        runs = con.execute("select status from raw.runs order by started_at").fetchall()
        builds = con.execute("select status from quality.builds order by started_at desc limit 1").fetchall()
    finally:
        con.close()
    # The run of the base, the killed one unless it was not on record yet or had ended, and the one after it.
    statuses = [status for (status,) in runs]
    if statuses not in (["done", "done"], ["done", "interrupted", "done"], ["done", "done", "done"]):
        problems.append(f"the runs are on record as {statuses}")
    if builds != [("built",)]:
        problems.append(f"the last build is {builds}")
    return problems


def _read_rounds(log: Path) -> list[Round]:
    return [Round(**json.loads(line)) for line in log.read_text("utf-8").splitlines()] if log.exists() else []


def _report(rounds: list[Round], wanted: int, seconds: float) -> int:
    steps = [*_STEPS.values(), _AFTER]
    print(
        f"\n{'killed in':16} {'kills':>6} {'old release':>12} {'new release':>12} {'healed':>7} {'CPU s to heal':>14}"
    )
    for step in steps:
        of_step = [found for found in rounds if found.step == step]
        if not of_step:
            continue
        old = sum(found.seen == "old" for found in of_step)
        good = sum(not found.problems for found in of_step)
        cpu = sum(found.cpu_seconds for found in of_step) / len(of_step)
        print(f"{step:16} {len(of_step):6} {old:12} {len(of_step) - old:12} {good:7} {cpu:14.1f}")
    bad = [found for found in rounds if found.problems]
    changes = collections.Counter(found.change for found in rounds)
    print(
        f"{len(rounds)} kills in {seconds / 60:.0f} minutes, {dict(sorted(changes.items()))}; {len(bad)} with a finding"
    )
    for found in bad:
        print(f"kill {found.number + 1} ({found.change}, {found.step}): {'; '.join(found.problems)}")
    if len(rounds) != wanted:
        print(f"only {len(rounds)} of {wanted} kills came to an end")
    return 1 if bad or len(rounds) != wanted else 0


def _write_documents(root: Path) -> None:
    """A folder a change: the samples and what is new."""
    for change, documents in CHANGES.items():
        folder = root / change
        if folder.exists():
            continue
        shutil.copytree(SAMPLES, folder)
        for document in documents:
            text = (SAMPLES / document.sample).read_text("utf-8")
            for old, new in document.replaced:
                assert old in text, (document.sample, old)
                text = text.replace(old, new)
            (folder / document.name).write_text(text[: document.kept_characters], "utf-8")


def _step(said: str) -> str:
    """The step that a refresh was in, by what it said last."""
    step = _STEPS[""]
    for line in said.splitlines():
        for words, name in _STEPS.items():
            if words and line.startswith(words):
                step = name
    return step


def _import_once() -> None:
    """What every refresh needs; the processes are forked from this one and share it."""
    for name in _IMPORTED_ONCE:
        importlib.import_module(name)


def _become_refresh(log: Path, arguments: list[str]) -> None:
    """In a forked process: a process group of its own, its words in a file, then the command line."""
    from loaders import cli

    os.setpgid(0, 0)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code: object = 70
    try:
        cli.main(arguments)
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0)


def _in_fork(task: Callable[[], Any]) -> Any:
    """What a task answers in a process of its own, so that this one never opens a database."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as file:
                json.dump(task(), file)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit(f"looking at a warehouse failed with {status}")
    return json.loads(text)


def _together(tasks: list[Callable[[], None]]) -> None:
    """Run tasks side by side, a process each; end when one of them failed."""
    pids = []
    for task in tasks:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                task()
                code = 0
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            finally:
                os._exit(code)
        pids.append(pid)
    failed = [pid for pid in pids if os.waitpid(pid, 0)[1]]
    if failed:
        raise SystemExit("a job failed")


def _bound(function: Callable[..., None], *arguments: Any) -> Callable[[], None]:
    return lambda: function(*arguments)


def _write_whole(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(text, "utf-8")
    temporary.rename(path)


def _descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            children = [int(word) for word in (task / "children").read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


def _cpu_seconds(pid: int) -> float:
    """What a process, the ones it started and the ones it waited for have used."""
    ticks = 0
    for one in (pid, *_descendants(pid)):
        try:
            text = Path(f"/proc/{one}/stat").read_text()
        except OSError:
            continue
        # utime, stime, cutime, cstime; the name before them may hold spaces.
        ticks += sum(int(word) for word in text.rpartition(")")[2].split()[11:15])
    return ticks / _TICKS


def _wait_for_end(pids: list[int]) -> None:
    """Readers of documents end when their run is gone; a warehouse is not put back under them."""
    deadline = time.monotonic() + 30
    while any(_is_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            raise SystemExit(f"processes {pids} outlive their killed refresh")
        time.sleep(_LOOK_SECONDS)


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
