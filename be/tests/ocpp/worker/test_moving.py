"""Old rows move while nobody waits: a little at a time."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError

from levity.ocpp.store.waiting import Waiting
from levity.ocpp.worker import moving as worker_moving
from levity.ocpp.worker.moving import BUSY, REST, Moving, Progress, messages
from tests.ocpp.charger import NOW
from tests.ocpp.store.messages.month import END, month


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def mover(clock: Clock, *steps: int, each: float = 0.02) -> Callable[[datetime], int]:
    left = list(steps)

    def move(now: datetime) -> int:
        clock.now += each
        return left.pop(0) if left else 0

    return move


def test_a_worker_moves_a_little_and_goes_on_at_once_if_nobody_waits() -> None:
    clock = Clock()
    moving = Moving(clock, [mover(clock, *[100] * 10)])
    assert moving.go_on(NOW, is_idle=True) == 0  # it has only just begun
    clock.now = REST
    assert moving.go_on(NOW, is_idle=True) == 300
    assert moving.go_on(NOW, is_idle=True) == 300
    assert moving.go_on(NOW, is_idle=False) == 300
    assert moving.go_on(NOW, is_idle=True) == 0
    clock.now += BUSY
    assert moving.go_on(NOW, is_idle=False) == 100
    clock.now += BUSY
    assert moving.go_on(NOW, is_idle=False) == 0
    clock.now += BUSY
    assert moving.go_on(NOW, is_idle=False) == 0


def test_each_mover_has_its_turn() -> None:
    clock = Clock()
    moving = Moving(clock, [mover(clock, 7, each=1.0), mover(clock, 9, 9, each=1.0)])
    clock.now = REST
    assert moving.go_on(NOW, is_idle=True) == 16


def test_what_is_wrong_with_old_rows_ends_no_worker(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()

    def fails(now: datetime) -> int:
        raise ValueError("odd")

    moving = Moving(clock, [fails])
    clock.now = REST
    with caplog.at_level(logging.ERROR):
        assert moving.go_on(NOW, is_idle=True) == 0
    assert "they stay where they are" in caplog.text


def test_a_database_that_is_away_is_the_loops_business() -> None:
    clock = Clock()

    def fails(now: datetime) -> int:
        raise OperationalError

    moving = Moving(clock, [fails])
    clock.now = REST
    with pytest.raises(OperationalError):
        moving.go_on(NOW, is_idle=True)


@pytest.mark.django_db
def test_the_log_says_that_much_moves_how_much_is_left_and_that_it_is_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock, left = Clock(), [9_000, 6_000]
    monkeypatch.setattr(worker_moving, "waiting", lambda now: Waiting(left.pop(0), 0, 0))
    progress = Progress(clock)
    with caplog.at_level(logging.INFO):
        for tick in (0.0, 5.0, 10.0, 60.0, 70.0, 120.0):
            clock.now = tick
            progress.add(500, NOW)
        progress.add(0, NOW)
        # A night's share is worth no line.
        clock.now = 500.0
        progress.add(500, NOW)
        progress.add(0, NOW)
    assert caplog.messages == [
        "packing old rows: 9,000 left (levity storage)",
        "packing old rows: 6,000 left, about 2 minutes at this pace (levity storage)",
        "old rows are packed: 3,000 in 2 minutes",
    ]


@pytest.mark.django_db
def test_with_zero_days_every_message_stays_a_row(settings: Any) -> None:
    month(days=3, a_day=8)
    settings.OCPP_MESSAGE_ROW_DAYS = 0
    assert messages(END) == 0
    settings.OCPP_MESSAGE_ROW_DAYS = 2
    assert messages(END) == 8
