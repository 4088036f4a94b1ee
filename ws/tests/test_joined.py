"""Several OCPP-J messages in one websocket frame: all are taken, in their order."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.chargers import raw_charger
from tests.test_floods import counted, running_edge

from levity_ws.edge.joined import MOST_JOINED, messages_of
from levity_ws.rpc.envelope import Received, Send

ONE, TWO = '[2,"1","Heartbeat",{}]', '[2,"2","StatusNotification",{"a":[1,[2]]}]'


@pytest.mark.parametrize("between", ["", "\n", "\r\n", " ", "\n\n", "\t", "\n \r"])
@pytest.mark.parametrize("around", ["", "\n", "  "])
def test_two_calls_in_one_frame_are_two_messages(between: str, around: str) -> None:
    """As they came, without what lies between."""
    assert messages_of(f"{around}{ONE}{between}{TWO}{around}") == (ONE, TWO)


def test_up_to_eight_are_taken() -> None:
    """More are left as they are: what sends them means something else."""
    assert messages_of(ONE * MOST_JOINED) == (ONE,) * 8
    assert messages_of(ONE * (MOST_JOINED + 1)) == (ONE * 9,)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        ONE,
        f"\n{ONE}\n",
        json.dumps(json.loads(TWO), indent=2),
        '[2,"1","DataTransfer",{"data":"[2,1][2,2]"}]',
        '[2,"1","DataTransfer",{"data":"]\\n["}]',
        f"{ONE}[2,",
        f"{ONE}{{}}",
        f"{ONE}\nOK",
        f"{ONE},{TWO}",
        f'[2,"1","Heartbeat",{{}}{TWO}',
        "][",
        "]\n",
        "[" * 100_000 + "]" * 100_000 + "\n[]",
        f"{ONE}[" + "1" * 100_000,
    ],
)
def test_what_is_one_message_or_not_whole_is_left_as_it_is(frame: str) -> None:
    """The backend says what is wrong with it."""
    assert messages_of(frame) == (frame,)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.slow
@given(
    st.lists(st.lists(JSON, min_size=1), min_size=1, max_size=MOST_JOINED),
    st.sampled_from(["", "\n", "\r\n", " "]),
    st.booleans(),
)
def test_whatever_messages_were_joined_come_out(
    messages: list[list[object]],
    between: str,
    escapes: bool,  # given by Hypothesis
) -> None:
    """Every array, in its own words."""
    texts = [json.dumps(message, ensure_ascii=escapes) for message in messages]
    assert messages_of(between.join(texts)) == tuple(texts)


@pytest.mark.parametrize(
    "frame",
    ["][" * 64_000, "[]" * 64_000, "[1]\n" * 32_000, '["' + "][" * 60_000 + '"]', "[" * 120_000],
)
def test_no_frame_takes_long(frame: str) -> None:
    """128 kB, the most that is read."""
    begun = time.process_time()
    messages_of(frame)
    assert time.process_time() - begun < 0.25


async def test_each_is_told_by_itself_and_answered_by_itself() -> None:
    """One event and one frame each; the second is told when the first has its answer."""

    def answer(event: Received) -> Send:
        return Send(event.connection, f"[3,{json.dumps(json.loads(event.text)[1])},{{}}]")

    async with running_edge() as (edge, backend), raw_charger(edge.port, "/CP1") as charger:
        backend._received = answer
        charger.send(f"{ONE}{TWO}\n{ONE}")
        answers = [json.loads((await charger.frame())[1])[1] for _ in range(3)]
        assert answers == ["1", "2", "1"]
        told = backend.of(Received)
        assert [event.text for event in told] == [ONE, TWO, ONE]
        assert [event.seq for event in told] == sorted({event.seq for event in told})
        assert counted(edge.metrics, "messages_joined") == 2
        assert counted(edge.metrics, "frames_received") == 1


async def test_joined_messages_are_no_way_around_the_pace() -> None:
    """Each counts as a frame."""
    limits = {"max_frame_rate": 8, "frame_burst": 16}
    async with running_edge(**limits) as (edge, _), raw_charger(edge.port, "/CP1") as charger:
        for _ in range(4):
            charger.send(ONE * 8)
        for _ in range(32):
            await charger.frame()
        assert counted(edge.metrics, "frames_paced") >= 1
        assert counted(edge.metrics, "messages_joined") == 28
