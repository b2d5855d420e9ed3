-- Question: what share of new requests comes from companies, by year?
-- Read: cases are added over the reports that state both figures, then
-- divided. report_count says how many reports that are.
-- Caveats: only the forms since 2019 split applicants. Companies also apply
-- through law firms and employees. Doubtful readings are left out; scopes are
-- never added.
with

requests as (

    select * from {{ ref('rpt_requests_yearly') }}
    where
        requests_received_new is not null
        and requests_received_new_legal_business is not null
        and extraction_suspect_count = 0

),

final as (

    select
        report_year,
        scope_code,
        count(*) as report_count,
        sum(requests_received_new_legal_business) as company_requests,
        sum(requests_received_new) as requests,
        {{ pooled_ratio(
            'requests_received_new_legal_business', 'requests_received_new'
        ) }} as company_share
    from requests
    group by
        report_year,
        scope_code

)

select * from final
order by
    report_year asc nulls last,
    scope_code asc nulls last
