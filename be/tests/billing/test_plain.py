"""The plain form of a tariff, and what it can't say."""

from datetime import time
from decimal import Decimal

from levity.billing.plain import document_of, values_of
from levity.billing.saying import summary
from levity.billing.tariffs import checked_document

VALUES = {
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "tax_included": True,
    "vat_percent": Decimal(19),
    "price_per_kwh": Decimal("0.40"),
    "band_1_name": "night",
    "band_1_price": Decimal("0.28"),
    "band_1_from": time(22),
    "band_1_to": time(6),
    "band_2_name": "weekend",
    "band_2_price": Decimal("0.30"),
    "band_2_weekdays": ["sat", "sun"],
    "session_fee": Decimal("0.50"),
    "monthly_fee": Decimal("5.00"),
    "idle_price": Decimal("0.05"),
    "idle_grace": Decimal(30),
    "idle_maximum": Decimal(10),
    "quiet_from": time(22),
    "quiet_to": time(7),
}


def test_what_the_form_says_comes_back_into_it():
    stored = checked_document(document_of(VALUES, ["2026-12-25"]))
    again = values_of(stored)
    assert again is not None
    assert checked_document(document_of(again, ["2026-12-25"])) == stored
    assert summary(stored) == (
        "0.28 EUR/kWh night, 0.30 EUR/kWh weekend, 0.40 EUR/kWh, 0.50 EUR/session, and 2 more; "
        "19 % VAT included"
    )


def test_what_is_free_is_written_as_0():
    values = {"currency": "EUR", "time_zone": "UTC", "price_per_kwh": Decimal(0)}
    stored = checked_document(document_of(values))
    assert stored["energy"] == [{"price_per_kwh": "0"}]
    assert values_of(stored) is not None


def test_a_tariff_that_says_more_is_json():
    plain = checked_document(document_of(VALUES))
    for more in (
        {"spot": {"rows": [], "until": ""}},
        {"free_kwh_per_month": "10"},
        {"energy": [{"price_per_kwh": "0.1", "to_kwh": "100"}, {"price_per_kwh": "0.2"}]},
        {"energy": [{"price_per_kwh": "0.1", "season": {"from": "10-01", "to": "03-31"}}]},
        {"session_fee": {"price": "1", "vat_percent": "7"}},
    ):
        assert values_of(plain | more) is None
