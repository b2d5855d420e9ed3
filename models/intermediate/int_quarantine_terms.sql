-- The terms of the sums that a form demands of its own table, with the figures
-- that were read in doubt. It looks at reports before one of them is chosen to
-- speak, so it can not use the checks of the facts.
with

reports as (

    select * from {{ ref('stg_raw__reports') }}

),

terms as (

    select terms.*
    from {{ ref('int_identity_terms') }} as terms
    inner join {{ ref('identities') }} as identities
        on terms.identity_code = identities.identity_code
    where
        identities.severity = 'error'
        and identities.kind_code
        in ('sum_of_children', 'balance', 'bound', 'row_total')
        and terms.year_offset = 0
        and terms.source_kind in ('any', 'table')

),

metrics as (

    select * from {{ ref('metrics') }}

),

figures as (

    select * from {{ ref('int_quarantine_figures') }}
    where source_rank = 1 and source_kind = 'table'

),

doubtful as (

    select distinct report_id from figures

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
        terms.reading_code,
        terms.reading_order,
        terms.side,
        case when terms.sign < 0 then -figures.value else figures.value end
            as signed_value,
        terms.sign < 0 or metrics.is_signed as is_unbounded,
        figures.is_approximate,
        figures.is_certain_reading
    from doubtful
    inner join reports on doubtful.report_id = reports.report_id
    inner join terms on reports.form_code = terms.form_code
    inner join metrics on terms.metric_code = metrics.metric_code
    left join figures
        on
            reports.report_id = figures.report_id
            and terms.metric_code = figures.metric_code
            and terms.applicant_type_code = figures.applicant_type_code
            and figures.value is not null

)

select * from final
