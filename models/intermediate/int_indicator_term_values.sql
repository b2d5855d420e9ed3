-- Every term of the indicators that a report's form gives, with its figure: of
-- this report, or of the one before where the term looks a year back.
{{ config(materialized='view') }}
with

reports as (

    select * from {{ ref('dim_report') }}
    where is_in_facts and {{ in_touched_reports() }}

),

predecessors as (

    select * from {{ ref('int_report_predecessors') }}

),

terms as (

    select * from {{ ref('int_indicator_terms') }}

),

groups as (

    select * from {{ ref('int_metric_group_values') }}

),

figures as (

    select
        printed.report_id,
        printed.metric_code,
        printed.applicant_type_code,
        printed.value_status,
        printed.reliability,
        printed.value,
        printed.is_approximate
    from {{ ref('fct_metric_value') }} as printed
    left join groups
        on
            printed.report_id = groups.report_id
            and printed.metric_code = groups.metric_code
            and printed.applicant_type_code = groups.applicant_type_code
    where
        groups.report_id is null
        and {{ in_looked_at_reports('printed.report_id') }}
    union all
    select * from groups

),

placed as (

    select
        reports.report_id,
        reports.report_year,
        terms.*,
        case
            when terms.lag_years = 0 then reports.report_id
            when predecessors.obstacle_code is null
                then predecessors.previous_report_id
        end as figure_report_id
    from reports
    inner join terms
        on reports.form_code = terms.form_code
    inner join predecessors
        on reports.report_id = predecessors.report_id

),

final as (

    select
        placed.report_id,
        placed.indicator_code,
        placed.part_code,
        case
            when placed.factor is null then 'unit_differs'
            when placed.figure_report_id is null then 'no_previous_report'
            when figures.value is not null then null
            when
                figures.value_status is null
                or figures.value_status = 'absent'
                then 'missing_term'
            else figures.value_status || '_term'
        end as null_reason_code,
        figures.reliability,
        placed.report_year,
        placed.term_order,
        cast(figures.value * placed.factor * placed.sign as decimal(28, 8))
            as term_value,
        figures.is_approximate
    from placed
    left join figures
        on
            placed.figure_report_id = figures.report_id
            and placed.metric_code = figures.metric_code
            and placed.applicant_type_code = figures.applicant_type_code

)

select * from final
