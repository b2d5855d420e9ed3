-- A rule of figures shows the first figure that it met, one of rows and years
-- the first issue.
with

quarantine as (

    select * from {{ ref('int_report_quarantine') }}

),

rules as (

    select * from {{ ref('quarantine_rules') }}

),

reports as (

    select * from {{ ref('dim_report') }}

),

speaking as (

    select agency_id, report_year, report_id
    from reports
    where is_in_facts

),

figures as (

    select * from {{ ref('stg_raw__metric_rows') }}

),

issues as (

    select
        quarantine.report_id,
        quarantine.rule_code,
        issues.locator,
        issues.message,
        row_number() over (
            partition by quarantine.report_id, quarantine.rule_code
            order by
                {{ locator_number('issues.locator', 'line') }} asc nulls last,
                issues.locator asc nulls last,
                issues.message asc nulls last
        ) as issue_rank
    from quarantine
    inner join {{ ref('stg_raw__issues') }} as issues
        on quarantine.report_id = issues.report_id
    where
        (
            quarantine.rule_code = 'rows_not_taken'
            and issues.issue_code
            in ('arity_mismatch', 'ambiguous_label', 'row_unmatched')
        )
        or (
            quarantine.rule_code = 'year_without_witness'
            and issues.issue_code = 'table_year_mismatch'
        )

),

final as (

    select
        quarantine.report_id,
        quarantine.rule_code,
        reports.document_id,
        reports.agency_key,
        reports.agency_id,
        speaking.report_id as speaking_report_id,
        quarantine.metric_row_id,
        reports.agency_name,
        reports.form_code,
        reports.source_uri,
        rules.label_zh,
        rules.label_en,
        coalesce(figures.locator, issues.locator) as locator,
        coalesce(figures.snippet, issues.message) as evidence,
        rules.remedy_en,
        reports.report_year,
        quarantine.met_count,
        quarantine.assessed_count,
        rules.minimum_count,
        rules.minimum_share
    from quarantine
    inner join rules on quarantine.rule_code = rules.rule_code
    inner join reports on quarantine.report_id = reports.report_id
    left join speaking
        on
            reports.agency_id = speaking.agency_id
            and reports.report_year = speaking.report_year
    left join figures on quarantine.metric_row_id = figures.metric_row_id
    left join issues
        on
            quarantine.report_id = issues.report_id
            and quarantine.rule_code = issues.rule_code
            and issues.issue_rank = 1

)

select * from final
