-- The days of dim_year: MetricFlow wants a time axis that is fine to the day.
with

years as (

    select * from {{ ref('dim_year') }}

),

day_numbers as (

    {{ integers_between(0, 365, 'day_number') }}

),

days as (

    select
        years.report_year,
        cast({{ dbt.dateadd(
            'day', 'day_numbers.day_number', 'years.year_start_date'
        ) }} as date) as date_day
    from years
    cross join day_numbers

),

final as (

    select
        date_day,
        report_year
    from days
    -- The 366th day of a common year is the first of the next.
    where cast(extract(year from date_day) as integer) = report_year

)

select * from final
