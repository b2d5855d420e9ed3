-- The first publication counts: a copy or a correction posted later does not
-- make a report late.
with

reports as (

    select * from {{ ref('dim_report') }}

),

agencies as (

    select * from {{ ref('dim_agency') }}

),

due_dates as (

    select * from {{ ref('int_report_due_dates') }}

),

dates as (

    select
        agency_id,
        report_year,
        published_date,
        published_date > make_date(report_year, 12, 31)
        and published_date <= make_date(report_year + 1, 12, 31) as is_credible
    from reports
    where
        report_year is not null
        and published_date is not null
        and (is_in_facts or exclusion_reason in ('copy', 'superseded'))

),

first_dates as (

    select
        agency_id,
        report_year,
        min(case when is_credible then published_date end) as first_date,
        min(published_date) as stated_date
    from dates
    group by agency_id, report_year

),

judged as (

    select
        reports.*,
        agencies.level_code,
        agencies.kind_code,
        agencies.province_name,
        due_dates.deadline_body_code,
        due_dates.legal_basis_zh,
        due_dates.legal_basis_en,
        due_dates.earliest_due_date,
        due_dates.latest_due_date,
        first_dates.first_date,
        first_dates.stated_date,
        case
            when due_dates.latest_due_date is null then 'no_deadline'
            when first_dates.first_date is null then 'unknown_date'
            when first_dates.first_date <= due_dates.earliest_due_date
                then 'on_time'
            when first_dates.first_date > due_dates.latest_due_date
                then 'late'
            else 'unknown_kind'
        end as status
    from reports
    inner join agencies
        on reports.agency_key = agencies.agency_key
    inner join due_dates
        on reports.report_id = due_dates.report_id
    left join first_dates
        on
            reports.agency_id = first_dates.agency_id
            and reports.report_year = first_dates.report_year
    where reports.is_in_facts

),

final as (

    select
        agency_key,
        agency_id,
        report_id,
        agency_name,
        level_code,
        kind_code,
        province_name,
        deadline_body_code,
        status,
        case
            when stated_date is null then 'not_stated'
            when first_date is null and year(stated_date) <= report_year
                then 'before_year_end'
            when first_date is null then 'after_publication_year'
        end as date_doubt,
        legal_basis_zh,
        legal_basis_en,
        report_year,
        cast(case
            when status = 'on_time'
                then {{ dbt.datediff(
                    'earliest_due_date', 'first_date', 'day'
                ) }}
            when status = 'late'
                then {{ dbt.datediff(
                    'latest_due_date', 'first_date', 'day'
                ) }}
        end as integer) as days_after_deadline,
        first_date as published_date,
        stated_date as stated_published_date,
        earliest_due_date,
        latest_due_date
    from judged

)

select * from final
