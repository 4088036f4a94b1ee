"""A charger's connection: dialling, boot, heartbeats, the queue of Calls, and answers."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from random import Random
from typing import Any

from websockets.frames import CloseCode

from levity.simulator.answers import Deed, State, answer_to
from levity.simulator.clock import Clock
from levity.simulator.configuration import FIXED_KEYS, configuration_keys
from levity.simulator.connector import Calls, Connector
from levity.simulator.exchange import Exchange
from levity.simulator.kept import Kept
from levity.simulator.ledger import Ledger
from levity.simulator.outbox import Outgoing, Waiting
from levity.simulator.profiles import Profile
from levity.simulator.sending import Sender
from levity.simulator.statistics import Statistics
from levity.simulator.wire import (
    Answer,
    Dialer,
    DialError,
    LinkClosedError,
    Outcome,
    error_frame,
    result_frame,
    written,
)

__all__ = ["Line"]


class Line:
    """Everything about a charger that has to do with its line to the central system.

    `ChargePoint` adds what happens at the socket, through the `_after_*` and `_do` methods.
    """

    def __init__(
        self,
        identity: str,
        profile: Profile,
        dialer: Dialer,
        *,
        clock: Clock,
        chance: Random,
        number: int,
        ledger: Ledger,
        statistics: Statistics,
    ) -> None:
        self.identity = identity
        self.profile = profile
        self.clock = clock
        self.chance = chance
        self.ledger = ledger
        self.statistics = statistics
        self.serial = profile.serial.format(number=number)
        self.firmware = profile.firmware
        self.connectors = [
            Connector(each, profile, chance) for each in range(1, profile.connectors + 1)
        ]
        self.keys = configuration_keys(profile)
        self.kept = Kept()
        self.booted = False
        """BootNotification was accepted since the last reboot."""
        self._boot_wanted = False
        self.off_until: datetime | None = None
        """Without power or network until then."""
        self._dialer = dialer
        self._sender = Sender(
            profile,
            self.serial,
            clock=clock,
            chance=chance,
            ledger=ledger,
            statistics=statistics,
            settled=self._settled,
        )
        self.outbox = self._sender.outbox
        self._exchange: Exchange | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Event()
        self._finished = False

    @property
    def online(self) -> bool:
        """Connected and accepted."""
        return self._exchange is not None and self.booted

    async def run(self) -> None:
        """Live until cancelled, until `leave()`, or until a good-bye that this make believes."""
        attempt = 0
        try:
            while not self._finished:
                await self._wait_for_power()
                try:
                    link = await self._dialer.dial(self.identity, self.profile)
                except DialError as error:
                    self.statistics.refused += 1
                    self.statistics.last_refusal = str(error)
                    await self.clock.sleep(max(self._backoff(attempt), error.retry_after or 0.0))
                    attempt += 1
                    continue
                booted_before = self.booted
                closed = await self._serve(Exchange(link, self._answer, self.statistics))
                attempt = 0 if self.booted or booted_before else attempt + 1
                if (
                    closed.code == CloseCode.NORMAL_CLOSURE
                    and not self.profile.reconnects_after_clean_close
                ):
                    return
                if self.off_until is None and not self._finished:
                    await self.clock.sleep(self._backoff(attempt))
        finally:
            for task in self._tasks:
                task.cancel()
            self.outbox.drop_passing()

    async def leave(self) -> None:
        """Close the connection for good."""
        self._finished = True
        if self._exchange is not None:
            await self._exchange.link.close(CloseCode.NORMAL_CLOSURE)

    def go_offline(self, seconds: float) -> None:
        """The network is away; the charger itself goes on."""
        self._cut(seconds)

    async def ready(self) -> None:
        """Wait until BootNotification has been accepted for the first time."""
        await self._until(lambda: self.booted, None)

    async def quiet(self, *, within: float) -> bool:
        """Wait until all is sent and answered; False if it is not `within` so many seconds."""
        return await self._until(lambda: len(self.outbox) == 0, within)

    def boot_again(self) -> None:
        """Send BootNotification now: somebody asked for it."""
        self._boot_wanted = True
        self._announce()

    def put(self, calls: Calls) -> None:
        """Queue Calls in order; offline, what is no transaction message is dropped."""
        now = self.clock.now()
        for call in calls:
            if call.kept or self._exchange is not None:
                self.outbox.put(call, now)
        self._announce()

    async def _serve(self, exchange: Exchange) -> LinkClosedError:
        self.statistics.connects += 1
        self.statistics.connected += 1
        self._exchange = exchange
        self._announce()
        work = [
            asyncio.ensure_future(self._sender.run(exchange, lambda: self.booted)),
            asyncio.ensure_future(self._boot_and_beat()),
        ]
        try:
            return await exchange.run()
        except asyncio.CancelledError:
            # Nobody reads this link any more, and nobody else would close it.
            exchange.link.abort()
            raise
        finally:
            self._exchange = None
            self.statistics.connected -= 1
            self.statistics.disconnects += 1
            # The Call under way learns of its loss from the exchange before it is cancelled.
            await asyncio.sleep(0)
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            self.outbox.drop_passing()
            self._announce()

    def _settled(self, waiting: Waiting, answer: Answer) -> None:
        self._after_answer(waiting, answer)
        self._announce()

    async def _boot_and_beat(self) -> None:
        if self.booted and not self.profile.boots_on_reconnect:
            self._after_reconnect()
        else:
            if not self.profile.boots_on_connect and not self.booted:
                await self._until(lambda: self._boot_wanted, self.profile.boot_fallback)
            await self._boot()
        while True:
            interval = float(self.keys["HeartbeatInterval"]) or 300.0
            if await self._until(lambda: self._boot_wanted, interval):
                await self._boot()
            else:
                self.put((Outgoing("Heartbeat", {}),))

    async def _boot(self) -> None:
        """Until accepted: OCPP 1.6, 4.2."""
        again = self.booted
        while True:
            self._boot_wanted = False
            self.statistics.boots += 1
            payload = {
                "chargePointVendor": self.profile.vendor,
                "chargePointModel": self.profile.model,
                "chargePointSerialNumber": self.serial,
                "firmwareVersion": self.firmware,
                **self.profile.boot_extras,
            }
            answer = await self._ask("BootNotification", payload, before_boot=True)
            given = (answer.payload or {}).get("interval")
            interval = float(given) if isinstance(given, int) and given > 0 else 0.0
            if answer.status == "Accepted":
                if interval:
                    self.keys["HeartbeatInterval"] = f"{interval:.0f}"
                self.booted = True
                self.outbox.changed.set()
                if again:
                    self._after_reconnect()
                else:
                    self._after_boot()
                return
            self.booted = False
            await self._until(lambda: self._boot_wanted, interval or self._backoff(0) + 10.0)

    def _power_cycle(self, *, gently: bool) -> None:
        self.booted = False
        self._boot_wanted = False
        self._sender.ids.restart()
        self._cut(self.profile.reboot_time, gently=gently)

    def _cut(self, seconds: float, *, gently: bool = False) -> None:
        self.off_until = self.clock.now() + timedelta(seconds=seconds)
        if self._exchange is None:
            return
        if gently:
            self._spawn(self._exchange.link.close(CloseCode.GOING_AWAY))
        else:
            self._exchange.link.abort()

    async def _wait_for_power(self) -> None:
        while self.off_until is not None:
            left = (self.off_until - self.clock.now()).total_seconds()
            if left <= 0:
                self.off_until = None
            else:
                await self.clock.sleep(left)

    def _backoff(self, attempt: int) -> float:
        habit = self.profile.backoff
        return min(habit.most, habit.first * 2.0 ** min(attempt, 16)) + self.chance.uniform(
            0.0, habit.jitter
        )

    async def _answer(self, unique_id: str, action: str, payload: dict[str, Any]) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        self._enter_call("call", unique_id, action, payload)
        now = self.clock.now()
        state = State(self.profile, self.connectors, self.keys, FIXED_KEYS, now, self.kept)
        reply = answer_to(state, action, payload)
        if self.profile.answer_delay:
            await self.clock.sleep(self.profile.answer_delay)
        if action in self.profile.truncates_answers_to:
            broken = result_frame(unique_id, reply.payload)
            await exchange.link.send(broken[: broken.find("[", 1) + 1] + "]")
            self._power_cycle(gently=False)
            return
        frame = (
            error_frame(unique_id, reply.error, reply.description)
            if reply.error
            else result_frame(unique_id, reply.payload)
        )
        await exchange.link.send(frame)
        said = {"code": reply.error} if reply.error else reply.payload
        self._enter_call("replied", unique_id, action, said)
        for deed in reply.deeds:
            self._spawn(self._do(deed))

    def _enter_call(self, event: str, unique_id: str, action: str, payload: Any) -> None:
        if self.ledger.wanted:
            at = written(self.clock.now(), self.profile)
            self.ledger.write(event, at, 0, unique_id, action, payload)

    def _after_boot(self) -> None:
        raise NotImplementedError

    def _after_reconnect(self) -> None:
        raise NotImplementedError

    def _after_answer(self, waiting: Waiting, answer: Answer) -> None:
        raise NotImplementedError

    async def _do(self, deed: Deed) -> None:
        raise NotImplementedError

    async def _ask(
        self, action: str, payload: dict[str, Any], *, before_boot: bool = False
    ) -> Answer:
        if self._exchange is None:
            return Answer(Outcome.LOST)
        outgoing = Outgoing(action, payload, before_boot=before_boot)
        return await self.outbox.put(outgoing, self.clock.now()).done

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until(self, holds: Callable[[], bool], within: float | None) -> bool:
        """Wait until it holds; False if it does not `within` so many simulated seconds."""
        patience = None if within is None else self.clock.real(within)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not holds():
                    await self._changed.wait()
        return holds()
