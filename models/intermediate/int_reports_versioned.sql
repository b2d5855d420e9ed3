-- Of several reports of one agency for one year the one loaded last speaks;
-- the others stay visible but out of the facts, those with the same figures as
-- its copies. A quarantined report does not compete: the next one speaks in its
-- place, and says so.
with

quarantined as (

    select distinct report_id from {{ ref('int_report_quarantine') }}

),

reports as (

    select
        identified.*,
        -- Reports of unknown years are never versions of each other.
        identified.agency_id || ' ' || coalesce(
            cast(identified.report_year as string), identified.report_id
        ) as body_year,
        quarantined.report_id is not null as is_quarantined
    from {{ ref('int_reports_identified') }} as identified
    left join quarantined
        on identified.report_id = quarantined.report_id

),

twins as (

    select * from {{ ref('int_report_twins') }}

),

twin_counts as (

    select
        report_id,
        count(distinct twin_document_id) as twin_count
    from twins
    group by report_id

),

ranked as (

    select
        *,
        not is_rejected and not is_quarantined as is_readable,
        first_value(report_id) over (
            partition by is_rejected or is_quarantined, body_year
            order by
                loaded_at desc nulls last,
                published_date desc nulls last,
                document_id asc nulls last,
                report_id asc nulls last
        ) as latest_report_id,
        first_value(report_id) over (
            partition by is_rejected, body_year
            order by
                loaded_at desc nulls last,
                published_date desc nulls last,
                document_id asc nulls last,
                report_id asc nulls last
        ) as last_loaded_report_id
    from reports

),

final as (

    select
        ranked.*,
        case
            when ranked.is_rejected then 'document_rejected'
            when ranked.is_quarantined then 'quarantined'
            when twins.report_id is not null then 'copy'
            when ranked.report_id <> ranked.latest_report_id then 'superseded'
            when ranked.report_year is null then 'report_year_unknown'
        end as exclusion_reason,
        case
            when
                ranked.is_readable
                and ranked.report_id <> ranked.latest_report_id
                and twins.report_id is null
                then ranked.latest_report_id
        end as superseded_by_report_id,
        case when ranked.is_readable then twins.twin_report_id end
            as copy_of_report_id,
        case
            when
                ranked.is_readable
                and ranked.report_id = ranked.latest_report_id
                and ranked.report_id <> ranked.last_loaded_report_id
                then ranked.last_loaded_report_id
        end as stands_in_for_report_id,
        -- A document without a twin holds its report alone.
        1 + cast(coalesce(twin_counts.twin_count, 0) as integer)
            as document_count,
        ranked.is_readable
        and ranked.report_id = ranked.latest_report_id as is_current,
        ranked.is_readable
        and ranked.report_id = ranked.latest_report_id
        and ranked.report_year is not null as is_in_facts
    from ranked
    left join twins
        on
            ranked.report_id = twins.report_id
            and ranked.latest_report_id = twins.twin_report_id
    left join twin_counts on ranked.report_id = twin_counts.report_id

)

select * from final
