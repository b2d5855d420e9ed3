-- Groups that a form prints no cell for: the sum of their printed children
-- where each of them has a figure, else the figure that the report states.
with

figures as (

    select * from {{ ref('fct_metric_value') }}
    where {{ in_looked_at_reports() }}

),

form_metrics as (

    select * from {{ ref('form_metrics') }}

),

children as (

    select
        children.form_code,
        children.metric_code,
        children.parent_metric_code as group_metric_code,
        count(*) over (
            partition by children.form_code, children.parent_metric_code
        ) as child_count
    from form_metrics as children
    inner join form_metrics as parents
        on
            children.form_code = parents.form_code
            and children.parent_metric_code = parents.metric_code
            and parents.place_code = 'derived'

),

members as (

    select
        figures.*,
        children.group_metric_code,
        children.child_count,
        true as is_child
    from figures
    inner join children
        on
            figures.form_code = children.form_code
            and figures.metric_code = children.metric_code
    union all
    select
        figures.*,
        figures.metric_code as group_metric_code,
        null as child_count,
        false as is_child
    from figures
    inner join form_metrics
        on
            figures.form_code = form_metrics.form_code
            and figures.metric_code = form_metrics.metric_code
            and form_metrics.place_code = 'derived'

),

summed as (

    select
        report_id,
        group_metric_code as metric_code,
        applicant_type_code,
        count(case when is_child then value end)
        = max(child_count) as is_sum_of_children,
        {{ worst_of(
            'case when is_child and value is null then value_status end',
            ['illegible', 'blank', 'not_applicable'],
        ) }} as missing_status,
        max(child_count) - count(case when is_child then 1 end)
            as absent_count,
        sum(case when is_child then value end) as child_sum,
        {%- for kind, condition in {
            'child': 'is_child', 'own': 'not is_child'
        }.items() %}
        {{ worst_of("case when " ~ condition ~ " then reliability end", [
            'extraction_suspect', 'source_inconsistent', 'unchecked',
            'consistent',
        ]) }} as {{ kind }}_reliability,
        count(*) filter (where {{ condition }} and is_approximate) > 0
            as is_{{ kind }}_approximate,
        {%- endfor %}
        max(case when not is_child then value end) as own_value
    from members
    group by report_id, group_metric_code, applicant_type_code

),

final as (

    select
        report_id,
        metric_code,
        applicant_type_code,
        case
            when is_sum_of_children or own_value is not null then 'number'
            when absent_count > 0 then 'absent'
            else missing_status
        end as value_status,
        case
            when is_sum_of_children then child_reliability
            else coalesce(own_reliability, child_reliability)
        end as reliability,
        cast(
            case when is_sum_of_children then child_sum else own_value end
            as decimal(20, 4)
        ) as value,
        case
            when is_sum_of_children then is_child_approximate
            else is_own_approximate
        end as is_approximate
    from summed

)

select * from final
