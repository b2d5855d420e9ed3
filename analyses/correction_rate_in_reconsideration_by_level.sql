-- Question: how often does administrative reconsideration correct a body, by
-- level and year?
-- Read: numerator and denominator are added over the reports, then divided.
-- denominator tells how many cases stand behind a ratio: below 30 it is noise.
-- Caveats: up to 2018 the form shows no pending cases, so the denominator then
-- is all cases and the rate too low beside later ones. Scopes are never added.
with

ratios as (

    {{ believed_ratios(['reconsideration_correction_rate']) }}

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
