"""Whether a charger may connect, and how it is to be treated."""

from datetime import timedelta

from levity.ocpp.conf import setting
from levity.ocpp.effects import ASK_FOR_BOOT, SendCall
from levity.ocpp.store import Arrival, Loaded, Outcome
from levity_ws.rpc.envelope import Accept, Authenticate, Close, Connected, Refuse

__all__ = ["SUBPROTOCOL", "answer"]

SUBPROTOCOL = "ocpp1.6"
# Time enough for one that boots by itself.
BOOT_DELAY = timedelta(seconds=15)


def answer(arrival: Arrival, loaded: Loaded) -> Outcome:
    """What an event that is no frame leads to: `Accept` or `Refuse` for a handshake."""
    event = arrival.event
    charge_point = loaded.charge_point(event.charge_point)
    outcome = Outcome(arrival, charge_point)
    if isinstance(event, Authenticate):
        outcome.commands = (_admit(event, outcome),)
    elif isinstance(event, Connected) and charge_point is None:
        # Deleted, or forbidden, between the handshake and now.
        outcome.commands = (Close(event.connection, 1008, "this charge point is not known here"),)
    elif isinstance(event, Connected) and charge_point and charge_point.quirks.boot_first:
        outcome.effects = (_ask_for_boot(event),)
    return outcome


def _ask_for_boot(event: Connected) -> SendCall:
    """Wallbox (6.x) forgets its BootNotification at times, and takes no command before it.

    Asked for once on each connection; the command queue lets it pass before the boot, and cancels
    it where the boot has come by itself.
    """
    return SendCall(
        "TriggerMessage",
        {"requestedMessage": "BootNotification"},
        delay=BOOT_DELAY,
        expires_after=timedelta(minutes=1),
        this_connection=True,
        key=f"{ASK_FOR_BOOT}:{event.connection}",
        source=ASK_FOR_BOOT,
    )


def _admit(event: Authenticate, outcome: Outcome) -> Accept | Refuse:
    if outcome.charge_point is None:
        return Refuse(event.connection, 404, "this charge point is not known here")
    spoken = next((name for name in event.subprotocols if name.lower() == SUBPROTOCOL), "")
    if event.subprotocols and not spoken:
        return Refuse(event.connection, 400, f"none of the offered subprotocols is {SUBPROTOCOL}")
    quirks = outcome.charge_point.quirks
    gap = setting("OCPP_FRAME_GAP") if quirks.frame_gap is None else quirks.frame_gap
    return Accept(
        event.connection,
        # Grizzl-E (5.x) offers none: then none is named in the answer, and 1.6 is spoken.
        subprotocol=spoken,
        frame_gap=float(gap),
        ping_interval=float(setting("OCPP_PING_INTERVAL")),
        close="abort" if quirks.abort_on_restart else "frame",
    )
