with

metrics as (

    select * from {{ ref('metrics') }}

),

families as (

    select * from {{ ref('metric_families') }}

),

final as (

    select
        metrics.metric_code,
        metrics.family_code,
        families.subject_code,
        metrics.label_zh,
        metrics.label_en,
        metrics.unit,
        metrics.value_type,
        metrics.definition_en,
        metrics.has_applicant_type,
        metrics.is_additive,
        metrics.is_signed
    from metrics
    inner join families
        on metrics.family_code = families.family_code

)

select * from final
