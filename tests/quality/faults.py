"""The faults that the suites must notice: what is planted, and which rule says so at which severity.

A fault is planted in a copy of a clean warehouse: a small generated panel, loaded and built, of which the suites say
nothing. Some are planted in the raw rows and seen there; some in the raw rows or in a document, and seen in the marts
made of them; some in the rows of the marts, as a model with a fault would leave them. What a key, a reference or a
closed set forbids is noticed by a test of dbt, since no rule stands in both places.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Room(Enum):
    """Where a fault is planted, and what must happen before it can be seen."""

    RAW = "raw rows"
    MODELLED = "raw rows, then the marts are made"
    PRINTED = "document, then loaded"
    DOCUMENT = "document, then loaded and the marts are made"
    MARTS = "rows of the marts"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: SQL ``statements``, or for a document ``changes`` of what it prints first to what it prints instead.

    In the SQL ``{report}`` is a department's report on 2021 in the form of 2021, ``{year_before}`` the same body's on
    2020, ``{neighbour}`` another department's on 2021, ``{old}`` one of 2018 in the form of 2014, and ``{body}`` the
    name of the department.
    """

    name: str
    room: Room
    rule_id: str
    severity: str
    statements: tuple[str, ...] = ()
    changes: tuple[tuple[str, str], ...] = ()

    @property
    def is_test_of_dbt(self) -> bool:
        """Whether a test of dbt is the one to notice it."""
        return self.severity == "error"


_CELL = "metric_row_id = (select min(metric_row_id) from raw.metric_rows where report_id = '{report}' and value > 9)"
_LICENCES = "report_id = '{report}' and metric_code = 'licensing_decisions'"
_PRINT = "value = {value}, value_raw = '{value}', snippet = label_raw || ' {value}'"


def _print(value: str) -> str:
    return _PRINT.replace("{value}", value)


def _reprint(expression: str) -> str:
    """Set a figure so that it is printed as it is read."""
    printed = f"cast(cast({expression} as bigint) as varchar)"
    return f"value = {expression}, value_raw = {printed}, snippet = label_raw || {printed}"


def _copied(source: str, target: str) -> tuple[str, ...]:
    return (
        f"delete from raw.metric_rows where report_id = '{target}'",
        f"insert into raw.metric_rows by name select * replace ('{target}' as report_id, "
        f"metric_row_id || '-copy' as metric_row_id) from raw.metric_rows where report_id = '{source}'",
    )


def _raw(name: str, rule_id: str, severity: str, *plant: str) -> Fault:
    return Fault(name, Room.RAW, rule_id, severity, plant)


def _modelled(name: str, rule_id: str, severity: str, *plant: str) -> Fault:
    return Fault(name, Room.MODELLED, rule_id, severity, plant)


def _mart(name: str, rule_id: str, severity: str, *plant: str) -> Fault:
    return Fault(name, Room.MARTS, rule_id, severity, plant)


_OF_THE_BODY = "report_id in (select report_id from raw.reports where agency_name = '{body}')"
_SECOND_COPY = (
    "insert into raw.documents by name select * replace (sha256(document_id) as document_id, "
    "source_uri || '?copy' as source_uri, 'later-run' as run_id) from raw.documents where document_id = "
    "(select document_id from raw.reports where report_id = '{report}')",
    "insert into raw.reports by name select * replace (sha256(document_id) as document_id, report_id || '-copy' "
    "as report_id) from raw.reports where report_id = '{report}'",
    "insert into raw.metric_rows by name select * replace (metric_row_id || '-copy' as metric_row_id, "
    "report_id || '-copy' as report_id) from raw.metric_rows where report_id = '{report}'",
)

FAULTS = (
    # The tables and the load
    _raw("a column is missing", "metric_rows_columns", "critical", "alter table raw.metric_rows drop column unit"),
    _raw(
        "a column has another type",
        "reports_columns",
        "critical",
        "alter table raw.reports alter table_year type varchar",
    ),
    _raw(
        "half of the load is lost",
        "last_load_is_complete",
        "critical",
        "delete from raw.metric_rows where report_id in (select report_id from raw.reports where document_id < '8')",
        "delete from raw.reports where document_id < '8'",
        "delete from raw.documents where document_id < '8'",
    ),
    _raw(
        "more than half of the release is lost",
        "metric_rows_not_halved",
        "critical",
        "delete from raw.metric_rows where metric_row_id > '5'",
    ),
    _raw(
        "a tenth of the figures of the release is lost",
        "metric_rows_not_fewer",
        "warning",
        "delete from raw.metric_rows where hash(metric_row_id) % 10 = 0",
    ),
    _raw(
        "the account of a run is not closed",
        "run_account_closed",
        "critical",
        "update raw.runs set seen_count = seen_count + 1",
    ),
    _raw(
        "loaded in the future",
        "loaded_at_not_in_future",
        "warning",
        "update raw.documents set loaded_at = timestamp '2190-01-01'",
    ),
    _raw(
        "the same bytes under a second name",
        "document_id_is_sha256",
        "critical",
        *(part.replace("sha256(document_id)", "document_id || '-2'") for part in _SECOND_COPY),
    ),
    _raw("the same report at two addresses", "report_printed_once", "info", *_SECOND_COPY),
    _raw(
        "a rejected document gives figures",
        "rejected_document_has_no_figures",
        "critical",
        "update raw.documents set status = 'rejected', reject_code = 'no_figures' where document_id = "
        "(select document_id from raw.reports where report_id = '{report}')",
    ),
    _raw(
        "a rejection without a reason",
        "reject_code_iff_rejected",
        "critical",
        "insert into raw.documents by name select * replace (sha256(document_id) as document_id, 'rejected' as status, "
        "'later-run' as run_id) from raw.documents limit 1",
    ),
    _raw(
        "a loaded document without a report",
        "loaded_document_has_report",
        "critical",
        "delete from raw.reports where report_id = '{report}'",
    ),
    # The identity of reports
    _raw(
        "a report without figures",
        "report_has_figures",
        "critical",
        "delete from raw.metric_rows where report_id = '{report}'",
    ),
    _raw(
        "a year of the future",
        "report_year_in_bounds",
        "critical",
        "update raw.reports set report_year = 2131 where report_id = '{report}'",
    ),
    _raw(
        "the wrong year",
        "title_names_report_year",
        "warning",
        "update raw.reports set report_year = 2020 where report_id = '{report}'",
    ),
    _raw(
        "the period of another year",
        "period_is_report_year",
        "warning",
        "update raw.reports set period_start_date = date '2019-01-01', period_end_date = date '2019-12-31' "
        "where report_id = '{report}'",
    ),
    _raw(
        "the period ends before it begins",
        "period_in_order",
        "warning",
        "update raw.reports set period_start_date = date '2021-12-31', period_end_date = date '2021-01-01' "
        "where report_id = '{report}'",
    ),
    _raw(
        "published before the year began",
        "published_date_fits_year",
        "warning",
        "update raw.reports set published_date = date '2020-11-30' where report_id = '{report}'",
    ),
    _raw(
        "words of the title in the name of the body",
        "agency_name_without_title_words",
        "warning",
        "update raw.reports set agency_name = agency_name || '年度报告' where report_id = '{report}'",
    ),
    _raw(
        "the figures of the neighbour",
        "figures_are_no_other_agencys",
        "warning",
        *_copied("{neighbour}", "{report}"),
    ),
    _raw(
        "last year's report shown again",
        "figures_are_not_those_of_another_year",
        "warning",
        *_copied("{year_before}", "{report}"),
    ),
    # Evidence, status and value
    _raw(
        "the printed text is gone",
        "snippet_present",
        "critical",
        f"update raw.metric_rows set snippet = ' ' where {_CELL}",
    ),
    _raw("the place is gone", "locator_present", "critical", f"update raw.metric_rows set locator = '' where {_CELL}"),
    _raw(
        "status and value contradict each other",
        "value_iff_status",
        "critical",
        f"update raw.metric_rows set value_status = 'not_applicable' where {_CELL}",
    ),
    _raw(
        "a blank read as zero",
        "number_is_printed",
        "critical",
        f"update raw.metric_rows set value_raw = '', value = 0, snippet = label_raw where {_CELL}",
    ),
    _raw(
        "a printed number taken for a blank",
        "blank_is_unprinted",
        "critical",
        f"update raw.metric_rows set value = null, value_status = 'blank' where {_CELL}",
    ),
    _raw(
        "none stated, and yet a number",
        "none_stated_is_zero",
        "critical",
        f"update raw.metric_rows set value_status = 'none_stated' where {_CELL}",
    ),
    _raw(
        "the last digit dropped",
        "value_is_printed_number",
        "critical",
        f"update raw.metric_rows set value = floor(value / 10) where {_CELL}",
    ),
    _raw(
        "the decimal point moved",
        "value_is_printed_number",
        "critical",
        f"update raw.metric_rows set value = value / 100 where {_CELL}",
    ),
    _raw(
        "the sign lost in reading",
        "value_is_printed_number",
        "critical",
        f"update raw.metric_rows set value = -value where {_CELL}",
    ),
    _raw(
        "ten thousand times the printed number",
        "value_is_printed_number",
        "critical",
        f"update raw.metric_rows set value = value * 10000 where {_CELL}",
    ),
    _raw(
        "two cells read as one",
        "snippet_holds_number",
        "critical",
        f"update raw.metric_rows set value = 1234, value_raw = '1234', snippet = label_raw || ' 12 34' where {_CELL}",
    ),
    _raw(
        "a number that no body can have",
        "value_in_bounds_of_any_level",
        "critical",
        f"update raw.metric_rows set {_print('6000000000')} where {_CELL}",
    ),
    _raw(
        "a unit that the catalogue lacks",
        "unit_in_catalogue",
        "critical",
        f"update raw.metric_rows set unit = '亿元' where {_CELL}",
    ),
    _raw(
        "a cell read as two metrics",
        "one_metric_per_cell",
        "warning",
        "update raw.metric_rows set locator = 'line 2, chars 1-2, table 1 row 1 column 2' "
        "where report_id = '{report}' and metric_code in ('licensing_decisions', 'penalty_decisions')",
    ),
    _raw(
        "a third of a report read in two ways",
        "suspect_reading_share_by_report",
        "warning",
        "update raw.metric_rows set second_reading = 'differs', second_value = value + 1 "
        "where report_id = '{report}' and right(metric_row_id, 1) in ('1', '4', '7')",
    ),
    _raw(
        "too much is illegible",
        "illegible_share",
        "warning",
        "update raw.metric_rows set value = null, value_status = 'illegible' where hash(metric_row_id) % 25 = 0",
    ),
    # Labels
    _raw(
        "the labels of a form drifted",
        "unmapped_label_share_by_form",
        "critical",
        "update raw.metric_rows set metric_code = null, label_raw = label_raw || '（新）' "
        "where hash(metric_code) % 3 > 0 "
        "and report_id in (select report_id from raw.reports where form_code = 'fmt2021')",
    ),
    _raw(
        "the labels of one report drifted",
        "unmapped_label_share_by_report",
        "warning",
        "update raw.metric_rows set metric_code = null, label_raw = label_raw || '（新）' "
        "where report_id = '{report}' and hash(metric_code) % 2 = 0",
    ),
    _raw(
        "a label understood by a weak likeness",
        "understood_label_drifted",
        "info",
        f"update raw.metric_rows set match_method = 'fuzzy', match_score = 61 where {_CELL}",
    ),
    # Personal data
    _raw(
        "a mobile number in a printed text",
        "no_mobile_number",
        "critical",
        f"update raw.metric_rows set snippet = snippet || '（13912345678）' where {_CELL}",
    ),
    _raw(
        "an identity number in a printed text",
        "no_id_number",
        "critical",
        f"update raw.metric_rows set snippet = snippet || '，11010119900307123X' where {_CELL}",
    ),
    _raw(
        "a telephone number in an issue",
        "no_landline_number",
        "warning",
        "insert into raw.issues select document_id, report_id, 'info', 'row_unmatched', "
        "'not understood: 电话：010-66012345', null from raw.reports where report_id = '{report}'",
    ),
    _raw(
        "a mail address in a label",
        "no_mail_address",
        "warning",
        f"update raw.metric_rows set label_raw = label_raw || ' xxgk@example.gov.cn' where {_CELL}",
    ),
    _raw(
        "a contact person in a title",
        "no_contact_person",
        "warning",
        "update raw.reports set title = title || ' 联系人：张三' where report_id = '{report}'",
    ),
    # Keys, references and closed sets: the room of dbt
    _raw(
        "an applicant type that is unknown",
        "stg_raw__metric_rows_keeps_its_contract",
        "error",
        "update raw.metric_rows set applicant_type = 'martian' where report_id = '{report}' "
        "and applicant_type = 'natural_person'",
    ),
    _raw(
        "a metric that is unknown",
        "stg_raw__metric_rows_keeps_its_contract",
        "error",
        "update raw.metric_rows set metric_code = 'invented' where " + _LICENCES,
    ),
    _raw(
        "a figure twice under one key",
        "stg_raw__metric_rows_keeps_its_contract",
        "error",
        "insert into raw.metric_rows select * from raw.metric_rows where " + _LICENCES,
    ),
    _raw(
        "a form that is unknown",
        "stg_raw__reports_keeps_its_contract",
        "error",
        "update raw.reports set form_code = 'fmt2031' where report_id = '{report}'",
    ),
    _mart(
        "a row of a dimension is lost",
        "dim_report_keeps_its_contract",
        "error",
        "delete from marts.dim_agency where agency_key = "
        "(select agency_key from marts.dim_report where report_id = '{report}')",
    ),
    _mart(
        "a figure doubled",
        "fct_metric_value_keeps_its_contract",
        "error",
        "insert into marts.fct_metric_value select * from marts.fct_metric_value where " + _LICENCES,
    ),
    _mart(
        "a cell of a wide table is lost",
        "assert_wide_tables_hold_every_value",
        "error",
        "update marts.rpt_requests_yearly set requests_received_new = null where report_id = '{report}'",
    ),
    # What only the marts can tell
    _modelled(
        "two columns swapped",
        "report_mostly_contradicts_itself",
        "warning",
        "update raw.metric_rows set applicant_type = case applicant_type when 'total' then 'natural_person' "
        "else 'total' end where report_id = '{report}' and applicant_type in ('total', 'natural_person')",
    ),
    _modelled(
        "all rows shifted by one",
        "report_mostly_contradicts_itself",
        "warning",
        "update raw.metric_rows as m set value = s.value, value_raw = s.value_raw, "
        "snippet = m.label_raw || s.value_raw from (select metric_row_id, "
        "lag(value) over (partition by applicant_type order by metric_row_id) as value, "
        "lag(value_raw) over (partition by applicant_type order by metric_row_id) as value_raw "
        "from raw.metric_rows where report_id = '{report}') as s "
        "where m.metric_row_id = s.metric_row_id and s.value is not null",
    ),
    _modelled(
        "rows lost",
        "fmt2021_reports_complete",
        "warning",
        "delete from raw.metric_rows where report_id = '{report}' and right(metric_row_id, 1) in ('1', '4', '7')",
    ),
    _modelled(
        "a row of the form lost in every report",
        "fmt2021_cells_present",
        "warning",
        "delete from raw.metric_rows where metric_code = 'penalty_decisions' "
        "and report_id in (select report_id from raw.reports where form_code = 'fmt2021')",
    ),
    _modelled(
        "a unit taken for ten thousand",
        "figure_fits_own_history",
        "warning",
        f"update raw.metric_rows set {_reprint('greatest(value, 3) * 10000')} where {_LICENCES}",
    ),
    _modelled(
        "the wrong unit in every year of a body",
        "figure_fits_peers",
        "warning",
        f"update raw.metric_rows set {_reprint('greatest(value, 10) * 10000')} "
        f"where metric_code = 'licensing_decisions' and {_OF_THE_BODY}",
    ),
    _modelled(
        "a county bureau with the figure of a country",
        "admin_action_in_bounds_of_level",
        "warning",
        f"update raw.metric_rows set {_print('45000000')} where {_LICENCES}",
    ),
    _modelled(
        "a total doubled",
        "demanded_identity_holds",
        "info",
        f"update raw.metric_rows set {_reprint('greatest(value, 1) * 2')} "
        "where report_id = '{report}' and metric_code = 'reconsideration_total'",
    ),
    _modelled(
        "a total in another unit than its parts",
        "sides_differ_by_ten_thousand",
        "warning",
        f"update raw.metric_rows set {_reprint('greatest(value, 1) * 10000')} "
        "where report_id = '{report}' and metric_code = 'reconsideration_total'",
    ),
    _modelled(
        "an identity broken in every report",
        "error_identity_fails_more_than_holds",
        "critical",
        f"update raw.metric_rows set {_reprint('value + 1')} where metric_code = 'reconsideration_total'",
    ),
    _modelled(
        "a minus printed before a count",
        "unsigned_not_negative",
        "critical",
        f"update raw.metric_rows set {_print('-5')} where {_LICENCES}",
    ),
    _modelled(
        "a count with a fraction",
        "count_is_whole",
        "warning",
        f"update raw.metric_rows set {_print('3.5')} where {_LICENCES}",
    ),
    _modelled(
        "a form taken for another",
        "form_in_force",
        "warning",
        "update raw.reports set form_code = 'fmt2021' where report_id = '{old}'",
    ),
    _modelled(
        "a body that does not exist",
        "agency_is_placed",
        "warning",
        "update raw.reports set agency_name = '火星教育局', agency_name_raw = '火星教育局', division_code = null "
        "where report_id = '{report}'",
    ),
    # What a model with a fault would leave
    _mart(
        "a figure lost",
        "totals_conserved",
        "critical",
        "delete from marts.fct_metric_value where " + _LICENCES,
    ),
    _mart(
        "a figure changed",
        "figure_stands_in_raw",
        "critical",
        "update marts.fct_metric_value set value = value + 1 where " + _LICENCES,
    ),
    _mart(
        "the evidence of a figure changed",
        "figure_shows_evidence",
        "critical",
        "update marts.fct_metric_value set snippet = 'another text' where " + _LICENCES,
    ),
    _mart(
        "a figure given out as derived",
        "derived_figure_names_identity",
        "critical",
        "update marts.fct_metric_value set source_kind = 'derived' where " + _LICENCES,
    ),
    _mart(
        "a report lost on the way",
        "reports_conserved",
        "critical",
        "delete from marts.dim_report where report_id = '{report}'",
    ),
    _mart(
        "the figures of a report lost",
        "report_keeps_figures",
        "critical",
        "delete from marts.fct_metric_value where report_id = '{report}'",
    ),
    _mart(
        "a row of a wide table lost",
        "rpt_remedies_yearly_has_every_report",
        "critical",
        "delete from marts.rpt_remedies_yearly where report_id = '{report}'",
    ),
    _mart(
        "a share above one",
        "share_in_unit_interval",
        "warning",
        "update marts.fct_indicator_value as v set value = 1.4, reliability = 'consistent' "
        "from marts.dim_indicator as i "
        "where v.indicator_code = i.indicator_code and i.is_share and v.report_id = '{report}'",
    ),
    _mart(
        "a mobile number in the name of a body",
        "no_mobile_number_in_names",
        "critical",
        "update marts.dim_agency set printed_names = printed_names || ' 139-1234-5678' where agency_key = "
        "(select agency_key from marts.dim_report where report_id = '{report}')",
    ),
    # What a document prints
    Fault(
        "document: a mobile number in a sentence with a figure",
        Room.PRINTED,
        "no_mobile_number",
        "critical",
        changes=(("本年召开政府信息公开", "本年由手机13912345678召集召开政府信息公开"),),
    ),
    Fault(
        "document: the title of another year",
        Room.DOCUMENT,
        "form_in_force",
        "warning",
        changes=(("2018年政府信息公开工作年度报告", "2010年政府信息公开工作年度报告"),),
    ),
    Fault(
        "document: the total of a table doubled",
        Room.DOCUMENT,
        "demanded_identity_holds",
        "info",
        changes=(("（一）收到申请数\n\t件\n\t3", "（一）收到申请数\n\t件\n\t6"),),
    ),
    Fault(
        "document: a figure printed ten thousand times too large",
        Room.DOCUMENT,
        "proactive_in_bounds_of_level",
        "warning",
        changes=(("计1条）\n\t条\n\t734", "计1条）\n\t条\n\t7340000"),),
    ),
)
