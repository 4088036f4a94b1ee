"""ChangeConfiguration (OCPP 1.6, 5.3): the charger has taken the value, or has not.

OCPP-J 1.6, 6.2.2: a charger may have taken a key although its answer was lost. So from the moment
the Call is sent both keys are good, until the answer, or the first use of the new one, decides.
"""

from levity.ocpp.effects import (
    ConfigurationChanged,
    Effect,
    KeyAccepted,
    KeyRefused,
    ProfileAccepted,
)
from levity.ocpp.request import Result
from levity.ocpp.v16.guards import CHANGE, is_key_change, profile_in
from levity.ocpp.v16.results.get_configuration import LONGEST_KEY, LONGEST_VALUE
from levity.ocpp.v16.results.keys import told_by

__all__ = ["change_configuration"]

# OCPP 1.6, 7.21: the key counts once it has restarted; until then it comes with the old one.
LATER = "RebootRequired"


def change_configuration(result: Result) -> tuple[Effect, ...]:
    """What is configured now, which of two keys is good, which profile comes next."""
    return (*_changed(result), *_meaning(result))


def _changed(result: Result) -> tuple[Effect, ...]:
    key, value = result.asked.get("key"), result.asked.get("value")
    said = result.status or result.error_code
    # Half an answer (Grizzl-E 5.x): nobody knows what it would have said.
    if not isinstance(key, str) or not key.strip() or result.is_unreadable or not said:
        return ()
    return (
        ConfigurationChanged(
            result.command_id,
            key.strip()[:LONGEST_KEY],
            str(value if value is not None else "")[:LONGEST_VALUE],
            said[:64],
            is_taken=result.status in ("Accepted", LATER),
            after_reboot=result.status == LATER,
        ),
    )


def _meaning(result: Result) -> tuple[Effect, ...]:
    accepted = result.status in ("Accepted", LATER)
    level = profile_in(CHANGE, result.asked)
    if level is not None:
        return (ProfileAccepted(level),) if accepted and 0 < level <= 3 else ()
    if is_key_change(CHANGE, result.asked):
        if result.status == "Accepted":
            return (KeyAccepted(result.command_id),)
        # Half an answer (Grizzl-E 5.x): nobody knows what it would have said.
        if accepted or result.is_unreadable:
            return ()
        return (KeyRefused(result.command_id),)
    if result.status == "Accepted":
        return told_by(result.asked.get("key"), result.asked.get("value"))
    return ()
