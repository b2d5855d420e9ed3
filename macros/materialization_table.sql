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


{#- A view likewise. -#}
{% materialization view, adapter='duckdb' %}
    {%- set earlier = load_cached_relation(this) -%}
    {%- set view = this.incorporate(type='view') -%}

    {{- run_hooks(pre_hooks, inside_transaction=False) -}}
    {{- run_hooks(pre_hooks, inside_transaction=True) -}}
    {%- call statement('main') -%}
        {{- dropped(earlier) -}}
        {{- create_view_as(view, sql) -}}
        {{- relation_comments(view) -}}
    {%- endcall -%}
    {{- run_hooks(post_hooks, inside_transaction=True) -}}
    {%- do adapter.commit() -%}
    {{- run_hooks(post_hooks, inside_transaction=False) -}}

    {{- return({'relations': [view]}) -}}
{% endmaterialization %}


{#- What clears the place of an earlier table or view, or of none. -#}
{% macro dropped(earlier) -%}
    {%- if earlier is not none -%}
        drop {{ earlier.type }} {{ earlier }};
    {%- endif %}
{%- endmacro %}


{#- The statements that put a table in the place of an earlier one, or of none. -#}
{% macro replaced_table(earlier, table, query) -%}
    {{- dropped(earlier) }}
    {{ create_table_as(False, table, query) }};
    {{ relation_comments(table) }}
{%- endmacro %}


{#-
    The comments of a table or view, from its card. `known` has those that it
    carries already, by column and its own under none: they are not said again.
-#}
{% macro relation_comments(relation, known={}) -%}
    {%- set text = model.description -%}
    {%- if config.persist_relation_docs() and text and known[none] != text -%}
        comment on {{ relation.type }} {{ relation }} is '{{ text | replace("'", "''") }}';
    {%- endif -%}
    {%- if config.persist_column_docs() -%}
        {%- for column in model.columns.values()
            if known[column.name] != column.description %}
        comment on column {{ relation }}.{{ column.name }}
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
