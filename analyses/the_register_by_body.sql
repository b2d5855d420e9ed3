-- Question: whose reports contradict themselves, and how badly?
-- Read: one row a body; error_count are identities that the form itself
-- demands.
-- Caveats: more reports and fuller forms give more chances to fail: read the
-- counts beside report_count. Suspected misreadings are not counted.
with

findings as (

    select * from {{ ref('rpt_source_inconsistency') }}

),

reports as (

    select
        agency_id,
        count(*) as report_count
    from {{ ref('dim_report') }}
    where is_in_facts
    group by agency_id

),

final as (

    select
        findings.agency_id,
        min(findings.agency_name) as agency_name,
        max(reports.report_count) as report_count,
        count(distinct findings.report_id) as inconsistent_report_count,
        count(*) as finding_count,
        count(case when findings.severity = 'error' then 1 end) as error_count,
        max(findings.report_year) as last_report_year
    from findings
    inner join reports
        on findings.agency_id = reports.agency_id
    group by findings.agency_id

)

select * from final
order by
    error_count desc nulls last,
    finding_count desc nulls last,
    agency_id asc nulls last
