"""What a second worker brings: the same documents loaded with one and with two workers.

``python -m benchmarks.workers [--count 300] [--rounds 3] [--json]`` loads generated documents into scratch
warehouses and prints documents per second and the ratio. On a machine that does other things as well the ratio of
wall times says little; so the CPU seconds are printed too, and what two workers would bring if each process had a
core of its own as long as there are cores: the CPU time of one worker over the longest of what must be done. The last
column is the peak memory of the loading process, which must not grow with the number of documents.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from loaders.version import PROJECT_ROOT

SAMPLES = PROJECT_ROOT / "samples" / "reports"
GOAL = 1.8
_LOAD = """
import json, resource, sys, time
from pathlib import Path
from loaders.load import load_documents
from loaders.runs import begin_run
from loaders.sources import list_documents
from loaders.staging import create_raw
from loaders.warehouse import Warehouse
folder, warehouse, workers = sys.argv[1:]
con = Warehouse(Path(warehouse)).connect()
create_raw(con)
run_id, documents = begin_run(con, "load"), list_documents([folder])
begun, cpu = time.perf_counter(), time.process_time()
account = load_documents(con, documents, run_id=run_id, workers=int(workers))
wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([account.seen, account.rejected, wall, cpu, usage.ru_utime + usage.ru_stime,
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


@dataclass
class Load:
    """One measured load; ``own_cpu`` is the loading process, ``worker_cpu`` all of its workers."""

    workers: int
    documents: int
    rejected: int
    wall: float
    own_cpu: float
    worker_cpu: float
    own_megabytes: float

    @property
    def rate(self) -> float:
        return self.documents / self.wall

    @property
    def own_milliseconds(self) -> float:
        """What the loading process spends on a document: the part that more workers do not shorten."""
        return 1000 * self.own_cpu / self.documents


def write_documents(folder: Path, count: int) -> None:
    """Write documents that differ in a line of prose."""
    samples = sorted(SAMPLES.iterdir())
    for n in range(count):
        sample = samples[n % len(samples)]
        (folder / f"{n:05}_{sample.name}").write_text(f"{sample.read_text('utf-8')}\n第{n}份\n", "utf-8")


def measure(folder: Path, warehouse: Path, workers: int) -> Load:
    """Load the documents in a process of its own."""
    command = [sys.executable, "-c", _LOAD, str(folder), str(warehouse), str(workers)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return Load(workers, *json.loads(done.stdout))


def idle_seconds(load: Load) -> float:
    """The wall time of a load on an idle machine: work spread over the workers, all of it over the cores."""
    cores = os.cpu_count() or 1
    return max(load.worker_cpu / load.workers, (load.worker_cpu + load.own_cpu) / min(cores, load.workers + 1))


def main(arguments: list[str]) -> int:
    """Print the loads and the ratios."""
    parser = argparse.ArgumentParser(description="Compare one worker with two.")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args(arguments)
    best: dict[int, Load] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "documents")
        folder.mkdir()
        write_documents(folder, options.count)
        for n in range(options.rounds):
            for workers in (1, 2):
                load = measure(folder, Path(name, f"warehouse-{workers}-{n}"), workers)
                if workers not in best or load.wall < best[workers].wall:
                    best[workers] = load
    one, two = best[1], best[2]
    ratio, idle_ratio = two.rate / one.rate, idle_seconds(one) / idle_seconds(two)
    if options.as_json:
        print(json.dumps({"loads": [asdict(one), asdict(two)], "ratio": ratio, "idle_ratio": idle_ratio}, indent=1))
        return 0
    titles = f"{'workers':>7} {'docs/s':>8} {'wall s':>8} {'own CPU s':>10} {'ms a doc':>9} {'workers CPU s':>14}"
    print(f"{titles} {'own MB':>7}")
    for load in (one, two):
        print(
            f"{load.workers:7} {load.rate:8.1f} {load.wall:8.1f} {load.own_cpu:10.1f} {load.own_milliseconds:9.2f}"
            f" {load.worker_cpu:14.1f} {load.own_megabytes:7.0f}"
        )
    print(f"two workers are {ratio:.2f} times as fast; by CPU time, on idle cores, {idle_ratio:.2f} (goal {GOAL})")
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
