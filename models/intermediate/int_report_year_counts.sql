-- What was met of each body and year: the report that speaks, its copies, what
-- it replaced, and what could not be read.
with

reports as (

    select * from {{ ref('int_reports_versioned') }}
    where report_year is not null

),

documents as (

    select * from {{ ref('stg_raw__documents') }}

),

errors as (

    select
        report_id,
        {{ join_rows('issue_code', '、') }} as error_issue_codes
    from {{ ref('stg_raw__issues') }}
    where severity = 'error' and report_id is not null
    group by report_id

),

final as (

    select
        reports.agency_id,
        coalesce(
            max(case when reports.is_in_facts then reports.agency_key end),
            max(reports.agency_key)
        ) as agency_key,
        max(case when reports.is_in_facts then reports.report_id end)
            as report_id,
        {{ join_rows('documents.reject_code', '、') }} as reject_codes,
        max(case when reports.is_in_facts then errors.error_issue_codes end)
            as error_issue_codes,
        reports.report_year,
        count(distinct reports.document_id) as document_count,
        count(case when reports.is_rejected then 1 end) as rejected_count,
        count(case when reports.exclusion_reason = 'quarantined' then 1 end)
            as quarantined_count,
        count(case when reports.exclusion_reason = 'superseded' then 1 end)
            as superseded_count,
        count(case when reports.exclusion_reason = 'copy' then 1 end)
            as copy_count
    from reports
    inner join documents
        on reports.document_id = documents.document_id
    left join errors
        on reports.report_id = errors.report_id
    group by reports.agency_id, reports.report_year

)

select * from final
