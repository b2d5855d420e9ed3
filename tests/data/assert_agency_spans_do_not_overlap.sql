-- A report joins the one span of its body that holds in its year. Two spans of
-- a year mean a wrong row of a registry, or two divisions taken for one.
select
    ones.agency_id,
    ones.agency_key,
    others.agency_key as other_agency_key
from {{ ref('dim_agency') }} as ones
inner join {{ ref('dim_agency') }} as others
    on
        ones.agency_id = others.agency_id
        and ones.agency_key < others.agency_key
        and coalesce(ones.valid_from_year, 0)
        <= coalesce(others.valid_to_year, 9999)
        and coalesce(others.valid_from_year, 0)
        <= coalesce(ones.valid_to_year, 9999)
