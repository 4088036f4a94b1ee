"""What an edge has answered by itself: taken as it would have been then, and answered to nobody."""

import json
from typing import Any

import pytest

from levity.ocpp.models import (
    ChargePoint,
    Connector,
    Message,
    QuarantinedMessage,
    StatusEvent,
    Transaction,
    TransactionAlias,
)
from levity.ocpp.worker.housekeeping import forget_edges
from levity_ws.rpc.envelope import Lease, Leased, Received, Spooled
from tests.kept import Samples
from tests.ocpp.charger import CentralSystem, Charger, at, wire

pytestmark = pytest.mark.django_db


def spooled(event: Received, transaction: int = 0, **payload: Any) -> Spooled:
    """The event as an edge delivers it later, with the answer that it has given."""
    unique_id = json.loads(event.text)[1]
    if transaction:
        payload = {"transactionId": transaction, "idTagInfo": {"status": "Accepted"}}
    return Spooled(
        event.charge_point,
        event.connection,
        event.seq,
        event.at,
        event.text,
        answer=json.dumps([3, unique_id, payload], separators=(",", ":")),
        transaction=transaction,
    )


def lease(site: CentralSystem, count: int) -> tuple[int, ...]:
    """Ids as an edge gets them."""
    taken = site.take(Lease("", "", 0, at().timestamp(), count))
    [command] = taken.reply.commands
    assert isinstance(command, Leased)
    return command.ids


def test_leased_ids_are_nobody_elses() -> None:
    """Two edges and the backend itself share one source."""
    site = CentralSystem()
    one, two = lease(site, 50), lease(site, 50)
    own = [site.start(Charger(f"CP{number}")) for number in range(10)]
    three = lease(site, 50)
    assert len({*one, *two, *three, *own}) == 160
    assert not lease(site, 0)
    assert len(lease(site, 1_000_000_000)) == 10_000


def test_session_is_on_the_books_with_its_own_id_times_and_energy() -> None:
    """Delivered hours later, and answered to nobody."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    [number] = lease(site, 1)
    frames = [
        spooled(charger.starts(), number),
        spooled(charger.measures(number, 2500)),
        spooled(charger.stops(number)),
    ]
    replies = [site.take(frame).reply.commands for frame in frames]
    assert replies == [(), (), ()]
    row = Transaction.objects.get()
    assert (row.pk, row.state, row.started_at, row.stopped_at) == (
        number,
        "stopped",
        at(),
        at(3600),
    )
    assert (row.start_received_at, row.stop_received_at) == (at(), at(3600))
    assert (row.meter_start, row.meter_stop, row.energy) == (1000, 6000, 5000)
    assert Samples.objects.get().transaction_id == number
    kept = Message.objects.filter(sender="cp").order_by("seq").values_list("response", flat=True)
    assert list(kept) == [frame.answer for frame in frames]
    assert not QuarantinedMessage.objects.exists()


def test_delivered_again_it_is_on_the_books_once() -> None:
    """The edge was killed between the delivery and its note of it."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    [number] = lease(site, 1)
    frames = [spooled(charger.starts(), number), spooled(charger.stops(number))]
    for frame in (*frames, *frames):
        site.take(frame)
    assert Transaction.objects.get().pk == number
    assert Message.objects.filter(sender="cp").count() == 2
    assert not TransactionAlias.objects.exists()


@pytest.mark.parametrize("same_event", [True, False], ids=["same event", "sent again"])
def test_start_that_the_backend_had_already_has_both_ids(*, same_event: bool) -> None:
    """It was committed, but its answer never came; the charger knows the leased id only."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    [number] = lease(site, 1)
    start = charger.starts()
    site.take(start)
    first = start if same_event else charger.starts()
    site.take(spooled(first, number))
    row = Transaction.objects.get()
    assert row.pk != number
    assert TransactionAlias.objects.get().transaction_id == row.pk
    site.take(spooled(charger.measures(number, 2500)))
    site.result(charger.stops(number))  # later, live
    row.refresh_from_db()
    assert (row.state, row.energy) == ("stopped", 5000)
    assert Samples.objects.get().transaction_id == row.pk
    assert not QuarantinedMessage.objects.exists()


def test_start_that_comes_again_live_finds_the_spooled_one() -> None:
    """The charger missed the edge's answer, and asks the backend now."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    [number] = lease(site, 1)
    site.take(spooled(charger.starts(), number))
    assert site.start(charger.again()) == number
    assert Transaction.objects.count() == 1


def test_nonsense_is_quarantined_with_the_id_that_was_given() -> None:
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    [number] = lease(site, 1)
    site.take(spooled(charger.starts(connectorId="many"), number))
    assert not Transaction.objects.exists()
    assert QuarantinedMessage.objects.get().transaction == number


def test_what_comes_late_says_nothing_of_who_is_connected_now() -> None:
    """Promise 5: neither on line, nor off."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    late = spooled(charger.calls("Heartbeat"))
    # Killed, so that nobody heard of the end of its connections; then started again.
    forget_edges([site.edge], at(60))
    site.take(late)
    assert ChargePoint.objects.get().connection is None
    newer = charger.again()
    site.connect(newer)
    site.take(spooled(charger.calls("Heartbeat")))
    assert str(ChargePoint.objects.get().connection) == newer.connection


@pytest.mark.parametrize("with_time", [True, False])
def test_late_status_does_not_overtake_a_newer_one(*, with_time: bool) -> None:
    """The charger has moved to another edge meanwhile, which told first."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)

    def status(word: str, seconds: float) -> Received:
        charger.now = seconds
        payload = {"connectorId": 1, "errorCode": "NoError", "status": word}
        if with_time:
            payload["timestamp"] = wire(seconds)
        return charger.calls("StatusNotification", payload)

    site.take(status("Charging" if with_time else "Available", 0))
    late = spooled(status("Charging", 10))
    site.take(status("Available", 20))
    if not with_time:
        site.take(status("Preparing", 30))
    site.take(late)
    assert Connector.objects.get(number=1).status == ("Available" if with_time else "Preparing")
    # In its place in time, one that nothing has overtaken counts.
    site.take(spooled(status("Faulted", 40)))
    assert Connector.objects.get(number=1).status == "Faulted"
    assert "Charging" in StatusEvent.objects.values_list("status", flat=True)
