with

reports as (

    select * from {{ ref('int_reports_versioned') }}

),

final as (

    select
        report_id,
        document_id,
        agency_key,
        agency_id,
        division_key,
        superseded_by_report_id,
        copy_of_report_id,
        stands_in_for_report_id,
        agency_name,
        agency_name_raw,
        co_agency_names,
        form_code,
        scope_code,
        division_code,
        title,
        source_uri,
        media_type,
        script,
        exclusion_reason,
        report_year,
        table_year,
        document_count,
        is_current,
        is_in_facts,
        published_date,
        period_start_date,
        period_end_date
    from reports

)

select * from final
