"""An OCPI 2.2.1 tariff as one of ours, where ours can say what it means.

What differs is refused and never guessed: OCPI's TIME is the time in which the car charges, ours
that of the whole session; OCPI rounds up to a step; and where no element of OCPI fits, it is free,
which ours has to say.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from levity.billing.documents import DAYS
from levity.billing.ocpi_documents import DAYS as OCPI_DAYS
from levity.billing.ocpi_documents import (
    CannotSay,
    OcpiTariffDocument,
    PriceComponent,
    TariffRestrictions,
)

__all__ = ["ours_of_ocpi"]

SIX = Decimal("0.000001")
SAID = {"start_time", "end_time", "day_of_week"}


def ours_of_ocpi(document: OcpiTariffDocument, time_zone: str) -> dict[str, Any]:
    """The document of a tariff of ours, at a place in this time zone. Raises `CannotSay`."""
    ours: dict[str, Any] = {"currency": document.currency, "time_zone": time_zone}
    energy: list[dict[str, Any]] = []
    for component, restrictions in _components(document):
        band = _band(restrictions)
        vat = {} if component.vat is None else {"vat_percent": str(component.vat)}
        if component.type == "ENERGY":
            _one_step(component)
            energy.append({"price_per_kwh": str(component.price), **band, **vat})
        elif component.type == "TIME" or band:
            raise CannotSay(f"Levity has no words for a restricted or timed {component.type}")
        elif component.type == "FLAT":
            ours.setdefault("session_fee", {"price": str(component.price), **vat})
        else:
            _one_step(component)
            minute = {"price_per_minute": str(_per_minute(component.price)), **vat}
            ours.setdefault("idle", minute)
    if not energy or set(energy[-1]) - {"price_per_kwh", "vat_percent"}:
        # What no element names is free.
        energy.append({"price_per_kwh": "0"})
    ours["energy"] = energy
    for name, bound in (("minimum", document.min_price), ("maximum", document.max_price)):
        if bound is not None:
            gross = {} if bound.incl_vat is None else {"gross": str(bound.incl_vat)}
            ours[name] = {"net": str(bound.excl_vat), **gross}
    return ours


def _components(
    document: OcpiTariffDocument,
) -> Iterator[tuple[PriceComponent, TariffRestrictions | None]]:
    for element in document.elements:
        for component in element.price_components:
            yield component, element.restrictions


def _band(restrictions: TariffRestrictions | None) -> dict[str, Any]:
    if restrictions is None:
        return {}
    given = restrictions.model_dump(exclude_none=True)
    if unsaid := sorted(set(given) - SAID):
        raise CannotSay(f"Levity has no words for the restriction {', '.join(unsaid)}")
    band: dict[str, Any] = {}
    if restrictions.start_time is not None or restrictions.end_time is not None:
        band["from"] = f"{restrictions.start_time or '00:00'}"[:5]
        band["to"] = f"{restrictions.end_time or '00:00'}"[:5]
    if restrictions.day_of_week:
        band["weekdays"] = [DAYS[OCPI_DAYS.index(day)] for day in restrictions.day_of_week]
    return band


def _one_step(component: PriceComponent) -> None:
    if component.step_size > 1:
        raise CannotSay(
            f"Levity bills what was used: {component.type} has a step size of "
            f"{component.step_size}, write 1"
        )


def _per_minute(per_hour: Decimal) -> Decimal:
    minute = (per_hour / 60).quantize(SIX)
    if minute * 60 != per_hour:
        raise CannotSay(f"{per_hour} an hour is no price a minute in six decimals")
    return minute
