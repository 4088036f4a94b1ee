"""StartTransaction (OCPP 1.6, 4.8): a session begins."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from levity.ocpp.chargers.clocks import clock_flags
from levity.ocpp.effects import (
    Effect,
    ResolveQuarantined,
    StartTransaction,
    UpdateTransaction,
)
from levity.ocpp.request import (
    EarlyStop,
    Request,
    Response,
    TransactionState,
    with_flags,
    without_flags,
)
from levity.ocpp.rules.fitting import ROUNDED, fit
from levity.ocpp.rules.lives import most
from levity.ocpp.rules.same_start import has_doubtful_time, is_closed_by_boot, is_sent_again
from levity.ocpp.rules.sampled import NO_START
from levity.ocpp.rules.unknown_start import (
    CONNECTOR_GUESSED,
    NO_ID_TAG,
    Beginning,
    beginning_of,
    payer_of,
)
from levity.ocpp.v16.actions.crossed import session_before
from levity.ocpp.v16.actions.ends import could_end, end_of, named_id, said_end, sessions_of
from levity.ocpp.v16.actions.id_tag_info import accepted
from levity.ocpp.v16.actions.moved import not_high, shown_by_start
from levity.ocpp.v16.actions.reserved import use_of
from levity.ocpp.v16.actions.stop_transaction import end_session
from levity.ocpp.wire.fields import known_energy, same_tag

__all__ = ["start_transaction"]

# s. By so much the dates of a start and a stop may be off.
A_MOMENT = 60


def start_transaction(request: Request) -> Response:
    """Open a transaction, or find the one that this charger has started with the same words.

    The same connector, id tag, time and meter value are the same transaction: chargers send a
    StartTransaction again, with a new message id, when they miss the answer. (With a clock that
    was never set they need not be: see `same_start`.)
    """
    payload = request.payload
    id_tag, unknown = payer_of(payload)
    told = known_energy(payload, "meterStart")
    meter_start = Decimal(0) if told is None else told
    answer = {"idTagInfo": accepted()}
    started_at = request.time("timestamp")
    begins = beginning_of(payload, request.charge_point, started_at, request.received_at)
    repeated = request.repeated
    if repeated is None and started_at is None:
        repeated = _running_without_time(request, begins, id_tag, meter_start)
    if repeated is not None:
        effects = tuple(_note(repeated, request))
        return Response({"transactionId": repeated.id, **answer}, effects)
    if begins.connector is None:
        assert begins.refusal is not None
        raise begins.refusal
    assert request.new_id is not None, "the batch reserves an id for every StartTransaction"
    flags = clock_flags(started_at, request.received_at, "start")
    if request.occurrence and not flags:
        # It has begun at this date before (see `same_start`).
        flags = ("start-clock-unset",)
    if told is None:
        flags = (*flags, NO_START)
    if meter_start < 0:
        flags = (*flags, "negative-meter-start")
    flags = (*flags, *unknown, *begins.flags)
    begun = StartTransaction(
        transaction_id=request.new_id,
        connector=begins.connector,
        id_tag=id_tag,
        meter_start=meter_start,
        started_at=started_at or request.received_at,
        reservation_id=_reservation(payload.get("reservationId")),
        flags=flags,
        occurrence=request.occurrence,
    )
    return Response(
        {"transactionId": request.new_id, **answer},
        (begun, *use_of(begun, request), *_early_end(begun, request)),
    )


def _note(repeated: TransactionState, request: Request) -> Iterator[Effect]:
    """That it came again after its end is worth a word; it stays ended.

    Not so with a clock that was never set and a boot in between: it may be the next session as
    well, so it runs.
    """
    if repeated.state == "stopped" and "start-after-stop" not in repeated.flags.split():
        flags = with_flags(repeated.flags, ("start-after-stop",))
        yield UpdateTransaction(repeated.id, flags=flags)
    if (
        is_closed_by_boot(repeated)
        and has_doubtful_time(repeated, request.charge_point)
        and repeated.place not in request.charge_point.active
    ):
        flags = with_flags(without_flags(repeated.flags, "orphaned"), ("continued",))
        yield UpdateTransaction(repeated.id, reopen_on=repeated.connector, flags=flags)


def _early_end(begun: StartTransaction, request: Request) -> tuple[Effect, ...]:
    """The StopTransaction of this session, if it came first: the earliest that fits.

    1.6, 3.7 promises the order of a charger's transaction messages; some keep two queues.
    """
    # By a clock that is ahead at both ends they fit each other as well as by a right one.
    odd = tuple(flag for flag in begun.flags if flag not in (NO_ID_TAG, CONNECTOR_GUESSED))
    is_ahead = odd == ("start-clock-ahead",)
    if odd and not is_ahead:
        return ()
    wanted = ("stop-clock-ahead",) if is_ahead else ()
    transaction = TransactionState(
        id=begun.transaction_id,
        charge_point_id=request.charge_point.id,
        connector=begun.connector,
        state="active",
        id_tag=begun.id_tag,
        started_at=begun.started_at,
        meter_start=begun.meter_start,
    )
    fitting: list[tuple[datetime, EarlyStop]] = []
    for stop in request.early_stops:
        said = end_of(transaction, stop.payload, request.charge_point, stop.received_at)
        if said is None or clock_flags(said, stop.received_at, "stop") != wanted:
            continue
        named = named_id(stop.payload.get("transactionId"))
        if named not in (None, begun.transaction_id) and not stop.payload.get("idTag"):
            # It names a session that nobody knows: not this one, unless the card says so as well.
            continue
        if could_end(transaction, stop.payload, said, request.charge_point) and (
            named == begun.transaction_id or _can_have_flowed(transaction, stop, said, request)
        ):
            fitting.append((said, stop))
    if not fitting:
        return _end_before(begun, request) or shown_by_start(begun, transaction, request)
    stop = min(fitting, key=lambda item: (item[0], item[1].id))[1]
    told = replace(
        request,
        action="StopTransaction",
        payload=stop.payload,
        # A start that an edge tells late is the older one.
        received_at=max(request.received_at, stop.received_at),
    )
    flags = (*begun.flags, "stop-came-first")
    is_contested = _is_contested(transaction, stop, [item for _, item in fitting], request)
    if is_contested:
        flags = (*flags, "ids-may-be-swapped")
    ended = end_session(told, replace(transaction, flags=" ".join(flags)))
    if is_contested:
        ended = not_high(ended, transaction)
    found = ResolveQuarantined(stop.id, begun.transaction_id, "its StartTransaction came later")
    return (*ended, found)


def _can_have_flowed(
    transaction: TransactionState, stop: EarlyStop, said: datetime, request: Request
) -> bool:
    """True if so much can have flowed from the start until this stop, or the stop names its tag.

    One of this very second may be that of another connector.
    """
    if _names_its_tag(transaction, stop):
        return True
    wh = known_energy(stop.payload, "meterStop")
    seconds = max((said - transaction.started_at).total_seconds(), 0) + A_MOMENT
    rise = Decimal(0) if wh is None else wh - transaction.register_at_start
    return float(rise) <= most(seconds, request.charge_point.max_power)


def _is_contested(
    transaction: TransactionState, stop: EarlyStop, fitting: Sequence[EarlyStop], request: Request
) -> bool:
    """True if nothing but its register says that this stop is the session's, among several
    connectors, and another that waits fits the session, too, or another session fits the stop."""
    charge_point = request.charge_point
    if named_id(stop.payload.get("transactionId")) or _names_its_tag(transaction, stop):
        return False
    if sum(number > 0 for _, number in charge_point.connectors) < 2:
        return False
    if any(item.id != stop.id and not item.payload.get("idTag") for item in fitting):
        return True
    end = said_end(stop.payload, charge_point, stop.received_at)
    sessions = sessions_of(request)
    open_ones = [item for item in sessions if item.state != "stopped"]
    found = (fit(item, end, sessions, charge_point) for item in open_ones)
    return any(item.is_possible and not item.against for item in found)


def _names_its_tag(transaction: TransactionState, stop: EarlyStop) -> bool:
    said = stop.payload.get("idTag")
    return isinstance(said, str) and bool(said) and same_tag(said, transaction.id_tag)


def _end_before(begun: StartTransaction, request: Request) -> tuple[Effect, ...]:
    """The StopTransaction of the session before on this connector, if it waits because it fitted
    several: it ended at the very Wh with which this one begins."""
    before = session_before(begun, request.chain)
    if before is None or before.state == "stopped" or begun.meter_start is None:
        return ()
    open_again = replace(before, state="active")
    for stop in request.early_stops:
        payload, charge_point = stop.payload, request.charge_point
        end = said_end(payload, charge_point, stop.received_at)
        if end.register != begun.meter_start or named_id(payload.get("transactionId")):
            continue
        found = fit(open_again, end, (open_again,), charge_point)
        if found.against or not found.is_possible or not found.tail or found.tail <= ROUNDED:
            continue
        told = replace(
            request, action="StopTransaction", payload=payload, received_at=stop.received_at
        )
        resolved = ResolveQuarantined(stop.id, before.id, "the next session began where it ended")
        return (*end_session(told, open_again, ("matched-by-connector",)), resolved)
    return ()


def _running_without_time(
    request: Request, begins: Beginning, id_tag: str, meter_start: Decimal
) -> TransactionState | None:
    """The running one that this is a repetition of, where no time tells them apart."""
    is_guess = begins.refusal is not None or bool(begins.flags)
    for running in request.charge_point.active.values():
        if (running.id_tag, running.meter_start) != (id_tag, meter_start):
            continue
        if is_guess and CONNECTOR_GUESSED not in running.flags.split():
            continue
        if is_guess or running.connector == begins.connector:
            return running if is_sent_again(running, request.charge_point) else None
    return None


def _reservation(value: object) -> int | None:
    return value if type(value) is int and abs(value) < 2**63 else None
