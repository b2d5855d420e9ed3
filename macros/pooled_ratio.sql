{#-
    The ratio of a group: numerators and denominators added, then divided. The
    mean of ratios would let a body with three requests weigh as much as a
    province. Null where nothing is divided.
-#}
{% macro pooled_ratio(numerator='numerator', denominator='denominator') -%}
    round(
        cast(sum({{ numerator }}) as double)
        / nullif(cast(sum({{ denominator }}) as double), 0),
        4
    )
{%- endmacro %}
