"""Who has said that they will charge in a moment, so that nobody else is started in their place.

A card that was authorised holds every connector of its charger: Authorize names none. A
RemoteStartTransaction that was accepted holds the connector that it names, or all of them. The
hold ends with the session that it was for, or after the charger's connection time-out. A card that
was refused holds nothing; but the car that it was presented for is not started as anybody else's.
A reservation that the charger has accepted holds its connector until it ends or is used.

What is known stands in one column of the charge point, `holds`, as JSON.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from levity.ocpp.conf import setting
from levity.ocpp.wire.fields import same_tag
from levity_ws.frozen import frozen

__all__ = ["ANY", "Hold", "Holds", "Refusal", "Reserved", "patience"]

# As many cards as anybody presents within a connection time-out; the oldest go first.
MOST = 20
ANY = 0
"""The connector of a hold on all of them."""


@frozen
class Hold:
    """This tag may begin a session there until then."""

    id_tag: str
    connector: int
    at: datetime
    until: datetime
    is_reserved: bool = False
    """By a reservation, which a person has made."""


@frozen
class Reserved:
    """This connector, or any of them, is kept for this tag or another of its group."""

    number: int
    connector: int
    id_tag: str
    parent: str
    at: datetime
    until: datetime

    def is_for(self, id_tag: str, parent: str) -> bool:
        """True if a tag of this group may use it."""
        return same_tag(self.id_tag, id_tag) or bool(
            self.parent and parent and same_tag(self.parent, parent)
        )


@frozen
class Refusal:
    """This tag was refused, so whoever presented it is not started as somebody else."""

    id_tag: str
    connector: int
    status: str
    at: datetime


@frozen
class Holds:
    """All that is known of one charge point; a value."""

    holds: tuple[Hold, ...] = ()
    refusal: Refusal | None = None
    reserved: tuple[Reserved, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Holds":
        """What this column says."""
        if not text:
            return cls()
        found = orjson.loads(text)
        refused = found.get("refused")
        return cls(
            tuple(
                Hold(tag, connector, _time(at), _time(until))
                for tag, connector, at, until in found.get("held", ())
            ),
            Refusal(refused[0], refused[1], refused[2], _time(refused[3])) if refused else None,
            tuple(
                Reserved(number, connector, tag, parent, _time(at), _time(until))
                for number, connector, tag, parent, at, until in found.get("reserved", ())
            ),
        )

    def text(self) -> str:
        """The same as the column keeps it."""
        found: dict[str, Any] = {}
        if self.holds:
            found["held"] = [
                (item.id_tag, item.connector, item.at.timestamp(), item.until.timestamp())
                for item in self.holds
            ]
        if self.refusal:
            told = self.refusal
            found["refused"] = (told.id_tag, told.connector, told.status, told.at.timestamp())
        if self.reserved:
            found["reserved"] = [
                (
                    *(item.number, item.connector, item.id_tag, item.parent),
                    *(item.at.timestamp(), item.until.timestamp()),
                )
                for item in self.reserved
            ]
        return orjson.dumps(found).decode() if found else ""

    def held(self, id_tag: str, connector: int, at: datetime, wait: timedelta) -> "Holds":
        """This tag was let in at this time.

        A charger that authorises the tag of a RemoteStartTransaction itself (AuthorizeRemoteTx-
        Requests) means the connector of that one.
        """
        known = [item for item in self.holds if same_tag(item.id_tag, id_tag) and item.until > at]
        if connector == ANY and known:
            connector = known[-1].connector
        others = [
            item for item in self.holds if not same_tag(item.id_tag, id_tag) and item.until > at
        ]
        holds = (*others[1 - MOST :], Hold(id_tag[:64], connector, at, at + wait))
        return Holds(holds, reserved=self.reserved)

    def refused(self, id_tag: str, connector: int, status: str, at: datetime) -> "Holds":
        """This tag was refused at this time."""
        return replace(self.without(id_tag), refusal=Refusal(id_tag[:64], connector, status, at))

    def without(self, id_tag: str, connector: int = ANY) -> "Holds":
        """The session of this tag has begun on this connector, or one of its has ended.

        Whoever held just that connector has it now, whatever the charger made of the tag.
        """
        kept = tuple(
            item
            for item in self.holds
            if not same_tag(item.id_tag, id_tag)
            and (connector == ANY or item.connector != connector)
        )
        return self if len(kept) == len(self.holds) else replace(self, holds=kept)

    def after_stop(self, id_tag: str, connector: int) -> "Holds":
        """A session of this tag has ended on this connector: the card was presented for that.

        Another start of the same tag that was accepted for another connector goes on holding that.
        """
        kept = tuple(
            item
            for item in self.holds
            if not same_tag(item.id_tag, id_tag) or item.connector not in (ANY, connector)
        )
        return self if len(kept) == len(self.holds) else replace(self, holds=kept)

    def reserving(self, wanted: Reserved) -> "Holds":
        """The charger has accepted this reservation; one of the same number is replaced by it."""
        others = [
            item
            for item in self.reserved
            if item.number != wanted.number and item.until > wanted.at
        ]
        return replace(self, reserved=(*others[1 - MOST :], wanted))

    def unreserved(self, number: int) -> "Holds":
        """This reservation is over."""
        kept = tuple(item for item in self.reserved if item.number != number)
        return self if len(kept) == len(self.reserved) else replace(self, reserved=kept)

    def reservation_used(
        self, connector: int, id_tag: str, parent: str, began: datetime
    ) -> Reserved | None:
        """The reservation that a session of this tag, begun there at this time, makes use of."""
        fitting = [
            item
            for item in self.reserved
            if item.connector in (ANY, connector)
            and item.at <= began < item.until
            and item.is_for(id_tag, parent)
        ]
        # The one of just this connector goes before one of the whole charger.
        return max(fitting, key=lambda item: (item.connector != ANY, -item.number), default=None)

    def has_lost(self, before: "Holds", at: datetime) -> bool:
        """True if somebody who held a connector before, and still then, does so no longer."""
        kept = {(item.id_tag.lower(), item.connector) for item in self.holds}
        return any(
            item.until > at and (item.id_tag.lower(), item.connector) not in kept
            for item in before.holds
        )

    def hold_on(
        self, connector: int, id_tag: str, now: datetime, *, others_are_free: bool = False
    ) -> Hold | None:
        """Who holds this connector against this tag, and longest.

        A reservation of any connector holds none while there is another that is free.
        """
        reserved = [
            Hold(item.id_tag, item.connector, item.at, item.until, is_reserved=True)
            for item in self.reserved
            if item.connector != ANY or not others_are_free
        ]
        against = [
            item
            for item in (*self.holds, *reserved)
            if item.until > now
            and item.connector in (ANY, connector)
            and not same_tag(item.id_tag, id_tag)
        ]
        return max(against, key=lambda item: item.until, default=None)

    def refusal_on(
        self, connector: int, id_tag: str, plugged_in: datetime, wait: timedelta
    ) -> Refusal | None:
        """The card that was refused to the car that is plugged in there since then.

        The card may have come first, by as long as a charger waits for the cable.
        """
        told = self.refusal
        if told is None or same_tag(told.id_tag, id_tag) or told.connector not in (ANY, connector):
            return None
        return told if told.at >= plugged_in - wait else None


def patience(own: int | None) -> timedelta:
    """How long a charger waits between the card and the cable; `own` is its own value, if known."""
    return timedelta(seconds=own or setting("OCPP_CONNECTION_TIMEOUT"))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
