-- Of several reports of one agency for one year the one published last speaks,
-- and where the dates do not tell, the one that a later run loaded; the others
-- stay visible but out of the facts, those with the same figures as its copies.
-- Copies are one version, so which of them speaks does not depend on the order
-- in which they came. A quarantined report does not compete: the next one
-- speaks in its place, and says so.
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

twin_facts as (

    select
        twins.report_id,
        count(distinct twins.twin_document_id) as twin_count,
        max(reports.loaded_at) as twin_loaded_at
    from twins
    left join reports on twins.twin_report_id = reports.report_id
    group by twins.report_id

),

versions as (

    select
        reports.*,
        -- A document without a twin holds its report alone.
        1 + cast(coalesce(twin_facts.twin_count, 0) as integer)
            as document_count,
        greatest(
            reports.loaded_at,
            coalesce(twin_facts.twin_loaded_at, reports.loaded_at)
        ) as version_loaded_at
    from reports
    left join twin_facts on reports.report_id = twin_facts.report_id

),

ranked as (

    select
        *,
        not is_rejected and not is_quarantined as is_readable,
        first_value(report_id) over (
            partition by is_rejected or is_quarantined, body_year
            order by
                published_date desc nulls last,
                version_loaded_at desc nulls last,
                document_id asc nulls last,
                report_id asc nulls last
        ) as latest_report_id,
        first_value(report_id) over (
            partition by is_rejected, body_year
            order by
                published_date desc nulls last,
                version_loaded_at desc nulls last,
                document_id asc nulls last,
                report_id asc nulls last
        ) as last_version_report_id
    from versions

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
                and ranked.report_id <> ranked.last_version_report_id
                then ranked.last_version_report_id
        end as stands_in_for_report_id,
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

)

select * from final
