-- Question: which reports were published again with other figures?
-- Read: one row a replaced report with the one that speaks now; days_between
-- is from one stated date to the other.
-- Caveats: which one is newer follows from when it was loaded, then from its
-- date. A copy with the same table figures is no revision and not shown.
with

reports as (

    select * from {{ ref('dim_report') }}

),

final as (

    select
        olds.agency_name,
        olds.report_year,
        olds.report_id as old_report_id,
        news.report_id as new_report_id,
        olds.published_date as old_published_date,
        news.published_date as new_published_date,
        {{ dbt.datediff('olds.published_date', 'news.published_date', 'day') }}
            as days_between,
        olds.source_uri as old_source_uri,
        news.source_uri as new_source_uri
    from reports as olds
    inner join reports as news
        on olds.superseded_by_report_id = news.report_id

)

select * from final
order by
    agency_name asc nulls last,
    report_year asc nulls last,
    old_report_id asc nulls last
