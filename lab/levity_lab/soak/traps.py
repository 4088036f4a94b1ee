"""A middleware with which the soak harms a worker at an exact point of its work."""

import os
import signal
import threading
from pathlib import Path

from django.db import transaction

from levity.ocpp.request import GetResponse, Request, Response

__all__ = ["POISON", "Trap", "die_while_moving"]

POISON = "levity_lab.soak"
"""`vendorId` of a DataTransfer that does harm; its `messageId` says which."""
WRITTEN = frozenset({"StartTransaction", "MeterValues", "StopTransaction"})


class Trap:
    """Files in LEVITY_SOAK_TRAPS arm it. The one-shot traps belong to whoever removes the file.

    die-before-commit: SIGKILL in the middle of a handler. die-after-commit: SIGKILL when the batch
    is committed and neither answered nor acknowledged. stand-still: SIGSTOP between reading what a
    transaction message is about and writing it. die-while-moving: SIGKILL when old rows have been
    written to where they move, and are still there (`worker.py`). slow: its text is the seconds
    that each batch takes longer, as long as the file is there.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.folder = _folder()

    def __call__(self, request: Request) -> Response:
        """The response of the chain, if the worker lives to give it."""
        if request.action == "DataTransfer" and request.payload.get("vendorId") == POISON:
            _poison(str(request.payload.get("messageId")))
        if _sprung(self.folder, "die-before-commit"):
            _die()
        response = self.get_response(request)
        if _sprung(self.folder, "die-after-commit"):
            transaction.on_commit(_die)
        if request.action in WRITTEN and _sprung(self.folder, "stand-still"):
            _stand_still()
        slow = self.folder / "slow"
        if slow.exists():
            _pause(float(slow.read_text() or 0))
        return response


def die_while_moving() -> None:
    """For the movers; in the middle of a step."""
    if _sprung(_folder(), "die-while-moving"):
        _die()


def _folder() -> Path:
    return Path(os.environ["LEVITY_SOAK_TRAPS"])


def _sprung(folder: Path, name: str) -> bool:
    path = folder / name
    if not path.exists():
        return False
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _stand_still() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _poison(kind: str) -> None:
    if kind == "raise":
        raise ZeroDivisionError("poison of a soak run")
    if kind == "kill":
        _die()
    if kind == "hang":
        while True:
            _pause(0.1)
    if kind == "sleep":
        _pause(3600)


def _pause(seconds: float) -> None:
    # Not time.sleep: where the clock is faked (libfaketime), it fails.
    threading.Event().wait(seconds)
