"""How far a load is: a bar on a terminal, a line now and then elsewhere, nothing when quiet."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from loaders.load import Progress
from loaders.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

LINE_SECONDS = 10.0


@contextlib.contextmanager
def show_progress(settings: Settings, total: int) -> Iterator[Progress]:
    """What a load of ``total`` documents is to tell how far it is."""
    console = settings.progress_console()
    if settings.quiet:
        yield Progress()
    elif console is None:
        yield LineProgress(settings.say, total)
    else:
        with _bar(console, total) as bar:
            yield bar


class LineProgress(Progress):
    """Says a line when some seconds have passed since the last."""

    def __init__(self, say: Callable[[str], None], total: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Count towards ``total``; ``clock`` tells the seconds."""
        self._say = say
        self._total = total
        self._clock = clock
        self._begun = self._said = clock()
        self._done = 0
        self._lock = threading.Lock()

    def found(self, count: int) -> None:
        """More documents are to be done."""
        with self._lock:
            self._total += count

    def done(self, count: int) -> None:
        """Some were done; it may be time for a line."""
        with self._lock:
            self._done += count
            now = self._clock()
            if now - self._said < LINE_SECONDS:
                return
            self._said = now
            rate = self._done / (now - self._begun)
            left = (self._total - self._done) / rate
            self._say(f"read {self._done} of {self._total} documents, {rate:.1f}/s, about {_duration(left)} left")


@contextlib.contextmanager
def _bar(console: Console, total: int) -> Iterator[Progress]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("reading documents"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total, rate="")

        class _BarProgress(Progress):
            def found(self, count: int) -> None:
                bar.update(task, total=(bar.tasks[0].total or 0) + count)

            def done(self, count: int) -> None:
                speed = bar.tasks[0].speed
                bar.update(task, advance=count, rate=f"{speed:.1f}/s" if speed else "")

        yield _BarProgress()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
