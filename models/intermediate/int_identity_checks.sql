-- Each identity of each report, summed side by side and judged.
with

term_values as (

    select * from {{ ref('int_identity_term_values') }}

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
        {%- for side in ['left', 'right'] %}
        cast(
            sum(case when side = '{{ side }}' then signed_value end)
            as decimal(28, 4)
        ) as {{ side }}_value,
        count(*) filter (where side = '{{ side }}' and signed_value is null)
            as {{ side }}_missing_count,
        {%- endfor %}
        count(*) filter (where signed_value is null and is_unbounded)
            as unbounded_count,
        count(*) filter (where is_approximate) as approximate_count,
        count(*) filter (where not is_certain_reading) as uncertain_count
    from term_values
    group by
        identity_check_key,
        report_id,
        identity_code,
        subject_metric_code,
        subject_applicant_type_code

),

final as (

    select
        summed.identity_check_key,
        summed.report_id,
        summed.identity_code,
        summed.subject_metric_code,
        summed.subject_applicant_type_code,
        identities.kind_code,
        identities.relation,
        identities.severity,
        identities.statement_zh,
        case
            when summed.approximate_count + summed.unbounded_count > 0
                then 'not_assessable'
            else {{ identity_status(
                'identities.relation',
                'identities.tolerance',
                'summed.left_value',
                'summed.left_missing_count',
                'summed.right_value',
                'summed.right_missing_count',
            ) }}
        end as status,
        summed.left_value,
        summed.right_value,
        summed.left_missing_count + summed.right_missing_count
            as missing_term_count,
        summed.uncertain_count = 0 as is_certain_reading
    from summed
    inner join identities
        on summed.identity_code = identities.identity_code

)

select * from final
