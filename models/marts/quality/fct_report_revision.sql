with

changes as (

    select * from {{ ref('int_report_revision_changes') }}

),

revisions as (

    select * from {{ ref('int_report_revisions') }}

),

reports as (

    select * from {{ ref('dim_report') }}

),

final as (

    select
        {{ surrogate_key([
            'changes.new_report_id',
            'changes.metric_code',
            'changes.applicant_type_code',
        ]) }} as report_revision_key,
        new_reports.agency_key,
        new_reports.agency_id,
        revisions.old_report_id,
        changes.new_report_id,
        changes.old_metric_row_id,
        changes.new_metric_row_id,
        changes.metric_code,
        changes.applicant_type_code,
        changes.change_kind,
        changes.old_value_status,
        changes.new_value_status,
        new_reports.report_year,
        revisions.version_number,
        changes.old_value,
        changes.new_value,
        changes.is_certain_reading,
        new_reports.is_in_facts,
        old_reports.published_date as old_published_date,
        new_reports.published_date as new_published_date
    from changes
    inner join revisions
        on changes.new_report_id = revisions.report_id
    inner join reports as new_reports
        on revisions.report_id = new_reports.report_id
    inner join reports as old_reports
        on revisions.old_report_id = old_reports.report_id

)

select * from final
