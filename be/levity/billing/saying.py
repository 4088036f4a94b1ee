"""What a tariff says, in one line for people; and who is not named."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext, gettext_noop

__all__ = ["OF_ANOTHER_SITE", "summary"]

SHOWN = 4
OF_ANOTHER_SITE = gettext_noop("(of another site)")
"""Instead of a household, for somebody who sees some sites only."""


def summary(document: Mapping[str, Any]) -> str:
    """Such as `0.28 EUR/kWh night, 0.40 EUR/kWh, 5 EUR/month; 19 % VAT included`."""
    parts = list(_parts(document))
    shown = [
        *parts[:SHOWN],
        *(
            [gettext("and %(count)s more") % {"count": len(parts) - SHOWN}]
            if len(parts) > SHOWN
            else ()
        ),
    ]
    vat = document.get("vat_percent", "0")
    tax = (
        gettext("%(vat)s %% VAT included")
        if document.get("tax_included")
        else gettext("%(vat)s %% VAT on top")
    )
    said = [", ".join(shown), *([tax % {"vat": vat}] if _some(vat) else ())]
    return "; ".join(said)


def _parts(document: Mapping[str, Any]) -> Iterator[str]:
    currency = document.get("currency", "EUR")
    for rate in document.get("energy", ()):
        yield f"{rate['price_per_kwh']} {currency}/kWh {rate.get('name', '')}".strip()
    if document.get("spot"):
        yield gettext("spot price")
    for rate in document.get("minutes", ()):
        yield f"{rate['price_per_minute']} {currency}/min {rate.get('name', '')}".strip()
    if fee := document.get("session_fee"):
        per = gettext("/session")
        yield f"{fee['price']} {currency}{per}"
    if fee := document.get("idle"):
        what = gettext("idle")
        yield f"{fee['price_per_minute']} {currency}/min {what}"
    if fee := document.get("monthly_fee"):
        per = gettext("/month")
        yield f"{fee['price']} {currency}{per}"


def _some(vat: Any) -> bool:
    return str(vat).strip("0.") != ""
