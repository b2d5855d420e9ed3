-- Question: which figures does the text of reports give otherwise than the
-- table?
-- Read: one row a metric and kind of conflict; the widest gap shows how far
-- apart the two can be. Single cases with their words:
-- rpt_source_inconsistency.
-- Caveats: the text may count on another basis (with carry-over, one office
-- only), round, or quote a part as the whole. Blanks against a stated zero are
-- left out.
with

conflicts as (

    select * from {{ ref('fct_value_conflict') }}
    where losing_value is not null

),

metrics as (

    select * from {{ ref('dim_metric') }}

),

final as (

    select
        conflicts.metric_code,
        metrics.label_zh,
        conflicts.conflict_kind,
        count(*) as conflict_count,
        count(distinct conflicts.report_id) as report_count,
        max(abs(conflicts.value - conflicts.losing_value)) as widest_gap
    from conflicts
    inner join metrics
        on conflicts.metric_code = metrics.metric_code
    group by
        conflicts.metric_code,
        metrics.label_zh,
        conflicts.conflict_kind

)

select * from final
order by
    report_count desc nulls last,
    metric_code asc nulls last,
    conflict_kind asc nulls last
