"""One charger: it boots, stays connected, says what happens to it, and does what it is told.

The connection and the physical world are apart: a car charges on while the network is away, and
the transaction messages wait in the outbox.
"""

import asyncio
from collections.abc import Mapping
from random import Random
from types import MappingProxyType

from levity.simulator import files
from levity.simulator.answers import (
    BootAgain,
    ChangeOperative,
    Deed,
    LimitPower,
    Reboot,
    RunDiagnostics,
    RunFirmwareUpdate,
    SetKey,
    StartRemotely,
    StopRemotely,
    Trigger,
    Unlock,
)
from levity.simulator.clock import Clock
from levity.simulator.connector import Connector, status_notification
from levity.simulator.kept import Free, KeepList, Reservation
from levity.simulator.ledger import Ledger
from levity.simulator.line import Line
from levity.simulator.outbox import Outgoing, Waiting
from levity.simulator.profiles import Profile
from levity.simulator.statistics import Statistics
from levity.simulator.wire import Answer, Dialer, Outcome

__all__ = ["ChargePoint"]

_STEP = 3.0
"""Seconds between two steps of a diagnostics upload or a firmware update."""


class ChargePoint(Line):
    """A simulated charger. `run()` keeps it alive; the other methods are what people do to it.

    Those methods (plug_in, present_tag, stop, unplug, fault, ...) work whether it is online or not.
    """

    def __init__(
        self,
        identity: str,
        profile: Profile,
        dialer: Dialer,
        *,
        clock: Clock | None = None,
        chance: Random | None = None,
        number: int = 1,
        ledger: Ledger | None = None,
        statistics: Statistics | None = None,
    ) -> None:
        super().__init__(
            identity,
            profile,
            dialer,
            clock=clock or Clock(),
            chance=chance or Random(identity),
            number=number,
            ledger=ledger or Ledger(identity),
            statistics=statistics or Statistics(),
        )
        self._sampling: dict[int, asyncio.Task[None]] = {}
        self._remotely_wanted: dict[int, str] = {}

    def connector(self, number: int) -> Connector:
        """The connector of that number (1 is the first)."""
        return self.connectors[number - 1]

    def plug_in(self, number: int = 1) -> None:
        """A car is plugged in; a charger that was told to start before does so now."""
        connector = self.connector(number)
        self.put(connector.plug_in(self.clock.now()))
        if connector.status == "Preparing":
            tag = self._remotely_wanted.pop(number, None)
            if tag is not None:
                self._start(connector, tag)
            else:
                self._spawn(self._time_preparing_out(connector))

    async def present_tag(self, tag: str, number: int = 1) -> bool:
        """A card is held before the reader. True when charging begins.

        Offline, the charger lets anybody charge (AllowOfflineTxForUnknownId) but those whom its
        local list refuses.
        """
        answer = await self._ask("Authorize", {"idTag": tag})
        if answer.outcome is Outcome.LOST:
            known = self.kept.local_list.entries.get(tag)
            if known is not None and known.get("status") != "Accepted":
                return False
            tag = self.profile.offline_tag or tag
        elif answer.status != "Accepted":
            return False
        return self._start(self.connector(number), tag)

    def stop(self, number: int = 1, *, reason: str = "Local", tag: str | None = None) -> None:
        """The transaction ends; the car stays where it is."""
        self.put(self.connector(number).stop(self.clock.now(), reason, tag))

    def unplug(self, number: int = 1) -> None:
        """The cable is pulled out."""
        self._remotely_wanted.pop(number, None)
        self.put(self.connector(number).unplug(self.clock.now()))

    def fault(self, code: str = "GroundFailure", number: int = 1) -> None:
        """The hardware fails with one of OCPP's error codes."""
        self.put(self.connector(number).fault(self.clock.now(), code))

    def recover(self, number: int = 1) -> None:
        """The fault is gone."""
        self.put(self.connector(number).recover(self.clock.now()))

    def lose_power(self) -> None:
        """The power goes in the middle of everything and comes back; the charger boots again."""
        now = self.clock.now()
        for connector in self.connectors:
            connector.lose_power(now)
        self._stop_sampling()
        self._power_cycle(gently=False)

    async def reboot(self, reason: str | None) -> None:
        """Stop what runs, for `reason`, get it acknowledged if that works soon, and boot again."""
        if reason is None:
            self.lose_power()
            return
        for connector in self.connectors:
            self.put(connector.stop(self.clock.now(), reason))
        await self.quiet(within=10.0)
        self._stop_sampling()
        self._power_cycle(gently=not self.profile.drops_without_close)

    async def charging(self, number: int = 1, *, within: float) -> bool:
        """Wait until a transaction runs; False if none does `within` simulated seconds."""
        connector = self.connector(number)
        return await self._until(lambda: connector.transaction is not None, within)

    async def not_charging(self, number: int = 1, *, within: float) -> bool:
        """Wait until no transaction runs."""
        connector = self.connector(number)
        return await self._until(lambda: connector.transaction is None, within)

    def _start(self, connector: Connector, tag: str) -> bool:
        held = connector.held
        calls = connector.start(self.clock.now(), tag)
        if held is not None and connector.held is None:
            self.kept.reservations.pop(held[0], None)
        self.put(calls)
        if calls:
            self.statistics.started += 1
            self._sample_while_charging(connector)
        return bool(calls)

    def _sample_while_charging(self, connector: Connector) -> None:
        running = self._sampling.pop(connector.number, None)
        if running is not None:
            running.cancel()
        self._sampling[connector.number] = self._spawn(self._sample(connector))

    async def _sample(self, connector: Connector) -> None:
        transaction = connector.transaction
        while transaction is not None and connector.transaction is transaction:
            await self.clock.sleep(float(self.keys["MeterValueSampleInterval"]) or 60.0)
            if (
                self.keys["MeterValueSampleInterval"] != "0"
                and connector.transaction is transaction
            ):
                self.put(connector.sample(self.clock.now(), offline=not self.online))

    def _stop_sampling(self) -> None:
        for task in self._sampling.values():
            task.cancel()
        self._sampling.clear()

    async def _time_preparing_out(self, connector: Connector) -> None:
        since = connector.prepared_at
        await self.clock.sleep(self.profile.connection_timeout)
        if connector.prepared_at is not None and connector.prepared_at == since:
            self.put(connector.preparing_timed_out(self.clock.now()))

    def _after_boot(self) -> None:
        now = self.clock.now()
        self.put(status_notification(self.profile, 0, "Available", "NoError", now))
        for connector in self.connectors:
            self.put(connector.power_returns(now))
            if connector.transaction is not None:
                self._sample_while_charging(connector)

    def _after_reconnect(self) -> None:
        for connector in self.connectors:
            self.put(connector.status_calls(self.clock.now()))

    def _after_answer(self, waiting: Waiting, answer: Answer) -> None:
        """StartTransaction and StopTransaction have been answered, or given up."""
        outgoing = waiting.outgoing
        transaction = outgoing.transaction
        if outgoing.action == "StopTransaction":
            self.statistics.stopped += 1
        if outgoing.action != "StartTransaction" or transaction is None:
            return
        given = (answer.payload or {}).get("transactionId")
        transaction.id = given if isinstance(given, int) else self.profile.id_when_unknown
        refused = answer.outcome is Outcome.RESULT and answer.status != "Accepted"
        connector = self.connector(transaction.connector)
        if refused and self.profile.stops_on_invalid_id and connector.transaction is transaction:
            self.stop(connector.number, reason="DeAuthorized")

    async def _do(self, deed: Deed) -> None:
        match deed:
            case StartRemotely(number, tag):
                await self._start_remotely(self.connector(number), tag)
            case Reboot(reason):
                await self.reboot(reason)
            case RunDiagnostics():
                await self._upload(deed)
            case RunFirmwareUpdate(location):
                await self._update(location)
            case _:
                self._do_at_once(deed)

    def _do_at_once(self, deed: Deed) -> None:
        match deed:
            case StopRemotely(number):
                self.stop(number, reason="Remote")
            case BootAgain():
                self.boot_again()
            case Trigger(action, number):
                self._trigger(action, number)
            case ChangeOperative(number, operative):
                for connector in self._concerned(number):
                    self._spawn(self._change_operative(connector, operative))
            case Unlock(number):
                self.stop(number, reason="UnlockCommand")
                self.unplug(number)
            case SetKey(key, value):
                self.keys[key] = value
            case Reservation():
                self._hold(deed)
            case Free(key):
                self._free(key)
            case KeepList():
                self.kept.local_list = deed
            case LimitPower(number, watts):
                for connector in self._concerned(number):
                    connector.meter.advance(self.clock.now())
                    connector.meter.limit = watts

    def _hold(self, wanted: Reservation) -> None:
        self._free(wanted.id)
        self.kept.reservations[wanted.id] = wanted
        connector = self.connector(wanted.connector)
        self.put(connector.hold(self.clock.now(), wanted.id, wanted.tag))
        self._spawn(self._let_expire(wanted))

    async def _let_expire(self, held: Reservation) -> None:
        left = (held.until - self.clock.now()).total_seconds()
        await self.clock.sleep(max(0.0, left))
        if self.kept.reservations.get(held.id) is held:
            self._free(held.id)

    def _free(self, key: int) -> None:
        held = self.kept.reservations.pop(key, None)
        if held is not None:
            self.put(self.connector(held.connector).free(self.clock.now(), key))

    def _concerned(self, number: int) -> list[Connector]:
        return [each for each in self.connectors if number in (0, each.number)]

    async def _start_remotely(self, connector: Connector, tag: str) -> None:
        if self.profile.remote_start.authorizes:
            answer = await self._ask("Authorize", {"idTag": tag})
            if answer.outcome is not Outcome.LOST and answer.status != "Accepted":
                return
        await self.clock.sleep(self.profile.remote_start.start_delay)
        if not connector.plugged:
            # OCPP 1.6, 5.11: the cable may follow within ConnectionTimeOut.
            self._remotely_wanted[connector.number] = tag
            await self.clock.sleep(self.profile.connection_timeout)
            self._remotely_wanted.pop(connector.number, None)
            return
        self._start(connector, tag)

    async def _change_operative(self, connector: Connector, operative: bool) -> None:
        await self._until(lambda: connector.transaction is None, None)
        self.put(connector.set_operative(self.clock.now(), operative))

    def _trigger(self, action: str, number: int | None) -> None:
        now = self.clock.now()
        concerned = self._concerned(number or 0)
        match action:
            case "Heartbeat":
                self.put((Outgoing("Heartbeat", {}),))
            case "StatusNotification":
                for connector in concerned:
                    self.put(connector.status_calls(now))
            case "MeterValues":
                for connector in concerned:
                    self.put(connector.sample(now, context="Trigger"))
            case _:
                self.put((Outgoing(action, {"status": "Idle"}),))

    async def _upload(self, deed: RunDiagnostics) -> None:
        more = {} if deed.request_id is None else {"requestId": deed.request_id}
        await self._report(deed.action, ("Uploading",), more)
        done = True
        if files.is_real(deed.location):
            content = f"{self.identity} at {self.clock.now().isoformat()}\n".encode() * 200
            known = self.profile.file_protocols
            done = await files.upload(deed.location, deed.name, content, known)
        is_log = deed.action.startswith("Log")
        failed = "UploadFailure" if is_log else "UploadFailed"
        await self._report(deed.action, ("Uploaded" if done else failed,), more)

    async def _update(self, location: str) -> None:
        action = "FirmwareStatusNotification"
        await self._report(action, ("Downloading",))
        version = ""
        if files.is_real(location):
            content = await files.fetch(location, self.profile.file_protocols)
            if content is None:
                await self._report(action, ("DownloadFailed",))
                return
            version = files.version_in(content, location)
        await self._report(action, ("Downloaded", "Installing"))
        if self.profile.fails_updates:
            await self._report(action, ("InstallationFailed",))
            return
        self.firmware = version or self.firmware
        await self._report(action, ("Installed",))
        await self.reboot("Reboot")

    async def _report(
        self, action: str, steps: tuple[str, ...], more: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        for step in steps:
            await self.clock.sleep(_STEP)
            self.put((Outgoing(action, {"status": step, **more}),))
