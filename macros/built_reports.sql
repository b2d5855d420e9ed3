{#-
    What a build leaves behind for the next one: for each report a token of what
    its rows were made of. A report whose token, and that of every earlier report
    of its body, is still the same is not built again.

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
{% macro built_reports() -%}
    {%- set kept = adapter.get_relation(
        database=target.database,
        schema='intermediate',
        identifier='built_reports'
    ) if execute -%}
    {%- set nothing -%}
        (
            select
                cast(null as string) as report_id,
                cast(null as string) as agency_id,
                cast(null as integer) as report_year,
                cast(null as string) as content_token
            where false
        ) as nothing
    {%- endset -%}
    select report_id, agency_id, report_year, content_token
    from {{ kept or nothing }}
{%- endmacro %}


{#- What keeps rows from build to build, and the tests that look at them. -#}
{% macro _kept_nodes() -%}
    {%- set kept = graph.nodes.values()
        | selectattr('config.materialized', 'equalto', 'incremental')
        | map(attribute='unique_id') | list -%}
    {%- set found = kept[:] -%}
    {%- for node in graph.nodes.values()
        | selectattr('resource_type', 'equalto', 'test') -%}
        {%- if node.depends_on.nodes | select('in', kept) | list -%}
            {%- do found.append(node.unique_id) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(found) -}}
{%- endmacro %}


{#- Keep the tokens of a whole build that went well; a hook runs what this says. -#}
{% macro record_built_reports(results) %}
    {%- if execute and flags.WHICH == 'build' and results %}
        {%- set failed = results
            | rejectattr('status', 'in', ['success', 'pass', 'warn', 'no-op'])
            | list %}
        {%- set built = results | map(attribute='node.unique_id') | list %}
        {%- set left_out = _kept_nodes() | reject('in', built) | list %}
        {%- if not failed and not left_out %}
            create or replace table
                {{ intermediate_relation('built_reports') }} as
            select report_id, agency_id, report_year, content_token
            from {{ intermediate_relation('int_reports_touched') }}
            where content_token is not null
        {%- endif %}
    {%- endif %}
{% endmacro %}


{#-
    Whether a build must make every report: it was asked to, or a table that
    keeps the rows of earlier builds is not there.
-#}
{% macro makes_every_report() %}
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


{#- Whether this build makes the rows of a report. A unit test has them all. -#}
{% macro in_touched_reports(column='report_id') -%}
    {{- _in_marked(column, 'int_reports_touched', 'report_id', 'is_touched') -}}
{%- endmacro %}


{#- The same, or one that makes its rows looks at this one. -#}
{% macro in_looked_at_reports(column='report_id') -%}
    {{- _in_marked(
        column, 'int_reports_touched', 'report_id', 'is_looked_at'
    ) -}}
{%- endmacro %}


{#- Whether this build makes the rows of some report of a year. -#}
{% macro in_touched_years(column='report_year') -%}
    {{- _in_marked(column, 'int_report_years', 'report_year', 'is_touched') -}}
{%- endmacro %}


{% macro _in_marked(column, marks, key, flag) -%}
    {%- if model.resource_type == 'unit_test' -%}
        true
    {%- else -%}
        {{ column }} in (
            select marks.{{ key }}
            from {{ ref(marks) }} as marks
            where marks.{{ flag }}
        )
    {%- endif -%}
{%- endmacro %}


{#- Whether a row is none that this build leaves as an earlier one made it. -#}
{% macro _is_not_kept(kept_by) -%}
    {%- set marks = ref('int_report_years') if kept_by == 'report_year'
        else ref('int_reports_touched') -%}
    {{ kept_by }} not in (
        select marks.{{ kept_by }}
        from {{ marks }} as marks
        where not marks.is_touched
    )
{%- endmacro %}


{#- Whether this build leaves rows as an earlier one made them. -#}
{% macro _keeps_rows(kept_by) -%}
    {%- if not execute -%} {{- return(false) -}} {%- endif -%}
    {%- set marks = intermediate_relation(
        'int_report_years' if kept_by == 'report_year'
        else 'int_reports_touched'
    ) -%}
    {%- set kept = run_query(
        'select 1 as one from ' ~ marks ~ ' where not is_touched limit 1'
    ) -%}
    {{- return(kept.rows | length > 0) -}}
{%- endmacro %}


{#-
    The rows of a table that a test looks at. In a build of a table that keeps
    rows: those that the build made, for the others were tested in the build that
    made them. `dbt test` looks at all.
-#}
{% macro made_rows(relation, kept_by=none) -%}
    {#- Said at all times, so that dbt knows what to build first. -#}
    {%- set is_not_kept = _is_not_kept(kept_by) if kept_by -%}
    {%- if is_not_kept and flags.WHICH == 'build' and _keeps_rows(kept_by) -%}
        (select * from {{ relation }} where {{ is_not_kept }})
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}


{#-
    Before a table that keeps rows is added to: forget all but those that this
    build does not make. A table made from nothing needs every report upstream.
-#}
{% macro forget_touched(kept_by='report_id') %}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where {{ _is_not_kept(kept_by) }}
    {%- elif execute -%}
        {%- if _keeps_rows(kept_by) -%}
            {{ exceptions.raise_compiler_error(
                this.identifier ~ ' cannot be made from nothing: the models '
                ~ 'before it hold the reports of the last build only. '
                ~ 'Run `dbt build --full-refresh` without a selection.'
            ) }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
