{#-
    A table that keeps the rows of earlier builds and is added to, in one
    statement and without a copy of the new rows: what the hook forgets comes
    back within the transaction. The one strategy is `append`, and a table whose
    columns are no longer those of its contract must be made anew.
-#}
{% materialization incremental, adapter='duckdb' %}
    {%- set earlier = load_cached_relation(this) -%}
    {%- set table = this.incorporate(type='table') -%}
    {%- set is_anew = earlier is none or not earlier.is_table
        or should_full_refresh() -%}
    {%- do assert_only_appends() -%}

    {%- call in_one_transaction() -%}
        {%- if is_anew -%}
            {{- replaced_table(earlier, table, compiled_code) -}}
        {%- else -%}
            {{- added_rows(table, compiled_code) -}}
        {%- endif -%}
    {%- endcall -%}

    {{- return({'relations': [table]}) -}}
{% endmaterialization %}


{#- Refuse what dbt-duckdb would do and this project does not. -#}
{% macro assert_only_appends() -%}
    {%- if config.get('incremental_strategy') != 'append'
        or config.get('on_schema_change') != 'fail'
        or config.get('unique_key')
        or not config.get('contract').enforced -%}
        {{- exceptions.raise_compiler_error(
            model.name ~ ': an incremental model of this project has a contract, '
            ~ "incremental_strategy 'append', on_schema_change 'fail' and no "
            ~ 'unique_key; see macros/materialization_incremental.sql'
        ) -}}
    {%- endif -%}
{%- endmacro %}


{#- The statements that add the rows of a query to a table as it stands. -#}
{% macro added_rows(table, query) -%}
    {%- set names = model.columns.values() | map(attribute='name') | join(', ') -%}
    {%- set promised = promised_columns() -%}
    {%- if promised != columns_of(query) -%}
        {{- default__get_assert_columns_equivalent(query) -}}
    {%- endif -%}
    {%- set kept = [] -%}
    {%- set comments = {} -%}
    {%- for row in kept_columns(table) -%}
        {%- do comments.update({row.column_name: row.comment}) -%}
        {%- if row.column_name is not none -%}
            {%- do kept.append((row.column_name | lower, row.data_type)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if kept | sort != promised -%}
        {{- exceptions.raise_compiler_error(
            table ~ ' of an earlier build has the columns ('
            ~ kept | reject('in', promised) | map('join', ' ') | join(', ')
            ~ ') where its card has ('
            ~ promised | reject('in', kept) | map('join', ' ') | join(', ')
            ~ '). Run `dbt build --full-refresh`.'
        ) -}}
    {%- endif -%}
    insert into {{ table }} ({{ names }})
    select {{ names }}
    from (
        {{ query }}
    ) as added;
    {{ relation_comments(table, comments) }}
{%- endmacro %}


{#- Name, type and comment of each column of a table; its own comment nameless. -#}
{% macro kept_columns(table) -%}
    {%- set place -%}
        database_name = '{{ table.database }}'
        and schema_name = '{{ table.schema }}'
        and table_name = '{{ table.identifier }}'
    {%- endset -%}
    {%- set query -%}
        select column_name, data_type, comment
        from duckdb_columns()
        where {{ place }}
        union all
        select
            cast(null as string) as column_name,
            cast(null as string) as data_type,
            comment
        from duckdb_tables()
        where {{ place }}
    {%- endset -%}
    {{- return(run_query(query).rows) -}}
{%- endmacro %}
