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

final as (

    select
        reports.*,
        agencies.agency_key,
        agencies.agency_id,
        agencies.division_key,
        documents.source_uri,
        documents.media_type,
        documents.script,
        documents.run_id,
        documents.loaded_at,
        documents.document_status = 'rejected' as is_rejected
    from reports
    inner join agencies on reports.report_id = agencies.report_id
    inner join documents on reports.document_id = documents.document_id

)

select * from final
