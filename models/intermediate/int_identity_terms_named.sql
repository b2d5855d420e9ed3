-- The terms of the identities of one body with metrics named: `*` is spread
-- over the metrics of the form, and a group that the form prints no cell for
-- is, on the table's side, the sum of its printed children. A carry-over is
-- about the later of its years: offset 0 is that year, -1 the one before.
-- Containment in aggregates joins bodies; see int_identity_containment.
with

identities as (

    select * from {{ ref('identities') }}
    where kind_code <> 'aggregate_containment'

),

terms as (

    select
        identities.form_code,
        identities.kind_code,
        identity_terms.*,
        identity_terms.year_offset - max(identity_terms.year_offset) over (
            partition by identity_terms.identity_code
        ) as term_year_offset
    from {{ ref('identity_terms') }} as identity_terms
    inner join identities
        on identity_terms.identity_code = identities.identity_code

),

form_metrics as (

    select
        form_metrics.*,
        metrics.has_applicant_type
    from {{ ref('form_metrics') }} as form_metrics
    inner join {{ ref('metrics') }} as metrics
        on form_metrics.metric_code = metrics.metric_code

),

compared_by_name as (

    select distinct form_code, metric_code
    from terms
    where
        kind_code = 'narrative_vs_table'
        and source_kind = 'narrative'
        and metric_code <> '*'

),

wildcards as (

    select
        terms.identity_code,
        form_metrics.metric_code as subject_metric_code,
        terms.side,
        terms.sign,
        terms.source_kind,
        form_metrics.metric_code,
        terms.applicant_type_code,
        terms.reading_code,
        terms.term_order,
        terms.term_year_offset as year_offset,
        true as is_own_figure
    from terms
    inner join form_metrics
        on terms.form_code = form_metrics.form_code
    left join compared_by_name
        on
            form_metrics.form_code = compared_by_name.form_code
            and form_metrics.metric_code = compared_by_name.metric_code
    where
        terms.metric_code = '*'
        and form_metrics.place_code in ('cell', 'in_label')
        and case
            when terms.kind_code = 'row_total'
                then form_metrics.has_applicant_type
            else compared_by_name.metric_code is null
        end

),

left_metrics as (

    select
        identity_code,
        case when count(*) = 1 then max(metric_code) end
            as subject_metric_code
    from terms
    where side = 'left' and metric_code <> '*'
    group by identity_code

),

named as (

    select
        terms.identity_code,
        left_metrics.subject_metric_code,
        terms.side,
        terms.sign,
        terms.source_kind,
        coalesce(children.metric_code, terms.metric_code) as metric_code,
        terms.applicant_type_code,
        terms.reading_code,
        terms.term_order,
        terms.term_year_offset as year_offset,
        children.metric_code is null as is_own_figure
    from terms
    inner join left_metrics
        on terms.identity_code = left_metrics.identity_code
    inner join form_metrics
        on
            terms.form_code = form_metrics.form_code
            and terms.metric_code = form_metrics.metric_code
    left join form_metrics as children
        on
            form_metrics.form_code = children.form_code
            and form_metrics.metric_code = children.parent_metric_code
            and form_metrics.place_code = 'derived'
            and terms.source_kind = 'table'
            and children.place_code = 'cell'

),

final as (

    select * from wildcards
    union all
    select * from named

)

select * from final
