{{ config(
    materialized='incremental',
    pre_hook='{{ forget_touched("report_year") }}',
) }}
with

layers as (

    select * from {{ ref('int_report_layers') }}

),

figures as (

    select * from {{ ref('fct_metric_value') }}
    where {{ in_touched_years() }}

),

metrics as (

    select * from {{ ref('dim_metric') }}

),

divisions as (

    select * from {{ ref('dim_division') }}

),

totals as (

    {{ area_totals('layers', 'figures', 'metrics') }}

),

final as (

    select
        {{ surrogate_key([
            'totals.division_key',
            'totals.report_year',
            'totals.metric_code',
            'totals.applicant_type_code',
        ]) }} as area_total_key,
        totals.division_key,
        totals.aggregate_report_id,
        divisions.division_code,
        divisions.level_code,
        totals.metric_code,
        totals.family_code,
        totals.applicant_type_code,
        case
            when totals.aggregate_report_id is not null then 'area_aggregate'
            else 'sum_of_reports'
        end as basis_code,
        totals.unit,
        totals.report_year,
        cast(totals.value as decimal(38, 4)) as value,
        totals.report_count,
        totals.value_count,
        totals.source_inconsistent_count,
        totals.extraction_suspect_count,
        totals.aggregate_report_id is null as is_partial
    from totals
    inner join divisions
        on totals.division_key = divisions.division_key

)

select * from final
