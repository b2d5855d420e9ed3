-- Numerator and denominator of each indicator that a report's form gives: a sum
-- only where every term of it has a figure.
with

term_values as (

    select * from {{ ref('int_indicator_term_values') }}

),

final as (

    select
        term_values.report_id,
        term_values.indicator_code,
        {{ worst_of('term_values.null_reason_code', [
            'unit_differs', 'no_previous_report', 'missing_term',
            'illegible_term', 'blank_term', 'not_applicable_term',
        ]) }} as null_reason_code,
        {{ worst_of('term_values.reliability', [
            'extraction_suspect', 'source_inconsistent', 'unchecked',
            'consistent',
        ]) }} as reliability,
        term_values.report_year,
        {%- for part in ['numerator', 'denominator'] %}
        cast(
            case
                when
                    count(*) filter (
                        where term_values.part_code = '{{ part }}'
                        and term_values.null_reason_code is not null
                    ) = 0
                    then
                        sum(term_values.term_value) filter (
                            where term_values.part_code = '{{ part }}'
                        )
            end as decimal(28, 8)
        ) as {{ part }},
        {%- endfor %}
        cast(count(*) as integer) as term_count,
        cast(count(term_values.null_reason_code) as integer)
            as missing_term_count,
        count(*) filter (where term_values.is_approximate) > 0 as is_approximate
    from term_values
    group by
        term_values.report_id,
        term_values.indicator_code,
        term_values.report_year

)

select * from final
