"""Sessions: how they begin and end, what their meters say, who charges, what waits for a person."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from levity_ws.frozen import frozen

__all__ = [
    "BY_BOOT",
    "NO_SUCH_TRANSACTION",
    "AdjustTransaction",
    "Quarantine",
    "RecordIdTag",
    "RecordMeterValues",
    "RefuseIdTag",
    "ResolveQuarantined",
    "Sample",
    "StartTransaction",
    "StopTransaction",
    "UpdateTransaction",
]


NO_SUCH_TRANSACTION = "no such transaction"
"""Why a StopTransaction is quarantined whose StartTransaction may still come."""


BY_BOOT = "Reboot"
"""The `reason` of the end that we give a transaction in the middle of which its charger boots.

It may still go on: it stays the connector's until another one begins there.
"""


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
class RefuseIdTag:
    """A tag was refused: nothing is written, receivers of events are told."""

    id_tag: str
    status: str
    """Why: `Blocked`, `Expired`, `Invalid`, `ConcurrentTx`."""
    is_unknown: bool = False


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
