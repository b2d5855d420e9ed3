"""The command line: ``gongkai``, also ``python -m loaders``.

Parses arguments, calls one function a command, turns its result into text or JSON and its refusals into exit
codes: 0 done, 1 unexpected, 2 usage, 3 documents rejected under ``--strict``, 4 checks failed and nothing
published, 5 locked by another run. Nobody meets a traceback unless ``GONGKAI_DEBUG=1`` asks for one.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from loaders.collector import sparing_collector
from loaders.errors import GongkaiError
from loaders.settings import Settings, make_settings
from loaders.version import LOADER_VERSION

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _common_options(command: _Command) -> _Command:
    options = (
        click.option(
            "--warehouse",
            default="warehouse",
            envvar="GONGKAI_WAREHOUSE",
            show_envvar=True,
            show_default=True,
            metavar="DIR",
            help="Folder of the warehouse.",
        ),
        click.option("--quiet", is_flag=True, help="Say nothing but errors."),
        click.option("--json", "as_json", is_flag=True, help="Answer with one JSON value."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _run_options(command: _Command) -> _Command:
    wait = click.option(
        "--wait",
        "wait_seconds",
        type=click.FloatRange(min=0),
        default=0.0,
        metavar="SECONDS",
        help="Wait so long for another run to end; without it a second run is refused.",
    )
    return wait(command)


def _load_options(command: _Command) -> _Command:
    options = (
        click.option("--strict", is_flag=True, help="Exit with 3 when a document was rejected."),
        click.option(
            "--since", metavar="DATE", help="Leave out files that have not changed since DATE, a date or a time here."
        ),
        click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing."),
        click.option("--force", is_flag=True, help="Read known documents again, too."),
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            metavar="N",
            help="Processes that read documents; as many as there are cores without it.",
        ),
        click.option("--offline", is_flag=True, help="Ask no site; take what it sent before (addresses)."),
        click.option(
            "--allow-private", is_flag=True, help="Ask addresses of this machine or network, too (addresses)."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(LOADER_VERSION, prog_name="gongkai")
def cli() -> None:
    """The warehouse of China's government-information-disclosure annual reports."""


@cli.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@_load_options
@_run_options
@_common_options
def load(
    sources: tuple[str, ...],
    strict: bool,
    since: str | None,
    dry_run: bool,
    force: bool,
    workers: int | None,
    offline: bool,
    allow_private: bool,
    wait_seconds: float,
    warehouse: str,
    quiet: bool,
    as_json: bool,
) -> None:
    """Stage documents: a file, a folder, a ZIP, a manifest.csv, a list of addresses or an http(s) address.

    Known bytes are unchanged. The account of what became of every document is printed. A document that takes
    longer than GONGKAI_DOCUMENT_SECONDS (120) or more than GONGKAI_DOCUMENT_MEGABYTES (2048) is rejected.
    """
    from loaders.plan import run_plan
    from loaders.refresh import LoadRequest, run_load
    from loaders.sources.since import parse_since

    request = LoadRequest(
        sources,
        strict=strict,
        force=force,
        workers=workers,
        wait_seconds=wait_seconds,
        offline=offline,
        allow_private=allow_private,
        since=None if since is None else parse_since(since),
    )
    settings = make_settings(warehouse, quiet, as_json)
    if dry_run:
        run_plan(settings, request, refresh=False)
    else:
        run_load(settings, request)


@cli.command()
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that read documents; as many as there are cores without it.",
)
@_run_options
@_common_options
def reread(workers: int | None, wait_seconds: float, warehouse: str, quiet: bool, as_json: bool) -> None:
    """Read again the documents that another version of the loaders read, where their bytes are still found.

    The account says what became of each: loaded, rejected, changed (other bytes stand there now) or gone. What is
    changed or gone stays as it was read before.
    """
    from loaders.refresh import run_reread

    run_reread(make_settings(warehouse, quiet, as_json), workers, wait_seconds)


@cli.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json", "csv"]),
    help="How to show it; table unless --json or --html is given.",
)
@click.option("--all", "show_all", is_flag=True, help="List every figure with its place, too (table).")
@click.option("--html", "page", metavar="FILE", help="Write the document with its figures marked as one web page.")
@_common_options
def inspect(
    file: str, output_format: str | None, show_all: bool, page: str | None, warehouse: str, quiet: bool, as_json: bool
) -> None:
    """Read one document without a database: its form, every figure with its evidence, what is doubtful."""
    from loaders.inspect import show_file

    default = "json" if as_json else None if page and not show_all else "table"
    show_file(file, output_format or default, page=page, show_all=show_all, quiet=quiet)


@cli.command()
@click.argument("layer", type=click.Choice(["raw", "marts"]), required=False)
@_run_options
@_common_options
def check(layer: str | None, wait_seconds: float, warehouse: str, quiet: bool, as_json: bool) -> None:
    """Run the suites alone, of one layer or of both, and write the Data Docs."""
    from loaders.refresh import run_check

    run_check(make_settings(warehouse, quiet, as_json), layer, wait_seconds)


@cli.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@_load_options
@click.option(
    "--full",
    is_flag=True,
    help="Read SOURCE again, without one all that is loaded, and check, build and publish everything anew.",
)
@click.option("--no-publish", is_flag=True, help="Stop after the checks; `gongkai publish` does the rest.")
@_run_options
@_common_options
def refresh(
    sources: tuple[str, ...],
    strict: bool,
    since: str | None,
    dry_run: bool,
    force: bool,
    workers: int | None,
    offline: bool,
    allow_private: bool,
    full: bool,
    no_publish: bool,
    wait_seconds: float,
    warehouse: str,
    quiet: bool,
    as_json: bool,
) -> None:
    """Load, check raw, build, check marts, publish.

    Safe to kill and to run twice. What is already done and still holds is not done again.
    """
    from loaders.plan import run_plan
    from loaders.refresh import LoadRequest, run_refresh
    from loaders.sources.since import parse_since

    request = LoadRequest(
        sources,
        strict=strict,
        force=force,
        workers=workers,
        wait_seconds=wait_seconds,
        offline=offline,
        allow_private=allow_private,
        since=None if since is None else parse_since(since),
        full=full,
    )
    settings = make_settings(warehouse, quiet, as_json)
    if dry_run:
        run_plan(settings, request, refresh=True, publish=not no_publish)
    else:
        run_refresh(settings, request, publish=not no_publish)


@cli.command()
@_run_options
@_common_options
def publish(wait_seconds: float, warehouse: str, quiet: bool, as_json: bool) -> None:
    """Publish the built work file if its checks passed.

    GONGKAI_KEPT_RELEASES (5) releases are kept, and GONGKAI_KEPT_HOURS (1) long any that readers may have open.
    """
    from loaders.refresh import run_publish

    run_publish(make_settings(warehouse, quiet, as_json), wait_seconds)


@cli.command()
@click.argument("release", required=False, metavar="[RELEASE]")
@_run_options
@_common_options
def rollback(release: str | None, wait_seconds: float, warehouse: str, quiet: bool, as_json: bool) -> None:
    """Let readers see RELEASE again, by default the one that they had before; `gongkai status` lists them.

    The checksums of RELEASE are compared first. A refresh with nothing new does not undo a rollback, one with new
    documents publishes what is loaded.
    """
    from loaders.rollback import run_rollback

    run_rollback(make_settings(warehouse, quiet, as_json), release, wait_seconds)


@cli.command()
@click.option("--agency", required=True, help="Name of the agency, a part that fits one agency only, or its id.")
@click.option("--year", required=True, type=int, help="The report year: the year that the figures cover.")
@click.option("--metric", required=True, help="Code of the metric, or its Chinese label.")
@click.option("--applicant", help="Code of an applicant type; all of them without it.")
@_common_options
def trace(
    agency: str, year: int, metric: str, applicant: str | None, warehouse: str, quiet: bool, as_json: bool
) -> None:
    """Show a figure, its evidence, its competitors and its checks."""
    from loaders.trace import Question, show_trace

    show_trace(make_settings(warehouse, quiet, as_json), Question(agency, year, metric, applicant))


@cli.command()
@click.argument("sql", metavar="SQL")
@click.option("--format", "output_format", type=click.Choice(["table", "json", "csv"]), default="table")
@_common_options
def query(sql: str, output_format: str, warehouse: str, quiet: bool, as_json: bool) -> None:
    """Ask the current release one SQL question; tables are those of schema marts unless another is named."""
    from loaders.query import run_query

    run_query(make_settings(warehouse, quiet, as_json), sql, "json" if as_json else output_format)


@cli.command()
@click.argument("folder", metavar="DIR")
@click.option(
    "--format", "output_format", type=click.Choice(["parquet", "csv", "xlsx"]), default="parquet", show_default=True
)
@_common_options
def export(folder: str, output_format: str, warehouse: str, quiet: bool, as_json: bool) -> None:
    """Write the marts of the current release to DIR with checksums."""
    from loaders.export import export_marts

    export_marts(make_settings(warehouse, quiet, as_json), Path(folder), output_format)


@cli.command()
@click.argument("url", metavar="URL", envvar="GONGKAI_MIRROR_URL")
@click.option("--schema", default="marts", show_default=True, metavar="NAME", help="Schema of the mirror.")
@click.option(
    "--reader",
    "readers",
    multiple=True,
    metavar="ROLE",
    help="Role that may read the mirror; repeatable. Who may read it already keeps the right.",
)
@click.option("--force", is_flag=True, help="Load a release that is there already, too.")
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Wait so long for another mirror, and for queries that hold the old tables.",
)
@_common_options
def mirror(
    url: str,
    schema: str,
    readers: tuple[str, ...],
    force: bool,
    wait_seconds: float,
    warehouse: str,
    quiet: bool,
    as_json: bool,
) -> None:
    """Copy the marts of the current release to a PostgreSQL database, e.g. postgresql://user@host:5432/database.

    Readers see the old release or the new one, never both. A password belongs in ~/.pgpass, PGPASSWORD or the
    variable GONGKAI_MIRROR_URL, which may hold the whole URL: other users of this machine see the command line.
    Needs the extra postgres.
    """
    from loaders.mirror import MirrorRequest, run_mirror
    from loaders.postgres import holds_password

    source = click.get_current_context().get_parameter_source("url")
    if source is click.core.ParameterSource.COMMANDLINE and holds_password(url):
        click.echo(
            "gongkai: other users of this machine see the password in the command line; put the address into "
            "GONGKAI_MIRROR_URL",
            err=True,
        )
    run_mirror(make_settings(warehouse, quiet, as_json), MirrorRequest(url, schema, readers, force, wait_seconds))


@cli.command()
@_common_options
def status(warehouse: str, quiet: bool, as_json: bool) -> None:
    """Show what is loaded, built and published, and the last runs."""
    from loaders.status import show_status

    show_status(make_settings(warehouse, quiet, as_json))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    # A scheduler stops a run with SIGTERM; as an interrupt it unwinds, so the run is recorded and the lock signed off.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with sparing_collector():
            code = cli.main(args=arguments, prog_name="gongkai", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = _fail("stopped; run it again to go on", 1)
    except GongkaiError as error:
        code = _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader of our output left, as `head` does; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:  # the last line of defence: a person gets a sentence, not a traceback
        code = _fail(_describe_unexpected(error), 1)
    sys.exit(code if isinstance(code, int) else 0)


def _describe_unexpected(error: Exception) -> str:
    # A full disk shows up as an OSError or, in DuckDB's words, as an error of the database.
    if "No space left" in str(error):
        return "no space left on the disk; nothing half-written is left. Make room and run it again"
    hint = "run it again with GONGKAI_DEBUG=1 to see where"
    return f"unexpected {type(error).__name__}: {str(error).strip() or 'no message'}; {hint}"


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _fail(message: str, code: int) -> int:
    if os.environ.get("GONGKAI_DEBUG") == "1":
        traceback.print_exc()
    print(f"gongkai: {message}", file=sys.stderr)
    return code


__all__ = ["Settings", "cli", "main"]
