-- Question: which bodies stand far from others of their level, kind and year?
-- Read: one row a body and indicator among the lowest or highest 5 in 100 of
-- its peers. peer_count says how many there are, peer_median what is usual.
-- Caveats: far from others is not wrong. Groups below the minimum, small
-- denominators and doubtful readings are left out. In a large group there is
-- always a highest value: read the value beside the median.
with

comparisons as (

    select * from {{ ref('rpt_peer_comparison') }}

),

final as (

    select
        agency_name,
        province_name,
        level_code,
        kind_code,
        scope_code,
        indicator_code,
        report_year,
        value,
        peer_median,
        peer_percentile,
        peer_count,
        report_id
    from comparisons
    where
        comparison_status = 'compared'
        and (peer_percentile <= 5 or peer_percentile >= 95)
        -- Where most agree, both ends are the same value.
        and value <> peer_median

)

select * from final
order by
    indicator_code asc nulls last,
    report_year asc nulls last,
    peer_percentile desc nulls last,
    report_id asc nulls last
