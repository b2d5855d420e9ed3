{#- The first of the codes that some row of the group has, or null. -#}
{% macro worst_of(column, codes) -%}
    case
        {%- for code in codes %}
        when count(case when {{ column }} = '{{ code }}' then 1 end) > 0
            then '{{ code }}'
        {%- endfor %}
    end
{%- endmacro %}
