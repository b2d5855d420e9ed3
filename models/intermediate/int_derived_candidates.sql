-- Figures that the form prints no cell for, and totals printed blank, where an
-- identity gives them from printed figures alone that nothing contradicts. An
-- identity may do so if the form demands it, or if it is all that defines a
-- group without a cell. Terms are printed, so nothing is derived twice over.
with

term_values as (

    select * from {{ ref('int_identity_term_values') }}

),

identities as (

    select * from {{ ref('identities') }}
    where kind_code in ('sum_of_children', 'row_total') and relation = '='

),

figures as (

    select * from {{ ref('int_metric_values_ranked') }}
    where winner_rank = 1

),

form_metrics as (

    select * from {{ ref('form_metrics') }}

),

trusted as (

    select * from {{ ref('int_trusted_figures') }}

),

sums as (

    select
        term_values.identity_check_key,
        term_values.report_id,
        term_values.identity_code,
        identities.form_code,
        identities.severity,
        max(case
            when term_values.side = 'left'
                then term_values.metric_code
        end) as metric_code,
        max(case
            when term_values.side = 'left'
                then term_values.applicant_type_code
        end) as applicant_type_code,
        cast(sum(case
            when term_values.side = 'right'
                then term_values.signed_value
        end) as decimal(20, 4)) as value,
        count(*) filter (where trusted.reliability = 'unchecked')
            as unchecked_count,
        count(*) filter (where term_values.is_read_by_ocr) as ocr_count
    from term_values
    inner join identities
        on term_values.identity_code = identities.identity_code
    left join trusted
        on term_values.metric_row_id = trusted.metric_row_id
    group by
        term_values.identity_check_key,
        term_values.report_id,
        term_values.identity_code,
        identities.form_code,
        identities.severity
    having
        count(*) filter (where term_values.side = 'left') = 1
        and count(*) filter (
            where term_values.side = 'left'
            and term_values.signed_value is not null
        ) = 0
        and count(*) filter (
            where term_values.side = 'right' and trusted.metric_row_id is null
        ) = 0

),

ranked as (

    select
        sums.identity_check_key,
        sums.report_id,
        sums.identity_code,
        sums.metric_code,
        sums.applicant_type_code,
        case
            when sums.unchecked_count = 0 then 'consistent'
            else 'unchecked'
        end as reliability,
        sums.value,
        sums.ocr_count > 0 as is_read_by_ocr,
        row_number() over (
            partition by
                sums.report_id, sums.metric_code, sums.applicant_type_code
            order by
                sums.severity nulls last, sums.identity_code nulls last
        ) as identity_rank
    from sums
    inner join form_metrics
        on
            sums.form_code = form_metrics.form_code
            and sums.metric_code = form_metrics.metric_code
    left join figures
        on
            sums.report_id = figures.report_id
            and sums.metric_code = figures.metric_code
            and sums.applicant_type_code = figures.applicant_type_code
    where
        case
            when form_metrics.place_code = 'derived'
                then coalesce(figures.value_status, 'blank') = 'blank'
            -- A cell that was not read at all may hold a number.
            else sums.severity = 'error' and figures.value_status = 'blank'
        end

),

final as (

    select * from ranked
    where identity_rank = 1

)

select * from final
