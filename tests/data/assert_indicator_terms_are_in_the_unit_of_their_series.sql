-- A term of a series in another unit has the factor between the two, or none
-- where the metric is of another kind; a count of 件 and of 条 is one kind.
select
    terms.indicator_code,
    terms.form_code,
    terms.metric_code,
    metrics.unit as metric_unit,
    indicators.unit as indicator_unit,
    terms.factor
from {{ ref('int_indicator_terms') }} as terms
inner join {{ ref('metrics') }} as metrics
    on terms.metric_code = metrics.metric_code
inner join {{ ref('dim_indicator') }} as indicators
    on terms.indicator_code = indicators.indicator_code
where
    indicators.indicator_kind_code <> 'ratio'
    and terms.factor is distinct from case
        when metrics.unit = indicators.unit then 1
        when metrics.unit in ('件', '条') and indicators.unit in ('件', '条')
            then 1
        when metrics.unit = '元' and indicators.unit = '万元' then 0.0001
    end
