{#-
    A table of DuckDB in one statement of one transaction: the earlier table
    goes, the new one comes with its rows and comments, and nobody sees half of
    it. dbt-duckdb makes it beside the earlier one, renames both and asks the
    catalogue ten questions; with few rows that is most of the time of a build.
-#}
{% materialization table, adapter='duckdb' %}
    {%- set earlier = load_cached_relation(this) -%}
    {%- set table = this.incorporate(type='table') -%}

    {{- run_hooks(pre_hooks, inside_transaction=False) -}}
    {{- run_hooks(pre_hooks, inside_transaction=True) -}}
    {%- call statement('main') -%}
        {{- replaced_table(earlier, table, compiled_code) -}}
    {%- endcall -%}
    {%- do create_indexes(table) -%}
    {{- run_hooks(post_hooks, inside_transaction=True) -}}
    {%- do adapter.commit() -%}
    {{- run_hooks(post_hooks, inside_transaction=False) -}}

    {{- return({'relations': [table]}) -}}
{% endmaterialization %}


{#- The statements that put a table in the place of an earlier one, or of none. -#}
{% macro replaced_table(earlier, table, query) -%}
    {%- if earlier is not none -%}
        drop {{ earlier.type }} {{ earlier }};
    {%- endif %}
    {{ create_table_as(False, table, query) }};
    {{ table_comments(table) }}
{%- endmacro %}


{#-
    The comments of a table, from its card. `known` has those that it carries
    already, by column and the table's own under none: they are not said again.
-#}
{% macro table_comments(table, known={}) -%}
    {%- set text = model.description -%}
    {%- if config.persist_relation_docs() and text and known[none] != text -%}
        comment on table {{ table }} is '{{ text | replace("'", "''") }}';
    {%- endif -%}
    {%- if config.persist_column_docs() -%}
        {%- for column in model.columns.values()
            if known[column.name] != column.description %}
        comment on column {{ table }}.{{ column.name }}
            is '{{ column.description | replace("'", "''") }}';
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{#-
    What a contract promises against what the query gives. dbt compares column
    by column in Jinja and says what differs; where nothing does, that is asked
    once.
-#}
{% macro duckdb__get_assert_columns_equivalent(sql) -%}
    {%- if columns_of(sql) != promised_columns() -%}
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


{#- The same of the columns on the card of the model. -#}
{% macro promised_columns() -%}
    {{- return(columns_of(get_empty_schema_sql(model.columns))) -}}
{%- endmacro %}
