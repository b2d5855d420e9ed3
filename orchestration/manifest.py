"""What a build makes, as dbt itself lists it.

In: the project. Out: the nodes that `dbt build` selects (seeds, models, tests) and the sources, as dbt's manifest
describes them. Dagster loads its definitions in several processes and dbt takes ten seconds to list, so the list is
kept under the warehouse until models, seeds, suites or loaders change.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from loaders.errors import GongkaiError
from loaders.version import PROJECT_ROOT, build_fingerprint, content_hash
from loaders.warehouse import Warehouse

_DBT = (sys.executable, "-m", "dbt.cli.main", "--quiet", "--no-use-colors")


@dataclass(frozen=True, slots=True)
class Node:
    """A seed, model, test or source of the project."""

    unique_id: str
    resource_type: str
    schema: str
    name: str
    description: str
    parents: tuple[str, ...]
    tested: str | None
    severity: str


def list_nodes(warehouse: Warehouse) -> tuple[Node, ...]:
    """What a build makes of the project as it is now, each node after its parents.

    Raises:
        GongkaiError: when dbt cannot read the project.
    """
    folder = warehouse.root / "dagster" / "nodes"
    here = Path(__file__)
    kept = folder / f"{content_hash([here], here.parent, build_fingerprint())[:32]}.json"
    if not kept.is_file():
        nodes = _ask_dbt(warehouse.root / "dagster" / "dbt", warehouse)
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.json"):
            old.unlink(missing_ok=True)
        temporary = kept.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps([asdict(node) for node in nodes], ensure_ascii=False), "utf-8")
        os.replace(temporary, kept)
    return tuple(Node(**{**node, "parents": tuple(node["parents"])}) for node in json.loads(kept.read_text("utf-8")))


def _ask_dbt(target: Path, warehouse: Warehouse) -> tuple[Node, ...]:
    folders = ["--project-dir", str(PROJECT_ROOT), "--profiles-dir", str(PROJECT_ROOT)]
    folders += ["--target-path", str(target), "--log-path", str(target / "logs")]
    # In a process of its own: the one that serves the definitions stays small.
    done = subprocess.run(
        [*_DBT, "list", "--output", "json", "--output-keys", "unique_id", *folders],
        env={**os.environ, "GONGKAI_WAREHOUSE": str(warehouse.root), "DO_NOT_TRACK": "1"},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise GongkaiError(f"dbt cannot read the project: {(done.stdout + done.stderr).strip()}")
    selected = {json.loads(line)["unique_id"] for line in done.stdout.splitlines() if line.startswith("{")}
    manifest = json.loads((target / "manifest.json").read_text("utf-8"))
    nodes = {**manifest["nodes"], **manifest["sources"]}
    kinds = ("seed", "model", "test", "source")
    found = {
        unique_id: _node(unique_id, node)
        for unique_id, node in sorted(nodes.items())
        if node["resource_type"] in kinds and (unique_id in selected or node["resource_type"] == "source")
    }
    # Dagster refuses a materialisation that is told before one it depends on.
    order = TopologicalSorter({name: [p for p in node.parents if p in found] for name, node in found.items()})
    return tuple(found[name] for name in order.static_order())


def _node(unique_id: str, node: Mapping[str, Any]) -> Node:
    parents = tuple(node.get("depends_on", {}).get("nodes", ()))
    return Node(
        unique_id=unique_id,
        resource_type=node["resource_type"],
        schema=node["schema"],
        name=node["name"],
        description=" ".join((node.get("description") or "").split()),
        parents=parents,
        tested=node.get("attached_node") or next(iter(parents), None),
        severity=str(node["config"].get("severity") or "error").lower(),
    )
