"""The files of ``deploy/``: the cron job's wrapper, the failure report, the units. No scheduler runs here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from loaders.version import PROJECT_ROOT

DEPLOY = PROJECT_ROOT / "deploy"
SCRIPTS = sorted(DEPLOY.rglob("*.sh"))
# Stands where the project's own command would, and says how it was called.
COMMAND = """#!/bin/sh
for word in "$@"; do echo "word $word"; done
echo "warehouse $GONGKAI_WAREHOUSE"
echo "trouble" >&2
exit {code}
"""


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(DEPLOY, tmp_path / "project" / "deploy")
    (tmp_path / "warehouse").mkdir()
    return tmp_path / "project"


def run_cron_job(project: Path, code: int, *settings: str) -> subprocess.CompletedProcess[str]:
    write_program(project / ".venv" / "bin" / "gongkai", COMMAND.format(code=code))
    env_file = project.parent / "gongkai.env"
    lines = ["# a comment", f"GONGKAI_WAREHOUSE={project.parent}/warehouse", *settings]
    env_file.write_text("\n".join(lines) + "\n", "utf-8")
    # As bare an environment as cron's.
    env = {"PATH": "/usr/bin:/bin", "GONGKAI_ENV": str(env_file)}
    command = [str(project / "deploy" / "cron" / "refresh.sh")]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_the_cron_job_is_quiet_when_all_is_well(project: Path) -> None:
    pattern = f"{project.parent}/ware*"
    done = run_cron_job(project, 0, f"GONGKAI_SOURCES=/srv/a {pattern}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    log = (project.parent / "refresh.log").read_text("utf-8").splitlines()
    assert log[0].endswith("Z exit code 0")
    assert log[1:] == [
        "word refresh",
        "word /srv/a",
        f"word {pattern}",
        f"warehouse {project.parent}/warehouse",
        "trouble",
    ]


@pytest.mark.parametrize("code", [1, 4, 5])
def test_the_cron_job_says_everything_when_it_failed(project: Path, code: int) -> None:
    done = run_cron_job(project, code)
    assert done.returncode == code
    said = done.stdout.splitlines()
    assert said[0].startswith(f"gongkai refresh ended with exit code {code} on ")
    assert said[1:] == ["word refresh", f"warehouse {project.parent}/warehouse", "trouble"]
    assert f"exit code {code}" in (project.parent / "refresh.log").read_text("utf-8")


def test_settings_are_read_and_not_run(project: Path) -> None:
    done = run_cron_job(
        project, 1, f"GONGKAI_SOURCES=$(touch {project}/ran) ; touch {project}/ran", f"touch {project}/ran"
    )
    assert "word $(touch" in done.stdout
    assert not (project / "ran").exists()


def test_missing_settings_are_named(project: Path) -> None:
    script = project / "deploy" / "cron" / "refresh.sh"
    env = {"PATH": "/usr/bin:/bin", "GONGKAI_ENV": "/nowhere/gongkai.env"}
    done = subprocess.run([str(script)], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "/nowhere/gongkai.env" in done.stdout


@pytest.mark.parametrize("mail_to", ["", "keeper@example.org"])
def test_a_failure_is_kept_and_mailed_where_mail_is_set(project: Path, mail_to: str) -> None:
    programs = project.parent / "bin"
    write_program(programs / "journalctl", '#!/bin/sh\necho "journal of $*"\n')
    sendmail = write_program(programs / "sendmail", f"#!/bin/sh\ncat >{project.parent}/mail\n")
    done = subprocess.run(
        [str(project / "deploy" / "report_failure.sh")],
        env={
            "PATH": f"{programs}:/usr/bin:/bin",
            "SENDMAIL": str(sendmail),
            "LOGS_DIRECTORY": str(project.parent),
            "GONGKAI_MAILTO": mail_to,
            "MONITOR_UNIT": "gongkai-refresh.service",
            "MONITOR_SERVICE_RESULT": "exit-code",
            "MONITOR_EXIT_STATUS": "4",
            "MONITOR_INVOCATION_ID": "abc",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [report] = project.parent.glob("failure-*.txt")
    text = report.read_text("utf-8")
    assert text.startswith("gongkai-refresh.service on ")
    assert "exit code 4" in text
    assert "journal of --no-pager --quiet --output=cat _SYSTEMD_INVOCATION_ID=abc + INVOCATION_ID=abc" in text
    mail = project.parent / "mail"
    assert mail.exists() == bool(mail_to)
    if mail_to:
        head, body = mail.read_text("utf-8").split("\n\n", 1)
        assert head.splitlines()[:2] == ["To: keeper@example.org", f"Subject: {text.splitlines()[0]}"]
        assert body == text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_units() -> None:
    done = subprocess.run(
        [str(DEPLOY / "systemd" / "install.sh"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Next elapse" in done.stdout
    level = float(done.stdout.rsplit(": ", 1)[1].split()[0])
    assert level < 2.5, "the refresh may do more than it needs to"


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_scripts_are_clean() -> None:
    done = subprocess.run(["shellcheck", *map(str, SCRIPTS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_scripts_can_be_run() -> None:
    assert SCRIPTS
    assert [path.name for path in SCRIPTS if not os.access(path, os.X_OK)] == []
