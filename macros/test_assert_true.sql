{#- A condition that every row of a table fulfils; null is no fulfilment. -#}
{% test assert_true(model, condition, kept_by=none) %}
select *
from {{ made_rows(model, kept_by) }} as made
where not coalesce({{ condition }}, false)
{% endtest %}
