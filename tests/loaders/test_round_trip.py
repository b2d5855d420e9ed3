"""Forms filled at random, printed in each notation, read back: right or absent, never wrong."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.extract.tables import extract_tables
from loaders.model import ValueStatus
from loaders.readers import read_bytes
from tests.loaders.render import KEEPS_BLANKS, STYLES, Filled, Noise, fill

FORMS = ("nat2014", "fmt2019", "fmt2021")
seeds = st.integers(0, 2**32)


def read_back(filled: Filled) -> tuple[dict, list]:
    """The figures read, and those among them that are not what was printed."""
    document, _ = read_bytes(filled.text.encode())
    reading = extract_tables(document)
    got: dict = {}
    wrong = []
    for row in reading.metric_rows:
        if row.metric_code is None or row.value_status is ValueStatus.ILLEGIBLE:
            continue
        key = (row.metric_code, row.applicant_type)
        expected = filled.values.get(key, "-1")
        value = None if row.value_status is ValueStatus.BLANK else str(row.value)
        same = expected == value if None in (expected, value) else Decimal(expected) == Decimal(value)
        if key in got or not same:
            wrong.append((key, expected, value, row.label_raw, row.match_method))
        got[key] = value
        place = row.place
        assert document.text[place.start : place.end].strip() == row.value_raw
    return got, wrong


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("form_code", FORMS)
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_a_clean_full_form_is_read_whole(form_code: str, style: str, seed: int) -> None:
    filled = fill(form_code, style, seed, Noise())
    got, wrong = read_back(filled)
    assert not wrong
    assert set(filled.values) == set(got)


@pytest.mark.parametrize("style", KEEPS_BLANKS)
@pytest.mark.parametrize("form_code", FORMS)
@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_blank_cells_survive_where_the_notation_keeps_them(form_code: str, style: str, seed: int) -> None:
    filled = fill(form_code, style, seed, Noise(blank=0.4))
    got, wrong = read_back(filled)
    assert not wrong
    if style == "piped_cell" and form_code != "nat2014":
        # Without row ends, blank cells of merged groups cannot always be told from blank values.
        assert len(got) > len(filled.values) // 2
    else:
        assert set(filled.values) == set(got)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("form_code", FORMS)
@settings(max_examples=12, deadline=None)
@given(seed=seeds, characters=st.sampled_from((0.0, 0.05, 0.1, 0.2)), blank=st.sampled_from((0.0, 0.3)))
def test_noise_blanks_and_missing_rows_never_give_a_wrong_value(
    form_code: str, style: str, seed: int, characters: float, blank: float
) -> None:
    filled = fill(form_code, style, seed, Noise(characters=characters, blank=blank, missing=0.1))
    _, wrong = read_back(filled)
    assert not wrong


@pytest.mark.parametrize("form_code", ["fmt2019", "fmt2021"])
@settings(max_examples=12, deadline=None)
@given(seed=seeds, lost=st.integers(1, 3))
def test_a_blank_cell_lost_where_row_ends_are_not_marked_never_gives_a_wrong_value(
    form_code: str, seed: int, lost: int
) -> None:
    filled = fill(form_code, "piped_cell", seed, Noise(blank=0.3))
    lines = filled.text.split("\n")
    blanks = [n for n, line in enumerate(lines) if line == "|"]
    dropped = set(random.Random(seed).sample(blanks, lost))
    filled.text = "\n".join(line for n, line in enumerate(lines) if n not in dropped)
    got, wrong = read_back(filled)
    assert not wrong
    assert len(got) > len(filled.values) // 2
