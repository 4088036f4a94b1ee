"""Each StopTransaction that was answered ends a session, or waits for a person."""

import random
from decimal import Decimal

import orjson
import pytest

from levity.ocpp.models import QuarantinedMessage, Transaction
from tests.ocpp.ledger_chargers import Charger, at

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("seed", range(6))
def test_each_stop_is_on_a_session_or_in_the_quarantine(seed: int) -> None:
    """Starts get lost, and stops name none, or those of the other connector."""
    chance = random.Random(seed)
    charger, told = Charger(), list[Decimal]()
    registers = {1: 10_000, 2: 12_000, 3: 11_000}
    busy: dict[int, int] = {}
    minute = 0
    for _ in range(60):
        minute += chance.randint(3, 40)
        connector = chance.choice((1, 2, 3))
        if connector not in busy:
            meter = registers[connector]
            is_lost = chance.random() < 0.3
            busy[connector] = (
                -1 if is_lost else charger.started(at(minute), meter, connectorId=connector)
            )
            continue
        number = busy.pop(connector)
        if number != -1 and busy and chance.random() < 0.2:
            number = chance.choice(list(busy.values()))
        registers[connector] += chance.randint(200, 9000)
        charger.stop(number, at(minute), registers[connector])
        told.append(Decimal(registers[connector]))
    ended = list(Transaction.objects.filter(state="stopped").values_list("meter_stop", flat=True))
    rows = QuarantinedMessage.objects.filter(action="StopTransaction")
    waits = [
        Decimal(orjson.loads(text)["meterStop"]) for text in rows.values_list("payload", flat=True)
    ]
    assert [wh for wh in told if wh not in ended and wh not in waits] == []
