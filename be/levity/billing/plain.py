"""What most tariffs of a housing co-op say, as the values of a plain form; and back.

The form has a price per kWh, up to two bands with a price of their own, a fee per session, an idle
fee, a monthly fee and one rate of tax. A tariff that says more is edited as JSON.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["BANDS", "document_of", "values_of"]

BANDS = (1, 2)
"""The numbers of the form's bands."""
OF_A_BAND = ("name", "price", "from", "to", "weekdays")


def document_of(values: Mapping[str, Any], holidays: list[str] | None = None) -> dict[str, Any]:
    """The document that these values stand for; what is None or empty is left out."""
    bands = [_band(values, number) for number in BANDS if _is_given(values, f"band_{number}_price")]
    document: dict[str, Any] = {
        "currency": values["currency"],
        "time_zone": values["time_zone"],
        "tax_included": bool(values.get("tax_included")),
        "vat_percent": _text(values.get("vat_percent")) or "0",
        "energy": [*bands, {"price_per_kwh": _text(values["price_per_kwh"])}],
    }
    if _is_given(values, "session_fee"):
        document["session_fee"] = {"price": _text(values["session_fee"])}
    if _is_given(values, "monthly_fee"):
        document["monthly_fee"] = {"price": _text(values["monthly_fee"])}
    if _is_given(values, "idle_price"):
        document["idle"] = _idle(values)
    if holidays:
        document["holidays"] = holidays
    if calendar := _text(values.get("holiday_calendar")):
        document["holiday_calendar"] = calendar
    return document


def values_of(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The form's values for this document; None: it says what the form can't."""
    energy = list(document.get("energy", ()))
    if not energy or set(energy[-1]) != {"price_per_kwh"} or len(energy) > len(BANDS) + 1:
        return None
    values = {
        "currency": document.get("currency", "EUR"),
        "time_zone": document["time_zone"],
        "tax_included": document.get("tax_included", False),
        "vat_percent": document.get("vat_percent", "0"),
        "price_per_kwh": energy[-1]["price_per_kwh"],
        "holiday_calendar": document.get("holiday_calendar", ""),
    }
    for number, band in zip(BANDS, energy[:-1], strict=False):
        values |= {
            f"band_{number}_{name}": band.get("price_per_kwh" if name == "price" else name)
            for name in OF_A_BAND
        }
    for name in ("session_fee", "monthly_fee"):
        if fee := document.get(name):
            values[name] = fee["price"]
    if idle := document.get("idle"):
        quiet = idle.get("quiet", {})
        values |= {
            "idle_price": idle["price_per_minute"],
            "idle_grace": idle.get("grace_minutes"),
            "idle_maximum": idle.get("maximum"),
            "quiet_from": quiet.get("from"),
            "quiet_to": quiet.get("to"),
        }
    said = document_of(values, list(document.get("holidays", ())))
    return values if _normal(said) == _normal(document) else None


def _band(values: Mapping[str, Any], number: int) -> dict[str, Any]:
    band = {
        "price_per_kwh" if name == "price" else name: values.get(f"band_{number}_{name}")
        for name in OF_A_BAND
    }
    said = {name: value for name, value in band.items() if value not in (None, "", [])}
    return {
        name: list(value) if name == "weekdays" else _text(value) for name, value in said.items()
    }


def _idle(values: Mapping[str, Any]) -> dict[str, Any]:
    idle: dict[str, Any] = {"price_per_minute": _text(values["idle_price"])}
    if _is_given(values, "idle_grace"):
        idle["grace_minutes"] = _text(values["idle_grace"])
    if _is_given(values, "idle_maximum"):
        idle["maximum"] = _text(values["idle_maximum"])
    quiet = {
        name: _text(values[f"quiet_{name}"])
        for name in ("from", "to")
        if _is_given(values, f"quiet_{name}")
    }
    return {**idle, "quiet": quiet} if quiet else idle


def _is_given(values: Mapping[str, Any], name: str) -> bool:
    return values.get(name) not in (None, "")


def _text(value: Any) -> str:
    if value is None:
        return ""
    as_clock = getattr(value, "strftime", None)
    return str(as_clock("%H:%M") if as_clock else value)


def _normal(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is a default, so that two spellings of one tariff are equal."""
    normal = {name: _plain(value) for name, value in document.items() if name != "name"}
    defaults = {"tax_included": False, "vat_percent": "0", "holidays": []}
    return {name: value for name, value in normal.items() if defaults.get(name, ...) != value}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    # A clock with seconds, as it is stored.
    if isinstance(value, str) and len(value) == len("22:00:00") and value.endswith(":00"):
        return value.removesuffix(":00")
    return value
