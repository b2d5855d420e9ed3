{#-
    What an identity says once its terms are summed side by side.

    A missing term of an unsigned metric is any number from 0 up, so the sum of
    the known terms is the least its side can be. That bound alone decides:
    nothing is read as zero except where the known terms already close the
    identity, and then `missing_term_count` tells.
-#}
{% macro identity_status(
    relation, tolerance, left_sum, left_missing, right_sum, right_missing
) -%}
    case
        when {{ left_sum }} is null or {{ right_sum }} is null
            then 'not_assessable'
        when {{ left_missing }} > 0 and {{ right_missing }} > 0
            then 'not_assessable'
        -- The complete side lies below the least the other side can be.
        when {{ relation }} = '='
            and {{ left_missing }} = 0
            and {{ left_sum }} < {{ right_sum }} - {{ tolerance }}
            then 'fails'
        when {{ right_missing }} = 0
            and {{ left_sum }} > {{ right_sum }} + {{ tolerance }}
            then 'fails'
        -- The known terms close the identity.
        when {{ relation }} = '='
            and abs({{ left_sum }} - {{ right_sum }}) <= {{ tolerance }}
            then 'holds'
        when {{ relation }} = '<='
            and {{ left_missing }} = 0
            and {{ left_sum }} <= {{ right_sum }} + {{ tolerance }}
            then 'holds'
        else 'not_assessable'
    end
{%- endmacro %}
