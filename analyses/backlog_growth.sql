-- Question: where do undecided requests pile up?
-- Read: one row a body and year; backlog_change is what was carried out minus
-- what was carried in, backlog_share what was carried out of all requests in
-- hand.
-- Caveats: the forms carry over only since 2019. Rows with doubtful or
-- contradicting figures are left out. Never add aggregates to their members.
with

requests as (

    select * from {{ ref('rpt_requests_yearly') }}

),

final as (

    select
        agency_name,
        scope_code,
        report_year,
        requests_received_new,
        requests_carried_over_in,
        requests_carried_over_out,
        requests_carried_over_out - requests_carried_over_in as backlog_change,
        round(
            cast(requests_carried_over_out as double)
            / nullif(cast(
                requests_received_new + requests_carried_over_in as double
            ), 0),
            4
        ) as backlog_share,
        report_id
    from requests
    where
        requests_carried_over_in is not null
        and requests_carried_over_out is not null
        and requests_received_new is not null
        and extraction_suspect_count + source_inconsistent_count = 0

)

select * from final
order by
    backlog_change desc nulls last,
    report_id asc nulls last
