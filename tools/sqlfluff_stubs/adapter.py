"""What sqlfluff reads in place of dbt's adapter: a dispatched macro becomes a call of its name."""

from collections.abc import Callable

# What stands where a query stands and not an expression.
_QUERIES = {"integers_between": "select 1 as report_year"}


def dispatch(name: str, package: str = "") -> Callable[..., str]:
    """A macro of the engine in use, as a call that only the linter sees."""
    return lambda *arguments: _QUERIES.get(name, f"{name}({', '.join(str(argument) for argument in arguments[:1])})")
