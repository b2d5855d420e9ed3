{#-
    The understood figures of some reports, ranked among the printings of the
    same figure: the one order of preference, for current and for older reports.
-#}
{% macro ranked_metric_values(reports) %}
with

metric_rows as (

    select * from {{ ref('int_metric_rows_corrected') }}

),

reports as (

    {{ reports }}

),

metrics as (

    select * from {{ ref('metrics') }}

),

placed as (

    select
        metric_rows.metric_row_id,
        metric_rows.report_id,
        metric_rows.metric_code,
        case
            when metric_rows.applicant_type_code is not null
                then metric_rows.applicant_type_code
            when not metrics.has_applicant_type then 'not_applicable'
            -- Prose that names no applicant speaks of all of them.
            when metric_rows.source_kind = 'narrative' then 'total'
        end as applicant_type_code,
        metric_rows.source_kind,
        metric_rows.value_status,
        metric_rows.match_method,
        metric_rows.label_raw,
        metric_rows.column_label_raw,
        metric_rows.value_raw,
        metric_rows.snippet,
        metric_rows.locator,
        metric_rows.page_number,
        metric_rows.table_number,
        metric_rows.start_char_number,
        metric_rows.value,
        metric_rows.match_score,
        metric_rows.second_reading,
        metric_rows.second_value,
        metric_rows.is_approximate,
        metric_rows.is_read_by_ocr,
        metric_rows.correction_id,
        -- A label of a table must match letter by letter, or a second reading
        -- give the same. Prose never does: a phrase that can mean nothing else
        -- is enough. Characters seen in a picture are never certain; what a
        -- person looked up is.
        metric_rows.correction_id is not null
        or (
            not metric_rows.is_read_by_ocr
            and coalesce(metric_rows.second_reading, '') <> 'differs'
            and (
                coalesce(metric_rows.second_reading, '') = 'agrees'
                or coalesce(metric_rows.match_score, 0)
                >= case
                    when metric_rows.source_kind = 'table' then 100 else 90
                end
            )
        ) as is_certain_reading
    from metric_rows
    inner join reports on metric_rows.report_id = reports.report_id
    inner join metrics on metric_rows.metric_code = metrics.metric_code

),

preferred as (

    select
        *,
        case
            when value is not null and source_kind = 'table' then 1
            when value is not null then 2
            when source_kind = 'table' then 3
            else 4
        end as preference
    from placed
    -- A table cell whose applicant is unknown belongs to no grain.
    where applicant_type_code is not null

),

-- Most figures are printed once: ranking them all would sort the whole table.
contested as (

    select report_id, metric_code, applicant_type_code
    from preferred
    group by report_id, metric_code, applicant_type_code
    having count(*) > 1

),

ranks as (

    select
        preferred.metric_row_id,
        {%- for rank, columns in {
            'winner_rank': ['report_id', 'metric_code', 'applicant_type_code'],
            'source_rank': [
                'report_id', 'metric_code', 'applicant_type_code', 'source_kind',
            ],
        }.items() %}
        row_number() over (
            partition by preferred.{{ columns | join(', preferred.') }}
            order by
                preferred.preference nulls last,
                preferred.is_approximate nulls last,
                preferred.page_number nulls last,
                preferred.start_char_number nulls last,
                preferred.metric_row_id nulls last
        ) as {{ rank }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from preferred
    inner join contested
        on
            preferred.report_id = contested.report_id
            and preferred.metric_code = contested.metric_code
            and preferred.applicant_type_code = contested.applicant_type_code

),

final as (

    select
        preferred.*,
        coalesce(ranks.winner_rank, 1) as winner_rank,
        coalesce(ranks.source_rank, 1) as source_rank
    from preferred
    left join ranks
        on preferred.metric_row_id = ranks.metric_row_id

)

select * from final
{% endmacro %}
