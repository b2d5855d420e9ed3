-- Of several reports of one agency for one year the one loaded last speaks;
-- the others stay visible but out of the facts.
with

reports as (

    select * from {{ ref('stg_raw__reports') }}

),

documents as (

    select * from {{ ref('stg_raw__documents') }}

),

agencies as (

    select * from {{ ref('int_report_agencies') }}

),

joined as (

    select
        reports.*,
        agencies.agency_key,
        agencies.agency_id,
        documents.source_uri,
        documents.media_type,
        documents.script,
        documents.loaded_at,
        documents.document_status = 'rejected' as is_rejected
    from reports
    inner join agencies on reports.report_id = agencies.report_id
    inner join documents on reports.document_id = documents.document_id

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
    from joined

),

final as (

    select
        *,
        case
            when is_rejected then 'document_rejected'
            when report_id <> latest_report_id then 'superseded'
            when report_year is null then 'report_year_unknown'
        end as exclusion_reason,
        case
            when not is_rejected and report_id <> latest_report_id
                then latest_report_id
        end as superseded_by_report_id,
        not is_rejected and report_id = latest_report_id as is_current,
        not is_rejected
        and report_id = latest_report_id
        and report_year is not null as is_in_facts
    from ranked

)

select * from final
