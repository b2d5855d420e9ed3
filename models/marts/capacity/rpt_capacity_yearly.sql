{{ yearly_wide_table('capacity') }}
