{#-
    Totals by area, year, metric and applicant type that count nothing twice.

    `layers` says for each report in which areas it counts (int_report_layers),
    `figures` has the figures (fct_metric_value). Where the aggregate of an area
    speaks it is alone; elsewhere the reports inside are added up, which is
    partial, for nobody knows what is missing. Metrics that are not additive have
    no total, and a total of nothing stated is null.
-#}
{% macro area_totals(layers, figures, metrics) -%}
    select
        areas.division_key,
        max(case when areas.speaks_alone then areas.report_id end)
            as aggregate_report_id,
        figures.metric_code,
        metrics.family_code,
        figures.applicant_type_code,
        metrics.unit,
        areas.report_year,
        sum(figures.value) as value,
        count(distinct areas.report_id) as report_count,
        count(figures.value) as value_count,
        count(case when figures.reliability = 'source_inconsistent' then 1 end)
            as source_inconsistent_count,
        count(case when figures.reliability = 'extraction_suspect' then 1 end)
            as extraction_suspect_count
    from (
        {%- for level in ['county', 'city', 'province'] %}
        select
            layers.report_id,
            layers.report_year,
            layers.counted_{{ level }}_key as division_key,
            layers.is_area_aggregate
            and layers.division_key = layers.counted_{{ level }}_key
                as speaks_alone
        from {{ layers }} as layers
        where layers.counted_{{ level }}_key is not null
        {{- ' union all' if not loop.last }}
        {%- endfor %}
    ) as areas
    inner join {{ figures }} as figures
        on areas.report_id = figures.report_id
    inner join {{ metrics }} as metrics
        on figures.metric_code = metrics.metric_code
    where metrics.is_additive
    group by
        areas.division_key,
        areas.report_year,
        figures.metric_code,
        metrics.family_code,
        figures.applicant_type_code,
        metrics.unit
{%- endmacro %}
