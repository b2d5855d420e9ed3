"""What sqlfluff reads in place of dbt's own macros, so that models are linted without dbt and without a warehouse."""


def type_string() -> str:
    """The type of texts."""
    return "string"


def dateadd(part: str, number: str, date: str) -> str:
    """A date some days, months or years later."""
    return f"date_add({date}, {number})"


def datediff(first: str, second: str, part: str) -> str:
    """The difference of two dates."""
    return f"datediff('{part}', {first}, {second})"
