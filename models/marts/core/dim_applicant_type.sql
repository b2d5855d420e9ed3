with

applicant_types as (

    select * from {{ ref('applicant_types') }}

),

-- Facts of metrics without the dimension need a member to point to.
not_applicable as (

    select
        'not_applicable' as applicant_type_code,
        cast(null as string) as parent_code,
        '不适用' as label_zh,
        'Not applicable' as label_en,
        cast(max(applicant_type_order) + 1 as integer)
            as applicant_type_order
    from applicant_types

),

final as (

    select
        applicant_type_code,
        parent_code,
        label_zh,
        label_en,
        applicant_type_order
    from applicant_types
    union all
    select * from not_applicable

)

select * from final
