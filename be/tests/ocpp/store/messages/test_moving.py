"""Moving rows into blocks loses nothing, doubles nothing and can stop anywhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from levity.ocpp.conversation.export import export
from levity.ocpp.models import BlockTerm, ChargePoint, Message, MessageBlock
from levity.ocpp.store.messages import moving
from levity.ocpp.store.messages.blocks import Block
from levity.ocpp.store.messages.codec import Exchange
from levity.ocpp.store.messages.finding import find
from levity.ocpp.store.messages.moving import move_some
from levity.ocpp.store.messages.reading import (
    exchange,
    exchanges_at,
    in_order,
    newest_first,
    newest_moment,
    stored_response,
)
from levity.ocpp.store.messages.wanted import Place, Wanted
from levity.ocpp.wire.masking import Anonymiser
from tests.ocpp.store.messages.month import END, START, month, move_all

pytestmark = pytest.mark.django_db


def all_of(
    wanted: Wanted, text: str = "", limit: int = 17, most: int | None = None
) -> list[Exchange]:
    """Page by page, as somebody who reads on and on."""
    found: list[Exchange] = []
    before: Place | None = None
    for _ in range(10_000):
        page = find(Wanted(**{**asdict_flat(wanted), "before": before}), limit, text, most=most)
        found += page.exchanges
        assert before is None or page.older is None or at(page.older) < at(before)
        before = page.older
        if before is None:
            return found
    raise AssertionError("no end")


def at(place: Place) -> tuple[Any, int]:
    return place.at, place.id


def asdict_flat(wanted: Wanted) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in Wanted.__slots__}


FILTERS: dict[str, tuple[dict[str, Any], str]] = {
    "everything": ({}, ""),
    "an action": ({"actions": ["StopTransaction"]}, ""),
    "a rare action": ({"actions": ["Nonsense"]}, ""),
    "two actions": ({"actions": ["Authorize", "RemoteStartTransaction"]}, ""),
    "no such action": ({"actions": ["Reset"]}, ""),
    "errors": ({"has_error": True}, ""),
    "no errors": ({"has_error": False}, ""),
    "ours": ({"sender": "cs"}, ""),
    "theirs": ({"sender": "cp"}, ""),
    "a transaction": ({"transaction": 107}, ""),
    "a period": (
        {"since": START + timedelta(days=3, hours=5), "until": START + timedelta(days=6)},
        "",
    ),
    "a period and an action": (
        {"since": START + timedelta(days=3, hours=5), "actions": ["MeterValues"]},
        "",
    ),
    "text": ({}, "04ab"),
    "odd text": ({}, '"quoted\\"'),
    "a number": ({}, "107"),
    "a message id": ({}, "17"),
    "text that is nowhere": ({}, "nowhere"),
}


def what_is_found(charger: ChargePoint) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, (values, text) in FILTERS.items():
        for whose, among in (("all", {}), ("one", {"charge_points": [charger.pk]})):
            found[f"{name} of {whose}"] = all_of(Wanted(**values, **among), text)
    found["bounded"] = all_of(Wanted(actions=["Nonsense"]), most=20)
    found["bounded text"] = all_of(Wanted(), "04ab", most=20)
    found["export"] = "".join(export(charger))
    anonymiser = Anonymiser(b"0123456789abcdef")
    found["anonymised"] = "".join(export(charger, anonymiser=anonymiser))
    since, until = START + timedelta(days=1, hours=7), START + timedelta(days=7, hours=3)
    found["part"] = "".join(export(charger, since=since, until=until))
    return found


@pytest.mark.slow
def test_nobody_sees_what_has_moved() -> None:
    charger, _ = month(days=10, a_day=9)
    before = what_is_found(charger)
    count = Message.objects.count()
    moved = 0
    # In the middle, too.
    for _ in range(7):
        moved += move_some(END, 0.0, kept_days=2)
    assert 0 < moved < count
    assert what_is_found(charger) == before
    moved += move_all()
    assert Message.objects.count() == count - moved
    assert not Message.objects.exists()
    assert what_is_found(charger) == before


def test_every_number_still_leads_to_its_message() -> None:
    charger, other = month(days=3, a_day=12)
    before = {row.pk: exchange(row.pk) for row in Message.objects.all()}
    move_all()
    assert {pk: exchange(pk) for pk in before} == before
    assert exchange(max(before) + 1) is None
    mine = next(item for item in before.values() if item and item.charge_point_id == charger.pk)
    assert exchange(mine.id, [charger.pk]) == mine
    assert exchange(mine.id, [other.pk]) is None


def test_what_others_ask_the_log_is_answered_as_before() -> None:
    charger, _ = month(days=6)

    def answers() -> list[Any]:
        starts = list(
            newest_first(Wanted(charge_points=[charger.pk], actions=["StartTransaction"]))
        )
        moments = [item.received_at for item in starts][1:4]
        one = starts[2]
        return [
            starts,
            sorted(exchanges_at(charger.pk, "StartTransaction", moments), key=lambda x: x.id),
            stored_response(
                charger.pk, one.connection, one.unique_id, one.seq or 0, one.received_at
            ),
            newest_moment(),
            list(in_order(charger.pk, Wanted(connection=one.connection))),
        ]

    before = answers()
    assert before[2]
    move_all(END + timedelta(days=9))
    assert not Message.objects.exists()
    assert answers() == before


def test_what_comes_late_joins_the_block_of_its_day() -> None:
    charger, _ = month(days=4)
    late = list(Message.objects.filter(received_at__lt=START + timedelta(days=1))[3:9])
    for row in late:
        row.delete()
    move_all()
    blocks = MessageBlock.objects.count()
    for row in late:
        row.pk = None
        row.save()
    now = list(in_order(charger.pk, Wanted()))
    move_all()
    assert MessageBlock.objects.count() == blocks
    assert list(in_order(charger.pk, Wanted())) == now
    assert BlockTerm.objects.values("block", "term").distinct().count() == BlockTerm.objects.count()


def test_a_very_big_day_becomes_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "AT_ONCE", 10)
    monkeypatch.setattr(moving, "FULL", 15)
    charger, _ = month(days=2, a_day=50)
    before = list(in_order(charger.pk, Wanted()))
    move_all()
    assert MessageBlock.objects.filter(charge_point=charger, day=START.date()).count() == 5
    assert list(in_order(charger.pk, Wanted())) == before


def test_a_step_takes_no_more_text_than_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "CHARACTERS", 5_000)
    charger, _ = month(days=2)
    Message.objects.filter(charge_point=charger).update(request="x" * 4_000)
    before = list(in_order(charger.pk, Wanted()))
    assert move_some(END, 0.0, kept_days=2) == 1
    move_all()
    assert list(in_order(charger.pk, Wanted())) == before


def test_what_is_young_stays_a_row() -> None:
    month(days=5)
    noon = START + timedelta(days=4, hours=12)
    move_all(noon)
    oldest = Message.objects.order_by("received_at").values_list("received_at", flat=True)[0]
    assert oldest >= START + timedelta(days=2)
    assert (
        MessageBlock.objects.order_by("day").values_list("day", flat=True).last()
        == (START + timedelta(days=1)).date()
    )


class Killed(Exception):
    """Somebody pulls the plug."""


@contextmanager
def killed_after(statements: int) -> Iterator[None]:
    """So many statements of a step, then the end."""
    left = statements

    def run(execute: Any, *args: Any) -> Any:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        return execute(*args)

    with connection.execute_wrapper(run):
        yield


def test_killed_after_any_statement_it_has_lost_and_doubled_nothing() -> None:
    charger, _ = month(days=3)
    late = list(Message.objects.filter(received_at__lt=START + timedelta(days=1))[3:5])
    for row in late:
        row.delete()
    move_all(START + timedelta(days=4))
    for row in late:
        row.pk = None
        row.save()
    before = list(in_order(charger.pk, Wanted()))
    steps = statements = 0
    moved = 1
    while moved:
        try:
            with killed_after(statements):
                moved = move_some(END, 0.0, kept_days=2)
        except Killed:
            statements += 1
        else:
            steps, statements = steps + 1, 0
        assert list(in_order(charger.pk, Wanted())) == before
    assert steps >= 3
    assert not Message.objects.exists()


def test_what_is_found_twice_because_it_moves_in_this_moment_is_shown_once() -> None:
    """Rows are read before blocks; here they are still there afterwards."""
    charger, _ = month(days=3, a_day=8)
    rows = list(Message.objects.all())
    before = all_of(Wanted()), list(in_order(charger.pk, Wanted()))
    move_all()
    Message.objects.bulk_create(rows[5:20])
    assert (all_of(Wanted()), list(in_order(charger.pk, Wanted()))) == before


def test_a_damaged_block_keeps_nothing_from_moving() -> None:
    charger, _ = month(days=3)
    rows = Message.objects.filter(charge_point=charger, received_at__lt=START + timedelta(days=1))
    late = list(rows)[:3]
    move_all()
    MessageBlock.objects.filter(charge_point=charger, day=START.date()).update(facts=b"\x00")
    for row in late:
        row.pk = None
        row.save()
    move_all()
    assert not Message.objects.exists()
    assert MessageBlock.objects.filter(charge_point=charger, day=START.date()).count() == 2


def test_a_page_looks_through_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    month(days=20, a_day=8)
    move_all()
    page = find(Wanted(), 50, "nowhere", most=100)
    assert page.exchanges == ()
    assert page.looked_until is not None
    assert START < page.looked_until < END
    opened: list[int] = []
    usual = Block.places

    def places(self: Block, wanted: Wanted) -> list[int]:
        opened.append(self.pk)
        return usual(self, wanted)

    monkeypatch.setattr(Block, "places", places)
    find(Wanted(actions=["Nonsense"]), 3)
    assert len(opened) < 20
