"""May this start go to the car that is plugged in? Asked in the moment in which it would be sent.

The answer comes only from the database, so any worker may give it, also after a restart.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from levity.ocpp.commands.due import DueCommand, Shown
from levity.ocpp.effects import AUTOMATIC
from levity.ocpp.rules.holds import Holds, patience
from levity_ws.frozen import frozen

__all__ = ["KEPT", "NOT_NEEDED", "Wait", "reason_to_drop", "reason_to_wait"]

# Whoever is waited for ends that by a message, which lets the start look at once (`LookAgain`).
# What was missed is seen after this long.
LOOK_AGAIN = timedelta(seconds=30)
KEPT = timedelta(minutes=3)
"""For how long one that was put off may wait for its turn behind other Calls."""
NOT_NEEDED = "no start was needed"
"""How the reason of an automatic start begins that had nothing to start."""
# A charger that has come back is given this long to tell what its connectors are now.
AFTER_CONNECTING = timedelta(seconds=10)
# The answer to a RemoteStartTransaction may come after its session has begun, by a time-out.
ANSWERED_LATE = timedelta(minutes=2)


@frozen
class Wait:
    """Why an automatic start has to wait for now, for people, and when to look again."""

    reason: str
    until: datetime


Statuses = Mapping[tuple[int, int], Shown]


def reason_to_drop(command: DueCommand, statuses: Statuses) -> str | None:
    """Why this Call, meant for one status of its connector, is over; None if it is not."""
    shown = statuses.get((command.charge_point_id, command.only_connector or 0))
    if command.source != AUTOMATIC:
        if shown is None or shown.status != command.only_status:
            return f"the connector is no longer {command.only_status}"
        return None
    if shown is None:
        return f"{NOT_NEEDED}: the charger has not reported this connector since"
    if shown.running is not None:
        return f"{NOT_NEEDED}: a session of {shown.running[:40]} is running on this connector"
    if shown.status != command.only_status:
        return f"{NOT_NEEDED}: {_shows(shown.status)}"
    if command.only_since is not None and shown.since != command.only_since:
        return (
            f"{NOT_NEEDED}: the car was unplugged and plugged in again, and the newer"
            " plug-in has its own start"
        )
    refusal = None
    if command.only_since is not None:
        refusal = Holds.of(command.holds).refusal_on(
            command.only_connector or 0,
            _tag(command),
            command.only_since,
            patience(command.connection_timeout),
        )
    if refusal is None:
        return None
    return (
        f"not started without a card: {refusal.id_tag[:40]} was presented here and is"
        f" {refusal.status}. Present another card, or plug in again later"
    )


def _shows(status: str) -> str:
    """What this status says of a car that was to be started."""
    if status == "Available":
        return "the car was unplugged before it was started"
    if not status:
        return "the charger has booted since and will report again which cars are plugged in"
    return f"the connector is now {status[:40]}"


def reason_to_wait(command: DueCommand, statuses: Statuses, now: datetime) -> Wait | None:
    """Why an automatic start has to wait for now; None if it may go."""
    if command.source != AUTOMATIC:
        return None
    since, plugged_in = command.connected_at, command.only_since
    if (
        command.wanted_connection is None
        and since is not None
        and (plugged_in is None or since > plugged_in)
        and now < since + AFTER_CONNECTING
    ):
        return Wait("the charger has just reconnected", since + AFTER_CONNECTING)
    running = [
        (shown.running.lower(), shown.began)
        for (charge_point, _), shown in statuses.items()
        if charge_point == command.charge_point_id and shown.running and shown.began
    ]
    holds = Holds.of(command.holds)
    for tag, began in running:
        # Its session runs already: the answer to its RemoteStartTransaction came later.
        for known in holds.holds:
            if known.id_tag.lower() == tag and began >= known.at - ANSWERED_LATE:
                holds = holds.without(tag)
    hold = holds.hold_on(
        command.only_connector or 0,
        _tag(command),
        now,
        others_are_free=_others_are_free(command, statuses),
    )
    if hold is None:
        return None
    who = "reserved for" if hold.is_reserved else "waiting for"
    what = "may charge" if hold.is_reserved else "may start a session"
    return Wait(
        f"{who} {hold.id_tag[:40]}, which {what} here until {hold.until:%H:%M:%S} UTC",
        min(hold.until, now + LOOK_AGAIN),
    )


def _others_are_free(command: DueCommand, statuses: Statuses) -> bool:
    """True if whoever has reserved any connector of this charger finds another one."""
    return any(
        shown.status in ("Available", "Reserved")
        for (charge_point, number), shown in statuses.items()
        if charge_point == command.charge_point_id and number not in (0, command.only_connector)
    )


def _tag(command: DueCommand) -> str:
    """With which tag the automatic start starts."""
    payload = command.payload if isinstance(command.payload, Mapping) else {}
    return str(payload.get("idTag", ""))
