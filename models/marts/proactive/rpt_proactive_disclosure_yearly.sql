{{ config(
    materialized='incremental',
    pre_hook='{{ forget_touched_years() }}',
) }}
{{ yearly_wide_table('proactive_disclosure') }}
