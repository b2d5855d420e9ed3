-- Question: on which grounds is information denied, and how has that changed?
-- Read: numerator and denominator are added over the reports, then divided.
-- denominator tells how many cases stand behind a ratio: below 30 it is noise.
-- Caveats: shares are of denials, not of requests. The grounds of 2014 and of
-- 2019 are different lists: a line that begins or ends in 2019 is the form,
-- not the bodies. Partly granted requests hide their grounds. Scopes are never
-- added.
{%- set codes = [
    'denial_share_state_secret',
    'denial_share_law_prohibited',
    'denial_share_security_stability',
    'denial_share_third_party',
    'denial_share_internal_affairs',
    'denial_share_deliberative',
    'denial_share_enforcement_file',
    'denial_share_admin_query',
    'denial_share_commercial_secret',
    'denial_share_privacy',
    'denial_share_not_gov_info',
    'denial_share_other_legal',
] %}
with

ratios as (

    {{ believed_ratios(codes) }}

),

final as (

    select
        indicator_code,
        form_code,
        report_year,
        scope_code,
        count(*) as report_count,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        {{ pooled_ratio() }} as ratio
    from ratios
    group by
        indicator_code,
        form_code,
        report_year,
        scope_code

)

select * from final
order by
    indicator_code asc nulls last,
    report_year asc nulls last,
    scope_code asc nulls last
