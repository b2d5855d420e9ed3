{{ config(
    materialized='incremental',
    pre_hook='{{ forget_touched() }}',
) }}
with

figures as (

    select * from {{ ref('int_metric_values_ranked') }}

),

reports as (

    select * from {{ ref('dim_report') }}
    where {{ in_touched_reports() }}

),

winners as (

    select * from figures
    where winner_rank = 1

),

final as (

    select
        losers.metric_row_id as losing_metric_row_id,
        winners.metric_row_id,
        winners.report_id,
        reports.agency_key,
        winners.metric_code,
        winners.applicant_type_code,
        case
            when losers.value is null and losers.value_status = 'illegible'
                then 'illegible_against_stated'
            when losers.value is null then 'blank_against_stated'
            when losers.is_approximate and not winners.is_approximate
                then 'approximate_against_exact'
            else losers.source_kind || '_against_' || winners.source_kind
        end as conflict_kind,
        winners.source_kind,
        winners.value_status,
        winners.snippet,
        winners.locator,
        losers.source_kind as losing_source_kind,
        losers.value_status as losing_value_status,
        losers.snippet as losing_snippet,
        losers.locator as losing_locator,
        reports.report_year,
        winners.value,
        losers.value as losing_value
    from figures as losers
    inner join winners
        on
            losers.report_id = winners.report_id
            and losers.metric_code = winners.metric_code
            and losers.applicant_type_code = winners.applicant_type_code
    inner join reports
        on winners.report_id = reports.report_id
    where
        losers.winner_rank > 1
        and losers.value is distinct from winners.value

)

select * from final
