-- Question: how often do courts decide against a body, by level and year?
-- Read: numerator and denominator are added over the reports, then divided.
-- denominator tells how many cases stand behind a ratio: below 30 it is noise.
-- Caveats: up to 2018 pending cases are in the denominator, and the Beijing
-- variant counts instances, so that one case can stand twice. Scopes are never
-- added.
with

ratios as (

    {{ believed_ratios(['litigation_loss_rate']) }}

),

final as (

    select
        level_code,
        report_year,
        scope_code,
        count(*) as report_count,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        {{ pooled_ratio() }} as ratio,
        count(distinct form_code) as form_count
    from ratios
    group by
        level_code,
        report_year,
        scope_code

)

select * from final
order by
    level_code asc nulls last,
    report_year asc nulls last,
    scope_code asc nulls last
