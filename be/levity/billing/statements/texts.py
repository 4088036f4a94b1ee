"""What a statement says in each language, and how numbers and days are written in it.

Names no Django: the child process that makes PDF files loads little.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from levity.billing.statements.catalog import catalog
from levity.writing import LANGUAGES, WRITTEN, language_or_english, number

__all__ = [
    "TEXTS",
    "day",
    "energy",
    "language_of",
    "moments",
    "money",
    "number",
    "pgettext",
    "price",
]

# As long is a moment without its offset.
CLOCK = len("2026-11-30T18:05")


def pgettext(context: str, text: str) -> tuple[str, str]:
    """Both, for the catalog; `makemessages` finds them by this name."""
    return context, text


MARKED = {
    "statement": pgettext("statement", "Statement"),
    "number": pgettext("statement", "Number"),
    "dated": pgettext("statement", "Date"),
    "period": pgettext("statement", "Period"),
    "flat": pgettext("statement", "Flat"),
    "parking": pgettext("statement", "Parking space"),
    "tax_number": pgettext("statement", "Tax number"),
    "sessions": pgettext("statement", "Charging sessions"),
    "start": pgettext("statement", "Begin"),
    "end": pgettext("statement", "End"),
    "charger": pgettext("statement", "Charger"),
    "registers": pgettext("statement", "Meter (kWh)"),
    "energy": pgettext("statement", "Energy"),
    "tariff": pgettext("statement", "Tariff"),
    "amount": pgettext("statement", "Amount"),
    "sums": pgettext("statement", "Summary"),
    "what": pgettext("statement", "Item"),
    "quantity": pgettext("statement", "Quantity"),
    "price": pgettext("statement", "Price"),
    "net": pgettext("statement", "Without tax"),
    "vat": pgettext("statement", "VAT"),
    "gross": pgettext("statement", "To pay"),
    "credit": pgettext("statement", "Credit"),
    "estimated": pgettext("statement", "e: estimated"),
    "corrected": pgettext("statement", "c: corrected"),
    "signed": pgettext("statement", "s: by the meter's signed values"),
    "mark_signed": pgettext("statement", "s"),
    "mark_estimated": pgettext("statement", "e"),
    "mark_corrected": pgettext("statement", "c"),
    "correction_of": pgettext("statement", "taken back from {number}"),
    "before": pgettext("statement", "Period before"),
    "mean": pgettext("statement", "Mean price"),
    "payment": pgettext("statement", "Payment"),
    "page": pgettext("statement", "Page {at} of {of}"),
    "times": pgettext("statement", "Times of {zone}."),
    "tax_included": pgettext("statement", "Amounts include tax."),
    "tax_on_top": pgettext("statement", "Amounts without tax."),
    "kind energy": pgettext("statement", "Energy"),
    "kind spot": pgettext("statement", "Energy, spot price"),
    "kind free-energy": pgettext("statement", "Energy, free"),
    "kind time": pgettext("statement", "Time"),
    "kind idle": pgettext("statement", "Idle fee"),
    "kind session": pgettext("statement", "Per session"),
    "kind monthly-fee": pgettext("statement", "Monthly fee"),
    "kind minimum": pgettext("statement", "Minimum"),
    "kind maximum": pgettext("statement", "Maximum"),
    "unit kWh": pgettext("statement", "kWh"),
    "unit min": pgettext("statement", "min"),
    "unit session": ("", ""),
    "unit month": pgettext("statement", "months"),
}
TEXTS = {
    language: {
        name: catalog(language).pgettext(*marked) if marked[1] else ""
        for name, marked in MARKED.items()
    }
    for language in LANGUAGES
}


def energy(wh: Any, language: str) -> str:
    """Wh as kWh, exact to the Wh."""
    return number(Decimal(str(wh)) / 1000, 3, language)


def money(amount: str, language: str) -> str:
    """With the decimals that it has: those of its currency."""
    return number(amount, max(0, -int(Decimal(amount).as_tuple().exponent)), language)


def price(value: str, language: str) -> str:
    """Two to six decimals."""
    text = f"{Decimal(value):f}".rstrip("0")
    decimals = len(text.partition(".")[2])
    return number(value, min(max(decimals, 2), 6), language)


def day(text: str, language: str) -> str:
    """2026-11-30 as people write it."""
    return date.fromisoformat(text).strftime(WRITTEN[language][2])


def moments(start: str, end: str, language: str) -> tuple[str, str]:
    """2026-11-30T18:05+01:00 twice: the day, and the wall clock; with the offset where the clock
    was changed in between, so that no session seems to end before it begins."""
    is_changed = start[CLOCK:] != end[CLOCK:] and bool(start and end)
    return _moment(start, language, is_changed), _moment(end, language, is_changed)


def _moment(text: str, language: str, with_offset: bool) -> str:
    if not text:
        return "\u2013"
    at, _, clock = text.partition("T")
    offset = f" {text[CLOCK:]}" if with_offset else ""
    return f"{day(at, language)} {clock[:5]}{offset}"


def language_of(document: Mapping[str, Any]) -> str:
    """Of the household; one that is not known is English."""
    return language_or_english(document.get("language"))
