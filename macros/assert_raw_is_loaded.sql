{#- Stops before the first model when the loaders have not written their tables. -#}
{% macro assert_raw_is_loaded() %}
    {% if execute and flags.WHICH in ('build', 'run', 'test') %}
        {% set missing = [] %}
        {% for node in graph.sources.values() %}
            {% set relation = adapter.get_relation(
                database=target.database,
                schema=node.schema,
                identifier=node.identifier
            ) %}
            {% if relation is none %}
                {% do missing.append(node.schema ~ '.' ~ node.name) %}
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
