{#-
    The value columns of a subject's wide table, as seeded: metrics by family,
    then as the forms print them. `loaders/cards.py` applies the same order.
-#}
{% macro wide_table_columns(subject_code, by_applicant_type=[]) %}
    {% set query %}
        select metrics.metric_code
        from {{ ref('metrics') }} as metrics
        inner join {{ ref('metric_families') }} as families
            on metrics.family_code = families.family_code
        inner join {{ ref('form_metrics') }} as form_metrics
            on metrics.metric_code = form_metrics.metric_code
        inner join {{ ref('forms') }} as forms
            on form_metrics.form_code = forms.form_code
        where families.subject_code = '{{ subject_code }}'
        group by metrics.metric_code, families.family_order
        order by
            families.family_order nulls last,
            min(forms.form_order * 10000 + form_metrics.metric_order)
            nulls last
    {% endset %}
    {% set part_query %}
        select applicant_type_code
        from {{ ref('applicant_types') }}
        where parent_code is not null
        order by applicant_type_order nulls last
    {% endset %}
    {% set columns = [] %}
    {% if execute %}
        {% set parts = run_query(part_query).columns[0].values() %}
        {% for metric_code in run_query(query).columns[0].values() %}
            {% do columns.append({'name': metric_code, 'metric_code': metric_code}) %}
            {% for part in parts if metric_code in by_applicant_type %}
                {% do columns.append({
                    'name': metric_code ~ '_' ~ part,
                    'metric_code': metric_code,
                    'applicant_type_code': part,
                }) %}
            {% endfor %}
        {% endfor %}
        {% if not columns %}
            {{ exceptions.raise_compiler_error(
                'No metric has the subject "' ~ subject_code ~ '". Subjects are '
                ~ 'the values of subject_code in the seed metric_families.'
            ) }}
        {% endif %}
    {% endif %}
    {{ return(columns) }}
{% endmacro %}
