"""``gongkai`` with the fake reader of the tests: ``python -m tests.system.driver refresh …``.

With ``GONGKAI_STOP_AT=<step>`` in the environment the process kills itself with SIGKILL at that step.
"""

from __future__ import annotations

import importlib
import os
import signal
from typing import Any

from loaders import cli, load, refresh
from tests.conftest import FINGERPRINT, LOADERS

STEPS = {
    "staging": "loaders.staging._delete_documents",
    "after_load": "loaders.refresh.build_fingerprint",
    "raw_checks": "loaders.checks._run_great_expectations",
    "raw_recorded": "loaders.data_docs.write_index",
    "build": "loaders.dbt_build._close_connections",
    "copy": "loaders.release_database._open",
    "parquet": "loaders.publish._write_tables",
    "seal": "loaders.publish.seal_release",
    "swap": "loaders.publish._swap_current",
    "retention": "loaders.publish.drop_old_releases",
}


def _kill(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    load._project_reader = lambda: "tests.loaders.readings:fake_reader"
    # Editing the project while the tests run must not look like new code.
    load.LOADER_VERSION = LOADERS
    refresh.build_fingerprint = lambda: FINGERPRINT
    step = os.environ.get("GONGKAI_STOP_AT")
    if step:
        module, name = STEPS[step].rsplit(".", 1)
        setattr(importlib.import_module(module), name, _kill)
    cli.main()


if __name__ == "__main__":
    main()
