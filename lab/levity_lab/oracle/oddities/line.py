"""Oddities of the line: answers that are lost, repetitions, sockets, and queues of offline time."""

from random import Random

from levity_lab.oracle.lives import Life, Session, Step
from levity_lab.oracle.makes import Make
from levity_lab.oracle.oddities.bending import hold, offline, start_and_stop
from levity_lab.oracle.oddities.registry import happens, has_samples, odd
from levity_lab.oracle.telling import register_at, whole
from levity_lab.oracle.world import HOUR

__all__: list[str] = []


@odd("none", "nothing is odd: what all others are compared with")
def _none(life: Life, session: Session, rng: Random) -> None:
    pass


@odd("answer-lost", "the answer to Start is lost; sent again with the same message id")
def _answer_lost(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    start.heard = False
    session.more.append(start.again(start.at + 30))
    hold(session, start.at + 31)


@odd("answer-lost-new-connection", "the same, over a new connection, with or without a boot")
def _answer_lost_new_connection(life: Life, session: Session, rng: Random) -> None:
    _answer_lost(life, session, rng)
    start, _ = start_and_stop(session)
    life.connect(start.at + 25, boots=rng.random() < 0.3)


@odd("answer-lost-new-id", "the answer to Start is lost; sent again with a new message id")
def _answer_lost_new_id(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    start.heard = False
    session.more.append(start.again(start.at + 40, unique_id=""))
    hold(session, start.at + 41)


@odd("answers-lost-quickly", "three Starts within 5 s, all but the last unanswered, new ids")
def _answers_lost_quickly(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    start.heard = False
    for number in (1, 2):
        again = start.again(start.at + 2 * number, unique_id="")
        again.heard = number == 2
        session.more.append(again)
    hold(session, start.at + 5)


@odd("stop-answer-lost", "the answer to Stop is lost; sent again with the same message id")
def _stop_answer_lost(life: Life, session: Session, rng: Random) -> None:
    _, stop = start_and_stop(session)
    stop.heard = False
    session.more.append(stop.again(stop.at + 40))
    if rng.random() < 0.5:
        life.connect(stop.at + 30)


@odd("restamped-start", "Start is repeated with the time of the repetition")
def _restamped_start(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    start.heard = False
    at = start.at + rng.choice((20, 35, 60))
    session.more.append(start.again(at, unique_id="", timestamp=session.clock(at)))
    hold(session, at + 1)


@odd("restamped-register", "Start is repeated with the time and the register of the repetition")
def _restamped_register(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    start.heard = False
    at = start.at + 60
    again = start.again(
        at,
        unique_id="",
        timestamp=session.clock(at),
        meterStart=whole(register_at(session, life, at)),
    )
    session.more.append(again)
    hold(session, at + 1)
    # Two sessions, by all that is said: what flowed before the second is in the first, or nowhere.
    session.slack = session.connector.meter.flow.moved(session.begins, at)


@odd("two-sockets", "two connections at once, and messages alternate between them")
def _two_sockets(life: Life, session: Session, rng: Random) -> None:
    life.others.append(Step(session.begins + 5, "connect", socket=1))
    for number, step in enumerate(sorted(session.steps(), key=lambda each: each.at)):
        if step.at > session.begins + 6:
            step.socket = number % 2


@odd("stop-twice", "Stop is sent again a minute later with a new message id")
def _stop_twice(life: Life, session: Session, rng: Random) -> None:
    _, stop = start_and_stop(session)
    session.more.append(stop.again(stop.at + 60, unique_id=""))


@odd("start-after-stop", "Start is sent once more after the Stop")
def _start_after_stop(life: Life, session: Session, rng: Random) -> None:
    start, stop = start_and_stop(session)
    session.more.append(start.again(stop.at + 15, unique_id=""))


def _window(session: Session, rng: Random) -> tuple[float, float]:
    """Offline from within or before the session to within or after it, or after the next ones."""
    length = session.ends - session.begins
    first = session.begins + length * rng.choice((-0.02, 0.2, 0.6))
    last = rng.choice(
        (session.begins + length * 0.8, session.ends + 60, session.ends + rng.uniform(1, 8) * HOUR)
    )
    return first, last


def _offline(name: str, about: str, *, samples: bool = True, **other: bool | str) -> None:
    @odd(name, about)
    def bend(life: Life, session: Session, rng: Random) -> None:
        offline(life, *_window(session, rng), samples=samples, **other)  # type: ignore[arg-type]


_offline("offline-fifo", "no line for a while; the queue comes in its order")
_offline(
    "offline-no-samples", "no line for a while; samples of that time are dropped", samples=False
)
_offline("offline-lifo", "no line for a while; the newest session is told first", order="lifo")
_offline(
    "offline-split", "no line for a while; all Starts, then samples, then Stops", order="split"
)
_offline("offline-live", "the queue comes while the present is told as well", order="live")
_offline(
    "offline-boot",
    "no line for a while, and a boot before the queue: Starts lie before it",
    boots=True,
)
_offline(
    "offline-statuses-first", "the present statuses come before the queue", statuses_first=True
)


@odd("boots-on-reconnect", "a BootNotification at each reconnection, though nothing was off")
def _boots_on_reconnect(life: Life, session: Session, rng: Random) -> None:
    for part in (0.3, 0.6):
        life.connect(session.begins + (session.ends - session.begins) * part, boots=True)


@odd("mute", "40 s of silence after an unanswered Call, across a reconnection, then a burst")
def _mute(life: Life, session: Session, rng: Random) -> None:
    at = session.begins + (session.ends - session.begins) * rng.uniform(0.2, 0.95)
    life.connect(at)
    for step in session.steps():
        if at <= step.at < at + 40:
            step.at = at + 40 + (step.at - at) / 100


def _counts(make: Make) -> bool:
    return make.counter


@odd("ids-restart", "message ids begin at 1 with each connection", fits=_counts)
def _ids_restart(life: Life, session: Session, rng: Random) -> None:
    for _ in range(2):
        life.connect(rng.uniform(session.begins, session.ends + 600))


@odd("ids-wrap", "message ids 0 to 9, again and again on one connection", whole=True)
def _ids_wrap(life: Life, session: Session, rng: Random) -> None:
    life.wraps = 10


@odd("samples-shuffled", "samples arrive in any order", fits=has_samples)
def _samples_shuffled(life: Life, session: Session, rng: Random) -> None:
    # Ten at once, so that most come while the session runs; and none before it was taken.
    for first in range(0, len(session.samples), 10):
        some = session.samples[first : first + 10]
        sent = some[-1].at
        rng.shuffle(some)
        for place, step in enumerate(some):
            step.at = sent + place


@odd("start-late", "Start comes two minutes late, after samples that name no id", fits=has_samples)
def _start_late(life: Life, session: Session, rng: Random) -> None:
    start, _ = start_and_stop(session)
    start.at += 120


@happens("hop", "the same card a minute later on another connector", connectors=2)
def _hop(life: Life, session: Session, rng: Random) -> bool:
    """The next session of another connector begins when this one ends, if it is free then."""
    for connector in life.connectors:
        if connector is session.connector:
            continue
        for each in connector.sessions:
            before = each.previous
            free_from = before.ends + 150 if before else 0.0
            if (
                not each.cause
                and free_from < session.ends + 45 < each.begins < session.ends + 9 * HOUR
            ):
                shift = each.begins - (session.ends + 45)
                each.begins -= shift
                each.ends -= shift
                each.pieces = [(a - shift, b - shift, power) for a, b, power in each.pieces]
                each.tag, each.cause = session.tag, session.cause
                return True
    return False


@odd("repeated-days-later", "Start and Stop once more, with new ids, after the next session")
def _repeated_days_later(life: Life, session: Session, rng: Random) -> None:
    start, stop = start_and_stop(session)
    following = session.following
    at = (following or session).ends + 120
    session.more.append(start.again(at, unique_id=""))
    session.more.append(stop.again(at + 2, unique_id=""))
