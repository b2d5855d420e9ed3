"""What Dagster is given: one step that refreshes, its assets and checks, a schedule and a sensor.

Settings come from the environment: ``GONGKAI_WAREHOUSE``; ``GONGKAI_SOURCES``, what is loaded, as words of a shell;
``GONGKAI_SCHEDULE`` and ``GONGKAI_TIMEZONE``, when (03:30 UTC); ``GONGKAI_SENSOR_SECONDS``, how often the folders
among the sources are looked at (30).
"""

# Dagster reads the annotations of the functions below, so they stay as they are: no deferred ones in this module.
import logging
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetSelection,
    Config,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    Definitions,
    Failure,
    MaterializeResult,
    RunRequest,
    ScheduleDefinition,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    define_asset_job,
    in_process_executor,
    multi_asset,
    sensor,
)

from loaders.errors import GongkaiError, LockedError
from loaders.refresh import LoadRequest, run_refresh
from loaders.settings import Settings
from loaders.warehouse import Warehouse, utc_now
from orchestration.folder import Cursor, look
from orchestration.graph import RELEASE, asset_specs, check_specs
from orchestration.manifest import list_nodes
from orchestration.record import Event, last_run, read_events

WAREHOUSE = Warehouse(Path(os.environ.get("GONGKAI_WAREHOUSE", "warehouse")).absolute())
SOURCES = shlex.split(os.environ.get("GONGKAI_SOURCES", ""))
NODES = list_nodes(WAREHOUSE)


class RefreshConfig(Config):
    """What a refresh may be told from Dagster's launchpad."""

    sources: list[str] = SOURCES
    strict: bool = False
    wait_seconds: float = 1800.0


@dataclass(frozen=True)
class LoggedSettings(Settings):
    """What a command says goes to Dagster's log, and its answer is kept."""

    log: logging.Logger = field(default_factory=logging.getLogger)
    answers: list[Any] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Log a line of progress."""
        self.log.info(text)

    def answer(self, text: str, value: Any) -> None:
        """Log the answer and keep its values."""
        self.log.info(text)
        self.answers.append(value)


@multi_asset(name="refresh", specs=asset_specs(NODES), check_specs=check_specs(NODES))
def refresh(context: AssetExecutionContext, config: RefreshConfig) -> Iterator[Event]:
    """Load, check, build, check and publish, as far as it is not done yet; the run lock is held throughout."""
    settings = LoggedSettings(WAREHOUSE, log=context.log)
    request = LoadRequest(tuple(config.sources), strict=config.strict, wait_seconds=config.wait_seconds)
    started_at = utc_now()
    try:
        run_refresh(settings, request)
    except GongkaiError as error:
        yield from _events_of_failed_run(error, started_at)
        raise Failure(str(error), metadata={"exit_code": error.exit_code}, allow_retries=False) from error
    [answer] = settings.answers
    yield from read_events(WAREHOUSE, NODES, answer["run_id"], has_ended_well=True)
    if answer["release"] is not None:
        release = answer["release"]
        yield MaterializeResult(
            asset_key=RELEASE,
            metadata={
                "release_id": release["release_id"],
                "folder": release["folder"],
                "figures": release["table_rows"].get("marts.fct_metric_value", 0),
                **{name: answer["account"][name] for name in ("seen", "loaded", "unchanged", "rejected")},
            },
        )


def _events_of_failed_run(error: GongkaiError, started_at: Any) -> list[Event]:
    if isinstance(error, LockedError) or not WAREHOUSE.work_file.is_file():
        return []
    run_id = last_run(WAREHOUSE, started_at)
    return read_events(WAREHOUSE, NODES, run_id, has_ended_well=False) if run_id else []


refresh_job = define_asset_job("refresh_job", AssetSelection.all(), description="gongkai refresh")

nightly = ScheduleDefinition(
    name="nightly",
    job=refresh_job,
    cron_schedule=os.environ.get("GONGKAI_SCHEDULE", "30 3 * * *"),
    execution_timezone=os.environ.get("GONGKAI_TIMEZONE", "UTC"),
    default_status=DefaultScheduleStatus.RUNNING,
)


def folder_sensor(folders: list[str]) -> SensorDefinition:
    """The sensor on the folders among the sources."""

    @sensor(
        name="new_documents",
        job=refresh_job,
        minimum_interval_seconds=int(os.environ.get("GONGKAI_SENSOR_SECONDS", "30")),
        default_status=DefaultSensorStatus.RUNNING,
        description=f"A refresh when files in {', '.join(folders)} changed and have come to rest.",
    )
    def new_documents(context: SensorEvaluationContext) -> SensorResult:
        seen = look(folders, Cursor.parse(context.cursor))
        if not seen.is_refresh_due:
            return SensorResult(skip_reason=SkipReason(seen.reason), cursor=str(seen.cursor))
        return SensorResult(run_requests=[RunRequest(run_key=seen.cursor.requested)], cursor=str(seen.cursor))

    return new_documents


FOLDERS = [source for source in SOURCES if Path(source).is_dir()]

definitions = Definitions(
    assets=[refresh],
    jobs=[refresh_job],
    schedules=[nightly],
    sensors=[folder_sensor(FOLDERS)] if FOLDERS else [],
    executor=in_process_executor,
)
