"""A closed statement as an invoice of EN 16931: net lines, tax by rate, both parties, how to pay.

Pure values, from which levity.billing.accounting.cii writes XML. The amounts are those of the
statement: what is rounded there is taken over, never reckoned anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from levity.billing.rules.money import rounded
from levity.billing.rules.words import gettext_noop
from levity.writing import Worded
from levity_ws.frozen import frozen

__all__ = ["Cannot", "Invoice", "InvoiceLine", "Party", "Tax", "invoice_of"]

INVOICE, CREDIT_NOTE = "380", "381"
"""UNTDID 1001."""
UNITS = {"kWh": "KWH", "min": "MIN", "month": "MON", "session": "C62"}
"""UN/ECE Recommendation 20; C62: one."""
FINE = Decimal("0.00000001")


class Cannot(Worded, ValueError):
    """There can be no such file; the text says what is missing, for people."""


@frozen
class Party:
    """Who issues or gets it."""

    name: str
    street: str
    postcode: str
    city: str
    country: str
    """ISO 3166, two letters."""
    email: str = ""
    tax_number: str = ""
    """A VAT id if it begins with two letters, else the tax office's number."""
    contact: str = ""
    phone: str = ""


@frozen
class InvoiceLine:
    """Net; `quantity * price` is `amount` to the cent, and the price is never below zero."""

    name: str
    quantity: Decimal
    unit: str
    price: Decimal
    amount: Decimal
    vat: Decimal


@frozen
class Tax:
    """Of one rate."""

    vat: Decimal
    net: Decimal
    tax: Decimal


@frozen
class Invoice:
    """All that it says."""

    number: str
    kind: str
    dated: date
    due: date
    first_day: date
    last_day: date
    currency: str
    language: str
    seller: Party
    buyer: Party
    reference: str
    """Of the buyer (BT-10)."""
    lines: tuple[InvoiceLine, ...]
    taxes: tuple[Tax, ...]
    net: Decimal
    tax: Decimal
    gross: Decimal
    exemption: str
    """Why a rate is 0."""
    corrects: tuple[str, ...]
    """Numbers of earlier invoices of which it takes something back."""
    terms: str
    iban: str = ""
    """Of the seller, for transfers."""
    creditor_id: str = ""
    mandate: str = ""
    debited: str = ""
    """The buyer's IBAN, from which the amount is collected by this mandate; empty: it is not."""


def invoice_of(
    document: Mapping[str, Any],
    names: Mapping[str, str],
    seller: Mapping[str, Any],
    buyer: Mapping[str, Any],
) -> Invoice:
    """Of a statement's document; `names` has what kinds of lines are called. Raises `Cannot`."""
    if not document["issuer"]["tax_number"]:
        raise Cannot(
            gettext_noop("the issuer has no tax number: enter it on the page of who bills")
        )
    is_credit = Decimal(document["gross"]) < 0
    sign = -1 if is_credit else 1
    dated = date.fromisoformat(document["closed_on"])
    due = dated + timedelta(days=int(seller["due_days"]))
    collects = bool(buyer["mandate"] and seller["creditor_id"]) and not is_credit
    if not collects and not seller["iban"]:
        raise Cannot(
            gettext_noop("the issuer has no IBAN: enter it with the issuer's accounting data")
        )
    taxes = tuple(
        Tax(Decimal(each["vat"]), sign * Decimal(each["net"]), sign * Decimal(each["tax"]))
        for each in document["taxes"]
    )
    return Invoice(
        number=document["number"],
        kind=CREDIT_NOTE if is_credit else INVOICE,
        dated=dated,
        due=due,
        first_day=date.fromisoformat(document["first_day"]),
        last_day=date.fromisoformat(document["last_day"]),
        currency=document["currency"],
        language=document["language"],
        seller=Party(
            document["issuer"]["name"],
            **_address(seller, OF_ISSUER),
            tax_number=document["issuer"]["tax_number"],
            contact=seller["contact"],
            phone=seller["phone"],
        ),
        buyer=Party(document["household"]["name"], **_address(buyer, OF_HOUSEHOLD)),
        reference=buyer["reference"],
        lines=tuple(_lines(document, names, taxes, sign)),
        taxes=taxes,
        net=sign * Decimal(document["net"]),
        tax=sign * Decimal(document["tax"]),
        gross=sign * Decimal(document["gross"]),
        exemption=seller["exemption"],
        corrects=tuple(
            sorted({e["correction_of"] for e in document["sessions"] if e.get("correction_of")})
        ),
        terms=document["payment_text"].strip(),
        iban=seller["iban"],
        creditor_id=seller["creditor_id"] if collects else "",
        mandate=buyer["mandate"] if collects else "",
        debited=buyer["iban"] if collects else "",
    )


OF_ISSUER = {
    "postcode": gettext_noop("the issuer has no postcode: enter it with the accounting data"),
    "city": gettext_noop("the issuer has no town: enter it with the accounting data"),
    "country": gettext_noop("the issuer has no country: enter it with the accounting data"),
}
OF_HOUSEHOLD = {
    "postcode": gettext_noop("the household has no postcode: enter it with the accounting data"),
    "city": gettext_noop("the household has no town: enter it with the accounting data"),
    "country": gettext_noop("the household has no country: enter it with the accounting data"),
}
"""What is said where a part of an address is missing."""


def _address(party: Mapping[str, Any], missing: Mapping[str, str]) -> dict[str, str]:
    for name, text in missing.items():
        if not party[name]:
            raise Cannot(text)
    return {name: party[name] for name in ("street", "postcode", "city", "country", "email")}


def _lines(
    document: Mapping[str, Any], names: Mapping[str, str], taxes: Sequence[Tax], sign: int
) -> Iterator[InvoiceLine]:
    lines = [*document["bands"], *document["fees"]]
    nets = [Decimal(line["amount"]) * sign for line in lines]
    if document["tax_included"]:
        nets = _without_tax(lines, nets, taxes, document["currency"])
    for line, net in zip(lines, nets, strict=True):
        quantity, price = _counted(line, net, sign)
        yield InvoiceLine(
            " ".join(filter(None, (names.get(line["kind"], line["kind"]), line["name"]))),
            quantity,
            UNITS.get(line["unit"], "C62"),
            price,
            net,
            Decimal(line["vat"]),
        )


def _without_tax(
    lines: Sequence[Mapping[str, Any]], amounts: Sequence[Decimal], taxes: Sequence[Tax], money: str
) -> list[Decimal]:
    """The net amount of each line: rounded, and what is left of the net sum of its rate goes to the
    largest line of it, so that they add up to what the statement says."""
    vats = [Decimal(line["vat"]) for line in lines]
    nets = [
        rounded(amount * 100 / (100 + vat), money)
        for vat, amount in zip(vats, amounts, strict=True)
    ]
    for tax in taxes:
        mine = [at for at, vat in enumerate(vats) if vat == tax.vat]
        largest = max(mine, key=lambda at: abs(nets[at]))
        nets[largest] += tax.net - sum((nets[at] for at in mine), Decimal())
    return nets


def _counted(line: Mapping[str, Any], net: Decimal, sign: int) -> tuple[Decimal, Decimal]:
    """Quantity and price for one: the tariff's own where they make the amount, else the mean (each
    session was rounded by itself, and a price may include the tax)."""
    quantity, price = Decimal(line["quantity"]) * sign, Decimal(line["price"])
    if not quantity or quantity * net < 0:
        # What takes an amount down to a maximum has a quantity above zero and an amount below.
        return Decimal(-1 if net < 0 else 1), abs(net)
    if abs(quantity * price - net) < Decimal("0.005"):
        return quantity, price
    return quantity, (net / quantity).quantize(FINE, ROUND_HALF_UP)


def lacks_for_xrechnung(invoice: Invoice) -> None:
    """Raise `Cannot` with what XRechnung 3.0 asks for beyond EN 16931 and is not there."""
    seller, buyer = invoice.seller, invoice.buyer
    lacking = [
        name
        for name, value in (
            (gettext_noop("a contact person of the issuer"), seller.contact),
            (gettext_noop("a phone number of the issuer"), seller.phone),
            (gettext_noop("an e-mail address of the issuer"), seller.email),
            (gettext_noop("the household's e-mail address"), buyer.email),
        )
        if not value
    ]
    if lacking:
        raise Cannot(gettext_noop("XRechnung needs %(what)s: enter what is missing"), what=lacking)
