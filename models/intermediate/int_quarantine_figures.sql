-- The figures of reports of which some reading is in doubt: the characters, the
-- label or the second reading. Only they can fail for it.
{{ ranked_metric_values(
    'select distinct report_id from ' ~ ref('int_metric_rows_corrected')
    ~ " where is_read_by_ocr or second_reading = 'differs'"
    ~ " or (source_kind = 'table' and match_score < 100)"
) }}
