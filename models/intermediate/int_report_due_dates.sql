-- Until when each body and year was to report: the earliest and the latest day
-- that the law could mean. They differ where the kind of the body is unknown.
with

reports as (

    select * from {{ ref('int_reports_versioned') }}
    where is_in_facts

),

agencies as (

    select * from {{ ref('dim_agency') }}

),

deadlines as (

    select * from {{ ref('report_deadlines') }}

),

bodies as (

    select * from {{ ref('report_deadline_bodies') }}

),

classes as (

    select
        reports.report_id,
        reports.report_year,
        -- The level goes before the kind: a town has a government too.
        coalesce(levels.deadline_body_code, kinds.deadline_body_code)
            as deadline_body_code
    from reports
    left join agencies
        on reports.agency_key = agencies.agency_key
    left join bodies as levels
        on agencies.level_code = levels.level_code
    left join bodies as kinds
        on
            agencies.kind_code = kinds.kind_code
            and levels.deadline_body_code is null

),

candidates as (

    select
        classes.report_id,
        classes.deadline_body_code,
        deadlines.legal_basis_zh,
        deadlines.legal_basis_en,
        make_date(
            classes.report_year + 1, deadlines.due_month, deadlines.due_day
        ) as due_date
    from classes
    left join deadlines
        on
            classes.report_year >= deadlines.first_report_year
            and classes.report_year
            <= coalesce(deadlines.last_report_year, classes.report_year)
            and (
                classes.deadline_body_code = deadlines.deadline_body_code
                or (
                    classes.deadline_body_code is null
                    and deadlines.is_for_unknown_kind
                )
            )

),

final as (

    select
        report_id,
        {{ join_rows('deadline_body_code', ' / ') }} as deadline_body_code,
        {{ join_rows('legal_basis_zh', '；') }} as legal_basis_zh,
        {{ join_rows('legal_basis_en', '; ') }} as legal_basis_en,
        min(due_date) as earliest_due_date,
        max(due_date) as latest_due_date
    from candidates
    group by report_id

)

select * from final
