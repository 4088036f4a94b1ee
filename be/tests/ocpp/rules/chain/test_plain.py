"""What is left out as needing no settling is what settling would leave as it is."""

import pytest
from hypothesis import given, settings

from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.chain.plain import goes_without_saying
from levity.ocpp.rules.chain.settle import settle
from tests.ocpp.rules.chain.test_settle import POWER, chains, session


def test_an_ordinary_session_goes_without_saying() -> None:
    """Whichever of three neighbours the message is about."""
    there = [
        session(1, 0, 0, 500, 60),
        session(2, 500, 90, 900, 400),
        session(3, 900, 999, None, 0),
    ]
    assert all(goes_without_saying(item, there, POWER) for item in there)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(chains())
def test_what_goes_without_saying_is_left_as_it_is(sessions: list[RecordedSession]) -> None:
    """For each session of a connector for all of whose sessions it holds."""
    if all(goes_without_saying(item, sessions, POWER) for item in sessions):
        assert not any(item.is_other for item in settle(sessions, POWER))
