"""Whether a charger may connect, and how it is to be treated."""

from datetime import timedelta

from django.conf import settings
from websockets.frames import CloseCode

from levity.ocpp.conf import setting
from levity.ocpp.effects import ASK_FOR_BOOT, LEARNED_INTERVAL, SendCall
from levity.ocpp.request import ChargePointState
from levity.ocpp.rules.admission import Verdict, judge
from levity.ocpp.store import Arrival, Loaded, Outcome
from levity.ocpp.versions import version_of
from levity.ocpp.wire.subprotocols import SUBPROTOCOL, spoken
from levity_ws.edge.room import SMALL
from levity_ws.rpc.envelope import Accept, Authenticate, Close, Connected, Lease, Leased, Refuse

__all__ = ["answer"]

UNAUTHORIZED = "Not authorised. See “Onboarding doctor” in the central system for the reason."
# Time enough for one that boots by itself.
BOOT_DELAY = timedelta(seconds=15)
# One that boots now hears it in the answer; `LEARNED_INTERVAL` is the command's source.
INTERVAL_DELAY = timedelta(seconds=10)


def answer(arrival: Arrival, loaded: Loaded) -> Outcome:
    """What an event that is no frame leads to: `Accept` or `Refuse` for a handshake."""
    event = arrival.event
    charge_point = loaded.charge_point(event.charge_point)
    outcome = Outcome(arrival, charge_point)
    if isinstance(event, Authenticate):
        outcome.verdict = _verdict(event, outcome, loaded)
        outcome.commands = (_answer(event, outcome, outcome.verdict, loaded),)
    elif isinstance(event, Lease):
        outcome.commands = (Leased(event.connection, loaded.leased),)
    elif isinstance(event, Connected) and charge_point is None:
        # Deleted, or forbidden, between the handshake and now.
        outcome.commands = (
            Close(
                event.connection,
                CloseCode.POLICY_VIOLATION,
                "this charge point is not registered here",
            ),
        )
    elif isinstance(event, Connected) and charge_point:
        if charge_point.quirks.boot_first:
            outcome.effects += (_ask_for_boot(event),)
        if charge_point.learned_at and not _is_told(charge_point):
            outcome.effects += (_tell_interval(event, charge_point),)
    return outcome


def _is_told(charge_point: ChargePointState) -> bool:
    booted, learned = charge_point.booted_at, charge_point.learned_at
    return booted is not None and learned is not None and booted >= learned


def _tell_interval(event: Connected, charge_point: ChargePointState) -> SendCall:
    """A line that ends in silence was learned since its last boot: it need not wait for a boot."""
    asks = version_of(event.subprotocol).asks
    return SendCall(
        *asks.interval(charge_point.heartbeat_interval),
        delay=INTERVAL_DELAY,
        expires_after=timedelta(minutes=1),
        this_connection=True,
        key=f"{LEARNED_INTERVAL}:{event.connection}",
        source=LEARNED_INTERVAL,
    )


def _ask_for_boot(event: Connected) -> SendCall:
    """Wallbox (6.x) forgets its BootNotification at times, and takes no command before it.

    Asked for once on each connection; the command queue lets it pass before the boot, and cancels
    it where the boot has come by itself.
    """
    return SendCall(
        *version_of(event.subprotocol).asks.boot(),
        delay=BOOT_DELAY,
        expires_after=timedelta(minutes=1),
        this_connection=True,
        key=f"{ASK_FOR_BOOT}:{event.connection}",
        source=ASK_FOR_BOOT,
    )


def _verdict(event: Authenticate, outcome: Outcome, loaded: Loaded) -> Verdict:
    """Whether it passes, and if not, why: first who it is, then what it speaks."""
    known = outcome.charge_point
    speaks_another = bool(event.subprotocols) and not spoken(event.subprotocols)
    if known is None and not setting("OCPP_SECURITY_PROFILE"):
        # The name of the one thing to change: it is no use on the list before that.
        return _of_another_version(event) if speaks_another else Verdict("unknown")
    credential = loaded.handshakes.credentials.get(known.id) if known is not None else None
    mine, from_address = loaded.handshakes.guesses_of(event)
    verdict = judge(event, credential, mine, from_address, settings.SECRET_KEY)
    loaded.handshakes.note(event, verdict)
    return _of_another_version(event) if speaks_another and not verdict.reason else verdict


def _of_another_version(event: Authenticate) -> Verdict:
    return Verdict(
        "subprotocol", f"it offers {_offered(event)}, but only {SUBPROTOCOL} is supported"
    )


def _answer(
    event: Authenticate, outcome: Outcome, verdict: Verdict, loaded: Loaded
) -> Accept | Refuse:
    if verdict.reason == "locked":
        # In seconds, jittered by nothing: who guesses may as well know when to come again.
        why = (
            "Too many wrong keys: no key is checked for now. Correct the key in the charger and "
            "wait."
        )
        return Refuse(event.connection, 429, why, verdict.retry_after)
    if verdict.reason == "subprotocol":
        why = f"The charger offers {_offered(event)}: set it to OCPP 1.6 JSON ({SUBPROTOCOL})."
        return Refuse(event.connection, 400, why)
    if verdict.reason == "unknown" and not setting("OCPP_SECURITY_PROFILE"):
        why = (
            f"“{event.charge_point}” is not on the list of charge points. Add it there, or correct "
            "the last part of the address in the charger."
        )
        return Refuse(event.connection, 404, why)
    if verdict.reason or outcome.charge_point is None:
        # The same words for every reason: nobody learns which identities there are.
        return Refuse(event.connection, 401, UNAUTHORIZED)
    quirks = outcome.charge_point.quirks
    gap = setting("OCPP_FRAME_GAP") if quirks.frame_gap is None else quirks.frame_gap
    return Accept(
        event.connection,
        # Grizzl-E (5.x) offers none: then none is named in the answer, and 1.6 is spoken.
        subprotocol=spoken(event.subprotocols),
        frame_gap=float(gap),
        ping_interval=float(outcome.charge_point.ping_interval),
        # A stranger gets no more memory than an ordinary frame needs.
        max_size=SMALL if outcome.charge_point.id in loaded.handshakes.strangers else 0,
        close="abort" if quirks.abort_on_restart else "frame",
    )


def _offered(event: Authenticate) -> str:
    return ", ".join(name[:30] for name in event.subprotocols[:4])
