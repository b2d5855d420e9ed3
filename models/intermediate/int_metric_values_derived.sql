-- Derived figures that no identity demanded by the form contradicts. Two
-- identities that give a figure differently contradict each other here.
with

candidates as (

    select * from {{ ref('int_derived_candidates') }}

),

contradicted as (

    select distinct
        term_values.report_id,
        term_values.metric_code,
        term_values.applicant_type_code
    from {{ ref('int_derived_checks') }} as checks
    inner join {{ ref('int_derived_term_values') }} as term_values
        on checks.identity_check_key = term_values.identity_check_key
    where
        checks.status = 'fails'
        and checks.severity = 'error'
        and term_values.is_derived

),

final as (

    select candidates.*
    from candidates
    left join contradicted
        on
            candidates.report_id = contradicted.report_id
            and candidates.metric_code = contradicted.metric_code
            and candidates.applicant_type_code
            = contradicted.applicant_type_code
    where contradicted.report_id is null

)

select * from final
