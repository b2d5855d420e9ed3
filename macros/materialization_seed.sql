{#-
    A seed read by DuckDB alone, with the types on its card: dbt would parse the
    file first, to guess the types that the card states. A column without a type
    and a type without a column are refused.
-#}
{% materialization seed, adapter='duckdb' %}
    {%- set earlier = load_cached_relation(this) -%}
    {%- set table = this.incorporate(type='table') -%}
    {#- Only `dbt seed --show` asks for what dbt itself reads of the file. -#}
    {%- do store_result(
        'agate_table',
        response='OK',
        agate_table=load_agate_table()
            if invocation_args_dict.get('show') else none
    ) -%}

    {%- call in_one_transaction() -%}
        {{- loaded_seed(earlier, table) -}}
    {%- endcall -%}

    {{- return({'relations': [table]}) -}}
{% endmaterialization %}


{#- The statements that read the file of a seed into its table. -#}
{% macro loaded_seed(earlier, table) -%}
    {%- set types = config.get('column_types') -%}
    {{- dropped(earlier) }}
    create table {{ table }} (
        {%- for column, type in types.items() %}
        {{ column }} {{ type }}{{ ',' if not loop.last }}
        {%- endfor %}
    );
    insert into {{ table }} by name
    select * from {{ csv_file(
        adapter.get_seed_file_path(model), config.get('delimiter', ','), types
    ) }};
    {{ relation_comments(table) }}
{%- endmacro %}
