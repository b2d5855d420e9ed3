"""A generated panel of reports in raw rows, with planted facts and an oracle of its own."""
