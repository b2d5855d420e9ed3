-- Renamed is the same body, with a new span from that year; merged and split
-- are another. A line of divisions that was renamed more often than
-- dim_division follows falls apart, and is found here.
select
    successions.predecessor_agency_id,
    successions.successor_agency_id,
    successions.succession_kind,
    successions.succession_year
from {{ ref('bridge_agency_succession') }} as successions
left join {{ ref('dim_agency') }} as spans
    on
        successions.successor_agency_id = spans.agency_id
        and successions.succession_year = spans.valid_from_year
where
    (successions.succession_kind = 'renamed')
    <> (successions.predecessor_agency_id = successions.successor_agency_id)
    or (successions.succession_kind = 'renamed' and spans.agency_key is null)
