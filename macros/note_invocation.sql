{#-
    Leaves the mark of whoever last wrote into the work file. A refresh puts the
    fingerprint of its code beside it when its build went well, and finds it there
    the next time unless somebody ran dbt meanwhile, or was stopped while doing so.
-#}
{% macro note_invocation() %}
    {%- if execute and flags.WHICH != 'test' -%}
        {%- call statement('note_invocation', auto_begin=True) -%}
            create schema if not exists intermediate;
            create or replace table
                {{ intermediate_relation('last_invocation') }} as
            select
                '{{ invocation_id }}' as invocation_id,
                cast(null as string) as fingerprint;
        {%- endcall -%}
        {#- What a hook leaves open is rolled back. -#}
        {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}
