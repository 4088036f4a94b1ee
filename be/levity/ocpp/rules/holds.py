"""Who has said that they will charge in a moment, so that nobody else is started in their place.

A card that was authorised holds every connector of its charger: Authorize names none. A
RemoteStartTransaction that was accepted holds the connector that it names, or all of them. The
hold ends with the session that it was for, or after the charger's connection time-out. A card that
was refused holds nothing; but the car that it was presented for is not started as anybody else's.

What is known stands in one column of the charge point, `holds`, as JSON.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from levity.ocpp.conf import setting
from levity.ocpp.wire.fields import same_tag
from levity_ws.frozen import frozen

__all__ = ["ANY", "Hold", "Holds", "Refusal", "patience"]

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
        return Holds((*others[1 - MOST :], Hold(id_tag[:64], connector, at, at + wait)))

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

    def has_lost(self, before: "Holds", at: datetime) -> bool:
        """True if somebody who held a connector before, and still then, does so no longer."""
        kept = {(item.id_tag.lower(), item.connector) for item in self.holds}
        return any(
            item.until > at and (item.id_tag.lower(), item.connector) not in kept
            for item in before.holds
        )

    def hold_on(self, connector: int, id_tag: str, now: datetime) -> Hold | None:
        """Who holds this connector against this tag, and longest."""
        against = [
            item
            for item in self.holds
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
