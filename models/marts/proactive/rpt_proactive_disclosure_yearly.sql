{{ config(
    materialized='incremental',
    pre_hook='{{ forget_touched() }}',
) }}
{{ yearly_wide_table('proactive_disclosure') }}
