"""How far a fetch or a load is: a bar on a terminal, a line now and then elsewhere, nothing when quiet."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loaders.load import Progress
from loaders.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

LINE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Work:
    """What is being done, for a person: the doing, the done and the things it is done to."""

    doing: str
    done: str
    things: str


READING = Work("reading documents", "read", "documents")
FETCHING = Work("fetching addresses", "fetched", "addresses")


@contextlib.contextmanager
def show_progress(settings: Settings, total: int, work: Work | None = None) -> Iterator[Progress]:
    """What a load of ``total`` documents, or other work on so many things, is to tell how far it is."""
    work = work or READING
    console = settings.progress_console()
    if settings.quiet:
        yield Progress()
    elif console is None:
        yield LineProgress(settings.say, total, work=work)
    else:
        with _bar(console, total, work.doing) as bar:
            yield bar


class LineProgress(Progress):
    """Says a line when some seconds have passed since the last."""

    def __init__(
        self,
        say: Callable[[str], None],
        total: int,
        clock: Callable[[], float] = time.monotonic,
        work: Work | None = None,
    ) -> None:
        """Count towards ``total``; ``clock`` tells the seconds."""
        self._work = work or READING
        self._waits = Waits(clock)
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
            self._say_if_due()

    def waiting(self, host: str, seconds: float) -> None:
        """A host is waited for; it may be time for a line."""
        with self._lock:
            self._waits.add(host, seconds)
            if self._done:
                self._say_if_due()

    def _say_if_due(self) -> None:
        now = self._clock()
        if now - self._said < LINE_SECONDS:
            return
        self._said = now
        rate = self._done / (now - self._begun)
        left = (self._total - self._done) / rate
        waits = f"; {self._waits}" if str(self._waits) else ""
        done = f"{self._work.done} {self._done} of {self._total} {self._work.things}"
        self._say(f"{done}, {rate:.1f}/s, about {_duration(left)} left{waits}")


class Waits:
    """Which hosts are waited for at the moment."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` tells the seconds."""
        self._clock = clock
        self._until: dict[str, float] = {}

    def add(self, host: str, seconds: float) -> None:
        """A host is waited for from now on."""
        self._until[host] = self._clock() + seconds

    def __str__(self) -> str:
        """The longest wait for a person; nothing when there is none of a second or more."""
        now = self._clock()
        self._until = {host: until for host, until in self._until.items() if until > now}
        if not self._until:
            return ""
        host, until = max(self._until.items(), key=lambda item: item[1])
        more = f" and {len(self._until) - 1} more" if len(self._until) > 1 else ""
        return f"waiting {max(1, round(until - now))} s for {host}{more}"


@contextlib.contextmanager
def _bar(console: Console, total: int, title: str) -> Iterator[Progress]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[waits]}"),
    )
    waits = Waits()
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total, rate="", waits="")

        class _BarProgress(Progress):
            def found(self, count: int) -> None:
                bar.update(task, total=(bar.tasks[0].total or 0) + count)

            def done(self, count: int) -> None:
                speed = bar.tasks[0].speed
                bar.update(task, advance=count, rate=f"{speed:.1f}/s" if speed else "", waits=str(waits))

            def waiting(self, host: str, seconds: float) -> None:
                waits.add(host, seconds)
                bar.update(task, waits=str(waits))

        yield _BarProgress()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
