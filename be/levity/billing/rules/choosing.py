"""Which tariff a session has: of the uses that fit it, the one that says most."""

from collections.abc import Iterable
from datetime import date

from levity_ws.frozen import frozen

__all__ = ["Use", "Uses"]


@frozen
class Use:
    """For whom a tariff is, from one day to another, both included. At most one of the four is
    given; none: it is for everybody."""

    tariff: int | None
    """None: free, nobody pays."""
    site: int | None = None
    charge_point: int | None = None
    household: int | None = None
    id_tag: str = ""
    first: date | None = None
    last: date | None = None

    def covers(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def meets(self, other: "Use") -> bool:
        """True if both are for the same on some day."""
        begins = max(self.first or date.min, other.first or date.min)
        ends = min(self.last or date.max, other.last or date.max)
        return self.key == other.key and begins <= ends

    @property
    def key(self) -> tuple[str, object]:
        """Whom it is for: two uses with one key are for the same."""
        if self.id_tag:
            return "id tag", self.id_tag.lower()
        for name in ("household", "charge_point", "site"):
            if (thing := getattr(self, name)) is not None:
                return name, thing
        return "", None


class Uses:
    """For whom which tariff is: asked for many sessions."""

    def __init__(self, uses: Iterable[Use]) -> None:
        self._by_key: dict[tuple[str, object], list[Use]] = {}
        for each in uses:
            self._by_key.setdefault(each.key, []).append(each)

    def of(
        self,
        day: date,
        *,
        site: int | None = None,
        charge_point: int | None = None,
        household: int | None = None,
        id_tag: str = "",
    ) -> Use | None:
        """The use for a session that began on this day; None: there is none.

        A card says most, then the household, the charge point, the site, everybody.
        """
        for key in (
            ("id tag", id_tag.lower()),
            ("household", household),
            ("charge_point", charge_point),
            ("site", site),
            ("", None),
        ):
            if key[0] and not key[1]:
                continue
            for use in self._by_key.get(key, ()):
                if use.covers(day):
                    return use
        return None
