"""A command to many: how far it has come, who said no, and those again."""

from datetime import timedelta
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from levity.ocpp.commands import lifecycle
from levity.ocpp.commands.masses import Tally, not_done, reason, retry, send_mass, tally
from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions.retention import prune
from levity.ocpp.models import ChargePoint, Command, MassCommand
from levity_ws.rpc.envelope import Reply, Send
from tests.ocpp.charger import CentralSystem, Charger
from tests.ocpp.decisions.people import chief

pytestmark = pytest.mark.django_db
RESET: tuple[str, dict[str, Any]] = ("Reset", {"type": "Soft"})


def sent_to(count: int, away: int = 0) -> tuple[MassCommand, dict[str, tuple[Charger, str]]]:
    """A reset to all; connection -> (charger, message id)."""
    site, chargers = CentralSystem(), {}
    for number in range(count):
        charger = site.connect(Charger(f"CP{number:03}"))
        chargers[charger.connection] = charger
    for number in range(away):
        ChargePoint.objects.create(identity=f"GONE{number}")
    mass, sent = send_mass(ChargePoint.objects.all(), *RESET, chief(), source="test")
    assert (sent.count, sent.offline) == (count + away, away)
    asked: dict[str, tuple[Charger, str]] = {}

    def edge(_: str, reply: Reply) -> bool:
        for item in reply.commands:
            assert isinstance(item, Send)
            asked[item.connection] = chargers[item.connection], item.text.split('"')[1]
        return True

    lifecycle.dispatch(Command.objects.latest("pk").not_before, edge)
    return mass, asked


def test_accepted_away_and_refused_are_counted_and_the_refusals_sent_again() -> None:
    mass, asked = sent_to(4, away=2)
    assert tally(mass, None) == Tally(waiting=4, away=2)
    answers = [{"status": "Accepted"}, {"status": "Accepted"}, {"status": "Rejected"}]
    site = CentralSystem()
    for (charger, unique_id), answer in zip(list(asked.values())[:3], answers, strict=True):
        site.take(charger.answers(unique_id, answer))
    charger, unique_id = list(asked.values())[3]
    site.take(charger.refuses(unique_id, "InternalError", "no idea"))
    counts = tally(mass, None)
    assert counts == Tally(accepted=2, refused=2, away=2)
    assert (counts.total, counts.open) == (6, 2)
    assert counts.sentence == "2 accepted, 2 away, 2 refused"
    assert {reason(row) for row in not_done(mass, None)} == {"Rejected", "InternalError no idea"}
    again, sent = retry(mass, None, source="test")
    assert (sent.count, again.retry_of, again.payload) == (2, mass, {"type": "Soft"})
    assert tally(again, None) == Tally(waiting=2)
    with pytest.raises(NotPossible, match="none of its commands"):
        retry(again, None, source="test")


def test_a_charger_that_did_it_in_the_repetition_does_not_get_it_a_third_time() -> None:
    mass, _ = sent_to(3, away=0)
    first, second, third = mass.commands.order_by("pk")
    refused = {"state": "answered", "result_status": "Rejected"}
    Command.objects.filter(pk__in=[first.pk, second.pk]).update(**refused)
    Command.objects.filter(pk=third.pk).update(state="answered", result_status="Accepted")
    again, sent = retry(mass, None, source="test")
    assert sent.count == 2
    with pytest.raises(NotPossible, match="sent again already"):
        retry(mass, None, source="test")  # they still wait for the repetition
    done, not_yet = again.commands.order_by("pk")
    Command.objects.filter(pk=done.pk).update(state="answered", result_status="Accepted")
    Command.objects.filter(pk=not_yet.pk).update(**refused)
    third_time, sent = retry(mass, None, source="test")
    assert [row.charge_point_id for row in third_time.commands.all()] == [not_yet.charge_point_id]
    third_time.commands.update(state="answered", result_status="Accepted")
    assert retry_is_over(mass)
    assert retry_is_over(again)


def retry_is_over(mass: MassCommand) -> bool:
    with pytest.raises(NotPossible, match="sent again already"):
        retry(mass, None, source="test")
    return True


def test_a_masked_payload_is_not_sent_again() -> None:
    ChargePoint.objects.create(identity="CP1")
    key = {"key": "AuthorizationKey", "value": "0123456789abcdef0123456789abcdef"}
    mass, _ = send_mass(ChargePoint.objects.all(), "ChangeConfiguration", key, None, source="test")
    assert "0123456789" not in str(list(MassCommand.objects.values_list()))
    Command.objects.update(state="timed_out")
    with pytest.raises(NotPossible, match="a secret that is no longer kept"):
        retry(mass, None, source="test")


def test_what_is_left_of_a_mass_command_goes_with_its_last_command() -> None:
    ChargePoint.objects.create(identity="CP1")
    mass, _ = send_mass(ChargePoint.objects.all(), *RESET, None, source="test")
    later = mass.created_at + timedelta(days=200)
    prune(later)
    assert MassCommand.objects.exists()
    Command.objects.update(state="expired", finished_at=mass.created_at)
    prune(later)
    assert not MassCommand.objects.exists()


def test_statements_do_not_grow_with_the_chargers(django_assert_num_queries: Any) -> None:
    from django.db import connection

    counts = []
    for number in (3, 300):
        Command.objects.all().delete()
        ChargePoint.objects.bulk_create(
            ChargePoint(identity=f"{number}-{each}") for each in range(number)
        )
        rows = ChargePoint.objects.filter(identity__startswith=f"{number}-")
        with CaptureQueriesContext(
            connection,
        ) as seen:
            mass, _ = send_mass(rows, *RESET, None, source="test")
            tally(mass, None)
        counts.append(len(seen))
    assert counts[0] == counts[1]
