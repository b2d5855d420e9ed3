{{ yearly_wide_table('proactive_disclosure') }}
