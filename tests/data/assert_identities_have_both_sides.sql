-- A relation needs something on either side.
select
    identities.identity_code,
    count(*) filter (where identity_terms.side = 'left') as left_count,
    count(*) filter (where identity_terms.side = 'right') as right_count
from {{ ref('identities') }} as identities
left join {{ ref('identity_terms') }} as identity_terms
    on identities.identity_code = identity_terms.identity_code
group by identities.identity_code
having
    count(*) filter (where identity_terms.side = 'left') = 0
    or count(*) filter (where identity_terms.side = 'right') = 0
