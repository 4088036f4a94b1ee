"""Settled sessions and what lies in none, together: all that the register moved, to the Wh."""

from dataclasses import replace

from hypothesis import given, settings

from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.chain.books import written
from levity.ocpp.rules.chain.registers import interval_of
from levity.ocpp.rules.chain.settle import settle
from levity.ocpp.rules.chain.unassigned import segments, unassigned
from tests.ocpp.rules.chain.test_settle import POWER, chains, orphaned, session


def recorded(sessions: list[RecordedSession]) -> list[RecordedSession]:
    """As the books have them once they are settled."""
    return [
        replace(
            item.session,
            energy=item.wh,
            energy_source=item.source,
            confidence=item.confidence,
            flags=" ".join(item.flags),
            meter_stop=item.meter_stop,
            checks=written(item.own),
        )
        for item in settle(sessions, POWER)
    ]


def test_what_a_lost_stop_left_open_is_not_of_nobody_as_well() -> None:
    """It ends at the next start, so nothing lies in between."""
    sessions = recorded([orphaned(1, 1000, 0, 5000, 3600), session(2, 5800, 7200, 9000, 9000)])
    assert unassigned(map(interval_of, sessions), (), POWER) == []


def test_what_was_cut_belongs_to_the_next_session_alone() -> None:
    """Two starts on one meter, of which both told the last stop."""
    sessions = recorded(
        [session(1, 100_000, 0, 115_000, 7200), session(2, 106_000, 3600, 115_000, 7200)]
    )
    [segment] = segments(map(interval_of, sessions), (), POWER)
    assert (segment.moved, segment.in_sessions) == (15_000, 15_000)
    assert sum(item.energy or 0 for item in sessions) == 15_000


@settings(max_examples=300, deadline=None)
@given(chains())
def test_sessions_and_what_is_unassigned_are_what_the_register_moved(
    sessions: list[RecordedSession],
) -> None:
    """Exactly, in each segment; and no session is billed more than it has of the register."""
    settled = recorded(sessions)
    for segment in segments(map(interval_of, settled), (), POWER):
        loose = sum(item.wh for item in segment.stretches)
        assert segment.moved == segment.in_sessions + loose + segment.rounding
