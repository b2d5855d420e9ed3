{{ config(
    materialized='incremental',
    pre_hook='{{ forget_touched() }}',
) }}
with

figures as (

    select * from {{ ref('int_metric_values_chosen') }}

),

reports as (

    select * from {{ ref('dim_report') }}
    where {{ in_touched_reports() }}

),

superseding as (

    select distinct superseded_by_report_id as report_id
    from reports
    where superseded_by_report_id is not null

),

metrics as (

    select * from {{ ref('dim_metric') }}

),

conflicts as (

    select distinct metric_row_id
    from {{ ref('fct_value_conflict') }}

),

final as (

    select
        {{ surrogate_key([
            'reports.agency_key',
            'reports.report_year',
            'figures.metric_code',
            'figures.applicant_type_code',
        ]) }} as metric_value_key,
        figures.report_id,
        reports.document_id,
        figures.metric_row_id,
        reports.agency_key,
        reports.agency_id,
        reports.form_code,
        reports.scope_code,
        figures.metric_code,
        metrics.family_code,
        figures.applicant_type_code,
        figures.source_kind,
        figures.value_status,
        figures.printed_value_status,
        figures.reliability,
        figures.choice_rule_code,
        case
            when reports.stands_in_for_report_id is not null then 'stand_in'
            when superseding.report_id is not null then 'current_version'
            when reports.document_count > 1 then 'deduplicated_copy'
            else 'only_version'
        end as version_rule_code,
        figures.derivation_identity_code,
        figures.correction_id,
        figures.match_method,
        metrics.unit,
        figures.label_raw,
        figures.column_label_raw,
        figures.value_raw,
        figures.snippet,
        figures.locator,
        reports.report_year,
        figures.page_number,
        figures.value,
        figures.match_score,
        figures.second_reading,
        figures.second_value,
        figures.is_approximate,
        figures.is_read_by_ocr,
        conflicts.metric_row_id is not null as has_conflict
    from figures
    inner join reports on figures.report_id = reports.report_id
    inner join metrics on figures.metric_code = metrics.metric_code
    left join superseding on figures.report_id = superseding.report_id
    left join conflicts
        on figures.metric_row_id = conflicts.metric_row_id

)

select * from final
