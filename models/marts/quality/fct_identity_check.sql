{{ config(
    materialized='incremental',
    pre_hook='{{ forget_touched() }}',
) }}
with

checks as (

    select * from {{ ref('int_identity_checks') }}

),

reports as (

    select * from {{ ref('dim_report') }}
    where {{ in_touched_reports() }}

),

final as (

    select
        checks.identity_check_key,
        checks.report_id,
        checks.aggregate_report_id,
        reports.agency_key,
        checks.identity_code,
        checks.subject_metric_code as metric_code,
        checks.subject_applicant_type_code as applicant_type_code,
        checks.kind_code,
        checks.relation,
        checks.severity,
        checks.status,
        checks.reason_code,
        checks.matched_reading_code,
        checks.statement_zh,
        reports.report_year,
        checks.left_value,
        checks.right_value,
        checks.left_value - checks.right_value as delta,
        checks.missing_term_count,
        checks.is_certain_reading
    from checks
    inner join reports
        on checks.report_id = reports.report_id

)

select * from final
