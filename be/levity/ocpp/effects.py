"""What a handler wants to have happened, in the words of the domain; `store.apply` does it.

The same for every OCPP version. All are values: frozen, comparable, without behaviour. Energy is
in Wh and power in W, as Decimal; times are aware datetimes in UTC.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from levity_ws.frozen import frozen

__all__ = [
    "ASK_FOR_BOOT",
    "AUTOMATIC",
    "BY_BOOT",
    "LEARNED_INTERVAL",
    "NO_SUCH_TRANSACTION",
    "AdjustTransaction",
    "CertificateInstalled",
    "CertificateRefused",
    "ConnectorStatus",
    "Effect",
    "KeyAccepted",
    "KeyRefused",
    "LookAgain",
    "NoteSecurityEvent",
    "ProfileAccepted",
    "Quarantine",
    "RecordIdTag",
    "RecordMeterValues",
    "RequestCertificate",
    "ResetConnectors",
    "ResolveQuarantined",
    "Sample",
    "SendCall",
    "StartTransaction",
    "StopTransaction",
    "UpdateChargePoint",
    "UpdateTransaction",
]


NO_SUCH_TRANSACTION = "no such transaction"
"""Why a StopTransaction is quarantined whose StartTransaction may still come."""


BY_BOOT = "Reboot"
"""The `reason` of the end that we give a transaction in the middle of which its charger boots.

It may still go on: it stays the connector's until another one begins there.
"""


ASK_FOR_BOOT = "AskForBoot"
"""The `source` of the one Call that a charger with `boot_first` is sent before its boot."""


AUTOMATIC = "AutoRemoteStart"
"""The `source` of a start that nobody asked for: whoever means to charge goes before it."""


LEARNED_INTERVAL = "LearnedInterval"
"""The `source` of the Call that tells a charger the interval that was learned about its line."""


@frozen
class UpdateChargePoint:
    """The charge point said something of itself; keys are fields of `ChargePoint`."""

    values: Mapping[str, Any]


@frozen
class ResetConnectors:
    """The charger booted: what its connectors said before no longer counts."""


@frozen
class ConnectorStatus:
    """A connector changed, or repeated, its status."""

    connector: int
    status: str
    error_code: str = ""
    info: str = ""
    vendor_id: str = ""
    vendor_error_code: str = ""
    reported_at: datetime | None = None
    """The charger's clock; None if it didn't say."""
    evse: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """(EVSE, connector)."""
        return self.evse, self.connector


@frozen
class StartTransaction:
    """A transaction begins. Its id was reserved before the handler ran (`request.new_id`)."""

    transaction_id: int
    connector: int | None
    """None: it is not known on which."""
    id_tag: str
    meter_start: Decimal | None
    """None: the charger told no register; the samples count."""
    started_at: datetime
    reservation_id: int | None = None
    flags: tuple[str, ...] = ()
    evse: int = 0
    occurrence: int = 0
    """Which session of these same words it is (see `Request.occurrence`)."""
    wire_id: str = ""
    """The charger's own id of it, where the version leaves that to the charger."""
    seq_no: int | None = None
    """The number of the event, where events are numbered."""

    @property
    def place(self) -> tuple[int, int]:
        """(EVSE, connector); 0 for one that is not known."""
        return self.evse, self.connector or 0


@frozen
class StopTransaction:
    """A transaction ends, by the charger's word or (orphaned) by our own conclusion.

    `flags` are all of the transaction's from now on (`request.with_flags`).
    """

    transaction_id: int
    meter_stop: Decimal | None
    stopped_at: datetime
    energy: Decimal | None
    reason: str
    id_tag: str = ""
    orphaned: bool = False
    flags: tuple[str, ...] = ()
    energy_source: str = ""
    confidence: str = ""
    checks: str = ""
    """What the figures were held against (`rules.chain.books`)."""
    repair: str = ""
    """Why an end that was recorded is replaced, in a sentence for people: it leaves a
    `SessionRepair`."""
    old_energy: Decimal | None = None
    old_confidence: str = ""


@frozen
class AdjustTransaction:
    """The figures of a session that has ended are others now: its neighbours on the connector say
    more than it could say by itself. The change leaves a `SessionRepair`."""

    transaction_id: int
    energy: Decimal | None
    energy_source: str
    confidence: str
    flags: tuple[str, ...]
    """All of the transaction's from now on."""
    checks: str
    meter_stop: Decimal | None = None
    """None: as it is."""
    reason: str = ""
    """Why, in a sentence for people; empty: the figures are the same, only what they were held
    against is more."""
    old_energy: Decimal | None = None
    old_confidence: str = ""


@frozen
class UpdateTransaction:
    """A running transaction's live figures moved on; None leaves a figure as it is.

    `reopen_on`: it had been closed as orphaned, and the charger goes on with it on this connector.
    """

    transaction_id: int
    meter_last: Decimal | None = None
    meter_last_at: datetime | None = None
    energy: Decimal | None = None
    power: Decimal | None = None
    reopen_on: int | None = None
    flags: tuple[str, ...] | None = None
    """All of the transaction's from now on."""
    lives: str | None = None
    """What its samples have shown so far (`lives.Trail`)."""
    seq_no: int | None = None
    """The number of the newest event, where events are numbered."""


@frozen
class Sample:
    """One sampled value; texts as the charger sent them, `value` in base units (Wh, W, A, V)."""

    sampled_at: datetime
    measurand: str
    raw_value: str
    value: Decimal | None
    unit: str = ""
    phase: str = ""
    location: str = ""
    context: str = ""
    format: str = ""


@frozen
class RecordMeterValues:
    """Samples of one connector, of a transaction where it is known."""

    connector: int
    transaction_id: int | None
    samples: tuple[Sample, ...]
    evse: int = 0


@frozen
class RecordIdTag:
    """An unknown tag was used: note it, so that a person can approve or block it."""

    id_tag: str
    type: str = ""
    """What kind of token it is, where the version of OCPP says it."""


@frozen
class SendCall:
    """Queue a Call to this charge point.

    `delay` from now on; `expires_after` counts from the delay's end. With `only_while` it is
    sent only while that connector has that status, has had it since `only_since`, and is held for
    nobody else; with `this_connection` only on the websocket on which the request came. A second
    one with the same `key` is ignored for ever.
    """

    action: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    delay: timedelta = timedelta()
    expires_after: timedelta | None = None
    only_while: tuple[int, str] | None = None
    only_since: datetime | None = None
    this_connection: bool = False
    key: str = ""
    source: str = ""


@frozen
class LookAgain:
    """Whoever was waited for at this charge point is served: starts that were put off may go."""


@frozen
class Quarantine:
    """Keep this Call for a person to look at: it was answered but is not recorded."""

    reason: str
    transaction_id: int | None = None
    """The transaction that it is about, or that its answer names."""
    resolution: str = ""
    """Why nobody has to decide anything: the row is kept as a trace, resolved from the start."""
    displaced: Mapping[str, Any] | None = None
    """Not this Call, but the payload of an earlier one of the same action, as far as the books kept
    it: the end of a session that this Call shows to be another's."""
    displaced_at: datetime | None = None
    """When that one came."""


@frozen
class ResolveQuarantined:
    """What waited in the quarantine has found its transaction."""

    quarantined_id: int
    transaction_id: int
    resolution: str


@frozen
class RequestCertificate:
    """The charger wants a certificate for its own key; our authority may sign it.

    It waits for a person's approval unless it `is_approved`. It replaces one that waits.
    """

    csr: str
    """PEM."""
    key_kind: str
    key_fingerprint: str
    is_approved: bool = False
    trigger: int | None = None
    """The command that asked the charger for it."""


@frozen
class KeyAccepted:
    """The charger has taken the key that this command of ours gave it: the old one is void."""

    command_id: int


@frozen
class KeyRefused:
    """The charger keeps its key: the one that this command of ours gave it is void."""

    command_id: int


@frozen
class ProfileAccepted:
    """The charger is going to connect with this security profile."""

    profile: int


@frozen
class CertificateInstalled:
    """The charger has taken the certificate that this command of ours brought."""

    command_id: int


@frozen
class CertificateRefused:
    """The charger has not taken the certificate that this command of ours brought."""

    command_id: int
    said: str
    """A status or an error code; empty for neither."""


@frozen
class NoteSecurityEvent:
    """Something that may be an attack."""

    type: str
    detail: str = ""
    at: datetime | None = None


Effect = (
    UpdateChargePoint
    | AdjustTransaction
    | ResetConnectors
    | ConnectorStatus
    | StartTransaction
    | StopTransaction
    | UpdateTransaction
    | RecordMeterValues
    | RecordIdTag
    | SendCall
    | LookAgain
    | Quarantine
    | ResolveQuarantined
    | NoteSecurityEvent
    | RequestCertificate
    | KeyAccepted
    | KeyRefused
    | ProfileAccepted
    | CertificateInstalled
    | CertificateRefused
)
