-- Question: what share of requests was answered with the information, in full
-- or in part, by province and year?
-- Read: numerator and denominator are added over the reports, then divided.
-- denominator tells how many cases stand behind a ratio: below 30 it is noise.
-- Caveats: never add the rows of two scopes or two levels: an aggregate
-- contains its members. Up to 2018 answers that the information is public
-- already count as granted, from 2019 on the form is another one: compare
-- across 2018 with care. Bodies whose province is not known stand under （不明）.
with

ratios as (

    {{ believed_ratios(['grant_rate']) }}

),

final as (

    select
        province_name,
        report_year,
        scope_code,
        level_code,
        count(*) as report_count,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        {{ pooled_ratio() }} as ratio,
        count(distinct form_code) as form_count
    from ratios
    group by
        province_name,
        report_year,
        scope_code,
        level_code

)

select * from final
order by
    province_name asc nulls last,
    report_year asc nulls last,
    scope_code asc nulls last,
    level_code asc nulls last
