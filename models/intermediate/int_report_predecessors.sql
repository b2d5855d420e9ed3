-- The report of the same body for the year before, if it is in the facts, and
-- whether the two are known to hold the figures of the same scope.
with

reports as (

    select * from {{ ref('dim_report') }}
    where is_in_facts

),

final as (

    select
        reports.report_id,
        previous.report_id as previous_report_id,
        reports.report_year,
        previous.report_year as previous_report_year,
        case
            when previous.report_id is null then 'no_previous_report'
            when
                reports.scope_code = 'unknown'
                or previous.scope_code = 'unknown'
                then 'scope_unknown'
            when reports.scope_code <> previous.scope_code
                then 'scope_differs'
        end as obstacle_code,
        reports.form_code = previous.form_code as is_same_form
    from reports
    left join reports as previous
        on
            reports.agency_id = previous.agency_id
            and reports.report_year = previous.report_year + 1

)

select * from final
