"""The local forms before 2014, national tables with several bodies, and the spelling of numbers in cells."""

from __future__ import annotations

import csv
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.score import score_folder
from loaders.extract.tables import read_value
from loaders.identity_checks import evaluate_identities
from loaders.model import Cell, DocumentStatus, MetricRow, Place, ReportReading, ValueStatus
from loaders.reading import read_document
from loaders.text.numbers import MONEY_UNITS
from loaders.vocabulary import PROJECT_ROOT, load_vocabulary

GOLDEN = PROJECT_ROOT / "tests" / "golden" / "local"
DINGXI = next(table for table in load_vocabulary().tables if table.table_code == "pre2014_local_dingxi")
HEADINGS = ["指标名称", "计量单位", "代码", "本期实际", "本年累计"]
LEAD = (
    "石桥市水务局2010年政府信息公开工作年度报告\n"
    "本报告由石桥市水务局编制，所列数据的统计期限为2010年1月1日至2010年12月31日。\n"
    "一、概述\n目录随时更新，窗口有人接待。\n"
)


def dingxi(**values: str) -> list[list[str]]:
    """The first rows of the Dingxi form with codes; the year's values are ten times the code unless given."""
    rows = [HEADINGS]
    for row in DINGXI.rows[:20]:
        year = values.get(row.row_code, str(row.row_order * 10))
        rows.append([row.enumerator + row.label_zh, row.printed_unit, f"{row.row_order:02d}", "1", year])
    return rows


def report(rows: list[list[str]], title: str = "（2010年度）") -> ReportReading:
    table = "".join("\n".join("\t" + cell for cell in row) + "\n\n" for row in rows)
    (found,) = read_document(f"{LEAD}\n{title}\n{table}\n".encode(), "report").reports
    return found


def values(found: ReportReading) -> dict[str, Decimal | None]:
    return {row.metric_code: row.value for row in found.metric_rows if row.metric_code}


def codes(found: ReportReading) -> list[str]:
    return [issue.issue_code for issue in found.issues]


# ---- whole documents


def test_every_figure_of_the_keyed_documents_is_read_and_none_is_wrong() -> None:
    for document, kinds in score_folder(GOLDEN).items():
        for kind, score in kinds.items():
            assert (score.missed, score.wrong, score.extra) == ([], [], []), (document, kind)


def keyed() -> list[dict[str, str]]:
    with (GOLDEN / "identity.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("truth", keyed(), ids=lambda row: row["document"])
def test_form_year_and_body_are_those_of_the_document(truth: dict[str, str]) -> None:
    path = GOLDEN / "reports" / truth["document"]
    reading = read_document(path.read_bytes(), path.name)
    assert reading.status is DocumentStatus.LOADED
    (found,) = reading.reports
    assert found.identity.agency_name == truth["agency_name"]
    assert str(found.identity.report_year) == truth["report_year"]
    assert found.form_code == truth["form_code"]
    assert found.identity.scope.value == truth["scope"]
    assert str(found.table_year) == truth["table_year"]
    assert "form_from_narrative" not in codes(found)
    assert [check.identity_code for check in evaluate_identities(found) if check.severity == "error"] == []


def golden(name: str) -> ReportReading:
    path = GOLDEN / "reports" / name
    return read_document(path.read_bytes(), path.name).reports[0]


def test_a_heading_with_another_year_is_kept_and_flagged() -> None:
    found = golden("L06_nanpu_jiaotong.md")
    assert (found.identity.report_year, found.table_year) == (2012, 2011)
    assert "table_year_mismatch" in codes(found)


def test_columns_without_a_metric_are_left_out_with_an_issue() -> None:
    found = golden("L01_shayuan_shuiwu.html")
    assert {row.column_label_raw for row in found.metric_rows} == {"本年累计"}
    assert any("本期实际" in issue.message for issue in found.issues)


def test_several_bodies_without_a_total_stay_unread_with_an_issue() -> None:
    found = golden("L09_huaishan_qu.html")
    assert not [row for row in found.metric_rows if row.source_kind.value == "table"]
    assert "columns_unmatched" in codes(found)
    total = golden("L10_wanhe_qu.html")
    assert {row.column_label_raw for row in total.metric_rows if row.source_kind.value == "table"} == {"合计"}


def test_a_local_number_of_an_exemption_is_kept_without_a_metric() -> None:
    rows = [row for row in golden("L03_xiling_renshe.md").metric_rows if "不予公开范围" in row.label_raw]
    found = [(row.label_raw[-3:], row.metric_code, row.value) for row in rows]
    assert found == [
        ("1”数", "local_reply_rejected_exempt1_state_secret", 0),
        ("4”数", None, 2),
        ("5”数", None, 1),
    ]


# ---- lists of indicators


def test_the_year_is_taken_and_the_code_is_no_value() -> None:
    found = report(dingxi())
    assert values(found) == {row.row_code: Decimal(row.row_order * 10) for row in DINGXI.rows[:20]}
    assert found.table_year == 2010


def test_a_code_that_is_another_rows_keeps_the_value_out() -> None:
    rows = dingxi()
    rows[6][2] = "09"
    found = report(rows)
    assert "local_consult_onsite" not in values(found)
    assert "ambiguous_label" in codes(found)
    assert len(values(found)) == 19


def test_a_label_with_a_slip_is_read_where_the_code_says_the_same() -> None:
    rows = dingxi()
    rows[5][0] = "网站专拦页面访问量"
    (row,) = [r for r in report(rows).metric_rows if r.metric_code == "local_website_pageviews"]
    assert (row.match_method, row.value) == ("fuzzy", 50)
    rows[5][2] = ""
    assert "local_website_pageviews" not in values(report(rows))


@pytest.mark.parametrize("spoil", [lambda row: row[:-1], lambda row: [*row, "7"], lambda row: row[:3] + row[4:]])
def test_a_row_with_another_number_of_cells_is_not_read(spoil) -> None:
    rows = dingxi()
    rows[10] = spoil(rows[10])
    found = report(rows)
    assert "local_requests_received" not in values(found)
    assert "arity_mismatch" in codes(found)


def test_a_row_shifted_to_the_right_is_not_read() -> None:
    rows = [[*row, ""] for row in dingxi()]
    rows[10] = [rows[10][0], "", *rows[10][1:-1]]
    assert "local_requests_received" not in values(report(rows))


@pytest.mark.parametrize("heading", ["本月完成", "历年累计", "2009年度"])
def test_without_one_column_of_the_year_nothing_is_read(heading: str) -> None:
    rows = dingxi()
    rows[0] = [*HEADINGS[:3], "2010年度" if heading == "2009年度" else "本期实际", heading]
    table = "".join("\n".join("\t" + cell for cell in row) + "\n\n" for row in rows)
    reading = read_document(f"{LEAD}\n{table}\n".encode(), "report")
    assert reading.reject_code in ("no_figures", "blank_form")


@pytest.mark.parametrize("title", ["2010年第三季度政府信息公开情况统计报表", "（2010年1-9月）", "2010年上半年统计报表"])
def test_a_part_of_the_year_is_not_read_as_the_year(title: str) -> None:
    table = "".join("\n".join("\t" + cell for cell in row) + "\n\n" for row in dingxi())
    text = f"{LEAD}本局主动公开政府信息5条。全年收到政府信息公开申请9件，其中当面申请3件。\n{title}\n{table}\n"
    (found,) = read_document(text.encode(), "report").reports
    assert not [row for row in found.metric_rows if row.source_kind.value == "table"]
    assert "table_unread" in codes(found)


@pytest.mark.parametrize("title", ["（2010年1-12月）", "2010年度", "2010年政府信息公开情况统计报表"])
def test_the_whole_year_is_read(title: str) -> None:
    found = report(dingxi(), title)
    assert (len(values(found)), found.table_year) == (20, 2010)


def test_a_label_printed_twice_is_read_in_neither_row() -> None:
    rows = [[row[0], row[1], *row[3:]] for row in dingxi()]
    rows.append(list(rows[7]))
    found = report(rows)
    assert "local_consult_online" not in values(found)
    assert codes(found).count("ambiguous_label") == 2


def test_a_unit_counted_in_ten_thousands_is_not_taken_as_ones() -> None:
    rows = dingxi(local_website_pageviews="12")
    rows[5][1] = "万人次"
    found = report(rows)
    assert values(found)["local_website_pageviews"] is None
    assert "illegible_value" in codes(found)


def test_blank_is_blank_and_never_zero() -> None:
    found = report(dingxi(local_requests_received="", requests_received_fax="0"))
    (blank,) = [row for row in found.metric_rows if row.metric_code == "local_requests_received"]
    assert (blank.value, blank.value_status) == (None, ValueStatus.BLANK)
    assert values(found)["requests_received_fax"] == 0


def test_identities_of_the_local_form_notice_a_sum_that_fails() -> None:
    rows = dingxi()
    for row, number in zip(rows[10:17], (9, 1, 2, 3, 1, 1, 2), strict=True):
        row[4] = str(number)
    failed = [check.identity_code for check in evaluate_identities(report(rows))]
    assert "L08_REQUESTS_BY_CHANNEL" in failed
    assert "L08_REPLIES_BY_TYPE" in failed


# ---- sheets of blocks


def html(rows: list[str]) -> bytes:
    lead = "".join(f"<p>{line}</p>" for line in LEAD.splitlines())
    table = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<html><head><meta charset='utf-8'></head><body>{lead}<table>{table}</table></body></html>".encode()


def row_of(*cells: str) -> str:
    return "".join(f"<td>{cell}</td>" for cell in cells)


def test_a_bare_other_belongs_to_the_block_it_follows() -> None:
    rows = [
        row_of("类别", "数量（条）", "比例（%）"),
        row_of("机构信息", "5", "50"),
        row_of("其他", "4", "50"),
        row_of("申请形式", "数量（件）", "比例（%）"),
        row_of("当面申请", "3", "60"),
        row_of("其他", "2", "40"),
    ]
    (found,) = read_document(html(rows), "report").reports
    assert values(found) == {
        "local_category_institution": 5,
        "local_category_other": 4,
        "requests_received_in_person": 3,
    }
    assert "columns_unmatched" in codes(found)


def test_a_share_is_no_count() -> None:
    rows = [
        row_of("类别", "比例（%）", "数量（条）"),
        row_of("机构信息", "50", "5"),
        row_of("人事", "50%", "6"),
    ]
    (found,) = read_document(html(rows), "report").reports
    assert values(found) == {"local_category_institution": 5, "local_category_personnel": 6}


def test_not_disclosed_beside_its_reasons_is_not_the_total_of_rejections() -> None:
    codes_read = values(golden("L07_laohai_shi.html"))
    assert codes_read["local_reply_denied"] == 1
    assert "local_reply_rejected_total" not in codes_read


def test_a_local_table_beside_a_national_one_is_not_the_reports() -> None:
    path = PROJECT_ROOT / "tests/golden/invented_a/reports/D01_qingxi_xian.txt"
    before = read_document(path.read_bytes(), path.name).reports[0]
    extra = "\n\n".join("\n".join("\t" + c for c in row) for row in dingxi())
    after = read_document(path.read_bytes() + f"\n附表\n{extra}\n\n".encode(), path.name).reports[0]
    assert after.form_code == before.form_code == "fmt2021"

    def figures(rows: tuple[MetricRow, ...]) -> list[tuple[str | None, str | None, Decimal | None]]:
        return [(r.metric_code, r.applicant_type, r.value) for r in rows if r.source_kind.value == "table"]

    assert figures(after.metric_rows) == figures(before.metric_rows)


# ---- the seeds


def test_the_skeleton_is_that_of_the_print() -> None:
    assert [row.row_order for row in DINGXI.rows] == list(range(1, 36))
    tables = {t.table_code: t for t in load_vocabulary().tables if t.form_code == "pre2014_local"}
    assert {code.removeprefix("pre2014_local_"): len(table.rows) for code, table in tables.items()} == {
        "dingxi": 35,
        "putian": 17,
        "qingdao_categories": 8,
        "qingdao_intake": 6,
        "qingdao_outcomes": 9,
        "qingdao_fees": 2,
    }
    assert tables["pre2014_local_putian"].cells["local_proactive_items_total", "cumulative"][0].endswith("_cumulative")


# ---- units, signs and spellings of numbers in the cells of all forms


def cell_metrics() -> list[str]:
    return sorted({code for table in load_vocabulary().tables for code, _ in table.cells.values()})


MONEY = [code for code in cell_metrics() if load_vocabulary().metrics[code].unit in MONEY_UNITS]
SIGNED = [code for code in cell_metrics() if load_vocabulary().metrics[code].is_signed]
COUNTS = [code for code in cell_metrics() if load_vocabulary().metrics[code].unit not in (*MONEY_UNITS, "%")]


def read(text: str, metric_code: str, heading_unit: str | None = None) -> Decimal | ValueStatus:
    metric = load_vocabulary().metrics[metric_code]
    value, status, _ = read_value(Cell(text, Place(0, len(text), 1)), heading_unit, metric.unit, metric.is_signed)
    return status if value is None else value


@pytest.mark.parametrize("metric_code", MONEY)
def test_money_is_brought_to_the_unit_of_the_metric(metric_code: str) -> None:
    unit = load_vocabulary().metrics[metric_code].unit
    in_yuan = {
        "251000元": "251000",
        "251,000元": "251000",
        "1646.5万元": "16465000",
        "３.５万元": "35000",
        "2.5千元": "2500",
        "0.3亿元": "30000000",
        "5 万元": "50000",
    }
    for text, yuan in in_yuan.items():
        assert read(text, metric_code) == Decimal(yuan) / MONEY_UNITS[unit], text
        assert read(text, metric_code, "元") == Decimal(yuan) / MONEY_UNITS[unit], text
    for text, number in {"187.8192": "187.8192", "96171.6": "96171.6", "0.0000": "0", "1，319": "1319"}.items():
        assert read(text, metric_code) == Decimal(number), text
        assert read(text, metric_code, "万元") == Decimal(number) * 10_000 / MONEY_UNITS[unit], text
    for text in ("-5", "减5万元", "￥500", "1 319", "500块"):
        assert read(text, metric_code) is ValueStatus.ILLEGIBLE, text


@pytest.mark.parametrize("metric_code", SIGNED)
def test_changes_keep_their_sign(metric_code: str) -> None:
    signs = {"-5": -5, "−71": -71, "－71": -71, "减1": -1, "减 1": -1, "减少3": -3, "下降2": -2, "-1,036": -1036}
    signs |= {"+1036": 1036, "＋1036": 1036, "增加5": 5, "增5": 5, "增加5项": 5, "0": 0, "＋０": 0, "8": 8}
    for text, value in signs.items():
        assert read(text, metric_code) == value, text
    for text in ("—71", "±5", "5↑", "(5)"):
        assert read(text, metric_code) is ValueStatus.ILLEGIBLE, text


@pytest.mark.parametrize("metric_code", COUNTS)
def test_counts_are_whole_and_read_in_every_spelling(metric_code: str) -> None:
    for text, value in {
        "1,319": 1319,
        "１，３１９": 1319,
        "１２３": 123,
        "５件": 5,
        "1.6万": 16000,
        "十二": 12,
    }.items():
        assert read(text, metric_code) == value, text
    for text in ("2.5", "1O5", "1 319", "1,31", "12%", "5."):
        assert read(text, metric_code) is ValueStatus.ILLEGIBLE, text
    for text in ("", "　", "—", "----", "无", "\u00a0"):
        assert read(text, metric_code) is ValueStatus.BLANK, text
    assert read("/", metric_code) is ValueStatus.NOT_APPLICABLE
    if metric_code not in SIGNED:
        assert read("-5", metric_code) is ValueStatus.ILLEGIBLE


@given(number=st.integers(0, 10**9), metric_code=st.sampled_from(COUNTS), wide=st.booleans(), grouped=st.booleans())
def test_any_spelling_of_a_count_is_the_count(number: int, metric_code: str, wide: bool, grouped: bool) -> None:
    text = f"{number:,}" if grouped else str(number)
    if wide:
        text = text.translate(str.maketrans("0123456789,", "０１２３４５６７８９，"))
    assert read(text, metric_code) == number


@given(
    amount=st.decimals(0, 10**7, places=4),
    metric_code=st.sampled_from(MONEY),
    printed=st.sampled_from(sorted(MONEY_UNITS)),
)
def test_a_unit_in_the_cell_and_one_in_the_heading_say_the_same(
    amount: Decimal, metric_code: str, printed: str
) -> None:
    in_cell, in_heading = read(f"{amount}{printed}", metric_code), read(str(amount), metric_code, printed)
    unit = load_vocabulary().metrics[metric_code].unit
    assert in_cell == in_heading == amount * MONEY_UNITS[printed] / MONEY_UNITS[unit]


@pytest.mark.parametrize(
    ("text", "metric_code", "wanted"),
    [
        ("251000元", COUNTS[0], ValueStatus.ILLEGIBLE),
        ("3亿元", COUNTS[0], ValueStatus.ILLEGIBLE),
        ("5件", MONEY[0], ValueStatus.ILLEGIBLE),
        ("1.6万", "admin_fees_amount", Decimal("1.6")),
    ],
)
def test_a_unit_of_another_kind_is_not_taken(text: str, metric_code: str, wanted: Decimal | ValueStatus) -> None:
    assert read(text, metric_code) == wanted
