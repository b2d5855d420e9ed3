-- Question: which bodies reported once and no more?
-- Read: one row a body whose last years are all missing; silent_years counts
-- them.
-- Caveats: missing means not in the warehouse. A merger or a new name ends a
-- series too, as long as the registry does not say so; a report of unknown
-- year, counted in undated_report_count, may be the missing one. Look at the
-- body's site first.
with

coverage as (

    select * from {{ ref('rpt_coverage') }}

),

bodies as (

    select
        agency_id,
        min(agency_name) as agency_name,
        min(province_name) as province_name,
        max(report_year) as last_expected_year,
        max(case when status <> 'missing' then report_year end)
            as last_report_year,
        count(case when status = 'had' then 1 end) as report_count,
        max(undated_report_count) as undated_report_count
    from coverage
    group by agency_id

),

final as (

    select
        agency_id,
        agency_name,
        province_name,
        last_report_year,
        last_expected_year,
        last_expected_year - last_report_year as silent_years,
        report_count,
        undated_report_count
    from bodies
    where last_report_year < last_expected_year

)

select * from final
order by
    silent_years desc nulls last,
    agency_id asc nulls last
