"""The suites: what people judge about the data, run by Great Expectations over SQL.

In: a layer (``raw`` or ``marts``), its suites in ``expectations/<layer>.yml`` and the work file. Out: one
:class:`~loaders.builds.Finding` an expectation, and the Data Docs of the layer. Keys, contracts and
relationships are dbt's and do not stand here.

The format of a suite file::

    layer: raw
    suites:
      - table: raw.documents            # also the suite's name
        keys: [document_id]             # columns that name an offending row
        about: {en: …, zh: …}
        expectations:
          - rule_id: status_is_known      # names the rule for good, in every layer; {table} in it is the table's name
            expect: column_values_to_be_in_set
            column: status              # every key but the reserved ones is an argument of the expectation
            value_set: [loaded, rejected]
            severity: critical          # critical stops a refresh; warning and info are shown
            en: …                       # what is expected, in words
            zh: …
            next_step: …                # what to do when it fails
          - rule_id: …
            expect: no_rows             # no row may come out of the query; {table} is the suite's table
            query: select … from {table} where …
            evidence: select … from {table} where …   # where the query counts: the rows that it counts
            …

What follows from a seed is not written down a second time:

* as an argument, ``{seed: metrics, column: metric_code}`` is the set of a column, with ``aggregate: min`` or ``max``
  its bound as a number, with ``where: {column: value}`` (or ``unless``) a part of it; ``{current_year: 0}`` is this
  year, plus the number; ``{previous: raw.metric_rows, share: 0.5}`` is that share of the rows that the table had in
  the current release, 0 before the first;
* ``for_each: {seed: forms}`` beside a rule makes one rule a row of the seed, in which ``{form_code}`` is its cell;
* ``{seed.metrics(metric_code, unit)}`` in a query is a subquery of these columns, as text, so that the raw rows can
  be checked before the seeds are in the file; ``{var.minimum_peer_count}`` is a variable of ``dbt_project.yml``;
* ``generate: columns`` is the rule that the table has the columns and types of ``loaders/staging.py``.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.builds import LAYERS, Finding
from loaders.errors import ChecksFailedError, GongkaiError
from loaders.gx_import import import_great_expectations
from loaders.suite_rules import expand_rule, resolve_query, resolve_value
from loaders.version import PROJECT_ROOT
from loaders.warehouse import Warehouse, open_duckdb

if TYPE_CHECKING:
    import duckdb

EXPECTATIONS = PROJECT_ROOT / "expectations"
SEVERITIES = ("critical", "warning", "info")
OFFENDING_ROWS = 10
# So many are kept with the result, for the pages that show what was found.
KEPT_ROWS = 100

_ROWS_TYPE = "unexpected_rows_expectation"
_RULE_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_RESERVED = ("rule_id", "expect", "severity", "en", "zh", "next_step", "query", "evidence")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One rule of a suite, with seeds resolved."""

    rule_id: str
    type: str
    arguments: dict[str, Any]
    severity: str
    description_en: str
    description_zh: str
    next_step: str
    evidence: str = ""

    @property
    def description(self) -> str:
        """The rule in both languages."""
        return f"{self.description_en} {self.description_zh}".strip()


@dataclass(frozen=True, slots=True)
class Suite:
    """The rules of one table."""

    schema: str
    table: str
    keys: tuple[str, ...]
    about: str
    expectations: tuple[Expectation, ...]

    @property
    def name(self) -> str:
        """The suite's name: schema and table."""
        return f"{self.schema}.{self.table}"


def load_suites(
    layer: str, folder: Path = EXPECTATIONS, previous: Mapping[str, int] | None = None
) -> tuple[Suite, ...]:
    """The suites of a layer; ``previous`` are the rows that each table had in the release before.

    Raises:
        GongkaiError: when the file is missing or a suite is not written as it should be.
    """
    import yaml

    from loaders.yaml_files import read_yaml

    path = folder / f"{layer}.yml"
    if layer not in LAYERS or not path.is_file():
        raise GongkaiError(f"no suites for {layer}: {path} is missing")
    try:
        content = read_yaml(path)
        suites = tuple(_parse_suite(entry, previous or {}) for entry in content["suites"])
        _refuse_repeated(suites)
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise GongkaiError(f"{path}: not a file of suites as described in loaders/checks.py ({error!r})") from error
    return suites


def run_suites(warehouse: Warehouse, layer: str, suites: Sequence[Suite]) -> tuple[Finding, ...]:
    """Check a layer of the work file and write its Data Docs; the file must not be open in this process.

    Raises:
        GongkaiError: when the work file cannot be read.
    """
    from loaders.data_docs import replace_site

    with replace_site(warehouse.data_docs, layer) as site:
        results = _run_great_expectations(warehouse.work_file, suites, site)
    con = open_duckdb(warehouse.work_file, read_only=True)
    try:
        return tuple(_finding(con, suite, *outcome) for suite, outcome in results)
    finally:
        con.close()


def raise_if_blocked(layer: str, findings: Sequence[Finding], site: Path) -> None:
    """Refuse to go on when a critical expectation failed; the message leads to the pages of ``site``.

    Raises:
        ChecksFailedError: naming suite, expectation, offending rows and what to do.
    """
    blocking = [finding for finding in findings if finding.blocks]
    if not blocking:
        return
    lines = [f"the checks of {layer} failed; nothing was published"]
    for finding in blocking:
        lines += describe_finding(finding)
    lines.append(f"all results, with their rows: {site / f'checks_{layer}.html'}")
    raise ChecksFailedError("\n".join(lines))


def describe_finding(finding: Finding) -> list[str]:
    """A failed expectation in lines for a person."""
    column = f" on {finding.column_name}" if finding.column_name else ""
    lines = [f"  suite {finding.suite_name}, {finding.expectation_type}{column} ({finding.severity})"]
    lines.append(f"    expected: {finding.description}")
    if finding.is_error:
        lines.append(f"    could not be checked: {finding.observed}")
    elif finding.unexpected_count is not None:
        lines.append(f"    met: {finding.unexpected_count} offending rows")
    else:
        lines.append(f"    met: {finding.observed}")
    for row in finding.offending_rows[:OFFENDING_ROWS]:
        lines.append("      " + ", ".join(f"{name}={value}" for name, value in row.items()))
    if finding.next_step:
        lines.append(f"    next: {finding.next_step}")
    return lines


def _parse_suite(entry: dict[str, Any], previous: Mapping[str, int]) -> Suite:
    schema, table = entry["table"].split(".")
    about = entry.get("about", {})
    return Suite(
        schema=schema,
        table=table,
        keys=tuple(entry["keys"]),
        about=f"{about.get('en', '')} {about.get('zh', '')}".strip(),
        expectations=tuple(
            _parse_expectation(rule, entry["table"], previous)
            for written in entry["expectations"]
            for rule in expand_rule(written, entry["table"])
        ),
    )


def _refuse_repeated(suites: Sequence[Suite]) -> None:
    names = Counter(rule.rule_id for suite in suites for rule in suite.expectations)
    repeated = [name for name, count in names.items() if count > 1]
    if repeated:
        raise ValueError(f"rule_id stands more than once: {', '.join(repeated)}")


def _parse_expectation(rule: Mapping[str, Any], table: str, previous: Mapping[str, int]) -> Expectation:
    if rule["severity"] not in SEVERITIES:
        raise ValueError(f"severity {rule['severity']!r} in {table}; wanted one of {', '.join(SEVERITIES)}")
    rule_id = rule["rule_id"]
    if not _RULE_ID.fullmatch(rule_id):
        raise ValueError(f"rule_id {rule_id!r} in {table}; wanted small letters, digits and single underscores")
    if rule["expect"] == "no_rows":
        kind = _ROWS_TYPE
        arguments = {"unexpected_rows_query": _rows_query(rule["query"])}
    else:
        kind = f"expect_{rule['expect']}"
        arguments = {name: resolve_value(value, previous) for name, value in rule.items() if name not in _RESERVED}
    return Expectation(
        rule_id=rule_id,
        type=kind,
        arguments=arguments,
        severity=rule["severity"],
        description_en=" ".join(rule["en"].split()),
        description_zh=rule.get("zh", ""),
        next_step=" ".join(rule.get("next_step", "").split()),
        evidence=" ".join(resolve_query(rule.get("evidence", "")).split()),
    )


def _rows_query(query: str) -> str:
    # Great Expectations puts a subquery with an alias for {batch}, which can stand once and without another alias.
    text = " ".join(resolve_query(query).split()).replace("{table}", "checked")
    # The package formats the query as a Python string.
    literal = text.replace("{", "{{").replace("}", "}}")
    checked = "with checked as (select * from {batch})"
    return f"{checked}, {literal[5:]}" if literal.startswith("with ") else f"{checked} {literal}"


_Outcome = tuple[Expectation, bool, dict[str, Any], str | None]


def _run_great_expectations(work_file: Path, suites: Sequence[Suite], site: Path) -> list[tuple[Suite, _Outcome]]:
    # Set before the import: the package reads it then, and must not look for a network.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with _quiet():
        gx = import_great_expectations()
        from great_expectations.data_context.types.base import ProgressBarsConfig

        import loaders.gx_rows  # noqa: F401 - registers its expectation
        from loaders.gx_dialect import GX_DIALECT_MODULE

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        for name in list(context.variables.data_docs_sites or {}):
            context.delete_data_docs_site(name)
        context.add_data_docs_site("docs", _site_config(site))
        url = f"duckdb+gx:///{work_file}?access_mode=read_only"
        source = context.data_sources.add_sql("work", connection_string=url, create_temp_table=False)
        engine = source.get_execution_engine()
        engine.dialect_module = GX_DIALECT_MODULE
        try:
            results = [pair for suite in suites for pair in _run_suite(gx, context, source, suite)]
            context.build_data_docs()
        finally:
            # Else the pool keeps the file open and dbt, or the next writer in this process, is locked out.
            engine.close()
            source.get_engine().dispose()
    return results


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the log and the warnings of Great Expectations from the terminal; results say what matters."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _site_config(site: Path) -> Any:
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(site)},
    }


def _run_suite(gx: Any, context: Any, source: Any, suite: Suite) -> Iterator[tuple[Suite, _Outcome]]:
    try:
        asset = source.add_table_asset(suite.name, table_name=suite.table, schema_name=suite.schema)
    except gx.datasource.fluent.interfaces.TestConnectionError as error:
        rule_id, said = f"{suite.table}_exists", f"The table {suite.name} is there."
        missing = Expectation(rule_id, "table_exists", {}, "critical", said, "", "Build it.")
        yield suite, (missing, False, {}, str(error))
        return
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(
            name=suite.name,
            data=asset.add_batch_definition_whole_table("all"),
            suite=context.suites.add(
                gx.ExpectationSuite(
                    name=suite.name,
                    meta={"notes": suite.about},
                    expectations=[
                        {
                            "type": rule.type,
                            "kwargs": rule.arguments,
                            "severity": rule.severity,
                            "description": rule.description,
                            # The number leads from a result back to its rule; results come in another order.
                            "meta": {"rule": number},
                        }
                        for number, rule in enumerate(suite.expectations)
                    ],
                )
            ),
        )
    )
    result_format = {
        "result_format": "SUMMARY",
        "unexpected_index_column_names": list(suite.keys),
        "partial_unexpected_count": KEPT_ROWS,
    }
    outcomes = {}
    for result in definition.run(result_format=result_format).results:
        number = result.expectation_config.meta["rule"]
        outcomes[number] = (bool(result.success), dict(result.result or {}), _exception(result.exception_info))
    for number, rule in enumerate(suite.expectations):
        yield suite, (rule, *outcomes[number])


def _exception(info: dict[str, Any] | None) -> str | None:
    """The message of an exception; it comes flat or by metric."""
    if not info:
        return None
    entries = [info, *(value for value in info.values() if isinstance(value, dict))]
    for entry in entries:
        if entry.get("raised_exception"):
            message = str(entry.get("exception_message") or "unknown error")
            return message.split("\n\n", 1)[0][:500]
    return None


def _finding(
    con: duckdb.DuckDBPyConnection,
    suite: Suite,
    rule: Expectation,
    success: bool,
    result: dict[str, Any],
    error: str | None,
) -> Finding:
    rows: tuple[dict[str, Any], ...] = ()
    unexpected = result.get("unexpected_count")
    observed = result.get("observed_value")
    if not success and error is None:
        if rule.type == _ROWS_TYPE:
            unexpected = observed
            rows = _query_rows(con, rule.arguments["unexpected_rows_query"].format(batch=suite.name))
        else:
            rows = tuple(dict(row) for row in result.get("partial_unexpected_index_list") or ())
    return Finding(
        rule_id=rule.rule_id,
        suite_name=suite.name,
        expectation_type=rule.type,
        column_name=rule.arguments.get("column"),
        severity=rule.severity,
        description=rule.description,
        next_step=rule.next_step,
        is_success=success and error is None,
        is_error=error is not None,
        observed=error if error is not None else None if observed is None else str(observed),
        unexpected_count=None if unexpected is None else int(unexpected),
        offending_rows=rows,
    )


def _query_rows(con: duckdb.DuckDBPyConnection, query: str) -> tuple[dict[str, Any], ...]:
    cursor = con.execute(f"select * from ({query}) limit {KEPT_ROWS}")
    names = [column[0] for column in cursor.description]
    return tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())
