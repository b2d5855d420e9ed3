"""``gongkai rollback``: readers see an earlier release again, or a later one.

The release is compared with its checksums first, and the link is swapped as in a publication. What readers were moved
away from is withdrawn: a refresh that ends with the very same marts does not publish them again. Anything else it
does publish, and ``gongkai publish`` publishes whatever the work file holds. The work file itself is not changed: mend
or remove there what was wrong, or the next new document brings it back.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from loaders.errors import GongkaiError, UsageError
from loaders.releases import (
    Rollback,
    forget_rollback,
    read_manifest,
    read_rollback,
    release_folders,
    swap_current,
    verify_release,
    write_rollback,
)
from loaders.settings import Settings
from loaders.warehouse import Warehouse, run_lock, signature, utc_now


def run_rollback(settings: Settings, release_id: str | None, wait_seconds: float) -> None:
    """Move readers to ``release_id``, or to the release that they had before the current one.

    Raises:
        UsageError: when there is no such release.
        LockedError: when another run holds the warehouse.
        GongkaiError: when the release is damaged or the link cannot be moved; the old one stays.
    """
    warehouse = settings.warehouse
    if not warehouse.root.is_dir() or warehouse.current_release() is None:
        raise UsageError(f"nothing is published in {warehouse.root}, so there is nothing to roll back")
    with run_lock(warehouse, "gongkai rollback", wait_seconds):
        current = warehouse.current_release()
        if current is None:
            raise UsageError(f"nothing is published in {warehouse.root}, so there is nothing to roll back")
        target = _find_target(warehouse, current, release_id)
        settings.say(f"comparing {target.name} with its checksums")
        try:
            verify_release(target)
        except GongkaiError as error:
            raise GongkaiError(f"{error}; readers keep {current.name}") from error
        rollback = _withdraw(warehouse, current, target)
        try:
            write_rollback(warehouse, rollback)
            swap_current(warehouse, target.name)
        except OSError as error:
            what = "no space left on the disk" if error.errno == errno.ENOSPC else str(error.strerror)
            raise GongkaiError(f"cannot move {warehouse.current} ({what}); readers keep {current.name}") from error
        if not rollback.withdrawn_marts:
            forget_rollback(warehouse)
        is_recorded = _record(settings, rollback)
    text = f"rolled back: readers see {target.name}, no longer {current.name}"
    if rollback.withdrawn_marts:
        text += (
            "\nA refresh with nothing new leaves it so. One with new documents publishes all that is loaded: mend or "
            "remove first what was wrong. `gongkai publish` publishes what is loaded now"
        )
    value = {
        "release_id": target.name,
        "from_release_id": current.name,
        "rolled_back_at": rollback.rolled_back_at,
        "is_recorded": is_recorded,
    }
    settings.answer(text, value)


def _find_target(warehouse: Warehouse, current: Path, release_id: str | None) -> Path:
    folders = {folder.name: folder for folder in release_folders(warehouse)}
    kept = ", ".join(folders)
    if release_id is None:
        previous = (read_manifest(current) or {}).get("previous_release_id")
        # What readers had before. An earlier version did not note it; then the next older one.
        names = list(folders)
        older = names[names.index(current.name) + 1 :]
        release_id = previous if previous in folders else next(iter(older), None)
        if release_id is None:
            raise UsageError(f"no release before {current.name} is kept (there are: {kept}); name one to move to it")
    if release_id == current.name:
        raise UsageError(f"{release_id} is the current release already (there are: {kept})")
    if release_id not in folders:
        raise UsageError(f"no release {release_id} is kept in {warehouse.releases} (there are: {kept})")
    return folders[release_id]


def _withdraw(warehouse: Warehouse, current: Path, target: Path) -> Rollback:
    """What is withdrawn once readers are moved: what they leave, and what was withdrawn before, but for the target."""
    before = read_rollback(warehouse)
    tokens = list(before.withdrawn_marts if before else ())
    left, wanted = ((read_manifest(folder) or {}).get("marts_token") for folder in (current, target))
    # Who moves forward to what was withdrawn takes that back, and leaves an older release without blaming it.
    is_forward = wanted in tokens
    tokens = [token for token in tokens if token != wanted]
    if left and not is_forward:
        tokens.append(left)
    return Rollback(
        target.name, current.name, f"{utc_now():%Y-%m-%dT%H:%M:%SZ}", signature(), tuple(dict.fromkeys(tokens))
    )


def _record(settings: Settings, rollback: Rollback) -> bool:
    """Note the rollback among the runs; a work file that cannot be written must not stop it."""
    import duckdb

    from loaders.runs import begin_run, end_run
    from loaders.staging import create_raw

    def note(con: Any) -> None:
        create_raw(con)
        end_run(con, begin_run(con, f"rollback {rollback.release_id}"), "done")

    if not settings.warehouse.work_file.is_file():
        return False
    try:
        con = settings.warehouse.connect()
        try:
            note(con)
        finally:
            con.close()
    except (GongkaiError, duckdb.Error, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        settings.say(f"the rollback is done, but cannot be recorded in raw.runs: {reason}")
        return False
    return True
