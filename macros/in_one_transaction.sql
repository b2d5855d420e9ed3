{#-
    How a table, a view or a seed comes into the work file: one text of
    statements that all hold or none. The earlier table goes, the new one comes
    with its rows and comments, and nobody sees half of it. dbt-duckdb makes it
    beside the earlier one, renames both, and asks the catalogue ten questions;
    with few rows that is most of the time of a build.

    The begin and the end are part of the text unless a hook has to run between.
-#}
{% macro in_one_transaction() -%}
    {%- set is_whole = not pre_hooks and not post_hooks -%}
    {{- run_hooks(pre_hooks, inside_transaction=False) if not is_whole -}}
    {{- run_hooks(pre_hooks, inside_transaction=True) if not is_whole -}}
    {%- set statements = caller() -%}
    {%- call statement('main', auto_begin=not is_whole) -%}
        {{- 'begin transaction;' if is_whole }}
        {{ statements }}
        {{ 'commit;' if is_whole -}}
    {%- endcall -%}
    {%- if not is_whole -%}
        {{- run_hooks(post_hooks, inside_transaction=True) -}}
        {%- do adapter.commit() -%}
        {{- run_hooks(post_hooks, inside_transaction=False) -}}
    {%- endif -%}
{%- endmacro %}


{#- What clears the place of an earlier table or view, or of none. -#}
{% macro dropped(earlier) -%}
    {%- if config.get('indexes') -%}
        {{- exceptions.raise_compiler_error(
            model.name ~ ': the tables of this project have keys and no indexes'
        ) -}}
    {%- endif -%}
    {%- if earlier is not none -%}
        drop {{ earlier.type }} {{ earlier }};
    {%- endif %}
{%- endmacro %}


{#-
    The comments of a table or view, from its card. `known` has those that it
    carries already, by column and its own under none: they are not said again.
-#}
{% macro relation_comments(relation, known={}) -%}
    {%- set text = model.description -%}
    {%- if config.persist_relation_docs() and text and known[none] != text -%}
        comment on {{ relation.type }} {{ relation }}
            is '{{ text | replace("'", "''") }}';
    {%- endif -%}
    {%- if config.persist_column_docs() -%}
        {%- for column in model.columns.values()
            if known[column.name] != column.description %}
        comment on column {{ relation }}.{{ column.name }}
            is '{{ column.description | replace("'", "''") }}';
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
