{#-
    Stops the build where a term of a seed names a metric that the catalogue, or
    the form of the term, does not have, or an applicant type that the metric
    does not: its sum could never be taken and nobody would notice.
-#}
{% macro assert_terms_are_in_forms(seed, code_column) %}
    {% set query %}
        select
            terms.{{ code_column }},
            terms.form_code,
            terms.metric_code,
            terms.applicant_type_code
        from {{ seed }} as terms
        left join {{ ref('metrics') }} as metrics
            on terms.metric_code = metrics.metric_code
        left join {{ ref('form_metrics') }} as form_metrics
            on
                terms.form_code = form_metrics.form_code
                and terms.metric_code = form_metrics.metric_code
        left join {{ ref('applicant_types') }} as applicant_types
            on terms.applicant_type_code = applicant_types.applicant_type_code
        where
            metrics.metric_code is null
            or form_metrics.metric_code is null
            or (
                terms.applicant_type_code is not null
                and (
                    applicant_types.applicant_type_code is null
                    or not metrics.has_applicant_type
                )
            )
        order by
            terms.{{ code_column }} nulls last,
            terms.form_code nulls last,
            terms.metric_code nulls last
    {% endset %}
    {% if execute and flags.WHICH != 'test' %}
        {% set refused = [] %}
        {% for row in run_query(query).rows %}
            {% do refused.append(
                row[0] ~ ' (' ~ row[1] ~ '): ' ~ row[2]
                ~ ('[' ~ row[3] ~ ']' if row[3] else '')
            ) %}
        {% endfor %}
        {% if refused %}
            {{ exceptions.raise_compiler_error(
                seed.identifier ~ ' has terms that no cell of their form holds: '
                ~ refused | join('; ') ~ '. Correct the code in the seed, or '
                ~ 'give the form the metric in the seed form_metrics.'
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}
