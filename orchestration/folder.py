"""The sensor on a folder: a refresh when its files changed and have come to rest.

The cursor holds two hashes of the names, sizes and times of all files: of the last look, and of what a refresh was
asked for. A refresh is asked for when two looks in a row see the same files, other than those of the last refresh, so
that a folder is not read while it is being filled.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from loaders.warehouse import is_warehouse


@dataclass(frozen=True, slots=True)
class Cursor:
    """What the sensor remembers from look to look."""

    seen: str = ""
    requested: str = ""

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """The cursor as Dagster keeps it; a new one when there is none."""
        return cls(**json.loads(text)) if text else cls()

    def __str__(self) -> str:
        """The cursor as text."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the folders says: the cursor to keep, and why a refresh is asked for or not."""

    cursor: Cursor
    is_refresh_due: bool
    reason: str


def listing_hash(folders: Sequence[str]) -> str:
    """A hash of every file's name, size and time of change, whatever the order; warehouses are left out."""
    lines = []
    for folder in folders:
        for parent, folders_within, names in os.walk(folder):
            # A refresh writes there: it would ask for the next one.
            folders_within[:] = [name for name in folders_within if not is_warehouse(Path(parent, name))]
            for name in names:
                path = os.path.join(parent, name)
                try:
                    status = os.stat(path)
                except OSError:  # gone since it was listed: the next look sees the folder without it
                    continue
                lines.append(f"{path}\0{status.st_size}\0{status.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(lines)).encode(errors="surrogateescape")).hexdigest()


def look(folders: Sequence[str], cursor: Cursor) -> Look:
    """Look at the folders once."""
    found = listing_hash(folders)
    if found == cursor.requested:
        return Look(Cursor(found, cursor.requested), False, "no file is new, changed or gone")
    if found != cursor.seen:
        return Look(Cursor(found, cursor.requested), False, "files are new, changed or gone; waiting for them to rest")
    return Look(Cursor(found, found), True, "files are new, changed or gone, and have come to rest")
