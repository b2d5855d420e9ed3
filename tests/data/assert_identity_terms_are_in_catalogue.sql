-- An identity whose term names a metric that the catalogue, or the form of the
-- identity, does not have could never be assessed and nobody would notice.
-- The macro stops with a message that names the identity and the code.
{% do refuse_unknown_identity_codes() %}
select identity_code
from {{ ref('identity_terms') }}
where identity_code is null
