{#-
    The ratios of some indicators that may be pooled: both parts are known and
    neither is read in doubt.
-#}
{% macro believed_ratios(indicator_codes) -%}
    select
        indicator_values.*,
        agencies.level_code,
        agencies.kind_code,
        coalesce(agencies.province_name, '（不明）') as province_name
    from {{ ref('fct_indicator_value') }} as indicator_values
    inner join {{ ref('dim_agency') }} as agencies
        on indicator_values.agency_key = agencies.agency_key
    where
        indicator_values.indicator_code in (
            {%- for code in indicator_codes %}
            '{{ code }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
        and indicator_values.numerator is not null
        and indicator_values.denominator is not null
        and indicator_values.reliability <> 'extraction_suspect'
{%- endmacro %}
