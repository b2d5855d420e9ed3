-- Every `one_row_per` on the card of an intermediate table, in one query: alone
-- each takes longer to ask than to answer. Alone they run with the selector
-- `everything`. A row names the table whose grain is broken, and how often.
{%- set tables = [
    ref('int_contradictions'),
    ref('int_corrections_met'),
    ref('int_derived_candidates'),
    ref('int_derived_checks'),
    ref('int_division_names'),
    ref('int_finding_figures'),
    ref('int_finding_terms'),
    ref('int_identity_checks'),
    ref('int_identity_containment'),
    ref('int_identity_readings'),
    ref('int_metric_value_reliability'),
    ref('int_metric_values_chosen'),
    ref('int_metric_values_derived'),
    ref('int_metric_values_ranked'),
    ref('int_quarantine_figures'),
    ref('int_quarantine_sums'),
    ref('int_report_agencies'),
    ref('int_report_contents'),
    ref('int_report_due_dates'),
    ref('int_report_layers'),
    ref('int_report_listed_agencies'),
    ref('int_report_places'),
    ref('int_report_revision_changes'),
    ref('int_report_revisions'),
    ref('int_report_twins'),
    ref('int_report_year_counts'),
    ref('int_reports_by_offset'),
    ref('int_reports_identified'),
    ref('int_reports_touched'),
    ref('int_reports_versioned'),
    ref('int_revised_values_ranked'),
    ref('int_trusted_figures'),
] -%}
{%- set promises = [] -%}
{%- for test in graph.nodes.values() | selectattr('test_metadata', 'defined')
    if execute and test.test_metadata.name == 'one_row_per'
        and '.int_' in test.attached_node -%}
    {%- set table = tables
        | selectattr('identifier', 'equalto', test.attached_node.split('.')[-1])
        | first -%}
    {%- if not table -%}
        {{- exceptions.raise_compiler_error(
            test.attached_node ~ ' has a grain on its card and is not listed in '
            ~ model.original_file_path
        ) -}}
    {%- endif -%}
    {%- do promises.append((table, test.test_metadata.kwargs.columns)) -%}
{%- endfor %}

{% for table, columns in promises %}
select
    '{{ table.identifier }}' as table_name,
    '{{ columns | join(', ') }}' as grain,
    count(*) as broken_count
from (
    {{ test_one_row_per(table, columns) }}
) as {{ table.identifier }}_broken
having count(*) > 0
{{ 'union all' if not loop.last }}
{% endfor %}
