-- Numerator and denominator of each indicator that a report's form gives: a sum
-- only where every term of it has a figure.
with

term_values as (

    select * from {{ ref('int_indicator_term_values') }}

),

final as (

    select
        report_id,
        indicator_code,
        {{ worst_of('null_reason_code', [
            'unit_differs', 'no_previous_report', 'missing_term',
            'illegible_term', 'blank_term', 'not_applicable_term',
        ]) }} as null_reason_code,
        {{ worst_of('reliability', [
            'extraction_suspect', 'source_inconsistent', 'unchecked',
            'consistent',
        ]) }} as reliability,
        report_year,
        {%- for part in ['numerator', 'denominator'] %}
        cast(case
            when count(case when part_code = '{{ part }}'
                and null_reason_code is not null then 1 end) = 0
                then sum(case when part_code = '{{ part }}' then term_value end)
        end as decimal(28, 8)) as {{ part }},
        {%- endfor %}
        cast(count(*) as integer) as term_count,
        cast(count(null_reason_code) as integer) as missing_term_count,
        count(case when is_approximate then 1 end) > 0 as is_approximate
    from term_values
    group by report_id, indicator_code, report_year

)

select * from final
