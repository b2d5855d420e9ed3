-- The report that speaks for a body in the year of each report and in the year
-- before. Figures of another scope are those of other bodies and not compared.
with

reports as (

    select * from {{ ref('int_reports_versioned') }}
    where is_in_facts

),

final as (

    select
        report_id,
        0 as year_offset,
        report_id as term_report_id,
        form_code
    from reports
    where {{ in_touched_reports() }}
    union all
    select
        reports.report_id,
        -1 as year_offset,
        previous.report_id as term_report_id,
        reports.form_code
    from reports
    left join reports as previous
        on
            reports.agency_id = previous.agency_id
            and reports.report_year = previous.report_year + 1
            and reports.scope_code = previous.scope_code
    where {{ in_touched_reports('reports.report_id') }}

)

select * from final
