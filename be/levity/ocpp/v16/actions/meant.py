"""Which session a StopTransaction means (OCPP 1.6, 4.10): its id, held against tag, time and meter.

Ids collide (a former central system gave the same small numbers), come of the session before or of
the other connector, or are missing. What is said beside the id has to allow it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from levity.ocpp.chargers.clocks import AHEAD, clock_flags
from levity.ocpp.effects import NO_SUCH_TRANSACTION
from levity.ocpp.request import ChargePointState, Request, TransactionState
from levity.ocpp.rules.energy import at_stop
from levity.ocpp.rules.fitting import End
from levity.ocpp.rules.lives import ROUNDING, goes_on, most
from levity.ocpp.rules.own_ids import ANOTHER_START, OWN_ID, own_id_flag, with_own_id
from levity.ocpp.rules.readings import Reading, registers
from levity.ocpp.rules.sampled import IMPLAUSIBLE, RESET, SESSION, Meter, trail_of
from levity.ocpp.v16.actions.samples import samples_of
from levity.ocpp.wire.fields import INT4_MAX, decimal_of, energy, known_energy, same_tag, text
from levity.ocpp.wire.frames import OcppError
from levity_ws.frozen import frozen

__all__ = [
    "Meant",
    "contradictions",
    "could_end",
    "end_of",
    "leads_to",
    "meant",
    "named_id",
    "said_end",
    "started_twice",
]

# Registers are rounded, and read a moment apart.
ROUNDED = Decimal(100)
NOTHING = timedelta()


@frozen
class Meant:
    """The session that is meant, and by what it was found; or why it is none."""

    transaction: TransactionState | None
    flags: tuple[str, ...] = ()
    why_not: str = ""


def meant(request: Request) -> Meant:
    """The session that this StopTransaction means.

    The one that it names, unless two of tag, time and meter speak against it: then the only one
    that all of them fit, or none. One that only the tag speaks against may have been stopped with
    another card; but not where a session with that card runs whose register is nearer.
    """
    named = request.transaction
    own = _by_own_id(request)
    if own is not None:
        return own
    if named is None:
        found = _without_id(request)
        flags = ("matched-by-connector",) if found else ()
        return Meant(found, flags, "" if found else NO_SUCH_TRANSACTION)
    if named.charge_point_id != request.charge_point.id:
        return Meant(named)
    against = _against(named, request, AHEAD)
    if "id tag" not in against and len(against) < 2:
        following = _following(named, request) or _crossed(named, request)
        return Meant(following, ("id-of-another",)) if following else Meant(named)
    other = _other(named, request) or _crossed(named, request)
    if other is not None:
        return Meant(other, ("id-of-another",))
    if len(against) < 2 or named.state == "stopped":
        return Meant(named)
    said = " and ".join(sorted(against))
    return Meant(
        None, (), f"the session with this id is running, but {said} of this stop do not match it"
    )


def named_id(value: object) -> int | None:
    """The transaction that this transactionId names; None for what names none.

    -1, 0 and null are what chargers send that started offline and never got an id (libocpp#495,
    steve#292), 2^63-1 is Alfen's (5.8).
    """
    number = decimal_of(value)
    return int(number) if number is not None and 1 <= number <= INT4_MAX else None


def contradictions(
    transaction: TransactionState,
    payload: Mapping[str, Any],
    said: datetime | None,
    received_at: datetime,
    charge_point: ChargePointState,
    slack: timedelta = NOTHING,
) -> frozenset[str]:
    """What of "id tag", "meter" and "time" speaks against this being the session's end.

    A clock that is known to be wrong says nothing of the time; nor does a register that counts
    from the session's start, or began anew, or could not be read (0), of the meter.
    """
    found = set()
    with_believed_times = not clock_flags(said, received_at, "stop")
    if with_believed_times and said is not None and _is_before(transaction, said, slack):
        found.add("time")
    try:
        tag = text(payload, "idTag")
        # Of a payer who is unknown no card is the wrong one.
        if tag and transaction.id_tag and not same_tag(tag, transaction.id_tag):
            found.add("id tag")
        meter_stop = energy(payload, "meterStop")
    except OcppError:
        return frozenset(found)
    of_its_own = {SESSION, RESET} & set(transaction.flags.split())
    if of_its_own or charge_point.quirks.session_register:
        return frozenset(found)
    if "time" in found and meter_stop <= _reached(transaction):
        # Told before the session began, with nothing charged in it: the end of the one before.
        found.add("meter")
    if meter_stop == 0:
        return frozenset(found)
    if meter_stop < transaction.register_at_start - ROUNDED:
        found.add("meter")
    elif with_believed_times and said is not None and "start-clock" not in transaction.flags:
        meter = Meter(charge_point.max_power, is_told=charge_point.power_is_told)
        result = at_stop(transaction, meter_stop, said, meter)
        if IMPLAUSIBLE in result.flags:
            found.add("meter")
    following = charge_point.active.get(transaction.place)
    if (
        transaction.state == "orphaned"
        and following is not None
        and following.id != transaction.id
        and following.meter_last is not None
        and meter_stop > following.register_at_start + ROUNDED
    ):
        # That is in the part of the meter's life that the next session has.
        found.add("meter")
    return frozenset(found)


def end_of(
    transaction: TransactionState,
    payload: Mapping[str, Any],
    charge_point: ChargePointState,
    received_at: datetime,
) -> datetime | None:
    """The charger's time in this StopTransaction of the session; None if it can't be true.

    In autumn an hour of local time comes twice, and is read as the first. It was the second where
    the session would have ended before it began, or before its newest meter value. Not where
    minutes would do to explain that: clocks are set in a session, too.
    """
    words = payload.get("timestamp")
    said, second = charge_point.time_of(words), charge_point.time_of(words, fold=1)
    if said is None or second is None or second <= said or "start-clock" in transaction.flags:
        return said
    if transaction.state == "stopped":
        return second if second == transaction.stopped_at else said
    begun = max(transaction.started_at, transaction.meter_last_at or transaction.started_at)
    is_second = said < begun - AHEAD and begun <= second <= received_at + AHEAD
    return second if is_second else said


def said_end(
    payload: Mapping[str, Any], charge_point: ChargePointState, received_at: datetime
) -> End:
    """What this payload says of the end of a session, in a StopTransaction, or of how far it is, in
    MeterValues."""
    words = payload.get("timestamp")
    at, second = charge_point.time_of(words), charge_point.time_of(words, fold=1)
    register, began = known_energy(payload, "meterStop"), None
    if "meterStop" not in payload:
        readings = registers(samples_of(payload, "meterValue", charge_point, received_at))
        if readings:
            register, at, second = readings[-1].value, readings[-1].at, None
    else:
        readings = registers(samples_of(payload, "transactionData", charge_point, received_at))
        began = next((item.value for item in readings if item.is_begin), None)
    try:
        id_tag = text(payload, "idTag")
    except OcppError:
        id_tag = ""
    return End(register, at, received_at, id_tag, second, began)


def could_end(
    transaction: TransactionState,
    payload: Mapping[str, Any],
    stopped_at: datetime | None,
    charge_point: ChargePointState,
) -> bool:
    """True if tag, time and meter of this StopTransaction fit the session."""
    try:
        meter_stop = energy(payload, "meterStop")
        id_tag = text(payload, "idTag")
    except OcppError:
        return False
    if stopped_at is None or _is_before(transaction, stopped_at):
        return False
    if id_tag and transaction.id_tag and not same_tag(id_tag, transaction.id_tag):
        return False
    meter = Meter(charge_point.max_power, is_told=charge_point.power_is_told)
    found = at_stop(transaction, meter_stop, stopped_at, meter)
    return meter_stop >= transaction.register_at_start and IMPLAUSIBLE not in found.flags


def started_twice(
    transaction: TransactionState, charge_point: ChargePointState
) -> TransactionState | None:
    """The session on its connector that is this very one: its start was told again.

    Simpson & Partners (Home 7) tells another start two minutes later, is given another id, and
    goes on with the first. It shows in that nothing was charged between the two, with the same
    tag, and that nobody has used the second id.
    """
    other = charge_point.active.get(transaction.place)
    if transaction.state != "orphaned" or other is None or other.id == transaction.id:
        return None
    if (
        other.meter_last is not None
        or other.started_at < transaction.started_at
        or not same_tag(other.id_tag, transaction.id_tag)
        or abs(other.register_at_start - transaction.newest_register) > ROUNDED
    ):
        return None
    return other


def _is_before(transaction: TransactionState, said: datetime, slack: timedelta = NOTHING) -> bool:
    """True if this was before the session began, by a clock that can be believed.

    One that was ahead at the start is set before the end (go-e V4): then our own clock counts.
    """
    if "start-clock" in transaction.flags:
        return False
    begun = transaction.started_at
    if transaction.start_received_at is not None:
        begun = min(begun, transaction.start_received_at)
    return said < begun - slack


def _reached(transaction: TransactionState) -> Decimal:
    """A register that is no higher than this shows nothing of what the session has charged."""
    if transaction.meter_last is None:
        return transaction.register_at_start + ROUNDED
    return max(transaction.register_at_start, transaction.meter_last - ROUNDED)


def _against(
    transaction: TransactionState, request: Request, slack: timedelta = NOTHING
) -> frozenset[str]:
    charge_point, received_at = request.charge_point, request.received_at
    said = end_of(transaction, request.payload, charge_point, received_at)
    return contradictions(transaction, request.payload, said, received_at, charge_point, slack)


def _fits(transaction: TransactionState, request: Request) -> bool:
    charge_point = request.charge_point
    said = end_of(transaction, request.payload, charge_point, request.received_at)
    return could_end(transaction, request.payload, said, charge_point)


def _other(named: TransactionState, request: Request) -> TransactionState | None:
    """The only other session of this charger that fits, with the tag that is told."""
    tag = text(request.payload, "idTag")
    charge_point = request.charge_point
    if not tag:
        return None
    fitting = [
        item
        for item in (*charge_point.active.values(), *charge_point.interrupted.values())
        if item.id != named.id and same_tag(tag, item.id_tag) and _fits(item, request)
    ]
    if len(fitting) != 1:
        return None
    meter_stop = energy(request.payload, "meterStop")
    [other] = fitting
    if named.state == "stopped":
        # It has its end; the same again is no news.
        return other if meter_stop != named.meter_stop else None
    return other if _rise(other, meter_stop) < _rise(named, meter_stop) else None


def _following(named: TransactionState, request: Request) -> TransactionState | None:
    """The session that runs where the named one has ended, if this can be its end.

    EN+ goes on with the id of the session before. The same end again is no news.
    """
    running = request.charge_point.active.get(named.place)
    if named.state != "stopped" or running is None or running.id == named.id:
        return None
    is_again = energy(request.payload, "meterStop") == named.meter_stop
    return running if not is_again and _fits(running, request) else None


def _crossed(named: TransactionState, request: Request) -> TransactionState | None:
    """The only other session of this charger whose register this is, if it is not the named one's.

    Two connectors that stop with each other's ids, and no tag or one tag for both: only the meter
    tells them apart. A meter of the named one that may have begun anew is its own all the same,
    unless the other's samples lead to just here.
    """
    charge_point, received_at = request.charge_point, request.received_at
    tag, meter_stop = text(request.payload, "idTag"), energy(request.payload, "meterStop")
    said = end_of(named, request.payload, charge_point, received_at)
    reading = Reading(said or received_at, meter_stop)
    if named.state == "stopped":
        distance = abs(meter_stop - (named.meter_stop or meter_stop))
        could_be_anew = False
        if distance <= ROUNDED:
            return None
    elif leads_to(named, reading, request):
        return None
    else:
        distance = _rise(named, meter_stop)
        seconds = (received_at - (named.start_received_at or named.started_at)).total_seconds()
        could_be_anew = meter_stop <= most(seconds, charge_point.max_power)
    found = [
        item
        for item in (*charge_point.active.values(), *charge_point.interrupted.values())
        if item.id != named.id
        and (not tag or same_tag(tag, item.id_tag))
        and (item.meter_last is not None or not could_be_anew)
        and _rise(item, meter_stop) < distance
        and not _is_older(reading.at, item, received_at)
        and _fits(item, request)
        and leads_to(item, reading, request)
    ]
    return found[0] if len(found) == 1 else None


def leads_to(transaction: TransactionState, reading: Reading, request: Request) -> bool:
    """True if this register goes on from what the session has shown, by what can have flowed.

    Both clocks count: the charger's may have been set in between.
    """
    charge_point = request.charge_point
    is_own = SESSION in transaction.flags.split() or charge_point.quirks.session_register
    if transaction.meter_last is not None and not is_own:
        trail = trail_of(transaction)
        return goes_on(trail, reading, request.received_at, charge_point.max_power)
    seconds = (reading.at - transaction.started_at).total_seconds()
    if transaction.start_received_at is not None:
        ours = request.received_at - transaction.start_received_at
        seconds = max(seconds, ours.total_seconds())
    rise = reading.value - transaction.register_at_start
    return -ROUNDING <= rise <= most(seconds, charge_point.max_power)


def _by_own_id(request: Request) -> Meant | None:
    """The session that the charger calls by this id, which is not one of ours; None if none is.

    If its samples came with it, that is proof. Without any, the tag has to be told and right, and
    time and meter have to fit: an id of an old session must not end the one of today.
    """
    number, named = named_id(request.payload.get("transactionId")), request.transaction
    charge_point = request.charge_point
    if number is None or (
        named is not None and named.charge_point_id == charge_point.id and named.state != "stopped"
    ):
        return None
    called = with_own_id(charge_point, number)
    if called is not None:
        return Meant(called) if len(_against(called, request, AHEAD)) < 2 else None
    tag = text(request.payload, "idTag")
    if named is not None or not tag:
        return None
    fitting = [
        item
        for item in charge_point.active.values()
        if same_tag(tag, item.id_tag)
        and not {OWN_ID, ANOTHER_START} & {word.partition(":")[0] for word in item.flags.split()}
        and _fits(item, request)
        and _leads_to_stop(item, request)
    ]
    return Meant(fitting[0], (own_id_flag(number),)) if len(fitting) == 1 else None


def _is_older(said: datetime, transaction: TransactionState, received_at: datetime) -> bool:
    """True if the session has shown a later sample, by a clock that was not set back since."""
    newest = transaction.meter_last_at
    return newest is not None and newest <= received_at + AHEAD and said < newest - AHEAD


def _leads_to_stop(transaction: TransactionState, request: Request) -> bool:
    said = end_of(transaction, request.payload, request.charge_point, request.received_at)
    if said is None or _is_older(said, transaction, request.received_at):
        return False
    return leads_to(transaction, Reading(said, energy(request.payload, "meterStop")), request)


def _rise(transaction: TransactionState, meter_stop: Decimal) -> Decimal:
    """How far this register is from where the session was last."""
    return abs(meter_stop - transaction.newest_register)


def _without_id(request: Request) -> TransactionState | None:
    """The running transaction that must be meant, where the charger names none that we can give.

    The only one that runs is meant, if nothing speaks against it but a meter that may have been
    set back while the tag is right; of several, the one that tag, time and meter fit. One that a
    boot interrupted may be meant as well, if all of them fit; where two do, a person decides.
    """
    if named_id(request.payload.get("transactionId")) is not None:
        return None
    charge_point = request.charge_point
    running = list(charge_point.active.values())
    interrupted = [item for item in charge_point.interrupted.values() if _fits(item, request)]
    if len(running) + len(interrupted) > 1:
        running = [item for item in running if _fits(item, request)]
    running += interrupted
    if len(running) > 1:
        # No tag, or one for all: the register says whose end it is, if it is one's only.
        running = [item for item in running if _leads_to_stop(item, request)]
    if len(running) != 1:
        return None
    against = _against(running[0], request)
    is_told = bool(text(request.payload, "idTag"))
    return running[0] if not against - ({"meter"} if is_told else set()) else None
