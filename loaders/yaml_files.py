"""YAML of the project: cards, suites and settings, read by the parser in C where PyYAML was built with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

# A seventh of the time of the parser in Python.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """The content of a file, or None when it is empty.

    Raises:
        yaml.YAMLError: when it is no YAML.
    """
    return yaml.load(path.read_text("utf-8"), Loader=_LOADER)
