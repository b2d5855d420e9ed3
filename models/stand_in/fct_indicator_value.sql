-- STAND-IN of the mart that another branch brings; dropped in the merge.
{{ config(schema='marts', materialized='table') }}
select
    report_id,
    agency_key,
    agency_id,
    form_code,
    scope_code,
    cast(null as string) as indicator_code,
    cast(null as string) as indicator_kind_code,
    cast(null as string) as unit,
    cast(null as string) as comparability_grade,
    cast(null as string) as value_status,
    cast(null as string) as reliability,
    report_year,
    cast(null as decimal(28, 6)) as value,
    cast(null as decimal(28, 6)) as numerator,
    cast(null as decimal(28, 6)) as denominator,
    cast(null as boolean) as is_small_denominator,
    cast(null as decimal(28, 6)) as previous_value,
    cast(null as decimal(28, 6)) as change
from {{ ref('dim_report') }}
where 1 = 0
