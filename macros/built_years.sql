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
    {%- set nothing -%}
        (
            select
                cast(null as integer) as report_year,
                cast(null as string) as content_token
            where false
        ) as nothing
    {%- endset -%}
    select report_year, content_token from {{ kept or nothing }}
{%- endmacro %}


{#- Keep the tokens of a whole build that went well; a hook runs what this says. -#}
{% macro record_built_years(results) %}
    {%- if execute and flags.WHICH == 'build' and results %}
        {%- set failed = results
            | rejectattr('status', 'in', ['success', 'pass', 'warn', 'no-op'])
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


{#-
    Whether a build must make every year: it was asked to, or a table that keeps
    the rows of earlier builds is not there.
-#}
{% macro makes_every_year() %}
    {%- if not execute -%} {{- return(false) -}} {%- endif -%}
    {%- set absent = [] -%}
    {%- for node in graph.nodes.values()
        | selectattr('config.materialized', 'equalto', 'incremental') -%}
        {%- if not adapter.get_relation(
            database=node.database, schema=node.schema, identifier=node.alias
        ) -%}
            {%- do absent.append(node.alias) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(flags.FULL_REFRESH or absent | length > 0) -}}
{% endmacro %}


{#- Whether this build makes a year. A unit test has every year. -#}
{% macro in_touched_years(column='report_year') -%}
    {{- _in_years(column, 'is_touched') -}}
{%- endmacro %}


{#- The same, or the year after it, which looks back on it. -#}
{% macro in_looked_at_years(column='report_year') -%}
    {{- _in_years(column, 'is_looked_at') -}}
{%- endmacro %}


{% macro _in_years(column, flag) -%}
    {%- if model.resource_type == 'unit_test' -%}
        true
    {%- else -%}
        {{ column }} in (
            select years.report_year
            from {{ ref('int_report_years') }} as years
            where years.{{ flag }}
        )
    {%- endif -%}
{%- endmacro %}


{#-
    Before a table that keeps earlier years is added to: forget the years that
    are made anew. A table made from nothing needs every year upstream.
-#}
{% macro forget_touched_years() %}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where {{ in_touched_years() }}
    {%- elif execute -%}
        {%- set kept = run_query(
            'select report_year from ' ~ intermediate_relation('int_report_years')
            ~ ' where not is_touched order by report_year'
        ) -%}
        {%- if kept.rows -%}
            {{ exceptions.raise_compiler_error(
                this.identifier ~ ' cannot be made from nothing: the models '
                ~ 'before it hold the years of the last build only. '
                ~ 'Run `dbt build --full-refresh` without a selection.'
            ) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
