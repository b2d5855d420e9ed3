{#- A name without what printings differ in: the width of brackets, white space. -#}
{% macro normalised_name(name) -%}
    replace(replace(replace(replace(
        {{ name }}, '（', '('), '）', ')'), ' ', ''), '　', '')
{%- endmacro %}
