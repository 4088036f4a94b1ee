"""Oddities of meters and of power: registers that are wrong, begin anew, or move in no session."""

from random import Random

from levity_lab.oracle.lives import Life, Session, Step
from levity_lab.oracle.makes import Make
from levity_lab.oracle.oddities.bending import (
    cut_pieces,
    offline,
    set_register,
    start_and_stop,
)
from levity_lab.oracle.oddities.registry import ODDITIES, happens, has_samples, lifetime, odd
from levity_lab.oracle.telling import meter_values, register_at, sampled_at
from levity_lab.oracle.world import HOUR

__all__: list[str] = []


def _lifetime_samples(make: Make) -> bool:
    return lifetime(make) and has_samples(make)


@odd("meter-stop-zero", "meterStop is 0")
def _meter_stop_zero(life: Life, session: Session, rng: Random) -> None:
    _, stop = start_and_stop(session)
    stop.payload["meterStop"] = 0
    if not lifetime(life.make):
        session.estimate = True


@odd("meter-stop-stale", "meterStop is meterStart, though samples rise", fits=has_samples)
def _meter_stop_stale(life: Life, session: Session, rng: Random) -> None:
    start, stop = start_and_stop(session)
    stop.payload["meterStop"] = start.payload["meterStart"]
    if not lifetime(life.make):
        session.estimate = True


@odd("meter-stop-wild", "meterStop is 200 kWh too much", fits=has_samples)
def _meter_stop_wild(life: Life, session: Session, rng: Random) -> None:
    _, stop = start_and_stop(session)
    stop.payload["meterStop"] += 200_000
    if not lifetime(life.make):
        session.estimate = True


@odd("meter-start-zero", "meterStart is 0: the meter was not read yet", fits=lifetime)
def _meter_start_zero(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    start.payload["meterStart"] = 0


@odd("meter-start-stale", "meterStart is that of the session before", fits=lifetime)
def _meter_start_stale(life: Life, session: Session, rng: Random) -> bool:
    before = session.previous
    if before is None or before.start is None:
        return False
    start, _ = start_and_stop(session)
    start.payload["meterStart"] = before.start.payload["meterStart"]
    return True


@odd("wild-sample", "one sample is 3, 20 or 200 kWh off", fits=has_samples)
def _wild_sample(life: Life, session: Session, rng: Random) -> None:
    step = rng.choice(session.samples)
    wild = sampled_at(session, life, step.at) + rng.choice((200_000, 20_000, 3_000, -3_000))
    set_register(step, max(0.0, wild), life)


@odd("last-sample-wild-stop-lost", "the last sample is 30 kWh off, Stop lost", fits=has_samples)
def _last_sample_wild(life: Life, session: Session, rng: Random) -> None:
    step = session.samples[-1]
    set_register(step, sampled_at(session, life, step.at) + 30_000, life)
    _, stop = start_and_stop(session)
    stop.sent = False
    session.estimate = not lifetime(life.make)


def _of_neighbour(name: str, about: str, *, of_start: bool) -> None:
    @odd(name, about, connectors=2, fits=lifetime)
    def bend(life: Life, session: Session, rng: Random) -> None:
        start, stop = start_and_stop(session)
        (other, *_) = (each for each in life.connectors if each is not session.connector)
        moment = session.begins if of_start else session.ends
        told = start if of_start else stop
        told.payload["meterStart" if of_start else "meterStop"] = int(other.meter.register(moment))


_of_neighbour("meter-start-of-neighbour", "meterStart is of another connector", of_start=True)
_of_neighbour("meter-stop-of-neighbour", "meterStop is of another connector", of_start=False)


@odd("zero-sample", "one sample says 0", fits=has_samples)
def _zero_sample(life: Life, session: Session, rng: Random) -> None:
    set_register(rng.choice(session.samples), 0.0, life)


@odd("first-sample-zero-stop-lost", "the first sample says 0, and Stop is lost", fits=has_samples)
def _first_sample_zero(life: Life, session: Session, rng: Random) -> None:
    set_register(session.samples[0], 0.0, life)
    _, stop = start_and_stop(session)
    stop.sent = False
    if not lifetime(life.make):
        session.estimate = True


@happens("meter-reset", "the register begins at 0 within the session", fits=lifetime)
def _meter_reset(life: Life, session: Session, rng: Random) -> None:
    length = session.ends - session.begins
    session.connector.meter.anew.append((session.begins + length * rng.uniform(0.2, 0.7), 0.0))
    session.estimate = True


@happens("meter-exchange", "a new meter between two sessions", fits=lifetime)
def _meter_exchange(life: Life, session: Session, rng: Random) -> None:
    session.connector.meter.anew.append((session.begins - 60, rng.uniform(0, 40_000)))


@happens("rollover", "the register goes over 10^n within the session", fits=lifetime)
def _rollover(life: Life, session: Session, rng: Random) -> bool:
    connector = session.connector
    if connector.meter.modulus:
        return False
    before = sum(_wh(each) for each in connector.sessions if each.begins < session.begins)
    modulus = rng.choice((1e5, 1e6, 1e7))
    first = modulus - before - _wh(session) * rng.uniform(0.2, 0.8)
    if first < 0:
        return False
    connector.meter.modulus, connector.meter.first = modulus, first
    return True


def _wh(session: Session) -> float:
    return sum((last - first) * power / HOUR for first, last, power in session.pieces)


# Power cuts, which meet all that runs on the charger.


_Cut = tuple[float, float, list[Session]]


def _cut(life: Life, session: Session, rng: Random) -> _Cut | None:
    """(off, on, what runs): nothing flows in between, and the charger boots afterwards.

    None where sessions of other connectors would begin or end just then.
    """
    for _ in range(8):
        off = session.begins + (session.ends - session.begins) * rng.uniform(0.3, 0.7)
        on = off + rng.uniform(90, 600)
        ends = [moment for each in life.sessions for moment in (each.begins, each.ends)]
        if any(off - 100 < moment < on + 100 for moment in ends):
            continue
        met = [each for each in life.sessions if each.begins < off < each.ends]
        if any(each.cause not in ("", session.cause) for each in met):
            continue
        for each in met:
            each.cause = session.cause
        life.connect(on, boots=True)
        return off, on, met
    return None


@happens("power-cut", "the power goes: no Stop, and after the boot it is over")
def _power_cut(life: Life, session: Session, rng: Random) -> bool:
    cut = _cut(life, session, rng)
    if cut is None:
        return False
    for each in cut[2]:
        each.ends = cut[0]
        each.pieces = cut_pieces(each.pieces, cut[0])
    return True


@odd("power-cut-stop-later", "the power goes; after the boot Stop (PowerLoss) is told")
def _power_cut_stop_later(life: Life, session: Session, rng: Random) -> None:
    _, stop = start_and_stop(session)
    stop.payload["reason"] = "PowerLoss"
    on = [step.at for step in life.others if step.action == "connect" and step.at > session.ends]
    stop.at = min(on) + rng.uniform(3, 10)
    for step in session.statuses[2:]:
        step.at = stop.at + 2


def _resumes(life: Life, session: Session, rng: Random) -> _Cut | None:
    cut = _cut(life, session, rng)
    if cut is not None:
        for each in cut[2]:
            each.pieces = cut_pieces(each.pieces, cut[0], cut[1])
    return cut


@happens("power-cut-resumes", "the power goes and comes; the session goes on with its id")
def _power_cut_resumes(life: Life, session: Session, rng: Random) -> bool:
    return _resumes(life, session, rng) is not None


@happens("volatile-meter", "the same, and registers begin at 0", fits=lifetime)
def _volatile_meter(life: Life, session: Session, rng: Random) -> bool:
    cut = _resumes(life, session, rng)
    if cut is None:
        return False
    for each in cut[2]:
        each.estimate = True
    for connector in life.connectors:
        connector.meter.anew.append(((cut[0] + cut[1]) / 2, 0.0))
    return True


@happens("volatile-offline", "the same without a line: only Start and Stop are told", fits=lifetime)
def _volatile_offline(life: Life, session: Session, rng: Random) -> bool:
    return _volatile_meter(life, session, rng) is not False


def _without_power(life: Life, session: Session, rng: Random) -> None:
    """Nothing is said while there is no power."""
    power = session.connector.meter.flow.power
    for on in [step.at for step in life.others if step.action == "connect"]:
        for step in session.samples:
            if on - 600 < step.at < on and not power(step.at):
                step.sent = False


def _reset_says(life: Life, session: Session, rng: Random) -> None:
    """Nothing tells of a register that is above its start again, if no sample lies in between."""
    start, stop = start_and_stop(session)
    falls = stop.payload["meterStop"] < start.payload["meterStart"]
    session.tellable = falls or has_samples(life.make)


def _volatile_meter_says(life: Life, session: Session, rng: Random) -> None:
    _without_power(life, session, rng)
    _reset_says(life, session, rng)
    session.doubtful = True


def _cut_off(life: Life, session: Session, rng: Random) -> None:
    _, stop = start_and_stop(session)
    stop.sent = False
    for step in session.statuses[2:]:
        step.sent = False
    if not lifetime(life.make):
        session.estimate = True


def _unheard(life: Life, session: Session, rng: Random) -> None:
    start, stop = start_and_stop(session)
    offline(life, session.begins - 30, session.ends + 30, samples=False, boots=True)
    session.tellable = stop.payload["meterStop"] < start.payload["meterStart"]
    session.doubtful = True


ODDITIES["meter-reset"].says = _reset_says
ODDITIES["power-cut"].says = _cut_off
ODDITIES["power-cut-resumes"].says = _without_power
ODDITIES["volatile-meter"].says = _volatile_meter_says
ODDITIES["volatile-offline"].says = _unheard
ODDITIES["power-cut-stop-later"].happens = _power_cut


# Energy in no session.


@happens("no-session", "a car charges after the Stop with no session; samples say no id")
def _no_session(life: Life, session: Session, rng: Random) -> bool:
    following = session.following
    first = session.ends + 110
    if following is None or following.begins < first + 600:
        return False
    last = min(following.begins - 130, first + rng.uniform(900, 3600))
    session.connector.meter.flow.add([(first + 10, last - 10, rng.choice((1400.0, 7000.0)))])
    return True


def _no_session_says(life: Life, session: Session, rng: Random) -> None:
    following = session.following
    assert following is not None
    number, meter = session.connector.number, session.connector.meter
    at = session.ends + 105
    life.others.append(life.status(at, number, "Charging"))
    if life.make.counts != "lifetime":
        return
    while at < following.begins - 140:
        values = life.make.sampled(meter.register(at), meter.flow.power(at))
        payload = {
            "connectorId": number,
            "meterValue": [{"timestamp": session.clock(at), "sampledValue": values}],
        }
        if life.make.period:
            life.others.append(Step(at, "MeterValues", payload))
        at += max(60.0, life.make.period)
    life.others.append(life.status(following.begins - 125, number, "Available"))


@happens("standby", "5 W flow between the sessions")
def _standby(life: Life, session: Session, rng: Random) -> None:
    following = session.following
    if following is not None:
        session.connector.meter.flow.add([(session.ends + 1, following.begins - 1, 5.0)])


@happens("emergency-stop", "Stop (EmergencyStop), but the car charges on, and samples say its id")
def _emergency_stop(life: Life, session: Session, rng: Random) -> None:
    session.more.append(Step(session.ends, "end of charging"))
    session.ends = session.begins + (session.ends - session.begins) * rng.uniform(0.3, 0.6)
    session.reason = "EmergencyStop"


def _emergency_stop_says(life: Life, session: Session, rng: Random) -> None:
    (end,) = (step for step in session.more if step.action == "end of charging")
    session.more.remove(end)
    at = session.ends + max(life.make.period, 60.0)
    while life.make.period and at < end.at:
        session.samples.append(meter_values(session, life, at))
        at += life.make.period


@happens(
    "meter-below-start", "nothing is charged, and meterStop is 1 Wh below meterStart", fits=lifetime
)
def _below_start(life: Life, session: Session, rng: Random) -> None:
    session.pieces = []


def _below_start_says(life: Life, session: Session, rng: Random) -> None:
    start, stop = start_and_stop(session)
    stop.payload["meterStop"] = start.payload["meterStart"] - 1


@odd("fractional-registers", "meterStart and meterStop have decimals")
def _fractional(life: Life, session: Session, rng: Random) -> None:
    start, stop = start_and_stop(session)
    start.payload["meterStart"] = round(register_at(session, life, session.begins), 2)
    stop.payload["meterStop"] = round(register_at(session, life, session.ends), 2)


ODDITIES["no-session"].says = _no_session_says
ODDITIES["emergency-stop"].says = _emergency_stop_says
ODDITIES["meter-below-start"].says = _below_start_says
