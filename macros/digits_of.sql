{#- Text with digits of every kind, full-width and Chinese, as Arabic digits. -#}
{% macro digits_of(text) -%}
    translate(
        {{ text }},
        '０１２３４５６７８９〇○零一二三四五六七八九',
        '0123456789000123456789'
    )
{%- endmacro %}
