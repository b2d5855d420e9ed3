{#-
    Every number that a run left in the history, as one long list: what was
    judged or measured, by which measure, and the value.
-#}
{% macro quality_measures() %}
{%- set failed = "('fail', 'error', 'runtime error', 'skipped')" -%}
    select
        checks.run_id,
        'expectation' as subject_kind,
        results.rule_id as subject_code,
        case
            when results.unexpected_count is not null
                or results.expectation_type = 'unexpected_rows_expectation'
                then 'unexpected_rows'
            else 'observed_value'
        end as measure_code,
        coalesce(
            cast(results.unexpected_count as double),
            try_cast(results.observed as double)
        ) as value
    from {{ source('quality', 'check_results') }} as results
    inner join {{ source('quality', 'check_runs') }} as checks
        on results.check_id = checks.check_id
    where results.rule_id is not null
    union all
    select
        checks.run_id,
        'expectation' as subject_kind,
        results.rule_id as subject_code,
        'failed' as measure_code,
        case when results.is_success then 0.0 else 1.0 end as value
    from {{ source('quality', 'check_results') }} as results
    inner join {{ source('quality', 'check_runs') }} as checks
        on results.check_id = checks.check_id
    where results.rule_id is not null
    union all
    select
        run_id,
        'dbt_' || resource_type as subject_kind,
        unique_id as subject_code,
        'failed' as measure_code,
        case when status in {{ failed }} then 1.0 else 0.0 end as value
    from {{ source('quality', 'dbt_results') }}
    union all
    select
        run_id,
        'dbt_test' as subject_kind,
        unique_id as subject_code,
        'unexpected_rows' as measure_code,
        cast(failure_count as double) as value
    from {{ source('quality', 'dbt_results') }}
    where resource_type = 'test'
    union all
    select
        run_id,
        'dbt_model' as subject_kind,
        unique_id as subject_code,
        'execution_seconds' as measure_code,
        execution_seconds as value
    from {{ source('quality', 'dbt_results') }}
    where resource_type = 'model' and status = 'success'
    union all
    select
        run_id,
        'table' as subject_kind,
        schema_name || '.' || table_name as subject_code,
        'row_count' as measure_code,
        cast(row_count as double) as value
    from {{ source('quality', 'table_counts') }}
    {%- for measure in ['wall_seconds', 'cpu_seconds', 'peak_memory_mb'] %}
    union all
    select
        run_id,
        'step' as subject_kind,
        step_code as subject_code,
        '{{ measure }}' as measure_code,
        {{ measure }} as value
    from {{ source('quality', 'step_timings') }}
    where status = 'done'
    {%- endfor %}
{% endmacro %}
