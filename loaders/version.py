"""The version that decides whether known bytes are read again.

``LOADER_VERSION`` is the project version plus a short hash of everything that can change a reading: the
loaders' code and the seeds, but for those that judge or correct readings. A document staged under another version
counts as unread.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent

# A correction, or a better word for a column, is no reason to read every document again.
_SEEDS_AFTER_READING = ("column_words.csv", "corrections.csv", "quarantine_rules.csv", "table_words.csv")
_BUILD_FOLDERS = ("models", "macros", "seeds", "snapshots", "tests/data", "expectations")
_BUILD_FILES = ("dbt_project.yml", "profiles.yml", "selectors.yml")
_BUILD_PACKAGES = ("dbt-core", "dbt-duckdb", "duckdb", "great-expectations")


@cache
def project_version(root: Path = PROJECT_ROOT) -> str:
    """The version in ``pyproject.toml`` beside the code, else the one of the installed distribution."""
    pyproject = root / "pyproject.toml"
    if pyproject.is_file():
        return str(tomllib.loads(pyproject.read_text("utf-8"))["project"]["version"])
    try:
        return metadata.version("gongkai")
    except metadata.PackageNotFoundError:
        return "0"


def content_hash(paths: Iterable[Path], root: Path, extra: str = "") -> str:
    """A sha256 over names and contents, independent of the order of ``paths`` and of where ``root`` lies."""
    digest = hashlib.sha256(extra.encode())
    for path in sorted(paths):
        content = path.read_bytes()
        digest.update(f"\n{path.relative_to(root).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def loader_version(root: Path = PROJECT_ROOT) -> str:
    """Project version and hash of loaders and seeds, e.g. ``0.1.0+3f2a9c1d7b04``."""
    seeds = [path for path in (root / "seeds").glob("*.csv") if path.name not in _SEEDS_AFTER_READING]
    paths = [*(root / "loaders").rglob("*.py"), *seeds]
    return f"{project_version(root)}+{content_hash(paths, root)[:12]}"


def build_fingerprint(root: Path = PROJECT_ROOT) -> str:
    """Hash of all that decides what a build makes of the same raw tables: models, seeds, suites, engines."""
    paths = [root / name for name in _BUILD_FILES if (root / name).is_file()]
    for folder in _BUILD_FOLDERS:
        paths += [p for p in (root / folder).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    versions = " ".join(f"{name}={version}" for name, version in package_versions().items())
    return content_hash(paths, root, f"{loader_version(root)} {versions}")


def package_versions() -> dict[str, str]:
    """Versions of the engines a run uses, from package metadata, without importing them."""
    return dict(_package_versions())


@cache
def _package_versions() -> dict[str, str]:
    versions = {}
    for name in _BUILD_PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "missing"
    return versions


LOADER_VERSION = loader_version()
