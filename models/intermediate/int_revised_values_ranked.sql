-- The figures of the reports that were revised or revise, ranked as those of
-- the facts are.
{{ ranked_metric_values(
    'select report_id from ' ~ ref('int_report_revisions')
    ~ ' union select old_report_id from ' ~ ref('int_report_revisions')
) }}
