-- Question: what share of new requests comes from natural persons, by year and
-- level?
-- Read: numerator and denominator are added over the reports, then divided.
-- denominator tells how many cases stand behind a ratio: below 30 it is noise.
-- Caveats: only the forms since 2019 split applicants; there is no earlier
-- figure. Lawyers often apply in their clients' names. Scopes are never added.
with

ratios as (

    {{ believed_ratios(['natural_person_share']) }}

),

final as (

    select
        report_year,
        level_code,
        scope_code,
        count(*) as report_count,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        {{ pooled_ratio() }} as ratio,
        count(distinct form_code) as form_count
    from ratios
    group by
        report_year,
        level_code,
        scope_code

)

select * from final
order by
    report_year asc nulls last,
    level_code asc nulls last,
    scope_code asc nulls last
