-- Each identity of each report in each reading that it admits, judged.
{{ judged_readings(ref('int_identity_term_values')) }}
