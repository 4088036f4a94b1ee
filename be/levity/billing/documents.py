"""Tariffs and sessions as people write them down: JSON that is checked before anything is priced.

What a wrong document lacks is told by field, for people. Amounts of money and energy are decimals,
best as strings; a number is taken by its digits.
"""

from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from levity.billing.rules.bands import Band
from levity.billing.rules.tariff import (
    EnergyRate,
    IdleFee,
    Limit,
    MinuteRate,
    SessionFee,
    SpotPrice,
    Tariff,
)
from levity.billing.rules.usage import Point, Span, Usage, checked

__all__ = ["SessionDocument", "TariffDocument"]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone: write one like Europe/Berlin") from None
    return name


def _day_of_year(text: str) -> str:
    try:
        # A leap year, so that 02-29 is a day.
        date.fromisoformat(f"2024-{text}")
    except ValueError:
        raise ValueError(f"{text!r} is no day of the year: write 10-01 for 1 October") from None
    return text


def _without_seconds(clock: time) -> time:
    if clock.tzinfo is not None or clock.microsecond:
        raise ValueError("write the wall-clock time as 22:00")
    return clock


Money = Annotated[Decimal, Field(max_digits=14, decimal_places=6, allow_inf_nan=False)]
Price = Annotated[Money, Field(ge=0)]
Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=6, allow_inf_nan=False)]
Kwh = Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=6, allow_inf_nan=False)]
Wh = Annotated[Decimal, Field(max_digits=19, decimal_places=3, allow_inf_nan=False)]
Zone = Annotated[str, AfterValidator(_zone)]
Clock = Annotated[time, AfterValidator(_without_seconds)]
DayOfYear = Annotated[str, Field(pattern=r"^\d\d-\d\d$"), AfterValidator(_day_of_year)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Document(BaseModel):
    """Fields that are not known are an error: a misspelt price must not be free."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Season(Document):
    """Days of each year, both included; the first may be later in the year than the last."""

    first: DayOfYear = Field(alias="from", description="Month and day, such as 10-01.")
    last: DayOfYear = Field(alias="to", description="Included.")


class Hours(Document):
    """Wall-clock hours of the site; one that ends before it begins is over midnight."""

    begins: Clock | None = Field(None, alias="from")
    ends: Clock | None = Field(None, alias="to", description="Excluded; 00:00 is midnight.")


class Banded(Hours):
    """When a price holds."""

    weekdays: list[Weekday] | None = Field(None, min_length=1, max_length=7)
    season: Season | None = None
    holidays: bool | None = Field(
        None, description="true: only on the tariff's holidays; false: never on them."
    )
    name: str = Field("", max_length=40, description='What the statement calls it, like "night".')
    vat_percent: Percent | None = Field(None, description="Default: that of the tariff.")

    def band(self) -> Band:
        season = self.season
        return Band(
            self.begins,
            self.ends,
            frozenset(map(DAYS.index, self.weekdays)) if self.weekdays else None,
            (_month_and_day(season.first), _month_and_day(season.last)) if season else None,
            self.holidays,
        )


class EnergyPrice(Banded):
    """A price per kWh; the first that fits has the say."""

    price_per_kwh: Price
    from_kwh: Kwh = Field(Decimal(), description="Of the month: a tier begins here.")
    to_kwh: Kwh | None = Field(None, description="A tier ends here, excluded.")


class MinutePrice(Banded):
    """A price per minute of the session; the first that fits has the say."""

    price_per_minute: Price


class Fee(Document):
    """A price for the whole of something."""

    price: Price
    vat_percent: Percent | None = None


class Idle(Document):
    """A price per minute in which a full car keeps the place."""

    price_per_minute: Price
    grace_minutes: Annotated[Decimal, Field(ge=0, le=100_000)] = Decimal()
    quiet: Hours | None = Field(None, description="Hours in which the fee rests.")
    maximum: Price | None = Field(None, description="The most that a session pays for it.")
    vat_percent: Percent | None = None


class SpotRow(Document):
    """The exchange's price from then on; it may be below zero."""

    begins: AwareDatetime = Field(alias="from")
    price_per_mwh: Money


class Spot(Document):
    """Energy by the exchange's price: factor * price + surcharge."""

    rows: list[SpotRow] = Field(min_length=1, max_length=100_000)
    until: AwareDatetime = Field(description="Where the last row ends.")
    factor: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(1)
    surcharge_per_kwh: Money = Decimal()
    vat_percent: Percent | None = None


class Bound(Document):
    """Without tax, with tax, or both."""

    net: Price | None = None
    gross: Price | None = None


class TariffDocument(Document):
    """One version of a tariff."""

    name: str = Field("", max_length=100)
    currency: str = Field("EUR", pattern="^[A-Z]{3}$", description="ISO 4217.")
    time_zone: Zone = Field(description="Of the site, such as Europe/Berlin.")
    tax_included: bool = Field(False, description="True if all prices include the tax.")
    vat_percent: Percent = Field(Decimal(), description="Where a price names none of its own.")
    energy: list[EnergyPrice] = Field(default_factory=list, max_length=200)
    spot: Spot | None = None
    minutes: list[MinutePrice] = Field(default_factory=list, max_length=200)
    session_fee: Fee | None = None
    idle: Idle | None = None
    monthly_fee: Fee | None = None
    free_kwh_per_month: Kwh = Decimal()
    minimum: Bound | None = Field(None, description="Of a session.")
    maximum: Bound | None = Field(None, description="Of a session.")
    holiday_calendar: str = Field(
        "",
        pattern="^([A-Z]{2}(-[A-Za-z0-9]{1,20})?)?$",
        description="Of a country or a part of it (ISO 3166), such as DE-BY: its public holidays "
        "are added to `holidays` when a version is stored.",
    )
    holidays: list[date] = Field(default_factory=list, max_length=2000)

    @model_validator(mode="after")
    def _has_a_price(self) -> "TariffDocument":
        if not (self.energy or self.spot or self.minutes or self.session_fee or self.monthly_fee):
            raise ValueError("the tariff has no price; write 0 for what is free")
        return self

    def tariff(self) -> Tariff:
        """The tariff as it is priced."""
        return Tariff(
            currency=self.currency,
            zone=ZoneInfo(self.time_zone),
            gross=self.tax_included,
            energy=tuple(map(self._energy_rate, self.energy)),
            spot=self._spot_price(),
            minutes=tuple(
                MinuteRate(each.price_per_minute, self._vat(each), each.band(), each.name)
                for each in self.minutes
            ),
            session=self._session_fee(),
            idle=self._idle_fee(),
            free_kwh=self.free_kwh_per_month,
            minimum=_limit(self.minimum),
            maximum=_limit(self.maximum),
            holidays=frozenset(self.holidays),
            holidays_until=self._holidays_until(),
        )

    def _holidays_until(self) -> date | None:
        if not (self.holiday_calendar and self.holidays):
            return None
        return date(max(self.holidays).year, 12, 31)

    def _energy_rate(self, each: EnergyPrice) -> EnergyRate:
        return EnergyRate(
            each.price_per_kwh,
            self._vat(each),
            each.band(),
            each.from_kwh,
            each.to_kwh,
            each.name,
        )

    def _spot_price(self) -> SpotPrice | None:
        if self.spot is None:
            return None
        rows = sorted((row.begins, row.price_per_mwh) for row in self.spot.rows)
        return SpotPrice(
            tuple(rows),
            self.spot.until,
            self._vat(self.spot),
            self.spot.surcharge_per_kwh,
            self.spot.factor,
        )

    def _session_fee(self) -> SessionFee | None:
        fee = self.session_fee
        return SessionFee(fee.price, self._vat(fee)) if fee else None

    def _idle_fee(self) -> IdleFee | None:
        fee = self.idle
        if fee is None:
            return None
        quiet = Band(fee.quiet.begins, fee.quiet.ends) if fee.quiet else None
        return IdleFee(fee.price_per_minute, self._vat(fee), fee.grace_minutes, quiet, fee.maximum)

    def _vat(self, priced: Any) -> Decimal:
        return self.vat_percent if priced.vat_percent is None else priced.vat_percent


class Reading(Document):
    """The meter's register."""

    at: AwareDatetime
    register_wh: Wh


class Stretch(Document):
    """A time, its end excluded."""

    begins: AwareDatetime = Field(alias="from")
    ends: AwareDatetime = Field(alias="to")


class SessionDocument(Document):
    """A session: its readings, or what it used from start to end, taken evenly."""

    start: AwareDatetime
    end: AwareDatetime
    energy_wh: Annotated[Wh, Field(ge=0)] | None = Field(
        None, description="Instead of readings: taken evenly."
    )
    readings: list[Reading] = Field(default_factory=list, max_length=100_000)
    full: list[Stretch] = Field(
        default_factory=list,
        max_length=10_000,
        description="When the car was full and kept the place (SuspendedEV, Finishing).",
    )
    kwh_before: Kwh = Field(
        Decimal(), description="Used in this month before it, for tiers and a free quota."
    )

    @model_validator(mode="after")
    def _has_energy(self) -> "SessionDocument":
        if (self.energy_wh is None) == (not self.readings):
            raise ValueError("give either energy_wh or readings")
        return self

    def usage(self) -> Usage:
        """The session as it is priced. Raises `BadUsage`."""
        if self.energy_wh is None:
            points = [Point(each.at, each.register_wh) for each in self.readings]
        else:
            points = [Point(self.start, Decimal()), Point(self.end, self.energy_wh)]
        full = [Span(each.begins, each.ends) for each in self.full]
        return checked(self.start, self.end, points, full)


def _limit(bound: Bound | None) -> Limit:
    return Limit(bound.net, bound.gross) if bound else Limit()


def _month_and_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)
