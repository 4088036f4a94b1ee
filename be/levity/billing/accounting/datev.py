"""Statements as a booking batch for DATEV (EXTF, format 700, category 21): a line for each rate of
tax of each statement, debtor to revenue.

Windows-1252, semicolons, decimal commas, and a text of at most 60 signs, as DATEV reads it. Needs
no library.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from levity.billing.accounting.invoice import Cannot
from levity.billing.rules.words import gettext_noop
from levity_ws.frozen import frozen

__all__ = ["Booking", "batch_of"]

COLUMNS = (
    *("Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "WKZ Umsatz", "Kurs"),
    *("Basis-Umsatz", "WKZ Basis-Umsatz", "Konto", "Gegenkonto (ohne BU-Schlüssel)"),
    *("BU-Schlüssel", "Belegdatum", "Belegfeld 1", "Belegfeld 2", "Skonto", "Buchungstext"),
)
LONGEST_NUMBER, LONGEST_TEXT = 36, 60
DEBIT, CREDIT = "S", "H"


@frozen
class Booking:
    """What a debtor owes with one rate of tax."""

    gross: Decimal
    currency: str
    vat: Decimal
    debtor: str
    """Its account; empty: none is entered."""
    household: str
    dated: date
    number: str


def batch_of(
    bookings: Sequence[Booking],
    *,
    consultant: str,
    client: str,
    accounts: Mapping[str, str],
    made_at: datetime,
    name: str,
) -> bytes:
    """The file. Raises `Cannot` where an account or a number is missing."""
    if not (consultant and client):
        raise Cannot(
            gettext_noop("DATEV needs the consultant's and the client's number: enter them")
        )
    by_rate = {Decimal(rate): account for rate, account in accounts.items()}
    for each in bookings:
        if not each.debtor:
            raise Cannot(
                gettext_noop("%(household)s has no account of a debtor: enter one"),
                household=each.household,
            )
        if each.vat not in by_rate:
            rate = f"{each.vat.normalize():f}"
            raise Cannot(
                gettext_noop("no account of revenue is entered for %(rate)s %% tax"), rate=rate
            )
    days = sorted(each.dated for each in bookings)
    if len({each.currency for each in bookings}) > 1:
        raise Cannot(gettext_noop("the statements are in several currencies: book them by hand"))
    head = [
        *(_quoted("EXTF"), "700", "21", _quoted("Buchungsstapel"), "13"),
        *(f"{made_at:%Y%m%d%H%M%S}000", "", _quoted("LV"), _quoted(""), _quoted("")),
        *(consultant, client, f"{days[0].year}0101", str(_length(by_rate.values()))),
        *(f"{days[0]:%Y%m%d}", f"{days[-1]:%Y%m%d}", _quoted(name[:30]), _quoted("")),
        *("1", "0", "0", _quoted(bookings[0].currency), *[""] * 9),
    ]
    rows = [head, list(COLUMNS), *(_row(each, by_rate[each.vat]) for each in bookings)]
    text = "".join(";".join(row) + "\r\n" for row in rows)
    return text.encode("cp1252", errors="replace")


def _row(each: Booking, account: str) -> list[str]:
    return [
        f"{abs(each.gross):.2f}".replace(".", ","),
        _quoted(DEBIT if each.gross >= 0 else CREDIT),
        *(_quoted(each.currency), "", "", ""),
        *(each.debtor, account, ""),
        f"{each.dated:%d%m}",
        _quoted(each.number[:LONGEST_NUMBER]),
        *("", ""),
        _quoted(f"{each.number} {each.household}"[:LONGEST_TEXT]),
    ]


def _length(accounts: Iterable[str]) -> int:
    """Digits of an account of the ledger: those of debtors have one more."""
    return max(4, *(len(account) for account in accounts))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""').replace("\n", " ").replace("\r", " ") + '"'
