-- A body is one that is listed, the government (or its general office) of the
-- division that its name names, or one known by its name and its place only. A
-- name that says no place, or a place that could be several, is shared by many:
-- each of its reports is of a body of its own, so that none are merged wrongly.
with

places as (

    select * from {{ ref('int_report_places') }}

),

listed as (

    select * from {{ ref('int_report_listed_agencies') }}

),

suffixes as (

    select suffix_zh as name_behind_place, organ_kind
    from {{ ref('organ_suffixes') }}
    where organ_kind in ('government', 'government_office')
    union all
    -- 某市2008年政府信息公开年度报告 is the report of the government.
    select '' as name_behind_place, 'government' as organ_kind

),

lengths as (

    {{ integers_between(2, 12, 'place_length') }}

),

-- The loaders refused its place: several have that name, or none in that year.
refused as (

    select distinct places.report_id
    from places
    cross join lengths
    inner join {{ ref('dim_division') }} as divisions
        on
            substr(places.normalised_name, 1, lengths.place_length)
            = divisions.division_name
    where
        places.division_id is null
        and length(places.normalised_name) >= lengths.place_length

),

identified as (

    select
        places.*,
        listed.valid_from_year as listed_from_year,
        listed.agency_id as listed_agency_id,
        case
            when not places.has_government then null
            when suffixes.organ_kind = 'government'
                then 'gov-' || places.division_id
            when suffixes.organ_kind = 'government_office'
                then 'office-' || places.division_id
        end as government_agency_id,
        case
            when places.division_id is not null
                then
                    'place:' || places.division_id || ':'
                    || coalesce(
                        places.name_behind_place, places.normalised_name
                    )
            when
                {{ names_a_place('places.normalised_name') }}
                and refused.report_id is null
                then 'name:' || places.normalised_name
            else 'report:' || places.report_id
        end as provisional_name
    from places
    left join listed on places.report_id = listed.report_id
    left join suffixes
        on places.name_behind_place = suffixes.name_behind_place
    left join refused on places.report_id = refused.report_id

),

keyed as (

    select
        *,
        coalesce(
            listed_agency_id,
            government_agency_id,
            'prov-' || substr(md5(provisional_name), 1, 16)
        ) as agency_id,
        case
            when listed_agency_id is not null then listed_from_year
            else division_from_year
        end as span_from_year
    from identified

),

final as (

    select
        report_id,
        {{ surrogate_key(['agency_id', 'span_from_year']) }} as agency_key,
        agency_id,
        case when listed_agency_id is null then division_key end
            as division_key,
        agency_name,
        normalised_name,
        name_behind_place,
        case
            when listed_agency_id is not null then 'listed'
            when government_agency_id like 'gov-%' then 'government'
            when government_agency_id is not null then 'government_office'
            else 'provisional'
        end as identity_source
    from keyed

)

select * from final
