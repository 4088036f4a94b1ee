"""Which session MeterValues mean (OCPP 1.6, 4.7): their id, held against connector, time and meter.

Without a usable transactionId they belong to the running session of the connector, unless they are
older than it; with an id that nobody knows to nobody, unless the session's first samples show that
the charger calls it so.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from levity.ocpp.chargers.clocks import BEFORE_OCPP, is_unset
from levity.ocpp.effects import (
    BY_BOOT,
    Effect,
    NoteSecurityEvent,
    Sample,
)
from levity.ocpp.request import (
    ChargePointState,
    Request,
    TransactionState,
    with_flags,
    without_flags,
)
from levity.ocpp.rules.fitting import METER, TIME, counts_by_session, fit
from levity.ocpp.rules.lives import ROUNDING, goes_on, most
from levity.ocpp.rules.next_car import is_of_next_car
from levity.ocpp.rules.own_ids import ANOTHER_START, own_id, own_id_flag, with_own_id
from levity.ocpp.rules.readings import (
    newest_power,
    newest_register,
    registers,
)
from levity.ocpp.rules.sampled import (
    IN_KWH,
    ROLLOVER,
    SAMPLES_IN_KWH,
    SESSION,
    ZERO,
    charged,
    grown,
    meter_of,
    trail_of,
)
from levity.ocpp.rules.unended import closed
from levity.ocpp.v16.actions.ends import (
    leads_to,
    named_id,
    said_end,
    sessions_of,
    started_twice,
)
from levity.ocpp.v16.places import at_connector

__all__ = ["samples_mean"]

# The sample that a session begins with may be dated a little before it.
JUST_BEFORE = timedelta(minutes=1)
# No charger takes more than an hour to its first sample, and some wait for the full hour.
FIRST = timedelta(minutes=65)
# So much of a session that is told late is missing: what is told as it happens may be of another.
A_WHILE = timedelta(minutes=30)
# What comes out of a queue comes so many times as fast as it happened.
QUICK = 2
# What a connector says of itself (7.7) while a session goes on, and while there is none.
CHARGING = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})
IDLE = frozenset({"Available", "Preparing", "Finishing", "Reserved", "Unavailable", "Faulted"})


def samples_mean(
    connector: int, samples: tuple[Sample, ...], request: Request
) -> tuple[TransactionState | None, list[Effect]]:
    """The session of these samples of this connector, and what they show beside; None for those
    that belong to nobody."""
    charge_point = request.charge_point
    transaction = request.transaction
    effects: list[Effect] = []
    own = _by_own_id(connector, samples, request)
    if own is not None:
        transaction = own
    elif transaction is not None and transaction.charge_point_id != charge_point.id:
        effects.append(
            NoteSecurityEvent(
                "ForeignTransaction",
                f"MeterValues for transaction {transaction.id} of another charge point",
            )
        )
        transaction = None
    elif transaction is not None:
        transaction = _following(transaction, samples, request) or transaction
    elif named_id(request.payload.get("transactionId")) is None:
        place = connector or _only_connector(charge_point)
        transaction = charge_point.active.get(at_connector(place))
        if transaction is None:
            transaction = _interrupted(place, samples, request)
        elif _all_before(transaction, samples) or _is_of_now(transaction, samples, request):
            transaction = None
        elif "continued" in transaction.flags.split() and (
            _rise(transaction, samples, request) is None
        ):
            # The connector charges, but not in that session: it did end at the boot.
            flags = without_flags(transaction.flags, "continued")
            effects.append(closed(replace(transaction, flags=flags), BY_BOOT))
            transaction = None
    if transaction is not None and connector != transaction.connector:
        transaction = _of_another_connector(transaction, connector, samples, request)
    if transaction is not None and _is_of_next_car(transaction, samples, request):
        transaction = None
    return transaction, effects


def _is_of_next_car(
    transaction: TransactionState, samples: tuple[Sample, ...], request: Request
) -> bool:
    """True if another car had come to its connector before the first of these."""
    if not samples or transaction.state == "stopped":
        return False
    first = min(item.sampled_at for item in samples)
    return is_of_next_car(transaction, first, request.received_at)


def _by_own_id(
    connector: int, samples: tuple[Sample, ...], request: Request
) -> TransactionState | None:
    """The session that the charger calls by this id, which is none of ours (see `own_ids`).

    The first samples of a session decide it, if nothing of them speaks against that: one that
    began with our id, or none, does not go on with another.
    """
    named, charge_point = request.transaction, request.charge_point
    is_ours = named is not None and named.charge_point_id == charge_point.id
    if (
        named is not None
        and is_ours
        and (named.state != "stopped" or named.connector in (0, connector))
    ):
        return None
    number = named_id(request.payload.get("transactionId"))
    if number is None:
        return None
    called = with_own_id(sessions_of(request), number)
    if called is not None:
        return None if _all_before(called, samples) else called
    running = charge_point.active.get(at_connector(connector or _only_connector(charge_point)))
    readings = registers(samples)
    if running is None or running.meter_last is not None or running.lives or not readings:
        return None
    if ANOTHER_START in running.flags.split() or own_id(running.flags) is not None:
        return None
    newest, lag = readings[-1], charge_point.lag
    if _all_before(running, samples) or lag.is_backlog(newest.at, request.received_at):
        return None
    if newest.at > running.started_at + FIRST and "start-clock" not in running.flags:
        # Its first samples would have come before: these are of a session that nobody knows.
        return None
    if not leads_to(running, newest, request):
        return None
    return replace(running, flags=" ".join(with_flags(running.flags, (own_id_flag(number),))))


def _following(
    named: TransactionState, samples: tuple[Sample, ...], request: Request
) -> TransactionState | None:
    """The session that runs where the named one has ended, if these are its samples.

    EN+ goes on with the id of the session before.
    """
    running = request.charge_point.active.get(named.place)
    if named.state == "active" or running is None or running.id == named.id:
        return None
    if started_twice(named, request.charge_point) is not None:
        return None
    if not registers(samples) or min(item.sampled_at for item in samples) < running.started_at:
        return None
    return None if _rise(running, samples, request) is None else running


def _only_connector(charge_point: ChargePointState) -> int:
    """The only one that this charger has told of, for which its connector 0 stands; else 0.

    With several, connector 0 is the main meter: the sum.
    """
    found = [number for _, number in charge_point.connectors if number > 0]
    return found[0] if len(found) == 1 else 0


def _of_another_connector(
    transaction: TransactionState, connector: int, samples: tuple[Sample, ...], request: Request
) -> TransactionState | None:
    """The session that is named, if the register of that connector may be its own.

    Of connector 0, which is the charger as a whole, some name the session (ABB Terra AC): its meter
    is another one, unless it goes on from what the session has shown.
    """
    readings, trail = registers(samples), trail_of(transaction)
    if not readings:
        return transaction
    if connector:
        there = request.charge_point.active.get(at_connector(connector))
        if there is None:
            return transaction
        return there if _is_crossed(transaction, there, samples, request) else transaction
    newest, limit = readings[-1], request.charge_point.max_power
    if trail.lives:
        return transaction if goes_on(trail, newest, request.received_at, limit) else None
    rise = newest.value - transaction.register_at_start
    could = most(_seconds_since_start(transaction, newest.at, request), limit)
    is_its = -newest.grain <= rise <= could + newest.grain
    if rise < 0 and _only_connector(request.charge_point):
        # It may count from the session's start.
        is_its = 0 <= newest.value <= could
    return transaction if is_its else None


def _is_crossed(
    named: TransactionState,
    there: TransactionState,
    samples: tuple[Sample, ...],
    request: Request,
) -> bool:
    """True if these are samples of the session on the connector that is named, whose register goes
    on as it did, though they name another one.

    Where registers count from the session's start, it is the one whose register is nearer; or that
    which has just begun, if the one whose id they say has shown more before.
    """
    charge_point = request.charge_point
    end = said_end(request.payload, charge_point, request.received_at)
    its, mine = fit(there, end, (), charge_point), fit(named, end, (), charge_point)
    if its.against or not its.is_possible:
        # It may be the first that is told of a register that counts from the session's start.
        falls = METER in mine.against or (mine.tail is not None and mine.tail < -ROUNDING)
        if trail_of(there).lives or not falls or TIME in its.against:
            return False
        if end.register is None or not counts_by_session(named, charge_point):
            return False
        since = _seconds_since_start(there, end.at or request.received_at, request)
        return 0 <= float(end.register) <= most(since, charge_point.max_power)
    if its.is_likely and mine.is_likely and counts_by_session(there, charge_point):
        return abs(its.tail or ZERO) <= abs(mine.tail or ZERO)
    return its.is_likely or not mine.is_likely


def _seconds_since_start(transaction: TransactionState, said: datetime, request: Request) -> float:
    """By the charger's clock or by ours, whichever says more: one of them may have been set."""
    seconds = (said - transaction.started_at).total_seconds()
    begun = transaction.start_received_at
    if begun is None:
        return seconds
    return max(seconds, (request.received_at - begun).total_seconds())


def _all_before(transaction: TransactionState, samples: tuple[Sample, ...]) -> bool:
    """True if these are the samples of an older session, by a clock that can be believed."""
    if not samples or "start-clock" in transaction.flags:
        return False
    newest = max(sample.sampled_at for sample in samples)
    return BEFORE_OCPP <= newest < transaction.started_at - JUST_BEFORE


def _is_of_now(
    transaction: TransactionState, samples: tuple[Sample, ...], request: Request
) -> bool:
    """True if this session is being told out of a backlog, and these are samples of the present,
    long after what has been told of it: who knows whose they are, until the backlog comes here."""
    last, begun = transaction.meter_last_at, transaction.start_received_at
    if last is None or begun is None or not samples or not transaction.lives:
        return False
    newest = max(sample.sampled_at for sample in samples)
    if newest - last <= A_WHILE:
        return False
    lives = trail_of(transaction).lives
    told_at = datetime.fromtimestamp(lives[-1].seen, UTC) if lives else begun
    # (A clock that was set meanwhile looks like that, too, but what it tells takes its time.)
    is_quick = last - transaction.started_at > (told_at - begun) * QUICK
    return is_quick and (told_at - last) - (request.received_at - newest) > A_WHILE


def _interrupted(
    connector: int, samples: tuple[Sample, ...], request: Request
) -> TransactionState | None:
    """The session that a boot closed on this connector, if these are its samples.

    They are if they were taken in its time, or if they show that it goes on: a register that
    rises from where it was, by no more than can have flowed; or the same register, or power
    alone, while the charger says that it is charging. A connector that shows itself free charges
    nothing, whatever its register says; only what was kept from before is believed then.
    """
    charge_point = request.charge_point
    transaction = charge_point.interrupted.get(at_connector(connector))
    if transaction is None or not samples or _is_of_now(transaction, samples, request):
        return None
    newest = max(sample.sampled_at for sample in samples)
    is_past = charge_point.lag.is_backlog(newest, request.received_at)
    ended, no_clock = transaction.stopped_at, is_unset(newest, request.received_at)
    if not no_clock and ended is not None and transaction.started_at <= newest <= ended:
        return transaction
    said = charge_point.connectors.get(at_connector(connector))
    status = said.status if said else ""
    if status in IDLE and not is_past:
        return None
    register = newest_register(samples)
    if register is None:
        power = newest_power(samples)
        return transaction if power is not None and power > 0 and not is_past else None
    rise = _rise(transaction, samples, request)
    if rise is None:
        return None
    return transaction if rise > 0 or status in CHARGING else None


def _rise(
    transaction: TransactionState, samples: tuple[Sample, ...], request: Request
) -> Decimal | None:
    """The Wh since the session's newest value; None if this can't be its register."""
    charge_point = request.charge_point
    register = newest_register(samples)
    if register is None:
        return ZERO
    limit = charge_point.max_power
    known, meter, readings = trail_of(transaction), meter_of(charge_point), registers(samples)
    if known.lives and not known.phases and readings[-1].value < known.lives[-1].last:
        return None
    trail = grown(transaction, known, readings, request.received_at, meter)
    found = charged(transaction, trail, meter)
    if found is None or set(found.odd) - {SESSION, SAMPLES_IN_KWH, IN_KWH, ROLLOVER}:
        return None
    rise = found.wh - (transaction.energy or 0)
    if rise < 0:
        return None
    begun, until = transaction.meter_last_at or transaction.started_at, register[1]
    if trail.phases and trail.lives:
        # The other phases of this moment may have been told a second ago.
        begun = min(begun, datetime.fromtimestamp(trail.lives[-1].before_at, UTC))
    if is_unset(register[1], request.received_at):
        begun, until = transaction.start_received_at or begun, request.received_at
    grain = trail.lives[-1].grain if trail.lives else 0
    if rise > grain + most((until - begun).total_seconds(), max(limit, trail.power)):
        return None
    return rise
