"""Two workers with messages of one connector's chain at once: the books are those of one worker.

On Postgres only; the workers are threads, each with its own connection.
"""

from decimal import Decimal

import pytest

from levity.ocpp.models import Transaction
from levity.ocpp.testing import CentralSystem, Charger, wire
from tests.ocpp.worker.test_races import race, taking

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

CHARGERS = 6


def energies(charger: Charger) -> list[Decimal | None]:
    """Of its sessions, in their order."""
    rows = Transaction.objects.filter(charge_point__identity=charger.identity)
    return list(rows.order_by("id").values_list("energy", flat=True))


def test_the_ends_of_two_sessions_on_one_meter_at_once() -> None:
    """B4: both stop at 115,000, and each end is told to another worker."""
    site, chargers, ends = CentralSystem(), [], []
    for number in range(CHARGERS):
        charger = Charger(f"CP{number}")
        first = site.start(charger, idTag="ALICE", meterStart=100_000)
        charger.now = 3600
        second = site.start(charger, idTag="BOB", meterStart=106_000, timestamp=wire(3600))
        charger.now = 7200
        chargers.append(charger)
        ends.append(
            [
                charger.again().stops(pk, meterStop=115_000, timestamp=wire(7200))
                for pk in (first, second)
            ]
        )
    race(
        taking(*([one] for one, _ in ends)),
        taking(*([other] for _, other in ends)),
    )
    for charger in chargers:
        assert energies(charger) == [6000, 9000]


def test_the_end_of_a_session_and_the_start_of_the_next_at_once() -> None:
    """Whichever comes first: the session ends where its own stop says."""
    site, chargers, frames = CentralSystem(), [], []
    for number in range(CHARGERS):
        charger = Charger(f"CP{number}")
        before = site.start(charger, meterStart=500)
        charger.now = 600
        site.result(charger.stops(before, meterStop=1000, timestamp=wire(600)))
        first = site.start(charger, idTag="ALICE", meterStart=1000, timestamp=wire(660))
        for seconds, register in ((720, 1100), (1800, 4600)):
            charger.now = seconds
            site.result(charger.measures(first, register, wire(seconds)))
        charger.now = 7200
        stop = charger.again().stops(first, meterStop=5000, timestamp=wire(2400))
        start = charger.again().starts(idTag="BOB", meterStart=5500, timestamp=wire(7200))
        chargers.append(charger)
        frames.append((stop, start))
    race(
        taking(*([stop] for stop, _ in frames)),
        taking(*([start] for _, start in frames)),
    )
    for charger in chargers:
        assert energies(charger) == [500, 4000, None]
