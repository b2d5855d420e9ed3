-- Every term of every identity of a report's form, with the figure it meets.
{% do refuse_unknown_identity_codes() %}
with

reports as (

    select * from {{ ref('int_reports_by_offset') }}

),

terms as (

    select
        *,
        dense_rank() over (
            order by
                form_code nulls last,
                identity_code nulls last,
                subject_metric_code nulls last,
                subject_applicant_type_code nulls last
        ) as evaluation_number
    from {{ ref('int_identity_terms') }}

),

evaluations as (

    select distinct
        evaluation_number,
        form_code,
        identity_code,
        subject_metric_code,
        subject_applicant_type_code
    from terms

),

-- The key is made once for all terms of an identity.
checks as (

    select
        reports.report_id,
        evaluations.evaluation_number,
        {{ surrogate_key([
            'reports.report_id',
            'evaluations.identity_code',
            'evaluations.subject_metric_code',
            'evaluations.subject_applicant_type_code',
        ]) }} as identity_check_key
    from reports
    inner join evaluations
        on reports.form_code = evaluations.form_code
    where reports.year_offset = 0

),

metrics as (

    select * from {{ ref('metrics') }}

),

ranked as (

    select * from {{ ref('int_metric_values_ranked') }}
    where value is not null

),

figures as (

    select *, 'any' as term_source_kind from ranked
    where winner_rank = 1
    union all
    select *, source_kind as term_source_kind from ranked
    where source_rank = 1

),

final as (

    select
        checks.identity_check_key,
        reports.report_id,
        reports.term_report_id,
        figures.metric_row_id,
        terms.identity_code,
        terms.subject_metric_code,
        terms.subject_applicant_type_code,
        terms.reading_code,
        terms.side,
        terms.source_kind,
        terms.metric_code,
        terms.applicant_type_code,
        terms.reading_order,
        terms.year_offset,
        terms.sign,
        case when terms.sign < 0 then -figures.value else figures.value end
            as signed_value,
        terms.is_own_figure,
        figures.is_certain_reading,
        figures.is_approximate,
        figures.is_read_by_ocr,
        -- Only a missing term that can not lower its side leaves a bound.
        terms.sign < 0 or metrics.is_signed as is_unbounded
    from checks
    inner join terms
        on checks.evaluation_number = terms.evaluation_number
    inner join reports
        on
            checks.report_id = reports.report_id
            and terms.year_offset = reports.year_offset
    inner join metrics
        on terms.metric_code = metrics.metric_code
    left join figures
        on
            reports.term_report_id = figures.report_id
            and terms.metric_code = figures.metric_code
            and terms.applicant_type_code = figures.applicant_type_code
            and terms.source_kind = figures.term_source_kind

)

select * from final
