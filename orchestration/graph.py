"""The assets and asset checks that Dagster shows, made from what the project says of itself.

In: the nodes of dbt and the suites. Out: specifications of assets (tables of the loaders, seeds, models, the release)
and of checks (rules of the suites, tests of dbt). An asset's key is schema and table, as in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dagster import AssetCheckKey, AssetCheckSpec, AssetKey, AssetSpec

from loaders.builds import LAYERS
from loaders.checks import Suite, load_suites
from orchestration.manifest import Node

RELEASE = AssetKey("release")
# What the loaders write and the build reads.
_LOADED_SCHEMA = "raw"


def asset_key(node: Node) -> AssetKey:
    """Schema and table."""
    return AssetKey([node.schema, node.name])


def is_asset(node: Node) -> bool:
    """Whether a node is a table or view that a refresh makes."""
    if node.resource_type == "source":
        return node.schema == _LOADED_SCHEMA
    return node.resource_type in ("seed", "model")


def asset_specs(nodes: Sequence[Node]) -> list[AssetSpec]:
    """One asset a table, and the release that all marts lead to."""
    assets = {node.unique_id: node for node in nodes if is_asset(node)}
    specs = [
        AssetSpec(
            asset_key(node),
            deps=[asset_key(assets[parent]) for parent in node.parents if parent in assets],
            description=node.description,
            group_name=node.schema,
            kinds={"python" if node.resource_type == "source" else "dbt", "duckdb"},
            # A refresh with nothing new makes nothing anew, and says so.
            skippable=True,
        )
        for node in assets.values()
    ]
    marts = [asset_key(node) for node in assets.values() if node.schema == "marts"]
    specs.append(
        AssetSpec(
            RELEASE,
            deps=marts,
            description="The immutable release that readers see: warehouse/current.",
            group_name="release",
            kinds={"duckdb", "parquet"},
            skippable=True,
        )
    )
    return specs


def suite_rules() -> list[tuple[Suite, str, str, str]]:
    """Every rule of the suites: its suite, id, severity and words."""
    return [
        (suite, rule.rule_id, rule.severity, rule.description)
        for layer in LAYERS
        for suite in load_suites(layer)
        for rule in suite.expectations
    ]


def check_specs(nodes: Sequence[Node]) -> list[AssetCheckSpec]:
    """One check a rule of the suites and one a test of dbt, at the table that it judges."""
    keys = {asset_key(node) for node in nodes if is_asset(node)}
    specs = [
        AssetCheckSpec(
            name=rule_id,
            asset=AssetKey([suite.schema, suite.table]),
            description=f"{description} ({severity}; Great Expectations)",
        )
        for suite, rule_id, severity, description in suite_rules()
        if AssetKey([suite.schema, suite.table]) in keys
    ]
    specs += [
        AssetCheckSpec(
            name=check.name,
            asset=check.asset_key,
            description=f"{node.description} ({node.severity}; dbt)".strip(),
        )
        for node, check in checks_of_tests(nodes)
    ]
    return specs


def checks_of_tests(nodes: Sequence[Node]) -> Iterable[tuple[Node, AssetCheckKey]]:
    """Each test of dbt with its check: at the table that it is declared on, else at the first that it reads."""
    assets = {node.unique_id: node for node in nodes if is_asset(node)}
    for node in nodes:
        if node.resource_type == "test":
            candidates = (node.tested, *node.parents)
            tested = next((assets[name] for name in candidates if name in assets), None)
            yield node, AssetCheckKey(RELEASE if tested is None else asset_key(tested), node.name)
