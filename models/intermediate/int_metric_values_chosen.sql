-- The figure of the facts for each cell of a report, with the rule that chose
-- it: the printing that wins, or a derived figure where none states a value.
with

ranked as (

    select * from {{ ref('int_metric_values_ranked') }}

),

printed as (

    select
        winners.*,
        case
            when rivals.metric_row_id is null then 'only_one'
            when winners.value is not null and rivals.value is null
                then 'stated_over_blank'
            when winners.source_kind <> rivals.source_kind
                then 'table_over_narrative'
            when rivals.is_approximate and not winners.is_approximate
                then 'exact_over_approximate'
            else 'first_place'
        end as choice_rule_code
    from ranked as winners
    left join ranked as rivals
        on
            winners.report_id = rivals.report_id
            and winners.metric_code = rivals.metric_code
            and winners.applicant_type_code = rivals.applicant_type_code
            and rivals.winner_rank = 2
    where winners.winner_rank = 1

),

reliability as (

    select * from {{ ref('int_metric_value_reliability') }}

),

derived as (

    select
        *,
        'derived' as source_kind,
        'number' as value_status,
        false as is_approximate,
        'derived' as choice_rule_code
    from {{ ref('int_metric_values_derived') }}

),

final as (

    select
        {%- for column in [
            'report_id', 'metric_code', 'applicant_type_code', 'source_kind',
            'value_status', 'value', 'is_approximate', 'is_read_by_ocr',
            'choice_rule_code',
        ] %}
        coalesce(derived.{{ column }}, printed.{{ column }}) as {{ column }},
        {%- endfor %}
        printed.metric_row_id,
        printed.value_status as printed_value_status,
        derived.identity_code as derivation_identity_code,
        coalesce(derived.reliability, reliability.reliability) as reliability,
        printed.match_method,
        printed.label_raw,
        printed.column_label_raw,
        printed.value_raw,
        printed.snippet,
        printed.locator,
        printed.page_number,
        printed.match_score,
        printed.second_reading,
        printed.second_value,
        printed.correction_id
    from printed
    full outer join derived
        on
            printed.report_id = derived.report_id
            and printed.metric_code = derived.metric_code
            and printed.applicant_type_code = derived.applicant_type_code
    left join reliability
        on printed.metric_row_id = reliability.metric_row_id

)

select * from final
