with

source as (

    select * from {{ source('raw', 'metric_rows') }}

),

final as (

    select
        metric_row_id,
        report_id,
        source_kind,
        metric_code,
        applicant_type as applicant_type_code,
        value_status,
        match_method,
        unit,
        label_raw,
        column_label_raw,
        value_raw,
        snippet,
        locator,
        cast(page_number as integer) as page_number,
        {{ locator_number('locator', 'table') }} as table_number,
        {{ locator_number('locator', 'chars') }} as start_char_number,
        cast(value as decimal(20, 4)) as value,
        cast(match_score as double) as match_score,
        second_reading,
        cast(second_value as decimal(20, 4)) as second_value,
        is_approximate,
        coalesce(is_read_by_ocr, false) as is_read_by_ocr
    from source

)

select * from final
