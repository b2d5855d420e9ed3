-- The printed figures with the corrections of the register: value and status
-- are the corrected ones, the printed text and its place stay. What a person
-- looked up is not weighed against a second reading.
{{ config(materialized='view') }}

with

metric_rows as (

    select * from {{ ref('stg_raw__metric_rows') }}

),

corrections as (

    select * from {{ ref('int_corrections_met') }}
    where status = 'applied'

),

final as (

    select
        metric_rows.metric_row_id,
        metric_rows.report_id,
        metric_rows.source_kind,
        metric_rows.metric_code,
        metric_rows.applicant_type_code,
        coalesce(corrections.new_value_status, metric_rows.value_status)
            as value_status,
        metric_rows.match_method,
        metric_rows.unit,
        metric_rows.label_raw,
        metric_rows.column_label_raw,
        metric_rows.value_raw,
        metric_rows.snippet,
        metric_rows.locator,
        metric_rows.page_number,
        metric_rows.table_number,
        metric_rows.start_char_number,
        case
            when corrections.correction_id is null then metric_rows.value
            else corrections.new_value
        end as value,
        metric_rows.match_score,
        case
            when corrections.correction_id is null
                then metric_rows.second_reading
        end as second_reading,
        case
            when corrections.correction_id is null
                then metric_rows.second_value
        end as second_value,
        metric_rows.is_approximate,
        metric_rows.is_read_by_ocr,
        corrections.correction_id
    from metric_rows
    left join corrections
        on metric_rows.metric_row_id = corrections.metric_row_id

)

select * from final
