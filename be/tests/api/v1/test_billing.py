"""`POST /api/v1/billing/price`: anyone with a token can compute a bill."""

from collections.abc import Callable

import pytest

from tests.api.conftest import Caller

SESSION = {
    "start": "2026-11-03T21:00:00+01:00",
    "end": "2026-11-03T23:00:00+01:00",
    "energy_wh": "25347",
}
TARIFF = {"time_zone": "Europe/Berlin", "energy": [{"price_per_kwh": "0.30"}]}
OCPI = {
    "currency": "EUR",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.3, "step_size": 1}]}],
}


def asked(caller: Caller, **body: object) -> object:
    return caller("POST", "billing/price", {"tariff": TARIFF, "session": SESSION} | body)


@pytest.mark.parametrize("body", [{}, {"tariff": OCPI, "time_zone": "Europe/Berlin"}])
def test_a_token_that_may_only_read_computes_a_price(
    caller: Callable[..., Caller], body: dict[str, object]
) -> None:
    answer = asked(caller("read"), **body)
    assert answer.status_code == 200, answer.content
    assert (answer.json()["gross"], answer.json()["energy_wh"]) == ("7.60", "25347")


def test_nobody_computes_without_a_token(caller: Callable[..., Caller]) -> None:
    assert asked(Caller()).status_code == 401


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"tariff": TARIFF | {"energie": []}}, "body.tariff.levity.energie"),
        ({"tariff": OCPI}, "body.time_zone"),
        ({"session": SESSION | {"end": "2026-11-03T20:00:00+01:00"}}, "body.session"),
        ({"tariff": TARIFF | {"energy": [{"price_per_kwh": 1, "from": "22:00"}]}}, "body.tariff"),
        ({"tariff": 7}, "body.tariff"),
    ],
)
def test_what_is_wrong_is_named(
    caller: Callable[..., Caller], body: dict[str, object], where: str
) -> None:
    answer = asked(caller("read"), **body)
    assert answer.status_code == 422, answer.content
    assert any(where in each["where"] for each in answer.json()["errors"])
