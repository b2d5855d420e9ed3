-- The same report on two sites or in two scripts: reports of one body and year
-- in two documents whose tables hold the same figures. Reports without a table
-- have no twin: a few sentences do not tell them apart.
with

reports as (

    select * from {{ ref('int_reports_identified') }}
    where not is_rejected

),

metric_rows as (

    select * from {{ ref('int_metric_rows_corrected') }}

),

pairs as (

    select
        reports.report_id,
        others.report_id as twin_report_id,
        others.document_id as twin_document_id
    from reports
    inner join reports as others
        on
            reports.agency_id = others.agency_id
            and reports.report_year = others.report_year
            and reports.document_id <> others.document_id

),

-- Only reports with a rival are compared.
rivals as (

    select distinct report_id from pairs

),

figures as (

    select distinct
        metric_rows.report_id,
        metric_rows.metric_code,
        coalesce(metric_rows.applicant_type_code, '') as applicant_type_code,
        coalesce(cast(metric_rows.value as string), '') as printed_value,
        metric_rows.value_status
    from metric_rows
    inner join rivals on metric_rows.report_id = rivals.report_id
    where
        metric_rows.source_kind = 'table'
        and metric_rows.metric_code is not null

),

counted as (

    select
        report_id,
        count(*) as figure_count
    from figures
    group by report_id
    having count(case when value_status = 'number' then 1 end) > 0

),

shared as (

    select
        pairs.report_id,
        pairs.twin_report_id,
        pairs.twin_document_id,
        count(*) as figure_count
    from pairs
    inner join figures as ones on pairs.report_id = ones.report_id
    inner join figures as others
        on
            pairs.twin_report_id = others.report_id
            and ones.metric_code = others.metric_code
            and ones.applicant_type_code = others.applicant_type_code
            and ones.printed_value = others.printed_value
            and ones.value_status = others.value_status
    group by
        pairs.report_id,
        pairs.twin_report_id,
        pairs.twin_document_id

),

final as (

    select
        shared.report_id,
        shared.twin_report_id,
        shared.twin_document_id,
        cast(shared.figure_count as integer) as figure_count
    from shared
    inner join counted as ones
        on
            shared.report_id = ones.report_id
            and shared.figure_count = ones.figure_count
    inner join counted as others
        on
            shared.twin_report_id = others.report_id
            and shared.figure_count = others.figure_count

)

select * from final
