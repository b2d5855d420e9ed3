-- Which reports a build makes anew: those that are not as the last build that
-- went well found them, and the later ones of their bodies, which look back.
with

contents as (

    select * from {{ ref('int_report_contents') }}

),

built as (

    {{ built_reports() }}

),

compared as (

    select
        coalesce(contents.report_id, built.report_id) as report_id,
        coalesce(contents.agency_id, built.agency_id) as agency_id,
        contents.division_code,
        contents.scope_code,
        contents.content_token,
        coalesce(contents.report_year, built.report_year) as report_year,
        built.agency_id as built_agency_id,
        built.report_year as built_year,
        {{ makes_every_report() }}
        or built.content_token is null
        or contents.content_token is null
        or contents.content_token <> built.content_token as is_changed
    from contents
    full outer join built
        on contents.report_id = built.report_id

),

changes as (

    select agency_id, report_year from compared
    where is_changed
    union all
    -- A report may have left another body or year.
    select built_agency_id as agency_id, built_year as report_year from compared
    where is_changed and built_agency_id is not null

),

first_changes as (

    select agency_id, min(report_year) as first_year
    from changes
    group by agency_id

),

marked as (

    select
        compared.*,
        first_changes.agency_id is not null as is_touched
    from compared
    left join first_changes
        on
            compared.agency_id = first_changes.agency_id
            and compared.report_year >= first_changes.first_year

),

-- What the touched reports look at: the year before, and the aggregates.
before as (

    select distinct agency_id, report_year - 1 as report_year
    from marked
    where is_touched

),

areas as (

    select distinct division_code, report_year
    from marked
    where is_touched and division_code is not null

),

final as (

    select
        marked.report_id,
        marked.agency_id,
        marked.content_token,
        marked.report_year,
        marked.is_touched,
        marked.is_touched
        or before.agency_id is not null
        or areas.division_code is not null as is_looked_at
    from marked
    left join before
        on
            marked.agency_id = before.agency_id
            and marked.report_year = before.report_year
    left join areas
        on
            marked.scope_code = 'area_aggregate'
            and marked.division_code = areas.division_code
            and marked.report_year = areas.report_year

)

select * from final
