{#-
    What a table promises, beyond the types and keys of a contract of dbt. One
    test a table, so that many tables are checked in little time. Each row
    returned names the rule that was broken.
-#}
{% test table_contract(
    model, grains=[], filled=[], closed_sets={}, references=[], kept_by=none
) %}
{%- set made = made_rows(model, kept_by) | trim -%}
{#- A few of the rows are found once; a whole table is read where it stands. -#}
{%- set rows = 'made_rows' if made.startswith('(') else made -%}
{%- set found = [] -%}
{%- for grain in grains -%}
    {%- set columns = [grain] if grain is string else grain -%}
    {%- set query -%}
select
    'one row per {{ columns | join(', ') }}' as broken_rule,
    {{ surrogate_key(columns) }} as broken_value
from {{ rows }} as made
group by {{ columns | join(', ') }}
having count(*) > 1
union all
select
    'one row per {{ columns | join(', ') }}: filled' as broken_rule,
    cast(null as string) as broken_value
from {{ rows }} as made
where {{ columns | join(' is null or ') }} is null
    {%- endset -%}
    {%- do found.append(query) -%}
{%- endfor -%}
{%- for column in filled -%}
    {%- set query -%}
select
    '{{ column }}: filled' as broken_rule,
    cast(null as string) as broken_value
from {{ rows }} as made
where {{ column }} is null
    {%- endset -%}
    {%- do found.append(query) -%}
{%- endfor -%}
{%- for column, values in closed_sets.items() -%}
    {%- set query -%}
select
    '{{ column }}: one of {{ values | join(', ') }}' as broken_rule,
    {{ column }} as broken_value
from {{ rows }} as made
where {{ column }} not in ('{{ values | join("', '") }}')
    {%- endset -%}
    {%- do found.append(query) -%}
{%- endfor -%}
{%- for reference in references -%}
    {%- set field = reference.field or reference.column -%}
    {%- set query -%}
select
    '{{ reference.column }}: known in {{ reference.to.identifier }}'
        as broken_rule,
    children.{{ reference.column }} as broken_value
from {{ rows }} as children
left join {{ reference.to }} as parents
    on children.{{ reference.column }} = parents.{{ field }}
where
    children.{{ reference.column }} is not null
    {%- if reference.besides %}
    and children.{{ reference.column }} <> '{{ reference.besides }}'
    {%- endif %}
    and parents.{{ field }} is null
    {%- endset -%}
    {%- do found.append(query) -%}
{%- endfor -%}
{%- if rows == 'made_rows' -%}
with made_rows as {{ made }}
{% endif -%}
{{ found | join('\nunion all\n') }}
{% endtest %}
