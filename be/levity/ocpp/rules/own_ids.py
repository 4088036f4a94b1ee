"""Transaction ids of the charger's own: it never got ours, or ignores it.

The session's first samples have to come with it and go on from meterStart; from then on it is kept
in the session's flags (`own-id:4711`), where the messages that follow are held against it. Pure
rules, no I/O.
"""

from collections.abc import Iterable, Iterator

from levity.ocpp.request import TransactionState

__all__ = [
    "ANOTHER_START",
    "OWN_ID",
    "goes_by_own_ids",
    "own_id",
    "own_id_flag",
    "with_own_id",
]

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


def with_own_id(sessions: Iterable[TransactionState], number: int) -> TransactionState | None:
    """The only session of these without an end of its charger's that it calls by this id."""
    found = list(_called(sessions, number))
    running = [item for item in found if item.state == "active"] or found
    return running[0] if len(running) == 1 else None


def _called(sessions: Iterable[TransactionState], number: int) -> Iterator[TransactionState]:
    for item in sessions:
        if item.state != "stopped" and item.flags and own_id(item.flags) == number:
            yield item


def goes_by_own_ids(sessions: Iterable[TransactionState]) -> bool:
    """True if the charger calls all of these that have ended by its own word by ids of its own."""
    ended = [item for item in sessions if item.state == "stopped"]
    return bool(ended) and all(own_id(item.flags) is not None for item in ended)
