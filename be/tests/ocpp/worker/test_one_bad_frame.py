"""Promise 7: one bad frame hurts itself only. F-10, F-11, F-24, F-25 as far as the core can see."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DataError, IntegrityError

from levity.ocpp.models import ChargePoint, FailedMessage, FrameAttempt, Message, Transaction
from levity.ocpp.request import GetResponse, Request, Response
from levity.ocpp.worker.pipeline import DatabaseAway, HeldUp
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db

PARKED = "the central system failed to process this message"


class WorkerDied(BaseException):
    """Stands for SIGKILL: nothing in the pipeline may catch it."""


class Passes(Exception):
    """No failure: from now on the frame goes through."""


class Trap:
    """A middleware that fails at the tag `BAD` as often as `failures` says."""

    failures: list[BaseException] = []

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        """The response of the chain, or the next failure."""
        if request.payload.get("idTag") == "BAD" and self.failures:
            failure = self.failures[0] if len(self.failures) == 1 else self.failures.pop(0)
            if not isinstance(failure, Passes):
                raise failure
        return self.get_response(request)


@pytest.fixture
def failures(settings: Any) -> Iterator[list[BaseException]]:
    """What the trap raises, one after the other, the last one for ever; empty: nothing."""
    settings.OCPP_MIDDLEWARE = [f"{__name__}.Trap"]
    Trap.failures = []
    yield Trap.failures
    Trap.failures = []


def neighbours() -> list[Charger]:
    """Ten chargers."""
    return [Charger(f"CP{number}") for number in range(10)]


def test_a_frame_that_fails_is_parked_and_its_neighbours_are_served(
    failures: list[BaseException],
) -> None:
    """In the middle of a batch; and the same charger's next frame goes on."""
    failures.append(ZeroDivisionError("a bug of ours: secret"))
    site, chargers = CentralSystem(), neighbours()
    events = [
        charger.starts(idTag="BAD" if number == 4 else "TAG")
        for number, charger in enumerate(chargers)
    ]
    answers = [json.loads(frame) for frame in site.frames(*events)]
    assert [answer[0] for answer in answers] == [3, 3, 3, 3, 4, 3, 3, 3, 3, 3]
    assert answers[4][2:] == ["InternalError", PARKED, {}]
    assert Transaction.objects.count() == 9
    failed = FailedMessage.objects.get()
    assert (failed.identity, failed.action, failed.text, failed.attempts) == (
        "CP4",
        "StartTransaction",
        events[4].text,
        1,
    )
    assert "ZeroDivisionError: a bug of ours: secret" in failed.traceback
    row = Message.objects.values("response", "error_code", "error_description").get(
        charge_point__identity="CP4"
    )
    assert row == {
        "response": json.dumps(answers[4], separators=(",", ":")),
        "error_code": "InternalError",
        "error_description": "parked; see failed messages",
    }
    assert "currentTime" in site.result(chargers[4].calls("Heartbeat"))


def test_nothing_of_a_parked_frame_stays_on_the_books(failures: list[BaseException]) -> None:
    """What the middleware wrote before it failed is rolled back with the rest."""
    failures.append(ValueError("no"))
    site, charger = CentralSystem(), Charger()
    assert site.error(charger.starts(idTag="BAD")) == "InternalError"
    assert Transaction.objects.count() == 0
    assert Message.objects.count() == FailedMessage.objects.count() == 1


@pytest.mark.parametrize("error", [IntegrityError("raced"), DataError("out of range")])
def test_a_database_error_at_one_frame_is_parked_in_the_end(
    failures: list[BaseException], error: Exception
) -> None:
    """After three tries, where another worker may have been faster."""
    failures.append(error)
    site, one, two = CentralSystem(), Charger("A"), Charger("B")
    answers = [json.loads(frame)[0] for frame in site.frames(one.starts(idTag="BAD"), two.starts())]
    assert answers == [4, 3]
    assert FailedMessage.objects.get().identity == "A"


def test_a_lost_race_is_no_failure(failures: list[BaseException]) -> None:
    """Together, alone, alone again: the third time what the other worker wrote is there."""
    failures += [IntegrityError("raced"), IntegrityError("raced"), Passes()]
    site, charger = CentralSystem(), Charger()
    assert "transactionId" in site.result(charger.starts(idTag="BAD"))
    assert FailedMessage.objects.count() == 0


def test_a_frame_that_kills_its_worker_is_parked_and_the_innocent_are_not(
    failures: list[BaseException],
) -> None:
    """F-25: found marked twice, it is the killer; no worker has to die more than three times."""
    failures.append(WorkerDied())
    site, chargers = CentralSystem(), neighbours()
    events = [
        charger.starts(idTag="BAD" if number == 4 else "TAG")
        for number, charger in enumerate(chargers)
    ]
    deaths = 0
    for deliveries in range(6):
        try:
            frames = site.frames(*events, deliveries=deliveries)
            break
        except WorkerDied:
            deaths += 1
    assert deaths == 3
    answers = [json.loads(frame) for frame in frames]
    assert [answer[0] for answer in answers] == [3, 3, 3, 3, 4, 3, 3, 3, 3, 3]
    assert FailedMessage.objects.values("identity", "traceback").get() == {
        "identity": "CP4",
        "traceback": "the worker died while processing this frame",
    }
    assert Transaction.objects.count() == 9
    assert FrameAttempt.objects.count() == 0
    # Once more: the parked frame is on the books as well.
    assert site.frames(*events, deliveries=9) == frames
    assert FailedMessage.objects.count() == 1


def test_a_worker_that_dies_once_or_twice_at_an_innocent_frame_parks_nothing(
    failures: list[BaseException],
) -> None:
    """F-10: somebody killed it by chance."""
    failures += [WorkerDied(), WorkerDied()]
    site, charger = CentralSystem(), Charger()
    event = charger.starts(idTag="BAD")
    with pytest.raises(WorkerDied):
        site.take(event)
    Trap.failures = [WorkerDied()]
    with pytest.raises(WorkerDied):
        site.take(event, deliveries=1)
    assert FrameAttempt.objects.get().attempts == 1
    Trap.failures = []
    assert "transactionId" in site.result(event, deliveries=2)
    assert FrameAttempt.objects.count() == FailedMessage.objects.count() == 0


@pytest.mark.parametrize("others", [True, False], ids=["locked", "away"])
def test_a_frame_that_its_worker_has_to_try_again_is_no_killer(
    others: bool, failures: list[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-10: the batch comes a second time, and then others hold what it needs (or the database
    answers to nothing but the mark): each try found the mark of the one before."""
    failures += [WorkerDied(), Passes()]
    site, charger = CentralSystem(), Charger()
    event = charger.starts(idTag="BAD")
    with pytest.raises(WorkerDied):
        site.take(event)

    def refuse(*_: Any) -> None:
        raise HeldUp("a lock") if others else DatabaseAway("no room")

    with monkeypatch.context() as patch:
        patch.setattr(site.pipeline, "_alone", refuse)
        for _ in range(5):
            with pytest.raises(DatabaseAway):
                site.take(event, deliveries=1)
    assert FrameAttempt.objects.count() == (0 if others else 1)
    assert "transactionId" in site.result(event, deliveries=1)
    assert FrameAttempt.objects.count() == FailedMessage.objects.count() == 0


def test_a_worker_that_dies_after_the_commit_is_no_reason_to_park() -> None:
    """F-11: the frame is on the books; whoever comes next gives the stored answer."""
    site, charger = CentralSystem(), Charger()
    event = charger.starts()
    (first,) = site.frames(event)
    FrameAttempt.objects.create(connection=charger.connection, seq=event.seq, attempts=2)
    assert site.frames(event, deliveries=3) == [first]
    assert Transaction.objects.count() == 1


def test_half_a_call_that_fails_is_answered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Promise 3 and 7 together: whatever can be addressed is answered."""
    site, charger = CentralSystem(), Charger()

    def fail(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("levity.ocpp.worker.calls._answer_malformed", fail)
    assert site.answer(charger.says('[2,"1","Heartbeat",{')) == [
        4,
        "1",
        "InternalError",
        PARKED,
        {},
    ]


def test_an_event_that_is_no_frame_and_fails_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to keep; the handshake runs into its time-out at the edge."""
    site, one, two = CentralSystem(), Charger("A"), Charger("B")

    def fail(arrival: Any, loaded: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("levity.ocpp.worker.handshakes.answer", fail)
    taken = site.take(one.asks(), two.calls("Heartbeat"))
    assert [command.connection for command in taken.reply.commands] == [two.connection]
    assert FailedMessage.objects.count() == 0


def test_a_parked_frame_goes_on_the_books_when_it_is_replayed(
    failures: list[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    """T-12: as of the time it came, once, and the charger is not shown on line by it."""
    failures.append(ZeroDivisionError("a bug"))
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    site.error(charger.starts(idTag="BAD"))
    site.take(charger.leaves())
    call_command("replay_failed")
    assert "failed again: ZeroDivisionError: a bug" in capsys.readouterr().out
    assert FailedMessage.objects.values_list("attempts", flat=True).get() == 2
    Trap.failures = []
    call_command("replay_failed")
    assert "1 recorded, 0 failed again" in capsys.readouterr().out
    row = Transaction.objects.values("id_tag", "start_received_at", "state").get()
    assert row == {"id_tag": "BAD", "start_received_at": at(0), "state": "active"}
    assert ChargePoint.objects.get().connection is None
    call_command("replay_failed")
    assert Transaction.objects.count() == 1
    assert FailedMessage.objects.get().replayed_at is not None


def test_no_word_of_a_traceback_reaches_the_charger(failures: list[BaseException]) -> None:
    """T-23: nor the name of the exception."""
    failures.append(KeyError("/srv/levity/secret.py"))
    site, charger = CentralSystem(), Charger()
    (frame,) = site.frames(charger.starts(idTag="BAD"))
    assert json.loads(frame)[2:] == ["InternalError", PARKED, {}]


@pytest.mark.parametrize("deliveries", [0, 1])
def test_a_batch_of_nothing_but_nonsense_is_taken_at_once(deliveries: int) -> None:
    """No frame of these is a failure of ours."""
    site = CentralSystem()
    events = [
        Charger(f"CP{number}").says(text)
        for number, text in enumerate(
            ["", "[]", "{}", "[2]", "[2,1]", '[9,"a"]', "\x00", "[" * 999]
        )
    ]
    frames = site.frames(*events, deliveries=deliveries)
    # A number is no id by the letter, but it is the one that the charger looks for.
    assert [json.loads(frame)[:3] for frame in frames] == [
        [4, "-1", "FormationViolation"],
        [4, 1, "FormationViolation"],
    ]
    assert FailedMessage.objects.count() == 0
    assert Message.objects.count() == 8


def test_what_is_logged_of_a_frame_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """I-23: CR, LF and ANSI sequences in a charger's words forge no line of the log."""
    site, charger = CentralSystem(), Charger()
    for action in ("Foo\r\n2026-11-22 CRITICAL forged", "\x1b[31mred"):
        site.error(charger.calls(action))
        site.error(charger.calls("Authorize", {action: action}))
    for record in caplog.records:
        assert "forged" not in record.getMessage()
        assert not any(ord(letter) < 32 for letter in record.getMessage())
    assert len(caplog.records) == 4
