"""Transaction ids of the charger's own: it never got ours, or ignores it.

The session's first samples have to come with it and go on from meterStart; from then on it is kept
in the session's flags (`own-id:4711`), where the messages that follow are held against it. Pure
rules, no I/O.
"""

from collections.abc import Iterator

from levity.ocpp.request import ChargePointState, TransactionState

__all__ = ["ANOTHER_START", "OWN_ID", "own_id", "own_id_flag", "with_own_id"]

OWN_ID = "own-id"
ANOTHER_START = "another-start"
"""Another start on the connector is in the quarantine: an id that nobody knows may be its."""


def own_id_flag(number: int) -> str:
    """The flag of a session that its charger calls by this id."""
    return f"{OWN_ID}:{number}"


def own_id(flags: str) -> int | None:
    """The id by which the charger calls the session with these flags, if it is not ours."""
    _, found, rest = f" {flags}".partition(f" {OWN_ID}:")
    number = rest.partition(" ")[0]
    return int(number) if found and number.isdecimal() else None


def with_own_id(charge_point: ChargePointState, number: int) -> TransactionState | None:
    """The only session of this charger, running or interrupted, that it calls by this id."""
    found = list(_called(charge_point, number))
    return found[0] if len(found) == 1 else None


def _called(charge_point: ChargePointState, number: int) -> Iterator[TransactionState]:
    for item in (*charge_point.active.values(), *charge_point.interrupted.values()):
        if item.flags and own_id(item.flags) == number:
            yield item
