"""A central system that answers by a table, and an event loop in which time costs nothing."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar

import orjson

from levity.simulator.charge_point import ChargePoint
from levity.simulator.clock import Clock
from levity.simulator.ledger import Ledger
from levity.simulator.makes import PROFILES
from levity.simulator.memory import MemoryDialer, MemoryLink
from levity.simulator.profiles import Profile
from levity.simulator.statistics import Statistics

EPOCH = datetime(2024, 5, 1, 10, 0, tzinfo=UTC)
PLAIN = replace(PROFILES["generic"], first_register=0.0)

_Result = TypeVar("_Result")


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting it says that the time has passed."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events:
            if timeout is None:
                raise RuntimeError("everybody waits, and nothing will ever happen")
            self.now += max(0.0, timeout)
        return events


class _VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """Threads take no time either: the package `ocpp` validates in one."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is the awaiter's
            done.set_exception(error)
        return done


def in_virtual_time(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run to the end; sleeping takes no time, and the same work takes the same virtual time."""
    with asyncio.Runner(loop_factory=_VirtualTimeLoop) as runner:
        return runner.run(work)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answered with a CALLERROR."""

    code: str = "InternalError"


SILENCE = object()
"""Not answered."""

Answering = Mapping[str, Any] | Refusal | object


@dataclass(frozen=True, slots=True)
class Heard:
    """A Call as the central system received it, and when (seconds of virtual time)."""

    at: float
    unique_id: str
    action: str
    payload: Mapping[str, Any]


@dataclass
class ScriptedSystem:
    """Answers Accepted to everything; `script[action]` (a value or a function) says otherwise."""

    script: dict[str, Answering | Callable[[Mapping[str, Any]], Answering]] = field(
        default_factory=dict
    )
    heard: list[Heard] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    link: MemoryLink | None = None
    connections: int = 0
    transactions: int = 0

    async def accept(self, identity: str, profile: Profile, link: MemoryLink) -> None:
        self.link = link
        self.connections += 1
        while True:
            text = await link.recv()
            if not text.startswith("[2"):
                self.replies[text.split('"')[1]] = text
                continue
            _, unique_id, action, payload = orjson.loads(text)
            now = asyncio.get_running_loop().time()
            self.heard.append(Heard(round(now, 1), unique_id, action, payload))
            answer = self.script.get(action, self._usual(action))
            if callable(answer):
                answer = answer(payload)
            if isinstance(answer, Refusal):
                await link.send(orjson.dumps([4, unique_id, answer.code, "", {}]).decode())
            elif answer is not SILENCE:
                await link.send(orjson.dumps([3, unique_id, answer]).decode())

    def _usual(self, action: str) -> Answering:
        match action:
            case "BootNotification":
                now = "2024-05-01T10:00:00Z"
                return {"status": "Accepted", "currentTime": now, "interval": 600}
            case "Heartbeat":
                return {"currentTime": "2024-05-01T10:00:00Z"}
            case "Authorize":
                return {"idTagInfo": {"status": "Accepted"}}
            case "StartTransaction":
                self.transactions += 1
                return {"transactionId": self.transactions, "idTagInfo": {"status": "Accepted"}}
            case "DataTransfer":
                return {"status": "Accepted"}
            case _:
                return {}

    async def call(self, action: str, payload: Mapping[str, Any], unique_id: str) -> None:
        """Send a Call; the reply will be in `replies`."""
        assert self.link is not None
        await self.link.send(orjson.dumps([2, unique_id, action, payload]).decode())

    def reply(self, unique_id: str) -> Any:
        """The reply to a Call, as a list."""
        return orjson.loads(self.replies[unique_id])

    def actions(self) -> list[str]:
        """What was heard, statuses spelled out."""
        return [
            f"{each.payload['connectorId']} {each.payload['status']}"
            if each.action == "StatusNotification"
            else each.action
            for each in self.heard
        ]

    def of(self, action: str) -> list[Heard]:
        """Every Call of that action."""
        return [each for each in self.heard if each.action == action]

    def one(self, action: str) -> Mapping[str, Any]:
        """The payload of the only Call of that action."""
        (only,) = self.of(action)
        return only.payload


@dataclass
class Stage:
    """A charger, its central system, and the wire between them."""

    charge_point: ChargePoint
    system: ScriptedSystem
    dialer: MemoryDialer
    statistics: Statistics
    ledger: Ledger

    async def after(self, seconds: float) -> None:
        """Let so much virtual time pass."""
        await asyncio.sleep(seconds)


def stage(
    profile: Profile = PLAIN, *, script: dict[str, Any] | None = None, seed: int = 1
) -> Stage:
    """A charger that is not switched on yet; call inside the event loop."""
    system = ScriptedSystem(script or {})
    dialer = MemoryDialer(system.accept)
    statistics = Statistics()
    ledger = Ledger("CP1", keep=True)
    charge_point = ChargePoint(
        "CP1",
        profile,
        dialer,
        clock=Clock(epoch=EPOCH),
        chance=Random(seed),
        ledger=ledger,
        statistics=statistics,
    )
    return Stage(charge_point, system, dialer, statistics, ledger)


def play(
    story: Callable[[Stage], Coroutine[Any, Any, None]],
    profile: Profile = PLAIN,
    *,
    script: dict[str, Any] | None = None,
    seed: int = 1,
) -> Stage:
    """Switch a charger on, let the story happen to it, switch it off; returns what is left."""

    async def whole() -> Stage:
        scene = stage(profile, script=script, seed=seed)
        living = asyncio.ensure_future(scene.charge_point.run())
        try:
            async with asyncio.TaskGroup() as acts:
                acts.create_task(story(scene))
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
        return scene

    return in_virtual_time(whole())
