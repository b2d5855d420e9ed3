-- Which of several printings of a figure wins. A stated figure goes before a
-- blank, the table before the narrative, an exact narrative figure before an
-- approximate one, and an earlier place before a later one.
{{ ranked_metric_values(
    'select report_id from ' ~ ref('int_reports_versioned')
    ~ ' where is_in_facts and ' ~ in_looked_at_reports()
) }}
