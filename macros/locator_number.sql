{#- The number that follows a word in a locator, e.g. 3 in `table 3 row 1`. -#}
{% macro locator_number(locator, word) -%}
    try_cast(
        nullif(regexp_extract({{ locator }}, '{{ word }} ([0-9]+)', 1), '')
        as bigint
    )
{%- endmacro %}
