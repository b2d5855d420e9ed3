-- The named terms with applicant types: an identity whose terms all have the
-- dimension and name no type holds for every type; any other is evaluated once.
with

terms as (

    select
        named.*,
        identities.form_code,
        identities.kind_code,
        metrics.has_applicant_type
    from {{ ref('int_identity_terms_named') }} as named
    inner join {{ ref('identities') }} as identities
        on named.identity_code = identities.identity_code
    inner join {{ ref('metrics') }} as metrics
        on named.metric_code = metrics.metric_code

),

applicant_types as (

    select * from {{ ref('applicant_types') }}

),

shapes as (

    select
        identity_code,
        subject_metric_code,
        count(*) filter (where has_applicant_type) > 0 as has_total,
        count(*) filter (where not has_applicant_type) = 0
        and count(applicant_type_code) = 0
        and count(*) filter (where source_kind <> 'any') = 0
            as is_by_applicant_type
    from terms
    group by identity_code, subject_metric_code

),

evaluations as (

    select
        shapes.identity_code,
        shapes.subject_metric_code,
        shapes.is_by_applicant_type,
        case
            when shapes.is_by_applicant_type
                then applicant_types.applicant_type_code
            when shapes.has_total then 'total'
            else 'not_applicable'
        end as subject_applicant_type_code
    from shapes
    left join applicant_types
        on shapes.is_by_applicant_type

),

readings as (

    select
        identity_code,
        reading_code,
        min(term_order) as reading_order
    from terms
    where reading_code is not null
    group by identity_code, reading_code

),

final as (

    select
        terms.form_code,
        terms.identity_code,
        terms.subject_metric_code,
        evaluations.subject_applicant_type_code,
        terms.side,
        terms.sign,
        terms.source_kind,
        terms.metric_code,
        case
            when terms.applicant_type_code is not null
                then terms.applicant_type_code
            when not terms.has_applicant_type then 'not_applicable'
            when evaluations.is_by_applicant_type
                then evaluations.subject_applicant_type_code
            else 'total'
        end as applicant_type_code,
        coalesce(readings.reading_code, 'only') as reading_code,
        coalesce(readings.reading_order, 1) as reading_order,
        terms.year_offset,
        terms.is_own_figure
    from terms
    inner join evaluations
        on
            terms.identity_code = evaluations.identity_code
            and terms.subject_metric_code
            is not distinct from evaluations.subject_metric_code
    -- A term that names no reading belongs to every reading of its identity.
    left join readings
        on
            terms.identity_code = readings.identity_code
            and coalesce(terms.reading_code, readings.reading_code)
            = readings.reading_code

)

select * from final
