"""What is run by hand still finds what it uses."""

from __future__ import annotations

import importlib

import pytest

from loaders.vocabulary import PROJECT_ROOT

MODULES = [
    f"{path.parent.name}.{path.stem}" for name in ("benchmarks", "tools") for path in PROJECT_ROOT.glob(f"{name}/*.py")
]


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_benchmark_and_tool_can_be_imported(name: str) -> None:
    importlib.import_module(name)
