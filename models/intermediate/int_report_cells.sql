-- What became of the cells that the form of a report demands. A cell counts as
-- the table prints it, whatever the text says; of several printings the best.
with

reports as (

    select * from {{ ref('dim_report') }}
    where is_in_facts and {{ in_touched_reports() }}

),

demanded as (

    select distinct
        cells.form_code,
        cells.metric_code,
        coalesce(cells.applicant_type_code, 'not_applicable')
            as applicant_type_code
    from {{ ref('form_cells') }} as cells
    inner join {{ ref('form_tables') }} as form_tables
        on cells.table_code = form_tables.table_code
    inner join {{ ref('form_rows') }} as form_rows
        on
            cells.table_code = form_rows.table_code
            and cells.row_code = form_rows.row_code
    where form_tables.is_demanded and form_rows.variant_code = 'all'

),

forms as (

    select
        form_code,
        count(*) as demanded_cell_count
    from demanded
    group by form_code

),

printed as (

    select
        figures.report_id,
        count(case
            when
                figures.value_status in (
                    'number', 'none_stated', 'not_applicable'
                ) then 1
        end) as understood_cell_count,
        count(case when figures.value_status = 'blank' then 1 end)
            as blank_cell_count,
        count(case when figures.value_status = 'illegible' then 1 end)
            as illegible_cell_count
    from {{ ref('int_metric_values_ranked') }} as figures
    inner join reports
        on figures.report_id = reports.report_id
    inner join demanded
        on
            reports.form_code = demanded.form_code
            and figures.metric_code = demanded.metric_code
            and figures.applicant_type_code = demanded.applicant_type_code
    where figures.source_kind = 'table' and figures.source_rank = 1
    group by figures.report_id

),

final as (

    select
        reports.report_id,
        reports.report_year,
        forms.demanded_cell_count,
        -- A report without its tables has no cell of any kind.
        {%- for kind in ['understood', 'blank', 'illegible'] %}
        coalesce(printed.{{ kind }}_cell_count, 0) as {{ kind }}_cell_count,
        {%- endfor %}
        forms.demanded_cell_count
        - coalesce(printed.understood_cell_count, 0)
        - coalesce(printed.blank_cell_count, 0)
        - coalesce(printed.illegible_cell_count, 0) as missing_cell_count
    from reports
    inner join forms
        on reports.form_code = forms.form_code
    left join printed
        on reports.report_id = printed.report_id

)

select * from final
