-- The printed figures behind each identity that fails beyond doubt.
with

checks as (

    select * from {{ ref('fct_identity_check') }}
    where
        status = 'fails'
        and is_certain_reading
        and {{ in_touched_reports() }}

),

term_values as (

    select
        *,
        min(reading_order) over (
            partition by identity_check_key
        ) as first_reading_order
    from {{ ref('int_identity_term_values') }}

),

final as (

    select
        checks.identity_check_key as finding_key,
        term_values.report_id,
        term_values.term_report_id,
        term_values.side,
        term_values.metric_row_id,
        term_values.sign
    from checks
    inner join term_values
        on checks.identity_check_key = term_values.identity_check_key
    where
        term_values.reading_order = term_values.first_reading_order
        and term_values.signed_value is not null

)

select * from final
