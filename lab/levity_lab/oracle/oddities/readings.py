"""Oddities of what is told beside the register, and of what is told late."""

from datetime import UTC, datetime
from random import Random
from typing import Any

from levity_lab.oracle.lives import Life, Session, Step
from levity_lab.oracle.makes import Make
from levity_lab.oracle.oddities.bending import named, start_and_stop
from levity_lab.oracle.oddities.registry import ODDITIES, happens, has_samples, odd
from levity_lab.oracle.telling import sampled_at
from levity_lab.oracle.world import HOUR, text

__all__: list[str] = []

_MAX = 2**63 - 1
_REGISTER = "Energy.Active.Import.Register"


def _values(step: Step) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = step.payload["meterValue"][0]["sampledValue"]
    return values


@odd("unit-contradicts", "now and then a value in A without a measurand, of the session 2^63-1")
def _unit_contradicts(life: Life, session: Session, rng: Random) -> None:
    for part in (0.25, 0.5, 0.9):
        at = session.begins + (session.ends - session.begins) * part
        value = {"value": "15.63", "unit": "A", "context": "CurrentMax"}
        payload = {
            "connectorId": session.connector.number,
            "transactionId": _MAX,
            "meterValue": [{"timestamp": session.clock(at), "sampledValue": [value]}],
        }
        session.more.append(Step(at, "MeterValues", payload))


def _main_meter(name: str, about: str, *, names_session: bool) -> None:
    @odd(name, about)
    def bend(life: Life, session: Session, rng: Random) -> None:
        at = session.begins + 60
        _, stop = start_and_stop(session)
        while at < session.ends:
            register = 3e7 + sum(each.meter.flow.wh(at) for each in life.connectors)
            value = {"value": f"{register:.0f}", "measurand": _REGISTER, "unit": "Wh"}
            payload: dict[str, Any] = {
                "connectorId": 0,
                "meterValue": [
                    {
                        "timestamp": session.clock(at),
                        "sampledValue": [{**value, "context": "Sample.Clock"}],
                    }
                ],
            }
            if names_session:
                payload["transactionId"] = stop.payload["transactionId"]
            session.more.append(Step(at, "MeterValues", payload))
            at += max(900.0, (session.ends - session.begins) / 6)


_main_meter("main-meter", "the main meter's register, of connector 0", names_session=False)
_main_meter("main-meter-in-session", "the same, saying the session's id", names_session=True)


@odd(
    "other-registers", "registers of export, reactive energy and intervals beside", fits=has_samples
)
def _other_registers(life: Life, session: Session, rng: Random) -> None:
    for number, step in enumerate(session.samples):
        more = (
            ("Energy.Active.Export.Register", str(12 + number), "Wh"),
            ("Energy.Reactive.Import.Register", str(90_000 + 7 * number), "varh"),
            ("Energy.Active.Import.Interval", str(100 + number), "Wh"),
        )
        told = [{"value": value, "measurand": name, "unit": unit} for name, value, unit in more]
        step.payload["meterValue"][0]["sampledValue"] = told[:1] + _values(step) + told[1:]


@odd("register-when-idle", "samples have the register only while no power flows", fits=has_samples)
def _register_when_idle(life: Life, session: Session, rng: Random) -> None:
    for step in list(session.samples):
        if session.connector.meter.flow.power(step.at):
            kept = [
                value
                for value in _values(step)
                if not value.get("measurand", _REGISTER).startswith("Energy")
            ]
            step.payload["meterValue"][0]["sampledValue"] = kept
            step.sent = bool(kept)


def _by_phase(make: Make) -> bool:
    return make.phases


@odd("phases-apart", "the phases of a sample a second apart, each by itself", fits=_by_phase)
def _phases_apart(life: Life, session: Session, rng: Random) -> None:
    for step in session.samples:
        step.payload["meterValue"] = [
            {"timestamp": session.clock(step.at + number), "sampledValue": [value]}
            for number, value in enumerate(_values(step))
        ]


@odd("samples-repeated", "each sample is sent again minutes later", fits=has_samples)
def _samples_repeated(life: Life, session: Session, rng: Random) -> None:
    session.more += [step.again(step.at + 200, unique_id="") for step in session.samples]


def _has_data(make: Make) -> bool:
    return make.data


@odd("data-dated-back", "the end in transactionData is dated before its beginning", fits=_has_data)
def _data_dated_back(life: Life, session: Session, rng: Random) -> None:
    _, stop = start_and_stop(session)
    stop.payload["transactionData"][1]["timestamp"] = session.clock(session.begins - 30)


@happens("moves-after-stop", "4 Wh flow after the Stop")
def _moves_after_stop(life: Life, session: Session, rng: Random) -> None:
    session.connector.meter.flow.add([(session.ends + 2, session.ends + 12, 1440.0)])


@happens("deauthorized", "stopped within seconds, nothing charged")
def _deauthorized(life: Life, session: Session, rng: Random) -> None:
    session.ends = session.begins + 4
    session.pieces, session.reason = [], "DeAuthorized"


@happens("same-tag-twice", "one card at two connectors at once, both Stops say -1", connectors=2)
def _same_tag_twice(life: Life, session: Session, rng: Random) -> bool:
    for other in life.sessions:
        both = max(session.begins, other.begins) < min(session.ends, other.ends) - 300
        if both and other.connector is not session.connector and not other.cause:
            other.tag, other.cause = session.tag, session.cause
            return True
    return False


def _minus_one_stop(life: Life, session: Session, rng: Random) -> None:
    named([session.stop], -1)


ODDITIES["same-tag-twice"].says = _minus_one_stop


@odd("stop-late", "Stop arrives hours later, when the next session runs or is over")
def _stop_late(life: Life, session: Session, rng: Random) -> bool:
    following = session.following
    if following is None:
        return False
    _, stop = start_and_stop(session)
    stop.at = following.begins + (following.ends - following.begins) * rng.choice((0.5, 1.2))
    return True


@odd("told-late", "Start and Stop arrive when the next session is over, samples are dropped")
def _told_late(life: Life, session: Session, rng: Random) -> bool:
    following = session.following
    if following is None:
        return False
    start, stop = start_and_stop(session)
    start.at, stop.at = following.ends + 20, following.ends + 25
    for step in session.samples:
        step.sent = False
    return True


@odd("boot-forgets-id", "it boots within the session, and says -1 from then on")
def _boot_forgets_id(life: Life, session: Session, rng: Random) -> None:
    at = session.begins + (session.ends - session.begins) * rng.uniform(0.2, 0.8)
    life.connect(at, boots=True)
    named([step for step in (*session.samples, session.stop) if step and step.at > at], -1)


def _end_unset(name: str, about: str, *, of_start: bool) -> None:
    first = datetime(1970, 1, 1, tzinfo=UTC).timestamp()

    @odd(name, about)
    def bend(life: Life, session: Session, rng: Random) -> None:
        start, stop = start_and_stop(session)
        step = start if of_start else stop
        step.payload["timestamp"] = text(first + rng.uniform(10, 500))


_end_unset("start-clock-unset", "Start is dated 1970, the clock is right afterwards", of_start=True)
_end_unset("stop-clock-unset", "Stop is dated 1970, the clock was right before", of_start=False)


@happens("clock-drifts", "the clock loses a minute an hour, and is set right by each session")
def _clock_drifts(life: Life, session: Session, rng: Random) -> None:
    begins = session.begins
    session.clock = lambda moment: text(moment - max(0.0, moment - begins) / HOUR * 60)


@odd("register-shown-late", "samples tell the register of the sample before", fits=has_samples)
def _register_shown_late(life: Life, session: Session, rng: Random) -> None:
    shown = session.begins
    for step in session.samples:
        power = session.connector.meter.flow.power(step.at)
        told = life.make.sampled(sampled_at(session, life, shown), power)
        step.payload["meterValue"][0]["sampledValue"] = told
        shown = step.at


@odd("begin-beside-now", "each sample has the register of the start as well", fits=has_samples)
def _begin_beside_now(life: Life, session: Session, rng: Random) -> None:
    begin = life.make.sampled(sampled_at(session, life, session.begins), 0.0, "Transaction.Begin")
    begin = [value for value in begin if "Current" not in str(value) and "Volt" not in str(value)]
    for step in session.samples:
        step.payload["meterValue"][0]["sampledValue"] += begin
