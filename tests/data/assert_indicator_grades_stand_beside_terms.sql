-- A form that gives an indicator says how well, and one that is graded exact or
-- near gives it: a grade without terms promises a value that never comes.
with

terms as (

    select distinct indicator_code, form_code
    from {{ ref('int_indicator_terms') }}

),

grades as (

    select indicator_code, form_code, comparability_grade
    from {{ ref('indicator_comparability') }}
    union all
    select harmonised_code as indicator_code, form_code, comparability_grade
    from {{ ref('crosswalk') }}

)

select
    coalesce(terms.indicator_code, grades.indicator_code) as indicator_code,
    coalesce(terms.form_code, grades.form_code) as form_code,
    grades.comparability_grade,
    terms.indicator_code is not null as has_terms
from terms
full join grades
    on
        terms.indicator_code = grades.indicator_code
        and terms.form_code = grades.form_code
where
    grades.comparability_grade is null
    or (
        terms.indicator_code is null
        and grades.comparability_grade in ('exact', 'near')
    )
