-- An identity whose term names a metric that the catalogue, or the form of the
-- identity, does not have could never be assessed and nobody would notice.
select
    identities.form_code,
    identity_terms.identity_code,
    identity_terms.metric_code,
    metrics.metric_code is null as is_unknown_metric
from {{ ref('identity_terms') }} as identity_terms
left join {{ ref('identities') }} as identities
    on identity_terms.identity_code = identities.identity_code
left join {{ ref('metrics') }} as metrics
    on identity_terms.metric_code = metrics.metric_code
left join {{ ref('form_metrics') }} as form_metrics
    on
        identities.form_code = form_metrics.form_code
        and identity_terms.metric_code = form_metrics.metric_code
where
    identity_terms.metric_code <> '*'
    and (metrics.metric_code is null or form_metrics.metric_code is null)
