"""Oddities of ids and of people: whose session is meant."""

from random import Random
from typing import Any

from levity_lab.oracle.lives import Life, Ref, Session, Step
from levity_lab.oracle.oddities.bending import hold, named, start_and_stop, without
from levity_lab.oracle.oddities.registry import (
    ODDITIES,
    happens,
    has_samples,
    lifetime,
    odd,
    tells_whose,
)
from levity_lab.oracle.telling import meter_values, register_at, whole
from levity_lab.oracle.world import DAY, text

__all__: list[str] = []

_MAX = 2**63 - 1


def _one_or_many(connectors: int) -> dict[str, Any]:
    if connectors == 1:
        return {"most": 1}
    return {"connectors": connectors, "fits": tells_whose}


def _nameless(name: str, about: str, number: Any, connectors: int = 1) -> None:
    @odd(name, about, **_one_or_many(connectors))
    def bend(life: Life, session: Session, rng: Random) -> None:
        _, stop = start_and_stop(session)
        named([stop, *session.samples], number)


_nameless("minus-one", "samples and Stop say -1", -1)
_nameless("zero-id", "samples and Stop say 0", 0)
_nameless("null-id", "samples and Stop say null", None)
_nameless("huge-id", "samples and Stop say 2^63-1", _MAX)
_nameless("minus-one-many", "samples and Stop say -1, several connectors", -1, connectors=2)
_nameless("null-id-many", "samples and Stop say null, several connectors", None, connectors=3)


def _stop_before_start(name: str, about: str, connectors: int = 1) -> None:
    @odd(name, about, **_one_or_many(connectors))
    def bend(life: Life, session: Session, rng: Random) -> None:
        start, _ = start_and_stop(session)
        start.at = session.ends + 10
        for step in session.samples:
            step.sent = False


_stop_before_start("stop-before-start", "Stop(-1) comes before its Start")
_stop_before_start("stop-before-start-many", "the same, several connectors", connectors=2)


@odd("own-ids", "samples and Stop say ids that the charger has made itself: 1, 2, 3", connectors=1)
def _own_ids(life: Life, session: Session, rng: Random) -> None:
    _, stop = start_and_stop(session)
    named([stop, *session.samples], 1 + session.number)


@odd("own-large-ids", "the same with nine digits", connectors=2)
def _own_large_ids(life: Life, session: Session, rng: Random) -> None:
    _, stop = start_and_stop(session)
    named([stop, *session.samples], 700_000_000 + session.number)


@odd("ids-swapped", "two connectors say each other's ids in samples and Stop", connectors=2)
def _ids_swapped(life: Life, session: Session, rng: Random) -> bool:
    for other in life.sessions:
        if other.connector is session.connector or other.cause not in ("", session.cause):
            continue
        both = max(session.begins, other.begins) + 5
        if both > min(session.ends, other.ends) - 60:
            continue
        for mine, its in ((session, other), (other, session)):
            named([step for step in (*mine.samples, mine.stop) if step and step.at > both], its)
        other.cause = session.cause
        return True
    return False


@odd("id-of-before", "samples and Stop say the id of the session before, which is over")
def _id_of_before(life: Life, session: Session, rng: Random) -> bool:
    before = session.previous
    if before is None:
        return False
    _, stop = start_and_stop(session)
    named([stop, *session.samples], before)
    return True


@odd("id-of-orphan", "Stop says the id of the session before, whose own Stop was lost")
def _id_of_orphan(life: Life, session: Session, rng: Random) -> bool:
    before = session.previous
    if before is None or before.stop is None or before.cause not in ("", session.cause):
        return False
    before.stop.sent = False
    before.cause = session.cause
    _no_stop(life, before)
    _, stop = start_and_stop(session)
    named([stop], before)
    return True


def _no_stop(life: Life, session: Session) -> None:
    """Without a Stop the last samples or the next Start tell; session registers have no next."""
    if life.make.counts != "lifetime":
        session.estimate = True


@odd("stray-stop", "a Stop of an unknown id comes just before this session's Start does")
def _stray_stop(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    start.at += 60
    hold(session, start.at + 1)
    meter = start.payload["meterStart"] + rng.choice((13_000, rng.randint(500, 80_000)))
    payload: dict[str, Any] = {
        "transactionId": 777_000_000 + session.number,
        "meterStop": meter,
        "timestamp": session.clock(session.begins + 30),
    }
    if rng.random() < 0.3:
        payload["idTag"] = "STRANGER"
    life.others.append(Step(session.begins + 40, "StopTransaction", payload))


@odd("stray-stop-running", "a Stop of an unknown id comes while this session runs")
def _stray_stop_running(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    at = session.begins + (session.ends - session.begins) * rng.uniform(0.1, 0.9)
    payload: dict[str, Any] = {
        "transactionId": 777_000_000 + session.number,
        "meterStop": start.payload["meterStart"] + rng.randint(100, 80_000),
        "timestamp": session.clock(at),
    }
    if rng.random() < 0.3:
        payload["idTag"] = "STRANGER"
    life.others.append(Step(at, "StopTransaction", payload))


@odd("stray-minus-one", "a Stop(-1) with a stranger's tag and meter comes while this one runs")
def _stray_minus_one(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    at = session.begins + (session.ends - session.begins) * rng.uniform(0.1, 0.9)
    payload = {
        "transactionId": -1,
        "idTag": "STRANGER",
        "meterStop": start.payload["meterStart"] + rng.choice((-400, 15_000, 78_000_000)),
        "timestamp": session.clock(at),
    }
    if payload["meterStop"] < 0:
        payload["meterStop"] = 0
    life.others.append(Step(at, "StopTransaction", payload))


@odd("former-back-end", "an old Stop of another back end says an id that is this session's")
def _former_back_end(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    at = session.begins + (session.ends - session.begins) * rng.uniform(0.2, 0.8)
    payload = {
        "transactionId": Ref(session),
        "idTag": "STRANGER",
        "meterStop": max(0, start.payload["meterStart"] - rng.randint(5_000, 90_000)),
        "timestamp": text(at - 3 * DAY),
    }
    life.others.append(Step(at, "StopTransaction", payload))


@odd("start-lost", "Start never arrives; samples and Stop say an id that means none", connectors=1)
def _start_lost(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    start.sent = False
    if life.make.counts == "samples" and not life.make.period:
        session.estimate = True


@odd("start-lost-many", "the same, several connectors", connectors=3)
def _start_lost_many(life: Life, session: Session, rng: Random) -> None:
    _start_lost(life, session, rng)


@odd("stop-lost", "Stop never arrives")
def _stop_lost(life: Life, session: Session, rng: Random) -> None:
    _, stop = start_and_stop(session)
    stop.sent = False
    _no_stop(life, session)


@odd("never-told", "neither Start nor Stop arrives, only samples and statuses", fits=has_samples)
def _never_told(life: Life, session: Session, rng: Random) -> None:
    start, stop = start_and_stop(session)
    start.sent = stop.sent = False
    for step in session.samples:
        step.payload = without(step.payload, "transactionId")


@odd("missing-tag", "Start has no idTag")
def _missing_tag(life: Life, session: Session, rng: Random) -> None:
    start, stop = start_and_stop(session)
    start.payload = without(start.payload, "idTag")
    stop.payload = without(stop.payload, "idTag")


@odd("empty-tag", "the idTag of Start and Stop is empty")
def _empty_tag(life: Life, session: Session, rng: Random) -> None:
    for step in start_and_stop(session):
        step.payload["idTag"] = ""


@odd("stop-lost-then-no-tag", "Stop is lost, and the next Start has no idTag", fits=has_samples)
def _stop_lost_then_no_tag(life: Life, session: Session, rng: Random) -> bool:
    following = session.following
    if following is None or following.cause:
        return False
    _stop_lost(life, session, rng)
    _missing_tag(life, following, rng)
    following.cause = session.cause
    return True


@odd("other-tag-stops", "another card of the house stops it")
def _other_tag_stops(life: Life, session: Session, rng: Random) -> None:
    _, stop = start_and_stop(session)
    stop.payload["idTag"] = "MASTER"


@happens("two-starts", "a second Start on the same meter, no Stop between; both stop at the end")
def _two_starts(life: Life, session: Session, rng: Random) -> bool:
    second = session.following
    if second is None or second.cause:
        return False
    second.cause = session.cause
    second.begins = session.begins + (session.ends - session.begins) * rng.uniform(0.3, 0.7)
    second.ends, session.ends = session.ends, second.begins
    second.pieces = []
    return True


def _two_starts_says(life: Life, session: Session, rng: Random) -> None:
    second = session.following
    if second is None or second.begins != session.ends:
        return
    _, stop = start_and_stop(session)
    _, last = start_and_stop(second)
    stop.at = last.at + 2
    stop.payload["meterStop"] = last.payload["meterStop"]
    stop.payload["timestamp"] = last.payload["timestamp"]
    for step in session.statuses[2:] + second.statuses[:2]:
        step.sent = False


ODDITIES["two-starts"].says = _two_starts_says
# Session registers count both from the same beginning, so a second one means nothing.
ODDITIES["two-starts"].fits = lifetime


@odd("samples-unknown-id", "samples say an id that nobody gave", fits=has_samples)
def _samples_unknown_id(life: Life, session: Session, rng: Random) -> None:
    named(session.samples, 888_000_000 + session.number)


@odd("strange-samples", "samples of an unknown id and another meter while it runs")
def _strange_samples(life: Life, session: Session, rng: Random) -> None:
    for part in (0.3, 0.5, 0.7):
        at = session.begins + (session.ends - session.begins) * part
        register = session.connector.meter.first + rng.choice((25_000, 4e6)) + part * 20_000
        payload = {
            "connectorId": session.connector.number,
            "transactionId": 888_000_000 + session.number,
            "meterValue": [
                {"timestamp": session.clock(at), "sampledValue": [{"value": f"{register:.0f}"}]}
            ],
        }
        life.others.append(Step(at, "MeterValues", payload))


@odd("samples-of-before", "samples of the next session say this one's id", fits=has_samples)
def _samples_of_before(life: Life, session: Session, rng: Random) -> bool:
    following = session.following
    if following is None or following.cause:
        return False
    following.cause = session.cause
    named(following.samples, session)
    return True


@odd("samples-after-stop", "closing samples come after the Stop")
def _samples_after_stop(life: Life, session: Session, rng: Random) -> None:
    for after in (2, 20, 45):
        session.samples.append(meter_values(session, life, session.ends + after))


@odd("stop-dated-before-start", "Start dated 11 minutes ahead, Stop(-1) dated before it")
def _stop_dated_before_start(life: Life, session: Session, rng: Random) -> None:
    start, stop = start_and_stop(session)
    start.payload["timestamp"] = text(session.begins, 660.0)
    named([stop], -1)


@happens("stop-dated-before-start")
def _short(life: Life, session: Session, rng: Random) -> None:
    session.ends = session.begins + 500
    session.pieces = [(session.begins + 5, session.ends - 5, 7_000.0)]


@odd("id-of-neighbour", "samples and Stop say the id that runs on another connector", connectors=2)
def _id_of_neighbour(life: Life, session: Session, rng: Random) -> bool:
    for other in life.sessions:
        both = max(session.begins, other.begins) + 5
        if other.connector is session.connector or other.cause not in ("", session.cause):
            continue
        if other.begins < session.ends < other.ends and both < session.ends:
            told = [step for step in (*session.samples, session.stop) if step and step.at > both]
            named(told, other)
            other.cause = session.cause
            return True
    return False


@odd("ghost-start", "a second Start two minutes later, of which nothing more is said")
def _ghost_start(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    at = start.at + 120
    again = start.again(
        at,
        unique_id="",
        timestamp=session.clock(at),
        meterStart=whole(register_at(session, life, at)),
    )
    again.heard = False
    session.more.append(again)


@happens(
    "stop-lost-then-no-session", "Stop is lost, a car charges before the next Start", fits=lifetime
)
def _stop_lost_then_moved(life: Life, session: Session, rng: Random) -> bool:
    following = session.following
    first = session.ends + 110
    if following is None or following.begins < first + 600:
        return False
    last = min(following.begins - 130, first + rng.uniform(900, 3600))
    session.connector.meter.flow.add([(first + 10, last - 10, rng.choice((1400.0, 7000.0)))])
    return True


ODDITIES["stop-lost-then-no-session"].says = _stop_lost
