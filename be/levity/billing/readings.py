"""What sessions used through time, as they are priced: many at once, in a fixed number of
statements."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from levity.billing.rules.curve import curve
from levity.billing.rules.pricing import changes_within
from levity.billing.rules.stay import Stay
from levity.billing.rules.usage import Point, Usage, checked
from levity.billing.stays import A_SECOND
from levity.billing.to_price import ToPrice
from levity.ocpp.effects import Sample
from levity.ocpp.rules.readings import REGISTER, registers
from levity.ocpp.store.samples.plotting import plotted_of
from levity.ocpp.store.samples.shapes import Names

__all__ = ["Usages"]


class Usages:
    """What these sessions used; samples are read only for tariffs that need them."""

    def __init__(self, sessions: Collection[ToPrice]) -> None:
        self._readings = _readings_of([each.pk for each in sessions if _needs_samples(each)])

    def of(self, session: ToPrice, stay: Stay | None = None) -> Usage:
        """Of one of them, which kept the place so long. Raises `BadUsage`."""
        # One that lasted no time, by a clock that was never set, has its energy all the same.
        end = max(session.end, session.start + A_SECOND)
        points = curve(
            session.start,
            end,
            session.wh,
            session.meter_start,
            self._readings.get(session.pk, ()),
        )
        full = stay.full if stay is not None and session.tariff.idle else ()
        return checked(session.start, end, points, full)


def _needs_samples(session: ToPrice) -> bool:
    """True if its price depends on when the energy flowed: a session at noon has one price per kWh,
    whatever is cheaper at night."""
    tariff = session.tariff
    if tariff.spot is not None or tariff.idle is not None:
        return True
    banded = any(rate.band.has_bounds for rate in tariff.energy)
    return banded and changes_within(tariff, session.start, session.end)


def _readings_of(pks: Collection[int]) -> Mapping[int, list[Point]]:
    if not pks:
        return {}
    return {
        pk: [
            Point(reading.at, reading.value)
            for reading in registers(_sample(*each) for each in reversed(values))
        ]
        for pk, values in plotted_of(pks, _is_register).items()
    }


def _is_register(names: Names) -> bool:
    return names.measurand == REGISTER


def _sample(names: Names, at: datetime, value: Decimal | None) -> Sample:
    return Sample(
        at,
        names.measurand,
        "",
        value,
        names.unit,
        names.phase,
        names.location,
        names.context,
        names.format,
    )
