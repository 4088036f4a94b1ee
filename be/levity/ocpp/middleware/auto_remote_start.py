"""Charging without a card: what happens when a car is plugged in."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from levity.ocpp.conf import setting
from levity.ocpp.effects import (
    AUTOMATIC,
    ConnectorStatus,
    Effect,
    LookAgain,
    SendCall,
    StartTransaction,
    StopTransaction,
    UpdateChargePoint,
)
from levity.ocpp.request import GetResponse, Place, Request, Response, TransactionState
from levity.ocpp.rules.holds import Holds, patience
from levity.ocpp.versions import version_of

__all__ = ["AutoRemoteStart"]

PREPARING = "Preparing"
# After its boot a charger tells what each connector is (4.2), dated when it became so. Messages
# that it has kept come in a burst: what is still so after this long is so now. A charger of which
# nothing is known yet has kept less.
JUST_BOOTED = timedelta(minutes=1)
SETTLED, SETTLED_FIRST = timedelta(seconds=10), timedelta(seconds=2.5)


class AutoRemoteStart:
    """Start charging as soon as a car is plugged in, with no card to present.

    One second after Preparing, if its quirk profile doesn't say otherwise: Grizzl-E (firmware
    0.5) ignores a RemoteStartTransaction that comes earlier.

    Once per plug-in: the key of the Call names the connector and the moment it became
    Preparing, and the command queue takes a key only once. A Call that could not be sent (the
    charger left within the delay) gives its key back, so the next Preparing starts again.

    Never where somebody else is about to charge: a card that was authorised, and a start that an
    operator asked for, go first (see `holds`), and so does a reservation. The start waits for them,
    and goes to every connector that is still Preparing then. A car whose card was refused is not
    started at all.
    """

    actions = frozenset({"Authorize", "StartTransaction", "StatusNotification", "StopTransaction"})
    # A charger that never answered the Call before gets no other one before its time-out. It goes
    # only to the car that it was meant for: EN+ leaves Preparing again when nobody starts.
    expires_after = timedelta(minutes=3)

    def __init__(self, get_response: GetResponse, id_tag: str | None = None) -> None:
        self.get_response = get_response
        self.id_tag = id_tag or setting("OCPP_AUTO_REMOTE_START_ID_TAG")

    def __call__(self, request: Request) -> Response:
        """The response of the chain, with a RemoteStartTransaction for a car just plugged in."""
        response = self.get_response(request)
        if request.charge_point.authorization == "known":
            # Free charging is off here: a card has to be presented.
            return response
        if request.action != "StatusNotification":
            return response.adding(*self._who_goes_first(request, response))
        starts = [
            start
            for effect in response.effects
            if isinstance(effect, ConnectorStatus)
            and self._is_waiting(request, effect)
            and _is_free(request, response, effect.place)
            for start in self._starts(request, effect)
        ]
        return response.adding(*starts) if starts else response

    def _who_goes_first(self, request: Request, response: Response) -> Iterator[Effect]:
        """What a card tells, if it is news: it holds the connectors, or is done with them."""
        charge_point, at = request.charge_point, request.received_at
        ended = None
        if request.action == "StopTransaction":
            if not charge_point.holds:
                return
            ended = _ended(request, response)
        said = request.payload.get("idTag")
        tag = said if isinstance(said, str) else ""
        if not tag and ended is not None:
            # A stop need not say with which card: the one that began the session.
            tag = ended.id_tag
        if not tag or tag.lower() == self._own_tag(request).lower():
            return
        info = response.payload.get("idTagInfo")
        status = str(info.get("status", "")) if isinstance(info, Mapping) else ""
        known = Holds.of(_held(request, response))
        connector = 0
        if request.action == "StartTransaction":
            begun = [item for item in response.effects if isinstance(item, StartTransaction)]
            connector = (begun[0].connector or 0) if begun else 0
        if request.action != "StopTransaction" and status not in ("", "Accepted"):
            now = known.refused(tag, connector, status, at)
        elif request.action == "Authorize":
            now = known.held(tag, 0, at, patience(charge_point.connection_timeout))
        elif charge_point.lag.is_backlog(request.time("timestamp"), at):
            # A session of before: the card that was presented now is for another one.
            return
        elif request.action == "StopTransaction":
            now = known.after_stop(tag, (ended.connector or 0) if ended else 0)
        else:
            now = known.without(tag, connector)
        if now == known:
            return
        yield UpdateChargePoint({"holds": now.text()})
        if now.has_lost(known, at) and _another_waits(request, connector):
            yield LookAgain()

    def _own_tag(self, request: Request) -> str:
        return request.charge_point.quirks.remote_start_id_tag or self.id_tag

    def _is_waiting(self, request: Request, effect: ConnectorStatus) -> bool:
        known = request.charge_point.connectors.get(effect.place)
        again = known is not None and known.status_at == effect.reported_at
        return (
            effect.status == PREPARING
            and effect.connector > 0
            # What is told after an outage is not about the car that is plugged in now.
            and (
                self._settled(request) is not None or not self._is_old(request, effect, again=again)
            )
        )

    def _is_old(self, request: Request, effect: ConnectorStatus, *, again: bool = False) -> bool:
        lag = request.charge_point.lag
        return lag.is_backlog(effect.reported_at, request.received_at, again=again)

    def _settled(self, request: Request) -> timedelta | None:
        """How long a status that seems old has to stand until it counts; None: it never does.

        The clock of a charger that was never heard in time may be slow (49 minutes: evcc#14609),
        and one that has just booted tells what is now.
        """
        charge_point = request.charge_point
        if charge_point.lag.known is None:
            return SETTLED_FIRST
        booted = charge_point.booted_at
        if booted is not None and request.received_at - booted <= JUST_BOOTED:
            return SETTLED
        return None

    def _starts(self, request: Request, effect: ConnectorStatus) -> list[SendCall]:
        """The start, and once more where the make is known to miss the first one at times.

        The second goes only while the connector is still Preparing, like the first.
        """
        first = self._start(request, effect)
        again = request.charge_point.quirks.remote_start_again
        if again is None:
            return [first]
        delay = first.delay + timedelta(seconds=again)
        return [first, replace(first, delay=delay, key=f"{first.key}:again")]

    def _start(self, request: Request, effect: ConnectorStatus) -> SendCall:
        known = request.charge_point.connectors.get(effect.place)
        since = request.received_at
        if known and known.status == PREPARING and known.status_since:
            since = known.status_since
        delay = timedelta(seconds=request.charge_point.quirks.remote_start_delay)
        if self._is_old(request, effect):
            delay = max(delay, self._settled(request) or delay)
        asks = version_of(request.subprotocol).asks
        return SendCall(
            *asks.start(self._own_tag(request), effect.connector),
            delay=delay,
            expires_after=self.expires_after,
            only_while=(effect.connector, PREPARING),
            only_since=since,
            this_connection=True,
            key=f"auto-remote-start:{effect.connector}:{since.isoformat()}",
            source=AUTOMATIC,
        )


def _held(request: Request, response: Response) -> str:
    """Who holds what, after a reservation that this message makes use of."""
    told = [
        effect.values["holds"]
        for effect in response.effects
        if isinstance(effect, UpdateChargePoint) and "holds" in effect.values
    ]
    return str(told[-1]) if told else request.charge_point.holds


def _ended(request: Request, response: Response) -> TransactionState | None:
    """The session that this StopTransaction ends."""
    charge_point = request.charge_point
    ended = {
        item.transaction_id
        for item in response.effects
        if isinstance(item, StopTransaction) and not item.orphaned
    }
    known = (*charge_point.active.values(), *charge_point.interrupted.values())
    named = request.transaction
    found = [item for item in known if item.id in ended]
    if not found and named is not None and named.id in ended:
        found = [named]
    return found[0] if found else None


def _another_waits(request: Request, begun: int) -> bool:
    """True if a car is plugged in at another connector than this one, and has no session."""
    charge_point = request.charge_point
    return any(
        item.status == PREPARING
        and item.number not in (0, begun)
        and place not in charge_point.active
        for place, item in charge_point.connectors.items()
    )


def _is_free(request: Request, response: Response, place: Place) -> bool:
    """True if no session runs there, or this very message ends it."""
    running = request.charge_point.active.get(place)
    return running is None or any(
        isinstance(item, StopTransaction) and item.transaction_id == running.id
        for item in response.effects
    )
