"""Makes the seed ``division_successions``: which division of a new code carries on one whose code ended.

Run by hand after ``tools/divisions.py``; the seed it writes is kept::

    python tools/division_successions.py

In: the seed ``divisions`` and the decisions below. Out: ``seeds/division_successions.csv``.

- ``renamed`` by rule: a code that begins in the year after another ended, at the same level, in the same province
  and under the same name without its end (双流县 is 双流区, 简阳市 stays 简阳市 when another city takes it over),
  unless a decision below says otherwise.
- ``renamed`` by decision: the name changed with the code. One division was abolished and one founded in its place.
- ``merged``: a whole division went into another, old or new. ``split``: one went into several, or gave a part to a
  new one. Neither is the same division.
- A code that was given to a merged division anew stands with itself: its line ends there.
"""

from __future__ import annotations

import csv
from pathlib import Path

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
COLUMNS = ("predecessor_code", "successor_code", "succession_year", "succession_kind")

RENAMED = """
120225 120119 130223 130284 130230 130209 130526 130505 140227 140215 140421 140404 330621 330603 340221 340210
340721 340706 360421 360404 360427 360483 361121 361104 371202 370116 371421 371403 410224 410212 411023 411003
411222 411203 420321 420304 430221 430212 450127 450181 469003 460400 500234 500154 510124 510117 510724 510705
511521 511504 511721 511703 520222 520281 520321 520304 522201 520602 522401 520502 542121 540302 542301 540202
542421 540602 542621 540402 610125 610118 610427 610482 610521 610503 652101 650402 652201 650502 341402 340181
"""
MERGED = """
110103 110101 110104 110102 120107 120116 120108 120116 120109 120116 130603 130606 130604 130606 130721 130705
140202 140213 140203 140214 140402 140403 140411 140403 230704 230719 230716 230719 310103 310101 310108 310106
310119 310115 320103 320104 320107 320106 320202 320213 320203 320213 320204 320213 320405 320412 320502 320508
320503 320508 320504 320508 320602 320613 320611 320613 320705 320706 320802 320812 320811 320812 321011 321003
330103 330105 330104 330102 330204 330212 340203 340209 340208 340209 340502 340503 340702 340705 340703 340705
350402 350404 350403 350404 360105 360112 370205 370203 370284 370211 370634 370614 370684 370614 370802 370811
410211 410202 410306 410308 410322 410308 440116 440112 440903 440904 440923 440904 450404 450403 500222 500110
500110 500110 500225 500111 500111 500111 520114 520111
"""
SPLIT = """
130103 130102 130103 130104 130421 130402 130421 130403 130521 130502 130521 130503 140211 140213 140211 140214
330110 330113 330327 330383 440306 440309 440307 440310 440306 440311
"""
# The part went out of a division that goes on, so that the year is the new one's.
REUSED = {"500110": 2011, "500111": 2011}


def pairs(text: str) -> list[tuple[str, str]]:
    """The codes of a decision, two by two."""
    codes = text.split()
    return list(zip(codes[::2], codes[1::2], strict=True))


def main() -> None:
    """Write the seed."""
    with (SEEDS / "divisions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    first: dict[str, dict[str, str]] = {}
    last: dict[str, dict[str, str]] = {}
    for row in rows:
        first.setdefault(row["division_code"], row)
        last[row["division_code"]] = row
    decided = {old for text in (RENAMED, MERGED, SPLIT) for old, _ in pairs(text)}
    found: set[tuple[str, str, int, str]] = set()
    for code, row in last.items():
        if not row["valid_to_year"] or code in decided:
            continue
        year = int(row["valid_to_year"]) + 1
        heirs = [
            heir
            for heir in first.values()
            if int(heir["valid_from_year"]) == year
            and all(heir[name] == row[name] for name in ("short_name_zh", "level_code", "province_code"))
        ]
        # 铜仁地区 becomes 铜仁市, and its county 铜仁市 does not.
        if len(heirs) == 1:
            found.add((code, heirs[0]["division_code"], year, "renamed"))
    for kind, text in (("renamed", RENAMED), ("merged", MERGED), ("split", SPLIT)):
        for old, new in pairs(text):
            ended = last[old]["valid_to_year"]
            year = REUSED.get(old) or (int(ended) + 1 if ended else int(first[new]["valid_from_year"]))
            found.add((old, new, year, kind))
    with (SEEDS / "division_successions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(sorted(found))


if __name__ == "__main__":
    main()
