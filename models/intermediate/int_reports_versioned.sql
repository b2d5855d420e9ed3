-- Of several reports of one agency for one year the one loaded last speaks;
-- the others stay visible but out of the facts, those with the same figures as
-- its copies.
with

reports as (

    select * from {{ ref('int_reports_identified') }}

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
        first_value(report_id) over (
            -- Reports of unknown years are never versions of each other.
            partition by
                is_rejected,
                agency_id,
                coalesce(cast(report_year as string), report_id)
            order by
                loaded_at desc nulls last,
                published_date desc nulls last,
                document_id asc nulls last,
                report_id asc nulls last
        ) as latest_report_id
    from reports

),

final as (

    select
        ranked.*,
        case
            when ranked.is_rejected then 'document_rejected'
            when twins.report_id is not null then 'copy'
            when ranked.report_id <> ranked.latest_report_id then 'superseded'
            when ranked.report_year is null then 'report_year_unknown'
        end as exclusion_reason,
        case
            when
                not ranked.is_rejected
                and ranked.report_id <> ranked.latest_report_id
                and twins.report_id is null
                then ranked.latest_report_id
        end as superseded_by_report_id,
        twins.twin_report_id as copy_of_report_id,
        -- A document without a twin holds its report alone.
        1 + cast(coalesce(twin_counts.twin_count, 0) as integer)
            as document_count,
        not ranked.is_rejected
        and ranked.report_id = ranked.latest_report_id as is_current,
        not ranked.is_rejected
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
