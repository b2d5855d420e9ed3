-- What the rows of a report are made of, beside earlier reports of its body:
-- the report as identified, its body, where it counts in totals, the aggregates
-- of its division and year that it is compared with, and the code.
with

reports as (

    select * from {{ ref('int_reports_versioned') }}
    where report_year is not null

),

agencies as (

    select * from {{ ref('dim_agency') }}

),

layers as (

    select * from {{ ref('int_report_layers') }}

),

aggregates as (

    select
        division_code,
        report_year,
        {{ join_rows(
            "report_id || ' ' || run_id || ' ' || cast(loaded_at as string)",
            ','
        ) }} as aggregate_ids
    from reports
    where is_in_facts and scope_code = 'area_aggregate'
    group by division_code, report_year

),

final as (

    select
        reports.report_id,
        reports.agency_id,
        reports.division_code,
        reports.scope_code,
        reports.report_year,
        {{ surrogate_key([
            'reports.report_id', 'reports.run_id', 'reports.loaded_at',
            'reports.document_id', 'reports.stands_in_for_report_id',
            'reports.agency_key', 'reports.agency_id', 'reports.report_year',
            'reports.form_code', 'reports.scope_code', 'reports.division_code',
            'reports.superseded_by_report_id', 'reports.copy_of_report_id',
            'reports.exclusion_reason', 'reports.document_count',
            'reports.is_in_facts',
            'reports.agency_name', 'reports.title', 'reports.source_uri',
            'agencies.agency_name', 'agencies.level_code', 'agencies.kind_code',
            'agencies.province_name', 'layers.is_in_totals',
            'layers.counted_county_key', 'layers.counted_city_key',
            'layers.counted_province_key', 'aggregates.aggregate_ids',
            project_token(),
        ]) }} as content_token
    from reports
    left join agencies
        on reports.agency_key = agencies.agency_key
    left join layers
        on reports.report_id = layers.report_id
    left join aggregates
        on
            reports.division_code = aggregates.division_code
            and reports.report_year = aggregates.report_year

)

select * from final
