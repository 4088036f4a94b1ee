"""What a batch did, as events for receivers: derived from what was loaded and from the effects, so
that it costs no statement but the one that writes them, and nothing where nobody wants any.

Sessions that samples join belatedly are not told here but by `changes_told`, which reads their rows
(`needs_rows`). A test holds what is told here against `sessions_changed`, for every way in which a
session changes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from levity.ocpp import events
from levity.ocpp.chargers.faults import is_fault
from levity.ocpp.effects import (
    AdjustTransaction,
    ConnectorStatus,
    RecordIdTag,
    RefuseIdTag,
    ResetConnectors,
    StartTransaction,
    StopTransaction,
    UpdateChargePoint,
    UpdateTransaction,
)
from levity.ocpp.events import Happened, plain
from levity.ocpp.request import ChargePointState, TransactionState
from levity.ocpp.session_events import ACTIVE, session_data
from levity.ocpp.store.late_samples import LATE
from levity.ocpp.store.ledger import is_older
from levity.ocpp.store.loaded import Loaded
from levity.ocpp.store.presence import claims
from levity.ocpp.store.values import Outcome
from levity_ws.rpc.envelope import Connected, Disconnected, Spooled

__all__ = ["Minutes", "needs_rows", "tell_batch"]

# Of a session, one in so long a time.
UPDATES = timedelta(minutes=1)
REMEMBERED = 20_000
SUSPENDED = {"SuspendedEV": "car", "SuspendedEVSE": "charger"}
BOOTED = ("vendor", "model", "firmware_version", "serial_number")


def needs_rows(outcomes: Sequence[Outcome]) -> bool:
    """True if samples may join a session of this batch that came before it was known."""
    for outcome in outcomes:
        if isinstance(outcome.arrival.event, Spooled) and outcome.arrival.event.transaction:
            return True
        for effect in outcome.effects:
            if (
                isinstance(effect, StartTransaction)
                and outcome.arrival.at - effect.started_at > LATE
            ):
                return True
    return False


def tell_batch(
    outcomes: Sequence[Outcome], loaded: Loaded, types: frozenset[str], *, with_sessions: bool
) -> None:
    """Record what these outcomes are to receivers."""
    found: list[Happened] = []
    for outcome in outcomes:
        if outcome.charge_point is not None:
            batch = _Batch(outcome, outcome.charge_point, loaded, types)
            if not outcome.known:
                found += batch.presence()
                found += batch.words()
                found += batch.answers()
            if with_sessions and outcome.effects:
                found += batch.sessions()
    events.tell(found, types)


class Minutes:
    """Which sessions this process has told of within the last minute."""

    def __init__(self) -> None:
        self._last: dict[int, datetime] = {}

    def is_over(self, session: int, at: datetime) -> bool:
        """True, and a minute begins, unless one runs."""
        last = self._last.get(session)
        if last is not None and timedelta() <= at - last < UPDATES:
            return False
        if len(self._last) >= REMEMBERED:
            self._last = {pk: then for pk, then in self._last.items() if at - then < UPDATES}
        self._last[session] = at
        return True


minutes = Minutes()


@dataclass(slots=True)
class _Batch:
    """One outcome of a batch."""

    outcome: Outcome
    charge_point: ChargePointState
    loaded: Loaded
    types: frozenset[str]
    told: set[int] = field(default_factory=set)

    def _event(self, kind: str, data: dict[str, Any], id_tag: str = "") -> Happened:
        return Happened(
            kind,
            self.outcome.arrival.at,
            self.charge_point.id,
            self.charge_point.identity,
            data,
            id_tag,
            self.charge_point.site_id,
        )

    def presence(self) -> Iterator[Happened]:
        """That it came or went."""
        event = self.outcome.arrival.event
        if isinstance(event, Disconnected):
            if self.charge_point.connection == event.connection:
                data: dict[str, Any] = {"code": event.code}
                if event.reason:
                    data["reason"] = event.reason[:255]
                yield self._event("charger.disconnected", data)
        elif claims(self.outcome, self.loaded):
            remote = event.remote if isinstance(event, Connected) else ""
            yield self._event("charger.connected", {"address": remote[:64]} if remote else {})

    def words(self) -> Iterator[Happened]:
        """What it said of itself, its connectors and its cards."""
        said: dict[str, Any] = {}
        for effect in self.outcome.effects:
            if isinstance(effect, ConnectorStatus):
                yield from self._status(effect)
            elif isinstance(effect, UpdateChargePoint):
                said.update(effect.values)
            elif isinstance(effect, ResetConnectors):
                about = {name: said[name] for name in BOOTED if said.get(name)}
                yield self._event("charger.booted", about)
                yield from self._restarted()
            elif isinstance(effect, RecordIdTag):
                yield self._event("tag.unknown", {}, effect.id_tag)
            elif isinstance(effect, RefuseIdTag):
                if effect.is_unknown:
                    yield self._event("tag.unknown", {}, effect.id_tag)
                yield self._event("tag.refused", {"status": effect.status}, effect.id_tag)
        for column, kind in (
            ("firmware_status", "firmware.status"),
            ("diagnostics_status", "diagnostics.status"),
        ):
            if column in said:
                yield self._event(kind, {"status": said[column]})

    def answers(self) -> Iterator[Happened]:
        """How a Call of ours ended."""
        answer = self.outcome.command
        if answer is not None:
            data = {
                "command": answer.command_id,
                "action": self.outcome.action,
                "state": answer.state,
                "result_status": answer.result_status,
                "error_code": answer.error_code,
            }
            yield self._event(
                "command.finished", {name: value for name, value in data.items() if value}
            )

    def _status(self, effect: ConnectorStatus) -> Iterator[Happened]:
        known = self.charge_point.connectors.get(effect.place)
        if is_older(self.outcome, effect, known):
            return
        before = known.status if known else ""
        error = known.error_code if known else ""
        if before == effect.status and error == effect.error_code:
            return
        about: dict[str, Any] = {"evse": effect.evse or None, "connector": effect.connector}
        # Without `info`: what chargers write there may name a card.
        fault = {
            "error_code": effect.error_code,
            "vendor_error_code": effect.vendor_error_code,
        }
        data = {**about, "status": effect.status, "before": before, **fault}
        yield self._event("connector.status", _without_empty(data))
        was, now = is_fault(before, error), is_fault(effect.status, effect.error_code)
        if now and not was:
            data = {**about, "status": effect.status, **fault}
            yield self._event("charger.faulted", _without_empty(data))
        elif was and not now:
            data = {**about, "status": effect.status}
            yield self._event("charger.recovered", _without_empty(data))
        cause = SUSPENDED.get(effect.status)
        running = self.charge_point.active.get(effect.place)
        if cause is not None and running is not None and before != effect.status:
            data = {**_data_of(running, self.charge_point), "by": cause}
            yield self._event("session.suspended", data, running.id_tag)

    def _restarted(self) -> Iterator[Happened]:
        """A fault is over with a boot; if it is still there, it is reported again."""
        for (evse, number), known in sorted(self.charge_point.connectors.items()):
            if is_fault(known.status, known.error_code):
                data = {"evse": evse or None, "connector": number, "by": "boot"}
                yield self._event("charger.recovered", _without_empty(data))

    def sessions(self) -> Iterator[Happened]:
        """How its sessions began, went on, ended and were corrected."""
        begun: dict[int, dict[str, Any]] = {}
        tags: dict[int, str] = {}
        for effect in self.outcome.effects:
            make = _OF_SESSIONS.get(type(effect))
            if make is not None:
                yield from make(self, effect, begun, tags)

    def started(
        self, effect: StartTransaction, begun: dict[int, dict[str, Any]], tags: dict[int, str]
    ) -> Iterator[Happened]:
        """It began."""
        pk = effect.transaction_id
        begun[pk] = {
            "started_at": effect.started_at,
            "meter_start": effect.meter_start,
            "place": (effect.evse, effect.connector),
        }
        tags[pk] = effect.id_tag
        data = _told(pk, ACTIVE, begun[pk], flags=effect.flags)
        yield self._event("session.started", data, effect.id_tag)

    def stopped(
        self, effect: StopTransaction, begun: dict[int, dict[str, Any]], tags: dict[int, str]
    ) -> Iterator[Happened]:
        """It ended, or its end is replaced."""
        pk, before = effect.transaction_id, self._before(effect.transaction_id)
        start = begun.get(pk) or _start_of(before)
        was_over = pk not in begun and before is not None and before.state != ACTIVE
        data = _told(
            pk,
            "orphaned" if effect.orphaned else "stopped",
            start,
            stopped_at=effect.stopped_at,
            meter_stop=effect.meter_stop,
            energy=effect.energy,
            source=effect.energy_source,
            confidence=effect.confidence,
            flags=effect.flags,
            reason=effect.reason,
        )
        tag = tags.get(pk) or (before.id_tag if before else "")
        yield self._event("session.corrected" if was_over else "session.ended", data, tag)

    def adjusted(
        self, effect: AdjustTransaction, begun: dict[int, dict[str, Any]], tags: dict[int, str]
    ) -> Iterator[Happened]:
        """Its neighbours tell more."""
        before = self._before(effect.transaction_id)
        if before is None or _is_same(effect, before):
            return
        data = _told(
            effect.transaction_id,
            before.state,
            _start_of(before),
            stopped_at=before.stopped_at,
            meter_stop=before.meter_stop if effect.meter_stop is None else effect.meter_stop,
            energy=effect.energy,
            source=effect.energy_source,
            confidence=effect.confidence,
            flags=effect.flags,
        )
        yield self._event("session.corrected", data, before.id_tag)

    def updated(
        self, effect: UpdateTransaction, begun: dict[int, dict[str, Any]], tags: dict[int, str]
    ) -> Iterator[Happened]:
        """It goes on, or samples behind its end change it."""
        pk, before = effect.transaction_id, self._before(effect.transaction_id)
        if before is None or pk in begun or pk in self.told:
            return
        flags = tuple(before.flags.split()) if effect.flags is None else effect.flags
        energy = before.energy if effect.energy is None else effect.energy
        if before.state != ACTIVE and effect.reopen_on is None:
            if (set(flags), energy) == (set(before.flags.split()), before.energy):
                return
            kind = "session.corrected"
        else:
            kind = "session.updated"
            if kind not in self.types:
                return
            is_minute = minutes.is_over(pk, self.outcome.arrival.at)
            if not is_minute and effect.reopen_on is None:
                return
        self.told.add(pk)
        is_over = kind == "session.corrected"
        data = _told(
            pk,
            before.state if is_over else ACTIVE,
            _start_of(before),
            stopped_at=before.stopped_at if is_over else None,
            meter_stop=before.meter_stop if is_over else None,
            energy=energy,
            power=None if is_over else effect.power,
            flags=flags,
        )
        yield self._event(kind, data, before.id_tag)

    def _before(self, pk: int) -> TransactionState | None:
        """The session as it was loaded with the batch."""
        near = self.loaded.chains.get(self.charge_point.id, ())
        found = next((item for item in near if item.id == pk), None)
        return found or self.loaded.transactions.get(pk) or self._of_connectors(pk)

    def _of_connectors(self, pk: int) -> TransactionState | None:
        for running in (self.charge_point.active, self.charge_point.interrupted):
            for item in running.values():
                if item.id == pk:
                    return item
        return next((item for item in self.loaded.starts.values() if item.id == pk), None)


_OF_SESSIONS: dict[type, Callable[..., Iterable[Happened]]] = {
    StartTransaction: _Batch.started,
    StopTransaction: _Batch.stopped,
    AdjustTransaction: _Batch.adjusted,
    UpdateTransaction: _Batch.updated,
}


def _is_same(effect: AdjustTransaction, before: TransactionState) -> bool:
    """True if only what the figures were held against is more."""
    return (
        effect.energy == before.energy
        and set(effect.flags) == set(before.flags.split())
        and effect.meter_stop in (None, before.meter_stop)
        and effect.energy_source == getattr(before, "energy_source", effect.energy_source)
        and effect.confidence == getattr(before, "confidence", effect.confidence)
    )


def _start_of(before: TransactionState | None) -> dict[str, Any]:
    if before is None:
        return {"started_at": None, "meter_start": None, "place": (0, None)}
    return {
        "started_at": before.started_at,
        "meter_start": before.meter_start,
        "place": (before.evse, before.connector),
    }


def _told(pk: int, state: str, start: dict[str, Any], **figures: Any) -> dict[str, Any]:
    return session_data(
        pk,
        start["place"],
        state,
        started_at=start["started_at"],
        meter_start=start["meter_start"],
        **figures,
    )


def _data_of(running: TransactionState, charge_point: ChargePointState) -> dict[str, Any]:
    return _told(
        running.id,
        ACTIVE,
        _start_of(running),
        energy=running.energy,
        flags=tuple(running.flags.split()),
    )


def _without_empty(data: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in data.items() if value not in (None, "")}
