-- Text that gives another number than the table, both read beyond doubt, as far
-- as no identity compares the two already. Blanks and round figures contradict
-- nothing.
with

conflicts as (

    select * from {{ ref('fct_value_conflict') }}
    where
        conflict_kind = 'narrative_against_table'
        and losing_value is not null
        and {{ in_touched_reports() }}

),

figures as (

    select * from {{ ref('int_metric_values_ranked') }}
    where is_certain_reading

),

checks as (

    select distinct
        report_id,
        metric_code,
        applicant_type_code
    from {{ ref('fct_identity_check') }}
    where
        kind_code = 'narrative_vs_table'
        and {{ in_touched_reports() }}
        -- Failing, it is in the register already; or the text counts in another
        -- way that the identity admits.
        and (status = 'fails' or matched_reading_code <> 'new')

),

final as (

    select
        conflicts.losing_metric_row_id as finding_key,
        conflicts.report_id,
        conflicts.metric_code,
        conflicts.applicant_type_code,
        winners.metric_row_id,
        losers.metric_row_id as losing_metric_row_id,
        winners.value,
        losers.value as losing_value
    from conflicts
    inner join figures as winners
        on conflicts.metric_row_id = winners.metric_row_id
    inner join figures as losers
        on conflicts.losing_metric_row_id = losers.metric_row_id
    left join checks
        on
            conflicts.report_id = checks.report_id
            and conflicts.metric_code = checks.metric_code
            and conflicts.applicant_type_code = checks.applicant_type_code
    where checks.report_id is null

)

select * from final
