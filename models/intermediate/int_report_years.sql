-- What each report year is made of, and whether that changed since the last
-- build that went well. Checks and changes look one year back, so a touched
-- year touches the next.
with

reports as (

    select * from {{ ref('int_reports_versioned') }}
    where report_year is not null

),

built as (

    {{ built_years() }}

),

contents as (

    select
        report_year,
        md5(
            {{ join_rows(
                "report_id || ' ' || run_id || ' ' || cast(loaded_at as string)",
                ','
            ) }}
            || {{ project_token() }}
        ) as content_token
    from reports
    group by report_year

),

compared as (

    select
        coalesce(contents.report_year, built.report_year) as report_year,
        contents.content_token,
        built.content_token is null
        or contents.content_token is null
        or contents.content_token <> built.content_token as is_changed
    from contents
    full outer join built
        on contents.report_year = built.report_year

),

touched as (

    select
        years.report_year,
        years.content_token,
        {{ makes_every_year() }}
        or years.is_changed
        or coalesce(earlier.is_changed, false) as is_touched
    from compared as years
    left join compared as earlier
        on years.report_year = earlier.report_year + 1

),

final as (

    select
        years.report_year,
        years.content_token,
        years.is_touched,
        years.is_touched
        or coalesce(later.is_touched, false) as is_looked_at
    from touched as years
    left join touched as later
        on years.report_year = later.report_year - 1

)

select * from final
