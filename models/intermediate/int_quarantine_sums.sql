-- The sums of a form's own table in reports with doubtful readings, judged.
{{ judged_readings(ref('int_quarantine_terms')) }}
