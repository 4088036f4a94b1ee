"""The life of one charger: connectors, the sessions that truly were, and what it says of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from levity_lab.oracle.makes import Make
from levity_lab.oracle.world import BEGIN, HOUR, MINUTE, Meter, Piece, text

__all__ = ["Clock", "Connector", "Life", "Ref", "Session", "Step", "live"]

Clock = Callable[[float], str]
"""What a charger's clock shows, as text, at a moment of the world."""


@dataclass(frozen=True, slots=True)
class Ref:
    """In a payload: the transactionId that the charger was given for this session."""

    session: "Session"


@dataclass(slots=True, eq=False)
class Step:
    """One thing that the charger does: a Call that it sends, or `connect`, `boot`, `second`."""

    at: float
    action: str
    payload: dict[str, Any] = field(default_factory=dict)
    session: "Session | None" = None
    sent: bool = True
    """False: it never leaves the charger."""
    heard: bool = True
    """False: the answer does not arrive."""
    unique_id: str = ""
    """Its message id; empty: the next one of this make."""
    socket: int = 0
    """1: over the second websocket."""

    def again(self, at: float, *, unique_id: str | None = None, **other: Any) -> "Step":
        """The same Call once more, with the same message id unless told (empty: the next one)."""
        if unique_id is None:
            self.unique_id = self.unique_id or f"again-{id(self):x}"
            unique_id = self.unique_id
        return Step(at, self.action, {**self.payload, **other}, self.session, unique_id=unique_id)


@dataclass(slots=True, eq=False)
class Connector:
    """One connector with a meter of its own."""

    number: int
    meter: Meter
    sessions: list["Session"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Session:
    """One session as it truly was, and the steps that tell of it."""

    number: int
    connector: Connector
    tag: str
    begins: float
    ends: float
    pieces: list[Piece]
    cause: str = ""
    """The oddity of this session; empty for none."""
    start: Step | None = None
    samples: list[Step] = field(default_factory=list)
    stop: Step | None = None
    statuses: list[Step] = field(default_factory=list)
    more: list[Step] = field(default_factory=list)
    reason: str = "EVDisconnected"
    clock: Clock = text
    base: float | None = None
    """Subtracted from the register in what is told; None: by the make."""

    # What may be asked of whoever reads the wire.
    estimate: bool = False
    """No register tells the energy: 3 % and a sample interval are allowed."""
    slack: float = 0.0
    """Wh that are allowed besides."""
    tellable: bool = True
    """False: nothing on the wire contradicts the wrong figure."""

    doubtful: bool = False
    """Nothing contradicts it, but a boot in between may have: it must not be `high`."""
    forgotten: bool = False
    """A restored database can't know of it."""

    # What became of it; filled in by the transport.
    ids: list[int] = field(default_factory=list)
    """The transactionIds in the answers to its StartTransaction."""
    known_id: int | None = None
    """The one that the charger has heard last."""
    acknowledged: set[str] = field(default_factory=set)
    told: list[dict[str, Any]] = field(default_factory=list)
    """The payloads of its Start and Stop as they were sent."""

    @property
    def truth(self) -> float:
        """Wh."""
        return self.connector.meter.flow.moved(self.begins, self.ends)

    @property
    def following(self) -> "Session | None":
        """The next one on its connector."""
        sessions = self.connector.sessions
        at = sessions.index(self) + 1
        return sessions[at] if at < len(sessions) else None

    @property
    def previous(self) -> "Session | None":
        """The one before on its connector."""
        at = self.connector.sessions.index(self)
        return self.connector.sessions[at - 1] if at else None

    def steps(self) -> Iterator[Step]:
        """All of it."""
        for only in (self.start, self.stop):
            if only is not None:
                yield only
        yield from self.samples
        yield from self.statuses
        yield from self.more


@dataclass(slots=True, eq=False)
class Life:
    """One charger from its first connection to the end of the run."""

    identity: str
    make: Make
    cause: str
    rng: Random
    connectors: list[Connector] = field(default_factory=list)
    others: list[Step] = field(default_factory=list)
    """Connections, boots, and what belongs to no session."""
    wraps: int = 0
    """Message ids count from 0 to this and begin again; 0: they never do."""
    journal: list[tuple[float, int, str, str]] = field(default_factory=list)
    """(when, websocket, frame, answer) of all that was said."""

    @property
    def sessions(self) -> list[Session]:
        """In the order in which they began."""
        every = [each for connector in self.connectors for each in connector.sessions]
        return sorted(every, key=lambda each: each.begins)

    def steps(self) -> list[Step]:
        """All that it does, in order."""
        every = [step for session in self.sessions for step in session.steps()] + self.others
        return sorted((step for step in every if step.sent), key=lambda step: step.at)

    def connect(self, at: float, *, boots: bool = False) -> None:
        """A new websocket; with a BootNotification if it `boots`."""
        self.others.append(Step(at, "connect"))
        if boots:
            self.boot(at + 0.3)

    def boot(self, at: float) -> None:
        """BootNotification."""
        payload = {
            "chargePointVendor": self.make.vendor,
            "chargePointModel": self.make.model or self.make.name,
        }
        self.others.append(Step(at, "BootNotification", payload))

    def status(
        self, at: float, connector: int, status: str, session: Session | None = None
    ) -> Step:
        """StatusNotification, as a step that is not yet part of anything."""
        clock = session.clock if session else text
        payload = {
            "connectorId": connector,
            "errorCode": "NoError",
            "status": status,
            "timestamp": clock(at),
        }
        return Step(at, "StatusNotification", payload, session)


def live(identity: str, make: Make, cause: str, connectors: int, rng: Random) -> Life:
    """A charger of this make with so many connectors and its sessions, of which none is odd yet."""
    life = Life(identity, make, cause, rng)
    number = 0
    near = rng.uniform(500, 4e6) if rng.random() < 0.2 else None
    for connector in range(1, connectors + 1):
        # Registers of one charger are far apart, or so near that they pass each other.
        first = rng.choice(
            (rng.uniform(500, 30_000), rng.uniform(1e5, 9e6), rng.uniform(4.28e9, 4.3e9))
        )
        here = Connector(connector, Meter(near + rng.uniform(0, 9_000) if near else first))
        at = BEGIN + rng.uniform(10 * MINUTE, 4 * HOUR)
        for _ in range(rng.randint(4, 6)):
            length = rng.uniform(*make.longest())
            ends = at + length
            tag = f"04{rng.getrandbits(40):010X}"
            session = Session(number, here, tag, at, ends, charge(rng, at, ends))
            session.reason = rng.choice(("EVDisconnected", "Local", "Remote", ""))
            here.sessions.append(session)
            number += 1
            at = ends + rng.choice((rng.uniform(150, 900), rng.uniform(0.3, 6) * HOUR))
        life.connectors.append(here)
    return life


def charge(rng: Random, begins: float, ends: float) -> list[Piece]:
    """What a car takes from plug to unplug: it waits, charges, pauses, tapers off, and idles."""
    length = ends - begins
    top = rng.choice((1400.0, 2300.0, 3700.0, 7200.0, 11_000.0, 22_000.0)) * rng.uniform(0.93, 1.0)
    at = begins + min(rng.uniform(5, 40), length / 20)
    # It is unplugged while it charges, or is full before.
    full = ends - length * rng.choice((0.0, 0.02, 0.05, rng.uniform(0.05, 0.4)))
    taper = full - (full - at) * (rng.uniform(0.05, 0.3) if full < ends else 0.0)
    pieces: list[Piece] = []
    while at < taper:
        until = min(taper, at + rng.uniform(2 * MINUTE, 15 * MINUTE))
        pieces.append((at, until, top * rng.uniform(0.97, 1.0)))
        at = until
        if rng.random() < 0.05:
            at = min(taper, at + rng.uniform(MINUTE, length / 6))
    parts = rng.randint(4, 9) if taper < full else 0
    for part in range(parts):
        until = at + (full - taper) / parts
        pieces.append((at, until, top * max(0.06, 0.9 - part / parts)))
        at = until
    return pieces
