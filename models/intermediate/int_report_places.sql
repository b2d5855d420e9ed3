-- The division that the loaders read from the name of the body, as it stood in
-- the year of the report, and what the name says behind the place.
{% set state_bodies = '^(国家税务总局|国家统计局|中国人民银行|中共)' %}
with

reports as (

    select
        report_id,
        agency_name,
        division_code,
        report_year,
        {{ normalised_name('agency_name') }} as normalised_name
    from {{ ref('stg_raw__reports') }}

),

divisions as (

    select * from {{ ref('dim_division') }}

),

division_names as (

    select * from {{ ref('int_division_names') }}

),

named as (

    select
        reports.report_id,
        divisions.division_id,
        row_number() over (
            partition by reports.report_id
            order by
                {{ years_apart(
                    'divisions.valid_from_year',
                    'divisions.valid_to_year',
                    'reports.report_year'
                ) }},
                divisions.valid_from_year desc nulls last
        ) as place_rank
    from reports
    inner join divisions
        on reports.division_code = divisions.division_code

),

-- A name may be a year ahead of its change: the year decides, not the code.
spans as (

    select
        named.report_id,
        divisions.*,
        row_number() over (
            partition by named.report_id
            order by
                {{ years_apart(
                    'divisions.valid_from_year',
                    'divisions.valid_to_year',
                    'reports.report_year'
                ) }},
                divisions.valid_from_year desc nulls last
        ) as span_rank
    from named
    inner join reports on named.report_id = reports.report_id
    inner join divisions on named.division_id = divisions.division_id
    where named.place_rank = 1

),

-- A body of the State has its place behind its own name.
places as (

    select
        reports.report_id,
        max(length(division_names.place_name)) as place_length
    from reports
    inner join spans
        on
            reports.report_id = spans.report_id
            and spans.span_rank = 1
    inner join division_names
        on
            spans.division_id = division_names.division_id
            and substr(
                {{ without_match('reports.normalised_name', state_bodies) }},
                1,
                length(division_names.place_name)
            ) = division_names.place_name
    group by reports.report_id

),

final as (

    select
        reports.report_id,
        spans.division_key,
        spans.division_id,
        reports.agency_name,
        reports.normalised_name,
        regexp_extract(reports.normalised_name, '{{ state_bodies }}', 1)
        || substr(
            {{ without_match('reports.normalised_name', state_bodies) }},
            places.place_length + 1
        ) as name_behind_place,
        reports.report_year,
        spans.valid_from_year as division_from_year,
        spans.government_name is not null as has_government
    from reports
    left join spans
        on
            reports.report_id = spans.report_id
            and spans.span_rank = 1
    left join places on reports.report_id = places.report_id

)

select * from final
