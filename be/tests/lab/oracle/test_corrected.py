"""`correct_meter_values` on random sessions whose true energy is known: it spoils nothing."""

from typing import Any

import pytest
from django.db import connection

from levity_lab.oracle.afterwards import Corrected, compare, correct
from levity_lab.oracle.births import born, born_mixed
from levity_lab.oracle.direct import Direct
from levity_lab.oracle.lives import Life
from levity_lab.oracle.oddities import ODDITIES
from levity_lab.oracle.verdict import judge
from tests.few import few

pytestmark = pytest.mark.django_db

ODD = (
    *("none", "two-starts", "stop-lost", "kwh-samples", "wild-sample", "zero-sample"),
    *("stop-clock-unset", "stop-dated-before-start", "clock-jumps", "offline-fifo"),
)


def chargers(sessions: int) -> list[Life]:
    """Some more than so many sessions: one oddity a charger, and several."""
    lives = [born(f"ORA-7-{number:05d}", ODDITIES[name], 7) for number, name in enumerate(ODD)]
    number = len(lives)
    while sum(len(life.sessions) for life in lives) < sessions:
        lives.append(born_mixed(f"ORA-7-{number:05d}", 7))
        number += 1
    return lives


@pytest.mark.slow
@pytest.mark.parametrize("sessions", few([100, 300], 100))
def test_random_sessions_are_as_right_as_they_were(sessions: int, settings: Any) -> None:
    """ATTACK B6: it made 15 right ones wrong for 4 that it mended."""
    settings.OCPP_NEW_PER_HOUR = 0
    lives, done = chargers(sessions), Corrected()
    Direct(7, print).play(lives)
    correct(lives, judge(lives), done)
    assert done.is_good, "\n".join((str(done), *done.examples))


@pytest.fixture
def played() -> Life:
    """A charger without any oddity."""
    life = born("ORA-7-00000", ODDITIES["none"], 7)
    Direct(7, print).play([life])
    return life


def spoil(life: Life, change: str) -> int:
    """Changes the books of all of its sessions; how many there are."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE ocpp_transaction SET {change}")
    assert {each.kind for each in judge([life]).judged} != {"right"}
    return len(life.sessions)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        "energy = energy + 60000, flags = 'stop-contradicted', confidence = 'low'",
        "energy = 0, energy_source = 'none', confidence = 'low', lives = ''",
    ],
)
def test_what_an_older_release_recorded_wrongly_is_mended(played: Life, change: str) -> None:
    sessions, done = spoil(played, change), Corrected()
    correct([played], judge([played]), done)
    assert done.mended.total() == sessions
    assert {each.kind for each in judge([played]).judged} == {"right"}
    assert done.is_good


@pytest.mark.slow
def test_what_is_spoiled_is_seen(played: Life) -> None:
    before, done = judge([played]), Corrected()
    sessions = spoil(played, "energy = energy + 60000")
    compare(before, judge([played]), done)
    assert done.spoilt.total() == sessions
    assert not done.is_good
