"""Billing as a receiver of `sessions_changed`: it marks what changed, and prices it later.

In the transaction of a batch of messages it costs one statement if a session has ended or was
corrected, none if sessions only go on, and where there is no tariff it is not called at all.
"""

import threading
import time

from levity.billing.models import SessionMark, TariffVersion
from levity.db.rows import insert_rows
from levity.ocpp.changes import SessionChange

__all__ = ["is_set_up", "mark", "refresh"]

ACTIVE = "active"
# Seconds for which the answer is believed; a worker asks once a minute, between two batches.
BELIEVED = 90.0


class _Known:
    """Whether there was a tariff when this process asked last."""

    is_set_up = False
    until = float("-inf")
    lock = threading.Lock()


def mark(changes: tuple[SessionChange, ...]) -> None:
    """Mark the sessions that are over now, or were."""
    marked = [(_key(change),) for change in changes if _is_about_an_end(change)]
    insert_rows(SessionMark, ("session",), marked)


def is_set_up() -> bool:
    """Whether there is a tariff; as of some time ago. What ends meanwhile is found by
    `levity.billing.settling`, too."""
    if time.monotonic() >= _Known.until:
        refresh()
    return _Known.is_set_up


def refresh() -> None:
    """Ask the database again."""
    with _Known.lock:
        _Known.is_set_up = TariffVersion.objects.exists()
        _Known.until = time.monotonic() + BELIEVED


def _key(change: SessionChange) -> int:
    known = change.after or change.before
    assert known is not None
    return known.id


def _is_about_an_end(change: SessionChange) -> bool:
    states = {each.state for each in (change.before, change.after) if each is not None}
    return states != {ACTIVE}
