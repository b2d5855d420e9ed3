-- Governments follow their divisions; the other successions are listed.
with

listed as (

    select * from {{ ref('agency_successions') }}

),

divisions as (

    select distinct division_code, division_id, valid_from_year, valid_to_year
    from {{ ref('dim_division') }}
    where government_name is not null

),

division_successions as (

    select * from {{ ref('division_successions') }}

),

-- The line of a code before and in the year of the change.
governments as (

    select distinct
        'gov-' || predecessors.division_id as predecessor_agency_id,
        'gov-' || successors.division_id as successor_agency_id,
        successions.succession_year,
        successions.succession_kind
    from division_successions as successions
    inner join divisions as predecessors
        on
            successions.predecessor_code = predecessors.division_code
            and successions.succession_year > predecessors.valid_from_year
            and successions.succession_year
            <= coalesce(predecessors.valid_to_year, 9999) + 1
    inner join divisions as successors
        on
            successions.successor_code = successors.division_code
            and successions.succession_year between successors.valid_from_year
            and coalesce(successors.valid_to_year, 9999)

),

united as (

    select
        predecessor_agency_id,
        successor_agency_id,
        succession_kind,
        legal_basis,
        succession_year
    from listed
    union all
    select
        predecessor_agency_id,
        successor_agency_id,
        succession_kind,
        cast(null as string) as legal_basis,
        succession_year
    from governments

),

final as (

    select
        {{ surrogate_key([
            'predecessor_agency_id', 'successor_agency_id', 'succession_year'
        ]) }} as agency_succession_key,
        *
    from united

)

select * from final
