-- Each version of a body's report of a year with the version before it, in the
-- order in which int_reports_versioned lets the last one speak. The same report
-- in another document is no revision, and one that was read too badly is no
-- witness.
with

reports as (

    select * from {{ ref('int_reports_versioned') }}
    where is_readable and report_year is not null

),

ordered as (

    select
        *,
        {%- for column in ['report_id', 'document_id'] %}
        lag({{ column }}) over versions as old_{{ column }},
        {%- endfor %}
        cast(row_number() over versions as integer) as version_number
    from reports
    window versions as (
        partition by agency_id, report_year, scope_code
        order by
            published_date asc nulls first,
            version_loaded_at asc nulls first,
            document_id desc nulls first,
            report_id desc nulls first
    )

),

twins as (

    select * from {{ ref('int_report_twins') }}

),

final as (

    select
        ordered.report_id,
        ordered.old_report_id,
        ordered.version_number
    from ordered
    left join twins
        on
            ordered.report_id = twins.report_id
            and ordered.old_report_id = twins.twin_report_id
    where
        ordered.old_report_id is not null
        and ordered.old_document_id <> ordered.document_id
        and twins.report_id is null

)

select * from final
