"""Connectors kept for somebody, from the wish to their end, as the books tell it."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.audit import kind_of
from levity.ocpp.commands import lifecycle
from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions.reservations import (
    Conflict,
    advice,
    cancel,
    end_reservations,
    reserve,
)
from levity.ocpp.models import AuditEntry, ChargePoint, Command, IdTag, Reservation
from levity.ocpp.rules.holds import Holds
from levity.ocpp.testing import wire
from tests.ocpp.charger import CentralSystem
from tests.ocpp.open_line import OpenLine, clock

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
ACCEPTED = {"status": "Accepted"}


@pytest.fixture
def line() -> OpenLine:
    """CP1 with two connectors that are free."""
    one = OpenLine()
    one.site.take(one.charger.shows("Available", 1))
    one.site.take(one.charger.shows("Available", 2))
    return one


def wanted(line: OpenLine, connector: int = 1, tag: str = "TAG", **more: Any) -> Reservation:
    until = more.pop("until", clock() + HOUR)
    return reserve(line.row, connector, tag, until, None, source="test", **more)


def told(row: Reservation) -> tuple[Any, ...]:
    row.refresh_from_db()
    return row.state, row.said, row.transaction_id


def starts(line: OpenLine, **more: Any) -> int:
    more.setdefault("timestamp", wire(line.charger.now))
    return line.site.start(line.charger, **more)


def test_a_reservation_is_requested_accepted_and_used(line: OpenLine) -> None:
    row = wanted(line)
    assert told(row) == ("requested", "", None)
    asked = line.answers(ACCEPTED)
    assert (asked["connectorId"], asked["idTag"], asked["reservationId"]) == (1, "TAG", 1)
    assert "parentIdTag" not in asked
    assert told(row) == ("active", "Accepted", None)
    number = starts(line, reservationId=1)
    assert told(row) == ("used", "Accepted", number)
    assert row.ended_at is not None
    assert Holds.of(line.row.holds).reserved == ()
    kinds = AuditEntry.objects.filter(kind=kind_of(Reservation)).values_list("what", flat=True)
    assert len(kinds) == 1


@pytest.mark.parametrize("said", ["Occupied", "Faulted", "Unavailable", "Rejected"])
def test_a_refusal_keeps_the_chargers_word_and_says_what_to_do(line: OpenLine, said: str) -> None:
    row = wanted(line)
    line.answers({"status": said})
    assert told(row) == ("refused", said, None)
    assert advice(said)
    assert line.row.holds == ""


def test_a_charger_without_the_profile_refuses_with_its_error(line: OpenLine) -> None:
    row = wanted(line)
    line.refuses("NotImplemented")
    assert told(row) == ("refused", "NotImplemented", None)
    assert "has no reservations" in advice("NotImplemented")


def test_the_tag_uses_it_without_the_number(line: OpenLine) -> None:
    row = wanted(line)
    line.answers(ACCEPTED)
    starts(line, idTag="OTHER", connectorId=2)
    assert told(row)[0] == "active"
    number = starts(line, idTag="tag")
    assert told(row) == ("used", "Accepted", number)


def test_a_tag_of_the_same_group_may_use_it(line: OpenLine) -> None:
    group = IdTag.objects.create(id_tag="HOUSE")
    IdTag.objects.create(id_tag="A", parent=group)
    IdTag.objects.create(id_tag="B", parent=group)
    IdTag.objects.create(id_tag="STRANGER")
    row = wanted(line, tag="A")
    assert line.answers(ACCEPTED)["parentIdTag"] == "HOUSE"
    starts(line, idTag="STRANGER")
    assert told(row)[0] == "active"
    number = starts(line, idTag="B")
    assert told(row) == ("used", "Accepted", number)


def test_any_connector_is_used_at_whichever(line: OpenLine) -> None:
    row = wanted(line, connector=0)
    line.answers(ACCEPTED)
    number = starts(line, connectorId=2)
    assert told(row) == ("used", "Accepted", number)


def test_it_expires_by_time_and_a_late_message_still_uses_it(line: OpenLine) -> None:
    row = wanted(line)
    line.answers(ACCEPTED)
    assert end_reservations(clock()) == 0
    late = clock() + 2 * HOUR
    assert end_reservations(late) == 1
    assert told(row)[0] == "expired"
    line.at(late)
    # The charger was offline, and tells now of what began within the time.
    number = starts(line, reservationId=1, timestamp=wire(line.charger.now - 5400))
    assert told(row) == ("used", "Accepted", number)


def test_it_is_cancelled_by_the_charger(line: OpenLine) -> None:
    row = wanted(line)
    line.answers(ACCEPTED)
    cancel(row, None, source="test")
    cancel(row, None, source="test")
    assert Command.objects.filter(action="CancelReservation").count() == 1
    assert line.answers(ACCEPTED) == {"reservationId": 1}
    assert told(row)[0] == "cancelled"
    assert line.row.holds == ""
    with pytest.raises(NotPossible, match="ended already"):
        cancel(row, None, source="test")


def test_a_charger_that_knows_no_such_reservation_says_so(line: OpenLine) -> None:
    row = wanted(line)
    line.answers(ACCEPTED)
    cancel(row, None, source="test")
    line.answers({"status": "Rejected"})
    assert told(row)[0] == "cancel_refused"
    assert line.row.holds == ""
    # It had it all the same.
    number = starts(line, reservationId=1)
    assert told(row)[0::2] == ("used", number)


def test_an_error_to_the_cancellation_leaves_it_as_it_is(line: OpenLine) -> None:
    row = wanted(line)
    line.answers(ACCEPTED)
    cancel(row, None, source="test")
    line.refuses("InternalError")
    assert told(row)[0] == "active"
    cancel(row, None, source="test")
    assert Command.objects.filter(action="CancelReservation").count() == 2


def test_what_was_not_sent_yet_is_cancelled_at_once(line: OpenLine) -> None:
    row = wanted(line)
    cancel(row, None, source="test")
    assert told(row)[0] == "cancelled"
    assert line.sent() == []


def test_no_answer_in_time_leaves_open_whether_it_holds(line: OpenLine) -> None:
    row = wanted(line)
    ((unique_id, _, _),) = line.sent()
    late = clock() + timedelta(minutes=10)
    lifecycle.give_up(late)
    assert end_reservations(late) == 1
    assert told(row)[0] == "unanswered"
    line.site.take(line.charger.answers(unique_id, ACCEPTED))
    assert told(row) == ("active", "Accepted", None)


def test_the_answer_that_comes_after_the_session_revives_nothing(line: OpenLine) -> None:
    row = wanted(line)
    ((unique_id, _, _),) = line.sent()
    number = starts(line, reservationId=1)
    assert told(row) == ("used", "", number)
    line.site.take(line.charger.answers(unique_id, ACCEPTED))
    assert told(row)[0::2] == ("used", number)


def test_one_that_never_reached_the_charger_failed(line: OpenLine) -> None:
    line.site.take(line.charger.leaves())
    row = wanted(line)
    late = clock() + 2 * HOUR
    lifecycle.give_up(late)
    assert end_reservations(late) == 1
    assert told(row)[0] == "failed"


def test_conflicts_say_what_to_do(line: OpenLine) -> None:
    wanted(line)
    with pytest.raises(Conflict, match="cancel it first"):
        wanted(line, tag="OTHER")
    wanted(line, connector=0)
    with pytest.raises(Conflict, match="all 2 connectors"):
        wanted(line, connector=2)
    with pytest.raises(NotPossible, match="choose a later time"):
        wanted(line, connector=2, until=clock() - HOUR)
    with pytest.raises(NotPossible, match="has no connector 7; it has reported 1, 2"):
        wanted(line, connector=7)
    with pytest.raises(NotPossible, match="at most 20 characters"):
        wanted(line, tag="X" * 21)
    IdTag.objects.create(id_tag="LOST", status="Blocked")
    with pytest.raises(NotPossible, match="blocked"):
        wanted(line, connector=2, tag="lost")


def test_the_same_key_is_one_reservation(line: OpenLine) -> None:
    until = clock() + HOUR
    one = wanted(line, until=until, idempotency_key="k")
    assert wanted(line, until=until, idempotency_key="k") == one
    assert Command.objects.count() == 1


def test_one_sent_as_any_other_command_is_on_the_books_as_well(line: OpenLine) -> None:
    payload = {
        "connectorId": 2,
        "expiryDate": "2036-01-01T00:00:00Z",
        "idTag": "T",
        "reservationId": 46,
        "parentIdTag": "G",
    }
    lifecycle.queue(line.row, "ReserveNow", payload, source="test")
    line.answers(ACCEPTED)
    row = Reservation.objects.get()
    assert (row.state, row.connector, row.id_tag, row.parent_id_tag) == ("active", 2, "T", "G")
    assert wanted(line).number == 47


def test_a_car_is_not_started_for_nobody_on_a_reserved_connector(line: OpenLine) -> None:
    wanted(line)
    line.answers(ACCEPTED)
    line.site.take(line.charger.shows("Reserved"))
    line.site.take(line.charger.shows("Preparing"))
    soon = clock() + timedelta(seconds=20)
    assert line.sent(soon) == []
    (start,) = Command.objects.filter(action="RemoteStartTransaction")
    assert "reserved for TAG" in start.error_description
    # At the other one it is.
    line.site.take(line.charger.shows("Preparing", 2))
    ((_, action, payload),) = line.sent(soon)
    assert (action, payload["connectorId"]) == ("RemoteStartTransaction", 2)


def test_the_car_is_started_once_the_reservation_is_cancelled(line: OpenLine) -> None:
    row = wanted(line)
    line.answers(ACCEPTED)
    line.site.take(line.charger.shows("Preparing"))
    soon = clock() + timedelta(seconds=20)
    assert line.sent(soon) == []
    cancel(row, None, source="test")
    line.answers(ACCEPTED, soon)
    line.at(soon)
    ((_, action, _),) = line.sent(soon + timedelta(seconds=2))
    assert action == "RemoteStartTransaction"


def test_a_reservation_of_any_connector_leaves_a_car_alone_while_another_is_free(
    line: OpenLine,
) -> None:
    wanted(line, connector=0)
    line.answers(ACCEPTED)
    line.site.take(line.charger.shows("Preparing"))
    soon = clock() + timedelta(seconds=20)
    ((unique_id, action, _),) = line.sent(soon)
    assert action == "RemoteStartTransaction"
    line.site.take(line.charger.answers(unique_id, ACCEPTED))
    starts(line, idTag="anonymous")
    line.site.take(line.charger.shows("Charging"))
    # The last one is kept.
    line.site.take(line.charger.shows("Preparing", 2))
    assert line.sent(soon) == []


def test_the_card_that_stops_elsewhere_keeps_its_reservation(line: OpenLine) -> None:
    number = starts(line, connectorId=2)
    wanted(line)
    line.answers(ACCEPTED)
    line.site.take(line.charger.stops(number, idTag="TAG", timestamp=wire(line.charger.now)))
    line.site.take(line.charger.calls("Authorize", {"idTag": "X"}))
    assert [item.number for item in Holds.of(line.row.holds).reserved] == [1]


def test_the_statements_do_not_grow_with_the_answers() -> None:
    def statements(count: int) -> int:
        site = CentralSystem()
        lines = [OpenLine(f"N{count}-{number}", site) for number in range(count)]
        for line in lines:
            wanted(line)
        sent = {
            command.charge_point_id: command.unique_id
            for command in Command.objects.filter(state="queued")
        }
        lines[0].sent()
        events = [line.charger.answers(sent[line.row.pk], ACCEPTED) for line in lines]
        with CaptureQueriesContext(connection) as captured:
            site.take(*events)
        assert Reservation.objects.filter(state="active").count() >= count
        return len(captured)

    assert statements(8) == statements(2)


def test_a_start_without_a_reservation_costs_no_statement(line: OpenLine) -> None:
    with CaptureQueriesContext(connection) as captured:
        starts(line, reservationId=0)
    assert not [query for query in captured if "reservation" in query["sql"].split("(")[0]]
    assert not [query for query in captured if "ocpp_reservation" in query["sql"]]


def test_a_limited_user_learns_nothing_of_other_tags_from_a_conflict(line: OpenLine) -> None:
    wanted(line, tag="SECRETTAG")
    with pytest.raises(Conflict) as refused:
        wanted(line, tag="OTHER")
    assert "SECRETTAG" not in str(refused.value)
    assert ChargePoint.objects.count() == 1


def test_from_the_shell(line: OpenLine, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("reserve", "cp1", "2", "TAG", "--until", "2h")
    row = Reservation.objects.get()
    assert (row.connector, row.id_tag) == (2, "TAG")
    with pytest.raises(CommandError, match="such as 18:00"):
        call_command("reserve", "cp1", "1", "TAG", "--until", "soon")
    call_command("cancel_reservation", str(row.pk))
    assert capsys.readouterr().out == f"queued as reservation {row.pk}\ncancelled\n"
    with pytest.raises(CommandError, match="ended already"):
        call_command("cancel_reservation", str(row.pk))


def test_a_lost_answer_that_the_session_confirms(line: OpenLine) -> None:
    row = wanted(line)
    line.sent()
    Command.objects.update(state="answered", confirmed_by="StatusNotification")
    assert end_reservations(clock()) == 1
    assert told(row)[0] == "active"
    assert end_reservations(clock()) == 0
