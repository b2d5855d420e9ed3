{#-
    Each reading of each identity of a report, summed side by side and judged.
    The one place where terms become sums: a model of terms in, a query out.
-#}
{% macro judged_readings(terms) %}
with

term_values as (

    select * from {{ terms }}

),

identities as (

    select * from {{ ref('identities') }}

),

summed as (

    select
        identity_check_key,
        report_id,
        identity_code,
        subject_metric_code,
        subject_applicant_type_code,
        reading_code,
        min(reading_order) as reading_order,
        {%- for side in ['left', 'right'] %}
        cast(sum(case when side = '{{ side }}' then signed_value end)
            as decimal(28, 4)) as {{ side }}_value,
        count(*) filter (where side = '{{ side }}' and signed_value is null)
            as {{ side }}_missing_count,
        {%- endfor %}
        count(*) filter (where signed_value is null and is_unbounded)
            as unbounded_count,
        count(*) filter (where term_report_id is null) as unreported_count,
        count(*) filter (where is_approximate) as approximate_count,
        count(*) filter (where not is_certain_reading) as uncertain_count
    from term_values
    group by
        identity_check_key,
        report_id,
        identity_code,
        subject_metric_code,
        subject_applicant_type_code,
        reading_code

),

judged as (

    select
        summed.*,
        identities.kind_code,
        identities.relation,
        identities.severity,
        identities.statement_zh,
        case
            when
                summed.approximate_count
                + summed.unbounded_count
                + summed.unreported_count > 0
                then 'not_assessable'
            else {{ identity_status(
                'identities.relation',
                'identities.tolerance',
                'summed.left_value',
                'summed.left_missing_count',
                'summed.right_value',
                'summed.right_missing_count',
            ) }}
        end as status
    from summed
    inner join identities
        on summed.identity_code = identities.identity_code

),

final as (

    select
        *,
        case
            when status <> 'not_assessable' then null
            when unreported_count > 0 then 'no_previous_report'
            when approximate_count > 0 then 'figure_approximate'
            else 'figure_missing'
        end as reason_code,
        left_missing_count + right_missing_count as missing_term_count,
        uncertain_count = 0 as is_certain_reading
    from judged

)

select
    identity_check_key,
    report_id,
    identity_code,
    subject_metric_code,
    subject_applicant_type_code,
    reading_code,
    kind_code,
    relation,
    severity,
    status,
    reason_code,
    statement_zh,
    reading_order,
    left_value,
    right_value,
    missing_term_count,
    is_certain_reading
from final
{% endmacro %}
