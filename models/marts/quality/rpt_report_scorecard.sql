-- Four criteria and their weighted mean, by the formula of docs/scorecard.md. A
-- criterion that can not be judged is left out, not counted as nothing.
{%- set parts = {
    'completeness': ['understood_cell_count', 'demanded_cell_count'],
    'consistency': ['held_identity_count', 'assessed_identity_count'],
    'timeliness': [],
    'evidence': ['firm_figure_count', 'figure_count'],
} %}
{{ config(
    materialized='incremental',
    pre_hook='{{ forget_touched() }}',
) }}
with

reports as (

    select * from {{ ref('dim_report') }}
    where is_in_facts and report_year is not null and {{ in_touched_reports() }}

),

scores as (

    select
        criteria.*,
        weights.weight,
        -- Exact decimals: sums do not depend on the order of the rows.
        cast(round(
            cast(criteria.reached_count as double)
            / cast(criteria.possible_count as double),
            4
        ) as decimal(5, 4)) as score
    from {{ ref('int_report_criteria') }} as criteria
    left join {{ ref('scorecard_weights') }} as weights
        on criteria.criterion_code = weights.criterion_code

),

scored as (

    select
        report_id,
        {%- for criterion, counts in parts.items() %}
        {%- for column in counts %}
        max(case
            when criterion_code = '{{ criterion }}'
                then {{ ['reached_count', 'possible_count'][loop.index0] }}
        end) as {{ column }},
        {%- endfor %}
        max(case when criterion_code = '{{ criterion }}' then score end)
            as {{ criterion }}_score,
        {%- endfor %}
        cast(round(
            cast(sum(weight * score) as double)
            / cast(sum(weight) as double),
            4
        ) as decimal(5, 4)) as overall_score,
        count(*) as criterion_count
    from scores
    group by report_id

),

final as (

    select
        reports.report_id,
        reports.agency_key,
        reports.agency_id,
        reports.agency_name,
        reports.form_code,
        reports.scope_code,
        reports.report_year,
        scored.demanded_cell_count,
        scored.understood_cell_count,
        cells.blank_cell_count,
        cells.illegible_cell_count,
        cells.missing_cell_count,
        scored.assessed_identity_count,
        scored.held_identity_count,
        timeliness.days_after_deadline,
        scored.figure_count,
        scored.firm_figure_count,
        {%- for criterion in parts %}
        scored.{{ criterion }}_score,
        {%- endfor %}
        scored.overall_score,
        -- A report that nothing judges has no score.
        coalesce(scored.criterion_count, 0) as criterion_count
    from reports
    left join scored
        on reports.report_id = scored.report_id
    left join {{ ref('int_report_cells') }} as cells
        on reports.report_id = cells.report_id
    left join {{ ref('rpt_timeliness') }} as timeliness
        on reports.report_id = timeliness.report_id

)

select * from final
