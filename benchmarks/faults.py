"""The fault panel: every fault of ``tests/quality/faults.py``, planted alone, and the rule that noticed it.

``python -m benchmarks.faults [--only WORD] [--keep FOLDER] [--write]`` builds a clean warehouse, makes sure that the
suites say nothing of it, plants each fault in a copy, and prints fault, room, rule, severity and whether it was
caught; with ``--write`` the table goes into ``docs/quality.md``. It ends with 1 when a fault was missed or the clean
warehouse was not clean.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from loaders.vocabulary import PROJECT_ROOT
from tests.quality.faults import FAULTS, Fault
from tests.quality.planting import Outcome, check, make_clean, open_clean, try_fault

PAGE = PROJECT_ROOT / "docs" / "quality.md"
_BEGIN, _END = "<!-- faults -->", "<!-- end of faults -->"


def matrix(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as a table."""
    lines = ["| fault | planted in | noticed by | severity | caught |", "|---|---|---|---|---|"]
    for outcome in outcomes:
        fault = outcome.fault
        rule = f"`{fault.rule_id}`" + (" (dbt)" if fault.is_test_of_dbt else "")
        caught = "yes" if outcome.is_caught else "NO"
        lines.append(f"| {fault.name} | {fault.room.value} | {rule} | {fault.severity} | {caught} |")
    return "\n".join(lines)


def write_page(text: str) -> None:
    """Put the table where the page says that it stands."""
    page = PAGE.read_text("utf-8")
    head, rest = page.split(_BEGIN)
    PAGE.write_text(f"{head}{_BEGIN}\n{text}\n{_END}{rest.split(_END)[1]}", "utf-8")


def run(folder: Path, faults: Sequence[Fault]) -> tuple[list[Outcome], bool]:
    """Each fault and whether the clean warehouse was clean."""
    clean = open_clean(folder) if (folder / "clean").exists() else make_clean(folder, is_built=True)
    said = [finding.rule_id for finding in check(clean, clean.warehouse) if not finding.is_success]
    print(f"of the clean warehouse the suites say {', '.join(said) or 'nothing'}", flush=True)
    outcomes = []
    for fault in faults:
        start = time.process_time()
        outcome = try_fault(clean, fault)
        outcomes.append(outcome)
        others = [rule for rule, _ in outcome.failed if rule != fault.rule_id]
        print(
            f"{'caught' if outcome.is_caught else 'MISSED'}  {fault.name}: {fault.rule_id} ({fault.severity})"
            f"{'; also ' + ', '.join(others) if others else ''}  {time.process_time() - start:.1f} s",
            flush=True,
        )
    return outcomes, not said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="faults whose name or rule holds this word")
    parser.add_argument("--keep", type=Path, help="a folder in which the clean warehouse is kept for the next time")
    parser.add_argument("--write", action="store_true", help="write the table into docs/quality.md")
    options = parser.parse_args()
    faults = [fault for fault in FAULTS if options.only in fault.name or options.only in fault.rule_id]
    with tempfile.TemporaryDirectory() as temporary:
        outcomes, is_clean = run(options.keep or Path(temporary), faults)
    table = matrix(outcomes)
    caught = sum(outcome.is_caught for outcome in outcomes)
    summary = f"{caught} of {len(outcomes)} faults caught by {len({o.fault.rule_id for o in outcomes})} rules."
    print(f"\n{table}\n\n{summary}")
    if options.write:
        write_page(f"{summary}\n\n{table}")
    sys.exit(0 if is_clean and caught == len(outcomes) else 1)


if __name__ == "__main__":
    main()
