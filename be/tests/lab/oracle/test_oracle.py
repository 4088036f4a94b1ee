"""The oracle: its meters know the truth, and its verdict fails where the books don't say it."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from levity_lab.management.commands.oracle import Command
from levity_lab.oracle.births import born
from levity_lab.oracle.direct import Direct
from levity_lab.oracle.lives import Life
from levity_lab.oracle.oddities import ODDITIES
from levity_lab.oracle.table import Tally, table, tallied
from levity_lab.oracle.verdict import Verdict, judge
from levity_lab.oracle.wired.clock import VARIABLE, WorldClock, path_with_clock
from levity_lab.oracle.world import BEGIN, HOUR, Flow, Meter, text

Played = tuple[Life, Callable[[], Counter[str]]]


@pytest.fixture
def played(db: None) -> Played:
    """A charger without any oddity, played; and how many sessions are of which kind."""
    life = born("ORA-1-00001", ODDITIES["none"], 1)
    Direct(1, print).play([life])
    return life, lambda: Counter(each.kind for each in judge([life]).judged)


def sql(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert cursor.rowcount == 1


def test_an_ordinary_charger_is_right(played: Played) -> None:
    life, kinds = played
    assert kinds() == {"right": len(life.sessions)}
    assert judge([life]).over == []


def test_what_is_wrong_in_the_books_is_seen(played: Played) -> None:
    life, kinds = played
    sessions = len(life.sessions)
    first, second, third, fourth, *_ = life.sessions
    sql("UPDATE ocpp_transaction SET energy = energy + 60000 WHERE id = %s", first.ids[0])
    assert kinds() == {"right": sessions - 1, "unflagged": 1}
    assert [over.connector for over in judge([life]).over] == [first.connector]
    sql("UPDATE ocpp_transaction SET flags = 'late-stop' WHERE id = %s", first.ids[0])
    assert kinds() == {"right": sessions - 1, "high": 1}
    sql("UPDATE ocpp_transaction SET confidence = 'low' WHERE id = %s", first.ids[0])
    assert kinds() == {"right": sessions - 1, "flagged": 1}
    sql("UPDATE ocpp_transaction SET confidence = 'medium' WHERE id = %s", second.ids[0])
    assert kinds()["marked"] == 1
    sql("DELETE FROM ocpp_transaction WHERE id = %s", third.ids[0])
    assert kinds()["lost"] == 1
    # As if the answer to a repetition had named another session.
    fourth.ids.append(third.ids.pop())
    sql("UPDATE ocpp_transaction SET id = %s WHERE id = %s", fourth.ids[1], second.ids[0])
    sql("UPDATE ocpp_transaction SET energy = 90000 WHERE id = %s", fourth.ids[1])
    assert kinds()["doubled"] == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--only", "nonsense"], "--only nonsense: no such cause"),
        (["--show", "nonsense"], "--show nonsense: no such cause"),
        (["--sessions", "0"], "more than 0"),
        (["--factor", "0"], "more than 0"),
        (["--kill-every", "-1"], "--kill-every not less"),
        (["--json", "/no/such/folder/file"], "no such folder"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_played(
    arguments: list[str], why: str
) -> None:
    with pytest.raises(CommandError, match=why):
        call_command(Command(), *arguments)


def test_the_table_names_the_worst_first() -> None:
    tallies = {
        "fine": Tally("fine", 3, Counter(right=3), true=3000.0, billed=3000.0),
        "bad": Tally("bad", 2, Counter(right=1, doubled=1), true=1000.0, billed=2000.0, over=1),
        "unknowable": Tally("unknowable", 1, Counter(unflagged=1), untellable=1),
    }
    lines = table(tallies.values()).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["bad", "unknowable", "all"]
    assert "all right (3 sessions): fine 3" in lines
    assert (
        "must be 0: 0 high, 1 unflagged, 0 lost, 1 doubled (of these 1 that nothing tells), 1 over"
        in lines
    )
    assert [tally.is_bad for tally in tallies.values()] == [False, True, False]
    tallied(Verdict(), tallies)
    assert tallies["fine"].n == 3


def test_a_clock_of_the_world_is_replaced_before_a_program_begins(tmp_path: Path) -> None:
    clock = WorldClock(BEGIN, time.monotonic(), 1000.0)
    environ = {**os.environ, "PYTHONPATH": path_with_clock(tmp_path), VARIABLE: str(clock)}
    told = subprocess.run(
        [sys.executable, "-c", "import time; print(time.time())"],
        capture_output=True,
        check=True,
        env=environ,
    )
    assert BEGIN < float(told.stdout) <= clock.now()
    before = clock.now()
    left = clock.until(before + 5000.0)
    # By as much less as the clock has gone on meanwhile.
    assert 5.0 - (clock.now() - before) / 1000.0 - 1e-6 <= left <= 5.0 + 1e-6


def test_a_meter_knows_what_flowed_whatever_it_shows() -> None:
    flow = Flow()
    flow.add([(BEGIN + HOUR, BEGIN + 2 * HOUR, 1000.0), (BEGIN, BEGIN + HOUR, 500.0)])
    meter = Meter(99_800.0, flow, anew=[(BEGIN + HOUR, 0.0)])
    assert flow.moved(BEGIN + HOUR / 2, BEGIN + 3 * HOUR / 2) == 750.0
    assert meter.register(BEGIN + HOUR / 2) == 100_050.0
    assert meter.register(BEGIN + 3 * HOUR) == 1000.0
    assert Meter(99_800.0, flow, modulus=1e5).register(BEGIN + HOUR) == 300.0
    assert text(BEGIN, 3600.0, "+01:00") == "2026-10-23T05:00:00.000+01:00"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ODDITIES)
def test_every_oddity_can_be_told_and_judged(name: str) -> None:
    """Not whether Levity is right: `make oracle` measures that."""
    # Some need two cars at once, or time between them, which not every life has.
    for number in range(20):
        life = born(f"ORA-2-{number:05d}", ODDITIES[name], 2)
        assert [step.at for step in life.steps()] == sorted(step.at for step in life.steps())
        if any(session.cause == name for session in life.sessions):
            break
    else:
        raise AssertionError("none of twenty lives is odd")
    assert len(judge([life]).judged) == len(life.sessions)


def test_a_share_that_needs_power_is_of_makes_that_tell_it() -> None:
    """A reset of a silent make can't be right, and doesn't count against the rules."""
    told = Tally("meter-reset", 4, Counter(marked=2, flagged=2), powered=Counter(marked=2))
    assert (told.share, Tally("meter-reset", 1, Counter(flagged=1)).share) == (1.0, 1.0)
    wrong = Tally("meter-reset", 3, Counter(marked=3), powered=Counter(marked=1, flagged=1))
    assert wrong.share == 0.5
    assert Tally("two-starts", 2, Counter(marked=1, flagged=1)).share == 0.5
