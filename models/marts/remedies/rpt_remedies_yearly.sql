{{ yearly_wide_table('remedies') }}
