"""Oddities of clocks: what a charger believes the time to be."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

from levity_lab.oracle.lives import Clock, Life, Session
from levity_lab.oracle.makes import Make
from levity_lab.oracle.oddities.registry import happens
from levity_lab.oracle.world import HOUR, MINUTE, text

__all__: list[str] = []

_BERLIN = ZoneInfo("Europe/Berlin")


def _ahead(seconds: float, label: str = "Z") -> Clock:
    return lambda moment: text(moment, seconds, label)


def _local(label: str) -> Clock:
    def clock(moment: float) -> str:
        offset = datetime.fromtimestamp(moment, UTC).astimezone(_BERLIN).utcoffset()
        assert offset is not None
        return text(moment, offset.total_seconds(), label)

    return clock


def _clock(name: str, about: str, makes: Callable[[Session, Random], Clock], **how: bool) -> None:
    @happens(name, about, **how)  # type: ignore[arg-type]
    def bend(life: Life, session: Session, rng: Random) -> None:
        session.clock = makes(session, rng)


_clock(
    "clock-ahead", "11 or 51 minutes ahead", lambda _, rng: _ahead(rng.choice((11, 51)) * MINUTE)
)
_clock("clock-behind", "49 minutes behind", lambda *_: _ahead(-49 * MINUTE))
_clock(
    "clock-local",
    "local time labelled Z, over the change in autumn",
    lambda *_: _local("Z"),
    whole=True,
)
_clock("clock-no-zone", "local time without a zone", lambda *_: _local(""), whole=True)
_clock("clock-offset", "local time with its offset", lambda *_: _ahead(2 * HOUR, "+02:00"))
_clock("clock-days-ahead", "three days ahead", lambda *_: _ahead(72 * HOUR))


def _jumping(session: Session, rng: Random) -> Clock:
    at = session.begins + (session.ends - session.begins) * rng.uniform(0.2, 0.8)
    by = rng.choice((-HOUR, HOUR, -300.0, 3 * HOUR))
    return lambda moment: text(moment, 0.0 if moment > at else by)


_clock("clock-jumps", "set right within the session, by minutes or hours", _jumping)


def _unset(name: str, about: str, year: int, month: int = 1) -> None:
    first = datetime(year, month, 1, tzinfo=UTC).timestamp()

    @happens(name, about)
    def bend(life: Life, session: Session, rng: Random) -> None:
        boot = session.begins - rng.uniform(30, 130)
        life.connect(boot, boots=True)
        session.clock = lambda moment: text(first + moment - boot)


_unset("clock-1970", "begins in 1970 with each boot", 1970)
_unset("clock-2000", "begins in 2000 with each boot", 2000)
_unset("clock-firmware", "begins at the date of the firmware with each boot", 2026, 3)


def _counts_sessions(make: Make) -> bool:
    return make.counts == "session"


@happens(
    "clock-firmware-same-start",
    "each boot the same date, tag and register 0",
    fits=_counts_sessions,
)
def _same_start(life: Life, session: Session, rng: Random) -> None:
    first = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    boot = session.begins - 42
    life.connect(boot, boots=True)
    session.tag = "ALWAYS-THE-SAME"
    session.clock = lambda moment: text(first + moment - boot)
