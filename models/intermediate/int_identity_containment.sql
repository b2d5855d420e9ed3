-- The figures of a body beside those of the aggregate report of its division
-- and year, where both state them. Only what adds up over bodies is compared.
with

reports as (

    select * from {{ ref('int_reports_versioned') }}
    where is_in_facts and division_code is not null

),

identities as (

    select * from {{ ref('identities') }}
    where kind_code = 'aggregate_containment'

),

metrics as (

    select * from {{ ref('metrics') }}
    where is_additive and not is_signed

),

figures as (

    select * from {{ ref('int_metric_values_ranked') }}
    where winner_rank = 1 and value is not null

),

pairs as (

    select
        members.report_id,
        aggregates.report_id as aggregate_report_id,
        identities.*
    from reports as members
    inner join reports as aggregates
        on
            members.division_code = aggregates.division_code
            and members.report_year = aggregates.report_year
    inner join identities
        on members.form_code = identities.form_code
    where
        {{ in_touched_reports('members.report_id') }}
        and members.scope_code in ('own', 'government_itself')
        and aggregates.scope_code = 'area_aggregate'

),

final as (

    select
        {{ surrogate_key([
            'pairs.report_id',
            'pairs.identity_code',
            'member_figures.metric_code',
            'member_figures.applicant_type_code',
            'pairs.aggregate_report_id',
        ]) }} as identity_check_key,
        pairs.report_id,
        pairs.aggregate_report_id,
        pairs.identity_code,
        member_figures.metric_code as subject_metric_code,
        member_figures.applicant_type_code as subject_applicant_type_code,
        pairs.kind_code,
        pairs.relation,
        pairs.severity,
        pairs.statement_zh,
        case
            when
                member_figures.is_approximate
                or aggregate_figures.is_approximate
                then 'not_assessable'
            else {{ identity_status(
                'pairs.relation',
                'pairs.tolerance',
                'member_figures.value',
                '0',
                'aggregate_figures.value',
                '0',
            ) }}
        end as status,
        cast(member_figures.value as decimal(28, 4)) as left_value,
        cast(aggregate_figures.value as decimal(28, 4)) as right_value,
        member_figures.is_certain_reading
        and aggregate_figures.is_certain_reading as is_certain_reading
    from pairs
    inner join figures as member_figures
        on pairs.report_id = member_figures.report_id
    inner join metrics
        on member_figures.metric_code = metrics.metric_code
    inner join figures as aggregate_figures
        on
            pairs.aggregate_report_id = aggregate_figures.report_id
            and member_figures.metric_code = aggregate_figures.metric_code
            and member_figures.applicant_type_code
            = aggregate_figures.applicant_type_code

)

select * from final
