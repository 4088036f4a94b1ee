"""Whose session it is: which household had the card, the connector or the charge point that day."""

from collections.abc import Iterable
from datetime import date

from levity_ws.frozen import frozen

__all__ = ["CARD", "CHARGE_POINT", "CONNECTOR", "NOBODY", "Held", "Holders", "Payer"]

CARD, CONNECTOR, CHARGE_POINT, NOBODY = "card", "connector", "charge point", "nobody"


@frozen
class Held:
    """What a household has from one day to another, both included: one card, one connector, or a
    whole charge point."""

    household: int
    first: date
    last: date | None
    """None: no end."""
    id_tag: str = ""
    charge_point: int | None = None
    connector: int | None = None

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def meets(self, other: "Held") -> bool:
        """True if both are about the same thing on some day."""
        same = (self.id_tag.lower(), self.charge_point, self.connector) == (
            other.id_tag.lower(),
            other.charge_point,
            other.connector,
        )
        begins_in_time = other.last is None or self.first <= other.last
        return same and begins_in_time and (self.last is None or other.first <= self.last)


@frozen
class Payer:
    """Who pays for a session, and by which rule."""

    household: int | None
    rule: str
    """`card`, `connector`, `charge point`; `nobody`: none of them was anybody's that day."""


class Holders:
    """Who has what: asked for many sessions."""

    def __init__(self, held: Iterable[Held]) -> None:
        self._cards: dict[str, list[Held]] = {}
        self._places: dict[tuple[int, int | None], list[Held]] = {}
        for each in held:
            if each.charge_point is None:
                self._cards.setdefault(each.id_tag.lower(), []).append(each)
            else:
                place = each.charge_point, each.connector
                self._places.setdefault(place, []).append(each)

    def payer(self, charge_point: int, connector: int | None, id_tag: str, day: date) -> Payer:
        """Of a session that began on this day, at the site's own clock.

        The card says most: a guest's card at a resident's charger is the guest's. Then the
        connector, then the charge point as a whole.
        """
        for rule, held in (
            (CARD, self._cards.get(id_tag.lower(), ()) if id_tag else ()),
            (CONNECTOR, self._places.get((charge_point, connector), ()) if connector else ()),
            (CHARGE_POINT, self._places.get((charge_point, None), ())),
        ):
            households = {each.household for each in held if each.covers(day)}
            # Two at once can't be: assignments that meet are refused. Imported ones may.
            if len(households) == 1:
                return Payer(households.pop(), rule)
        return Payer(None, NOBODY)
