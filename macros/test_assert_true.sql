{#- A condition that every row of a table fulfils; null is no fulfilment. -#}
{% test assert_true(model, condition) %}
select *
from {{ model }}
where not coalesce({{ condition }}, false)
{% endtest %}
