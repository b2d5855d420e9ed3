"""A refreshed warehouse of made-up documents, built once and copied for whoever changes it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.settings import Settings
from loaders.warehouse import Warehouse
from tests.loaders.readings import fake_reader

FINGERPRINT = "fingerprint of the tests"
LOADERS = "loaders of the tests"
CHANNELS = "requests_received_in_person=4,requests_received_fax=0,requests_received_online=5,requests_received_letter=1"


@contextlib.contextmanager
def made_once(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder that all processes of a run share, only to be read once it is made, and whether it is to be made."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    with open(base / f"{name}.lock", "a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        is_made = bool(lock.read())
        (base / name).mkdir(exist_ok=True)
        yield base / name, not is_made
        lock.write("made")


def write_documents(folder: Path) -> Path:
    """Two bodies, two years, one document that is no report."""
    folder.mkdir(parents=True, exist_ok=True)
    for agency in ("甲县人民政府", "乙县人民政府"):
        for year in (2015, 2016):
            text = f"{agency},{year},requests_received=10,{CHANNELS},proactive_items_total=100"
            (folder / f"{agency}{year}.txt").write_text(text, "utf-8")
    (folder / "notice.txt").write_text("reject not_a_report", "utf-8")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole refreshes first: no process is left with the long files at the end."""
    items.sort(key=lambda item: not {"system", "quality"} & set(item.path.parts))


@pytest.fixture(autouse=True)
def own_warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test meets the warehouse of whoever runs it."""
    monkeypatch.delenv("GONGKAI_WAREHOUSE", raising=False)


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake reader, and a fingerprint that editing the project meanwhile does not change."""
    monkeypatch.setattr("loaders.load._project_reader", lambda: fake_reader)
    monkeypatch.setattr("loaders.load.LOADER_VERSION", LOADERS)
    monkeypatch.setattr("loaders.refresh.build_fingerprint", lambda: FINGERPRINT)


@pytest.fixture(scope="session")
def refreshed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from loaders.refresh import LoadRequest, run_refresh

    with made_once(tmp_path_factory, "refreshed") as (root, is_to_make), pytest.MonkeyPatch.context() as patch:
        if is_to_make:
            documents = write_documents(root / "in")
            patch.setattr("loaders.load._project_reader", lambda: fake_reader)
            patch.setattr("loaders.load.LOADER_VERSION", LOADERS)
            patch.setattr("loaders.refresh.build_fingerprint", lambda: FINGERPRINT)
            run_refresh(Settings(Warehouse(root / "wh"), quiet=True), LoadRequest((str(documents),)))
    return root


@pytest.fixture
def refreshed(refreshed_once: Path, tmp_path: Path, pinned: None) -> Warehouse:
    """A copy of the refreshed warehouse; its documents are in the folder ``in`` beside it."""
    shutil.copytree(refreshed_once, tmp_path / "copy", symlinks=True)
    return Warehouse(tmp_path / "copy" / "wh")
