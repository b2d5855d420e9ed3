{#-
    Stops the compiler where a term of an identity names what the catalogue does
    not have: a renamed code must not pass as an identity nobody can assess.
-#}
{% macro refuse_unknown_identity_codes() %}
    {% set query %}
        select
            terms.identity_code,
            terms.metric_code,
            terms.applicant_type_code,
            identities.form_code,
            identities.identity_code is null as is_unknown_identity,
            terms.metric_code <> '*' and metrics.metric_code is null
                as is_unknown_metric,
            terms.metric_code <> '*'
            and metrics.metric_code is not null
            and identities.form_code is not null
            and form_metrics.metric_code is null as is_not_on_form,
            terms.applicant_type_code is not null
            and applicant_types.applicant_type_code is null
                as is_unknown_applicant_type
        from {{ ref('identity_terms') }} as terms
        left join {{ ref('identities') }} as identities
            on terms.identity_code = identities.identity_code
        left join {{ ref('metrics') }} as metrics
            on terms.metric_code = metrics.metric_code
        left join {{ ref('form_metrics') }} as form_metrics
            on identities.form_code = form_metrics.form_code
            and terms.metric_code = form_metrics.metric_code
        left join {{ ref('applicant_types') }} as applicant_types
            on terms.applicant_type_code = applicant_types.applicant_type_code
        order by
            terms.identity_code nulls last,
            terms.side nulls last,
            terms.term_order nulls last
    {% endset %}
    {% if execute and flags.WHICH in ('build', 'run', 'test') %}
        {% set refused = [] %}
        {% for term in run_query(query).rows %}
            {% set name = 'identity ' ~ term.identity_code %}
            {% if term.is_unknown_identity %}
                {% do refused.append(name ~ ' has terms but no row in identities') %}
            {% elif term.is_unknown_metric %}
                {% do refused.append(name ~ ': no metric "' ~ term.metric_code ~ '" in metrics') %}
            {% elif term.is_not_on_form %}
                {% do refused.append(
                    name ~ ': metric "' ~ term.metric_code ~ '" is not on the form '
                    ~ term.form_code ~ ' in form_metrics'
                ) %}
            {% endif %}
            {% if term.is_unknown_applicant_type %}
                {% do refused.append(
                    name ~ ': no applicant type "' ~ term.applicant_type_code ~ '" in applicant_types'
                ) %}
            {% endif %}
        {% endfor %}
        {% if refused %}
            {{ exceptions.raise_compiler_error(
                'The seed identity_terms does not fit the catalogue: '
                ~ refused | unique | join('; ')
                ~ '. Mend the code there, or add it to the seed that lacks it.'
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}
