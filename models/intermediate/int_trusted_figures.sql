-- The winning figures from which others may be derived: exact, not in doubt,
-- and part of no identity that fails.
with

figures as (

    select * from {{ ref('int_metric_values_ranked') }}
    where winner_rank = 1 and value is not null and not is_approximate

),

reliability as (

    select * from {{ ref('int_metric_value_reliability') }}
    where reliability in ('consistent', 'unchecked')

),

failures as (

    select * from {{ ref('int_identity_checks') }}
    where status = 'fails'

),

contradicted as (

    select
        failures.report_id,
        term_values.metric_code,
        term_values.applicant_type_code
    from failures
    inner join {{ ref('int_identity_term_values') }} as term_values
        on failures.identity_check_key = term_values.identity_check_key
    where term_values.year_offset = 0
    union
    -- Containment has no terms of its own.
    select
        report_id,
        subject_metric_code as metric_code,
        subject_applicant_type_code as applicant_type_code
    from failures
    where kind_code = 'aggregate_containment'

),

final as (

    select
        figures.metric_row_id,
        figures.report_id,
        figures.metric_code,
        figures.applicant_type_code,
        reliability.reliability
    from figures
    inner join reliability
        on figures.metric_row_id = reliability.metric_row_id
    left join contradicted
        on
            figures.report_id = contradicted.report_id
            and figures.metric_code = contradicted.metric_code
            and figures.applicant_type_code = contradicted.applicant_type_code
    where contradicted.report_id is null

)

select * from final
