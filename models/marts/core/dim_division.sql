-- Spans end where the name of a division or of one above it changes, so that
-- one row of each parent covers the whole span.
with

divisions as (

    select * from {{ ref('divisions') }}

),

successions as (

    select * from {{ ref('division_successions') }}

),

renamed as (

    select * from successions
    where succession_kind = 'renamed'

),

-- A code given anew is another division: its line begins in that year.
lines as (

    select
        divisions.*,
        case
            when given_anew.succession_year <= divisions.valid_from_year
                then
                    divisions.division_code || '-'
                    || cast(given_anew.succession_year as string)
            else divisions.division_code
        end as line_code,
        divisions.province_code in ('710000', '810000', '820000')
            as is_outside_the_form
    from divisions
    left join successions as given_anew
        on
            divisions.division_code = given_anew.predecessor_code
            and divisions.division_code = given_anew.successor_code

),

final as (

    select
        {{ surrogate_key(['lines.division_code', 'lines.valid_from_year']) }}
            as division_key,
        coalesce(
            earlier.predecessor_code, renamed.predecessor_code, lines.line_code
        ) as division_id,
        {{ surrogate_key([
            'provinces.division_code', 'provinces.valid_from_year'
        ]) }} as province_key,
        case when cities.division_code is not null then {{ surrogate_key([
            'cities.division_code', 'cities.valid_from_year'
        ]) }} end as city_key,
        lines.division_code,
        lines.name_zh as division_name,
        lines.full_name_zh as full_name,
        lines.short_name_zh as short_name,
        case
            when lines.is_outside_the_form then null
            when lines.name_zh like '%地区' or lines.name_zh like '%盟'
                then lines.full_name_zh || '行政公署'
            else lines.full_name_zh || '人民政府'
        end as government_name,
        lines.level_code,
        lines.parent_code,
        lines.province_code,
        provinces.name_zh as province_name,
        lines.prefecture_code as city_code,
        cities.name_zh as city_name,
        case when lines.level_code = 'county' then lines.division_code end
            as county_code,
        case when lines.level_code = 'county' then lines.name_zh end
            as county_name,
        lines.valid_from_year,
        lines.valid_to_year
    from lines
    inner join divisions as provinces
        on
            lines.province_code = provinces.division_code
            and lines.valid_from_year between provinces.valid_from_year
            and coalesce(provinces.valid_to_year, 9999)
    left join divisions as cities
        on
            lines.prefecture_code = cities.division_code
            and lines.valid_from_year between cities.valid_from_year
            and coalesce(cities.valid_to_year, 9999)
    -- The longest line has three codes; a test says when one grows longer.
    left join renamed
        on lines.division_code = renamed.successor_code
    left join renamed as earlier
        on renamed.predecessor_code = earlier.successor_code

)

select * from final
