-- Every understood figure of a report in the facts is a winner or a competitor.
-- What is listed here has no place in the grain: a table cell of a metric with
-- applicant types whose column was not understood. The reports of this build
-- only: of the others nothing is ranked.
{{ config(severity='warn') }}

select
    metric_rows.metric_row_id,
    metric_rows.report_id,
    metric_rows.metric_code,
    metric_rows.value_raw
from {{ made_rows(ref('stg_raw__metric_rows'), 'report_id') }} as metric_rows
inner join {{ ref('dim_report') }} as reports
    on metric_rows.report_id = reports.report_id
left join {{ ref('int_metric_values_ranked') }} as ranked
    on metric_rows.metric_row_id = ranked.metric_row_id
where
    reports.is_in_facts
    and metric_rows.metric_code is not null
    and ranked.metric_row_id is null
