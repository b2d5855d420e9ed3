-- The figures of two versions of a report side by side, where they differ.
with

revisions as (

    select * from {{ ref('int_report_revisions') }}

),

figures as (

    select * from {{ ref('int_revised_values_ranked') }}
    where winner_rank = 1

),

sides as (

    select revisions.report_id as new_report_id, 'new' as side, figures.*
    from revisions
    inner join figures on revisions.report_id = figures.report_id
    union all
    select revisions.report_id as new_report_id, 'old' as side, figures.*
    from revisions
    inner join figures on revisions.old_report_id = figures.report_id

),

paired as (

    select
        new_report_id,
        metric_code,
        applicant_type_code,
        {%- for side in ['old', 'new'] %}
        {%- for column in ['metric_row_id', 'value_status', 'value'] %}
        max(case when side = '{{ side }}' then {{ column }} end)
            as {{ side }}_{{ column }},
        {%- endfor %}
        {%- endfor %}
        count(*) filter (where not is_certain_reading) = 0
            as is_certain_reading
    from sides
    group by new_report_id, metric_code, applicant_type_code

),

final as (

    select
        *,
        case
            when old_value_status is null then 'added'
            when new_value_status is null then 'removed'
            when old_value <> new_value then 'changed'
            else 'status_changed'
        end as change_kind
    from paired
    where
        old_value_status is distinct from new_value_status
        or old_value is distinct from new_value

)

select * from final
