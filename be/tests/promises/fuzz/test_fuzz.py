"""I-21 in small: frames mutated at random are answered, kept, and break nothing.

The seed is fixed, so that a failure is the same for everybody; `make fuzz` looks for new ones.
"""

import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from levity.ocpp.models import FailedMessage, Message
from levity.ocpp.wire.frames import Call, Malformed, parse
from tests.ocpp.charger import CentralSystem, Charger
from tests.ocpp.worker.test_every_call_is_answered import ALWAYS_A_RESULT, USUAL

pytestmark = pytest.mark.django_db

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=50)
    | st.sampled_from([0, -1, 2**31, 2**63, 1e308, "", "\x00", "NaN", "1e400", "٣", "9999-12-31"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
CUTS = st.integers(min_value=0, max_value=400)


@st.composite
def frames(draw: st.DrawFn) -> str:
    """A usual Call with some fields replaced, added or dropped, perhaps with its text cut."""
    action = draw(st.sampled_from(sorted(USUAL)))
    payload: Any = dict(USUAL[action])
    for name in draw(st.lists(st.sampled_from([*payload, "extra"]), max_size=3)):
        if draw(st.booleans()):
            payload[name] = draw(VALUES)
        else:
            payload.pop(name, None)
    frame: list[Any] = [2, draw(st.sampled_from(["1", "2", "x" * 37, "", 5])), action, payload]
    if draw(st.integers(0, 9)) == 0:
        frame[draw(st.integers(0, 3))] = draw(VALUES)
    text = json.dumps(frame, ensure_ascii=draw(st.booleans()))
    text = text.encode("utf-8", "replace").decode()
    how = draw(st.integers(0, 9))
    if how == 0:
        return text[: draw(CUTS)]
    if how == 1:
        place = draw(CUTS)
        return (
            text[:place]
            + draw(st.sampled_from(["\x00", "\\u0000", "\\ud800", "]", '"', "\ufeff"]))
            + text[place:]
        )
    return text


@pytest.mark.slow
@seed(20261122)
@settings(
    max_examples=120,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(frames(), min_size=1, max_size=8))
def test_no_frame_breaks_anything(texts: list[str]) -> None:
    """Never an exception, every Call answered, every frame kept, nothing parked."""
    site = CentralSystem()
    identities = [uuid4().hex for _ in texts]
    chargers = [Charger(identity) for identity in identities]
    events = [charger.says(text) for charger, text in zip(chargers, texts, strict=True)]
    site.take(*events)
    answers = {
        command.connection: json.loads(command.text) for command in site.taken.reply.commands
    }
    for charger, text in zip(chargers, texts, strict=True):
        frame, answer = parse(text), answers.pop(charger.connection, None)
        if isinstance(frame, Call):
            assert answer is not None
            assert answer[1] == frame.answer_to
            assert answer[0] == 3 or frame.action not in ALWAYS_A_RESULT
        elif isinstance(frame, Malformed) and frame.answer_to is not None:
            assert answer is not None
        else:
            assert answer is None
    assert answers == {}
    assert FailedMessage.objects.count() == 0
    assert Message.objects.filter(charge_point__identity__in=identities).count() == len(texts)
