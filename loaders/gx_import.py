"""Importing Great Expectations without the libraries of expectations that no suite uses.

``scipy.stats`` and ``altair`` serve the Kolmogorov-Smirnov and Kullback-Leibler expectations alone and are half of
the import. In their place stand modules that import the real ones when something of them is asked for.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import types
from collections.abc import Iterator
from typing import Any

_DEFERRED = ("altair", "scipy.stats")


class _Deferred(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


def import_great_expectations() -> Any:
    """The package, with every expectation that it has."""
    with _deferred():
        return importlib.import_module("great_expectations")


@contextlib.contextmanager
def _deferred() -> Iterator[None]:
    """Who imports one of the modules meanwhile gets one that waits; afterwards, everybody the real one."""
    waiting = {name: _Deferred(name) for name in _DEFERRED if name not in sys.modules}
    sys.modules.update(waiting)
    try:
        yield
    finally:
        for name, module in waiting.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
