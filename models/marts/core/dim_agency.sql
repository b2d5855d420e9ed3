with

listed as (

    select
        {{ surrogate_key(['agency_id', 'valid_from_year']) }} as agency_key,
        agency_id,
        agency_name,
        level_code,
        kind_code,
        parent_agency_id,
        valid_from_year,
        valid_to_year
    from {{ ref('agencies') }}

),

divisions as (

    select * from {{ ref('dim_division') }}

),

levels as (

    select * from {{ ref('agency_levels') }}

),

reported as (

    select * from {{ ref('int_agencies_reported') }}

),

printed as (

    select
        agencies.agency_key,
        {{ join_rows('reports.agency_name_raw', '、') }} as printed_names
    from {{ ref('int_report_agencies') }} as agencies
    inner join {{ ref('stg_raw__reports') }} as reports
        on agencies.report_id = reports.report_id
    group by agencies.agency_key

),

governments as (

    select
        {{ surrogate_key([
            "'gov-' || divisions.division_id", 'divisions.valid_from_year'
        ]) }} as agency_key,
        'gov-' || divisions.division_id as agency_id,
        divisions.division_key,
        divisions.government_name as agency_name,
        levels.level_code,
        case
            when divisions.level_code = 'province' then 'cn-state-council'
            else 'gov-' || coalesce(cities.division_id, provinces.division_id)
        end as parent_agency_id
    from divisions
    inner join levels
        on divisions.level_code = levels.division_level_code
    inner join divisions as provinces
        on divisions.province_key = provinces.division_key
    left join divisions as cities
        on
            divisions.city_key = cities.division_key
            and divisions.level_code = 'county'
    where divisions.government_name is not null

),

agencies as (

    select
        agency_key, agency_id, cast(null as string) as division_key,
        agency_name, level_code, kind_code, parent_agency_id,
        valid_from_year, valid_to_year, false as is_provisional
    from listed
    union all
    select
        agency_key, agency_id, division_key,
        agency_name, level_code, 'government' as kind_code, parent_agency_id,
        null as valid_from_year, null as valid_to_year, false as is_provisional
    from governments
    union all
    select
        agency_key, agency_id, division_key,
        agency_name, level_code, kind_code, parent_agency_id,
        null as valid_from_year, null as valid_to_year, is_provisional
    from reported

),

final as (

    select
        agencies.agency_key,
        agencies.agency_id,
        agencies.division_key,
        agencies.agency_name,
        printed.printed_names,
        agencies.level_code,
        agencies.kind_code,
        divisions.division_code,
        divisions.province_name,
        divisions.city_name,
        divisions.county_name,
        agencies.parent_agency_id,
        -- The list of divisions begins in 2008: what is older is open.
        coalesce(
            agencies.valid_from_year, nullif(divisions.valid_from_year, 2008)
        ) as valid_from_year,
        coalesce(agencies.valid_to_year, divisions.valid_to_year)
            as valid_to_year,
        agencies.is_provisional
    from agencies
    left join divisions
        on agencies.division_key = divisions.division_key
    left join printed
        on agencies.agency_key = printed.agency_key

)

select * from final
