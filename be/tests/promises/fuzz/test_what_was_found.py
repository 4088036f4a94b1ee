"""What frames at random have found, each once by itself."""

import pytest

from levity.ocpp.models import FailedMessage, Transaction
from tests.ocpp.charger import CentralSystem, Charger, wire

pytestmark = pytest.mark.django_db


def test_a_start_without_a_time_that_came_when_another_began_is_answered_with_a_result() -> None:
    """I-21, D-19: its time is ours then; the unique constraint met the other, and it was parked."""
    site, charger = CentralSystem(), Charger()
    charger.now = 60
    first = site.start(charger, timestamp=wire(60))
    site.result(charger.stops(first))
    charger.now = 60
    assert site.start(charger, timestamp="2026-11-22T12:0099999:00Z") == first
    assert site.start(charger, timestamp="") == first
    assert site.start(charger, timestamp="", meterStart=7) != first
    assert Transaction.objects.count() == 2
    assert FailedMessage.objects.count() == 0
