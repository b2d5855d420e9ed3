-- Bodies that are neither listed nor governments, described by what their names
-- prove: the ending gives the kind, the place the division, both the level.
{% set zones = ['开发区', '高新', '园区', '保税', '新区', '示范区', '试验区',
    '度假区', '景区', '名胜区', '管委会', '村', '镇', '街道', '苏木', '乡'] %}
{% set harmless = ['城乡建设', '城乡规划', '城乡管理', '城乡统筹',
    '乡村振兴', '乡镇企业', '农村'] %}
with

reports as (

    select * from {{ ref('int_report_agencies') }}
    where identity_source in ('provisional', 'government_office')

),

suffixes as (

    select * from {{ ref('organ_suffixes') }}

),

agencies as (

    select
        agency_key,
        agency_id,
        division_key,
        identity_source,
        min(agency_name) as agency_name,
        -- A note behind the name, such as (本级), is no ending.
        min({{ without_match('normalised_name', '[(][^()]*[)]$') }})
            as plain_name,
        {{ without_words(
            'min(coalesce(name_behind_place, normalised_name))', harmless
        ) }} as own_name,
        min(name_behind_place) as name_behind_place
    from reports
    group by agency_key, agency_id, division_key, identity_source

),

endings as (

    select
        agencies.agency_key,
        suffixes.kind_code,
        row_number() over (
            partition by agencies.agency_key
            order by length(suffixes.suffix_zh) desc nulls last
        ) as ending_rank
    from agencies
    inner join suffixes
        on agencies.plain_name like '%' || suffixes.suffix_zh

),

kinds as (

    select
        agencies.*,
        -- 国家…局 is no department of a local government.
        case
            when
                agencies.division_key is null
                and endings.kind_code = 'department'
                and regexp_extract(
                    agencies.plain_name, '^(国家|国务院|中国|中华|中央)', 1
                ) <> ''
                then null
            else endings.kind_code
        end as kind_code,
        divisions.division_id,
        divisions.level_code as division_level_code,
        divisions.government_name,
        -- The department of a zone or a town is not of the division before it.
        endings.kind_code in ('department', 'government_office')
        and regexp_extract(
            agencies.own_name, '({{ zones | join('|') }})', 1
        ) = '' as is_of_division
    from agencies
    left join endings
        on
            agencies.agency_key = endings.agency_key
            and endings.ending_rank = 1
    left join {{ ref('dim_division') }} as divisions
        on agencies.division_key = divisions.division_key

),

final as (

    select
        kinds.agency_key,
        kinds.agency_id,
        kinds.division_key,
        kinds.agency_name,
        case
            when kinds.kind_code in ('township_government', 'street_office')
                then 'township'
            when kinds.kind_code = 'functional_area' then 'functional'
            when
                kinds.is_of_division
                or (
                    kinds.kind_code = 'vertical'
                    and kinds.name_behind_place is not null
                )
                then levels.level_code
        end as level_code,
        kinds.kind_code,
        case
            when kinds.government_name is null then null
            when
                kinds.is_of_division
                or (
                    kinds.kind_code in ('township_government', 'street_office')
                    and kinds.division_level_code = 'county'
                )
                then 'gov-' || kinds.division_id
        end as parent_agency_id,
        kinds.identity_source = 'provisional' as is_provisional
    from kinds
    left join {{ ref('agency_levels') }} as levels
        on kinds.division_level_code = levels.division_level_code

)

select * from final
