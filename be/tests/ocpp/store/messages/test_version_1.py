"""Blocks that a release before packed: all of them is read, and what is rewritten is of today."""

from dataclasses import replace
from datetime import timedelta

import pytest

from levity.ocpp.models import ChargePoint, Message, MessageBlock
from levity.ocpp.store.messages.codec import DamagedBlock, Exchange, facts_of, pack, unpack
from levity.ocpp.store.messages.finding import find
from levity.ocpp.store.messages.forgetting import rewrite_blocks
from levity.ocpp.store.messages.keeping import keep_as_block
from levity.ocpp.store.messages.moving import move_before
from levity.ocpp.store.messages.reading import exchange, in_order
from levity.ocpp.store.messages.wanted import Wanted
from tests.ocpp.store.packed_once import EXCHANGES, PLUGGED_IN, TAG, packed

FACTS, FRAMES = packed("facts", 1), packed("frames", 1)


def test_exchanges_packed_once_come_back_character_by_character() -> None:
    facts = facts_of(FACTS)
    assert unpack(facts, FRAMES) == EXCHANGES
    for place, one in enumerate(EXCHANGES):
        # Each by itself is read in another way.
        assert unpack(facts, FRAMES, wanted=[place]) == [one]


def test_what_is_written_is_of_version_2() -> None:
    assert (FACTS[0], pack(EXCHANGES).facts[0]) == (1, 2)


def test_a_damaged_block_packed_once_is_told_from_a_whole_one() -> None:
    for facts in (FACTS[:40], b"\x02" + FACTS[1:], b"\x01" + pack(EXCHANGES).facts[1:]):
        with pytest.raises(DamagedBlock):
            facts_of(facts)
    for frames in (b"", FRAMES[:-9], pack(EXCHANGES).frames):
        with pytest.raises(DamagedBlock):
            unpack(facts_of(FACTS), frames)


@pytest.fixture
def charger() -> ChargePoint:
    """Its only block is of version 1."""
    row = ChargePoint.objects.create(identity="CP1")
    keep_as_block(row.pk, PLUGGED_IN.date(), 0, EXCHANGES)
    MessageBlock.objects.update(facts=FACTS, frames=FRAMES)
    return row


def of(charger: ChargePoint) -> list[Exchange]:
    return [replace(each, charge_point_id=0) for each in in_order(charger.pk, Wanted())]


def version() -> int:
    return bytes(MessageBlock.objects.get().facts)[0]


@pytest.mark.django_db
def test_a_block_packed_once_is_looked_through_as_any_other(charger: ChargePoint) -> None:
    def ids(text: str = "", **wanted: object) -> list[int]:
        found = find(Wanted(charge_points=[charger.pk], **wanted), 50, text)  # type: ignore[arg-type]
        return [each.id for each in reversed(found.exchanges)]

    assert of(charger) == EXCHANGES
    assert ids(TAG.lower()) == [900]
    assert ids("NOT json") == [939]
    assert ids("no such words") == []
    assert ids(EXCHANGES[4].unique_id) == [912]
    assert ids(actions=["Heartbeat"]) == [948, 954]
    assert ids(transaction=4711) == [each.id for each in EXCHANGES[:12]]
    assert ids(has_error=True) == [957]
    found = exchange(912)
    assert found == replace(EXCHANGES[4], charge_point_id=charger.pk)
    assert version() == 1


@pytest.mark.django_db
def test_a_person_is_forgotten_in_a_block_packed_once(charger: ChargePoint) -> None:
    def forgotten(text: str) -> str:
        return text.replace(TAG, "somebody")

    def forget(*, dry_run: bool) -> int:
        return rewrite_blocks(TAG, forgotten, forgotten, dry_run=dry_run, progress=lambda _: None)

    assert (forget(dry_run=True), version()) == (2, 1)
    assert (forget(dry_run=False), version()) == (2, 2)
    assert of(charger) == [
        replace(
            each,
            request=forgotten(each.request),
            error_description=forgotten(each.error_description),
        )
        for each in EXCHANGES
    ]


@pytest.mark.django_db
def test_what_comes_later_that_day_joins_a_block_packed_once(charger: ChargePoint) -> None:
    later = replace(EXCHANGES[-1], id=2_000, received_at=PLUGGED_IN + timedelta(hours=5), seq=99)
    fields = {
        name: getattr(later, name) for name in Exchange.__slots__ if name != "charge_point_id"
    }
    Message.objects.create(**fields, charge_point=charger)
    assert move_before(PLUGGED_IN + timedelta(days=3)) == 1
    assert (of(charger), version()) == ([*EXCHANGES, later], 2)
