-- A correction that no longer finds what it corrects stops the build: the
-- source or the reading changed, and nobody looked whether it is still needed.
select
    correction_id,
    status,
    document_id,
    metric_code,
    coalesce(expected_value_raw, '') as expected_value_raw,
    expected_value,
    met_value_raw,
    met_value,
    met_locator,
    case
        when status = 'ambiguous'
            then 'give the locator of the figure in seeds/corrections.csv,'
        when metric_row_id is null
            then 'no such figure is read any more: look at the document,'
        else 'the figure is read otherwise now: look at it,'
    end
    || ' and remove the correction or renew what it expects' as next_step
from {{ ref('int_corrections_met') }}
where status in ('stale', 'ambiguous')
