"""What each step costs, in a fresh warehouse of the sample reports.

``python -m benchmarks.steps [--json]`` runs every step as a user would, in a process of its own, and prints wall
and CPU seconds beside the bound that the project keeps and the ratio to a baseline run on the same machine in the
same minute: a Python process that imports what the step must import and does nothing.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from loaders.vocabulary import PROJECT_ROOT

SAMPLES = PROJECT_ROOT / "samples" / "reports"
BIN = Path(sys.executable).parent
_READ = f"""
import time
from pathlib import Path
from loaders.reading import read_document
documents = [(p.name, p.read_bytes()) for p in sorted(Path({str(SAMPLES)!r}).iterdir())]
for name, data in documents:
    read_document(data, name)
start, size = time.perf_counter(), 0
for _ in range(4):
    for name, data in documents:
        size += len(data)
        read_document(data, name)
seconds = time.perf_counter() - start
print(f"{{4 * len(documents) / seconds:.1f}} documents/s, {{size / seconds / 1e6:.2f}} MB/s once started")
"""


@dataclass
class Step:
    """One measured step; ``bound`` is the wall time in seconds that the project keeps on two cores."""

    name: str
    bound: float | None
    wall: float
    cpu: float
    ratio: float
    output: str


def _run(command: list[str], environment: dict[str, str]) -> tuple[float, float, str]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return wall, cpu, done.stdout.strip()


def measure() -> list[Step]:
    """Run the steps in order and measure each against its baseline."""
    steps = []
    python = [sys.executable, "-c"]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"GONGKAI_WAREHOUSE": folder, "DO_NOT_TRACK": "1"}
        plan: list[tuple[str, float | None, list[str], str]] = [
            (
                "refresh of the samples, all steps",
                60.0,
                [str(BIN / "gongkai"), "refresh", str(SAMPLES)],
                "import dbt.cli.main, great_expectations",
            ),
            ("refresh with nothing new", 10.0, [str(BIN / "gongkai"), "refresh", str(SAMPLES)], "import duckdb"),
            (
                "dbt build alone, after a refresh",
                20.0,
                [str(BIN / "dbt"), "build", "--quiet"],
                "import dbt.cli.main",
            ),
            ("checks alone", None, [str(BIN / "gongkai"), "check"], "import great_expectations"),
            ("reading five documents", None, [*python, _READ], "import opencc, rapidfuzz"),
        ]
        for name, bound, command, imports in plan:
            baseline, _, _ = _run([*python, imports], environment)
            wall, cpu, output = _run(command, environment)
            steps.append(Step(name, bound, wall, cpu, wall / baseline, output.splitlines()[-1] if output else ""))
    return steps


def main(arguments: list[str]) -> int:
    """Print the table of steps."""
    steps = measure()
    if "--json" in arguments:
        print(json.dumps([asdict(step) for step in steps], ensure_ascii=False, indent=1))
        return 0
    print(f"{'step':36} {'wall s':>7} {'CPU s':>7} {'bound s':>8} {'x imports alone':>16}")
    for step in steps:
        bound = f"{step.bound:.0f}" if step.bound else "-"
        print(f"{step.name:36} {step.wall:7.1f} {step.cpu:7.1f} {bound:>8} {step.ratio:16.1f}")
    print(f"reading: {steps[-1].output}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
