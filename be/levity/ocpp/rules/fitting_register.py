"""Whether the register of a message goes on from a session's, and by what can have flowed."""

from datetime import datetime
from decimal import Decimal

from levity.ocpp.request import ChargePointState, TransactionState
from levity.ocpp.rules.checks import AGREES, CONTRADICTS, MISSING, POWER, SILENT, Check
from levity.ocpp.rules.lasted import FULL
from levity.ocpp.rules.lives import FASTEST, ROUNDING, Trail, most
from levity.ocpp.rules.next_session import ROUNDED
from levity.ocpp.rules.sampled import RESET, SAMPLES_IN_KWH, SESSION, lacks_start, trail_of
from levity_ws.frozen import frozen

__all__ = ["AS_BEFORE", "BEYOND", "METER", "End", "counts_by_session", "goes_on_by"]

METER = "meter"
# Wh by which a stop may be below its start, as figures are cut off.
CUT = 1
# Wh. Some round what they tell at the start and the end to whole kWh, and not their samples.
WHOLE = Decimal(1000)
# By so much power may rise above what a session had so far, on average or last.
SWING = 1.5
# s. What comes within such a time came out of a queue.
BURST = 60
# How a register goes on from the session's.
BEYOND, POSSIBLE, AS_BEFORE = range(3)


@frozen
class End:
    """What a message says of the end of a session, or of how far it is, whichever it means."""

    register: Decimal | None
    """Wh. None: nothing that can be read."""
    at: datetime | None
    """The charger's clock. None: it told no time that can be true."""
    received_at: datetime
    """Ours."""
    id_tag: str = ""
    second: datetime | None = None
    """The same words read as the second of the hour that comes twice in a local time."""
    began: Decimal | None = None
    """Wh that the session began with, where the message repeats that."""
    began_at: datetime | None = None
    """When that was, by the charger's clock."""


@frozen
class _Last:
    """What a session's register showed last."""

    wh: Decimal
    at: datetime
    """The charger's clock."""
    seen: datetime | None
    """Ours."""
    grain: int = 0
    """Wh by which it may be off."""


def goes_on_by(
    session: TransactionState,
    end: End,
    at: datetime | None,
    until: TransactionState | None,
    charge_point: ChargePointState,
) -> tuple[Check, Check, Decimal | None, int]:
    """Whether the register goes on from the session's, and by what can have flowed; by how many Wh,
    and if it does so as before."""
    silent = Check(POWER, SILENT)
    if end.register is None:
        return Check(METER, MISSING, "the message names none"), silent, None, BEYOND
    if counts_by_session(session, charge_point):
        return _by_session(session, end, end.register, at, charge_point)
    register, trail = end.register, trail_of(session)
    last = _last(session, trail)
    tail = register - last.wh
    if register == 0 and last.wh > 0:
        return Check(METER, SILENT, "0 Wh is no reading"), silent, tail, BEYOND
    bound = _bound(session, until)
    against = _against(session, end, register, tail, bound, last.grain)
    if against:
        return Check(METER, CONTRADICTS, against), silent, tail, BEYOND
    power, pace = _power(session, end, at, last, tail, charge_point)
    if pace != BEYOND and bound is not None:
        pace = AS_BEFORE if abs(register - bound[0]) <= ROUNDED else POSSIBLE
    meter = Check(METER, AGREES, f"{_wh(tail)} above what it showed last")
    return meter, power, tail, pace


def _by_session(
    session: TransactionState,
    end: End,
    register: Decimal,
    at: datetime | None,
    charge_point: ChargePointState,
) -> tuple[Check, Check, Decimal | None, int]:
    """The same of a register that counts from the session's start: it goes on from the session's
    own samples, or the meter's total does."""
    silent, trail = Check(POWER, SILENT), trail_of(session)
    if not trail.lives or RESET in session.flags.split():
        said = "its register does not count for life"
        return Check(METER, SILENT, said), silent, None, BEYOND
    if register == 0:
        return Check(METER, SILENT, "0 Wh is no reading"), silent, None, BEYOND
    start, life, zone = session.register_at_start, trail.lives[-1], session.started_at.tzinfo
    tail = min(register - life.last, register - start - life.last, key=abs)
    if tail < -max(ROUNDED, Decimal(life.grain)):
        said = f"{_wh(-tail)} below its newest meter value"
        return Check(METER, CONTRADICTS, said), silent, tail, BEYOND
    last = _Last(
        start + life.last,
        datetime.fromtimestamp(life.last_at, zone),
        datetime.fromtimestamp(life.seen, zone),
        life.grain,
    )
    power, pace = _power(session, end, at, last, tail, charge_point)
    return Check(METER, AGREES, f"{_wh(tail)} above what it showed last"), power, tail, pace


def _against(
    session: TransactionState,
    end: End,
    register: Decimal,
    tail: Decimal,
    bound: tuple[Decimal, str] | None,
    grain: int,
) -> str:
    """Why this can't be the session's register; empty if it can."""
    below = session.register_at_start - register
    if end.began is not None and abs(end.began - session.register_at_start) > ROUNDED:
        return f"what ended began with {_wh(end.began)}"
    if below > ROUNDED and not lacks_start(session):
        return f"{_wh(below)} below its start"
    is_whole = register % WHOLE == 0 and session.meter_last is not None
    if tail < -max(Decimal(grain), WHOLE if is_whole else ROUNDED):
        return f"{_wh(-tail)} below its newest meter value"
    if bound is not None and register - bound[0] > ROUNDED:
        return f"{_wh(register - bound[0])} above {bound[1]}"
    return ""


def _power(
    session: TransactionState,
    end: End,
    at: datetime | None,
    last: _Last,
    tail: Decimal,
    charge_point: ChargePointState,
) -> tuple[Check, int]:
    """Whether so much can have flowed since, and whether it goes on as before."""
    ours = (end.received_at - last.seen).total_seconds() if last.seen is not None else 0.0
    told = (at - last.at).total_seconds() if at is not None else 0.0
    if "start-clock" in session.flags and session.meter_last is None:
        told = 0.0
    seconds = max(ours, told)
    if told < 0:
        # The clock was set back meanwhile: it is now at the latest.
        seconds = max(seconds, (end.received_at - last.at).total_seconds())
    if seconds <= 0 and at is None:
        return Check(POWER, SILENT), BEYOND
    if seconds <= BURST and session.meter_last is None and "start-clock-unset" in session.flags:
        # A backlog without a clock: neither its time nor ours says how long the session was.
        return Check(POWER, SILENT, "nobody knows how long it was"), POSSIBLE
    trail = trail_of(session)
    limit = max(charge_point.max_power, trail.power)
    known = could = most(seconds, limit) + max(float(WHOLE), last.grain)
    if not (charge_point.power_is_told or trail.power):
        # It may be DC.
        could = max(known, min(most(seconds, FASTEST), FULL))
    rise = float(tail)
    if rise > could:
        return Check(POWER, CONTRADICTS, f"at most {could:,.0f} Wh can have flowed since"), BEYOND
    power = Check(POWER, AGREES, f"up to {could:,.0f} Wh can have flowed since")
    below = session.register_at_start - (last.wh + tail)
    if rise > known or tail < -max(last.grain, ROUNDING) or below > CUT:
        return power, BEYOND
    pace = _pace(session, trail, last)
    likely = most(seconds if told <= 0 else told, limit if pace is None else int(pace * SWING))
    likely += last.grain
    return power, AS_BEFORE if rise <= likely else POSSIBLE


def _bound(session: TransactionState, until: TransactionState | None) -> tuple[Decimal, str] | None:
    """The Wh at which the session had ended, if that is known, and by what."""
    if session.state == "stopped" and session.meter_stop is not None:
        return session.meter_stop, "its end"
    if until is None or lacks_start(until) or until.register_at_start < session.newest_register:
        # (A meter that began anew meanwhile bounds nothing.)
        return None
    return until.register_at_start, "where the next session began"


def counts_by_session(session: TransactionState, charge_point: ChargePointState) -> bool:
    """True if its register is not the meter's total."""
    flags = session.flags.split()
    return charge_point.quirks.session_register or SESSION in flags or RESET in flags


def _last(session: TransactionState, trail: Trail) -> _Last:
    if not trail.lives or SAMPLES_IN_KWH in session.flags:
        return _Last(session.register_at_start, session.started_at, session.start_received_at)
    life, zone = trail.lives[-1], session.started_at.tzinfo
    return _Last(
        life.last,
        datetime.fromtimestamp(life.last_at, zone),
        datetime.fromtimestamp(life.seen, zone),
        life.grain,
    )


def _pace(session: TransactionState, trail: Trail, last: _Last) -> float | None:
    """W by which its register rose, on average or lately, or which it told of; None where no sample
    says so."""
    if not trail.lives or SAMPLES_IN_KWH in session.flags:
        return None
    life = trail.lives[-1]
    seconds = (last.at - session.started_at).total_seconds()
    paces = [float(trail.power), float(life.pace)]
    if seconds > 0 and not lacks_start(session):
        paces.append(float(last.wh - session.register_at_start) * 3600 / seconds)
    if life.last_at > life.before_at:
        paces.append(float(life.last - life.before) * 3600 / (life.last_at - life.before_at))
    return max(paces)


def _wh(value: Decimal) -> str:
    return f"{value:,.0f} Wh"
