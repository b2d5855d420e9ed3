-- A body is expected from its first report to the last year of the warehouse,
-- within its validity. One that can not be told from others of its name is
-- expected only in the years that it was met.
with

reports as (

    select * from {{ ref('dim_report') }}
    where report_year is not null

),

agencies as (

    select
        *,
        not is_provisional
        or coalesce({{ names_a_place('agency_name') }}, false) as is_traceable
    from {{ ref('dim_agency') }}

),

years as (

    select * from {{ ref('dim_year') }}

),

counts as (

    select * from {{ ref('int_report_year_counts') }}

),

last_year as (

    select max(report_year) as last_report_year
    from reports
    where is_in_facts

),

first_years as (

    select
        agency_id,
        min(report_year) as first_report_year
    from reports
    group by agency_id

),

undated as (

    select
        agency_id,
        count(*) as undated_report_count
    from {{ ref('dim_report') }}
    where report_year is null
    group by agency_id

),

expected as (

    select
        agencies.agency_key,
        agencies.agency_id,
        years.report_year
    from agencies
    inner join first_years
        on agencies.agency_id = first_years.agency_id
    cross join last_year
    inner join years
        on
            years.report_year between
            first_years.first_report_year and last_year.last_report_year
    where
        agencies.is_traceable
        and years.report_year
        >= coalesce(agencies.valid_from_year, years.report_year)
        and years.report_year
        <= coalesce(agencies.valid_to_year, years.report_year)

),

spans as (

    select
        agency_id,
        report_year,
        min(agency_key) as agency_key
    from expected
    group by agency_id, report_year

),

final as (

    select
        agencies.agency_key,
        agencies.agency_id,
        counts.report_id,
        agencies.agency_name,
        agencies.level_code,
        agencies.kind_code,
        agencies.province_name,
        case
            when counts.report_id is not null then 'had'
            when counts.quarantined_count > 0 then 'quarantined'
            when counts.agency_id is not null then 'unreadable'
            else 'missing'
        end as status,
        counts.reject_codes,
        counts.error_issue_codes,
        coalesce(counts.report_year, spans.report_year) as report_year,
        {%- for column in [
            'document_count',
            'rejected_count',
            'quarantined_count',
            'superseded_count',
            'copy_count',
        ] %}
        -- No report of the year is none to count.
        coalesce(counts.{{ column }}, 0) as {{ column }},
        {%- endfor %}
        coalesce(undated.undated_report_count, 0) as undated_report_count
    from spans
    full outer join counts
        on
            spans.agency_id = counts.agency_id
            and spans.report_year = counts.report_year
    inner join agencies
        on coalesce(counts.agency_key, spans.agency_key) = agencies.agency_key
    left join undated
        on agencies.agency_id = undated.agency_id

)

select * from final
