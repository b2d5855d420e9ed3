-- The terms of the harmonised series and of the other indicators, each with the
-- applicant type that its figure has in the facts.
{{ assert_terms_are_in_forms(ref('crosswalk_terms'), 'harmonised_code') }}
{{ assert_terms_are_in_forms(ref('indicator_terms'), 'indicator_code') }}
with

metrics as (

    select * from {{ ref('metrics') }}

),

series_terms as (

    select
        harmonised_code as indicator_code,
        form_code,
        'numerator' as part_code,
        metric_code,
        applicant_type_code,
        term_order,
        sign,
        factor,
        0 as lag_years
    from {{ ref('crosswalk_terms') }}

),

indicator_terms as (

    select
        indicator_code,
        form_code,
        part_code,
        metric_code,
        applicant_type_code,
        term_order,
        sign,
        factor,
        lag_years
    from {{ ref('indicator_terms') }}

),

terms as (

    select * from series_terms
    union all
    select * from indicator_terms

),

final as (

    select
        terms.indicator_code,
        terms.form_code,
        terms.part_code,
        terms.metric_code,
        case
            when not metrics.has_applicant_type then 'not_applicable'
            else coalesce(terms.applicant_type_code, 'total')
        end as applicant_type_code,
        cast(terms.term_order as integer) as term_order,
        cast(terms.sign as integer) as sign,
        cast(terms.factor as decimal(9, 4)) as factor,
        cast(terms.lag_years as integer) as lag_years
    from terms
    inner join metrics
        on terms.metric_code = metrics.metric_code

)

select * from final
