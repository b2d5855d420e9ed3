"""The dependencies, audited without a network: pinned, hashed, installed as locked, and free to use.

Known vulnerabilities need a service on the network: `make audit` asks one.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from loaders.vocabulary import PROJECT_ROOT
from tools.audit import explain_failure

LOCKS = ("requirements.lock", "deploy/superset/requirements.lock")
# As distributions name them, by SPDX or in the words of their classifiers.
PERMISSIVE = {
    "0BSD",
    "3-Clause BSD License",
    "Apache Software License",
    "Apache-2.0",
    "Apache License 2.0",
    "BSD",
    "BSD License",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CNRI-Python",
    "dependency licenses",
    "ISC License (ISCL)",
    "MIT",
    "MIT License",
    "MIT-0",
    "MIT-CMU",
    "OSI Approved",
    "PSF-2.0",
    "Python Software Foundation License",
    "Zlib",
}
# Weak copyleft, unchanged and as a library: each with what we use it for.
NOTED = {
    "certifi": ("Mozilla Public License 2.0 (MPL 2.0)", "the certificates of urllib3 and requests"),
    "hypothesis": ("MPL-2.0", "tests"),
    "pathspec": ("Mozilla Public License 2.0 (MPL 2.0)", "dbt and sqlfluff: which files to read"),
    "tqdm": ("MPL-2.0 AND MIT", "progress bars of dbt, great-expectations and sqlfluff"),
    # To be taken under the Artistic License, by choice of its author; dbt and great-expectations need it.
    "text-unidecode": (
        "Artistic License; GNU General Public License (GPL); GNU General Public License v2 or later (GPLv2+)",
        "python-slugify, of dbt",
    ),
}


@dataclass(frozen=True)
class Pinned:
    """An entry of a lock."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def read_lock(name: str) -> list[Pinned]:
    text = (PROJECT_ROOT / name).read_text("utf-8")
    found = []
    for entry in re.split(r"\n(?=\S)", text.strip()):
        first = entry.splitlines()[0].rstrip("\\").strip()
        requirement, _, marker = first.partition(" ; ")
        match = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[\w,-]+\])?==([^\s=<>!~*]+)", requirement.strip())
        assert match, f"{name}: {first} is not pinned to one version"
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry))
        found.append(Pinned(canonicalize_name(match[1]), match[2], marker.strip(), hashes))
    return found


def licences(found: Distribution) -> str:
    """What a distribution says of its licence: the expression, or the classifiers, or the old field."""
    meta = found.metadata
    if expression := meta.get("License-Expression"):
        return str(expression)
    classifiers = [text.split(" :: ")[-1] for text in meta.get_all("Classifier") or [] if text.startswith("License ::")]
    return "; ".join(classifiers) or str(meta.get("License") or "").partition("\n")[0]


def is_permissive(stated: str) -> bool:
    """Whether every part of a statement is permissive, or one of those it offers by OR."""
    choices = stated.split(" OR ")
    return bool(stated) and any(
        all(part.strip(" ()") in PERMISSIVE or part.strip() in PERMISSIVE for part in re.split(r" AND |; ?|, ", choice))
        for choice in choices
    )


def is_for_here(entry: Pinned) -> bool:
    return not entry.marker or Marker(entry.marker).evaluate()


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_with_hashes_and_no_address(name: str) -> None:
    entries = read_lock(name)
    assert len(entries) > 100
    assert [entry.name for entry in entries if not entry.hashes] == []
    assert "://" not in (PROJECT_ROOT / name).read_text("utf-8")


def test_what_the_project_asks_for_is_locked() -> None:
    """A dependency that was written down and not locked would be installed in any version."""
    locked = {entry.name for entry in read_lock(LOCKS[0])}
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))
    extras = [one for members in project["project"]["optional-dependencies"].values() for one in members]
    asked = list(project["project"]["dependencies"])
    asked += [one for members in project["dependency-groups"].values() for one in members]
    # An extra that a verb of its own installs is pinned at least.
    asked += [text for text in extras if "==" not in text]
    names = {canonicalize_name(re.split(r"[\[<>=!~ ;]", text)[0]) for text in asked}
    assert len(names) > 30
    assert names <= locked, names - locked


def test_what_is_installed_is_what_is_locked() -> None:
    wrong, met = [], 0
    for entry in filter(is_for_here, read_lock(LOCKS[0])):
        try:
            version = distribution(entry.name).version
        except PackageNotFoundError:
            wrong.append(f"{entry.name} is not installed")
            continue
        met += 1
        if version != entry.version:
            wrong.append(f"{entry.name} {version} is installed, {entry.version} is locked")
    assert not wrong
    assert met > 100


def test_every_licence_is_permissive_or_noted() -> None:
    wrong = []
    for entry in filter(is_for_here, read_lock(LOCKS[0])):
        stated = licences(distribution(entry.name))
        if entry.name in NOTED:
            assert stated == NOTED[entry.name][0], f"{entry.name} changed its licence to {stated}"
        elif not is_permissive(stated):
            wrong.append(f"{entry.name}: {stated}")
    assert not wrong
    assert set(NOTED) <= {entry.name for entry in read_lock(LOCKS[0])}


@pytest.mark.parametrize(
    ("stated", "is_free"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-2.0-only", True),
        ("BSD-3-Clause AND 0BSD AND MIT", True),
        ("OSI Approved; MIT License", True),
        ("MIT AND AGPL-3.0-only", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("MIT License; GNU General Public License v3 (GPLv3)", False),
        ("", False),
    ],
)
def test_a_licence_that_is_not_free_would_be_noticed(stated: str, is_free: bool) -> None:
    assert is_permissive(stated) is is_free


def test_the_page_names_every_noted_licence() -> None:
    page = (PROJECT_ROOT / "docs" / "security.md").read_text("utf-8")
    for name in NOTED:
        assert f"`{name}`" in page


@pytest.mark.parametrize(
    ("code", "said", "wanted"),
    [
        (1, "Found 1 known vulnerability in 1 package", (1, "")),
        (1, "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='api.osv.dev')", (2, "not reached")),
        (1, "pip_audit._service.interface.ConnectionError: Could not connect", (2, "not reached")),
        (0, "No known vulnerabilities found", (0, "")),
        (3, "Traceback: something else", (3, "")),
    ],
)
def test_an_audit_without_a_network_never_passes(code: int, said: str, wanted: tuple[int, str]) -> None:
    met, message = explain_failure(code, said)
    assert met == wanted[0]
    assert wanted[1] in message
    assert Path(PROJECT_ROOT / "tools" / "audit.py").is_file()
