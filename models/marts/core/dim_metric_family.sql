with

families as (

    select * from {{ ref('metric_families') }}

),

final as (

    select
        family_code,
        subject_code,
        label_zh,
        label_en,
        family_order
    from families

)

select * from final
