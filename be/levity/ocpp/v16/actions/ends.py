"""What a StopTransaction or MeterValues say of how far a session is, and if it can be so far.

Tag, time and register of the payload, held against one session (`rules.fitting`).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from levity.ocpp.request import ChargePointState, Request, TransactionState
from levity.ocpp.rules.energy import at_stop
from levity.ocpp.rules.fitting import ROUNDED, End, Fit, fit, moment
from levity.ocpp.rules.lives import ROUNDING, goes_on, most
from levity.ocpp.rules.readings import Reading, registers
from levity.ocpp.rules.sampled import IMPLAUSIBLE, SESSION, Meter, trail_of
from levity.ocpp.v16.actions.samples import samples_of
from levity.ocpp.wire.fields import INT4_MAX, decimal_of, energy, known_energy, same_tag, text
from levity.ocpp.wire.frames import OcppError

__all__ = [
    "NOTHING",
    "contradictions",
    "could_end",
    "end_of",
    "leads_to",
    "named_id",
    "said_end",
    "sessions_of",
    "started_twice",
    "with_candidates",
]

NOTHING = timedelta()


def named_id(value: object) -> int | None:
    """The transaction that this transactionId names; None for what names none.

    -1, 0 and null are what chargers send that started offline and never got an id (libocpp#495,
    steve#292), 2^63-1 is Alfen's (5.8).
    """
    number = decimal_of(value)
    return int(number) if number is not None and 1 <= number <= INT4_MAX else None


def said_end(
    payload: Mapping[str, Any], charge_point: ChargePointState, received_at: datetime
) -> End:
    """What this payload says of the end of a session, in a StopTransaction, or of how far it is, in
    MeterValues."""
    words = payload.get("timestamp")
    at, second = charge_point.time_of(words), charge_point.time_of(words, fold=1)
    register, began, began_at = known_energy(payload, "meterStop"), None, None
    if "meterValue" in payload and "meterStop" not in payload:
        readings = registers(samples_of(payload, "meterValue", charge_point, received_at))
        if readings:
            register, at, second = readings[-1].value, readings[-1].at, None
    elif "transactionData" in payload:
        readings = registers(samples_of(payload, "transactionData", charge_point, received_at))
        first = next((item for item in readings if item.is_begin), None)
        if first is not None:
            began, began_at = first.value, first.at
    try:
        id_tag = text(payload, "idTag")
    except OcppError:
        id_tag = ""
    return End(register, at, received_at, id_tag, second, began, began_at)


def sessions_of(request: Request) -> tuple[TransactionState, ...]:
    """The sessions that may be meant, and their neighbours: all that is loaded of this charger."""
    charge_point = request.charge_point
    found: dict[int, TransactionState] = {item.id: item for item in request.chain}
    for item in (*charge_point.interrupted.values(), *charge_point.active.values()):
        found.setdefault(item.id, item)
    return tuple(found.values())


def contradictions(
    transaction: TransactionState,
    payload: Mapping[str, Any],
    received_at: datetime,
    charge_point: ChargePointState,
) -> frozenset[str]:
    """What of "id tag", "meter" and "time" speaks against this being the session's end.

    A clock that is known to be wrong says nothing of the time; nor does a register that counts
    from the session's start, or began anew, or could not be read (0), of the meter.
    """
    around = (*charge_point.active.values(), *charge_point.interrupted.values())
    end = said_end(payload, charge_point, received_at)
    return fit(transaction, end, around, charge_point).against


def end_of(
    transaction: TransactionState,
    payload: Mapping[str, Any],
    charge_point: ChargePointState,
    received_at: datetime,
) -> datetime | None:
    """The charger's time in this StopTransaction of the session; None if it can't be true."""
    words = payload.get("timestamp")
    said, second = charge_point.time_of(words), charge_point.time_of(words, fold=1)
    return moment(transaction, End(None, said, received_at, second=second))


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
    begun = transaction.started_at
    if transaction.start_received_at is not None:
        begun = min(begun, transaction.start_received_at)
    if stopped_at is None or ("start-clock" not in transaction.flags and stopped_at < begun):
        return False
    if id_tag and transaction.id_tag and not same_tag(id_tag, transaction.id_tag):
        return False
    meter = Meter(charge_point.max_power, is_told=charge_point.power_is_told)
    found = at_stop(transaction, meter_stop, stopped_at, meter)
    return meter_stop >= transaction.register_at_start and IMPLAUSIBLE not in found.flags


def fit_of(transaction: TransactionState, request: Request, slack: timedelta) -> Fit:
    """This session held against the message of the request."""
    charge_point = request.charge_point
    end = said_end(request.payload, charge_point, request.received_at)
    return fit(transaction, end, sessions_of(request), charge_point, slack)


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
    could = most(seconds, charge_point.max_power) + reading.grain
    return -max(ROUNDING, reading.grain) <= rise <= could


def with_candidates(reason: str, found: Iterable[Fit]) -> str:
    """The reason, and the sessions that it may mean all the same."""
    numbers = sorted(item.session.id for item in found)
    if not numbers:
        return reason
    told = " or ".join(f"#{number}" for number in numbers[-8:])
    return f"{reason}; it may be the end of {told}"
