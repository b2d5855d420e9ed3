-- Every term of every identity of a report's form, with the figure it meets.
with

reports as (

    select * from {{ ref('int_reports_versioned') }}
    where is_in_facts

),

terms as (

    select * from {{ ref('int_identity_terms') }}

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
        {{ surrogate_key([
            'reports.report_id',
            'terms.identity_code',
            'terms.subject_metric_code',
            'terms.subject_applicant_type_code',
        ]) }} as identity_check_key,
        reports.report_id,
        reports.report_id as term_report_id,
        figures.metric_row_id,
        terms.identity_code,
        terms.subject_metric_code,
        terms.subject_applicant_type_code,
        terms.side,
        terms.metric_code,
        terms.applicant_type_code,
        1 as reading_order,
        terms.sign,
        case when terms.sign < 0 then -figures.value else figures.value end
            as signed_value,
        terms.is_own_figure,
        figures.is_certain_reading,
        figures.is_approximate,
        -- Only a missing term that can not lower its side leaves a bound.
        terms.sign < 0 or metrics.is_signed as is_unbounded
    from reports
    inner join terms
        on reports.form_code = terms.form_code
    inner join metrics
        on terms.metric_code = metrics.metric_code
    left join figures
        on
            reports.report_id = figures.report_id
            and terms.metric_code = figures.metric_code
            and terms.applicant_type_code = figures.applicant_type_code
            and terms.source_kind = figures.term_source_kind

)

select * from final
