"""Whether the samples of a connector are of the meter's total, as its sessions before show it.

A register that begins anew within a session looks like one that counts each session from 0. Pure
rules, no I/O.
"""

from collections.abc import Iterable

from levity.ocpp.request import TransactionState
from levity.ocpp.rules.lives import SLACK
from levity.ocpp.rules.sampled import RESET, SESSION, lacks_start

__all__ = ["counts_for_life"]


def counts_for_life(session: TransactionState, near: Iterable[TransactionState]) -> bool:
    """True if the last session before this one on its connector that had samples went on from its
    start with them, as those of a meter's total do."""
    before = [
        item
        for item in near
        if item.place == session.place
        and item.id != session.id
        and item.started_at < session.started_at
        and item.state == "stopped"
        and item.meter_last is not None
        and item.register_at_start > SLACK
    ]
    last = max(before, key=lambda item: (item.started_at, item.id), default=None)
    if last is None or last.meter_last is None or lacks_start(last):
        return False
    is_odd = not {SESSION, RESET}.isdisjoint(last.flags.split())
    return not is_odd and last.meter_last >= last.register_at_start
