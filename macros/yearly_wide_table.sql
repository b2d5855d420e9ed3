{#-
    One row per agency and year, one column per metric of a subject.

    Columns come from the seeds, and the card of the table is generated from the
    same seeds (`python -m loaders.cards`); the contract compares the two.
    A metric with applicant types shows its total; the metrics in
    `by_applicant_type` show each type as well. A cell is a value or null;
    a derived value shows as a stated one does, and `derived_count` tells.
-#}
{% macro yearly_wide_table(subject_code, by_applicant_type=[]) %}
{%- set columns = wide_table_columns(subject_code, by_applicant_type) %}
{%- set reliabilities = [
    'consistent', 'unchecked', 'source_inconsistent', 'extraction_suspect'
] -%}
with

reports as (

    select * from {{ ref('dim_report') }}
    where is_in_facts and {{ in_touched_reports() }}

),

metrics as (

    select * from {{ ref('dim_metric') }}
    where subject_code = '{{ subject_code }}'

),

layers as (

    select * from {{ ref('int_report_layers') }}

),

-- Columns have numbers, for comparing two texts a column and figure is slow. A
-- figure of no column, such as a part that has none, has no number.
cells as (

    select
        metric_code,
        applicant_type_code,
        cell_number
    from (
        values
        ('', '', 0)
    {%- for column in columns %}
    {%- set cell_number = loop.index %}
    {%- for applicant_type_code in (
        [column.applicant_type_code]
        if column.applicant_type_code else ['total', 'not_applicable']
    ) %},
        ('{{ column.metric_code }}', '{{ applicant_type_code }}', {{ cell_number }})
    {%- endfor %}
    {%- endfor %}
    ) as cell (metric_code, applicant_type_code, cell_number)

),

figures as (

    select
        fct_metric_value.*,
        cells.cell_number
    from {{ ref('fct_metric_value') }} as fct_metric_value
    inner join metrics
        on fct_metric_value.metric_code = metrics.metric_code
    left join cells
        on
            fct_metric_value.metric_code = cells.metric_code
            and fct_metric_value.applicant_type_code = cells.applicant_type_code
    where {{ in_touched_reports('fct_metric_value.report_id') }}

),

pivoted as (

    select
        report_id,
        {%- for column in columns %}
        max(case
            when cell_number = {{ loop.index }} then value
        end) as {{ column.name }},
        {%- endfor %}
        count(value) as value_count,
        count(*) filter (where source_kind = 'derived') as derived_count,
        {%- for reliability in reliabilities %}
        count(*) filter (where reliability = '{{ reliability }}')
            as {{ reliability }}_count,
        {%- endfor %}
        count(*) filter (where has_conflict) as conflict_count
    from figures
    group by report_id

),

final as (

    select
        reports.agency_key,
        reports.agency_id,
        reports.report_id,
        reports.agency_name,
        reports.scope_code,
        reports.form_code,
        reports.report_year,
        {%- for column in columns %}
        pivoted.{{ column.name }},
        {%- endfor %}
        -- A report without a figure of the subject has none to count.
        {%- for count in ['value', 'derived'] + reliabilities + ['conflict'] %}
        coalesce(pivoted.{{ count }}_count, 0) as {{ count }}_count,
        {%- endfor %}
        layers.is_in_totals
    from reports
    inner join layers
        on reports.report_id = layers.report_id
    left join pivoted
        on reports.report_id = pivoted.report_id

)

select * from final
{%- endmacro %}
