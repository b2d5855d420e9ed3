with

series as (

    select * from {{ ref('harmonised_series') }}

),

indicators as (

    select * from {{ ref('indicators') }}

),

formulas as (

    select
        form_indicators.indicator_code,
        {{ join_in_order(
            "forms.form_code || ': ' || form_indicators.formula_text",
            '; ',
            'forms.form_order',
        ) }} as formula_text
    from {{ ref('dim_indicator_form') }} as form_indicators
    inner join {{ ref('forms') }} as forms
        on form_indicators.form_code = forms.form_code
    where form_indicators.formula_text is not null
    group by form_indicators.indicator_code

),

united as (

    select
        harmonised_code as indicator_code,
        cast(null as string) as reference_code,
        group_code,
        'series' as indicator_kind_code,
        'computed' as computability_code,
        cast(null as string) as other_indicator_code,
        label_zh,
        label_en,
        unit,
        definition_zh,
        definition_en,
        cast(null as string) as computability_note_en,
        harmonised_order as indicator_order,
        cast(null as integer) as minimum_denominator,
        false as is_share,
        cast(null as boolean) as is_lower_better
    from series
    union all
    select
        indicator_code,
        reference_code,
        group_code,
        kind_code as indicator_kind_code,
        computability_code,
        other_indicator_code,
        label_zh,
        label_en,
        unit,
        definition_zh,
        definition_en,
        computability_note_en,
        1000 + indicator_order as indicator_order,
        minimum_denominator,
        is_share,
        is_lower_better
    from indicators

),

final as (

    select
        united.*,
        formulas.formula_text
    from united
    left join formulas
        on united.indicator_code = formulas.indicator_code

)

select * from final
