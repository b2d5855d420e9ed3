-- Question: which sums and balances of the forms do bodies get wrong most
-- often?
-- Read: failed_share is of the checks that could be judged; error identities
-- are demanded by the form, warnings are usual but not demanded.
-- Caveats: only certain readings count, on either side. Blanks leave a check
-- open, so forms that are left blank look better than they are.
with

checks as (

    select * from {{ ref('fct_identity_check') }}
    where status <> 'not_assessable' and is_certain_reading

),

final as (

    select
        identity_code,
        kind_code,
        severity,
        min(statement_zh) as statement_zh,
        count(*) as judged_count,
        count(case when status = 'fails' then 1 end) as failed_count,
        count(distinct case when status = 'fails' then report_id end)
            as failed_report_count,
        {{ pooled_ratio("case when status = 'fails' then 1 else 0 end", '1') }}
            as failed_share
    from checks
    group by
        identity_code,
        kind_code,
        severity

)

select * from final
order by
    failed_share desc nulls last,
    failed_count desc nulls last,
    identity_code asc nulls last
