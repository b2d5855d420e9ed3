-- Question: which figures began, ended or stayed when the form changed in
-- 2019?
-- Read: one row a metric of the national form of 2014 or the trial form of
-- 2019. report_count is how many reports state it in each form.
-- Caveats: a metric that ended may live on under another definition; the
-- series in harmonised_code join what can be joined, with the grade of each
-- form. Metrics without a cell of their own stand in the text.
with

form_metrics as (

    select * from {{ ref('form_metrics') }}
    where form_code in ('nat2014', 'fmt2019')

),

metrics as (

    select * from {{ ref('dim_metric') }}

),

figures as (

    select
        metric_code,
        form_code,
        count(distinct report_id) as report_count
    from {{ ref('fct_metric_value') }}
    where value is not null
    group by metric_code, form_code

),

forms as (

    select
        {%- for form_code in ['nat2014', 'fmt2019'] %}
        count(case
            when form_metrics.form_code = '{{ form_code }}' then 1
        end) as in_{{ form_code }}_count,
        coalesce(max(case
            when form_metrics.form_code = '{{ form_code }}'
                then figures.report_count
        end), 0) as {{ form_code }}_report_count,
        {%- endfor %}
        form_metrics.metric_code
    from form_metrics
    left join figures
        on
            form_metrics.metric_code = figures.metric_code
            and form_metrics.form_code = figures.form_code
    group by form_metrics.metric_code

),

final as (

    select
        metrics.subject_code,
        metrics.family_code,
        forms.metric_code,
        metrics.label_zh,
        case
            when forms.in_nat2014_count = 0 then 'began'
            when forms.in_fmt2019_count = 0 then 'ended'
            else 'stayed'
        end as change_code,
        forms.nat2014_report_count,
        forms.fmt2019_report_count
    from forms
    inner join metrics
        on forms.metric_code = metrics.metric_code

)

select * from final
order by
    subject_code asc nulls last,
    family_code asc nulls last,
    metric_code asc nulls last
