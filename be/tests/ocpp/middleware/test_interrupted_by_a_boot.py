"""A boot in the middle of a session: it goes on if the charger goes on, with its id or without."""

from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.models import Connector, QuarantinedMessage, Transaction
from tests.kept import Samples
from tests.ocpp.ledger_chargers import Charger, at, books, iso, meter_value

STATE = ("state", "energy", "flags")


def interrupted(charger: Charger, meter: int = 1000, **more: Any) -> int:
    """Begun at 0, 500 Wh at minute 5, a boot at minute 6."""
    started = charger.started(at(0), meter, **more)
    charger.meter(started, meter_value(at(5), meter + 500), when=at(5), **_on(more))
    charger.boot(at(6))
    assert books(started, "state", "stop_reason") == ("orphaned", "Reboot")
    return started


def _on(more: dict[str, Any]) -> dict[str, Any]:
    return {"connectorId": more["connectorId"]} if "connectorId" in more else {}


@pytest.mark.parametrize("named", [None, -1, 0])
@pytest.mark.parametrize("shown", ["", "Charging", "SuspendedEV"])
def test_samples_without_an_id_that_rise_open_it_again(
    charger: Charger, named: int | None, shown: str
) -> None:
    """And everything after it is one session, ended by the charger's own word."""
    started = interrupted(charger)
    if shown:
        charger.status(shown, at(7))
    charger.meter(named, meter_value(at(8), 1600), when=at(8))
    assert books(started, *STATE) == ("active", Decimal(600), "continued")
    assert Connector.objects.get(number=1).transaction_id == started
    charger.meter(named, meter_value(at(9), 1700), when=at(9))
    charger.stop(-1, at(10), 2000)
    assert books(started, *STATE) == ("stopped", Decimal(1000), "continued matched-by-connector")
    assert Transaction.objects.count() == 1
    assert not Samples.objects.filter(transaction=None).exists()
    assert not QuarantinedMessage.objects.exists()


def test_the_same_register_or_power_goes_on_only_if_the_charger_says_that_it_charges(
    charger: Charger,
) -> None:
    started = interrupted(charger)
    charger.meter(None, meter_value(at(7), 1500), when=at(7))
    assert books(started, "state") == "orphaned"
    charger.status("SuspendedEV", at(8))
    charger.meter(None, meter_value(at(9), 1500), when=at(9))
    assert books(started, *STATE) == ("active", Decimal(500), "continued")


def test_power_alone_shows_it_too(charger: Charger) -> None:
    started = interrupted(charger)
    power = {"value": "3600", "unit": "W", "measurand": "Power.Active.Import"}
    value = {"timestamp": iso(at(7)), "sampledValue": [{**power, "value": "0"}]}
    charger.meter(None, value, when=at(7))
    assert books(started, "state") == "orphaned"
    value = {"timestamp": iso(at(8)), "sampledValue": [power]}
    charger.meter(None, value, when=at(8))
    assert books(started, "state", "power") == ("active", Decimal(3600))


@pytest.mark.parametrize("shown", ["Available", "Preparing", "Finishing", "Faulted"])
def test_a_connector_that_shows_itself_free_continues_nothing(charger: Charger, shown: str) -> None:
    """Clock-aligned samples of an idle meter, which the next car's session may have moved."""
    started = interrupted(charger)
    charger.status(shown, at(7))
    charger.meter(None, meter_value(at(8), 1600), when=at(8))
    assert books(started, *STATE) == ("orphaned", Decimal(500), "orphaned")
    assert Samples.objects.filter(transaction=None).count() == 1


@pytest.mark.parametrize("wh", [100, 1499, 60_000])
def test_a_register_that_can_not_be_its_own_continues_nothing(charger: Charger, wh: int) -> None:
    """It fell, or rose by more than can have flowed: a new meter, another unit."""
    started = interrupted(charger)
    charger.status("Charging", at(7))
    charger.meter(None, meter_value(at(8), wh), when=at(8))
    assert books(started, *STATE) == ("orphaned", Decimal(500), "orphaned")


def test_samples_from_before_the_boot_move_the_end_and_open_nothing(charger: Charger) -> None:
    """What the charger kept while the power was away, without an id."""
    started = charger.started(at(0), 1000)
    charger.boot(at(60))
    charger.status("Available", at(60))
    charger.meter(None, meter_value(at(20), 1800), when=at(61))
    assert books(started, *STATE, "stopped_at") == ("orphaned", Decimal(800), "orphaned", at(20))


def test_samples_belong_to_the_connector_on_which_they_were_taken(charger: Charger) -> None:
    left = interrupted(charger, 1000, connectorId=1)
    charger.now = at(7)
    charger.meter(None, meter_value(at(8), 1600), when=at(8), connectorId=2)
    assert books(left, "state") == "orphaned"


def test_the_next_session_of_the_connector_ends_the_waiting(charger: Charger) -> None:
    """From then on samples are that one's, and a Stop for none is that one's, too."""
    first = interrupted(charger)
    second = charger.started(at(10), 1500)
    charger.meter(None, meter_value(at(11), 1600), when=at(11))
    assert books(first, *STATE) == ("orphaned", Decimal(500), "orphaned")
    charger.stop(-1, at(20), 2500)
    assert books(second, "state", "energy") == ("stopped", Decimal(1000))
    assert books(first, "state") == "orphaned"


@pytest.mark.parametrize("named", [-1, 0, None, 2**63 - 1])
def test_a_stop_for_none_ends_the_one_that_a_boot_interrupted(
    charger: Charger, named: int | None
) -> None:
    """Power loss, boot, and the Stop that the charger kept; it never learned its id."""
    started = interrupted(charger)
    charger.status("Available", at(7))
    charger.stop(named, at(5.5), 1550, when=at(8), reason="PowerLoss", idTag="TAG")
    assert books(started, "state", "stop_reason", "energy", "flags") == (
        "stopped",
        "PowerLoss",
        Decimal(550),
        "matched-by-connector late-stop",
    )
    assert not QuarantinedMessage.objects.exists()
    assert not Connector.objects.filter(transaction__isnull=False).exists()


@pytest.mark.parametrize(
    "other",
    [{"idTag": "another"}, {"meterStop": 900}, {"meterStop": 900_000}, {"timestamp": iso(at(-9))}],
)
def test_a_stop_that_does_not_fit_it_waits_for_a_person(
    charger: Charger, other: dict[str, Any]
) -> None:
    """Another tag, a meter below the start or beyond what can be, a time before it began."""
    started = interrupted(charger)
    charger.stop(-1, at(5.5), 1550, when=at(8), **other)
    assert books(started, "state") == "orphaned"
    assert QuarantinedMessage.objects.get().reason == "no such transaction"


def test_a_stop_that_fits_two_waits_for_a_person(charger: Charger) -> None:
    """One interrupted on the left, one that runs on the right, the same tag and meter."""
    left = interrupted(charger, 1000, connectorId=1)
    right = charger.started(at(7), 1000, connectorId=2)
    charger.stop(-1, at(30), 3000)
    assert (books(left, "state"), books(right, "state")) == ("orphaned", "active")
    reason = f"no such transaction; it may be the end of #{left} or #{right}"
    assert QuarantinedMessage.objects.get().reason == reason


def test_of_an_interrupted_one_and_one_that_runs_the_tag_says_which(charger: Charger) -> None:
    left = interrupted(charger, 1000, connectorId=1, idTag="left")
    right = charger.started(at(7), 1000, connectorId=2, idTag="right")
    charger.stop(-1, at(30), 3000, idTag="left")
    assert (books(left, "state"), books(right, "state")) == ("stopped", "active")
    charger.stop(-1, at(40), 3000, idTag="RIGHT")
    assert books(right, "state") == "stopped"


def test_an_interrupted_session_is_not_shown_as_running(
    charger: Charger, admin_client: Any
) -> None:
    """Its number is kept with the connector, with the word that it was interrupted."""
    started = interrupted(charger)
    page = admin_client.get(f"/admin/ocpp/chargepoint/{charger.row.pk}/change/").content.decode()
    assert f"#{started} interrupted" in page
    charger.status("Available", at(6))
    page = admin_client.get(f"/admin/ocpp/chargepoint/{charger.row.pk}/change/").content.decode()
    assert "interrupted" not in page
    charger.status("Charging", at(6))
    charger.meter(started, meter_value(at(7), 1600), when=at(7))
    page = admin_client.get(f"/admin/ocpp/chargepoint/{charger.row.pk}/change/").content.decode()
    assert f"#{started} 0.600 kWh" in page


def test_a_stop_without_sense_whose_reason_is_reboot_ends_it_for_good(charger: Charger) -> None:
    """It is a word of the charger's then: nothing waits to go on."""
    started = charger.started(at(0), 1000)
    said = {"transactionId": started, "timestamp": iso(at(6)), "reason": "Reboot", "meterStop": "?"}
    charger.call("StopTransaction", said, at(6))
    assert not Connector.objects.filter(transaction__isnull=False).exists()
    charger.meter(None, meter_value(at(7), 1600), when=at(7))
    assert books(started, "state", "energy") == ("orphaned", Decimal(0))
