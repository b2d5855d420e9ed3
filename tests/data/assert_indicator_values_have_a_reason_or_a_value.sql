-- A value or a reason, never both or none; the value is what its parts give.
select
    indicator_value_key,
    indicator_code,
    value,
    numerator,
    denominator,
    null_reason_code
from {{ made_rows(ref('fct_indicator_value'), 'report_id') }}
where
    (value is null) <> (null_reason_code is not null)
    or (change is null) <> (change_null_reason_code is not null)
    or (value is not null and missing_term_count > 0)
    or (
        value is not null and indicator_kind_code = 'ratio'
        and coalesce(denominator, 0) <= 0
    )
    or (
        value is not null and indicator_kind_code <> 'ratio'
        and value <> cast(numerator as double)
    )
