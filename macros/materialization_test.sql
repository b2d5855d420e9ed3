{#-
    A test asks one question, which needs no transaction of its own. What keeps
    its failures writes, and is left to dbt.
-#}
{% materialization test, adapter='duckdb' %}
    {%- if should_store_failures() -%}
        {{- return(materialization_test_default()) -}}
    {%- endif -%}
    {%- call statement('main', fetch_result=True, auto_begin=False) -%}
        {{- get_test_sql(
            get_limit_subquery_sql(sql, config.get('limit')),
            config.get('fail_calc'),
            config.get('warn_if'),
            config.get('error_if'),
            limit=none
        ) -}}
    {%- endcall -%}
    {{- return({'relations': []}) -}}
{% endmaterialization %}
