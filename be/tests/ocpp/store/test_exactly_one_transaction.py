"""Promise 2: exactly one transaction for a StartTransaction, however often it comes."""

import pytest

from levity.ocpp.models import QuarantinedMessage, Transaction
from tests.ocpp.charger import CentralSystem, Charger, wire

pytestmark = pytest.mark.django_db


def test_the_same_start_with_a_new_message_id_is_the_same_transaction() -> None:
    """D-01: 200 pairs."""
    site, chargers = CentralSystem(), [Charger(f"CP{number}") for number in range(200)]
    first = site.frames(*(charger.starts() for charger in chargers))
    again = site.frames(*(charger.starts() for charger in chargers))
    assert len(first) == 200
    assert [frame.partition(",{")[2] for frame in first] == [
        frame.partition(",{")[2] for frame in again
    ]
    assert Transaction.objects.count() == 200


def test_the_same_start_on_a_new_websocket_is_the_same_transaction() -> None:
    """D-03: the answer was lost with the old one."""
    site, charger = CentralSystem(), Charger()
    for meter in range(20):
        first = site.start(site.connect(charger), meterStart=meter)
        charger = charger.again()
        assert site.start(site.connect(charger), meterStart=meter) == first
    assert Transaction.objects.count() == 20


def test_the_same_start_in_one_batch_from_two_websockets_is_one_transaction() -> None:
    """The old socket's frame and the new one's can be collected into one batch."""
    site, charger = CentralSystem(), Charger()
    frames = site.frames(*(charger.again().starts() for _ in range(5)))
    assert len({frame.partition(",{")[2] for frame in frames}) == 1
    assert Transaction.objects.count() == 1


def test_two_spellings_of_an_identity_are_one_charge_point_with_one_transaction() -> None:
    """E-04: in one batch, too."""
    site = CentralSystem()
    one, two = Charger("Garage-1"), Charger("GARAGE-1")
    frames = site.frames(one.starts(), two.starts())
    assert len({frame.partition(",{")[2] for frame in frames}) == 1
    assert Transaction.objects.get().charge_point.identity == "Garage-1"


def test_the_same_start_after_its_stop_finds_the_stopped_transaction() -> None:
    """D-04: it stays stopped, with its figures, and says that it was asked for again."""
    site, charger = CentralSystem(), Charger()
    first = site.start(charger)
    site.result(charger.stops(first))
    before = Transaction.objects.values().get()
    assert site.start(charger) == first
    assert Transaction.objects.values().get() == {**before, "flags": "start-after-stop"}
    assert before["state"] == "stopped"


@pytest.mark.parametrize(
    "other",
    [{"connectorId": 2}, {"idTag": "TAG2"}, {"meterStart": 1001}, {"timestamp": wire(1)}],
)
def test_another_content_is_another_transaction(other: dict[str, object]) -> None:
    """Connector, id tag, time and meter value are what makes it the same."""
    site, charger = CentralSystem(), Charger()
    assert site.start(charger) != site.start(charger, **other)
    assert Transaction.objects.count() == 2


@pytest.mark.parametrize(
    "other",
    [
        {"meterStart": "1000"},
        {"meterStart": 1000.0},
        {"connectorId": "1"},
        {"timestamp": "2026-11-22T13:00:00+01:00"},
        {"timestamp": "2026-11-22T12:00:00.000Z"},
        {"timestamp": "2026-11-22T12:00:00"},
        {"reservationId": None},
        {"extra": 1},
    ],
)
def test_the_same_content_in_other_words_is_the_same_transaction(other: dict[str, object]) -> None:
    """Numbers as strings, another time zone, more fields."""
    site, charger = CentralSystem(), Charger()
    assert site.start(charger) == site.start(charger, **other)
    assert Transaction.objects.count() == 1


def test_another_charge_point_with_the_same_words_has_its_own_transaction() -> None:
    """A fleet that starts at one o'clock with the same tag at 0 Wh."""
    site = CentralSystem()
    ids = {site.start(Charger(f"CP{number}"), meterStart=0) for number in range(20)}
    assert len(ids) == 20


def test_a_start_without_a_time_is_found_while_it_runs() -> None:
    """There is nothing else to recognise it by."""
    site, charger = CentralSystem(), Charger()
    first = site.start(charger, timestamp="when?")
    charger.now = 60
    assert site.start(charger, timestamp="when?") == first
    assert Transaction.objects.values_list("flags", flat=True).get() == "no-start-time"


@pytest.mark.parametrize("left_out", [{"meterStart": "much"}, {"timestamp": None}])
def test_the_same_start_without_its_meter_or_time_is_one_session(
    left_out: dict[str, object],
) -> None:
    """It counts from its first sample, and from when it came."""
    site, charger = CentralSystem(), Charger()
    ids = {site.start(charger, **left_out) for _ in range(5)}
    assert ids == {Transaction.objects.get().id}


@pytest.mark.parametrize(
    "nonsense",
    [
        {"connectorId": 0},
        {"reservationId": [1]},
        {"idTag": {}, "connectorId": None},
    ],
)
def test_the_same_nonsense_gets_the_same_transaction_id(nonsense: dict[str, object]) -> None:
    """4.8: the answer always carries an id; D-01 for what is quarantined."""
    site, charger = CentralSystem(), Charger()
    ids = {site.start(charger, **nonsense) for _ in range(5)}
    assert len(ids) == 1
    assert Transaction.objects.count() == 0
    row = QuarantinedMessage.objects.values("action", "transaction", "repeated").get()
    assert row == {"action": "StartTransaction", "transaction": ids.pop(), "repeated": 4}


def test_nonsense_beside_a_start_that_is_on_the_books_gets_that_ones_id() -> None:
    """An IndexError in the batch, until the id was looked up before the payload was checked."""
    site, charger = CentralSystem(), Charger()
    first = site.start(charger)
    assert site.start(charger, reservationId=[1]) == first
    assert Transaction.objects.count() == 1
    assert QuarantinedMessage.objects.values_list("transaction", flat=True).get() == first


def test_ids_are_never_used_again() -> None:
    """F-30: neither the id of a deleted transaction, nor one that was only quarantined."""
    site, charger = CentralSystem(), Charger()
    first = site.start(charger)
    Transaction.objects.all().delete()
    second = site.start(charger, meterStart=2)
    third = site.start(charger, meterStart="much")
    fourth = site.start(charger, meterStart=4)
    assert first < second < third < fourth
