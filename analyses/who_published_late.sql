-- Question: which bodies published their report after the legal deadline?
-- Read: one row a late report, the latest first. days_after_deadline counts
-- from the latest day that the law could mean for the body.
-- Caveats: the first date found counts, and a missing earlier copy makes a
-- report look late. Towns have no deadline from 2019 on. Ask the body before
-- naming it.
with

timeliness as (

    select * from {{ ref('rpt_timeliness') }}

),

final as (

    select
        agency_name,
        province_name,
        level_code,
        kind_code,
        report_year,
        published_date,
        latest_due_date,
        days_after_deadline,
        legal_basis_zh,
        report_id
    from timeliness
    where status = 'late'

)

select * from final
order by
    days_after_deadline desc nulls last,
    report_id asc nulls last
