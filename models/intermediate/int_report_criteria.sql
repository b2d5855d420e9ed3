-- What a report reaches of what each criterion counts. What can not be judged
-- has no row.
{%- set days = var('lateness_limit_days') %}
with

cells as (

    select * from {{ ref('int_report_cells') }}

),

timeliness as (

    select * from {{ ref('rpt_timeliness') }}
    where status in ('on_time', 'late') and {{ in_touched_reports() }}

),

checks as (

    select * from {{ ref('fct_identity_check') }}
    where severity = 'error' and {{ in_touched_reports() }}

),

figures as (

    select * from {{ ref('fct_metric_value') }}
    where
        value is not null
        and source_kind <> 'derived'
        and {{ in_touched_reports() }}

),

final as (

    select
        report_id,
        'completeness' as criterion_code,
        understood_cell_count as reached_count,
        demanded_cell_count as possible_count
    from cells
    union all
    select
        report_id,
        'consistency' as criterion_code,
        count(case when status = 'holds' then 1 end) as reached_count,
        count(*) as possible_count
    from checks
    -- A failure that may be a misreading says nothing of the report.
    where status = 'holds' or (status = 'fails' and is_certain_reading)
    group by report_id
    union all
    select
        report_id,
        'timeliness' as criterion_code,
        case
            when status = 'on_time' then {{ days }}
            else greatest({{ days }} - days_after_deadline, 0)
        end as reached_count,
        {{ days }} as possible_count
    from timeliness
    union all
    select
        report_id,
        'evidence' as criterion_code,
        count(case
            when
                source_kind = 'table'
                and match_method = 'exact'
                and reliability <> 'extraction_suspect'
                and (not is_read_by_ocr or second_reading = 'agrees')
                then 1
        end) as reached_count,
        count(*) as possible_count
    from figures
    group by report_id

)

select * from final
