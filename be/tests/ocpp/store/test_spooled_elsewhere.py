"""What an edge has answered by itself, when more goes wrong meanwhile: the charger has moved to
another edge, the frame fails here, the charge point is gone, its clock was never set."""

from typing import Any

import pytest

from levity.ocpp.decisions.sessions import told_id
from levity.ocpp.models import (
    ChargePoint,
    FailedMessage,
    IdTag,
    Message,
    QuarantinedMessage,
    Transaction,
)
from levity.ocpp.request import GetResponse, Request, Response
from levity.ocpp.worker.replay import take_again
from tests.kept import Samples
from tests.ocpp.charger import CentralSystem, Charger, wire
from tests.ocpp.store.test_spooled_frames import lease, spooled

pytestmark = pytest.mark.django_db


def states() -> list[tuple[int, str, Any]]:
    """Every transaction, how it stands, and its energy."""
    return list(Transaction.objects.order_by("id").values_list("id", "state", "energy"))


@pytest.mark.parametrize("known", [False, True], ids=["new", "on the books under another id"])
def test_samples_that_another_edge_told_first_join_their_session(*, known: bool) -> None:
    """They name an id that nobody knew; those that name none stay what they are."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    [number] = lease(site, 1)
    start = charger.starts()
    if known:
        site.take(start)
    other = charger.again()
    other.now = 120
    site.connect(other)
    site.result(other.measures(number, 2500, when=wire(100)))
    other.now = 150
    site.result(other.measures(None, 9998, when=wire(130), connectorId=2))
    other.now = 160
    site.result(other.measures(number + 50, 9999, when=wire(140), connectorId=2))
    site.take(spooled(start, number))
    row = Transaction.objects.get()
    assert (row.state, row.energy) == ("active", 1500)
    assert dict(Samples.objects.values_list("raw_value", "transaction")) == {
        "2500": row.pk,
        "9998": None,
        "9999": None,
    }


@pytest.mark.parametrize("known", ["new", "same event", "sent again"])
def test_end_that_another_edge_told_first_is_the_end_of_its_session(known: str) -> None:
    """Under an id that nobody knew yet, or that is the second one of a session on the books."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    [number] = lease(site, 1)
    start = charger.starts()
    if known != "new":
        site.take(start)
    late = spooled(charger.starts() if known == "sent again" else start, number)
    other = charger.again()
    site.connect(other)
    assert site.result(other.stops(number)) == {}
    site.take(late, *([late] if known == "same event" else []))
    [(pk, *figures)] = states()
    assert figures == ["stopped", 5000]
    assert Transaction.objects.get().flags == "stop-came-first"
    stop = QuarantinedMessage.objects.get()
    assert (stop.resolved_to_id, stop.resolution) == (pk, "its StartTransaction came later")


def test_second_session_that_another_edge_told_first_goes_on() -> None:
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    [number] = lease(site, 1)
    late = [
        spooled(charger.starts(), number),
        spooled(charger.measures(number, 2500)),
        spooled(charger.stops(number)),
    ]
    other = charger.again()
    other.now = 7200
    site.connect(other)
    second = site.start(other, timestamp=wire(7000), meterStart=6000)
    for frame in late:
        site.take(frame)
    assert states() == [(number, "stopped", 5000), (second, "active", None)]


def test_blocked_tag_is_judged_at_the_delivery_and_the_session_is_billed() -> None:
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    IdTag.objects.create(id_tag="TAG", status="Blocked")
    [number] = lease(site, 1)
    for frame in (spooled(charger.starts(), number), spooled(charger.stops(number))):
        site.take(frame)
    assert states() == [(number, "stopped", 5000)]
    assert Transaction.objects.get().flags == "id-tag-blocked"


def test_start_that_an_edge_gave_the_same_id_again_is_the_same_session() -> None:
    """The clock was never set, and the connector told something in between: judged here, it would
    be another one, with an id that is taken. It was parked."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    first, second = lease(site, 2)
    words = {"timestamp": "1970-01-01T00:00:00Z", "meterStart": 0}
    frames = [spooled(charger.starts(**words), first)]
    charger.now = 10
    frames += [spooled(charger.shows("Finishing")), spooled(charger.starts(**words), first)]
    charger.now = 20
    end = {"transactionId": first, "meterStop": 100, "timestamp": "1970-01-01T00:00:09Z"}
    frames += [spooled(charger.calls("StopTransaction", end))]
    charger.now = 30
    frames += [spooled(charger.starts(**words), second)]
    for frame in frames:
        site.take(frame)
    assert not FailedMessage.objects.exists()
    assert states() == [(first, "stopped", 100), (second, "active", None)]


class Fails:
    """A middleware with a fault, until it is mended."""

    is_mended = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        """The response of the chain, once."""
        if not self.is_mended:
            raise ZeroDivisionError("a fault of ours")
        return self.get_response(request)


def test_parked_start_keeps_the_id_that_its_charger_was_told(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken again it got another one, and its meter values and its end were nobody's."""
    settings.OCPP_MIDDLEWARE = [f"{__name__}.Fails"]
    site, charger = CentralSystem(), Charger()
    [number] = lease(site, 1)
    frame = spooled(charger.starts(), number)
    assert site.take(frame).reply.commands == ()
    assert Message.objects.get().response == frame.answer
    monkeypatch.setattr(Fails, "is_mended", True)
    assert take_again(FailedMessage.objects.get(), site.pipeline, None) == ""
    assert states() == [(number, "active", None)]
    site.result(charger.stops(number))
    assert states() == [(number, "stopped", 5000)]
    assert take_again(FailedMessage.objects.get(), site.pipeline, None) == ""
    assert states() == [(number, "stopped", 5000)]


def test_frames_of_a_charge_point_that_was_deleted_are_parked(settings: Any) -> None:
    """Their charger was told that they were taken; they were dropped without a word."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    [number] = lease(site, 1)
    frames = [spooled(charger.starts(), number), spooled(charger.stops(number))]
    settings.OCPP_UNKNOWN_CHARGE_POINTS = "reject"
    ChargePoint.objects.all().delete()
    for frame in frames:
        assert site.take(frame).reply.commands == ()
    parked = FailedMessage.objects.order_by("seq")
    assert [(item.identity, item.charge_point) for item in parked] == [("CP1", None)] * 2
    assert "not registered here" in parked[0].traceback
    ChargePoint.objects.create(identity="CP1")
    assert [take_again(item, site.pipeline, None) for item in parked] == ["", ""]
    # Which id was told, went with the charge point: a person says whose end it is.
    assert [row[1:] for row in states()] == [("active", None)]
    assert QuarantinedMessage.objects.get().action == "StopTransaction"


def test_charger_is_known_by_the_id_that_it_was_told_last() -> None:
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    [number] = lease(site, 1)
    start = charger.starts()
    site.take(start)
    row = Transaction.objects.get()
    assert told_id(row) == row.pk
    site.take(spooled(start, number))
    assert told_id(row) == number
    # It has not heard the edge's answer either, and asks on a new connection: first an edge that is
    # alone once more, then the backend.
    again = charger.again()
    again.now = 5
    site.take(spooled(again.starts(), number))
    assert told_id(row) == number
    again.now = 10
    assert site.start(again) == row.pk
    assert told_id(row) == row.pk
