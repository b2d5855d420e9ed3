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
        {%- for body in ['department', 'government'] %}
        make_date(
            years.report_year + 1, {{ body }}.due_month, {{ body }}.due_day
        ) as {{ body }}_due_date{{ ',' if not loop.last }}
        {%- endfor %}
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
    {%- for body in ['department', 'government'] %}
    left join deadlines as {{ body }}
        on
            {{ body }}.deadline_body_code = '{{ body }}'
            and years.report_year >= {{ body }}.first_report_year
            and (
                {{ body }}.last_report_year is null
                or years.report_year <= {{ body }}.last_report_year
            )
    {%- endfor %}

)

select * from final
