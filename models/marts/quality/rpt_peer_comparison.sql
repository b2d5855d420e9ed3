-- Where a body stands among the bodies of its level, kind, scope and year.
-- A value takes part where it can be believed and its denominator is not small.
{{ config(
    materialized='incremental',
    pre_hook='{{ forget_touched("report_year") }}',
) }}
{%- set group_columns = [
    'indicator_code',
    'report_year',
    'level_code',
    'kind_code',
    'scope_code',
] %}
with

indicator_values as (

    select * from {{ ref('fct_indicator_value') }}
    where {{ in_touched_years() }}

),

agencies as (

    select * from {{ ref('dim_agency') }}

),

judged as (

    select
        indicator_values.*,
        agencies.agency_name,
        agencies.level_code,
        agencies.kind_code,
        agencies.province_name,
        case
            when indicator_values.value is null then 'no_value'
            when indicator_values.reliability = 'extraction_suspect'
                then 'reading_in_doubt'
            when agencies.level_code is null or agencies.kind_code is null
                then 'peers_unknown'
            when indicator_values.scope_code = 'unknown' then 'peers_unknown'
            when indicator_values.is_small_denominator
                then 'small_denominator'
            else 'compared'
        end as status
    from indicator_values
    inner join agencies
        on indicator_values.agency_key = agencies.agency_key

),

peers as (

    select
        report_id,
        indicator_code,
        {%- for column in group_columns[1:] %}
        {{ column }},
        {%- endfor %}
        cast(value as double) as peer_value,
        count(*) over (
            partition by {{ group_columns | join(', ') }}
        ) as peer_count,
        row_number() over (
            partition by {{ group_columns | join(', ') }}
            order by value asc nulls last, report_id asc nulls last
        ) as peer_order,
        percent_rank() over (
            partition by {{ group_columns | join(', ') }}
            order by value asc nulls last
        ) as peer_rank
    from judged
    where status = 'compared'

),

peer_groups as (

    select
        {%- for column in group_columns %}
        {{ column }},
        {%- endfor %}
        max(peer_count) as group_count,
        -- The middle value, or the mean of the two in the middle.
        avg(case
            when peer_order * 2 between peer_count and peer_count + 2
                then peer_value
        end) as peer_median
    from peers
    group by {{ group_columns | join(', ') }}

),

final as (

    select
        judged.agency_key,
        judged.agency_id,
        judged.report_id,
        judged.agency_name,
        judged.level_code,
        judged.kind_code,
        judged.province_name,
        judged.form_code,
        judged.scope_code,
        judged.indicator_code,
        judged.indicator_kind_code,
        judged.unit,
        judged.comparability_grade,
        case
            when
                judged.status = 'compared'
                and peer_groups.group_count < {{ var('minimum_peer_count') }}
                then 'too_few_peers'
            else judged.status
        end as comparison_status,
        judged.report_year,
        cast(judged.value as double) as value,
        cast(coalesce(peer_groups.group_count, 0) as integer) as peer_count,
        case
            when peer_groups.group_count >= {{ var('minimum_peer_count') }}
                then peer_groups.peer_median
        end as peer_median,
        case
            when peer_groups.group_count >= {{ var('minimum_peer_count') }}
                then round(peers.peer_rank * 100, 1)
        end as peer_percentile
    from judged
    left join peers
        on
            judged.report_id = peers.report_id
            and judged.indicator_code = peers.indicator_code
    left join peer_groups
        on
            judged.indicator_code = peer_groups.indicator_code
            {%- for column in group_columns[1:] %}
            and judged.{{ column }} = peer_groups.{{ column }}
            {%- endfor %}

)

select * from final
