-- Years of which a build makes some report anew, with those whose reports are
-- gone: what compares or adds up all bodies of a year is made anew for them.
with

reports as (

    select * from {{ ref('int_reports_touched') }}

),

final as (

    select
        report_year,
        count(case when is_touched then 1 end) > 0 as is_touched
    from reports
    group by report_year

)

select * from final
