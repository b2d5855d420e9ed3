"""The releases that stand in a warehouse: which they are, whether they are whole, and which one readers see.

``current`` is a relative link beside the folder ``releases``, replaced by one rename, so ``releases`` may lie on
another device. ``rollback.json`` holds, while a rollback stands, which marts were withdrawn by it: it counts only as
long as ``current`` is the release that it names, so a publication ends it, and a rollback that was killed before it
moved the link never was.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loaders.errors import GongkaiError, UsageError
from loaders.release_guard import GUARDED, guard_release, is_guarded
from loaders.warehouse import RELEASE_FILE, Warehouse

MANIFEST_FILE = "manifest.json"
SUMS_FILE = "SHA256SUMS"
KEPT_RELEASES = 5
KEPT_HOURS = 1.0
_LINK_PREFIX = ".current-"
_SHOWN_FAULTS = 5


@dataclass(frozen=True, slots=True)
class Rollback:
    """A rollback that stands: readers see ``release_id``, and the marts of these tokens were withdrawn."""

    release_id: str
    from_release_id: str
    rolled_back_at: str
    rolled_back_by: str
    withdrawn_marts: tuple[str, ...]

    def __str__(self) -> str:
        """The rollback for a message."""
        return f"rolled back from {self.from_release_id} on {self.rolled_back_at} by {self.rolled_back_by}"


@dataclass(frozen=True, slots=True)
class Retention:
    """How many releases are kept, and how long one that readers may have open."""

    releases: int = KEPT_RELEASES
    hours: float = KEPT_HOURS


def read_retention() -> Retention:
    """The retention that ``GONGKAI_KEPT_RELEASES`` and ``GONGKAI_KEPT_HOURS`` ask for.

    Raises:
        UsageError: when one of them is no such number.
    """
    releases = os.environ.get("GONGKAI_KEPT_RELEASES", str(KEPT_RELEASES))
    if not (releases.isascii() and releases.isdigit()) or int(releases) < 2:
        raise UsageError(
            f"GONGKAI_KEPT_RELEASES is {releases!r}; give a whole number, 2 or more so that there is one to roll back "
            "to, or unset it"
        )
    text = os.environ.get("GONGKAI_KEPT_HOURS", str(KEPT_HOURS))
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not 0 <= hours < 1e6:
        raise UsageError(f"GONGKAI_KEPT_HOURS is {text!r}; give a number of hours, 0 or more, or unset it")
    return Retention(int(releases), hours)


def release_folders(warehouse: Warehouse) -> list[Path]:
    """The folders of the releases, newest first."""
    if not warehouse.releases.is_dir():
        return []
    folders = [path for path in warehouse.releases.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted(folders, key=_made_at, reverse=True)


def _made_at(folder: Path) -> tuple[str, int]:
    """The second in the id, and which of several of that second came first."""
    try:
        written_at = (folder / MANIFEST_FILE).stat().st_mtime_ns
    except OSError:
        written_at = 0
    return folder.name.partition("-")[0], written_at


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a release, or None when it cannot be read."""
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None


def verify_release(folder: Path) -> None:
    """Compare every file of a release with its checksum.

    Raises:
        GongkaiError: when a file is missing, differs or is not of the release.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise GongkaiError(f"release {folder.name} is damaged: its {MANIFEST_FILE} cannot be read")
    wanted = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
    sums = folder / SUMS_FILE
    if sums.is_file():
        listed = (line.partition("  ") for line in sums.read_text("utf-8").splitlines())
        wanted |= {path: digest for digest, _, path in listed}
    taken = [folder / name for name in GUARDED if is_guarded(folder / name)]
    files = (path for path in folder.rglob("*") if not path.is_dir() and path not in taken)
    found = {path.relative_to(folder).as_posix(): path for path in files}
    faults = [f"{path} is missing" for path in sorted(wanted.keys() - found.keys())]
    faults += [f"{path} is not of it" for path in sorted(found.keys() - wanted.keys() - {MANIFEST_FILE, SUMS_FILE})]
    for path in sorted(wanted.keys() & found.keys()):
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(found[path].open("rb"))
                is_same = hashlib.file_digest(file, "sha256").hexdigest() == wanted[path]
            except OSError as error:
                faults.append(f"{path} cannot be read ({error.strerror})")
                continue
        if not is_same:
            faults.append(f"{path} has another checksum")
    if not (folder / RELEASE_FILE).is_file() and f"{RELEASE_FILE} is missing" not in faults:
        faults.append(f"{RELEASE_FILE} is missing")
    if faults:
        hidden = f" and {len(faults) - _SHOWN_FAULTS} more" if len(faults) > _SHOWN_FAULTS else ""
        raise GongkaiError(f"release {folder.name} is damaged: {', '.join(faults[:_SHOWN_FAULTS])}{hidden}")


def swap_current(warehouse: Warehouse, release_id: str) -> None:
    """Let readers see a release, in one step."""
    before = warehouse.current_release()
    # Beside the link that it replaces: the folder of the releases may be on another device.
    link = warehouse.root / f"{_LINK_PREFIX}{release_id}"
    with contextlib.suppress(FileNotFoundError):
        link.unlink()
    # Relative, so that the warehouse folder can be moved or mounted elsewhere.
    link.symlink_to(Path("releases", release_id))
    os.replace(link, warehouse.current)
    sync(warehouse.root)
    if before is not None and before.name != release_id:
        # The hour of a release begins when readers leave it. It is a courtesy: a refusal is no failure.
        with contextlib.suppress(OSError):
            os.utime(before)


def drop_old_releases(warehouse: Warehouse, retention: Retention) -> None:
    """Keep the newest releases, the current one and what a reader may still have open."""
    current = warehouse.current.resolve().name
    for folder in release_folders(warehouse)[retention.releases :]:
        if folder.name != current and time.time() - folder.stat().st_mtime > retention.hours * 3600:
            doomed = folder.with_name(f".deleted-{folder.name}")
            os.rename(folder, doomed)
            remove_tree(doomed)


def remove_leftovers(warehouse: Warehouse, prefixes: tuple[str, ...]) -> None:
    """Remove what a run that was killed left behind."""
    for path in [*warehouse.releases.iterdir(), *warehouse.root.glob(f"{_LINK_PREFIX}*")]:
        if path.name.startswith(prefixes) or path.name.startswith(_LINK_PREFIX):
            if path.is_symlink():
                path.unlink()
            else:
                remove_tree(path)


def seal_release(folder: Path) -> None:
    """Let nobody write the files and folders of a release by accident, and bring them to disk."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
        sync(path)
    # After the files, for the links lead nowhere, and before the folder takes no more names.
    guard_release(folder)
    folder.chmod(0o555)
    sync(folder)


def remove_tree(folder: Path) -> None:
    """Remove a sealed folder as far as that is possible; what is left is tried again by the next publication."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):
                path.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_rollback(warehouse: Warehouse) -> Rollback | None:
    """The rollback that stands, or None."""
    current = warehouse.current_release()
    try:
        fields = json.loads(_rollback_file(warehouse).read_text("utf-8"))
        rollback = Rollback(**{**fields, "withdrawn_marts": tuple(fields["withdrawn_marts"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return rollback if current is not None and current.name == rollback.release_id else None


def write_rollback(warehouse: Warehouse, rollback: Rollback) -> None:
    """Keep what a rollback withdraws, before it moves the link."""
    path = _rollback_file(warehouse)
    staged = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        staged.write_text(json.dumps(asdict(rollback), ensure_ascii=False, indent=2) + "\n", "utf-8")
        sync(staged)
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)
    sync(warehouse.root)


def forget_rollback(warehouse: Warehouse) -> None:
    """End what a rollback withdrew; one that cannot be removed does not count any more either."""
    with contextlib.suppress(OSError):
        _rollback_file(warehouse).unlink()


@contextlib.contextmanager
def removed_on_failure(*folders: Path) -> Iterator[None]:
    """Leave nothing half-written, whatever stopped the caller."""
    try:
        yield
    except BaseException:
        for folder in folders:
            remove_tree(folder)
        raise


def _rollback_file(warehouse: Warehouse) -> Path:
    return warehouse.root / "rollback.json"
