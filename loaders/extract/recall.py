"""Tables that look like one read before are read the same way.

Most bodies fill in the form as it was handed out: the same words in the same slots, other figures. Which cell is
which figure follows from the words and from where there are values, blanks and merged cells; so it is worked out
once for each look of a table and remembered. Only readings without any doubt are remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from loaders.forms.columns import printed
from loaders.model import Cell, MetricRow, Script, Table, ValueStatus
from loaders.text.fold import cache_short
from loaders.text.numbers import is_value, parse_cell
from loaders.vocabulary import load_vocabulary

_MOST_LOOKS = 512
_MOST_CELLS = 2000
_LONGEST_LABELS = 20_000

Look = tuple[Any, ...]
At = tuple[int, int]
ReadValue = Callable[[Cell, str | None, str, bool], tuple[Decimal | None, ValueStatus, bool]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Where the figures of a table stand: for each its cell and its words, and the cells of its printed row."""

    figures: tuple[tuple[At, MetricRow, int], ...]
    rows: tuple[tuple[str, tuple[At, ...]], ...]
    votes: Mapping[str, int]
    seen: int
    complete: int


_recipes: OrderedDict[Look, Recipe] = OrderedDict()


@cache_short
def _kind(text: str) -> str:
    """A mark for the text of a value cell; words stand for themselves."""
    if not text.strip():
        return "\0blank"
    if is_value(text):
        return "\0value"
    return "\0none" if parse_cell(text).status is not ValueStatus.ILLEGIBLE else text


def look_of(table: Table, script: Script) -> Look | None:
    """What decides how a table is read: all but its figures. Null for a table too large to remember."""
    if sum(map(len, table.rows)) > _MOST_CELLS or table.place.end - table.place.start > _LONGEST_LABELS:
        return None
    rows: list[tuple[Any, ...]] = []
    for row in table.rows:
        looks: list[Any] = []
        for cell in row:
            kind = _kind(cell.plain)
            if cell.row_span == cell.column_span == 1:
                looks.append(cell.text if kind is cell.plain else kind)
            else:
                looks.append(
                    (cell.text if kind is cell.plain else kind, cell.row_span, cell.column_span, cell.place.column)
                )
        rows.append(tuple(looks))
    return (table.style, table.has_rows, script, tuple(rows))


def recall(look: Look) -> Recipe | None:
    """The recipe of a look that was read before."""
    recipe = _recipes.get(look)
    if recipe is not None:
        _recipes.move_to_end(look)
    return recipe


def remember(
    look: Look,
    table: Table,
    rows: Sequence[MetricRow],
    printed_rows: Sequence[tuple[Cell, tuple[Cell, ...]]],
    votes: Mapping[str, int],
    seen: int,
    complete: int,
) -> None:
    """Keep how a table was read, when every figure is a cell of its own; ``printed_rows`` has a row for each."""
    at = {id(cell): (r, c) for r, row in enumerate(table.rows) for c, cell in enumerate(row)}
    cell_of = {id(cell.place): (r, c) for r, row in enumerate(table.rows) for c, cell in enumerate(row)}
    lines: dict[int, int] = {}
    kept: list[tuple[str, tuple[At, ...]]] = []
    figures = []
    for row, (label, values) in zip(rows, printed_rows, strict=True):
        where = cell_of.get(id(row.place))
        cells = tuple(at[id(cell)] for cell in values if id(cell) in at)
        if where is None or row.metric_code is None or len(cells) < len(values):
            return
        if id(values) not in lines:
            lines[id(values)] = len(kept)
            kept.append((printed(label), cells))
        figures.append((where, row, lines[id(values)]))
    _recipes[look] = Recipe(tuple(figures), tuple(kept), dict(votes), seen, complete)
    while len(_recipes) > _MOST_LOOKS:
        _recipes.popitem(last=False)


def follow(recipe: Recipe, table: Table, read_value: ReadValue) -> list[MetricRow] | None:
    """The figures of a table by a recipe; null where one of them is not of its kind, so that it is read afresh."""
    metrics = load_vocabulary().metrics
    rows = table.rows
    snippets = [
        " ".join(filter(None, (label, *(printed(rows[r][c]) for r, c in cells)))) for label, cells in recipe.rows
    ]
    out = []
    for (r, c), known, line in recipe.figures:
        cell = rows[r][c]
        metric = metrics[known.metric_code or ""]
        value, status, is_approximate = read_value(cell, None, metric.unit, metric.is_signed)
        if status is ValueStatus.ILLEGIBLE:
            return None
        out.append(
            MetricRow(
                known.source_kind,
                known.metric_code,
                known.applicant_type,
                known.label_raw,
                known.column_label_raw,
                cell.text.strip(),
                value,
                status,
                is_approximate,
                known.unit,
                cell.place,
                snippets[line],
                known.match_method,
                known.match_score,
            )
        )
    return out
