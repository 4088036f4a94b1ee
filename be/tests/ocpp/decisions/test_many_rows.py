"""What is decided about very many rows is done to all, in portions whose statements don't grow."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from levity.ocpp.commands import sending
from levity.ocpp.deciding import PORTION, Decided
from levity.ocpp.decisions import charge_points, id_tags, registration, retiring
from levity.ocpp.models import AuditEntry, ChargePoint, Command, IdTag
from tests.ocpp.decisions.people import chief

pytestmark = pytest.mark.django_db

MANY = 1_200
Decide = Callable[[QuerySet[Any], Any], Decided]


def chargers(count: int) -> QuerySet[ChargePoint]:
    """So many charge points."""
    ChargePoint.objects.bulk_create(
        ChargePoint(identity=f"CP{n:05}", registration="Pending", learned_silence=60)
        for n in range(count)
    )
    return ChargePoint.objects.order_by("-identity")


def retired(count: int) -> QuerySet[ChargePoint]:
    """Retired ones."""
    rows = chargers(count)
    rows.update(retired_at=timezone.now())
    return rows


def tags(count: int, status: str = "Accepted") -> QuerySet[IdTag]:
    """So many id tags."""
    IdTag.objects.bulk_create(IdTag(id_tag=f"CARD{n:05}", status=status) for n in range(count))
    return IdTag.objects.order_by("owner", "-id_tag")


def commands(count: int) -> QuerySet[Command]:
    """So many that wait."""
    row = ChargePoint.objects.create(identity="CP1")
    Command.objects.bulk_create(Command(charge_point=row, action="Reset") for _ in range(count))
    return Command.objects.all()


CASES: dict[str, tuple[Callable[[int], QuerySet[Any]], Decide]] = {
    "accept": (chargers, registration.accept),
    "reject": (chargers, registration.reject),
    "retire": (chargers, lambda rows, who: retiring.retire(rows, who, timezone.now())),
    "bring back": (retired, retiring.bring_back),
    "known tags only": (chargers, charge_points.known_tags_only),
    "forget line": (chargers, charge_points.forget_line),
    "approve": (lambda count: tags(count, "Recorded"), id_tags.approve),
    "block": (tags, id_tags.block),
    "unblock": (lambda count: tags(count, "Blocked"), id_tags.unblock),
    "delete": (tags, id_tags.delete_tags),
    "cancel": (commands, sending.cancel_commands),
}


@pytest.mark.parametrize("name", CASES)
def test_all_1200_are_done_with_one_entry_each(name: str) -> None:
    """And doing it again changes nothing, and says so."""
    make, decide = CASES[name]
    who = chief()
    rows = make(MANY)
    kind = rows.model._meta.label_lower
    assert decide(rows, who) == Decided(MANY)
    entries = AuditEntry.objects.filter(kind=kind, who=who)
    assert entries.count() == entries.values("object_id").distinct().count() == MANY
    again = decide(rows.all(), who)
    assert again.count == 0
    assert sum(left.count for left in again.left) == rows.all().count()
    assert AuditEntry.objects.count() == MANY


@pytest.mark.parametrize("name", CASES)
def test_the_statements_of_a_portion_do_not_grow_with_its_rows(name: str) -> None:
    make, decide = CASES[name]
    rows = make(2)
    with CaptureQueriesContext(connection) as few:
        assert decide(rows.all(), None).count == 2
    rows.model._default_manager.all().delete()
    ChargePoint.objects.all().delete()
    rows = make(PORTION - 1)
    with CaptureQueriesContext(connection) as many:
        assert decide(rows.all(), None).count == PORTION - 1
    # A DELETE with many to many rows reads them in portions of what SQLite takes.
    assert len(many) <= len(few) + (4 if name == "delete" else 0)


def send(rows: QuerySet[ChargePoint], key: str | None = "once") -> sending.SentToMany:
    """Ask all of these for a reset."""
    payload = {"type": "Soft"}
    return sending.send_to_many(rows, "Reset", payload, None, source="test", idempotency_key=key)


def test_1200_chargers_get_one_command_each_however_often_it_is_asked() -> None:
    rows = chargers(MANY)
    assert send(rows) == sending.SentToMany(MANY, MANY)
    again = send(rows)
    assert (again.count, again.left[0].count) == (0, MANY)
    assert Command.objects.count() == AuditEntry.objects.count() == MANY
    said = set(AuditEntry.objects.values_list("what", flat=True))
    assert said == {f"Reset, to {MANY} charge points at once"}


def test_the_statements_of_a_mass_command_do_not_grow_with_the_chargers() -> None:
    with CaptureQueriesContext(connection) as few:
        send(chargers(2))
    ChargePoint.objects.all().delete()
    rows = chargers(PORTION - 1)
    with CaptureQueriesContext(connection) as many:
        send(rows)
    assert len(many) <= len(few)
