-- The identities of a report that a derived figure takes part in, with it put
-- in the place of the figure that is not stated.
with

term_values as (

    select * from {{ ref('int_identity_term_values') }}
    where year_offset = 0 and source_kind = 'any'

),

candidates as (

    select * from {{ ref('int_derived_candidates') }}

),

touched as (

    select distinct term_values.identity_check_key
    from term_values
    inner join candidates
        on
            term_values.report_id = candidates.report_id
            and term_values.metric_code = candidates.metric_code
            and term_values.applicant_type_code = candidates.applicant_type_code

),

final as (

    select
        term_values.identity_check_key,
        term_values.report_id,
        term_values.term_report_id,
        term_values.identity_code,
        term_values.subject_metric_code,
        term_values.subject_applicant_type_code,
        term_values.reading_code,
        term_values.side,
        term_values.metric_code,
        term_values.applicant_type_code,
        term_values.reading_order,
        coalesce(
            term_values.signed_value, term_values.sign * candidates.value
        ) as signed_value,
        term_values.is_certain_reading,
        term_values.is_approximate,
        term_values.is_unbounded,
        candidates.report_id is not null as is_derived
    from term_values
    inner join touched
        on term_values.identity_check_key = touched.identity_check_key
    left join candidates
        on
            term_values.report_id = candidates.report_id
            and term_values.metric_code = candidates.metric_code
            and term_values.applicant_type_code = candidates.applicant_type_code

)

select * from final
