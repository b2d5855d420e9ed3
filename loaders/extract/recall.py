"""Tables that look like one read before are read the same way.

Most bodies fill in the form as it was handed out: the same words in the same slots, other figures. Which cell is
which figure follows from the words and from where there are values, blanks and merged cells; so it is worked out
once for each look of a table and remembered. Only readings without any doubt are remembered.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import chain, count, repeat
from operator import attrgetter
from typing import Any

from loaders.forms.columns import printed
from loaders.model import Cell, MetricRow, Script, Table, ValueStatus, make_many
from loaders.text.numbers import is_value, parse_cell
from loaders.vocabulary import load_vocabulary

_MOST_LOOKS = 512
_MOST_CELLS = 2000
_LONGEST_LABELS = 20_000
_LONGEST_MARKED = 200
_MOST_MARKS = 65_536

# Where a cell is and what it spans.
_SHAPE = attrgetter("row_span", "column_span", "place.row", "place.column")
_FIELDS = tuple(field.name for field in fields(MetricRow))
_CHANGING = ("value_raw", "value", "value_status", "is_approximate", "place", "snippet")

Look = tuple[Any, ...]
ReadValue = Callable[[Cell, str | None, str, bool], tuple[Decimal | None, ValueStatus, bool]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Where the figures of a table stand and what they are, a column for each thing to know of a figure.

    ``places`` are the slots of the figures, ``lines`` the printed rows they stand in; a printed row is its label and
    the slots of its values. ``known`` are the fields of the figures that do not change, null for those that do.
    """

    places: tuple[tuple[int, int], ...]
    units: tuple[str, ...]
    are_signed: tuple[bool, ...]
    lines: tuple[int, ...]
    rows: tuple[tuple[str, tuple[tuple[int, int], ...]], ...]
    known: tuple[tuple[Any, ...] | None, ...]
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
    flat = list(chain.from_iterable(slots))
    # A cell that is merged over several slots is one cell: each has the number of its first slot's order.
    numbers: defaultdict[int, int] = defaultdict(count().__next__)
    pattern = tuple(map(numbers.__getitem__, map(id, flat)))
    cells = [cell for cell in dict(zip(pattern, flat, strict=True)).values() if cell is not None]
    texts = [cell.text if cell.simplified is None else cell.simplified for cell in cells]
    marks = map(_marks.__getitem__, texts)
    return (
        (table.style, table.has_rows, script, table.grid is None),
        tuple(map(len, slots)),
        pattern,
        numbers.get(id(None)),
        # Words as they are printed too, for they are quoted as evidence.
        tuple(
            [
                (text if text is cell.text else (text, cell.text)) if mark is None else mark
                for mark, text, cell in zip(marks, texts, cells, strict=True)
            ]
        ),
        tuple(map(_SHAPE, cells)),
    )


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
    slot_of: dict[int, tuple[int, int]] = {}
    of_place: dict[int, tuple[int, int]] = {}
    for r, slots in enumerate(_slots(table)):
        for c, cell in enumerate(slots):
            if cell is not None and id(cell) not in slot_of:
                slot_of[id(cell)] = of_place[id(cell.place)] = (r, c)
    metrics = load_vocabulary().metrics
    line_of: dict[int, int] = {}
    kept: list[tuple[str, tuple[tuple[int, int], ...]]] = []
    figures: list[tuple[tuple[int, int], str, bool, int]] = []
    for row, (label, values) in zip(rows, printed_rows, strict=True):
        slot = of_place.get(id(row.place))
        cells = tuple(slot_of[id(cell)] for cell in values if id(cell) in slot_of)
        if slot is None or row.metric_code is None or len(cells) < len(values):
            return
        if id(values) not in line_of:
            line_of[id(values)] = len(kept)
            kept.append((printed(label), cells))
        metric = metrics[row.metric_code]
        figures.append((slot, metric.unit, metric.is_signed, line_of[id(values)]))
    places, units, are_signed, lines = zip(*figures, strict=True) if figures else ((), (), (), ())
    known = tuple(None if name in _CHANGING else tuple(getattr(row, name) for row in rows) for name in _FIELDS)
    _recipes[look] = Recipe(places, units, are_signed, lines, tuple(kept), known, dict(votes), seen, complete)
    while len(_recipes) > _MOST_LOOKS:
        _recipes.popitem(last=False)


def follow(recipe: Recipe, table: Table, read_value: ReadValue) -> list[MetricRow] | None:
    """The figures of a table by a recipe; null where one of them is not of its kind, so that it is read afresh."""
    if not recipe.places:
        return []
    slots = _slots(table)
    cells = [cell for r, c in recipe.places if (cell := slots[r][c]) is not None]
    read = list(map(read_value, cells, repeat(None), recipe.units, recipe.are_signed))
    values, statuses, are_approximate = zip(*read, strict=True)
    if ValueStatus.ILLEGIBLE in statuses:
        return None
    snippets = [
        " ".join(" ".join([label, *[cell.text for r, c in run if (cell := slots[r][c]) is not None]]).split())
        for label, run in recipe.rows
    ]
    changing = {
        "value_raw": [cell.text.strip() for cell in cells],
        "value": values,
        "value_status": statuses,
        "is_approximate": are_approximate,
        "place": [cell.place for cell in cells],
        "snippet": map(snippets.__getitem__, recipe.lines),
    }
    columns = [changing[name] if known is None else known for name, known in zip(_FIELDS, recipe.known, strict=True)]
    return make_many(MetricRow, len(cells), *columns)
