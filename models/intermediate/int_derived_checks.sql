-- What the identities say of a report once derived figures are put in.
{{ judged_readings(ref('int_derived_term_values')) }}
