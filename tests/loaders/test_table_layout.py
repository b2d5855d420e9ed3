"""Tables as grids: merged cells, page breaks, columns in another order, rows that do not keep to their headings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from loaders.extract.second import read_tables_again
from loaders.extract.tables import TableReading, extract_tables
from loaders.model import Document, SecondReading, ValueStatus
from loaders.readers import read_bytes
from loaders.readers.build import DocumentBuilder, Slot
from tests.loaders.render import Noise, fill

APPLICANTS = ("自然人", "商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他", "总计")
ROWS = (
    ("（一）予以公开", (5, 1, 0, 0, 2, 0, 8)),
    ("（二）部分公开（区分处理的，只计这一情形，不计其他情形）", (3, 0, 0, 0, 0, 0, 3)),
)


def requests_table(
    rows: Sequence[tuple[str, Sequence[object]]] = ROWS, labels: Sequence[str] = APPLICANTS
) -> list[Slot]:
    """The head of the request table with three label columns, and rows under the third group."""
    slots = [
        Slot("（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）", 0, 0, 3, 3),
        Slot("申请人情况", 0, 3, 1, 7),
        Slot(labels[0], 1, 3, 2, 1),
        Slot("法人或其他组织", 1, 4, 1, 5),
        *(Slot(label, 2, 4 + n) for n, label in enumerate(labels[1:6])),
        Slot(labels[6], 1, 9, 2, 1),
        Slot("一、本年新收政府信息公开申请数量", 3, 0, 1, 3),
        *(Slot(str(value), 3, 3 + n) for n, value in enumerate((9, 1, 0, 0, 2, 0, 12))),
        Slot("三、本年度办理结果", 4, 0, len(rows), 1),
    ]
    for n, (label, values) in enumerate(rows):
        slots.append(Slot(label, 4 + n, 1, 1, 2))
        slots += [Slot(str(value), 4 + n, 3 + k) for k, value in enumerate(values)]
    return slots


def document(slots: Sequence[Slot]) -> Document:
    builder = DocumentBuilder()
    builder.add_paragraph("收到和处理政府信息公开申请情况")
    builder.add_table(slots, "html")
    return builder.build("text/html")


def figures(reading: TableReading, metric_code: str) -> list[Decimal | None]:
    return [row.value for row in reading.metric_rows if row.metric_code == metric_code]


def codes(reading: TableReading) -> set[str]:
    return {issue.issue_code for issue in reading.issues}


def test_a_grid_with_merged_cells_is_read_by_its_columns() -> None:
    reading = extract_tables(document(requests_table()))
    assert figures(reading, "requests_received_new") == [9, 1, 0, 0, 2, 0, 12]
    assert figures(reading, "outcome_granted_full") == [5, 1, 0, 0, 2, 0, 8]
    assert figures(reading, "outcome_granted_partial") == [3, 0, 0, 0, 0, 0, 3]
    places = [row.place for row in reading.metric_rows if row.metric_code == "outcome_granted_full"]
    assert next((place.table, place.row, place.column) for place in places) == (1, 5, 4)


def test_a_value_merged_over_two_columns_is_not_given_to_either() -> None:
    slots = [slot for slot in requests_table() if (slot.row, slot.column) not in {(4, 3), (4, 4)}]
    reading = extract_tables(document([*slots, Slot("6", 4, 3, 1, 2)]))
    assert figures(reading, "outcome_granted_full") == []
    assert figures(reading, "outcome_granted_partial") == [3, 0, 0, 0, 0, 0, 3]
    assert "arity_mismatch" in codes(reading)


def test_a_row_shifted_by_one_cell_is_left_out() -> None:
    shifted = [(ROWS[0][0], ("", *ROWS[0][1])), ROWS[1]]
    reading = extract_tables(document(requests_table(shifted)))
    assert figures(reading, "outcome_granted_full") == []
    assert figures(reading, "outcome_granted_partial") == [3, 0, 0, 0, 0, 0, 3]


def test_a_label_that_spans_too_little_does_not_move_the_values() -> None:
    slots = [slot for slot in requests_table() if slot.row != 5]
    slots += [Slot(ROWS[1][0], 5, 1), *(Slot(str(v), 5, 2 + n) for n, v in enumerate(ROWS[1][1]))]
    assert figures(extract_tables(document(slots)), "outcome_granted_partial") == [3, 0, 0, 0, 0, 0, 3]


def test_columns_are_told_by_their_headings_in_any_order() -> None:
    labels = ("商业企业", "自然人", *APPLICANTS[2:])
    slots = requests_table(labels=labels)
    reading = extract_tables(document(slots))
    by_type = {r.applicant_type: r.value for r in reading.metric_rows if r.metric_code == "outcome_granted_full"}
    assert by_type["natural_person"] == 1
    assert by_type["legal_business"] == 5


def test_a_row_cut_by_the_page_is_stitched() -> None:
    rows = [
        ROWS[0],
        ("（二）部分公开（区分处理的，只计这", (3, 0, 0, 0, 0, 0, 3)),
        ("一情形，不计其他情形）", ("",) * 7),
    ]
    reading = extract_tables(document(requests_table(rows)))
    assert figures(reading, "outcome_granted_partial") == [3, 0, 0, 0, 0, 0, 3]


def test_a_second_reading_tells_a_misread_figure() -> None:
    read = document(requests_table())
    rows = list(extract_tables(read).metric_rows)
    again = read_tables_again(read, rows)
    assert {row.second_reading for row in again} == {SecondReading.AGREES}
    wrong = next(n for n, row in enumerate(rows) if row.value == 12)
    rows[wrong] = replace(rows[wrong], value=Decimal(21), value_raw="21")
    told = read_tables_again(read, rows)[wrong]
    assert (told.second_reading, told.second_value) == (SecondReading.DIFFERS, Decimal(12))


def test_two_numbers_in_one_cell_are_no_number() -> None:
    rows = [(ROWS[0][0], ("5 1", *ROWS[0][1][1:])), ROWS[1]]
    reading = extract_tables(document(requests_table(rows)))
    first = next(row for row in reading.metric_rows if row.metric_code == "outcome_granted_full")
    assert (first.value, first.value_status) == (None, ValueStatus.ILLEGIBLE)


@pytest.mark.parametrize("style", ["markdown", "tabbed", "lines", "piped_cell"])
@pytest.mark.parametrize("form_code", ["nat2014", "fmt2019", "fmt2021"])
def test_a_table_read_by_recipe_is_read_as_afresh(form_code: str, style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(12):
        data = fill(form_code, style, seed, Noise(blank=0.02 * (seed % 3))).text.encode()
        read, _ = read_bytes(data)
        by_recipe = extract_tables(read)
        with monkeypatch.context() as patch:
            patch.setattr("loaders.extract.tables.recall", lambda look: None)
            assert by_recipe == extract_tables(read)
