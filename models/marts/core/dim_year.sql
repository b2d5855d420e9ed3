-- Every year from the first form or report to the last, without gaps.
with

years as (

    {{ integers_between(1990, 2100, 'report_year') }}

),

forms as (

    select * from {{ ref('forms') }}

),

deadlines as (

    select * from {{ ref('report_deadlines') }}

),

reports as (

    select * from {{ ref('int_reports_versioned') }}

),

seen_years as (

    select first_report_year as report_year from forms
    union all
    select last_report_year as report_year from forms
    union all
    select report_year from reports

),

span as (

    select
        min(report_year) as first_year,
        max(report_year) as last_year
    from seen_years

),

final as (

    select
        years.report_year,
        forms.form_code as expected_form_code,
        cast(years.report_year + 1 as integer) as publication_year,
        make_date(years.report_year, 1, 1) as year_start_date,
        make_date(
            years.report_year + 1, departments.due_month, departments.due_day
        ) as department_due_date,
        make_date(
            years.report_year + 1, governments.due_month, governments.due_day
        ) as government_due_date
    from years
    inner join span
        on years.report_year between span.first_year and span.last_year
    left join forms
        on
            years.report_year >= forms.first_report_year
            and (
                forms.last_report_year is null
                or years.report_year <= forms.last_report_year
            )
    left join deadlines as departments
        on
            departments.deadline_body_code = 'department'
            and years.report_year >= departments.first_report_year
            and (
                departments.last_report_year is null
                or years.report_year <= departments.last_report_year
            )
    left join deadlines as governments
        on
            governments.deadline_body_code = 'government'
            and years.report_year >= governments.first_report_year
            and (
                governments.last_report_year is null
                or years.report_year <= governments.last_report_year
            )

)

select * from final
