"""How much of the project its cards describe.

In: the cards (``.yml``) beside the models, seeds and analyses, the docs blocks they refer to, and the project file.
Out: for each layer how many of the things that a card must say are said, and each one that is not::

    python -m loaders.card_coverage    print the shares; exit 1 if anything is missing

A card must say: what the table is, in a description that ends with its grain; what each column is; what tells two
rows apart, in a test; and in the marts a type for each column, which an enforced contract compares with the query.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loaders.vocabulary import PROJECT_ROOT
from loaders.yaml_files import read_yaml

_MODELS = ("staging", "intermediate", "marts", "quality")
LAYERS = (*_MODELS, "seeds", "analyses")
_GRAIN = re.compile(r"\bOne row (?:per|a|an) [^.]+\.$")
_DOC = re.compile(r"\{\{\s*doc\('(\w+)'\)\s*\}\}")
_BLOCK = re.compile(r"\{% docs (\w+) %\}(.*?)\{% enddocs %\}", re.DOTALL)
_KEY_TESTS = ("unique", "one_row_per", "table_contract")


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that a card must say, and whether it does."""

    layer: str
    table: str
    what: str
    is_kept: bool


def list_claims(root: Path = PROJECT_ROOT) -> list[Claim]:
    """Every claim on every card of the project."""
    blocks = {
        name: text.strip()
        for path in sorted((root / "models").rglob("*.md"))
        for name, text in _BLOCK.findall(path.read_text("utf-8"))
    }
    has_contract = _has_enforced_contract(root)
    claims: list[Claim] = []
    for layer, path, card in _cards(root):
        claims += _card_claims(layer, path, card, blocks, has_contract)
    return claims + list(_uncarded(root))


def _cards(root: Path) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    folders = {"seeds": root / "seeds", "analyses": root / "analyses"}
    folders |= {layer: root / "models" / layer for layer in _MODELS}
    for layer in LAYERS:
        for path in sorted(folders[layer].rglob("*.yml")):
            content = read_yaml(path) or {}
            for kind in ("models", "seeds", "analyses"):
                for card in content.get(kind, ()):
                    yield layer, path, card


def _card_claims(
    layer: str, path: Path, card: Mapping[str, Any], blocks: Mapping[str, str], has_contract: bool
) -> Iterator[Claim]:
    table = str(card["name"])
    description = _text(card.get("description"), blocks)
    columns = card.get("columns") or []
    yield Claim(layer, table, "description", bool(description))
    yield Claim(layer, table, "columns", bool(columns))
    for column in columns:
        yield Claim(layer, table, f"column {column['name']}", bool(_text(column.get("description"), blocks)))
    if layer == "analyses":
        return
    yield Claim(layer, table, "card of its own", path.stem == table)
    yield Claim(layer, table, "grain as the last sentence", _GRAIN.search(description) is not None)
    if layer == "marts":
        yield Claim(layer, table, "test of the key", _has_key_test(card))
        yield Claim(layer, table, "enforced contract", has_contract and not _switches_contract_off(card))
        yield Claim(layer, table, "types", all(column.get("data_type") for column in columns))


def _uncarded(root: Path) -> Iterator[Claim]:
    carded = {(layer, str(card["name"])) for layer, _, card in _cards(root)}
    for layer in LAYERS:
        folder = root / "models" / layer if layer in _MODELS else root / layer
        for path in sorted(folder.rglob("*.csv" if layer == "seeds" else "*.sql")):
            yield Claim(layer, path.stem, "card", (layer, path.stem) in carded)


def _text(description: object, blocks: Mapping[str, str]) -> str:
    """The description with its docs blocks; empty where one of them is missing or empty."""
    text = " ".join(str(description or "").split())
    if any(not blocks.get(name) for name in _DOC.findall(text)):
        return ""
    return _DOC.sub(lambda found: " ".join(blocks[found[1]].split()), text)


def _has_key_test(card: Mapping[str, Any]) -> bool:
    columns = card.get("columns") or []
    names = [_test_name(test) for test in card.get("data_tests") or []]
    names += [_test_name(test) for column in columns for test in column.get("data_tests") or []]
    return any(name in _KEY_TESTS for name in names)


def _test_name(test: object) -> str:
    return str(next(iter(test))) if isinstance(test, dict) else str(test)


def _has_enforced_contract(root: Path) -> bool:
    project = read_yaml(root / "dbt_project.yml")
    marts = project["models"][project["name"]]["marts"]
    return bool(marts.get("+contract", {}).get("enforced"))


def _switches_contract_off(card: Mapping[str, Any]) -> bool:
    contract = (card.get("config") or {}).get("contract") or {}
    return contract.get("enforced") is False


def main() -> int:
    """Print the share of each layer and what is missing; the exit code is 1 if anything is."""
    claims = list_claims()
    for layer in LAYERS:
        own = [claim for claim in claims if claim.layer == layer]
        kept = sum(claim.is_kept for claim in own)
        tables = len({claim.table for claim in own})
        columns = sum(claim.what.startswith("column ") for claim in own)
        print(f"{layer:13} {tables:4} tables {columns:5} columns  {100 * kept / max(len(own), 1):6.2f} % described")
    missing = [claim for claim in claims if not claim.is_kept]
    for claim in missing:
        print(f"missing: {claim.layer} {claim.table}: {claim.what}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
