{#- A table of DuckDB; see in_one_transaction. -#}
{% materialization table, adapter='duckdb' %}
    {%- set earlier = load_cached_relation(this) -%}
    {%- set table = this.incorporate(type='table') -%}

    {%- call in_one_transaction() -%}
        {{- replaced_table(earlier, table, compiled_code) -}}
    {%- endcall -%}

    {{- return({'relations': [table]}) -}}
{% endmaterialization %}


{#- The statements that put a table in the place of an earlier one, or of none. -#}
{% macro replaced_table(earlier, table, query) -%}
    {{- dropped(earlier) }}
    {{ create_table_as(False, table, query) }};
    {{ relation_comments(table) }}
{%- endmacro %}


{#- A view of DuckDB; see in_one_transaction. -#}
{% materialization view, adapter='duckdb' %}
    {%- set earlier = load_cached_relation(this) -%}
    {%- set view = this.incorporate(type='view') -%}

    {%- call in_one_transaction() -%}
        {{- dropped(earlier) }}
        {{ create_view_as(view, sql) }};
        {{ relation_comments(view) }}
    {%- endcall -%}

    {{- return({'relations': [view]}) -}}
{% endmaterialization %}
