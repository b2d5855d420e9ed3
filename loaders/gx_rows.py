"""The expectation that a query returns no rows, evaluated once.

Great Expectations runs such a query twice, for its rows and for their number, and shows the rows in no result that
the suites ask for; the rows of a rule that fails are fetched by :mod:`loaders.checks`, with their names. On a million
figures that is half of what the suites cost. The class has the name of the one that it takes the place of, because
Great Expectations knows an expectation by the name of its class.
"""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.expectations.core import unexpected_rows_expectation as upstream

_COUNT = "unexpected_rows_query.row_count"


class UnexpectedRowsExpectation(upstream.UnexpectedRowsExpectation):
    """No row may come out of the query; what is observed is their number."""

    metric_dependencies: ClassVar[tuple[str, ...]] = (_COUNT,)

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        return {"success": metrics[_COUNT] == 0, "result": {"observed_value": metrics[_COUNT]}}
