"""A small run of the fault catalogue: no cell silently wrong, and documents without fault read whole."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from benchmarks.accuracy import BEGIN, END, Outcome, Spec, compare, failures, has_reader, measure, plan, run
from benchmarks.accuracy import write_documentation as write_results
from loaders.identity_checks import evaluate_identities
from loaders.model import DocumentReading
from loaders.reading import read_document
from tests.faults.catalogue import CATALOGUE, make_layout
from tests.faults.layouts import Truth, form_variants
from tests.faults.writers import SLOW_FORMATS, WRITERS

FORMATS = [name for name in WRITERS if name not in SLOW_FORMATS and has_reader(name)]


def read(spec: Spec) -> DocumentReading:
    return read_document(spec.bytes(spec.layout()), str(spec))


@pytest.mark.parametrize("format_name", FORMATS)
def test_documents_without_fault_are_read_whole(format_name: str) -> None:
    specs = [Spec(form, format_name, "none", 5) for form in form_variants()]
    outcomes = run(specs, progress=False)
    assert not failures(outcomes)
    assert not any(outcome.tally.misidentified for outcome in outcomes)


@pytest.mark.parametrize("fault", [name for name in CATALOGUE if name != "none"])
def test_no_fault_gives_a_silently_wrong_cell(fault: str) -> None:
    spoils = CATALOGUE[fault]
    formats = [name for name in FORMATS if name in spoils.formats]
    forms = [form for form in form_variants() if form.removesuffix("_beijing") in spoils.forms]
    if not formats:
        pytest.skip("no format that can be read has this fault")
    # Two documents a fault; the forms and formats go round over the faults.
    at = list(CATALOGUE).index(fault)
    chosen = [Spec(forms[n % len(forms)], formats[n % len(formats)], fault, n) for n in (at, at + 5)]
    outcomes = run(chosen, progress=False)
    assert [note for outcome in outcomes for note in outcome.notes] == []
    assert sum(outcome.tally.unnoticed for outcome in outcomes) == 0


@pytest.mark.parametrize("form", form_variants())
@pytest.mark.parametrize("number", range(3))
def test_the_generated_figures_keep_the_identities_of_the_form(form: str, number: int) -> None:
    (report,) = read(Spec(form, "text_tsv", "none", number)).reports
    assert [f for f in evaluate_identities(report) if f.severity == "error"] == []
    assert any(row.value for row in report.metric_rows)


def test_the_same_number_gives_the_same_document() -> None:
    for fault in CATALOGUE.values():
        form = sorted(fault.forms & {"fmt2019", "fmt2021", "nat2014"})[-1]
        assert make_layout(form, fault, 4).parts == make_layout(form, fault, 4).parts


def test_a_wrong_cell_is_silent_unless_an_identity_or_an_issue_speaks() -> None:
    spec = Spec("fmt2021", "text_tsv", "none", 2)
    layout = spec.layout()
    # A cell that stands in a sum, and one that stands in none.
    summed, alone = ("outcome_granted_full", "natural_person"), ("licensing_decisions", None)
    reading = read(spec)
    (report,) = reading.reports
    rows = [
        replace(row, value=row.value + 1)
        if (row.metric_code, row.applicant_type) in (summed, alone) and row.value is not None
        else row
        for row in report.metric_rows
    ]
    outcome = compare(spec, layout, replace(reading, reports=(replace(report, metric_rows=tuple(rows)),)))
    assert (outcome.tally.flagged, outcome.tally.silent) == (1, 1)
    assert "licensing_decisions" in outcome.notes[0]
    assert failures([outcome])


def test_a_figure_read_where_the_print_leaves_it_open_counts_as_silently_wrong() -> None:
    spec = Spec("fmt2021", "text_tsv", "none", 2)
    layout = spec.layout()
    layout.truth["licensing_decisions", None] = Truth(None, is_ambiguous=True)
    outcome = compare(spec, layout, read(spec))
    assert (outcome.tally.silent, outcome.tally.cells) == (1, len(layout.truth) - 1)


def test_a_lost_table_breaks_the_promise() -> None:
    outcome = measure(Spec("fmt2021", "text_tsv", "none", 2))
    outcome.tally.right -= 2
    assert any("promised" in reason for reason in failures([outcome]))


def test_a_plan_meets_every_format_without_fault_first_and_stops_at_its_size() -> None:
    specs = list(plan(3_000, FORMATS[:3], list(CATALOGUE), form_variants()))
    first = len(form_variants()) * 3
    assert {(s.form, s.format) for s in specs[:first]} == {(f, n) for f in form_variants() for n in FORMATS[:3]}
    assert all(spec.fault == "none" for spec in specs[:first])
    assert 15 < len(specs) < 60


def test_results_replace_the_generated_part_of_the_page(tmp_path) -> None:
    page = tmp_path / "accuracy.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    outcome: Outcome = measure(Spec("nat2014", "text_tsv", "none", 1))
    write_results([outcome], page)
    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| text tsv | 1 | 58 | 58 | 0 | 0 | 0 | 100.00 |" in text


def test_money_in_cells_with_a_unit_is_keyed_in_the_unit_of_the_catalogue() -> None:
    values = [
        (cell.text, truth.value)
        for number in range(12)
        for layout in [make_layout("fmt2021", CATALOGUE["units_in_cells"], number)]
        for truth in [layout.truth["admin_fees_amount", None]]
        for row in layout.tables[0].rows
        for cell in row
        if cell.kind == "value" and cell.text.endswith("元") and not cell.text.endswith("万元")
    ]
    assert values
    assert all(Decimal(text.removesuffix("元")) / 10_000 == value for text, value in values)
