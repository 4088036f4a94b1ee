"""A block gives back what was put into it, character by character."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from levity.ocpp.store.messages.codec import (
    DamagedBlock,
    Exchange,
    Packed,
    facts_of,
    pack,
    unpack,
)
from tests.ocpp.store.packed_once import EXCHANGES, packed

AT = datetime(2026, 3, 1, tzinfo=UTC)
CONNECTION = "0b2f7f0e-5b1c-4d8e-9d57-0a5f4c3b2a19"


def exchange(number: int = 1, **values: object) -> Exchange:
    unique_id = str(values.pop("unique_id", number))
    fields: dict[str, object] = {
        "id": number,
        "connection": CONNECTION,
        "seq": number,
        "sender": "cp",
        "unique_id": unique_id,
        "action": "Heartbeat",
        "transaction": None,
        "request": json.dumps([2, unique_id, "Heartbeat", {}]),
        "response": json.dumps([3, unique_id, {"currentTime": "2026-03-01T00:00:00Z"}]),
        "error_code": "",
        "error_description": "",
        "received_at": AT + timedelta(seconds=number),
        "answered_at": AT + timedelta(seconds=number, milliseconds=3),
    }
    return Exchange(**{**fields, **values})  # type: ignore[arg-type]  # as given


def again(*exchanges: Exchange) -> list[Exchange]:
    packed = pack(exchanges)
    return unpack(facts_of(packed.facts), packed.frames)


# Anything that Python calls text: half pairs of surrogates, NULs and control characters, too.
texts = st.text(st.characters(), max_size=40)
ids = st.one_of(
    texts,
    st.uuids().map(str),
    st.uuids().map(lambda found: str(found).upper()),
    st.integers(0, 99).map(str),
    st.sampled_from(["", " ", "  ", "\x00", '"', "\\", "2", "Heartbeat"]),
)
moments = st.integers(0, 200_000_000_000_000_000).map(
    lambda n: AT + timedelta(microseconds=n - 10**15)
)


@st.composite
def exchanges_at_random(draw: st.DrawFn) -> Exchange:
    unique_id = draw(ids)
    frames = st.one_of(
        texts,
        st.just(""),
        st.just(unique_id),
        texts.map(lambda text: json.dumps([2, unique_id, "A", {"x": unique_id, "y": text}])),
        texts.map(lambda text: json.dumps([2, unique_id, "A", text], ensure_ascii=False)),
        texts.map(lambda text: f'[3,"{unique_id}",{text}'),
        texts.map(lambda text: f'\x00["{unique_id}"]{text}'),
    )
    return Exchange(
        id=draw(st.integers(1, 2**63 - 1)),
        connection=str(draw(st.uuids())),
        seq=draw(st.none() | st.integers(0, 2**63 - 1)),
        sender=draw(st.sampled_from(["cp", "cs"])),
        unique_id=unique_id,
        action=draw(texts),
        transaction=draw(st.none() | st.integers(-(2**31), 2**31 - 1)),
        request=draw(frames),
        response=draw(frames),
        error_code=draw(texts),
        error_description=draw(texts),
        received_at=draw(moments),
        answered_at=draw(st.none() | moments),
    )


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(exchanges_at_random(), min_size=1, max_size=6))
def test_whatever_goes_in_comes_out(exchanges: list[Exchange]) -> None:
    assert again(*exchanges) == exchanges
    packed = pack(exchanges)
    for place, one in enumerate(exchanges):
        # Each by itself is read in another way.
        assert unpack(facts_of(packed.facts), packed.frames, wanted=[place]) == [one]


def test_only_what_is_wanted_comes_out() -> None:
    exchanges = [exchange(number) for number in range(1, 20)]
    packed = pack(exchanges)
    facts = facts_of(packed.facts)
    assert len(facts) == 19
    assert unpack(facts, packed.frames, wanted=[3, 17]) == [exchanges[3], exchanges[17]]


ODD_FRAMES = (
    "",
    "not JSON",
    '[2,"7","Heartbeat"',
    '[2, "7" , "DataTransfer", {"data": "\\u0000 7 \\"7\\""}]',
    '["7","7","7",{"7":"7"}]',
    '[2,7,"Heartbeat",{}]',
    "\x00",
    '\x00\x00[2,"7"]',
    '[2,"7","DataTransfer",{"data":"\U0001f50c \u202e \ufffd"}]',
    "x" * 1_000_000,
)


@pytest.mark.parametrize("frame", ODD_FRAMES)
def test_odd_frames_come_back_as_they_were_sent(frame: str) -> None:
    odd = exchange(2, unique_id="7", request=frame, response=frame)
    assert again(exchange(1), odd, exchange(3)) == [exchange(1), odd, exchange(3)]


def test_a_day_of_a_charger_takes_little_more_than_what_nobody_can_foresee() -> None:
    """Message ids that are UUIDs, 16 bytes each, which nothing compresses; and counters."""
    for unique_ids, most in (
        (lambda n: str(uuid.UUID(int=Random(n).getrandbits(128))), 17),
        (str, 1),
    ):
        day = [exchange(n, unique_id=unique_ids(n)) for n in range(1, 776)]
        packed = pack(day)
        assert (len(packed.facts) + len(packed.frames)) / len(day) < most


def test_what_was_packed_once_is_read_for_ever() -> None:
    """If this fails, the format has changed: raise the version, and keep what reads this one."""
    assert unpack(facts_of(packed("facts", 2)), packed("frames", 2)) == EXCHANGES


def test_what_is_no_block_is_said_to_be_none() -> None:
    whole = pack([exchange(1), exchange(2)])
    for facts in (b"", b"\x00", whole.facts[:20], b"\x07" + whole.facts[1:], whole.facts[:9]):
        with pytest.raises(DamagedBlock):
            facts_of(facts)
    good = facts_of(whole.facts)
    other = pack([exchange(1)])
    for frames in (b"", whole.frames[:-3], other.frames):
        with pytest.raises(DamagedBlock):
            unpack(good, Packed(whole.facts, frames).frames)
