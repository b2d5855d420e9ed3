-- Question: what share of reports is published in time, by year and kind of
-- body?
-- Read: on_time_share is of the reports whose date and deadline are known;
-- unknown_count says how many are not.
-- Caveats: reports without a date are not late; where unknown_count is large
-- the share says little. The deadline of departments moved from March to
-- January with report year 2019.
with

timeliness as (

    select * from {{ ref('rpt_timeliness') }}

),

final as (

    select
        report_year,
        kind_code,
        count(*) as report_count,
        count(case when status = 'on_time' then 1 end) as on_time_count,
        count(case when status = 'late' then 1 end) as late_count,
        count(case when status not in ('on_time', 'late') then 1 end)
            as unknown_count,
        {{ pooled_ratio(
            "case when status = 'on_time' then 1 else 0 end",
            "case when status in ('on_time', 'late') then 1 else 0 end",
        ) }} as on_time_share
    from timeliness
    group by
        report_year,
        kind_code

)

select * from final
order by
    report_year asc nulls last,
    kind_code asc nulls last
