"""Statutory forms of invented bodies, printed in every format, spoiled in known ways, with the key of every cell."""
