-- Every figure of every finding, on its side, with its words in print.
with

terms as (

    select * from {{ ref('int_finding_terms') }}

),

contradictions as (

    select * from {{ ref('int_contradictions') }}

),

figures as (

    select * from {{ ref('int_metric_values_ranked') }}

),

reports as (

    select * from {{ ref('dim_report') }}

),

metrics as (

    select * from {{ ref('dim_metric') }}

),

applicant_types as (

    select * from {{ ref('dim_applicant_type') }}

),

values_in_facts as (

    select * from {{ ref('fct_metric_value') }}
    where {{ in_looked_at_reports() }}

),

placed as (

    select
        finding_key,
        report_id,
        term_report_id,
        side,
        metric_row_id,
        sign
    from terms
    union all
    select
        finding_key,
        report_id,
        report_id as term_report_id,
        'left' as side,
        losing_metric_row_id as metric_row_id,
        1 as sign
    from contradictions
    union all
    select
        finding_key,
        report_id,
        report_id as term_report_id,
        'right' as side,
        metric_row_id,
        1 as sign
    from contradictions

),

final as (

    select
        placed.finding_key,
        placed.side,
        placed.metric_row_id,
        case
            when placed.term_report_id = placed.report_id then ''
            else coalesce(cast(reports.report_year as string), '') || '年'
        end
        || case when placed.sign < 0 then '－' else '' end
        || metrics.label_zh
        || case
            when figures.applicant_type_code = 'not_applicable' then ''
            else '（' || applicant_types.label_zh || '）'
        end
        || '：' || coalesce(figures.value_raw, '')
        || '〔' || figures.locator || '〕' as evidence,
        figures.snippet,
        figures.locator,
        figures.page_number,
        row_number() over (
            partition by placed.finding_key
            order by
                placed.side asc nulls last,
                figures.page_number asc nulls last,
                figures.start_char_number asc nulls last,
                placed.metric_row_id asc nulls last
        ) as figure_order,
        coalesce(values_in_facts.reliability = 'extraction_suspect', false)
        or coalesce(figures.second_reading = 'differs', false) as is_suspect
    from placed
    inner join figures
        on placed.metric_row_id = figures.metric_row_id
    inner join reports
        on placed.term_report_id = reports.report_id
    inner join metrics
        on figures.metric_code = metrics.metric_code
    inner join applicant_types
        on figures.applicant_type_code = applicant_types.applicant_type_code
    left join values_in_facts
        on placed.metric_row_id = values_in_facts.metric_row_id

)

select * from final
