-- The reports whose reading breaks a rule of quarantine, with what was met.
with

measures as (

    select * from {{ ref('int_quarantine_measures') }}

),

rules as (

    select * from {{ ref('quarantine_rules') }}

),

documents as (

    select * from {{ ref('stg_raw__documents') }}
    where document_status = 'loaded'

),

reports as (

    select reports.*
    from {{ ref('stg_raw__reports') }} as reports
    inner join documents on reports.document_id = documents.document_id

),

final as (

    select
        measures.report_id,
        measures.rule_code,
        measures.metric_row_id,
        measures.met_count,
        measures.assessed_count
    from measures
    inner join reports on measures.report_id = reports.report_id
    inner join rules on measures.rule_code = rules.rule_code
    where
        measures.met_count >= rules.minimum_count
        and measures.met_count > rules.minimum_share * measures.assessed_count

)

select * from final
