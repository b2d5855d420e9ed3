-- Only a printed number or a statement that there is none carries a value.
select
    metric_value_key,
    value_status,
    value
from {{ made_rows(ref('fct_metric_value'), 'report_id') }}
where
    (value_status in ('number', 'none_stated')) <> (value is not null)
    or (value_status = 'none_stated' and value <> 0)
