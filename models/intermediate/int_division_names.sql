-- How a division is written in front of the name of a body: alone or after what
-- stands above it, whole, without its end (a county keeps it), or by the
-- customary name of autonomous places.
with

divisions as (

    select * from {{ ref('dim_division') }}

),

customary as (

    select
        division_key,
        case
            when division_name like short_name || '自治%' then null
            when division_name like '%自治区' then short_name || '自治区'
            when division_name like '%自治州' then short_name || '州'
            when division_name like '%自治县' then short_name || '县'
            when division_name like '%自治旗' then short_name || '旗'
        end as division_name
    from divisions

),

named as (

    select division_key, division_name from divisions
    union
    select division_key, division_name from customary
    where division_name is not null
    union
    select division_key, short_name from divisions
    where level_code <> 'county'

),

above as (

    select division_key, '' as place_above from divisions
    union
    select divisions.division_key, named.division_name as place_above
    from divisions
    inner join named on divisions.province_key = named.division_key
    where divisions.level_code <> 'province'
    union
    select divisions.division_key, named.division_name as place_above
    from divisions
    inner join named on divisions.city_key = named.division_key
    where divisions.level_code = 'county'
    union
    select
        divisions.division_key,
        divisions.province_name || named.division_name as place_above
    from divisions
    inner join named on divisions.city_key = named.division_key
    where divisions.level_code = 'county'

),

final as (

    select distinct
        divisions.division_id,
        above.place_above || named.division_name as place_name
    from divisions
    inner join named on divisions.division_key = named.division_key
    inner join above on divisions.division_key = above.division_key

)

select * from final
