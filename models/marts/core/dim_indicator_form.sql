with

indicators as (

    select harmonised_code as indicator_code
    from {{ ref('harmonised_series') }}
    union all
    select indicator_code from {{ ref('indicators') }}
    where computability_code = 'computed'

),

forms as (

    select * from {{ ref('forms') }}

),

grades as (

    select
        harmonised_code as indicator_code, form_code,
        comparability_grade, reason_en
    from {{ ref('crosswalk') }}
    union all
    select indicator_code, form_code, comparability_grade, reason_en
    from {{ ref('indicator_comparability') }}

),

terms as (

    select
        *,
        case
            when sign < 0 then '- '
            when term_order > 1 then '+ '
            else ''
        end
        || case
            when factor <> 1 then cast(factor as string) || ' * ' else ''
        end
        || metric_code
        || case
            when applicant_type_code in ('total', 'not_applicable') then ''
            else '[' || applicant_type_code || ']'
        end
        || case when lag_years = 1 then '@t-1' else '' end as term_text
    from {{ ref('int_indicator_terms') }}

),

parts as (

    select
        indicator_code,
        form_code,
        part_code,
        case when count(*) > 1 then '(' else '' end
        || {{ join_in_order('term_text', ' ', 'term_order') }}
        || case when count(*) > 1 then ')' else '' end as part_text
    from terms
    group by indicator_code, form_code, part_code

),

final as (

    select
        indicators.indicator_code,
        forms.form_code,
        -- Without a term the form gives nothing that could be compared.
        case
            when numerators.indicator_code is not null
                then grades.comparability_grade
        end as comparability_grade,
        grades.reason_en as comparability_reason_en,
        numerators.part_text
        || coalesce(' / ' || denominators.part_text, '') as formula_text
    from indicators
    cross join forms
    left join grades
        on
            indicators.indicator_code = grades.indicator_code
            and forms.form_code = grades.form_code
    {%- for part in ['numerator', 'denominator'] %}
    left join parts as {{ part }}s
        on
            indicators.indicator_code = {{ part }}s.indicator_code
            and forms.form_code = {{ part }}s.form_code
            and {{ part }}s.part_code = '{{ part }}'
    {%- endfor %}

)

select * from final
