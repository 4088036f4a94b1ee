"""A tariff as it is priced: one version, already read and checked.

Prices have up to six decimals and are per kWh, per minute or per session, all net or all gross.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from levity.billing.rules.bands import ALWAYS, Band
from levity_ws.frozen import frozen

__all__ = [
    "EnergyRate",
    "IdleFee",
    "Limit",
    "MinuteRate",
    "NoPrice",
    "SessionFee",
    "SpotPrice",
    "Tariff",
    "version_at",
]


Version = TypeVar("Version")


class NoPrice(ValueError):
    """There is no price for this energy or at this time; the text says for what, for people.

    It is never taken for 0: the session waits until somebody has given a price.
    """


@frozen
class EnergyRate:
    """A price per kWh; the first of a tariff's rates that fits has the say."""

    price: Decimal
    vat: Decimal
    """Percent; 0 where no tax is due."""
    band: Band = ALWAYS
    from_kwh: Decimal = Decimal()
    """Holds from this energy of the month on..."""
    to_kwh: Decimal | None = None
    """...up to this."""
    name: str = ""
    """What people call it, such as "night"."""


@frozen
class SpotPrice:
    """Energy by the exchange's price: price per MWh * factor / 1000 + surcharge, for each kWh."""

    rows: tuple[tuple[datetime, Decimal], ...]
    """(from, price per MWh), sorted; each holds until the next, the last to `until`."""
    until: datetime
    vat: Decimal
    surcharge: Decimal = Decimal()
    factor: Decimal = Decimal(1)


@frozen
class MinuteRate:
    """A price per minute of the session, from plug to stop; the first that fits has the say."""

    price: Decimal
    vat: Decimal
    band: Band = ALWAYS
    name: str = ""


@frozen
class IdleFee:
    """A price per minute in which a full car keeps the place."""

    price: Decimal
    vat: Decimal
    grace_minutes: Decimal = Decimal()
    """Counted from the last energy."""
    quiet: Band | None = None
    """Hours in which nobody needs to come and unplug, such as 22:00 to 07:00."""
    maximum: Decimal | None = None
    """The most that a session pays for it."""


@frozen
class SessionFee:
    price: Decimal
    vat: Decimal


@frozen
class Limit:
    """The least or the most that a session costs, without tax, with tax, or both."""

    net: Decimal | None = None
    gross: Decimal | None = None


@frozen
class Tariff:
    """One version of a tariff."""

    currency: str
    zone: ZoneInfo
    gross: bool = False
    """True if the prices include the tax."""
    energy: tuple[EnergyRate, ...] = ()
    spot: SpotPrice | None = None
    minutes: tuple[MinuteRate, ...] = ()
    session: SessionFee | None = None
    idle: IdleFee | None = None
    free_kwh: Decimal = Decimal()
    """Energy of each month that costs nothing; it counts for the tiers all the same."""
    minimum: Limit = Limit()
    maximum: Limit = Limit()
    holidays: frozenset[date] = frozenset()
    holidays_until: date | None = None
    """The last day whose holidays are known, of a calendar; None: the dates are all there are."""

    @property
    def depends_on_month(self) -> bool:
        """True if a session's price depends on what was used before it in its month."""
        tiers = any(rate.from_kwh or rate.to_kwh is not None for rate in self.energy)
        return bool(self.free_kwh) or tiers

    @property
    def clocks(self) -> frozenset[time]:
        """The wall-clock times at which one of its bands begins or ends."""
        bands = [*(rate.band for rate in self.energy), *(rate.band for rate in self.minutes)]
        if self.idle and self.idle.quiet:
            bands.append(self.idle.quiet)
        ends = (clock for band in bands for clock in (band.begins, band.ends))
        return frozenset(clock for clock in ends if clock is not None)


def version_at(
    versions: Sequence[tuple[datetime, datetime | None, Version]], moment: datetime
) -> Version:
    """The version of a tariff that holds then, of (from, until or None, version).

    A session keeps the version at its start to its end. Raises `NoPrice` in a gap; of two that
    overlap, the one that began later holds.
    """
    held = [
        (begins, version)
        for begins, until, version in versions
        if begins <= moment and (until is None or moment < until)
    ]
    if not held:
        raise NoPrice(f"no version of the tariff holds on {moment:%Y-%m-%d %H:%M %Z}")
    return max(held, key=lambda found: found[0])[1]
