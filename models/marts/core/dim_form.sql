with

forms as (

    select * from {{ ref('forms') }}

),

final as (

    select
        form_code,
        label_zh,
        label_en,
        legal_basis_zh,
        legal_basis_en,
        form_order,
        first_report_year,
        last_report_year
    from forms

)

select * from final
