"""Printed column headings against the columns of a form table.

In: the heading cells above the first row, in reading order, and a form table. Out: the printed heading of each
column, or null when the headings are not those of the form: values are then not taken, because position alone
proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

from loaders.model import Cell
from loaders.text.labels import compact, read_label
from loaders.text.numbers import MONEY_UNITS
from loaders.vocabulary import FormColumn, FormTable

_MIN_HEADING = 88.0
_MIN_COLUMN = 75.0
_MIN_PREFIX = 3
_MIN_COLUMNS = 2
MISSING = -1
_MIN_FUZZY_COLUMN = 3
_MONEY = re.compile("|".join(sorted(MONEY_UNITS, key=len, reverse=True)))


@dataclass(frozen=True, slots=True)
class Heading:
    """The columns of a printed table: a printed label and a printed money unit a column, and a score 0 to 100."""

    labels: tuple[str, ...]
    units: tuple[str | None, ...]
    score: float


@lru_cache(maxsize=256)
def _wanted(table: FormTable) -> tuple[tuple[FormColumn, ...], tuple[tuple[str, ...], ...]]:
    columns = tuple(column for column in table.columns if column.column_code != "in_label")
    return columns, tuple(tuple(read_label(text).core for text in (c.label_zh, *c.aliases)) for c in columns)


def printed(cell: Cell) -> str:
    """The text of a label cell on one line."""
    return " ".join(cell.text.split())


def _column_score(text: str, cores: tuple[str, ...]) -> float:
    core = read_label(text).core
    if not core:
        return 0.0
    best = max(100.0 if core == wanted else min(fuzz.ratio(core, wanted), 99.0) for wanted in cores)
    if best < 100.0 and len(core) >= _MIN_PREFIX and any(wanted.startswith(core) for wanted in cores):
        best = max(best, 90.0)
    return best


def _unit(text: str) -> str | None:
    match = _MONEY.search(compact(text))
    return match.group() if match else None


def match_columns(cells: Sequence[Cell], table: FormTable) -> Heading | None:
    """Match the headings of a ``row_by_column`` table with one heading row."""
    columns, wanted = _wanted(table)
    texts = [cell for cell in cells if not cell.is_blank]
    if len(texts) == len(columns):
        scores = [_column_score(cell.plain, cores) for cell, cores in zip(texts, wanted, strict=True)]
        if min(scores) >= _MIN_COLUMN:
            return Heading(
                tuple(printed(cell) for cell in texts),
                tuple(_unit(cell.plain) for cell in texts),
                sum(scores) / len(scores),
            )
    joined = compact("".join(cell.plain for cell in texts))
    whole = compact("".join(column.label_zh for column in columns))
    score = fuzz.ratio(joined, whole) if joined else 0.0
    if score >= _MIN_HEADING and len(texts) > len(columns):
        # Headings broken over several cells: only the whole can be compared.
        return Heading(tuple(column.label_zh for column in columns), tuple(None for _ in columns), score)
    return None


def match_grouped_columns(cells: Sequence[Cell], table: FormTable) -> Heading | None:
    """Match headings printed in several rows (groups above columns), whatever row the totals are printed in."""
    columns, _ = _wanted(table)
    joined = compact("".join(cell.plain for cell in cells))
    at, total = 0, 100.0
    grouped = [column for column in columns if column.parent_label_zh]
    # Where columns repeat their labels, only the groups tell them apart; else a group may go unprinted.
    needs_groups = len({column.label_zh for column in columns}) < len(columns)
    groups = {part for column in grouped for part in column.parent_label_zh.split(" / ")} if needs_groups else set()
    for label in groups:
        if compact(label) not in joined:
            score = fuzz.partial_ratio(compact(label), joined)
            if score < _MIN_COLUMN:
                return None
            total = min(total, score)
    for column in (c for c in columns if not c.parent_label_zh):
        if not any(compact(text) in joined for text in (column.label_zh, *column.aliases)):
            score = fuzz.partial_ratio(compact(column.label_zh), joined)
            if score < _MIN_COLUMN or len(column.label_zh) < _MIN_FUZZY_COLUMN:
                return None
            total = min(total, score)
    # The columns of a group stand side by side; a later group comes after an earlier one.
    body = _body(joined, grouped)
    for column in grouped:
        label = next(
            (t for t in map(compact, (column.label_zh, *column.aliases)) if t in body[at:]), compact(column.label_zh)
        )
        found = body.find(label, at)
        if found < 0:
            alignment = fuzz.partial_ratio_alignment(label, body[at : at + 3 * len(label) + 6])
            if alignment is None or alignment.score < _MIN_COLUMN or len(label) < _MIN_FUZZY_COLUMN:
                return None
            total = min(total, alignment.score)
            found = at + alignment.dest_start
            at = at + alignment.dest_end
        else:
            at = found + len(label)
    labels = tuple(" / ".join(filter(None, (c.parent_label_zh, c.label_zh))) for c in columns)
    return Heading(labels, tuple(None for _ in columns), total)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the columns of a form are printed: a position for each, in the order of the form, and the heading.

    A column that is not printed is at ``MISSING``.

    ``is_whole`` says that these are all printed columns, in the form's order, so that a row may also be read by
    counting its cells.
    """

    positions: tuple[int, ...]
    heading: Heading
    is_whole: bool


def find_columns(leaves: Mapping[int, Cell], table: FormTable) -> Columns | None:
    """The columns of the form, given the lowest heading of each printed column.

    Null unless the headings that belong to the form are all its columns, in its order. Where every label is
    there to the letter and once, the order may be another, and the body may have added columns or left some out.
    """
    columns, wanted = _wanted(table)
    at: list[int] = []
    scores: list[float] = []
    for position in sorted(leaves):
        score = _column_score(leaves[position].plain, wanted[len(at)]) if len(at) < len(columns) else 0.0
        if score >= _MIN_COLUMN:
            at.append(position)
            scores.append(score)
        elif at:
            break
    is_whole = len(at) == len(columns) and at[-1] == max(leaves)
    if not is_whole:
        at = [_only_exact(leaves, cores) for cores in wanted]
        scores = [100.0]
        found = [position for position in at if position != MISSING]
        if len(set(found)) < len(found) or len(found) < min(len(columns), _MIN_COLUMNS):
            return None
    labels = tuple(
        " / ".join(filter(None, (c.parent_label_zh, c.label_zh if position == MISSING else printed(leaves[position]))))
        for c, position in zip(columns, at, strict=True)
    )
    units = tuple(None if position == MISSING else _unit(leaves[position].plain) for position in at)
    return Columns(tuple(at), Heading(labels, units, min(scores)), is_whole)


def _only_exact(leaves: Mapping[int, Cell], cores: tuple[str, ...]) -> int:
    """The one position whose label is one of the cores to the letter; missing where there is none or several."""
    at = [position for position, cell in leaves.items() if read_label(cell.plain).core in cores]
    return at[0] if len(at) == 1 else MISSING


def _body(joined: str, grouped: Sequence[FormColumn]) -> str:
    """The headings from the first column of the first group on."""
    first = compact(grouped[0].label_zh)
    found = joined.find(first)
    return joined[found:] if found >= 0 else joined
