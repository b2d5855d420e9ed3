"""Manners towards sites: what may be asked, how fast, what is tried again, and when a site is left alone.

In: an address. Out: its kept answer, after redirects, or a rejection that says why there is none. The rules:

* ``robots.txt`` decides what may be asked (RFC 9309): a site without one allows everything, a site whose robots.txt
  cannot be had for an error of the site is not asked at all. Its Crawl-delay and Request-rate are obeyed.
* One request at a time to a host, ``interval`` seconds between them. Whatever a host asks to wait (Retry-After), and
  every wait after a failure, holds all of its addresses.
* Tried again are broken connections and the statuses that say "later" (408, 425, 429, 500, 502, 503, 504).
* What is in the store is asked for with its validators, so that a site may answer 304 without a body.
* A redirect is a new address: it is looked at like the first.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from protego import Protego
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from loaders.errors import DocumentRejected, GongkaiError
from loaders.fetch.client import Answer, Client, Passing
from loaders.fetch.limits import ROBOT, FetchLimits
from loaders.fetch.store import Kept, Store
from loaders.sources.addresses import check_address

_LATER = (408, 425, 429, 500, 502, 503, 504)
_GONE = (404, 410)
_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_ROBOTS_BYTES = 500 * 1024

OnWait = Callable[[str, float], None]


class FetchingStopped(GongkaiError):
    """The run was stopped while addresses were fetched."""


class _Declined(DocumentRejected):
    """A site answered, but with no document."""

    def __init__(self, address: str, answer: Answer) -> None:
        code = "fetch_not_found" if answer.status in _GONE else "fetch_failed"
        super().__init__(code, f"{address}: the site answers {answer.status} {answer.reason}".rstrip())
        self.status = answer.status


@dataclass(slots=True)
class _Host:
    """The pace of one host; ``closed`` says why it is left alone."""

    name: str
    interval: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    next_at: float = 0.0
    failures: int = 0
    closed: str | None = None

    def close(self, reason: str) -> None:
        """Leave the host alone for the rest of the run."""
        self.closed = self.closed or reason


@dataclass(slots=True)
class _Robots:
    """What the robots.txt of an origin says; ``refusal`` is set when it could not be had."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    is_known: bool = False
    rules: Protego | None = None
    refusal: DocumentRejected | None = None


class Sites:
    """Asks sites, from any thread."""

    def __init__(
        self,
        client: Client,
        store: Store,
        limits: FetchLimits,
        on_wait: OnWait,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask through ``client`` and keep in ``store``; ``on_wait`` is told which host is waited for, and how long."""
        self._clock = clock
        self._client = client
        self._store = store
        self._limits = limits
        self._on_wait = on_wait
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}
        self._robots: dict[str, _Robots] = {}
        self._stopping = threading.Event()

    def fetch(self, address: str) -> Kept:
        """The answer of an address, and of where it leads, from the site or confirmed by it.

        Raises:
            DocumentRejected: with the reason why there is none.
        """
        return self._follow(address, is_robots=False)

    def stop(self) -> None:
        """End whatever is under way."""
        self._stopping.set()
        self._client.stop()

    def _follow(self, address: str, *, is_robots: bool) -> Kept:
        seen = [address]
        while True:
            if not is_robots:
                self._check_robots(seen[-1])
            kept = self._ask(seen[-1])
            if kept.location is None:
                return kept
            target = redirect_target(seen[-1], kept.location)
            if target in seen:
                raise DocumentRejected("fetch_failed", f"{address}: it is sent round in a circle by way of {target}")
            seen.append(target)
            if len(seen) > self._limits.redirects + 1:
                raise DocumentRejected("fetch_failed", f"{address}: sent on more than {self._limits.redirects} times")

    def _ask(self, address: str) -> Kept:
        """The answer of one address: its document, or where it leads."""
        before = self._store.find(address)
        answer = self._ask_patiently(address, before.validators if before else {})
        with contextlib.closing(answer.body):
            if answer.status == 304 and before is not None:
                return self._store.confirm(before, answer)
            if answer.status == 200 or (answer.status in _REDIRECTS and answer.header("Location")):
                return self._store.keep(answer)
        raise _Declined(address, answer)

    def _ask_patiently(self, address: str, headers: dict[str, str]) -> Answer:
        """Ask until there is an answer or no hope."""
        host = self._host(address)
        retry = Retry(total=self._limits.attempts - 1, backoff_factor=self._limits.backoff, backoff_jitter=0.5)
        while True:
            try:
                answer = self._ask_in_turn(host, address, headers)
                host.failures = 0
                return answer
            except Passing as failure:
                asked = _retry_after(failure)
                if asked is not None and asked > self._limits.longest_wait:
                    host.close(f"it asks to wait {asked:.0f} seconds ({failure})")
                    raise self._left_alone(host, address) from failure
                try:
                    retry = retry.increment("GET", address, error=failure)
                except MaxRetryError:
                    host.failures += 1
                    if host.failures >= self._limits.failures:
                        host.close(f"it failed for {host.failures} addresses one after the other, at last: {failure}")
                    message = f"{address}: {failure}; tried {self._limits.attempts} times"
                    raise DocumentRejected(failure.code, message) from failure
                wait = asked if asked is not None else max(self._limits.backoff, retry.get_backoff_time())
                with host.lock:
                    host.next_at = max(host.next_at, self._clock() + wait)

    def _ask_in_turn(self, host: _Host, address: str, headers: dict[str, str]) -> Answer:
        with host.lock:
            if host.closed is not None:
                raise self._left_alone(host, address)
            self._wait_for(host)
            try:
                answer = self._client.ask(address, headers)
            except DocumentRejected as rejection:
                if rejection.reject_code == "fetch_timed_out":  # a host that drips costs its time but some times
                    host.failures += 1
                    if host.failures >= self._limits.failures:
                        host.close(f"it failed for {host.failures} addresses one after the other, at last: {rejection}")
                raise
            finally:
                host.next_at = max(host.next_at, self._clock() + host.interval)
        if answer.status in _LATER:
            answer.body.close()
            message = f"the site answers {answer.status} {answer.reason}".rstrip()
            raise Passing(message, retry_after=answer.header("Retry-After"))
        return answer

    def _wait_for(self, host: _Host) -> None:
        left = host.next_at - self._clock()
        if left > 0:
            self._on_wait(host.name, left)
            self._stopping.wait(left)
        if self._stopping.is_set():
            raise FetchingStopped("fetching was stopped; run it again to go on")

    def _left_alone(self, host: _Host, address: str) -> DocumentRejected:
        return DocumentRejected("fetch_failed", f"{address}: not asked, {host.name} is left alone: {host.closed}")

    def _check_robots(self, address: str) -> None:
        """Whether an address may be asked.

        Raises:
            DocumentRejected: when robots.txt says no, or should say and cannot.
        """
        parts = urlsplit(address)
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            robots = self._robots.setdefault(origin, _Robots())
        with robots.lock:
            if not robots.is_known:
                self._read_robots(robots, f"{origin}/robots.txt", self._host(address))
                robots.is_known = True
        if robots.refusal is not None:
            raise DocumentRejected(robots.refusal.reject_code, f"{address}: {robots.refusal}")
        if robots.rules is not None and not robots.rules.can_fetch(address, ROBOT):
            message = f"{address}: {origin}/robots.txt does not allow it; ask the publisher for the document"
            raise DocumentRejected("robots_disallowed", message)

    def _read_robots(self, robots: _Robots, address: str, host: _Host) -> None:
        try:
            kept = self._follow(address, is_robots=True)
            text = self._store.read(kept)[:_MAX_ROBOTS_BYTES].decode("utf-8-sig", "replace")
        except DocumentRejected as rejection:
            # A site that will not show its rules has none (RFC 9309, 2.3.1.3); one that is out of order is not asked.
            if not (isinstance(rejection, _Declined) and 400 <= rejection.status < 500):
                robots.refusal = DocumentRejected(rejection.reject_code, f"its robots.txt cannot be had: {rejection}")
            return
        robots.rules = Protego.parse(text)
        delays = [robots.rules.crawl_delay(ROBOT) or 0.0]
        if (rate := robots.rules.request_rate(ROBOT)) is not None and rate.requests:
            delays.append(rate.seconds / rate.requests)
        if max(delays) > self._limits.longest_wait:
            message = f"{address} asks for {max(delays):.0f} seconds between two requests"
            robots.refusal = DocumentRejected("robots_disallowed", f"{message}; ask the publisher for the documents")
            return
        host.interval = max(host.interval, *delays)

    def _host(self, address: str) -> _Host:
        name = (urlsplit(address).hostname or "").lower()
        with self._lock:
            return self._hosts.setdefault(name, _Host(name, self._limits.interval))


def redirect_target(address: str, location: str) -> str:
    """Where an address leads.

    Raises:
        DocumentRejected: when that is nothing to ask for.
    """
    try:
        return check_address(urljoin(address, location.strip()))
    except ValueError as error:
        raise DocumentRejected("fetch_refused_address", f"{address}: sent on to {location!r}: {error}") from None


def _retry_after(failure: Passing) -> float | None:
    if failure.retry_after is None:
        return None
    try:
        return float(Retry(retry_after_max=10**9).parse_retry_after(failure.retry_after))
    except InvalidHeader:
        return None
