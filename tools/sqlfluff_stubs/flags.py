"""What sqlfluff reads in place of the options of a run of dbt."""

WHICH = "build"
FULL_REFRESH = False
