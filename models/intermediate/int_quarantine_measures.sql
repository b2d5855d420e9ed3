-- What each rule of quarantine counts in each report, and the first printed
-- figure that it met.
with

figures as (

    select
        *,
        source_kind = 'table' as is_cell,
        second_reading = 'differs' as is_other_reading,
        source_kind = 'table' and metric_code is null as is_unlabelled,
        source_kind = 'table' and value_status = 'illegible' as is_illegible
    from {{ ref('int_metric_rows_corrected') }}

),

figure_counts as (

    select
        report_id,
        count(case when is_cell then 1 end) as cell_count,
        count(second_reading) as second_reading_count,
        {%- for flag in ['other_reading', 'unlabelled', 'illegible'] %}
        count(case when is_{{ flag }} then 1 end) as {{ flag }}_count,
        min(case when is_{{ flag }} then metric_row_id end)
            as first_{{ flag }}_id,
        {%- endfor %}
        count(distinct case
            when is_cell and metric_code is not null
                then cast(table_number as string) || ' ' || label_raw
        end) as taken_row_count
    from figures
    group by report_id

),

refused_rows as (

    select
        report_id,
        count(*) as refused_row_count
    from {{ ref('stg_raw__issues') }}
    where
        report_id is not null
        and issue_code
        in ('arity_mismatch', 'ambiguous_label', 'row_unmatched')
    group by report_id

),

failing_terms as (

    select
        identity_check_key,
        min(metric_row_id) as first_metric_row_id
    from {{ ref('int_quarantine_terms') }}
    group by identity_check_key

),

sums as (

    select
        sums.report_id,
        count(*) as sum_count,
        count(case
            when sums.status = 'fails' and not sums.is_certain_reading then 1
        end) as failing_sum_count,
        min(case
            when sums.status = 'fails' and not sums.is_certain_reading
                then failing_terms.first_metric_row_id
        end) as first_failing_id
    from {{ ref('int_quarantine_sums') }} as sums
    inner join failing_terms
        on sums.identity_check_key = failing_terms.identity_check_key
    where sums.status in ('holds', 'fails')
    group by sums.report_id

),

years as (

    select
        report_id,
        case
            when
                table_year <> report_year
                and coalesce(
                    {{ digits_of('title') }}
                    not like '%' || cast(report_year as string) || '%',
                    true
                )
                and coalesce(year(period_end_date), 0) <> report_year
                and coalesce(year(published_date), 0) <> report_year + 1
                then 1
            else 0
        end as unborne_year_count
    from {{ ref('stg_raw__reports') }}
    where table_year is not null and report_year is not null

),

final as (

    {%- for rule, offending, assessed, first_id, source in [
        ('second_reading_differs', 'other_reading_count',
            'second_reading_count', 'first_other_reading_id', 'figure_counts'),
        ('labels_not_understood', 'unlabelled_count', 'cell_count',
            'first_unlabelled_id', 'figure_counts'),
        ('cells_illegible', 'illegible_count', 'cell_count',
            'first_illegible_id', 'figure_counts'),
        ('doubtful_sums_fail', 'failing_sum_count', 'sum_count',
            'first_failing_id', 'sums'),
        ('year_without_witness', 'unborne_year_count', '1',
            'cast(null as string)', 'years'),
    ] %}
    select
        report_id,
        '{{ rule }}' as rule_code,
        cast({{ offending }} as bigint) as met_count,
        cast({{ assessed }} as bigint) as assessed_count,
        {{ first_id }} as metric_row_id
    from {{ source }}
    union all
    {%- endfor %}
    select
        refused_rows.report_id,
        'rows_not_taken' as rule_code,
        refused_rows.refused_row_count as met_count,
        refused_rows.refused_row_count
        + coalesce(figure_counts.taken_row_count, 0) as assessed_count,
        cast(null as string) as metric_row_id
    from refused_rows
    left join figure_counts
        on refused_rows.report_id = figure_counts.report_id

)

select * from final
where met_count > 0
