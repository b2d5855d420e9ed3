"""What the options common to all commands say, parsed once."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.warehouse import Warehouse

if TYPE_CHECKING:
    from rich.console import Console


def plain_number(value: Decimal) -> int | float:
    """A figure as people write it: whole where it is whole, else with its decimals."""
    return int(value) if value == value.to_integral_value() else float(value)


def shown(path: Path) -> str:
    """A path as people would type it here: relative inside the current folder, else in full."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


@dataclass(frozen=True, slots=True)
class Settings:
    """Which warehouse a command works on and how it speaks.

    The answer of a command goes to standard output, as text or (``as_json``) as one JSON value; what it says
    while it works goes to standard error and is left out when ``quiet``.
    """

    warehouse: Warehouse
    quiet: bool = False
    as_json: bool = False

    def say(self, text: str) -> None:
        """Tell the person what is happening."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def answer(self, text: str, value: Any) -> None:
        """Print what the command found out."""
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False, indent=2, default=str))
        elif text and not self.quiet:
            print(text)

    def progress_console(self) -> Console | None:
        """Where a progress bar may be drawn: standard error, when it is a terminal."""
        if self.quiet or not sys.stderr.isatty():
            return None
        from rich.console import Console

        return Console(stderr=True)


def make_settings(warehouse: str, quiet: bool, as_json: bool) -> Settings:
    """Settings from the options of the command line."""
    return Settings(Warehouse(Path(warehouse).absolute()), quiet, as_json)
