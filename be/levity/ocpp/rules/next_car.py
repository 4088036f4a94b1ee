"""A session whose connector was free, and got another car, before any stop came.

Its charger may go on with its number, where the start of the next session is lost: what comes after
that car is none of the session's, unless its own tag says so. The moment is kept in the session's
flags (`next-car:1772441760`, seconds since 1970). Pure rules, no I/O.
"""

from datetime import datetime, timedelta

from levity.ocpp.chargers.clocks import clock_flags
from levity.ocpp.request import ConnectorState, TransactionState, with_flags
from levity.ocpp.wire.fields import same_tag

__all__ = ["NEXT_CAR", "is_of_next_car", "next_car_at", "with_next_car", "without_next_car"]

NEXT_CAR = "next-car"
# Some show themselves free for seconds, at a boot or by a bad contact, with the same car.
FREE_FOR = timedelta(minutes=1)


def with_next_car(
    session: TransactionState,
    free: ConnectorState,
    reported_at: datetime | None,
    received_at: datetime,
) -> tuple[str, ...]:
    """The session's flags now that a car comes to its connector, which was free; with the moment
    where it was free for long enough that it is another one."""
    flags = with_flags(session.flags, ())
    if next_car_at(session.flags) is not None or free.status_since is None:
        return flags
    lasted = received_at - free.status_since
    if reported_at is not None and free.status_at is not None:
        # Both may have been kept, and come in one moment.
        lasted = max(lasted, reported_at - free.status_at)
    if lasted < FREE_FOR:
        return flags
    return (*flags, f"{NEXT_CAR}:{int((reported_at or received_at).timestamp())}")


def next_car_at(flags: str) -> int | None:
    """When the next car came, by the charger's clock if it told it, s; None if none is known."""
    if NEXT_CAR not in flags:
        return None
    for flag in flags.split():
        name, _, number = flag.partition(":")
        if name == NEXT_CAR and number.isdecimal():
            return int(number)
    return None


def without_next_car(flags: str) -> str:
    """These flags for a session whose own end has come."""
    if NEXT_CAR not in flags:
        return flags
    return " ".join(item for item in flags.split() if item.partition(":")[0] != NEXT_CAR)


def is_of_next_car(
    session: TransactionState, at: datetime | None, received_at: datetime, id_tag: str = ""
) -> bool:
    """True if what was told at this time came after the next car, and not with the session's tag.

    Without a time that can be true ours counts.
    """
    came = next_car_at(session.flags)
    if came is None or (id_tag and session.id_tag and same_tag(id_tag, session.id_tag)):
        return False
    if at is None or clock_flags(at, received_at, "stop"):
        at = received_at
    return at.timestamp() > came
