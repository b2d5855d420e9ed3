-- Which reports may be added up for an area. The aggregate of a government
-- speaks for its division and covers every other report inside; a report that
-- nothing covers stands for itself. What could overlap unseen is left out.
with

reports as (

    select * from {{ ref('dim_report') }}
    where is_in_facts

),

placed as (

    select
        reports.report_id,
        reports.report_year,
        divisions.division_key,
        case
            when divisions.level_code = 'county' then divisions.division_key
        end
            as county_key,
        divisions.city_key,
        divisions.province_key,
        case
            when reports.scope_code = 'area_aggregate' then 'aggregate'
            when reports.scope_code = 'government_itself' then 'government'
            when agencies.kind_code in ('government', 'government_office')
                then 'government'
            else 'member'
        end as layer_code,
        case
            when divisions.division_key is null then 'no_division'
            when agencies.kind_code = 'vertical' then 'vertical'
            when reports.scope_code not in (
                'own', 'government_itself', 'area_aggregate'
            ) then reports.scope_code
            when
                reports.scope_code = 'area_aggregate'
                and coalesce(agencies.kind_code, '')
                not in ('government', 'government_office')
                then 'smaller_area'
        end as reason_code,
        case agencies.kind_code when 'government' then 1 else 2 end
            as kind_order,
        case reports.scope_code when 'own' then 2 else 1 end as scope_order
    from reports
    inner join {{ ref('dim_agency') }} as agencies
        on reports.agency_key = agencies.agency_key
    left join {{ ref('dim_division') }} as divisions
        on agencies.division_key = divisions.division_key

),

-- A government and its office may print the same figures twice.
ranked as (

    select
        *,
        row_number() over (
            partition by
                division_key, report_year, layer_code, reason_code is null
            order by
                scope_order nulls last,
                kind_order nulls last,
                report_id nulls last
        ) as layer_rank
    from placed

),

judged as (

    select
        *,
        case
            when reason_code is not null then reason_code
            when layer_code <> 'member' and layer_rank > 1
                then 'second_' || layer_code
        end as left_out_reason
    from ranked

),

aggregates as (

    select * from judged
    where layer_code = 'aggregate' and left_out_reason is null

),

covered as (

    select
        judged.*,
        case
            when counties.report_id <> judged.report_id
                then counties.report_id
        end as county_cover_id,
        case
            when cities.report_id <> judged.report_id
                then cities.report_id
        end as city_cover_id,
        case
            when provinces.report_id <> judged.report_id
                then provinces.report_id
        end as province_cover_id
    from judged
    left join aggregates as counties
        on
            judged.county_key = counties.division_key
            and judged.report_year = counties.report_year
    left join aggregates as cities
        on
            judged.city_key = cities.division_key
            and judged.report_year = cities.report_year
    left join aggregates as provinces
        on
            judged.province_key = provinces.division_key
            and judged.report_year = provinces.report_year

),

final as (

    select
        report_id,
        division_key,
        case
            when left_out_reason is null and county_cover_id is null
                then county_key
        end as counted_county_key,
        case
            when
                left_out_reason is null
                and coalesce(county_cover_id, city_cover_id) is null
                then city_key
        end as counted_city_key,
        case
            when
                left_out_reason is null
                and coalesce(county_cover_id, city_cover_id, province_cover_id)
                is null
                then province_key
        end as counted_province_key,
        coalesce(county_cover_id, city_cover_id, province_cover_id)
            as covered_by_report_id,
        left_out_reason,
        report_year,
        layer_code = 'aggregate' and left_out_reason is null
            as is_area_aggregate,
        left_out_reason is null
        and coalesce(county_cover_id, city_cover_id, province_cover_id) is null
            as is_in_totals
    from covered

)

select * from final
