-- What printed figures contradict, never what may be a misreading of ours.
{{ config(
    materialized='incremental',
    pre_hook='{{ forget_touched() }}',
) }}
with

checks as (

    select * from {{ ref('fct_identity_check') }}
    where
        status = 'fails'
        and is_certain_reading
        and {{ in_touched_reports() }}

),

identities as (

    select * from {{ ref('identities') }}

),

contradictions as (

    select * from {{ ref('int_contradictions') }}

),

reports as (

    select * from {{ ref('dim_report') }}

),

metrics as (

    select * from {{ ref('dim_metric') }}

),

evidence as (

    select
        finding_key,
        {%- for side in ['left', 'right'] %}
        {{ join_rows(
            "case when side = '" ~ side ~ "' then evidence end", '；'
        ) }} as {{ side }}_evidence,
        {%- endfor %}
        {{ join_rows('snippet', ' ｜ ') }} as snippets,
        max(case when figure_order = 1 then locator end) as locator,
        max(case when figure_order = 1 then page_number end) as page_number,
        count(case when is_suspect then 1 end) as suspect_count
    from {{ ref('int_finding_figures') }}
    group by finding_key

),

findings as (

    select
        checks.identity_check_key as finding_key,
        'identity' as finding_kind,
        checks.report_id,
        checks.identity_code,
        checks.kind_code,
        checks.relation,
        checks.severity,
        checks.metric_code,
        checks.applicant_type_code,
        checks.statement_zh,
        identities.statement_en,
        checks.left_value,
        checks.right_value
    from checks
    inner join identities
        on checks.identity_code = identities.identity_code
    union all
    select
        contradictions.finding_key,
        'contradiction' as finding_kind,
        contradictions.report_id,
        cast(null as string) as identity_code,
        'narrative_vs_table' as kind_code,
        '=' as relation,
        'warn' as severity,
        contradictions.metric_code,
        contradictions.applicant_type_code,
        metrics.label_zh || '：正文＝表格' as statement_zh,
        metrics.label_en || ': text = table' as statement_en,
        contradictions.losing_value as left_value,
        contradictions.value as right_value
    from contradictions
    inner join metrics
        on contradictions.metric_code = metrics.metric_code

),

final as (

    select
        findings.finding_key,
        findings.report_id,
        reports.document_id,
        reports.agency_key,
        reports.agency_id,
        reports.agency_name,
        findings.finding_kind,
        findings.identity_code,
        findings.kind_code,
        findings.severity,
        findings.relation,
        findings.metric_code,
        findings.applicant_type_code,
        findings.statement_zh,
        findings.statement_en,
        evidence.left_evidence,
        evidence.right_evidence,
        evidence.snippets,
        evidence.locator,
        reports.title,
        reports.source_uri,
        reports.report_year,
        evidence.page_number,
        cast(findings.left_value as decimal(28, 4)) as left_value,
        cast(findings.right_value as decimal(28, 4)) as right_value,
        cast(findings.left_value - findings.right_value as decimal(28, 4))
            as delta
    from findings
    inner join reports
        on findings.report_id = reports.report_id
    left join evidence
        on findings.finding_key = evidence.finding_key
    -- Figures of several reports are judged by the check alone.
    where coalesce(evidence.suspect_count, 0) = 0

)

select * from final
