-- The printed figures behind each identity that fails beyond doubt.
with

checks as (

    select * from {{ ref('fct_identity_check') }}
    where status = 'fails' and is_certain_reading

),

term_values as (

    select * from {{ ref('int_identity_term_values') }}
    where signed_value is not null

),

-- Which part of the report a term is taken from.
terms as (

    select distinct
        identity_code,
        subject_metric_code,
        subject_applicant_type_code,
        side,
        metric_code,
        applicant_type_code,
        source_kind
    from {{ ref('int_identity_terms') }}

),

ranked as (

    select * from {{ ref('int_metric_values_ranked') }}
    where value is not null

),

figures as (

    select *, 'any' as term_source_kind from ranked
    where winner_rank = 1
    union all
    select *, source_kind as term_source_kind from ranked
    where source_rank = 1

),

final as (

    select
        checks.identity_check_key as finding_key,
        term_values.side,
        figures.report_id,
        figures.metric_row_id,
        figures.metric_code,
        figures.applicant_type_code,
        term_values.sign,
        figures.value_raw,
        figures.snippet,
        figures.locator,
        figures.page_number
    from checks
    inner join term_values
        on checks.identity_check_key = term_values.identity_check_key
    inner join terms
        on
            checks.identity_code = terms.identity_code
            and checks.metric_code
            is not distinct from terms.subject_metric_code
            and checks.applicant_type_code = terms.subject_applicant_type_code
            and term_values.side = terms.side
            and term_values.metric_code = terms.metric_code
            and term_values.applicant_type_code = terms.applicant_type_code
    inner join figures
        on
            term_values.report_id = figures.report_id
            and terms.metric_code = figures.metric_code
            and terms.applicant_type_code = figures.applicant_type_code
            and terms.source_kind = figures.term_source_kind

)

select * from final
