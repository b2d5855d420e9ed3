{#- Stops before the first model when the loaders have not written their tables. -#}
{% macro assert_raw_is_loaded() %}
    {% if execute and flags.WHICH in ('build', 'run', 'test') %}
        {% set missing = [] %}
        {% for name in ['documents', 'reports', 'metric_rows', 'issues', 'runs'] %}
            {% set relation = adapter.get_relation(
                database=target.database, schema='raw', identifier=name
            ) %}
            {% if relation is none %}
                {% do missing.append('raw.' ~ name) %}
            {% endif %}
        {% endfor %}
        {% if missing %}
            {{ exceptions.raise_compiler_error(
                'No ' ~ missing | join(', ') ~ ' in the work file'
                ~ (' ' ~ target.path if target.path else '') ~ '. '
                ~ 'Run `gongkai load SOURCE` first, then build again.'
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}
