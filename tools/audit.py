"""Ask a service of known vulnerabilities about every locked package: `make audit`.

In: the lock of the project and that of Superset. Out: what is known of them; exit code 0 when nothing is, 1 when
something is, 2 when no service was reached, which proves nothing either way. pip-audit asks by name and version; the
locks are not installed for it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "deploy/superset/requirements.lock")
_UNREACHED = re.compile(
    r"ConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|NameResolution|ProxyError|SSLError"
)
_FOUND = re.compile(r"Found \d+ known vulnerabilit")


def explain_failure(code: int, said: str) -> tuple[int, str]:
    """The exit code of an audit, and what to tell when it did not take place."""
    if code and not _FOUND.search(said) and _UNREACHED.search(said):
        return 2, (
            "the service of known vulnerabilities was not reached, so nothing is known; "
            "run make audit where there is a network, or name another service with --service"
        )
    return code, ""


def main() -> int:
    """Audit each lock; the worst code counts."""
    arguments = _arguments()
    worst = 0
    for lock in LOCKS:
        command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--disable-pip", "--require-hashes"]
        command += ["--vulnerability-service", arguments.service, "--timeout", "20", "--requirement", str(ROOT / lock)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        code, message = explain_failure(done.returncode, done.stdout + done.stderr)
        print(f"{lock}: {message or (done.stdout + done.stderr).strip()}", flush=True)
        worst = max(worst, code)
    return worst


def _arguments() -> Any:
    parser = argparse.ArgumentParser(description="Known vulnerabilities of the locked packages.")
    parser.add_argument("--service", choices=["pypi", "osv"], default="osv")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
