with

source as (

    select * from {{ source('raw', 'issues') }}

),

final as (

    select
        document_id,
        report_id,
        issue_code,
        severity,
        message,
        locator,
        {{ locator_number('locator', 'table') }} as table_number
    from source

)

select * from final
