with

metrics as (

    select * from {{ ref('metrics') }}

),

families as (

    select * from {{ ref('metric_families') }}

),

form_metrics as (

    select
        form_metrics.*,
        forms.first_report_year,
        forms.last_report_year,
        row_number() over (
            partition by form_metrics.metric_code
            order by forms.form_order desc nulls last
        ) as recency
    from {{ ref('form_metrics') }} as form_metrics
    inner join {{ ref('forms') }} as forms
        on form_metrics.form_code = forms.form_code

),

eras as (

    select
        metric_code,
        {{ join_rows('form_code', '、') }} as form_codes,
        max(case when recency = 1 then parent_metric_code end)
            as parent_metric_code,
        min(first_report_year) as first_report_year,
        -- A form in use has no last year, and neither have its metrics.
        case
            when count(*) = count(last_report_year)
                then max(last_report_year)
        end as last_report_year
    from form_metrics
    group by metric_code

),

final as (

    select
        metrics.metric_code,
        metrics.family_code,
        families.subject_code,
        eras.parent_metric_code,
        eras.form_codes,
        metrics.label_zh,
        metrics.label_en,
        families.label_zh as family_label_zh,
        families.label_en as family_label_en,
        metrics.unit,
        metrics.value_type,
        metrics.definition_zh,
        metrics.definition_en,
        eras.first_report_year,
        eras.last_report_year,
        metrics.has_applicant_type,
        metrics.is_additive,
        metrics.is_signed
    from metrics
    inner join families
        on metrics.family_code = families.family_code
    left join eras
        on metrics.metric_code = eras.metric_code

)

select * from final
