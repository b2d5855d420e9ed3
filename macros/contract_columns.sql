{#-
    What a contract promises against what the query gives. dbt compares column
    by column in Jinja and says what differs; where nothing does, that is asked
    once.
-#}
{% macro duckdb__get_assert_columns_equivalent(sql) -%}
    {%- if promised_columns() != columns_of(sql) -%}
        {{- default__get_assert_columns_equivalent(sql) -}}
    {%- endif -%}
{%- endmacro %}


{#- Name and type of each column of a query, in the order of the names. -#}
{% macro columns_of(query) -%}
    {%- set columns = [] -%}
    {%- for column in adapter.get_column_schema_from_query(query) -%}
        {%- do columns.append((column.name | lower, column.dtype)) -%}
    {%- endfor -%}
    {{- return(columns | sort) -}}
{%- endmacro %}


{#- The same of the card of a model; nothing where the card lacks a type. -#}
{% macro promised_columns() -%}
    {%- set cells = [] -%}
    {%- for column in model.columns.values() if column.data_type -%}
        {%- do cells.append(
            'cast(null as ' ~ column.data_type ~ ') as ' ~ column.name
        ) -%}
    {%- endfor -%}
    {%- if not cells or cells | length < model.columns | length -%}
        {{- return([]) -}}
    {%- endif -%}
    {{- return(columns_of('select ' ~ cells | join(', '))) -}}
{%- endmacro %}
