-- Every computed indicator of every report in the facts: its value, or why
-- there is none.
with

reports as (

    select * from {{ ref('dim_report') }}
    where is_in_facts and {{ in_touched_reports() }}

),

indicators as (

    select * from {{ ref('dim_indicator') }}
    where computability_code = 'computed'

),

form_indicators as (

    select * from {{ ref('dim_indicator_form') }}

),

parts as (

    select * from {{ ref('int_indicator_parts') }}

),

judged as (

    select
        reports.report_id,
        reports.report_year,
        indicators.indicator_code,
        indicators.indicator_kind_code,
        indicators.minimum_denominator,
        form_indicators.comparability_grade,
        parts.reliability,
        parts.numerator,
        parts.denominator,
        coalesce(parts.term_count, 0) as term_count,
        coalesce(parts.missing_term_count, 0) as missing_term_count,
        coalesce(parts.is_approximate, false) as is_approximate,
        case
            when reports.form_code is null then 'form_unknown'
            when parts.indicator_code is null then 'not_in_form'
            when parts.null_reason_code is not null
                then parts.null_reason_code
            when parts.denominator = 0 then 'zero_denominator'
            when parts.denominator < 0 then 'negative_denominator'
        end as null_reason_code
    from reports
    cross join indicators
    left join form_indicators
        on
            indicators.indicator_code = form_indicators.indicator_code
            and reports.form_code = form_indicators.form_code
    left join parts
        on
            reports.report_id = parts.report_id
            and indicators.indicator_code = parts.indicator_code

),

final as (

    select
        *,
        case
            when null_reason_code is not null then null
            when indicator_kind_code = 'ratio'
                then cast(numerator as double) / cast(denominator as double)
            else cast(numerator as double)
        end as value,
        denominator < minimum_denominator as is_small_denominator
    from judged

)

select * from final
