{#-
    Whether the name of a body says where it is: some other character stands
    before a word for a county or more. A bare 统计局, 市林业局 or
    开发区管理委员会 does not, nor does 城关镇人民政府, of which there are many.
-#}
{% macro names_a_place(name) -%}
{%- set other_words = [
    '市场', '城市', '开发区', '高新区', '园区', '社区', '地区'
] -%}
    (
        {{ name }} like '国家%'
        or {{ name }} like '中国%'
        or {{ name }} like '中华%'
        or (
            coalesce(regexp_extract(
                {{ without_words(name, other_words) }},
                '^[省市区县州旗镇乡本我各全]*([^省市区县州旗镇乡本我各全].*(省|自治区|市|区|县|州|盟|旗|兵团))',
                1
            ), '') <> ''
            and coalesce(regexp_extract(
                {{ name }}, '^([^省市区县州盟旗]*(镇|乡|街道))', 1
            ), '') = ''
        )
    )
{%- endmacro %}
