"""What a fetch may take, and how it presents itself."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from loaders.errors import UsageError
from loaders.version import project_version

ROBOT = "gongkai"
INTERVAL_VARIABLE = "GONGKAI_FETCH_INTERVAL"
SECONDS_VARIABLE = "GONGKAI_FETCH_SECONDS"
MEGABYTES_VARIABLE = "GONGKAI_FETCH_MEGABYTES"
AGENT_VARIABLE = "GONGKAI_USER_AGENT"


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Bounds of a fetch.

    ``interval`` is the least number of seconds between two requests to one host, ``seconds`` what one request may take
    with its whole body, ``silence`` how long a host may say nothing. A request is made ``attempts`` times at most,
    after waits that begin with ``backoff`` seconds and double; a host that asks for more than ``longest_wait`` seconds,
    or fails for ``failures`` addresses one after the other, is left alone for the rest of the run. ``hosts`` are asked
    at the same time.
    """

    interval: float = 1.0
    seconds: float = 120.0
    silence: float = 20.0
    max_bytes: int = 64 * 1024**2
    redirects: int = 5
    attempts: int = 4
    backoff: float = 1.0
    longest_wait: float = 120.0
    failures: int = 3
    hosts: int = 8
    user_agent: str = ROBOT

    @classmethod
    def from_environment(cls) -> FetchLimits:
        """The limits with what the ``GONGKAI_FETCH_`` variables and ``GONGKAI_USER_AGENT`` say.

        Raises:
            UsageError: when one of them cannot be.
        """
        agent = os.environ.get(AGENT_VARIABLE) or f"{ROBOT}/{project_version()}"
        if not (agent.isascii() and agent.isprintable()):
            raise UsageError(
                f"{AGENT_VARIABLE} is {agent!r}; wanted printable ASCII, e.g. gongkai (+mailto:you@example.org)"
            )
        default = cls()
        return cls(
            interval=_number(INTERVAL_VARIABLE, default.interval, 0.0),
            seconds=_number(SECONDS_VARIABLE, default.seconds, 0.1),
            max_bytes=int(_number(MEGABYTES_VARIABLE, default.max_bytes / 1024**2, 0.001) * 1024**2),
            user_agent=agent,
        )


def _number(name: str, default: float, least: float) -> float:
    text = os.environ.get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (least <= number < math.inf):
        raise UsageError(f"{name} is {text!r}; wanted a number of at least {least:g}")
    return number
