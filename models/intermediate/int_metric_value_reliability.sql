-- What the identities say of each winning figure. A contradiction is the
-- source's only where every reading that takes part in it is certain.
with

figures as (

    select * from {{ ref('int_metric_values_ranked') }}
    where winner_rank = 1

),

touches as (

    select
        term_values.report_id,
        term_values.metric_code,
        term_values.applicant_type_code,
        checks.is_certain_reading,
        checks.status = 'holds' as is_confirmation,
        checks.status = 'fails'
        and (
            checks.severity = 'error'
            or checks.kind_code = 'narrative_vs_table'
        ) as is_contradiction
    from {{ ref('int_identity_term_values') }} as term_values
    inner join {{ ref('int_identity_checks') }} as checks
        on
            term_values.identity_check_key = checks.identity_check_key
            -- The reading that the verdict rests on.
            and term_values.reading_code = checks.reading_code
    where
        checks.status <> 'not_assessable'
        -- What a later report says does not change an earlier one.
        and term_values.year_offset = 0
        and term_values.signed_value is not null
        -- Children of an unprinted group are not what the text disputes.
        and term_values.is_own_figure

),

counted as (

    select
        report_id,
        metric_code,
        applicant_type_code,
        count(*) filter (where is_confirmation) as confirmation_count,
        count(*) filter (where is_contradiction) as contradiction_count,
        count(*) filter (where is_contradiction and not is_certain_reading)
            as uncertain_count
    from touches
    group by report_id, metric_code, applicant_type_code

),

doubts as (

    select distinct
        issues.report_id,
        coalesce(issues.table_number, 0) as table_number
    from {{ ref('stg_raw__issues') }} as issues
    inner join {{ ref('issue_codes') }} as issue_codes
        on issues.issue_code = issue_codes.issue_code
    where issue_codes.is_reading_doubt

),

final as (

    select
        figures.metric_row_id,
        case
            when figures.second_reading = 'differs' then 'extraction_suspect'
            -- What a person looked up is not in doubt.
            when
                counted.uncertain_count > 0
                and figures.correction_id is null
                then 'extraction_suspect'
            when
                counted.contradiction_count > 0
                and figures.correction_id is null
                and coalesce(anywhere.report_id, there.report_id) is not null
                and coalesce(figures.second_reading, '') <> 'agrees'
                then 'extraction_suspect'
            when counted.contradiction_count > 0 then 'source_inconsistent'
            when counted.confirmation_count > 0 then 'consistent'
            else 'unchecked'
        end as reliability
    from figures
    left join counted
        on
            figures.report_id = counted.report_id
            and figures.metric_code = counted.metric_code
            and figures.applicant_type_code = counted.applicant_type_code
            and figures.value is not null
    -- An issue that names no table may concern any.
    left join doubts as anywhere
        on
            figures.report_id = anywhere.report_id
            and figures.source_kind = 'table'
            and anywhere.table_number = 0
    left join doubts as there
        on
            figures.report_id = there.report_id
            and figures.source_kind = 'table'
            and figures.table_number = there.table_number
            and there.table_number <> 0

)

select * from final
