"""The garbage collector of Python, asked to look less often."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

_YOUNG_OBJECTS = 100_000


@contextlib.contextmanager
def sparing_collector() -> Iterator[None]:
    """Look for garbage after many new objects instead of after 700.

    dbt and Great Expectations make a million objects that stay; looking through them again and again takes a tenth of
    a refresh.
    """
    before = gc.get_threshold()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
