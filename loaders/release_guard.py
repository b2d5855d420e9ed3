"""What keeps SQL from writing beside a release, for whoever opens it, as whatever user.

DuckDB lets a connection without external access still write two names beside its file: ``warehouse.duckdb.wal`` and
anything in ``warehouse.duckdb.tmp``. `copy (...) to '…/warehouse.duckdb.wal'` works in a connection that is read-only
and locked, and every later reader would replay what was written there. So both names are taken by links that lead
nowhere: to read one finds nothing, as DuckDB expects of a closed file, and to write one fails, since the folder that
the link names is missing. File modes do not help, for the owner of a release and the administrator pass them.

In: the folder of a release whose database is closed. Out: the two links, and the connection that our own commands
read a release by. Tested with DuckDB 1.2 to 2.0.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from loaders.errors import GongkaiError
from loaders.warehouse import RELEASE_FILE

if TYPE_CHECKING:
    import duckdb

GUARDED = (f"{RELEASE_FILE}.wal", f"{RELEASE_FILE}.tmp")
# No such folder is ever made: every part of it is refused to SQL, too.
_NOWHERE = Path(".closed")
# Read-only alone lets SQL read and write other files. The order counts: DuckDB refuses a temp_directory that stands
# before enable_external_access. Without one, a question too large for the memory fails and writes nothing.
LOCKED = MappingProxyType(
    {
        "enable_external_access": "false",
        "temp_directory": "",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "lock_configuration": "true",
    }
)


def open_release(release: Path) -> duckdb.DuckDBPyConnection:
    """Open the database of a release, from where SQL reaches nothing else.

    Raises:
        GongkaiError: when the file cannot be opened.
    """
    import duckdb

    path = release / RELEASE_FILE
    try:
        return duckdb.connect(str(path), read_only=True, config=dict(LOCKED))
    except duckdb.Error as error:
        raise GongkaiError(f"cannot open {path}: {str(error).splitlines()[0]}") from error


def guard_release(folder: Path) -> None:
    """Take the names beside the database that SQL could write.

    Raises:
        GongkaiError: when something stands there already: the database was not closed, or was written to.
    """
    for name in GUARDED:
        link = folder / name
        try:
            link.symlink_to(_NOWHERE / name)
        except FileExistsError as error:
            if is_guarded(link):
                continue
            raise GongkaiError(f"{link} is there, so {RELEASE_FILE} was not closed or was written to") from error


def is_guarded(link: Path) -> bool:
    """Whether one of the names is taken by its link."""
    return link.is_symlink() and link.readlink() == _NOWHERE / link.name and not link.exists()
