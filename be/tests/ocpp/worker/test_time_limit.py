"""A frame whose handlers never return: parked, its neighbours served (promise 7)."""

import json
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from levity.db import watchdog
from levity.ocpp.models import ChargePoint, Command, FailedMessage, Message, Transaction
from levity.ocpp.request import ChargePointState, GetResponse, Request, Response
from levity.ocpp.worker import time_limit
from levity.ocpp.worker.time_limit import FrameTookTooLong, TimeLimit
from tests.ocpp.charger import NOW, CentralSystem, Charger

pytestmark = pytest.mark.django_db

LIMIT = 0.3


class Hang:
    """A middleware that goes round in circles at the tag `BAD` while `armed`."""

    armed = False
    begun = 0
    caught: list[BaseException] = []

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        """The response of the chain, some day."""
        Hang.begun += request.payload.get("idTag") == "BAD" and Hang.armed
        while request.payload.get("idTag") == "BAD" and Hang.armed:
            try:
                time.sleep(0.01)
            except Exception as error:  # noqa: BLE001  # as careless authors write it
                Hang.caught.append(error)
        return self.get_response(request)


@pytest.fixture
def hanging(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The trap is armed, and the watchdog looks often."""
    settings.OCPP_MIDDLEWARE = [f"{__name__}.Hang"]
    settings.OCPP_FRAME_TIME_LIMIT = LIMIT
    monkeypatch.setattr(watchdog, "TICK", 0.02)
    Hang.armed, Hang.begun = True, 0
    yield
    Hang.armed = False


@pytest.mark.timed
def test_a_frame_whose_handler_never_returns_is_parked_and_its_neighbours_are_served(
    hanging: None,
) -> None:
    """F-24: in one delivery; the exception says where it hung, the charger hears little."""
    site, chargers = CentralSystem(), [Charger(f"CP{number}") for number in range(10)]
    events = [
        charger.starts(idTag="BAD" if number == 4 else "TAG")
        for number, charger in enumerate(chargers)
    ]
    begun = time.monotonic()
    answers = [json.loads(frame) for frame in site.frames(*events)]
    assert time.monotonic() - begun < 2 * LIMIT + 2
    assert [answer[0] for answer in answers] == [3, 3, 3, 3, 4, 3, 3, 3, 3, 3]
    assert answers[4][2:] == [
        "InternalError",
        "the central system failed to process this message",
        {},
    ]
    failed = FailedMessage.objects.get()
    assert (failed.identity, failed.action) == ("CP4", "StartTransaction")
    assert "StartTransaction took longer than 0.3 s" in failed.traceback
    assert "time.sleep(0.01)" in failed.traceback
    assert Transaction.objects.count() == 9
    assert Hang.caught == []
    assert "currentTime" in site.result(chargers[4].calls("Heartbeat"))


@pytest.mark.parametrize("others", [0, 3])
def test_a_frame_that_is_too_late_is_not_tried_a_second_time(hanging: None, others: int) -> None:
    """It held its worker for the limit twice: with the others, and alone."""
    site, charger = CentralSystem(), Charger()
    neighbours = [Charger(f"CP{number}") for number in range(others)]
    frames = site.frames(charger.starts(idTag="BAD"), *(each.starts() for each in neighbours))
    assert [json.loads(frame)[0] for frame in frames] == [4] + [3] * others
    assert Hang.begun == 1
    assert FailedMessage.objects.count() == 1
    assert Transaction.objects.count() == others


def test_it_can_be_replayed_when_the_cause_is_mended(hanging: None) -> None:
    """T-12"""
    site, charger = CentralSystem(), Charger()
    assert site.error(charger.starts(idTag="BAD")) == "InternalError"
    Hang.armed = False
    call_command("replay_failed")
    assert Transaction.objects.get().id_tag == "BAD"
    assert FailedMessage.objects.get().replayed_at is not None


def request() -> Request:
    """Any request; the limit only writes of whom it is."""
    return Request("Heartbeat", {}, "1", "", NOW, ChargePointState(1, "CP1"))


def test_what_cannot_be_interrupted_is_reported_with_every_stack_and_its_owner_told(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A sleep in C hears no exception: the worker ends itself, here it is let go."""
    monkeypatch.setattr(watchdog, "TICK", 0.02)
    monkeypatch.setattr(time_limit, "GRACE", 0.2)
    let_go, told = threading.Event(), []
    limit = TimeLimit(0.1, on_stuck=lambda: (told.append(True), let_go.set()))

    def hang(_: Request) -> Response:
        # One C call that waits: no bytecode between, so no exception gets in.
        let_go.wait()
        return Response({})

    with pytest.raises(FrameTookTooLong):
        limit.around(hang)(request())
    assert told == [True]
    assert "CP1: Heartbeat has blocked this worker" in caplog.text
    assert "in hang" in capfd.readouterr().err


def test_a_process_that_stood_still_was_not_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGSTOP, or a suspended laptop: the watchdog only counts the time in which it ran itself."""
    limit = TimeLimit(10.0)
    limit._begin("CP1", "Heartbeat")
    for _ in range(3):
        limit.look(1.0)
    assert (limit._held, limit._expired) == (2.0, False)
    limit._end()


def _goes_round(*_: Any) -> Any:
    while True:
        time.sleep(0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("levity.ocpp.version.stored_answer", "an answer took longer than 0.3 s"),
        ("levity.ocpp.worker.pipeline.identify", "reading it took longer than 0.3 s"),
        ("levity.ocpp.store.calls.storable", "storing took longer than 0.3 s"),
    ],
)
def test_what_is_done_for_an_answer_has_its_time_too(
    settings: Any, monkeypatch: pytest.MonkeyPatch, where: str, said: str
) -> None:
    """A1: masking a key of 120 kB went on for minutes, outside the limit; the others were away."""
    settings.OCPP_FRAME_TIME_LIMIT = LIMIT
    monkeypatch.setattr(watchdog, "TICK", 0.02)
    site, charger, other = CentralSystem(), Charger("CP1"), Charger("CP2")
    site.result(charger.calls("Heartbeat"))
    ask = Command.objects.create(
        charge_point=ChargePoint.objects.get(identity="CP1"),
        action="GetConfiguration",
        state="sent",
        unique_id="4711",
        connection=charger.connection,
    )
    Message.objects.create(
        charge_point=ask.charge_point,
        connection=charger.connection,
        seq=900,
        sender="cs",
        unique_id="4711",
        action="GetConfiguration",
        received_at=NOW,
    )
    module, name = where.rsplit(".", 1)
    kept = getattr(import_module(module), name)

    def slow(*given: Any) -> Any:
        bad = any("POISON" in str(item) for item in given)
        return _goes_round() if bad else kept(*given)

    monkeypatch.setattr(where, slow)
    answers = site.frames(
        charger.says('[3,"4711",{"configurationKey":[{"key":"POISON"}]}]'),
        other.calls("Heartbeat"),
    )
    assert [json.loads(answer)[0] for answer in answers] == [3]
    failed = FailedMessage.objects.get()
    assert failed.identity == "CP1"
    assert said in failed.traceback


def test_without_a_limit_nothing_is_watched(settings: Any) -> None:
    """OCPP_FRAME_TIME_LIMIT = 0."""
    settings.OCPP_FRAME_TIME_LIMIT = 0
    site = CentralSystem()
    assert site.pipeline.time_limit._thread == 0
    assert "currentTime" in site.result(Charger().calls("Heartbeat"))
    assert site.pipeline.time_limit._thread == 0
    assert connection.is_usable()
