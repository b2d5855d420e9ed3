with

source as (

    select * from {{ source('raw', 'reports') }}

),

final as (

    select
        report_id,
        document_id,
        nullif(trim(agency_name), '') as agency_name,
        nullif({{ join_list('co_agency_names', '、') }}, '')
            as co_agency_names,
        agency_name_raw,
        form_code,
        scope as scope_code,
        title,
        division_code,
        cast(report_year as integer) as report_year,
        cast(table_year as integer) as table_year,
        published_date,
        period_start_date,
        period_end_date
    from source

)

select * from final
