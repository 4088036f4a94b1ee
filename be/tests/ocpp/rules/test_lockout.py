"""How many wrong keys are looked at, as two numbers and a list say."""

from levity.ocpp.rules.lockout import (
    BURST,
    INTERVAL,
    KEPT,
    KEPT_FOR,
    remembered,
    spent,
    wait,
)


def test_five_guesses_in_a_row_are_looked_at_and_then_one_every_twelve_minutes() -> None:
    full, now = 0.0, 1_000_000.0
    for _ in range(BURST):
        assert wait(full, now) == 0
        full = spent(full, now)
    assert wait(full, now) == INTERVAL
    assert wait(full, now + INTERVAL - 1) == 1
    assert wait(full, now + INTERVAL) == 0


def test_in_no_hour_more_than_twenty_of_both_buckets() -> None:
    full, looked_at = 0.0, []
    for second in range(2 * 3600):
        if not wait(full, second):
            full = spent(full, second)
            looked_at.append(second)
    most = max(sum(begin <= at < begin + 3600 for at in looked_at) for begin in looked_at)
    assert 2 * most <= 20


def test_a_key_that_comes_again_is_remembered_once_and_the_oldest_go() -> None:
    known = remembered((("a", 1.0), ("b", 2.0)), "a", 3.0)
    assert known == (("b", 2.0), ("a", 3.0))
    assert remembered(known, "c", 2.0 + KEPT_FOR) == (("a", 3.0), ("c", 2.0 + KEPT_FOR))
    for number in range(2 * KEPT):
        known = remembered(known, str(number), 4.0)
    assert len(known) == KEPT
    assert known[-1] == (str(2 * KEPT - 1), 4.0)
