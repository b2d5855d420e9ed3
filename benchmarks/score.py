"""Compare what is read from documents with keyed truth.

``python -m benchmarks.score [--json] [FOLDER ...]`` where a folder holds ``truth.csv`` and ``reports/``. Without a
folder: the samples, the golden reports of the tests, and the folder that ``GONGKAI_CORPUS`` names. A figure is
right when metric, applicant type and value agree, blank with blank; wrong when the document states another value
for that metric, or none; extra figures are listed with the sentence they were read from. Exit 1 when a figure is
wrong or a table figure is missing.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path

from loaders.model import MetricRow
from loaders.reading import read_document
from loaders.vocabulary import PROJECT_ROOT

Key = tuple[str, str, str | None]


@dataclass
class Score:
    """Counts of one document and source kind."""

    truth: int = 0
    right: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)


def _normal(value: Decimal | str | None) -> str | None:
    return None if value in (None, "") else format(Decimal(str(value)).normalize(), "f")


def score_document(rows: list[MetricRow], truth: list[dict[str, str]]) -> Score:
    """Compare the figures of one document and source kind with its truth."""
    got: dict[Key, list[MetricRow]] = defaultdict(list)
    for row in rows:
        if row.metric_code is not None:
            got[row.metric_code, row.applicant_type or "", _normal(row.value)].append(row)
    wanted = Counter(
        (t["metric_code"], t["applicant_type"], None if t["is_blank"] == "true" else _normal(t["value"])) for t in truth
    )
    stated = {key[:2] for key in wanted}
    values: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    for code, applicant, value in wanted:
        values[code, applicant].add(value)
    score = Score(truth=len(truth))
    for key, count in wanted.items():
        found = min(count, len(got.get(key, ())))
        score.right += found
        score.missed += [f"{key[0]} {key[1]} {key[2]}"] * (count - found)
    for key, found_rows in got.items():
        for row in found_rows[wanted.get(key, 0) :]:
            text = f"{key[0]} {key[1]} = {key[2]}: {row.snippet}"
            is_wrong = key[:2] in stated and key[2] not in values[key[:2]]
            (score.wrong if is_wrong else score.extra).append(text)
    return score


def score_folder(folder: Path) -> dict[str, dict[str, Score]]:
    """Scores by document and source kind for a folder with ``truth.csv`` and ``reports/``."""
    truth: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = row.get("document") or row["seed_file"]
            truth[name, row["source_kind"]].append(row)
    scores: dict[str, dict[str, Score]] = {}
    for path in sorted((folder / "reports").iterdir()):
        reading = read_document(path.read_bytes(), path.name)
        rows = [row for report in reading.reports for row in report.metric_rows]
        scores[path.name] = {
            kind: score_document([r for r in rows if r.source_kind == kind], truth[path.name, kind])
            for kind in ("table", "narrative")
        }
    return scores


def main(arguments: list[str]) -> int:
    """Print the scores; 1 when a figure is wrong or a table figure is missing."""
    as_json = "--json" in arguments
    folders = [Path(a) for a in arguments if a != "--json"]
    if not folders:
        golden = PROJECT_ROOT / "tests" / "golden"
        folders = [PROJECT_ROOT / "samples", *sorted(path.parent for path in golden.glob("*/truth.csv"))]
        if corpus := os.environ.get("GONGKAI_CORPUS"):
            folders.append(Path(corpus))
    failed = False
    output = {}
    for folder in folders:
        scores = score_folder(folder)
        output[folder.name] = {d: {k: asdict(s) for k, s in kinds.items()} for d, kinds in scores.items()}
        total = {kind: Score() for kind in ("table", "narrative")}
        if not as_json:
            columns = " ".join(f"{name:>6}" for name in ("truth", "right", "missed", "wrong", "extra"))
            print(f"\n{folder.name + ': document':46} {'kind':10} {columns}")
        for document, kinds in scores.items():
            for kind, score in kinds.items():
                total[kind].truth += score.truth
                total[kind].right += score.right
                for name in ("missed", "wrong", "extra"):
                    getattr(total[kind], name).extend(getattr(score, name))
                if not as_json and (score.truth or score.extra):
                    _print_line(f"  {document[:42]:44}", kind, score)
        for kind, score in total.items():
            if not as_json:
                _print_line(f"  {'all':44}", kind, score)
                for name in ("missed", "wrong", "extra"):
                    for text in getattr(score, name):
                        print(f"    {kind} {name}: {text}")
            failed = failed or bool(score.wrong) or (kind == "table" and bool(score.missed or score.extra))
    if as_json:
        print(json.dumps(output, ensure_ascii=False, indent=1))
    return int(failed)


def _print_line(name: str, kind: str, score: Score) -> None:
    counts = (score.truth, score.right, len(score.missed), len(score.wrong), len(score.extra))
    print(name, f"{kind:10}", *(f"{count:6}" for count in counts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
