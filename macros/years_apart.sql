{#- How far a year lies outside a span, 0 inside it; an unknown year is inside. -#}
{% macro years_apart(first_year, last_year, year) -%}
    greatest(
        coalesce({{ first_year }} - {{ year }}, 0),
        coalesce({{ year }} - {{ last_year }}, 0),
        0
    )
{%- endmacro %}
