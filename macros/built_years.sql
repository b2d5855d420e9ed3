{#-
    What a build leaves behind for the next one: for each report year a token of
    the reports and of the code that its rows were made of. A year whose token
    is still the same is not built again.

    The tokens are written when every model and test of a build went well, so
    that a build that was killed or failed is done again.
-#}

{% macro intermediate_relation(identifier) %}
    {{- return(api.Relation.create(
        database=target.database,
        schema='intermediate',
        identifier=identifier
    )) -}}
{% endmacro %}


{#- The tokens of the last build that went well; none before the first. -#}
{% macro built_years() -%}
    {%- set kept = adapter.get_relation(
        database=target.database,
        schema='intermediate',
        identifier='built_report_years'
    ) if execute -%}
    {%- if kept -%}
        select report_year, content_token from {{ kept }}
    {%- else -%}
        select
            cast(null as integer) as report_year,
            cast(null as string) as content_token
        where false
    {%- endif -%}
{%- endmacro %}


{#- Keep the tokens of a whole build that went well; a hook runs what this says. -#}
{% macro record_built_years(results) %}
    {%- if execute and flags.WHICH == 'build' and results %}
        {%- set failed = results
            | rejectattr('status', 'in', ['success', 'pass', 'warn'])
            | list %}
        {%- set built = results | map(attribute='node.unique_id') | list %}
        {%- set left_out = graph.nodes.values()
            | selectattr('config.materialized', 'equalto', 'incremental')
            | rejectattr('unique_id', 'in', built)
            | list %}
        {%- if not failed and not left_out %}
            create or replace table
                {{ intermediate_relation('built_report_years') }} as
            select report_year, content_token
            from {{ intermediate_relation('int_report_years') }}
            where content_token is not null
        {%- endif %}
    {%- endif %}
{% endmacro %}


{#- The years that a build makes anew, as the condition on a column. -#}
{% macro in_touched_years(column='report_year') -%}
    {%- if is_incremental() -%}
        {{ column }} in (
            select report_year from {{ ref('int_report_years') }}
            where is_touched
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}


{#- Forget the rows of the years that are made anew. -#}
{% macro forget_touched_years() %}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where report_year in (
            select report_year from {{ ref('int_report_years') }}
            where is_touched
        )
    {%- endif -%}
{% endmacro %}
