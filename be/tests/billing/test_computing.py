"""A tariff and a session as people write them: lines out, or what is wrong with them."""

import pytest

from levity.billing.computing import CannotPrice, price_document
from levity.billing.documents import TariffDocument
from levity.billing.ocpi_documents import CannotSay, said_in_ocpi

SESSION = {
    "start": "2026-11-03T21:00:00+01:00",
    "end": "2026-11-03T23:00:00+01:00",
    "energy_wh": "22080",
}
BANDS = {
    "time_zone": "Europe/Berlin",
    "vat_percent": 19,
    "energy": [
        {"price_per_kwh": "0.28", "from": "22:00", "to": "06:00", "name": "night"},
        {"price_per_kwh": 0.40},
    ],
}


def problems(tariff=BANDS, session=SESSION, zone=None):
    with pytest.raises(CannotPrice) as caught:
        price_document(tariff, session, zone)
    return dict(caught.value.problems)


def test_two_bands_and_their_tax():
    priced = price_document(BANDS, SESSION)
    assert [(line["name"], line["quantity"], line["amount"]) for line in priced["lines"]] == [
        ("", "11.04", "4.42"),
        ("night", "11.04", "3.09"),
    ]
    assert (priced["net"], priced["tax"], priced["gross"]) == ("7.51", "1.43", "8.94")
    assert priced["energy_wh"] == "22080"


def test_a_misspelt_field_is_named_and_not_left_out():
    wrong = {**BANDS, "energy": [{"price_per_kwh": "0.28", "untl": "06:00"}]}
    assert problems(wrong) == {"tariff.energy.0.untl": "Extra inputs are not permitted"}


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ({"time_zone": "Berlin"}, "time_zone", "no time zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone", "no time zone"),
        ({"energy": [{"price_per_kwh": "-1"}]}, "energy.0.price_per_kwh", "greater than or equal"),
        ({"energy": [{"price_per_kwh": "NaN"}]}, "energy.0.price_per_kwh", "finite"),
        ({"energy": []}, None, "no price"),
        (
            {"energy": [{"price_per_kwh": 1, "season": {"from": "02-30", "to": "03-01"}}]},
            "energy.0.season.from",
            "no day of the year",
        ),
    ],
)
def test_what_is_wrong_with_a_tariff_is_told_by_field(change, where, what):
    found = problems({**BANDS, **change})
    told = found[f"tariff.{where}" if where else "tariff"]
    assert what in told


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"start": "2026-11-03T21:00:00"}, "timezone"),
        ({"end": "2026-11-03T20:00:00+01:00"}, "ends before it begins"),
        ({"readings": [{"at": "2026-11-03T21:00:00+01:00", "register_wh": 1}]}, "either"),
        ({"energy_wh": "-5"}, "greater than or equal"),
        ({"energy_wh": "1e400"}, "digits"),
        ({"energy_wh": None, "readings": []}, "either"),
    ],
)
def test_what_is_wrong_with_a_session_is_told(change, what):
    assert any(what in told for told in problems(session={**SESSION, **change}).values())


@pytest.mark.parametrize(
    ("start", "end", "what"),
    [
        ("0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "session: .* longer than a year"),
        ("9999-12-30T00:00:00Z", "9999-12-31T23:00:00Z", "session: .* between the years"),
        ("0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z", "session: .* between the years"),
    ],
)
def test_a_session_of_centuries_is_refused_before_its_days_are_counted(start, end, what):
    with pytest.raises(CannotPrice, match=what):
        price_document(BANDS, {"start": start, "end": end, "energy_wh": "5000"})


def test_a_register_that_falls_is_no_bill():
    readings = [
        {"at": "2026-11-03T21:00:00+01:00", "register_wh": 500},
        {"at": "2026-11-03T22:00:00+01:00", "register_wh": 400},
    ]
    session = {**SESSION, "energy_wh": None, "readings": readings}
    assert problems(session=session) == {"session": "the register falls within the session"}


def test_a_gap_in_the_prices_is_told_with_its_time():
    night = {**BANDS, "energy": BANDS["energy"][:1]}
    told = problems(night)
    assert told == {"tariff": "the tariff has no price per kWh for 2026-11-03 21:00, 0 kWh used"}


def test_an_ocpi_tariff_is_known_by_its_elements():
    component = {"type": "ENERGY", "price": 0.25, "vat": 10, "step_size": 1}
    ocpi = {
        "country_code": "NL",
        "id": "12",
        "currency": "EUR",
        "elements": [{"price_components": [component]}],
    }
    assert price_document(ocpi, SESSION, "Europe/Amsterdam")["net"] == "5.52"
    assert "time_zone" in problems(ocpi)
    ocpi["elements"][0]["restrictions"] = {"reservation": "RESERVATION"}
    assert "tariff.elements.0.restrictions.reservation" in problems(ocpi, zone="UTC")


def test_a_tariff_says_in_ocpi_what_ocpi_can_say():
    said = said_in_ocpi(TariffDocument.model_validate(BANDS))
    assert price_document(said, SESSION, "Europe/Berlin")["gross"] == "8.94"
    tiers = {**BANDS, "energy": [{"price_per_kwh": 1, "to_kwh": 100}], "free_kwh_per_month": 5}
    with pytest.raises(CannotSay, match="a free quota, tiers of a month"):
        said_in_ocpi(TariffDocument.model_validate(tiers))
