with

corrections as (

    select * from {{ ref('int_corrections_met') }}

),

reports as (

    select * from {{ ref('dim_report') }}

),

final as (

    select
        corrections.correction_id,
        corrections.document_id,
        corrections.report_id,
        corrections.metric_row_id,
        reports.agency_key,
        corrections.status,
        corrections.correction_kind,
        reports.agency_name,
        corrections.metric_code,
        corrections.applicant_type_code,
        corrections.met_locator as locator,
        corrections.met_snippet as snippet,
        corrections.expected_value_raw,
        corrections.met_value_raw,
        corrections.met_value_status,
        corrections.new_value_status,
        corrections.reason,
        corrections.evidence,
        corrections.author,
        reports.report_year,
        corrections.expected_value,
        corrections.met_value,
        corrections.new_value,
        corrections.status = 'applied'
        and coalesce(reports.is_in_facts, false) as is_in_facts,
        corrections.corrected_date
    from corrections
    left join reports
        on corrections.report_id = reports.report_id

)

select * from final
