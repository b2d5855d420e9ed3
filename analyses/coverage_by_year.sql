-- Question: how complete is the warehouse, year by year?
-- Read: of the bodies expected in a year, how many reports there are, how many
-- were read too badly or not at all, how many are missing.
-- Caveats: a body is expected from its first report on, so early years look
-- fuller than they are: who never reported is not counted.
with

coverage as (

    select * from {{ ref('rpt_coverage') }}

),

final as (

    select
        report_year,
        count(*) as expected_count,
        count(case when status = 'had' then 1 end) as had_count,
        count(case when status = 'quarantined' then 1 end) as quarantined_count,
        count(case when status = 'unreadable' then 1 end) as unreadable_count,
        count(case when status = 'missing' then 1 end) as missing_count,
        {{ pooled_ratio("case when status = 'had' then 1 else 0 end", '1') }}
            as had_share
    from coverage
    group by report_year

)

select * from final
order by report_year asc nulls last
