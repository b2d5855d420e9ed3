-- One verdict per identity: where it admits several readings it holds if one of
-- them does, and fails only if none of them can.
with

-- Most identities have one reading, which needs no ranking.
readings as (

    select
        *,
        1 as reading_rank
    from {{ ref('int_identity_readings') }}
    where reading_code = 'only'
    union all
    select
        *,
        row_number() over (
            partition by identity_check_key
            order by
                case status
                    when 'holds' then 1 when 'not_assessable' then 2 else 3
                end nulls last,
                reading_order nulls last
        ) as reading_rank
    from {{ ref('int_identity_readings') }}
    where reading_code <> 'only'

),

containment as (

    select * from {{ ref('int_identity_containment') }}

),

final as (

    select
        identity_check_key,
        report_id,
        cast(null as string) as aggregate_report_id,
        identity_code,
        subject_metric_code,
        subject_applicant_type_code,
        kind_code,
        relation,
        severity,
        reading_code,
        case
            when status = 'holds' and reading_code <> 'only'
                then reading_code
        end as matched_reading_code,
        statement_zh,
        status,
        reason_code,
        left_value,
        right_value,
        missing_term_count,
        is_certain_reading
    from readings
    where reading_rank = 1
    union all
    select
        identity_check_key,
        report_id,
        aggregate_report_id,
        identity_code,
        subject_metric_code,
        subject_applicant_type_code,
        kind_code,
        relation,
        severity,
        'only' as reading_code,
        cast(null as string) as matched_reading_code,
        statement_zh,
        status,
        case when status = 'not_assessable' then 'figure_approximate' end
            as reason_code,
        left_value,
        right_value,
        0 as missing_term_count,
        is_certain_reading
    from containment

)

select * from final
