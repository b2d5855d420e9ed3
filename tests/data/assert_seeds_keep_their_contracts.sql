-- The contract on the card of every seed, in one query: alone each takes longer
-- to ask than to answer. Alone they run with the selector `everything`. A row
-- names the seed, the rule that it breaks, and a value that breaks it.
{%- set seeds = [
    ref('agencies'),
    ref('agency_aliases'),
    ref('agency_kinds'),
    ref('agency_levels'),
    ref('agency_successions'),
    ref('applicant_types'),
    ref('corrections'),
    ref('crosswalk'),
    ref('crosswalk_terms'),
    ref('division_successions'),
    ref('divisions'),
    ref('form_aliases'),
    ref('form_cells'),
    ref('form_columns'),
    ref('form_fingerprints'),
    ref('form_metrics'),
    ref('form_rows'),
    ref('form_tables'),
    ref('forms'),
    ref('harmonised_series'),
    ref('identities'),
    ref('identity_terms'),
    ref('indicator_comparability'),
    ref('indicator_terms'),
    ref('indicators'),
    ref('issue_codes'),
    ref('metric_bounds'),
    ref('metric_families'),
    ref('metrics'),
    ref('organ_suffixes'),
    ref('quarantine_rules'),
    ref('report_deadline_bodies'),
    ref('report_deadlines'),
    ref('scopes'),
    ref('scorecard_weights'),
    ref('script_overlay'),
] -%}
{%- set found = [] -%}
{%- for test in graph.nodes.values() | selectattr('test_metadata', 'defined')
    if execute and test.test_metadata.name == 'table_contract'
        and test.attached_node.startswith('seed.')
        and 'loaders_only' not in graph.nodes[test.attached_node].tags -%}
    {%- set name = test.attached_node.split('.')[-1] -%}
    {%- set table = seeds | selectattr('identifier', 'equalto', name) | first -%}
    {%- if not table -%}
        {{- exceptions.raise_compiler_error(
            test.attached_node ~ ' has a contract on its card and is not listed '
            ~ 'in ' ~ model.original_file_path
        ) -}}
    {%- endif -%}
    {%- set promised = test.test_metadata.kwargs -%}
    {%- set references = [] -%}
    {%- for reference in promised.references or [] -%}
        {%- set parent = seeds
            | selectattr('identifier', 'equalto', reference.to.split("'")[1])
            | first -%}
        {%- do references.append(dict(reference, to=parent)) -%}
    {%- endfor -%}
    {%- set query = test_table_contract(
        table,
        grains=promised.grains or [],
        filled=promised.filled or [],
        closed_sets=promised.closed_sets or {},
        references=references,
    ) -%}
    {%- do found.append((name, query)) -%}
{%- endfor %}

{% for name, query in found %}
select
    '{{ name }}' as seed_name,
    broken_rule,
    cast(broken_value as string) as broken_value
from (
{{ query }}
) as {{ name }}_broken
{{ 'union all' if not loop.last }}
{% endfor %}
