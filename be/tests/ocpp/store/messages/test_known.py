"""What comes again, or comes late, after its message has moved into a block."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.models import Command, FailedMessage, Message, MessageBlock, Transaction
from levity.ocpp.store.messages.moving import move_some
from levity.ocpp.store.messages.reading import newest_first
from levity.ocpp.store.messages.wanted import Wanted
from levity.ocpp.worker.parking import replayed_event
from levity_ws.rpc.envelope import Received, Spooled
from tests.ocpp.charger import NOW, CentralSystem, Charger, at

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=5)


@pytest.fixture
def system() -> CentralSystem:
    return CentralSystem()


@pytest.fixture
def charger(system: CentralSystem) -> Charger:
    return system.connect(Charger("CP1"))


def everything_moves() -> None:
    while move_some(LATER, 60.0, kept_days=2):
        pass
    assert not Message.objects.exists()


def sends(system: CentralSystem) -> list[str]:
    return [getattr(command, "text", "") for command in system.taken.reply.commands]


def test_a_frame_that_is_delivered_again_gets_the_answer_that_it_had(
    system: CentralSystem, charger: Charger
) -> None:
    start = charger.starts()
    system.take(start)
    answer = sends(system)
    everything_moves()
    system.take(start, now=LATER)
    assert sends(system) == answer
    assert Transaction.objects.count() == 1
    assert not Message.objects.exists()


def test_a_message_that_is_sent_again_is_known_by_its_id(
    system: CentralSystem, charger: Charger
) -> None:
    start = charger.starts()
    system.take(start)
    answer = sends(system)
    everything_moves()
    again = Received(start.charge_point, start.connection, start.seq + 3, start.at + 5, start.text)
    system.take(again, now=LATER)
    assert sends(system) == answer
    assert Transaction.objects.count() == 1
    row = Message.objects.get()
    assert row.error_description == "sent again with the same unique id"


def test_blocks_are_asked_for_old_frames_only_and_once_for_a_batch(
    system: CentralSystem, charger: Charger
) -> None:
    other = system.connect(Charger("CP2"))
    system.take(charger.boots(), other.boots())
    everything_moves()
    with CaptureQueriesContext(connection) as asked:
        system.take(charger.calls("Heartbeat"))
    assert not [item for item in asked if MessageBlock._meta.db_table in item["sql"]]
    with CaptureQueriesContext(connection) as asked:
        system.take(charger.calls("Heartbeat"), other.calls("Heartbeat"), now=LATER)
    assert len([item for item in asked if MessageBlock._meta.db_table in item["sql"]]) == 1


def test_an_answer_that_comes_after_its_call_has_moved_is_kept_beside_it(
    system: CentralSystem, charger: Charger
) -> None:
    system.take(charger.boots())
    point = Message.objects.values_list("charge_point", flat=True)[0]
    command = Command.objects.create(
        charge_point_id=point, action="ClearCache", unique_id="call-1", state="timed_out",
        connection=charger.connection, sent_at=at(60),
    )  # fmt: skip
    Message.objects.create(
        charge_point_id=point, connection=charger.connection, sender="cs", unique_id="call-1",
        action="ClearCache", request='[2,"call-1","ClearCache",{}]', received_at=at(60),
    )  # fmt: skip
    everything_moves()
    system.take(charger.answers("call-1", {"status": "Accepted"}), now=LATER)
    command.refresh_from_db()
    assert command.answered_late
    ours = list(newest_first(Wanted(sender="cs")))
    assert [item.response for item in ours] == ['[3, "call-1", {"status": "Accepted"}]']


def test_what_failed_is_replayed_with_the_answer_that_its_edge_gave(
    system: CentralSystem, charger: Charger
) -> None:
    system.take(charger.boots())
    row = Message.objects.get()
    failed = FailedMessage.objects.create(
        charge_point=row.charge_point, identity="CP1", connection=row.connection, seq=row.seq,
        text=row.request, received_at=row.received_at, traceback="",
    )  # fmt: skip
    before = replayed_event(failed)
    assert isinstance(before, Spooled)
    everything_moves()
    assert replayed_event(failed) == before
