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
from loaders.text.numbers import is_value, parse_cell
from loaders.vocabulary import Metric, load_vocabulary

_MOST_LOOKS = 512
_MOST_CELLS = 2000
_LONGEST_LABELS = 20_000
_LONGEST_MARKED = 200
_MOST_MARKS = 65_536

Look = tuple[Any, ...]
ReadValue = Callable[[Cell, str | None, str, bool], tuple[Decimal | None, ValueStatus, bool]]


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure of a recipe: which cell and which printed row it stands in, its words, and its metric."""

    cell: int
    line: int
    known: MetricRow
    metric: Metric


@dataclass(frozen=True, slots=True)
class Recipe:
    """Where the figures of a table stand: the cells, by number, of each figure and of each printed row."""

    cells: tuple[tuple[int, int], ...]
    figures: tuple[_Figure, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    votes: Mapping[str, int]
    seen: int
    complete: int


_recipes: OrderedDict[Look, Recipe] = OrderedDict()


class _Marks(dict[str, str | None]):
    """Marks for the texts of value cells; null for words, which stand for themselves. Only short ones are kept."""

    def __missing__(self, text: str) -> str | None:
        if not text.strip():
            mark: str | None = "\0blank"
        elif is_value(text):
            mark = "\0value"
        else:
            mark = "\0none" if parse_cell(text).status is not ValueStatus.ILLEGIBLE else None
        if len(text) <= _LONGEST_MARKED:
            if len(self) >= _MOST_MARKS:
                self.clear()
            self[text] = mark
        return mark


_marks = _Marks()


def _slots(table: Table) -> Sequence[Sequence[Cell | None]]:
    return table.rows if table.grid is None else table.grid


def look_of(table: Table, script: Script) -> Look | None:
    """What decides how a table is read: all but its figures. Null for a table too large to remember."""
    slots = _slots(table)
    if sum(map(len, slots)) > _MOST_CELLS or table.place.end - table.place.start > _LONGEST_LABELS:
        return None
    has_grid = table.grid is not None
    looks: list[Any] = [table.style, table.has_rows, script, has_grid]
    for r, row in enumerate(slots, 1):
        looks.append(len(row))
        for c, cell in enumerate(row, 1):
            if cell is None:
                looks.append(None)
                continue
            place = cell.place
            if has_grid and (place.column != c or place.row != r):
                # Under a merged cell: which one, tells where that starts.
                looks.append((place.row, place.column))
                continue
            text = cell.text
            look = _marks[text if cell.simplified is None else cell.simplified] or text
            if cell.row_span == 1 == cell.column_span:
                looks.append(look)
            else:
                looks.append((look, cell.row_span, cell.column_span, place.column))
    return tuple(looks)


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
    numbers: dict[int, int] = {}
    number_of: dict[int, int] = {}
    places: list[tuple[int, int]] = []
    for r, slots in enumerate(_slots(table)):
        for c, cell in enumerate(slots):
            if cell is not None and id(cell) not in numbers:
                numbers[id(cell)] = number_of[id(cell.place)] = len(places)
                places.append((r, c))
    metrics = load_vocabulary().metrics
    lines: dict[int, int] = {}
    kept: list[tuple[str, tuple[int, ...]]] = []
    figures = []
    for row, (label, values) in zip(rows, printed_rows, strict=True):
        number = number_of.get(id(row.place))
        cells = tuple(numbers[id(cell)] for cell in values if id(cell) in numbers)
        if number is None or row.metric_code is None or len(cells) < len(values):
            return
        if id(values) not in lines:
            lines[id(values)] = len(kept)
            kept.append((printed(label), cells))
        figures.append(_Figure(number, lines[id(values)], row, metrics[row.metric_code]))
    _recipes[look] = Recipe(tuple(places), tuple(figures), tuple(kept), dict(votes), seen, complete)
    while len(_recipes) > _MOST_LOOKS:
        _recipes.popitem(last=False)


def follow(recipe: Recipe, table: Table, read_value: ReadValue) -> list[MetricRow] | None:
    """The figures of a table by a recipe; null where one of them is not of its kind, so that it is read afresh."""
    slots = _slots(table)
    cells = [cell for r, c in recipe.cells if (cell := slots[r][c]) is not None]
    snippets = [" ".join(" ".join([label, *[cells[n].text for n in run]]).split()) for label, run in recipe.rows]
    out = []
    for figure in recipe.figures:
        cell, known, metric = cells[figure.cell], figure.known, figure.metric
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
                snippets[figure.line],
                known.match_method,
                known.match_score,
            )
        )
    return out
