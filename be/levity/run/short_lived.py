"""Work of the start in a process that ends with it, so that its memory is given back.

Reading all migrations and running them takes some 25 MB that Python would never return, and what
`levity serve` keeps afterwards is small. The child is a fork: it has all that this process has, and
needs no second start of Python, which takes seconds on a Raspberry Pi.
"""

import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import connections

__all__ = ["Ended", "short_lived"]


class Ended(Exception):
    """The child ended without saying why: killed, or out of memory."""


class _Traceback(Exception):
    """Where in the child it happened, for a traceback."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def short_lived(work: Callable[[], object]) -> None:
    """Do this in a child process, and wait for it; its exception is raised here.

    What it prints stands where this process prints. It ends when this process does. Where no child
    can do it (another system than Linux, a database in memory), it is done here.
    """
    if sys.platform != "linux" or any(map(_is_in_memory, connections.all())):
        work()
        return
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "sqlite":
            # SQLite forbids the use of a connection after a fork.
            connection.close()
    answer, say = os.pipe()
    lifeline, hold = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    child = os.fork()
    if not child:
        os.close(answer)
        os.close(hold)
        _live(work, say, lifeline)
    os.close(say)
    os.close(lifeline)
    try:
        with os.fdopen(answer, "rb") as file:
            told = file.read()
        _, status = os.waitpid(child, 0)
    except BaseException:
        # Ctrl-C is for both; with this the child ends in any case.
        os.close(hold)
        with suppress(ChildProcessError):
            os.waitpid(child, 0)
        raise
    os.close(hold)
    _raise_what(told, os.waitstatus_to_exitcode(status))


def _is_in_memory(connection: Any) -> bool:
    name = Path(str(connection.settings_dict["NAME"]))
    return connection.vendor == "sqlite" and not name.is_absolute()


def _live(work: Callable[[], object], say: int, lifeline: int) -> None:
    """The child's whole life; never returns."""
    code = 1
    try:
        threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
        # Those of the parent: used or closed here, its sessions would end.
        _not_ours = [each.connection for each in connections.all(initialized_only=True)]
        for each in connections.all(initialized_only=True):
            each.connection = None
        code, told = _outcome(work)
        for each in connections.all(initialized_only=True):
            each.close()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        with os.fdopen(say, "wb") as file:
            file.write(told)
    finally:
        os._exit(code)


def _outcome(work: Callable[[], object]) -> tuple[int, bytes]:
    try:
        work()
    except BaseException as error:  # noqa: BLE001  # it is raised in the parent
        where = "".join(traceback.format_exception(error))
        with suppress(Exception):
            told = pickle.dumps((error, where))
            pickle.loads(told)  # noqa: S301  # written a line above
            return 1, told
        return 1, pickle.dumps((RuntimeError(str(error)), where))
    return 0, b""


def _end_with(lifeline: int) -> None:
    """The parent holds the other end, and it closes with it, however that ends."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _raise_what(told: bytes, code: int) -> None:
    if told:
        error, where = pickle.loads(told)  # noqa: S301  # by our own child
        raise error from _Traceback(where)
    if code:
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        raise Ended(f"the process that prepared the database ended by {how}")
