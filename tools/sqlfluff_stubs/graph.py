"""What sqlfluff reads in place of the graph of dbt: a project without nodes."""

from typing import Any

nodes: dict[str, Any] = {}
