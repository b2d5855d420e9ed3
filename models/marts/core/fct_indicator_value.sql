{{ config(
    materialized='incremental',
    pre_hook='{{ forget_touched() }}',
) }}
with

indicator_values as (

    select * from {{ ref('int_indicator_values') }}

),

reports as (

    select * from {{ ref('dim_report') }}
    where {{ in_touched_reports() }}

),

indicators as (

    select * from {{ ref('dim_indicator') }}

),

predecessors as (

    select * from {{ ref('int_report_predecessors') }}

),

values_before as (

    select report_id, indicator_code, comparability_grade, value
    from indicator_values
    {%- if is_incremental() %}
    union all
    select report_id, indicator_code, comparability_grade, value
    from {{ this }}
    where
        {{ in_looked_at_reports() }}
        and not {{ in_touched_reports() }}
    {%- endif %}

),

paired as (

    select
        now.*,
        case
            when now.value is null then 'no_value'
            when predecessors.obstacle_code is not null
                then predecessors.obstacle_code
            when before.value is null then 'previous_no_value'
            -- One form is its own measure, two are one where graded so.
            when
                not predecessors.is_same_form
                and not (
                    now.comparability_grade in ('exact', 'near')
                    and before.comparability_grade in ('exact', 'near')
                )
                then 'form_break'
        end as change_null_reason_code,
        predecessors.previous_report_year as year_before,
        before.value as value_before
    from indicator_values as now
    inner join predecessors
        on now.report_id = predecessors.report_id
    left join values_before as before
        on
            predecessors.previous_report_id = before.report_id
            and now.indicator_code = before.indicator_code

),

final as (

    select
        {{ surrogate_key([
            'reports.agency_key', 'paired.report_year', 'paired.indicator_code'
        ]) }} as indicator_value_key,
        paired.report_id,
        reports.agency_key,
        reports.agency_id,
        reports.form_code,
        reports.scope_code,
        paired.indicator_code,
        paired.indicator_kind_code,
        indicators.unit,
        paired.comparability_grade,
        case when paired.value is null then 'no_value' else 'value' end
            as value_status,
        paired.null_reason_code,
        paired.reliability,
        paired.change_null_reason_code,
        paired.report_year,
        paired.value,
        paired.numerator,
        paired.denominator,
        paired.term_count,
        paired.missing_term_count,
        {%- set is_comparable = 'paired.change_null_reason_code is null' %}
        case when {{ is_comparable }} then paired.year_before end
            as previous_report_year,
        case when {{ is_comparable }} then paired.value_before end
            as previous_value,
        case
            when {{ is_comparable }} then paired.value - paired.value_before
        end as change,
        case
            when {{ is_comparable }} and paired.value_before > 0
                then
                    cast(paired.value - paired.value_before as double)
                    / cast(paired.value_before as double)
        end as change_ratio,
        paired.is_small_denominator,
        paired.is_approximate
    from paired
    inner join reports on paired.report_id = reports.report_id
    inner join indicators
        on paired.indicator_code = indicators.indicator_code

)

select * from final
