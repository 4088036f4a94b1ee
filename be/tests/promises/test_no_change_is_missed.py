"""Chargers that behave at random, and an extension that bills what it is told of them."""

import random
from datetime import timedelta
from typing import Any

import pytest

from levity.ocpp.decisions import quarantine, quarantined_message
from levity.ocpp.models import FailedMessage, QuarantinedMessage, Transaction
from levity.ocpp.worker.housekeeping import sweep
from tests.ocpp.charger import CentralSystem, Charger, at, wire
from tests.ocpp.extension import billing


@pytest.fixture
def ledger(db: None, settings: Any) -> None:
    """The dummy extension bills."""
    billing.make_table()
    settings.OCPP_SESSIONS_CHANGED = [billing.BILL]


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))]
)
def test_random_sessions_are_billed_as_the_ledger_has_them(seed: int, ledger: None) -> None:
    """Chargers that boot, repeat themselves, lose stops and name ids that nobody gave."""
    dice = random.Random(seed)
    site = CentralSystem()
    chargers = [site.connect(Charger(f"CP{number}")) for number in range(4)]
    given = [0]
    register = 1000
    for step in range(60):
        events: list[Any] = []
        for charger in dice.sample(chargers, dice.randint(1, 4)):
            charger.now = step * 60 + dice.random()
            register += dice.choice((0, 50, 400))
            named, when = dice.choice(given), wire(charger.now - dice.choice((0, 0, 200)))
            usual = {"meterStart": register, "timestamp": when, "connectorId": dice.choice((1, 2))}
            events.append(
                dice.choice(
                    (
                        charger.starts(**usual),
                        charger.starts(**usual),
                        charger.starts(meterStart=[]),
                        charger.measures(named, register, when=when),
                        charger.measures(None, register, when=when),
                        charger.stops(named, meterStop=register, timestamp=when),
                        charger.stops(named, meterStop="much"),
                        charger.shows(dice.choice(("Charging", "Available", "Preparing"))),
                        charger.boots(),
                    )
                )
            )
        events += dice.sample(events, dice.randint(0, 1))
        for text in site.frames(*events):
            if '"transactionId"' in text:
                given.append(int(text.partition('"transactionId":')[2].split(",")[0].rstrip("}]")))
        if step % 20 == 19:
            sweep(at(charger.now) + timedelta(hours=dice.choice((0, 2))))
        for item in QuarantinedMessage.objects.filter(resolved_at=None)[: dice.randint(0, 2)]:
            found, _ = dice.choice(quarantined_message.candidates(item) or [(None, ())])
            if found is None:
                continue
            try:
                quarantine.attach(item, found, None)
                if dice.random() < 0.5:
                    quarantine.undo(item, None)
            except quarantined_message.CannotResolve:
                continue
    assert not FailedMessage.objects.exists()
    assert Transaction.objects.count() > 10
    billing.agree()
