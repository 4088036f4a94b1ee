"""A statement as an invoice: its own amounts, whose parts add up however prices are said."""

from decimal import Decimal

import pytest

from levity.billing.accounting.invoice import Cannot, Tax, invoice_of, lacks_for_xrechnung

NAMES = {"energy": "Energy", "maximum": "Down to the maximum"}
SELLER = {
    "street": "Main Street 1",
    "postcode": "13353",
    "city": "Berlin",
    "country": "DE",
    "email": "weg@example.org",
    "contact": "Erika Muster",
    "phone": "+49 30 1234567",
    "iban": "DE89370400440532013000",
    "creditor_id": "DE98ZZZ09999999999",
    "due_days": 14,
    "exemption": "-",
}
BUYER = {
    "street": "",
    "postcode": "13353",
    "city": "Berlin",
    "country": "DE",
    "email": "anna@example.org",
    "reference": "7",
    "mandate": "",
    "iban": "",
}


def line(amount, quantity="1", price="0", kind="energy", vat="19"):
    unit = "kWh" if kind == "energy" else "session"
    values = {"kind": kind, "name": "", "unit": unit, "price": price, "vat": vat}
    return values | {"quantity": quantity, "amount": amount}


def statement(*lines, taxes, gross=False, **values):
    sums = {
        name: str(sum(Decimal(each[name]) for each in taxes)) for name in ("net", "tax", "gross")
    }
    return {
        "number": "E-000001",
        "language": "en",
        "issuer": {"name": "House", "tax_number": "DE123456789"},
        "household": {"name": "Anna"},
        "first_day": "2026-11-01",
        "last_day": "2026-11-30",
        "closed_on": "2026-12-01",
        "currency": "EUR",
        "tax_included": gross,
        "sessions": [],
        "bands": list(lines),
        "fees": [],
        "taxes": taxes,
        "payment_text": "",
        **sums,
        **values,
    }


def tax(net, taxed, gross, vat="19"):
    return {"vat": vat, "net": net, "tax": taxed, "gross": gross}


def test_the_tariffs_price_stands_where_it_makes_the_amount_and_else_the_mean():
    lines = [line("3.09", "11.04", "0.28"), line("10.17", "25.347", "0.40")]
    found = invoice_of(
        statement(*lines, taxes=[tax("13.26", "2.52", "15.78")]), NAMES, SELLER, BUYER
    )
    assert [(each.quantity, each.price, each.amount) for each in found.lines] == [
        (Decimal("11.04"), Decimal("0.28"), Decimal("3.09")),
        (Decimal("25.347"), Decimal("0.40123091"), Decimal("10.17")),
    ]
    assert (found.kind, found.due.isoformat(), found.iban) == (
        "380",
        "2026-12-15",
        SELLER["iban"],
    )


def test_prices_with_tax_become_net_lines_that_add_up_to_the_net_sum():
    # 0.99 is 0.83 net, three times 2.49; the statement's net sum is 2.50.
    lines = [line("0.99"), line("0.99"), line("0.99")]
    document = statement(*lines, taxes=[tax("2.50", "0.47", "2.97")], gross=True)
    found = invoice_of(document, NAMES, SELLER, BUYER)
    assert sum(each.amount for each in found.lines) == found.net == Decimal("2.50")
    assert found.taxes == (Tax(Decimal(19), Decimal("2.50"), Decimal("0.47")),)


def test_what_takes_an_amount_down_has_a_quantity_below_zero_and_a_price_above():
    lines = [line("5.00", "10", "0.5"), line("-1.00", kind="maximum")]
    document = statement(*lines, taxes=[tax("4.00", "0.76", "4.76")])
    down = invoice_of(document, NAMES, SELLER, BUYER).lines[1]
    assert (down.quantity, down.price, down.amount) == (-1, 1, -1)


def test_a_credit_turns_all_signs():
    document = statement(line("-3.50", "-10", "0.35"), taxes=[tax("-3.50", "-0.67", "-4.17")])
    document["sessions"] = [{"correction_of": "E-000000"}]
    found = invoice_of(document, NAMES, SELLER, BUYER | {"mandate": "M", "iban": "X"})
    assert (found.kind, found.gross, found.lines[0].quantity) == ("381", Decimal("4.17"), 10)
    # Nobody collects a credit.
    assert (found.mandate, found.corrects) == ("", ("E-000000",))


def test_what_is_missing_is_said():
    document = statement(line("1"), taxes=[tax("1", "0.19", "1.19")])
    for seller, buyer, why in (
        (SELLER | {"city": ""}, BUYER, "the issuer has no town"),
        (SELLER, BUYER | {"postcode": ""}, "the household has no postcode"),
        (SELLER | {"iban": ""}, BUYER, "no IBAN"),
    ):
        with pytest.raises(Cannot, match=why):
            invoice_of(document, NAMES, seller, buyer)
    lacking = invoice_of(document, NAMES, SELLER | {"phone": ""}, BUYER | {"email": ""})
    with pytest.raises(Cannot, match="a phone number of the issuer, the household's e-mail"):
        lacks_for_xrechnung(lacking)
    document["issuer"]["tax_number"] = ""
    with pytest.raises(Cannot, match="tax number"):
        invoice_of(document, NAMES, SELLER, BUYER)
