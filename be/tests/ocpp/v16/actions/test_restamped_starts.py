"""A start that is told again with another time: its answer was lost, or not understood.

Nothing was charged between the two, so whichever id the charger goes on with, one session is
charged, in full, and the other one is empty.
"""

from decimal import Decimal

import pytest

from levity.ocpp.models import Connector, QuarantinedMessage, Transaction
from tests.ocpp.ledger_chargers import Charger, at, meter_value


def told(charger: Charger, *minutes: float) -> list[int]:
    """The ids of a start that is told at these minutes, each dated then, in this order."""
    return [
        charger.started(at(minute), 50_000, when=at(10 + number))
        for number, minute in enumerate(minutes)
    ]


def goes_on(charger: Charger, transaction: int, samples: int) -> None:
    """Five kWh in an hour."""
    for number in range(1, samples + 1):
        value = meter_value(at(60 * number / 6), 50_000 + 1000 * number)
        charger.meter(transaction, value, when=at(20 + 60 * number / 6))
    charger.stop(transaction, at(60), 55_000, when=at(80))


def charged() -> dict[int, tuple[str, Decimal]]:
    """The sessions that have charged something, or are open."""
    rows = Transaction.objects.exclude(energy=0).values_list("id", "state", "energy")
    return {pk: (state, energy) for pk, state, energy in rows}


@pytest.mark.parametrize("samples", [0, 5])
@pytest.mark.parametrize("minutes", [(0, 2), (2, 0), (0, 2, 4), (4, 2, 0), (2, 4, 0)])
@pytest.mark.parametrize("used", [0, -1])
def test_one_session_is_charged_whichever_id_it_goes_on_with(
    charger: Charger, samples: int, minutes: tuple[float, ...], used: int
) -> None:
    """Told in the order of its dates or not: a queue that sends the newest first."""
    ids = told(charger, *minutes)
    assert len(set(ids)) == len(minutes)
    goes_on(charger, ids[used], samples)
    assert charged() == {ids[used]: ("stopped", Decimal(5000))}
    assert Transaction.objects.get(pk=ids[used]).confidence == "high"
    assert Connector.objects.get(number=1).transaction_id is None
    assert QuarantinedMessage.objects.count() == 0


def test_a_start_after_something_was_charged_is_another_session(charger: Charger) -> None:
    """The same card, minutes later, at the register that the first one has reached."""
    first = charger.started(at(0), 50_000)
    charger.meter(first, meter_value(at(5), 50_900), when=at(5))
    second = charger.started(at(6), 50_900)
    charger.stop(second, at(60), 55_000)
    assert charged() == {
        first: ("orphaned", Decimal(900)),
        second: ("stopped", Decimal(4100)),
    }
