"""What goes into the store and comes out of it."""

from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from levity.ocpp.effects import Effect, SendCall
from levity.ocpp.references import References
from levity.ocpp.request import ChargePointState
from levity.ocpp.rules.admission import Verdict
from levity.ocpp.rules.unknown_start import payer_of, told_connector
from levity.ocpp.versions import V16, Version
from levity.ocpp.wire.fields import known_energy
from levity.ocpp.wire.frames import Frame
from levity_ws.frozen import frozen
from levity_ws.rpc.envelope import Close, Command, Event

__all__ = [
    "Arrival",
    "CommandAnswer",
    "Outcome",
    "Outcomes",
    "StoredMessage",
    "each",
    "start_key",
]

Kind = TypeVar("Kind")


def start_key(payload: Mapping[str, Any], started_at: datetime) -> tuple[Any, ...]:
    """(connector, id tag, time, meter value): what the constraint `transaction_once` is about.

    The connector is None where the StartTransaction does not tell it.
    """
    meter_start = known_energy(payload, "meterStart") or Decimal(0)
    return told_connector(payload), payer_of(payload)[0], started_at, meter_start


@frozen
class Arrival:
    """One event of a batch, identified: what it is and when it came."""

    event: Event
    at: datetime
    frame: Frame | None = None
    """For `received` events only."""
    references: References = References()
    version: Version = V16
    """In which the frame is."""

    @property
    def connection(self) -> str:
        """The connection it came on."""
        return self.event.connection


@frozen
class StoredMessage:
    """A Call that this connection sent before, and what it was answered."""

    seq: int
    request: str
    response: str


@frozen
class CommandAnswer:
    """The end of a Call of ours, as the charger's frame tells it."""

    command_id: int
    connection: str
    """On which the Call was sent."""
    unique_id: str
    state: str
    late: bool
    followed: bool
    """Another Call waits for this charge point."""
    is_awaited: bool = False
    """Somebody may be waiting for it: it is no Call that Levity makes by itself."""
    result: str | None = None
    """JSON text."""
    result_status: str = ""
    error_code: str = ""
    error_description: str = ""


@dataclass(slots=True)
class Outcome:
    """What an arrival leads to: the answer, the effects, the row in the message log."""

    arrival: Arrival
    charge_point: ChargePointState | None
    commands: tuple[Command, ...] = ()
    """For the edge, besides the answer."""
    elsewhere: tuple[tuple[str, Close], ...] = ()
    """For other edges: (edge id, command)."""
    answer: str = ""
    """The frame for the charger; empty for silence."""
    action: str = ""
    unique_id: str = ""
    transaction_id: int | None = None
    error_code: str = ""
    error_description: str = ""
    effects: tuple[Effect, ...] = ()
    payload: Any = None
    """The Call's payload, for the quarantine."""
    alias: tuple[int, int] | None = None
    """(the leased id that the edge has given, the transaction's own id), where they differ."""
    known: bool = False
    """The event is already recorded: answer, but write nothing."""
    command: CommandAnswer | None = None
    """The Call of ours that this frame ends."""
    verdict: Verdict | None = None
    """What became of a handshake."""
    is_news: bool = False
    """A refusal that was not told in the last minutes."""

    @property
    def commands_due(self) -> bool:
        """True if a Call was queued, or one was answered and the next may go.

        Where none follows there is nothing to look for: a look costs as much as half a frame.
        """
        if self.command is not None and self.command.followed:
            return True
        return bool(self.effects) and any(
            isinstance(effect, SendCall) and not effect.delay for effect in self.effects
        )


class Outcomes(list[Outcome]):
    """Outcomes whose effects are what they will be: `each` finds those of a kind without a look at
    all others. There are fifty kinds to look for, and hardly more effects than frames."""

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        super().__init__(outcomes)
        self._by_kind: dict[type, list[Any]] = {}
        for outcome in self:
            if outcome.charge_point is not None:
                for effect in outcome.effects:
                    item = outcome, outcome.charge_point, effect
                    self._by_kind.setdefault(type(effect), []).append(item)

    @property
    def kinds(self) -> KeysView[type]:
        """Of which kinds there are effects."""
        return self._by_kind.keys()

    def of(self, kind: type[Kind]) -> list[tuple[Outcome, ChargePointState, Kind]]:
        """All of this very kind, in the order of their outcomes."""
        return self._by_kind.get(kind, [])


def each(
    outcomes: Sequence[Outcome], kind: type[Kind]
) -> Iterator[tuple[Outcome, ChargePointState, Kind]]:
    """Every effect of this kind, with the outcome it belongs to and that one's charge point."""
    if isinstance(outcomes, Outcomes):
        return iter(outcomes.of(kind))
    return _each(outcomes, kind)


def _each(
    outcomes: Sequence[Outcome], kind: type[Kind]
) -> Iterator[tuple[Outcome, ChargePointState, Kind]]:
    for outcome in outcomes:
        if outcome.charge_point is not None:
            for effect in outcome.effects:
                if isinstance(effect, kind):
                    yield outcome, outcome.charge_point, effect
