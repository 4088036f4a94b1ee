"""Every session ends: also one of which the charger never says so."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from levity.ocpp.decisions.closing import end_abandoned
from levity.ocpp.models import ChargePoint, Connector, IdTag, Transaction
from levity.ocpp.worker.housekeeping import sweep
from tests.ocpp.ledger_chargers import Charger, at, books, meter_value

STATE = ("state", "stop_reason", "energy", "flags")
HOUR, DAY = 60, 24 * 60


def begun(charger: Charger) -> int:
    """A session with a sample at minute 5."""
    started = charger.started()
    charger.meter(started, meter_value(at(5), 1500), when=at(5))
    return started


def test_a_stop_that_got_lost_is_made_up_for_when_the_connector_was_free_for_an_hour(
    charger: Charger,
) -> None:
    """It ends at its last sample, and says why; the charger's own stop still replaces it."""
    started = begun(charger)
    charger.status("Available", at(30))
    assert end_abandoned(at(30 + HOUR)) == 0
    assert end_abandoned(at(31 + HOUR)) == 1
    end = ("orphaned", "Other", Decimal(500), "abandoned orphaned")
    assert books(started, *STATE, "stopped_at", "meter_stop") == (*end, at(5), Decimal(1500))
    assert not Connector.objects.filter(transaction__isnull=False).exists()
    assert end_abandoned(at(32 + HOUR)) == 0
    charger.stop(started, at(29), 2500, when=at(99))
    assert books(started, *STATE) == ("stopped", "Local", Decimal(1500), "abandoned late-stop")


@pytest.mark.parametrize(
    "shown", ["Charging", "SuspendedEV", "Finishing", "Faulted", "Unavailable"]
)
def test_a_connector_that_is_not_free_may_be_charging(charger: Charger, shown: str) -> None:
    started = begun(charger)
    charger.status(shown, at(30))
    assert end_abandoned(at(30 + 5 * HOUR)) == 0
    assert books(started, "state") == "active"


def test_a_connector_that_says_it_is_free_and_charges_is_believed_its_meter(
    charger: Charger,
) -> None:
    """Some never change their status: neither one from before the start counts, nor one that
    samples contradict."""
    charger.status("Available", at(-30))
    started = charger.started()
    assert end_abandoned(at(5 * HOUR)) == 0
    charger.status("Finishing", at(6))
    charger.status("Available", at(7))
    charger.meter(started, meter_value(at(20), 1600), when=at(20))
    assert end_abandoned(at(5 * HOUR)) == 0
    assert books(started, "state") == "active"


@pytest.mark.parametrize(("days", "ends"), [(7, True), (0, False), (30, False)])
def test_a_charger_that_never_comes_back_leaves_no_session_running(
    charger: Charger, settings: Any, days: int, ends: bool
) -> None:
    """And it does not use up the limit of its tag for ever."""
    settings.OCPP_ABANDONED_AFTER_DAYS = days
    IdTag.objects.create(id_tag="tag", max_transactions=1)
    started = begun(charger)
    assert end_abandoned(at(7 * DAY)) == 0
    assert end_abandoned(at(7 * DAY + 6)) == int(ends)
    assert books(started, "state") == ("orphaned" if ends else "active")
    other = Charger("CP2", charger.pipeline)
    said = other.call("Authorize", {"idTag": "tag"}, at(7 * DAY + 7))["idTagInfo"]["status"]
    assert said == ("Accepted" if ends else "ConcurrentTx")


def test_a_charger_that_comes_back_goes_on_with_its_session(charger: Charger) -> None:
    """A week without the mobile network: its samples open it again, with the trail."""
    started = begun(charger)
    assert end_abandoned(at(8 * DAY)) == 1
    back = at(8 * DAY + 10)
    charger.meter(started, meter_value(back, 90_000), when=back)
    assert books(started, "state", "energy", "flags") == (
        "active",
        Decimal(89_000),
        "abandoned continued",
    )
    assert Connector.objects.get(number=1).transaction_id == started


def test_a_session_of_today_on_a_charger_that_is_heard_is_left_alone(charger: Charger) -> None:
    started = begun(charger)
    ChargePoint.objects.update(last_seen_at=at(8 * DAY))
    assert end_abandoned(at(8 * DAY + 1)) == 0
    assert books(started, "state") == "active"


def test_the_sweep_looks_once_a_minute(charger: Charger) -> None:
    begun(charger)
    later = at(9 * DAY)
    sweep(later, is_minute=False)
    assert Transaction.objects.get().state == "active"
    # Whatever second it is: rounds need not fall into the first five.
    sweep(later + timedelta(seconds=30), is_minute=True)
    assert Transaction.objects.get().state == "orphaned"


def test_a_charger_that_was_retired_charges_nobody(charger: Charger) -> None:
    """The demo's ten were retired, and seven sessions stood as "Charging now" for a week."""
    started = begun(charger)
    ChargePoint.objects.update(retired_at=at(10), connection=uuid4())
    assert end_abandoned(at(11)) == 0  # connected, so in use again
    ChargePoint.objects.update(connection=None)
    assert end_abandoned(at(11)) == 1
    assert books(started, *STATE) == ("orphaned", "Other", Decimal(500), "abandoned orphaned")


@pytest.mark.parametrize("is_retired", [True, False])
def test_a_last_sample_after_the_last_sign_that_was_written_down_keeps_no_session_running(
    charger: Charger, is_retired: bool
) -> None:
    """When it was seen last is written now and then: two of the demo's ten charged for ever."""
    started = begun(charger)
    retired = at(10) if is_retired else None
    ChargePoint.objects.update(last_seen_at=at(4), retired_at=retired, connection=None)
    Connector.objects.update(status="Available", status_since=at(3))
    assert end_abandoned(at(11) if is_retired else at(8 * DAY)) == 1
    assert books(started, *STATE) == ("orphaned", "Other", Decimal(500), "abandoned orphaned")
