"""Narrative figures: a table of our own sentences, whole small reports, and decoys that must never come out."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.extract.narrative import extract_narrative
from loaders.extract.phrases import load_narrative_vocabulary
from loaders.extract.prose import Block, Mark, mask
from loaders.model import Issue, MetricRow, Paragraph, Place, SourceKind, ValueStatus
from loaders.text.fold import detect_script
from loaders.vocabulary import load_vocabulary, read_seed


def sentences(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


SENTENCES = sentences("narrative_sentences.csv") + sentences("narrative_sentences_plain.csv")


def paragraphs(text: str) -> list[Paragraph]:
    """One paragraph a line."""
    found, at = [], 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            found.append(Paragraph(line, Place(at, at + len(line), number)))
        at += len(line) + 1
    return found


def read(text: str, form_code: str = "nat2014", year: int | None = 2018) -> tuple[list[MetricRow], list[Issue]]:
    return extract_narrative(paragraphs(text), form_code, detect_script(text), year)


def figures(rows: list[MetricRow]) -> set[str]:
    """Rows as ``metric=value``, ``~`` before an approximate value, ``!`` after a stated none."""
    return {
        f"{r.metric_code}={'~' if r.is_approximate else ''}{r.value:f}"
        f"{'!' if r.value_status is ValueStatus.NONE_STATED else ''}"
        for r in rows
    }


@pytest.mark.parametrize("row", SENTENCES, ids=lambda row: f"{row['form_code']}-{row['text'][:24]}")
def test_sentence(row: dict[str, str]) -> None:
    rows, _ = read(row["text"], row["form_code"], int(row["report_year"]))
    assert figures(rows) == set(row["expected"].split())


@pytest.mark.parametrize("row", sentences("narrative_adversarial.csv"), ids=lambda row: row["text"][-24:])
def test_figures_of_other_matters_do_not_come_out(row: dict[str, str]) -> None:
    rows, _ = read(row["text"], row["form_code"], int(row["report_year"]))
    stated = {figure for figure in figures(rows) if not figure.endswith("!")}
    assert stated <= set(row["allowed"].split())


@pytest.mark.parametrize("row", [r for r in SENTENCES if r["expected"]], ids=lambda row: row["text"][:24])
def test_evidence_is_verbatim(row: dict[str, str]) -> None:
    text = "标题\n\n" + row["text"]
    metrics = load_vocabulary().metrics
    for found in read(text, row["form_code"], int(row["report_year"]))[0]:
        printed = text[found.place.start : found.place.end]
        assert re.sub(r"\s+", " ", printed).strip() == found.snippet
        assert found.value_raw in found.snippet
        assert text.count("\n", 0, found.place.start) + 1 == found.place.line
        assert found.source_kind is SourceKind.NARRATIVE
        assert found.applicant_type is None
        assert found.metric_code is not None
        assert found.unit == metrics[found.metric_code].unit


def test_outcomes_take_their_subject_from_the_sentence_or_the_heading() -> None:
    text = """四、行政复议和行政诉讼情况
1.行政复议
受理政府信息公开行政复议案件9件，其中维持5件，撤销3件，其他情形1件。
2.行政诉讼
共4件。其中维持具体行政行为或者驳回原告诉讼请求的3件；撤销的1件。"""
    assert figures(read(text)[0]) == {
        "reconsideration_cases_total=9",
        "reconsideration_cases_upheld=5",
        "reconsideration_cases_corrected=3",
        "reconsideration_cases_other=1",
        "litigation_cases_upheld=3",
        "litigation_cases_corrected=1",
    }


def test_outcomes_of_two_subjects_at_once_are_not_taken() -> None:
    text = "因政府信息公开引发行政复议、行政诉讼案件5件，其中维持3件，撤销2件。"
    assert figures(read(text)[0]) == set()


def test_headings_with_nothing_but_none() -> None:
    text = "三、依申请公开情况\n（一）申请情况。无\n（二）申请处理情况：无\n四、行政复议、诉讼情况\n无。\n"
    text += "五、收费情况\n没有。"
    assert figures(read(text)[0]) == {
        "requests_received=0!",
        "requests_concluded=0!",
        "reconsideration_cases_total=0!",
        "litigation_cases_total=0!",
        "request_fees_collected=0!",
    }


def test_a_stray_cell_under_a_heading_is_no_none() -> None:
    assert read("四、行政复议、行政诉讼情况\n0\n0\n1")[0] == []


def test_plans_and_problems_hold_no_figures() -> None:
    text = "五、存在的问题及改进措施\n2018年主动公开政府信息仅50条。下一步召开政务公开工作会议4次。\n"
    text += "六、收费情况\n本年度依申请公开未收费。"
    assert figures(read(text)[0]) == {"request_fees_collected=0!"}


def test_another_body_is_not_the_report() -> None:
    text = (
        "甲区人民政府2018年政府信息公开工作年度报告\n区工商局收到政府信息公开申请15件。全区共收到政府信息公开申请80件。"
    )
    assert figures(read(text)[0]) == {"requests_received=80"}


def test_the_body_may_name_itself() -> None:
    text = "甲市统计局2018年政府信息公开工作年度报告\n一、概述\n市统计局收到政府信息公开申请15件。"
    assert figures(read(text)[0]) == {"requests_received=15"}


def test_a_number_on_the_next_printed_line_is_found() -> None:
    text = "按照条例规定的范围和程序，二〇一八年我局共收到政府信息公开申请3050\n件，均在法定期限内答复。"
    rows, _ = read(text)
    assert figures(rows) == {"requests_received=3050"}
    assert "3050 件" in rows[0].snippet


def test_the_same_figure_twice_is_two_rows() -> None:
    rows, _ = read("2018年我局共收到政府信息公开申请3件。\n三、依申请公开情况\n收到申请总数为3件。")
    assert len([r for r in rows if r.metric_code == "requests_received"]) >= 2


def test_contradicting_statements_are_doubted() -> None:
    rows, issues = read("召开政务公开工作会议2次。\n全年召开政务公开专题会议5次。")
    assert rows == []
    assert [i.issue_code for i in issues] == ["ambiguous_value"]


def test_a_statutory_label_overrules_a_loose_one() -> None:
    text = "全年公开信息120条。\n2018年主动公开政府信息数734条。"
    assert figures(read(text)[0]) == {"proactive_items_total=734"}


def test_unknown_year_takes_no_sentence_with_two_years() -> None:
    assert figures(read("2017年和2018年共收到政府信息公开申请3件。", year=None)[0]) == set()
    assert figures(read("2018年收到政府信息公开申请3件。", year=None)[0]) == {"requests_received=3"}


def test_money_comes_in_the_unit_of_the_catalogue() -> None:
    rows, _ = read("全年收取信息处理费1.2万元。", "fmt2021", 2023)
    assert [(r.value, r.unit, r.value_raw) for r in rows] == [(Decimal(12000), "元", "1.2万元")]


def test_site_furniture_and_nothing_are_harmless() -> None:
    assert read("")[0] == []
    lines = (
        "分享：",
        "字號：",
        "您訪問的連結即將離開",
        "電話：010-66523520 郵箱：a@b.cn",
        "2018-03-19 10:00",
        "京ICP备05000000号",
    )
    assert read("\n".join(lines))[0] == []


def test_reading_is_deterministic() -> None:
    text = "\n".join(r["text"] for r in SENTENCES)
    assert read(text) == read(text)


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("第二十条第3次33.3%", "OOP"),
        ("2018年3月15日1—6月，2018年", "DDY"),
        ("三次2200余条近70条", "QQQ"),
        ("010-66523520京财综〔2017〕569号", "OO"),
        ("《2018年12条》统一部署15个工作日", "TB"),
    ],
)
def test_marks(text: str, marks: str) -> None:
    names = {Mark.QUANTITY: "Q", Mark.BARE: "B", Mark.PERCENT: "P", Mark.YEAR: "Y", Mark.DATE: "D", Mark.TITLE: "T"}
    assert "".join(names.get(t.mark, "O") for t in mask(text)[1].values()) == marks


def test_every_metric_of_the_seeds_is_one_of_its_form() -> None:
    known = {(r["form_code"], r["metric_code"]) for r in read_seed("form_metrics")}
    assert {(r["form_code"], r["metric_code"]) for r in read_seed("narrative_metrics")} <= known


def test_every_narrative_metric_of_the_forms_can_be_read() -> None:
    readable = {(form, m) for c in load_narrative_vocabulary().concepts.values() for form, m in c.metrics.items()}
    wanted = {(r["form_code"], r["metric_code"]) for r in read_seed("form_metrics") if r["place_code"] == "narrative"}
    assert wanted <= readable


def test_every_phrase_keeps_its_needle() -> None:
    assert all(p.needles for p in load_narrative_vocabulary().phrases)


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("1" * 300_000, "O"),
        ("A" + "1" * 300_000 + "件", "O"),
        ("一" * 300_000 + "件", "O"),
        ("A1" + ",111" * 50_000, "O"),
        ("甲" * 300_000 + "@", ""),
        ("请联系a.b@c.cn或(010)-12345678转d@e.cn", "OOO"),
    ],
    ids=["digits", "code", "numerals", "groups", "no address", "addresses"],
)
def test_endless_numbers_and_words_are_walked_once(text: str, marks: str) -> None:
    assert "".join("O" if t.mark is Mark.OTHER else "?" for t in mask(text)[1].values()) == marks


@pytest.mark.parametrize(
    "text",
    [
        "政府信息公开申请" * 100_000,
        "收到政府信息公开申请3件," * 50_000,
        "未发生复议、诉讼、" * 50_000,
        "《" * 200_000 + "3件",
        "收到政府信息公开申请" + "1" * 500_000 + "件,",
    ],
    ids=["labels", "figures", "nones", "titles", "number"],
)
def test_a_sentence_without_end_gives_no_figure(text: str) -> None:
    rows, issues = read(text)
    assert rows == []
    assert {i.issue_code for i in issues} <= {"ambiguous_value"}


def test_a_sentence_without_end_is_named_and_its_neighbours_are_read() -> None:
    rows, issues = read(
        "收到政府信息公开申请3件。" + "收到政府信息公开申请5件," * 2_000 + "。召开政务公开工作会议2次。"
    )
    assert figures(rows) == {"requests_received=3", "ogi_meetings=2"}
    assert [i.issue_code for i in issues] == ["ambiguous_value"]


def test_a_long_enumeration_of_none_is_no_error() -> None:
    assert read("未发生" + "申请、" * 3_000 + "其他。")[0] == []


def test_guards_do_not_walk_the_paragraph_for_every_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the sentences of one paragraph ask for ten times the work, not a hundred times."""
    asked = 0
    tokens_in = Block.tokens_in

    def counting(self: Block, start: int, end: int) -> Sequence[int]:
        nonlocal asked
        places = tokens_in(self, start, end)
        asked += 1 + len(places)
        return places

    monkeypatch.setattr(Block, "tokens_in", counting)
    work = []
    for count in (30, 300):
        asked = 0
        assert read("收到政府信息公开申请3件。维持3件。" * count)[0]
        work.append(asked)
    assert work[1] < 15 * work[0]


def test_every_phrase_finds_itself_through_the_index() -> None:
    words = load_narrative_vocabulary()
    for row in SENTENCES:
        masked = mask(re.sub(r"\s", "", row["text"].translate(str.maketrans("，：；（）", ",:;()"))))[0]
        fitting = {order for order, phrase in enumerate(words.phrases) if phrase.pattern.search(masked)}
        assert fitting <= set(words.index.candidates(masked))


STATEMENTS = {
    "requests_received": ("我局共收到政府信息公开申请{n}件", "全年受理依申请公开{n}件", "收到{n}件政府信息公开申请"),
    "proactive_items_total": ("我局主动公开政府信息{n}条", "主动公开政府信息数{n}条"),
    "ogi_meetings": ("召开政务公开工作会议{n}次", "召开了{n}次政府信息公开专题会议"),
    "ogi_training_sessions": ("举办政府信息公开培训班{n}期",),
    "reconsideration_cases_total": ("因政府信息公开被申请行政复议{n}件",),
}
DECOYS = (
    "占总数的{d}%",
    "比去年增加{d}件",
    "同比下降{d}%",
    "较2017年的{d}次减少",
    "较上年多{d}条",
    "办理人大建议{d}件",
    "拨打电话010-66{d}520",
    "群众来信来访{d}件",
    "评选先进单位{d}个",
    "受理行政许可申请{d}件",
    "开展依法行政培训{d}次",
    "召开党组会议{d}次",
    "每年召开会议{d}次",
    "2019年计划主动公开政府信息{d}条",
    "2017年收到政府信息公开申请{d}件",
    "2017年主动公开政府信息{d}条",
    "截至目前累计主动公开政府信息{d}条",
    "各科室收到政府信息公开申请{d}件",
    "上半年收到政府信息公开申请{d}件",
    "未按时答复申请{d}件",
    "京政办发〔2018〕{d}号",
)


@settings(max_examples=400, deadline=None)
@given(
    metric=st.sampled_from(sorted(STATEMENTS)),
    choice=st.integers(0, 2),
    decoys=st.lists(st.sampled_from(DECOYS), max_size=4),
    first=st.lists(st.sampled_from(DECOYS), max_size=2),
    stop=st.sampled_from("，。；"),
    number=st.integers(0, 400),
    wrong=st.integers(501, 999),
    form_code=st.sampled_from(["nat2014", "fmt2019", "fmt2021", "pre2014_local"]),
)
def test_decoys_never_come_out(
    metric: str,
    choice: int,
    decoys: list[str],
    first: list[str],
    stop: str,
    number: int,
    wrong: int,
    form_code: str,
) -> None:
    statements = STATEMENTS[metric]
    statement = statements[choice % len(statements)].format(n=number)
    lead = "".join(d.format(d=wrong) + "。" for d in first)
    tail = stop.join(d.format(d=wrong) for d in decoys)
    rows, _ = read(f"{lead}2018年，{statement}{stop}{tail}。", form_code)
    assert {r.value for r in rows} <= {Decimal(number)}
    if form_code == "nat2014" and not decoys and not first:
        assert f"{metric}={number}" in figures(rows)
