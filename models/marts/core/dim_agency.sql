with

agencies as (

    select * from {{ ref('int_report_agencies') }}

),

reports as (

    select * from {{ ref('stg_raw__reports') }}

),

final as (

    select
        agencies.agency_key,
        agencies.agency_id,
        min(agencies.agency_name) as agency_name,
        {{ join_rows('reports.agency_name_raw', '、') }} as printed_names,
        -- Filled once a registry of bodies is there.
        cast(null as string) as level_code,
        cast(null as string) as kind_code,
        cast(null as string) as division_code,
        cast(null as string) as province_name,
        cast(null as string) as city_name,
        cast(null as string) as county_name,
        cast(null as string) as parent_agency_id,
        cast(null as integer) as valid_from_year,
        cast(null as integer) as valid_to_year,
        true as is_provisional
    from agencies
    inner join reports
        on agencies.report_id = reports.report_id
    group by agencies.agency_key, agencies.agency_id

)

select * from final
