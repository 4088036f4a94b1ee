"""What a handler is given and what it gives back: the `Request` and the `Response`.

A request carries everything that a handler may want to know, loaded in bulk before it runs: a
handler asks nobody anything, not even the clock.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from levity.ocpp.chargers.clocks import Lag
from levity.ocpp.chargers.quirks.profile import DEFAULT, QuirkProfile
from levity.ocpp.effects import Effect
from levity.ocpp.wire.fields import time_of
from levity_ws.frozen import frozen

__all__ = [
    "NO_LAG",
    "ChargePointState",
    "ConnectorState",
    "EarlyStop",
    "GetEffects",
    "GetResponse",
    "IdTagState",
    "Place",
    "RecordedSession",
    "Request",
    "Response",
    "Result",
    "Senseless",
    "SigningState",
    "TransactionState",
    "with_flags",
    "without_flags",
]

NO_LAG = Lag()

Place = tuple[int, int]
"""(EVSE, connector). OCPP 1.6 knows no EVSE: there it is 0."""


@frozen
class TransactionState:
    """A transaction as it was when the batch was loaded."""

    id: int
    charge_point_id: int
    connector: int | None
    """None: it is not known on which it runs, or ran."""
    state: str
    """`active`, `stopped` or `orphaned`."""
    id_tag: str
    started_at: datetime
    meter_start: Decimal | None
    """Wh. None: the charger told no register at the start."""
    stopped_at: datetime | None = None
    meter_stop: Decimal | None = None
    energy: Decimal | None = None
    meter_last: Decimal | None = None
    meter_last_at: datetime | None = None
    flags: str = ""
    stop_reason: str = ""
    start_received_at: datetime | None = None
    """Our clock."""
    occurrence: int = 0
    """Which session of the same words it is."""
    lives: str = ""
    """What its samples have shown (`lives.Trail`)."""
    evse: int = 0

    @property
    def place(self) -> Place:
        """Where it runs, or ran; 0 for a connector that is not known."""
        return self.evse, self.connector or 0

    @property
    def register_at_start(self) -> Decimal:
        """Wh that the register showed at the start; 0 where the charger told none."""
        return Decimal(0) if self.meter_start is None else self.meter_start

    @property
    def newest_register(self) -> Decimal:
        """Wh that the register showed last, as far as that is known."""
        return self.register_at_start if self.meter_last is None else self.meter_last


@frozen
class RecordedSession(TransactionState):
    """A session near in time of the same charge point, with what its figures come to."""

    stop_received_at: datetime | None = None
    stop_id_tag: str = ""
    """As its end was told."""
    energy_source: str = ""
    confidence: str = ""
    checks: str = ""
    """Its own figures, and what they were held against (`rules.chain.books`)."""


def with_flags(flags: str, more: Iterable[str]) -> tuple[str, ...]:
    """The space-separated flags of a transaction and more of them, each once."""
    return tuple(dict.fromkeys([*flags.split(), *more]))


def without_flags(flags: str, *names: str) -> str:
    """The space-separated flags of a transaction but for these."""
    return " ".join(item for item in flags.split() if item not in names)


@frozen
class EarlyStop:
    """A StopTransaction that waits in the quarantine: its transaction was not recorded."""

    id: int
    payload: Mapping[str, Any]
    received_at: datetime


@frozen
class ConnectorState:
    """A connector as it was when the batch was loaded."""

    number: int
    status: str
    status_since: datetime | None
    transaction_id: int | None
    error_code: str = ""
    status_at: datetime | None = None
    """The charger's clock, when it told its status last."""
    evse: int = 0


@frozen
class IdTagState:
    """A known id tag."""

    id_tag: str
    status: str
    """`Accepted`, `Blocked`, or `Recorded` (noted, waits for approval)."""
    expires_at: datetime | None = None
    parent: str = ""
    charge_points: frozenset[int] = frozenset()
    """Ids of the charge points where it may charge; empty: everywhere."""
    max_transactions: int | None = None
    active: frozenset[int] = frozenset()
    """Ids of the transactions that run with it, or with a tag whose group it is; loaded where
    `max_transactions` limits them."""
    parent_status: str = ""
    """Of its group, if it has one, like the following."""
    parent_expires_at: datetime | None = None
    parent_max_transactions: int | None = None
    parent_active: frozenset[int] = frozenset()
    """Ids of the transactions of the whole group; loaded where `parent_max_transactions` limits
    them."""


@frozen
class ChargePointState:
    """The charge point that speaks, as it was when the batch was loaded."""

    id: int
    identity: str
    registration: str = "Accepted"
    authorization: str = "anonymous"
    """Who may charge here: `anonymous`, `known` or `record`."""
    heartbeat_interval: int = 300
    retry_interval: int = 60
    """Seconds after which it may send BootNotification again if it is not accepted."""
    vendor: str = ""
    model: str = ""
    firmware_version: str = ""
    connection: str | None = None
    connected_at: datetime | None = None
    """When its newest connection opened, by the clock of that connection's edge."""
    quirks: QuirkProfile = DEFAULT
    zone: tzinfo = UTC
    """What its times without an offset mean."""
    ping_interval: float = 0.0
    """Seconds between websocket pings; 0: none."""
    own_interval: int | None = None
    """What this charge point's own heartbeat interval is set to."""
    learned_silence: int | None = None
    """Seconds of silence after which its line ends, as was seen again and again."""
    quirk_choice: tuple[str, str] = ("", "")
    """The quirk profile that it is given by name, and its overrides, as JSON text."""
    learned_at: datetime | None = None
    """When it was learned that its line ends in silence, and with that its interval."""
    booted_at: datetime | None = None
    """When it booted last."""
    known_since: datetime | None = None
    """When it was heard of first, or added."""
    evidence_until: datetime | None = None
    """A Call of ours has no answer; until then its messages may show what became of it."""
    certificate_name: str = ""
    """The common name of its certificate; empty: its identity."""
    max_power: int = 43_000
    """W of one connector at most."""
    power_is_told: bool = False
    """Somebody has set what its connectors can deliver."""
    site_id: int | None = None
    """Where it stands."""
    learned_power: int = 0
    """W that it was seen to deliver, where that is more than the usual maximum."""
    connectors: Mapping[Place, ConnectorState] = field(default_factory=dict)
    """By place; loaded for the messages that are about connectors."""
    holds: str = ""
    """Who is about to charge, as `holds.Holds` reads it."""
    connection_timeout: int | None = None
    """Seconds, as its configuration says."""
    lag: Lag = NO_LAG
    """Of its clock."""
    active: Mapping[Place, TransactionState] = field(default_factory=dict)
    """The running transaction of each connector, by its place."""
    interrupted: Mapping[Place, TransactionState] = field(default_factory=dict)
    """By place: the transaction that was closed there when the charger booted, as
    long as no other has begun."""

    def time_of(self, value: Any, *, fold: int = 0) -> datetime | None:
        """What this text of the charger's means as a time, in UTC, by its zone and its habits.

        `fold`: 1 for the second of the hour that comes twice in a local time.
        """
        return time_of(value, self.zone, always_local=self.quirks.local_time_as_utc, fold=fold)


@frozen
class SigningState:
    """What is known when a charger asks for a certificate."""

    has_authority: bool = False
    """There is a certificate authority of ours."""
    is_proved: bool = False
    """The charger has proved on this connection, over TLS, who it is (profile 2 or 3)."""
    trigger: int | None = None
    """The command of ours that asked for it a short while ago, not used yet."""
    waiting_key: str = ""
    """Fingerprint of the key whose request waits for approval."""
    requests_today: int = 0
    """Within the last 24 hours."""


@frozen
class Request:
    """One Call of a charger, with all that is known about it."""

    action: str
    payload: Mapping[str, Any]
    unique_id: str
    connection: str
    received_at: datetime
    charge_point: ChargePointState
    id_tag: IdTagState | None = None
    """The tag that the payload names, if we know it."""
    transaction: TransactionState | None = None
    """The transaction that the payload means, of whichever charge point, if there is one."""
    repeated: TransactionState | None = None
    """StartTransaction only: the same one, already recorded."""
    new_id: int | None = None
    """StartTransaction only: the id reserved for it, if it is a new one."""
    occurrence: int = 0
    """StartTransaction only: how many sessions in the same words there were before, of a charger
    whose clock was never set."""
    early_stops: tuple[EarlyStop, ...] = ()
    """StartTransaction only: those of this charge point that may be its end."""
    chain: tuple[RecordedSession, ...] = ()
    """The sessions of this charge point that lie near in time, running or ended, on all of its
    connectors, in the order of their ids. Loaded for messages that begin or end a session in
    another way than nearly all do (`rules.chain.plain`), and for samples that name a session that
    does not run; empty for others."""
    is_plain: bool = False
    """It begins or ends the session that it names as nearly all do: what lies near was seen at a
    glance, and nothing speaks against the id."""
    signing: SigningState = SigningState()
    """SignCertificate only."""
    findings: tuple[str, ...] = ()
    """How the payload departs from the official schema without being senseless."""
    subprotocol: str = ""
    """In which version of OCPP the message is; empty: 1.6."""

    def time(self, name: str) -> datetime | None:
        """The charger's time in this field of the payload; None if it can't be true."""
        return self.charge_point.time_of(self.payload.get(name))


@frozen
class Response:
    """The answer's payload, and what is to happen."""

    payload: Mapping[str, Any]
    effects: tuple[Effect, ...] = ()

    def adding(self, *effects: Effect) -> "Response":
        """The same response with these effects behind its own."""
        return Response(self.payload, (*self.effects, *effects))


@frozen
class Senseless:
    """A transaction message that makes no sense, with what is known about it all the same."""

    payload: Any
    """As it came; it need not be an object."""
    received_at: datetime
    charge_point: ChargePointState
    id_tag: str = ""
    """The tag that it names."""
    transaction: TransactionState | None = None
    """The transaction that it names, of whichever charge point."""
    transaction_id: int | None = None
    """By which it is found; one that begins a transaction has got a new one."""


@frozen
class Result:
    """The answer to a Call of ours, with what was asked."""

    asked: Mapping[str, Any]
    """The Call's payload, with its secrets masked."""
    command_id: int
    charge_point: ChargePointState
    received_at: datetime
    payload: Any = None
    """What a CALLRESULT says; None for a CALLERROR."""
    status: str = ""
    """The `status` in it, in OCPP's spelling; empty if there is none."""
    error_code: str = ""
    """Of a CALLERROR."""
    is_unreadable: bool = False
    """Something came, and nobody knows what it would have said."""
    is_automatic: bool = False
    """Nobody asked for that Call (`effects.AUTOMATIC`)."""


GetEffects = Callable[[Result], tuple[Effect, ...]]
GetResponse = Callable[[Request], Response]
