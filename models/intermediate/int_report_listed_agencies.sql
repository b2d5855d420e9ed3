-- Reports whose body is listed: its name, whole or as an alias, in the years of
-- that name or a year beside them, and of no other body.
with

places as (

    select
        report_id,
        report_year,
        -- 中华人民共和国教育部 is 教育部.
        {{ without_match('normalised_name', '^中华人民共和国') }} as plain_name
    from {{ ref('int_report_places') }}

),

agencies as (

    select * from {{ ref('agencies') }}

),

aliases as (

    select * from {{ ref('agency_aliases') }}

),

names as (

    select agency_name as plain_name, agency_id, valid_from_year, valid_to_year
    from agencies
    union all
    select alias_zh as plain_name, agency_id, valid_from_year, valid_to_year
    from aliases

),

matched as (

    select
        places.report_id,
        names.agency_id,
        rank() over (
            partition by places.report_id
            order by {{ years_apart(
                'names.valid_from_year',
                'names.valid_to_year',
                'places.report_year'
            ) }}
        ) as name_rank
    from places
    inner join names on places.plain_name = names.plain_name
    where
        {{ years_apart(
            'names.valid_from_year', 'names.valid_to_year', 'places.report_year'
        ) }} <= 1

),

sure as (

    select report_id, min(agency_id) as agency_id
    from matched
    where name_rank = 1
    group by report_id
    having count(distinct agency_id) = 1

),

spans as (

    select
        sure.report_id,
        sure.agency_id,
        agencies.valid_from_year,
        row_number() over (
            partition by sure.report_id
            order by
                {{ years_apart(
                    'agencies.valid_from_year',
                    'agencies.valid_to_year',
                    'places.report_year'
                ) }},
                agencies.valid_from_year desc nulls last
        ) as span_rank
    from sure
    inner join places on sure.report_id = places.report_id
    inner join agencies on sure.agency_id = agencies.agency_id

),

final as (

    select report_id, agency_id, valid_from_year
    from spans
    where span_rank = 1

)

select * from final
