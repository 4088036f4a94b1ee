"""May this start go to the car that is plugged in? Asked in the moment in which it would be sent.

The answer is made of the books alone, so any worker may give it, also after a restart.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from levity.ocpp.effects import AUTOMATIC
from levity.ocpp.holds import Holds, patience
from levity.ocpp.store.due import DueCommand, Shown

__all__ = ["KEPT", "LOOK_AGAIN", "reason_to_drop", "reason_to_wait"]

LOOK_AGAIN = timedelta(seconds=2)
"""How often a start that waits looks whether it may go."""
KEPT = timedelta(minutes=3)
"""For how long one that was put off may wait for its turn behind other Calls."""
# A charger that has come back is given this long to tell what its connectors are now.
AFTER_CONNECTING = timedelta(seconds=10)
# The answer to a RemoteStartTransaction may come after its session has begun, by a time-out.
ANSWERED_LATE = timedelta(minutes=2)

Statuses = Mapping[tuple[int, int], Shown]


def reason_to_drop(command: DueCommand, statuses: Statuses) -> str | None:
    """Why this Call, meant for one status of its connector, is over; None if it is not."""
    shown = statuses.get((command.charge_point_id, command.only_connector or 0))
    if shown is None or shown.status != command.only_status:
        return f"the connector is no longer {command.only_status}"
    if command.source != AUTOMATIC:
        return None
    if command.only_since is not None and shown.since != command.only_since:
        return "the car was unplugged and plugged in again; the newer plug-in has its own start"
    if shown.running is not None:
        return "a session runs on this connector"
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


def reason_to_wait(command: DueCommand, statuses: Statuses, now: datetime) -> str | None:
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
        return "the charger has just come back"
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
    hold = holds.hold_on(command.only_connector or 0, _tag(command), now)
    if hold is None:
        return None
    return (
        f"waits for {hold.id_tag[:40]}, who may begin a session here until"
        f" {hold.until:%H:%M:%S} UTC"
    )


def _tag(command: DueCommand) -> str:
    """With which tag the automatic start starts."""
    payload = command.payload if isinstance(command.payload, Mapping) else {}
    return str(payload.get("idTag", ""))
