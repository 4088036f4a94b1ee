"""Unassigned energy that a person gives to somebody, and takes back."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.decisions import unassigned
from levity.ocpp.models import (
    ChargePoint,
    IdTag,
    MeterValue,
    SampleTrace,
    Site,
    Transaction,
    UnassignedEnergy,
)
from levity.ocpp.store.loose import renew
from levity.ocpp.store.samples.moving import move_some
from levity.ocpp.store.samples.reading import of_transaction
from tests.ocpp.decisions.people import audit_of, chief, limited_to, stranger_at
from tests.ocpp.ledger_chargers import NOW, Charger, at, meter_value

pytestmark = pytest.mark.django_db

MARCH = "2026-03"
Key = tuple[datetime, Decimal, datetime, Decimal]


@pytest.fixture
def tag(db: None) -> IdTag:
    return IdTag.objects.create(id_tag="ANNA", owner="Anna")


class Loose:
    """A connector with 1,234 to 5,678 Wh in a session, and 300 Wh of samples in none."""

    def __init__(self, charger: Charger) -> None:
        self.charger = charger
        pk = charger.started(NOW, 1234)
        charger.stop(pk, at(30), 5678)
        for minute in (40, 41, 42, 43):
            charger.meter(None, meter_value(at(minute), 5678 + 100 * (minute - 40)))
        renew([self.row.pk], MARCH, MARCH, NOW)

    @property
    def row(self) -> ChargePoint:
        return self.charger.row

    def keys(self) -> list[Key]:
        found = unassigned.stretches_of(self.row, (0, 1), MARCH)
        return [(item.since, item.wh_from, item.until, item.wh_until) for item in found]

    def give(self, tag: IdTag | None, who: Any = None, why: str = "", key: Any = None) -> Any:
        return unassigned.give(self.row, (0, 1), key or self.keys()[0], tag, who, why)


@pytest.fixture
def place(charger: Charger) -> Loose:
    return Loose(charger)


KEY: Key = (at(40), Decimal(5678), at(43), Decimal(5978))


def test_it_becomes_a_session_over_just_that_stretch(place: Loose, tag: IdTag) -> None:
    assert place.keys() == [KEY]
    who = chief()
    made = place.give(tag, who, "his car, seen by the janitor")
    row = Transaction.objects.get(pk=made.pk)
    assert (row.id_tag, row.state, row.energy, row.energy_source) == (
        "ANNA",
        "stopped",
        300,
        "corrected",
    )
    assert (row.started_at, row.stopped_at) == (at(40), at(43))
    assert (row.meter_start, row.meter_stop, row.connector) == (5678, 5978, 1)
    assert row.flags == "made-by-hand unassigned-energy"
    assert len(of_transaction(row.pk)) == 4
    assert place.keys() == []
    assert not UnassignedEnergy.objects.exists()
    assert unassigned.given_in(place.row, (0, 1), MARCH) == [row]
    said = "unassigned energy given to an id tag: his car, seen by the janitor"
    assert audit_of(row) == [("chief", said)]


def test_twice_the_same_is_once(place: Loose, tag: IdTag) -> None:
    first = place.give(tag, key=KEY)
    assert place.give(tag, key=KEY) == first
    assert Transaction.objects.count() == 2
    assert len(audit_of(first)) == 1
    other = IdTag.objects.create(id_tag="BOB")
    with pytest.raises(NotPossible, match=f"already given to ANNA, as transaction {first.pk}"):
        place.give(other, key=KEY)


def test_nobody_pays_only_with_a_reason(place: Loose) -> None:
    with pytest.raises(NotPossible, match="enter what it was"):
        place.give(None, why="  ")
    made = place.give(None, why="the electrician's test")
    assert made.id_tag == "nobody"
    assert audit_of(made) == [("", "unassigned energy given to nobody: the electrician's test")]


def test_a_tag_of_that_name_is_not_nobody(place: Loose) -> None:
    IdTag.objects.create(id_tag="Nobody")
    with pytest.raises(NotPossible, match="give it to that one"):
        place.give(None, why="test")


def test_refused_where_a_session_has_got_a_part_of_it(place: Loose, tag: IdTag) -> None:
    """A backlog tells the session after all."""
    late = place.charger.started(at(40), 5700, when=at(60))
    place.charger.stop(late, at(41), 5800, when=at(60))
    with pytest.raises(NotPossible, match="a session may have got a part of it"):
        place.give(tag, key=KEY)
    assert Transaction.objects.count() == 2


def test_it_is_taken_back(place: Loose, tag: IdTag) -> None:
    made = place.give(tag)
    pk = made.pk
    # Its samples may have moved meanwhile.
    move_some(timezone.now() + timedelta(days=9), 60.0, timedelta(days=1))
    assert SampleTrace.objects.filter(transaction=pk).exists()
    unassigned.take_back(made, chief())
    assert not Transaction.objects.filter(pk=pk).exists()
    assert place.keys() == [KEY]
    assert UnassignedEnergy.objects.get().wh == 300
    assert MeterValue.objects.filter(transaction=None).count() == 4
    made.pk = pk
    assert audit_of(made)[-1] == ("chief", "unassigned energy taken back")
    # And once more changes nothing.
    unassigned.take_back(made, None)
    assert len(audit_of(made)) == 2
    assert place.give(tag).pk != pk


def test_what_has_changed_since_is_not_taken_back(place: Loose, tag: IdTag) -> None:
    made = place.give(tag)
    Transaction.objects.filter(pk=made.pk).update(energy=200)
    with pytest.raises(NotPossible, match="has changed since"):
        unassigned.take_back(made, None)
    ordinary = Transaction.objects.order_by("pk")[0]
    with pytest.raises(NotPossible, match="was not made of unassigned energy"):
        unassigned.take_back(ordinary, None)


def test_only_at_ones_own_sites_and_with_the_permission(place: Loose, tag: IdTag) -> None:
    site = Site.objects.create(name="other")
    janitor = limited_to(site)
    with pytest.raises(NotAllowed, match="no such charge point at your sites"):
        place.give(tag, janitor)
    ChargePoint.objects.update(site=site)
    # A tag of everywhere is not his to see.
    with pytest.raises(NotAllowed, match="no such id tag at your sites"):
        place.give(tag, janitor)
    tag.charge_points.add(place.row)
    made = place.give(tag, janitor)
    ChargePoint.objects.update(site=stranger_at().site)
    with pytest.raises(NotAllowed):
        unassigned.take_back(made, janitor)
    with pytest.raises(NotAllowed, match="permission"):
        unassigned.take_back(made, User.objects.create_user("nobody"))


def test_receivers_are_told(place: Loose, tag: IdTag, settings: Any) -> None:
    settings.OCPP_SESSIONS_CHANGED = [f"{__name__}.receive"]
    HEARD.clear()
    made = place.give(tag)
    pk = made.pk
    unassigned.take_back(made, None)
    given, taken = HEARD
    assert (given.before, given.after.id, given.after.energy) == (None, pk, 300)
    assert (taken.before.id, taken.after) == (pk, None)


HEARD: list[Any] = []


def receive(changes: Any) -> None:
    HEARD.extend(changes)
