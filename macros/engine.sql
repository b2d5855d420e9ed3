{#- Where engines differ. Everything else is written once, in the common dialect. -#}

{% macro join_list(list_column, separator) %}
    {{- return(adapter.dispatch('join_list', 'gongkai')(list_column, separator)) -}}
{% endmacro %}

{% macro default__join_list(list_column, separator) -%}
    array_to_string({{ list_column }}, '{{ separator }}')
{%- endmacro %}

{% macro spark__join_list(list_column, separator) -%}
    array_join({{ list_column }}, '{{ separator }}')
{%- endmacro %}


{% macro join_rows(expression, separator) %}
    {{- return(adapter.dispatch('join_rows', 'gongkai')(expression, separator)) -}}
{% endmacro %}

{% macro default__join_rows(expression, separator) -%}
    string_agg(distinct {{ expression }}, '{{ separator }}' order by {{ expression }})
{%- endmacro %}

{% macro spark__join_rows(expression, separator) -%}
    array_join(sort_array(collect_set({{ expression }})), '{{ separator }}')
{%- endmacro %}


{% macro integers_between(first, last, column_name) %}
    {{- return(adapter.dispatch('integers_between', 'gongkai')(first, last, column_name)) -}}
{% endmacro %}

{% macro default__integers_between(first, last, column_name) -%}
    select cast(range as integer) as {{ column_name }}
    from range({{ first }}, {{ last }} + 1)
{%- endmacro %}

{% macro spark__integers_between(first, last, column_name) -%}
    select cast(id as integer) as {{ column_name }}
    from range({{ first }}, {{ last }} + 1)
{%- endmacro %}


{% macro join_in_order(expression, separator, order) %}
    {{- return(adapter.dispatch('join_in_order', 'gongkai')(
        expression, separator, order
    )) -}}
{% endmacro %}

{% macro default__join_in_order(expression, separator, order) -%}
    string_agg({{ expression }}, '{{ separator }}' order by {{ order }})
{%- endmacro %}

{% macro spark__join_in_order(expression, separator, order) -%}
    array_join(
        transform(
            sort_array(collect_list(struct({{ order }}, {{ expression }}))),
            pair -> pair.col2
        ),
        '{{ separator }}'
    )
{%- endmacro %}


{#-
    A token of every file that decides what a build makes of the same rows.
-#}
{% macro project_token() %}
    {{- return(adapter.dispatch('project_token', 'gongkai')()) -}}
{% endmacro %}

{% macro default__project_token() -%}
    {%- set folder = invocation_args_dict.get('project_dir') or '.' -%}
    (
        select md5(string_agg(md5(content), '' order by filename))
        from read_text([
            {%- for name in [
                'dbt_project.yml',
                'models/**/*.sql',
                'models/**/*.yml',
                'macros/**/*.sql',
                'seeds/**/*.csv',
            ] %}
            '{{ folder }}/{{ name }}'{{ ',' if not loop.last }}
            {%- endfor %}
        ])
    )
{%- endmacro %}


{% macro without_match(expression, pattern) %}
    {{- return(adapter.dispatch('without_match', 'gongkai')(
        expression, pattern
    )) -}}
{% endmacro %}

{% macro default__without_match(expression, pattern) -%}
    regexp_replace({{ expression }}, '{{ pattern }}', '')
{%- endmacro %}

{#- All matches and not the first: the same where the pattern has an anchor. -#}
{% macro spark__without_match(expression, pattern) -%}
    regexp_replace({{ expression }}, r'{{ pattern }}', '')
{%- endmacro %}


{#- A file of values as a table, refused unless it has each of these columns. -#}
{% macro csv_file(path, delimiter, types) %}
    {{- return(adapter.dispatch('csv_file', 'gongkai')(path, delimiter, types)) -}}
{% endmacro %}

{% macro duckdb__csv_file(path, delimiter, types) -%}
    read_csv(
        '{{ path | replace("'", "''") }}',
        header = true,
        delim = '{{ delimiter }}',
        types = {
            {%- for column, type in types.items() %}
            '{{ column }}': '{{ type }}'{{ ',' if not loop.last }}
            {%- endfor %}
        }
    )
{%- endmacro %}
