"""Python's garbage collector, which may wait until a large frame is done with."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["LARGE", "collected_later"]

LARGE = 128 * 1024
"""Characters of a frame from which on it pays: of the time for a StopTransaction of megabytes, a
quarter went into looking through its own samples again and again."""


@contextmanager
def collected_later() -> Iterator[None]:
    """No collection in here, in this whole process: for a second or two, of what is no garbage."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
