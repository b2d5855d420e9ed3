-- Each correction beside the printed figure that it names. It applies only
-- while exactly one figure is still read as the correction expects.
with

corrections as (

    select * from {{ ref('corrections') }}

),

reports as (

    select reports.*
    from {{ ref('stg_raw__reports') }} as reports
    inner join {{ ref('stg_raw__documents') }} as documents
        on reports.document_id = documents.document_id
    where documents.document_status = 'loaded'

),

metric_rows as (

    select * from {{ ref('stg_raw__metric_rows') }}

),

met as (

    select
        corrections.correction_id,
        metric_rows.metric_row_id,
        metric_rows.report_id,
        metric_rows.value_raw,
        metric_rows.value,
        metric_rows.value_status,
        metric_rows.locator,
        metric_rows.snippet,
        case
            when
                trim(metric_rows.value_raw)
                = trim(coalesce(corrections.expected_value_raw, ''))
                and (
                    metric_rows.value
                    is not distinct from corrections.expected_value
                )
                then 1
            else 0
        end as is_expected
    from corrections
    inner join reports
        on
            corrections.document_id = reports.document_id
            and coalesce(corrections.report_year, reports.report_year, 0)
            = coalesce(reports.report_year, 0)
    inner join metric_rows
        on
            reports.report_id = metric_rows.report_id
            and corrections.metric_code = metric_rows.metric_code
    where
        coalesce(corrections.locator, metric_rows.locator)
        = metric_rows.locator
        -- A figure without an applicant type speaks of all applicants.
        and coalesce(corrections.applicant_type_code, 'not_applicable')
        in (
            coalesce(metric_rows.applicant_type_code, 'not_applicable'),
            coalesce(metric_rows.applicant_type_code, 'total')
        )

),

ranked as (

    select
        *,
        sum(is_expected) over (partition by correction_id) as expected_count,
        sum(is_expected) over (partition by metric_row_id) as rival_count,
        row_number() over (
            partition by correction_id
            order by is_expected desc nulls last, metric_row_id asc nulls last
        ) as met_rank
    from met

),

loaded as (

    select distinct document_id from reports

),

final as (

    select
        corrections.*,
        ranked.report_id,
        ranked.metric_row_id,
        case
            when loaded.document_id is null then 'document_not_loaded'
            when coalesce(ranked.expected_count, 0) = 0 then 'stale'
            when ranked.expected_count > 1 or ranked.rival_count > 1
                then 'ambiguous'
            else 'applied'
        end as status,
        ranked.locator as met_locator,
        ranked.snippet as met_snippet,
        ranked.value_raw as met_value_raw,
        ranked.value_status as met_value_status,
        ranked.value as met_value
    from corrections
    left join ranked
        on
            corrections.correction_id = ranked.correction_id
            and ranked.met_rank = 1
    left join loaded
        on corrections.document_id = loaded.document_id

)

select * from final
