{{ config(
    materialized='incremental',
    pre_hook='{{ forget_touched() }}',
) }}
{{ yearly_wide_table('requests', by_applicant_type=['requests_received_new']) }}
