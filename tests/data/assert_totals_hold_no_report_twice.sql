-- Of two reports that count in an area neither holds the other. And the total
-- of a province is the sum of what is_in_totals lets through, no more, no less.
with

layers as (

    select * from {{ ref('int_report_layers') }}

),

divisions as (

    select * from {{ ref('dim_division') }}

),

figures as (

    select figures.*
    from {{ made_rows(ref('fct_metric_value'), 'report_year') }} as figures
    inner join {{ ref('dim_metric') }} as metrics
        on figures.metric_code = metrics.metric_code
    where metrics.is_additive

),

held_twice as (

    select members.report_id
    from layers as aggregates
    inner join layers as members
        on
            aggregates.report_year = members.report_year
            and aggregates.report_id <> members.report_id
    inner join divisions
        on
            members.division_key = divisions.division_key
            and aggregates.division_key in (
                divisions.division_key,
                divisions.city_key,
                divisions.province_key
            )
    where
        aggregates.is_area_aggregate
        and aggregates.division_key in (
            members.counted_county_key,
            members.counted_city_key,
            members.counted_province_key
        )

),

sums as (

    select
        sum(figures.value) as value_sum,
        count(figures.value) as value_count
    from figures
    inner join layers
        on figures.report_id = layers.report_id
    where layers.is_in_totals

),

totals as (

    select
        sum(value) as value_sum,
        coalesce(sum(value_count), 0) as value_count
    from {{ made_rows(ref('fct_area_total_yearly'), 'report_year') }}
    where level_code = 'province'

)

select 'held twice: ' || report_id as broken_rule
from held_twice
union all
select 'provinces do not add up' as broken_rule
from sums
cross join totals
where
    sums.value_sum is distinct from totals.value_sum
    or sums.value_count <> totals.value_count
