-- Question: how many figures are confirmed, unchecked, contradicted or in
-- doubt?
-- Read: shares of the figures of each form and year. consistent means that an
-- identity confirms the figure, unchecked that none touches it.
-- Caveats: read this before any other answer. unchecked is no fault of the
-- reading; extraction_suspect is ours, source_inconsistent the publisher's.
with

figures as (

    select * from {{ ref('fct_metric_value') }}
    where value is not null

),

final as (

    select
        form_code,
        report_year,
        {%- for reliability in [
            'consistent',
            'unchecked',
            'source_inconsistent',
            'extraction_suspect',
        ] %}
        {{ pooled_ratio(
            "case when reliability = '" ~ reliability ~ "' then 1 else 0 end",
            '1',
        ) }} as {{ reliability }}_share,
        {%- endfor %}
        count(*) as figure_count
    from figures
    group by
        form_code,
        report_year

)

select * from final
order by
    report_year asc nulls last,
    form_code asc nulls last
