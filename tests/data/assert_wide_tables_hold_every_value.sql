-- Each value of the facts stands in one cell of one wide table: a total (or a
-- metric without applicant types) in its metric's column, and nothing besides.
{% set tables = {
    'requests': 'rpt_requests_yearly',
    'proactive_disclosure': 'rpt_proactive_disclosure_yearly',
    'remedies': 'rpt_remedies_yearly',
    'capacity': 'rpt_capacity_yearly',
} %}
with

cells as (

    {%- for subject_code, table in tables.items() %}
    {%- set columns = wide_table_columns(subject_code) %}
    select
        '{{ subject_code }}' as subject_code,
        {%- for column in columns %}
        count({{ column.name }}) +
        {%- endfor %} 0 as cell_count,
        {%- for column in columns %}
        coalesce(sum({{ column.name }}), 0) +
        {%- endfor %} 0 as cell_sum
    from {{ made_rows(ref(table), 'report_id') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

made as (

    select metric_code, applicant_type_code, value
    from {{ made_rows(ref('fct_metric_value'), 'report_id') }}

),

figures as (

    select
        dim_metric.subject_code,
        count(made.value) as value_count,
        coalesce(sum(made.value), 0) as value_sum
    from {{ ref('dim_metric') }} as dim_metric
    left join made
        on
            dim_metric.metric_code = made.metric_code
            and made.applicant_type_code in ('total', 'not_applicable')
    group by dim_metric.subject_code

)

select
    figures.subject_code,
    figures.value_count,
    cells.cell_count,
    figures.value_sum,
    cells.cell_sum
from figures
left join cells
    on figures.subject_code = cells.subject_code
where
    cells.cell_count is distinct from figures.value_count
    or cells.cell_sum is distinct from figures.value_sum
