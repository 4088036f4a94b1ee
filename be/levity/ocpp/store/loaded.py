"""What the database knew of a batch, as handlers and writers ask for it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from levity.ocpp.references import References
from levity.ocpp.request import (
    ChargePointState,
    EarlyStop,
    IdTagState,
    Place,
    RecordedSession,
    SigningState,
    TransactionState,
)
from levity.ocpp.rules.chain.plain import Figures
from levity.ocpp.store.handshakes import Handshakes
from levity.ocpp.store.values import StoredMessage
from levity_ws.frozen import frozen

__all__ = ["KnownCommand", "Loaded", "Near"]

Near = tuple[int, Place, datetime]
"""(charge point id, place, time): around this time, on this connector."""


@frozen
class KnownCommand:
    """A Call of ours that a frame answers."""

    id: int
    charge_point_id: int
    state: str
    action: str
    connection: str
    followed: bool
    """Another one waits for this charge point, asked for later."""
    payload: Any = None
    """As it may be shown."""
    source: str = ""
    confirmed_by: str = ""
    """What showed that it was carried out, before its own answer came."""


@dataclass(slots=True)
class Loaded:
    """What the database knew when the batch began."""

    charge_points: dict[str, ChargePointState] = field(default_factory=dict)
    """By identity in lower case."""
    last_seen: dict[int, datetime | None] = field(default_factory=dict)
    edges: dict[int, str | None] = field(default_factory=dict)
    """Charge point id -> the edge on which its connection hangs."""
    messages: dict[tuple[str, str], tuple[StoredMessage, ...]] = field(default_factory=dict)
    """By (connection, unique id): the last Calls with this id, the newest first."""
    taken: dict[tuple[str, int], StoredMessage] = field(default_factory=dict)
    """By (connection, seq): frames of this batch that are already recorded."""
    transactions: dict[int, TransactionState] = field(default_factory=dict)
    starts: dict[tuple[Any, ...], TransactionState] = field(default_factory=dict)
    """By (charge point id, connector, id tag, started at, meter start)."""
    start_keys: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """By connection: the key, as in `starts`, of the StartTransaction that came on it."""
    occurrences: dict[tuple[Any, ...], int] = field(default_factory=dict)
    """By such a key: how many sessions told in these words there were, where this is a new one."""
    quarantined: dict[tuple[int, str], int] = field(default_factory=dict)
    """(charge point id, payload hash) of a StartTransaction -> the id it was answered."""
    early_stops: dict[int, tuple[EarlyStop, ...]] = field(default_factory=dict)
    """By charge point id: StopTransactions in the quarantine whose transaction nobody knew."""
    id_tags: dict[str, IdTagState] = field(default_factory=dict)
    """By id tag in lower case."""
    chains: dict[int, tuple[RecordedSession, ...]] = field(default_factory=dict)
    """By charge point id: the sessions that lie near, in the order of their ids."""
    beside: dict[int, Figures | None] = field(default_factory=dict)
    """By charge point id: the session before the one that begins or ends, on its connector, where
    that one is the newest there, and no other is needed to understand the message. None where it
    is the only one there."""
    near: dict[int, tuple[Near, ...]] = field(default_factory=dict)
    """By such a charge point: what of its chain is loaded if it is needed all the same."""
    commands: dict[str, KnownCommand] = field(default_factory=dict)
    """By unique id."""
    connections: set[tuple[str, str]] = field(default_factory=set)
    """(connection, kind) of the connection events recorded."""
    new_ids: list[int] = field(default_factory=list)
    leased: tuple[int, ...] = ()
    """Transaction ids for the edge that asks for a lease."""
    handshakes: Handshakes = field(default_factory=Handshakes)
    signing: dict[str, SigningState] = field(default_factory=dict)
    """By connection, of those who ask for a certificate."""

    def charge_point(self, identity: str) -> ChargePointState | None:
        """The charge point of this identity, however it is spelled."""
        return self.charge_points.get(identity.lower())

    def take_new_id(self, charge_point_id: int, references: References, *, again: int = 0) -> int:
        """The transactionId for a StartTransaction that is not recorded.

        One that was quarantined keeps the id it was answered when it first came; not so where
        there were sessions in the same words before (`again`).
        """
        if again:
            return self.new_ids.pop()
        key = (charge_point_id, references.payload_hash)
        if key not in self.quarantined:
            self.quarantined[key] = self.new_ids.pop()
        return self.quarantined[key]

    def has_begun(self, id_tag: IdTagState, transaction_id: int) -> None:
        """This session has begun in this batch: it counts for the limits of the frames after it."""
        if id_tag.max_transactions is None and id_tag.parent_max_transactions is None:
            return
        one = frozenset((transaction_id,))
        own, group = id_tag.id_tag.lower(), id_tag.parent.lower()
        for key, other in self.id_tags.items():
            if key in (own, group):
                self.id_tags[key] = replace(other, active=other.active | one)
            if other.parent and other.parent.lower() in (own, group):
                changed = self.id_tags[key]
                self.id_tags[key] = replace(changed, parent_active=other.parent_active | one)
