"""What sqlfluff reads in place of the node that dbt compiles."""

resource_type = "model"
