"""Publishes against readers: does anybody ever meet an error, or tables of two releases?

``python -m benchmarks.publishes [--count 1000] [--real 100] [--interval 0.1] [--warehouse DIR] [--json]`` makes a small
warehouse with two releases that differ in every table it asks for, then publishes again and again while four processes
read: one opens ``current/warehouse.duckdb`` for each question, one opens the folder that the link leads to and compares
what it finds with the manifest and a Parquet file there, one holds its connection and opens anew when the link changes,
one attaches the file read-only to a database in memory. A question is several statements with pauses between them, so
that a publish falls into it. Its answers must all be those of one release.

``--real`` of the publishes are whole ones (:func:`loaders.publish.publish_build`), which take seconds. The others put
one of the two releases, as links to its files under a new id, where a whole one would put it, and go through the same
swap of the link and the same retention. Retention is shortened to a minute, so that releases are dropped while they
are read. ``--warehouse`` names a warehouse that has two releases already; it is copied, not touched. Ends with 1 when a
reader met anything.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb

from loaders import publish
from loaders.builds import built_fingerprint
from loaders.releases import read_retention
from loaders.version import PROJECT_ROOT
from loaders.warehouse import RELEASE_FILE, Warehouse, new_id

SAMPLES = PROJECT_ROOT / "samples" / "reports"
KINDS = ("open", "open_folder", "hold", "attach")
TABLES = ("marts.fct_metric_value", "marts.dim_report", "marts.fct_identity_check", "raw.documents", "raw.metric_rows")
RETENTION_SECONDS = 60
_SHOWN_ERRORS = 3


@dataclass
class Readings:
    """What one reader met: questions by the release that answered, mixed answers, errors."""

    kind: str
    answers: dict[str, int] = field(default_factory=dict)
    seen_releases: int = 0
    mixed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    """Publish against readers and print what they met."""
    parser = argparse.ArgumentParser(description="Publish against readers.")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--real", type=int, default=100)
    parser.add_argument("--interval", type=float, default=0.1, help="seconds from one publish to the next, at least")
    parser.add_argument("--warehouse", type=Path, help="a warehouse with two releases")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder without it")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--reader", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.reader:
        print(json.dumps(asdict(read(Warehouse(options.warehouse), options.reader)), ensure_ascii=False))
        return 0
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        warehouse = Warehouse(Path(name, "warehouse"))
        if options.warehouse:
            shutil.copytree(options.warehouse, warehouse.root, symlinks=True)
        else:
            _make_releases(warehouse, Path(name, "documents"))
        variants = find_variants(warehouse)
        readers = [_start_reader(warehouse, kind) for kind in KINDS]
        begun = time.monotonic()
        try:
            seconds = _publish_all(warehouse, variants, options.count, options.real, options.interval, options.as_json)
        finally:
            for reader in readers:
                reader.send_signal(signal.SIGTERM)
        told = [reader.communicate(timeout=300) for reader in readers]
        left = len([path for path in warehouse.releases.iterdir() if not path.name.startswith(".")])
    found = []
    for kind, (out, err) in zip(KINDS, told, strict=True):
        found.append(Readings(**json.loads(out)) if out else Readings(kind, errors=[err[-500:] or "it said nothing"]))
    return _report(found, options, seconds, time.monotonic() - begun, left)


def find_variants(warehouse: Warehouse) -> dict[str, Path]:
    """The last two releases, kept beside the warehouse under the counts that tell them apart."""
    folders = sorted(path for path in warehouse.releases.iterdir() if not path.name.startswith("."))
    if len(folders) < 2:
        raise SystemExit(f"{warehouse.root} has {len(folders)} releases; two are needed")
    kept: dict[str, Path] = {}
    for name, folder in zip(("first", "second"), folders[-2:], strict=True):
        kept[name] = warehouse.root / "variants" / name
        shutil.copytree(folder, kept[name], copy_function=os.link, symlinks=True)
    counts = {name: _counts_of(folder) for name, folder in kept.items()}
    same = [table for table in TABLES if counts["first"][table] == counts["second"][table]]
    if same:
        raise SystemExit(f"the last two releases of {warehouse.root} do not differ in {', '.join(same)}")
    return kept


def read(warehouse: Warehouse, kind: str) -> Readings:
    """Ask again and again until the process is told to end."""
    counts = {name: _counts_of(warehouse.root / "variants" / name) for name in ("first", "second")}
    readings = Readings(kind)
    answers: Counter[str] = Counter()
    is_over = False

    def stop(*_: object) -> None:
        nonlocal is_over
        is_over = True

    signal.signal(signal.SIGTERM, stop)
    rng = random.Random(kind)
    held: duckdb.DuckDBPyConnection | None = None
    link, links = "", set()
    print("ready", file=sys.stderr, flush=True)
    while not is_over:
        try:
            now = os.readlink(warehouse.current)
            links.add(now)
            if kind == "open":
                with contextlib.closing(_open(warehouse.current / RELEASE_FILE)) as con:
                    found = _ask(con, "", rng)
            elif kind == "open_folder":
                found = _ask_folder(warehouse.current.resolve(), rng)
            elif kind == "attach":
                with contextlib.closing(duckdb.connect()) as con:
                    con.execute(f"attach '{warehouse.current / RELEASE_FILE}' as release (read_only)")
                    found = _ask(con, "release.", rng)
                    con.execute("detach release")
            else:
                if held is None or now != link:
                    if held is not None:
                        held.close()
                    held, link = _open(warehouse.current / RELEASE_FILE), now
                found = _ask(held, "", rng)
            names = [name for name, of_release in counts.items() if found == of_release]
            if names:
                answers[names[0]] += 1
            else:
                readings.mixed.append(str(found))
        except Exception as error:  # whatever a reader meets is counted
            readings.errors.append(f"{type(error).__name__}: {error}")
    readings.answers = dict(answers)
    readings.seen_releases = len(links)
    return readings


def _ask(con: duckdb.DuckDBPyConnection, prefix: str, rng: random.Random) -> dict[str, int]:
    """The row counts of some tables, each by a statement of its own."""
    found: dict[str, int] = {}
    for table in TABLES:
        # The last column is read, too, so that the pages of the table are.
        schema, name = table.split(".")
        (found[table],) = con.execute(
            f"select count(*) from {prefix}{schema}.{name} as t where t is not null"
        ).fetchall()[0]
        time.sleep(rng.random() * 0.02)
    return found


def _ask_folder(release: Path, rng: random.Random) -> dict[str, int]:
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    if manifest["release_id"] != release.name:
        raise ValueError(f"the manifest of {release.name} is that of {manifest['release_id']}")
    with contextlib.closing(_open(release / RELEASE_FILE)) as con:
        found = _ask(con, "", rng)
        fact = TABLES[0]
        parquet = release / "parquet" / f"{fact.partition('.')[2]}.parquet"
        (rows,) = con.execute(f"select count(*) from read_parquet('{parquet}')").fetchall()[0]
    if {table: manifest["table_rows"][table] for table in TABLES} != found or rows != found[fact]:
        return {**found, "parquet": rows}
    return found


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(path), read_only=True)


def _counts_of(release: Path) -> dict[str, int]:
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    return {table: manifest["table_rows"][table] for table in TABLES}


def _make_releases(warehouse: Warehouse, documents: Path) -> None:
    """Refresh the samples without one of them, then all."""
    documents.mkdir()
    samples = sorted(SAMPLES.iterdir())
    for some in (samples[1:], samples):
        for sample in some:
            shutil.copy(sample, documents)
        command = [sys.executable, "-m", "loaders", "refresh", str(documents), "--warehouse", str(warehouse.root)]
        done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"a refresh ended with {done.returncode}\n{done.stderr[-2000:]}")


def _publish_all(
    warehouse: Warehouse, variants: dict[str, Path], count: int, real: int, interval: float, is_quiet: bool
) -> float:
    """Publish so often; the seconds of a whole publish."""
    con = warehouse.connect(read_only=True)
    fingerprint = built_fingerprint(con)
    con.close()
    if fingerprint is None:
        raise SystemExit("nothing was built in this warehouse")
    os.environ["GONGKAI_KEPT_HOURS"] = str(RETENTION_SECONDS / 3600)
    every = max(1, count // real) if real else count + 1
    names = list(variants)
    whole = 0.0
    for n in range(count):
        begun = time.monotonic()
        if n % every == every - 1:
            publish.publish_build(warehouse, fingerprint)
            whole += time.monotonic() - begun
        else:
            _put(warehouse, variants[names[n % 2]])
        if (n + 1) % 100 == 0 and not is_quiet:
            print(f"{n + 1} of {count} publishes", flush=True)
        time.sleep(max(0.0, interval - (time.monotonic() - begun)))
    return whole / max(1, count // every)


def _put(warehouse: Warehouse, variant: Path) -> None:
    """A release as publishing leaves it, with the content of a variant, and everything after its writing."""
    release_id = new_id()
    staged = warehouse.releases / f".staging-{release_id}"
    shutil.copytree(variant, staged, copy_function=os.link, symlinks=True)
    staged.chmod(0o755)
    manifest = staged / "manifest.json"
    text = manifest.read_text("utf-8")
    manifest.unlink()
    manifest.write_text(text.replace(json.loads(text)["release_id"], release_id), "utf-8")
    os.utime(staged)
    os.rename(staged, warehouse.releases / release_id)
    publish._swap_current(warehouse, release_id)
    publish.drop_old_releases(warehouse, read_retention())


def _start_reader(warehouse: Warehouse, kind: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.publishes", "--reader", kind, "--warehouse", str(warehouse.root)]
    reader = subprocess.Popen(
        command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    assert reader.stderr is not None
    if reader.stderr.readline() != "ready\n":
        raise SystemExit(f"the reader {kind} did not start: {reader.communicate()[1][-1000:]}")
    return reader


def _report(found: list[Readings], options: argparse.Namespace, whole: float, seconds: float, left: int) -> int:
    bad = sum(len(readings.mixed) + len(readings.errors) for readings in found)
    silent = [readings.kind for readings in found if len(readings.answers) < 2]
    if options.as_json:
        print(json.dumps({"seconds": seconds, "whole": whole, "readers": [asdict(one) for one in found]}, indent=1))
    else:
        print(f"{options.count} publishes, {options.real} of them whole ({whole:.1f} s each), in {seconds:.0f} s")
        print(f"{left} releases are left of them")
        print(
            f"{'reader':12} {'answers':>8} {'first':>7} {'second':>7} {'releases met':>13} {'mixed':>6} {'errors':>7}"
        )
        for one in found:
            first, second = one.answers.get("first", 0), one.answers.get("second", 0)
            print(
                f"{one.kind:12} {first + second:8} {first:7} {second:7} {one.seen_releases:13}"
                f" {len(one.mixed):6} {len(one.errors):7}"
            )
            for text in (one.mixed + one.errors)[:_SHOWN_ERRORS]:
                print(f"  {text}")
    if silent:
        print(f"these readers did not meet both contents: {', '.join(silent)}")
    return 1 if bad or silent else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
