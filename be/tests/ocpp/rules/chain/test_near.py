"""What of the window can be settled together."""

from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.chain.near import AFTER, BEFORE, NEWEST, near
from tests.ocpp.rules.chain.test_settle import session

PLACE = (0, 1)


def row(count: int) -> list[RecordedSession]:
    return [session(n, 1000 * n, 1000 * n, 1000 * n + 900, 1000 * n + 900) for n in range(count)]


def ids(sessions: list[RecordedSession], *touched: int) -> list[tuple[list[int], list[int]]]:
    """(what is settled together, what stays as it is), by group."""
    return [
        (sorted(item.id for item in group.sessions), sorted(group.without))
        for group in near(sessions, PLACE, touched)
    ]


def test_all_that_there_are_can_be_settled() -> None:
    assert ids(row(BEFORE - 1), 1) == [([0, 1, 2, 3], [])]


def test_one_that_may_have_had_another_before_it_stays_as_it_is() -> None:
    """Who bounded its start is not loaded: it would lose what that one gave it."""
    first = NEWEST + 2 - BEFORE
    assert ids(row(NEWEST + 2), NEWEST + 1) == [(list(range(first, NEWEST + 2)), [first])]


def test_one_that_may_have_another_behind_it_stays_as_it_is() -> None:
    sessions = row(2 + AFTER + NEWEST)
    assert ids(sessions, 1) == [(list(range(AFTER + 2)), [0, AFTER + 1])]


def test_sessions_far_from_each_other_are_settled_apart() -> None:
    """What lies between both windows may not be loaded."""
    found = ids(row(30), 2, 29)
    assert [group for group, _ in found] == [[0, 1, 2, 3, 4, 5], [25, 26, 27, 28, 29]]


def test_those_of_other_connectors_are_none_of_it() -> None:
    sessions = [*row(3), session(9, 0, 0, 500, 100, connector=2)]
    assert ids(sessions, 2) == [([0, 1, 2], [])]
