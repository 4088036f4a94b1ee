"""What several oddities do to the steps of a session."""

from collections.abc import Iterable
from typing import Any

from levity_lab.oracle.lives import Life, Ref, Session, Step
from levity_lab.oracle.world import HOUR, Piece

__all__ = [
    "cut_pieces",
    "hold",
    "interval_wh",
    "named",
    "offline",
    "set_register",
    "start_and_stop",
    "without",
]

_LEDGER = _SPLIT = ("StartTransaction", "MeterValues", "StopTransaction")


def start_and_stop(session: Session) -> tuple[Step, Step]:
    """Both, which every session has when it is told."""
    assert session.start is not None
    assert session.stop is not None
    return session.start, session.stop


def hold(session: Session, until: float) -> None:
    """The charger waits for an answer: what it has to say of this session comes afterwards."""
    at = until
    for step in sorted(session.steps(), key=lambda each: each.at):
        is_start = step.action == "StartTransaction"
        if not is_start and session.begins < step.at < until:
            at += 0.3
            step.at = at


def named(steps: Iterable[Step | None], number: Any) -> None:
    """These say this transactionId, or that of a session, whatever they said before."""
    value = Ref(number) if isinstance(number, Session) else number
    for step in steps:
        if step is not None and ("transactionId" in step.payload):
            step.payload["transactionId"] = value


def set_register(step: Step, register: float, life: Life) -> None:
    """This sample tells this register in Wh, and the power as before."""
    session = step.session
    assert session is not None
    power = session.connector.meter.flow.power(step.at)
    step.payload["meterValue"][0]["sampledValue"] = life.make.sampled(register, power)


def cut_pieces(pieces: list[Piece], first: float, last: float = float("inf")) -> list[Piece]:
    """No power from `first` to `last`."""
    left = [(a, min(b, first), power) for a, b, power in pieces if a < first]
    return left + [(max(a, last), b, power) for a, b, power in pieces if b > last]


def offline(
    life: Life,
    first: float,
    last: float,
    *,
    order: str = "fifo",
    samples: bool = True,
    boots: bool = False,
    statuses_first: bool = False,
) -> None:
    """No line in between: what belongs to sessions is queued and comes in this order afterwards.

    fifo; lifo: the newest session first; split: all Starts, then samples, then Stops; live: what
    happens meanwhile is said between what is queued.
    """
    queue: list[Step] = []
    for step in life.steps():
        if not first <= step.at < last:
            continue
        if step.action in _LEDGER and (samples or step.action != "MeterValues"):
            queue.append(step)
        else:
            step.sent = False
    life.connect(last, boots=boots)
    at = last + 1.5
    if statuses_first:
        for connector in life.connectors:
            life.others.append(life.status(at, connector.number, "Available"))
            at += 0.2
    life.others.append(life.status(at, 0, "Available"))
    if order == "lifo":
        sessions = {id(step.session): step.session for step in queue if step.session}
        newest = sorted(sessions.values(), key=lambda each: -each.begins)
        queue = [step for each in newest for step in queue if step.session is each]
    elif order == "split":
        queue.sort(key=lambda step: (_SPLIT.index(step.action), step.at))
    gap = 4.0 if order == "live" else 0.4
    done: set[int] = set()
    while queue:
        for step in queue:
            at += gap
            step.at = at
            done.add(id(step))
        if order == "live":
            break
        # It is a queue: what happens meanwhile waits behind it.
        queue = [
            step
            for step in life.steps()
            if last <= step.at <= at and step.action in _LEDGER and id(step) not in done
        ]


def without(payload: dict[str, Any], *names: str) -> dict[str, Any]:
    """The payload without these fields."""
    return {name: value for name, value in payload.items() if name not in names}


def interval_wh(session: Session, life: Life) -> float:
    """What flows at most between two samples."""
    power = max((piece[2] for piece in session.pieces), default=0.0)
    return life.make.period * power / HOUR
