"""Tariffs in OCPI 2.2.1's words: read, and said where OCPI can say what ours mean.

OCPI 2.2.1-d2, part II, chapter 11. Its elements know no tiers of a month, no free quota, no season
by day of the year, no holidays, no grace after the last energy and no spot price.
"""

from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from levity.billing.documents import Kwh, Money, Percent, TariffDocument
from levity.billing.models import Tariff
from levity.billing.rules.bands import ALWAYS, Band
from levity.billing.rules.ocpi import Component, Element, OcpiTariff, Restrictions
from levity.billing.rules.tariff import Limit

__all__ = ["CannotSay", "OcpiTariffDocument", "in_ocpi", "said_in_ocpi"]

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
Weekday = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
Seconds = Annotated[int, Field(ge=0, le=10_000_000)]


class CannotSay(ValueError):
    """OCPI 2.2.1 has no words for a part of this tariff; the text says for which."""


class OcpiDocument(BaseModel):
    """What OCPI adds in later versions, or a party of its own, is left aside."""

    model_config = ConfigDict(extra="ignore")


class PriceComponent(OcpiDocument):
    """A price of one dimension."""

    type: Literal["ENERGY", "FLAT", "PARKING_TIME", "TIME"]
    price: Money
    vat: Percent | None = None
    step_size: Annotated[int, Field(ge=0, le=1_000_000)] = 1


class TariffRestrictions(OcpiDocument):
    """When an element holds. Unknown ones are refused, or a price would hold too often."""

    model_config = ConfigDict(extra="forbid")

    start_time: time | None = None
    end_time: time | None = None
    start_date: date | None = None
    end_date: date | None = None
    min_kwh: Kwh | None = None
    max_kwh: Kwh | None = None
    min_power: Kwh | None = None
    max_power: Kwh | None = None
    min_duration: Seconds | None = None
    max_duration: Seconds | None = None
    day_of_week: list[Weekday] | None = None

    def restrictions(self) -> Restrictions:
        days = frozenset(map(DAYS.index, self.day_of_week)) if self.day_of_week else None
        return Restrictions(
            Band(self.start_time, self.end_time, days),
            self.start_date,
            self.end_date,
            self.min_kwh,
            self.max_kwh,
            self.min_duration,
            self.max_duration,
            self.min_power,
            self.max_power,
        )


class TariffElement(OcpiDocument):
    """Prices and when they hold."""

    price_components: list[PriceComponent] = Field(min_length=1, max_length=100)
    restrictions: TariffRestrictions | None = None

    def element(self) -> Element:
        components = tuple(
            Component(each.type, each.price, each.vat or Decimal(), max(each.step_size, 1))
            for each in self.price_components
        )
        restrictions = self.restrictions
        return Element(components, restrictions.restrictions() if restrictions else Restrictions())


class OcpiPrice(OcpiDocument):
    """An amount without and with tax."""

    excl_vat: Money
    incl_vat: Money | None = None

    def limit(self) -> Limit:
        return Limit(self.excl_vat, self.incl_vat)


class OcpiTariffDocument(OcpiDocument):
    """OCPI's Tariff object; who sent it and what it is called is not looked at."""

    currency: str = Field(pattern="^[A-Z]{3}$")
    elements: list[TariffElement] = Field(min_length=1, max_length=200)
    min_price: OcpiPrice | None = None
    max_price: OcpiPrice | None = None

    def tariff(self, zone: str) -> OcpiTariff:
        """The tariff as it is priced, at a place in this time zone."""
        return OcpiTariff(
            self.currency,
            ZoneInfo(zone),
            tuple(each.element() for each in self.elements),
            self.min_price.limit() if self.min_price else Limit(),
            self.max_price.limit() if self.max_price else Limit(),
        )


def in_ocpi(tariff: Tariff) -> dict[str, Any]:
    """The newest version of a stored tariff. Raises `CannotSay`."""
    newest = tariff.versions.order_by("-number").first()
    if newest is None:
        raise CannotSay("the tariff has no version")
    return said_in_ocpi(TariffDocument.model_validate(newest.document))


def said_in_ocpi(document: TariffDocument) -> dict[str, Any]:
    """The tariff as an OCPI 2.2.1 object, without id and party. Raises `CannotSay`."""
    if unsaid := list(_unsaid(document)):
        raise CannotSay(f"OCPI 2.2.1 has no words for {', '.join(unsaid)}")
    vat = document.vat_percent
    elements = [
        _element("ENERGY", each.price_per_kwh, _or(each.vat_percent, vat), each.band())
        for each in document.energy
    ]
    if fee := document.session_fee:
        elements.append(_element("FLAT", fee.price, _or(fee.vat_percent, vat), ALWAYS))
    if idle := document.idle:
        per_hour = idle.price_per_minute * 60
        elements.append(_element("PARKING_TIME", per_hour, _or(idle.vat_percent, vat), ALWAYS))
    said: dict[str, Any] = {"currency": document.currency, "elements": elements}
    for name, bound in (("min_price", document.minimum), ("max_price", document.maximum)):
        if bound and bound.net is not None:
            with_tax = {"incl_vat": _number(bound.gross)} if bound.gross is not None else {}
            said[name] = {"excl_vat": _number(bound.net)} | with_tax
    return said


def _unsaid(document: TariffDocument) -> list[str]:
    bands = [each.band() for each in (*document.energy, *document.minutes)]
    idle: Any = document.idle
    bounds = [bound for bound in (document.minimum, document.maximum) if bound]
    found = {
        "prices that include the tax": document.tax_included,
        "a spot price": document.spot,
        "a monthly fee": document.monthly_fee,
        "a free quota": document.free_kwh_per_month,
        "tiers of a month": any(e.from_kwh or e.to_kwh is not None for e in document.energy),
        "seasons": any(band.season for band in bands),
        "holidays": any(band.on_holidays is not None for band in bands),
        # Its TIME is the time in which the car charges, ours that of the whole session.
        "a price per minute of the whole session": document.minutes,
        "an idle fee's grace": idle and idle.grace_minutes,
        "an idle fee's quiet hours": idle and idle.quiet,
        "an idle fee's maximum": idle and idle.maximum is not None,
        "a limit with tax alone": any(bound.net is None for bound in bounds),
    }
    return [name for name, there in found.items() if there]


def _element(dimension: str, price: Decimal, vat: Decimal, band: Band) -> dict[str, Any]:
    component = {"type": dimension, "price": _number(price), "vat": _number(vat), "step_size": 1}
    restrictions: dict[str, Any] = {}
    if band.begins:
        restrictions["start_time"] = f"{band.begins:%H:%M}"
    if band.ends:
        restrictions["end_time"] = f"{band.ends:%H:%M}"
    if band.weekdays is not None:
        restrictions["day_of_week"] = [DAYS[day] for day in sorted(band.weekdays)]
    element: dict[str, Any] = {"price_components": [component]}
    return element | ({"restrictions": restrictions} if restrictions else {})


def _number(amount: Decimal) -> float:
    return float(amount)


def _or(own: Decimal | None, default: Decimal) -> Decimal:
    return default if own is None else own
