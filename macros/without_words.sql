{#- A text without certain words, taken away one after the other. -#}
{% macro without_words(expression, words) -%}
    {{ 'replace(' * words | length }}{{ expression }}
    {%- for word in words %}, '{{ word }}', ''){% endfor %}
{%- endmacro %}
