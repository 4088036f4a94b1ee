"""Many rounds in several sittings: nothing is played twice, nothing is forgotten."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from levity_lab.soak import run
from levity_lab.soak.faults import FAULTS, chosen
from levity_lab.soak.programs import SoakError
from levity_lab.soak.report import as_dict, write_report
from levity_lab.soak.rounds import Round, Sample
from levity_lab.soak.run import Options, Report, soak
from levity_lab.soak.sittings import by_fault, seconds_left, spoken, table
from levity_lab.soak.verdict import Counts


def played(fault: str, seed: int, *, lost: int = 0, normal: float | None = 2.0) -> Round:
    """A round that took half a minute, 10 s of them the fault."""
    counts = Counts(attempted=10, acknowledged=9, lost=lost, recovered=1)
    return Round(
        fault,
        "about",
        ("F-10",),
        seed,
        f"{fault}-{seed}",
        24,
        fault_from=5.0,
        fault_to=15.0,
        normal_after=normal,
        seconds=30.0,
        counts=counts,
        samples=[Sample(1.0, 24, 5, 0)],
    )


class Stage:
    """Stands for the site: what was played on it, and what goes wrong there."""

    def __init__(self) -> None:
        self.rounds: list[tuple[str, int]] = []
        self.ends_after = 1000
        self.fails: set[str] = set()

    async def play(self, site: Any, fault: Any, seed: int, **_: Any) -> Round:
        """A round, or the end of the sitting."""
        if len(self.rounds) == self.ends_after:
            raise asyncio.CancelledError
        if fault.name in self.fails:
            raise SoakError("it could not be done")
        self.rounds.append((fault.name, seed))
        return played(fault.name, seed)


class FakeSite:
    """No RabbitMQ, no Postgres."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    async def open(self) -> None:
        """Nothing."""

    async def close(self, _: Path) -> None:
        """Nothing."""


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Rounds are played on it."""
    made = Stage()
    monkeypatch.setattr(run, "Site", FakeSite)
    monkeypatch.setattr(run, "play", made.play)
    monkeypatch.setattr(run, "at_the_end", lambda _: [])
    return made


def options(folder: Path, **more: Any) -> Options:
    """Three faults with four seeds."""
    faults = tuple(chosen(["worker-kill", "edge-kill", "broker-kill"]))
    return Options(
        faults, (1, 2, 3, 4), folder=folder, resume=folder / "deep" / "rounds.jsonl", **more
    )


def sitting(settings: Options) -> tuple[Report, list[str]]:
    """One sitting, and what it said."""
    said: list[str] = []
    return asyncio.run(soak(settings, said.append)), said


def test_a_second_sitting_plays_what_the_first_one_left(stage: Stage, tmp_path: Path) -> None:
    """Each round once, in whatever sitting; the report is of all of them."""
    stage.ends_after = 5
    first, said = sitting(options(tmp_path))
    assert (first.interrupted, len(first.rounds), len(stage.rounds)) == (True, 5, 5)
    assert said[0] == "12 rounds to play, about 6 min; 0 were before"
    stage.ends_after = 1000
    second, said = sitting(options(tmp_path))
    assert said[0] == "7 rounds to play, about 4 min; 5 were before"
    assert len(stage.rounds) == len(set(stage.rounds)) == 12
    assert (second.good, second.interrupted, len(second.rounds)) == (True, False, 12)
    assert second.counts.attempted == 120
    third, said = sitting(options(tmp_path))
    assert said == ["nothing is left to play; 12 were before"]
    assert (len(stage.rounds), third.counts, third.good) == (12, second.counts, True)
    assert '"rounds": 4' in write_report(third).with_suffix(".json").read_text()


def test_a_round_that_failed_counts_and_one_that_could_not_be_done_is_tried_again(
    stage: Stage, tmp_path: Path
) -> None:
    stage.fails = {"edge-kill"}
    first, said = sitting(options(tmp_path))
    assert (len(first.rounds), len(first.odd), first.good) == (8, 4, False)
    assert any("edge-kill seed 1: it could not be done" in line for line in said)
    stage.fails = set()
    second, _ = sitting(options(tmp_path))
    assert (len(second.rounds), second.odd, second.good) == (12, [], True)
    file = tmp_path / "deep" / "rounds.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"lost":0', b'"lost":1', 1))
    third, _ = sitting(options(tmp_path))
    assert (third.good, third.counts.lost, len(stage.rounds)) == (False, 1, 12)


def test_what_was_left_behind_in_one_sitting_is_not_forgotten_in_the_next(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "at_the_end", lambda _: ["3 batches are in the dead-letter queue"])
    first, _ = sitting(options(tmp_path))
    second, _ = sitting(options(tmp_path))
    assert first.odd == second.odd == ["3 batches are in the dead-letter queue"]
    assert (first.good, second.good) == (False, False)


def test_another_experiment_is_not_mixed_in(stage: Stage, tmp_path: Path) -> None:
    """Other chargers, other times."""
    sitting(options(tmp_path))
    for other in ({"chargers": 5}, {"factor": 30.0}, {"brief": True}):
        with pytest.raises(SoakError, match="was begun with brief False, chargers 24"):
            sitting(options(tmp_path, **other))
    (tmp_path / "deep" / "rounds.jsonl").write_text("no JSON\n")
    with pytest.raises(SoakError, match="line 1: not a round"):
        sitting(options(tmp_path))


def test_the_table_has_a_line_for_each_fault_and_one_for_all() -> None:
    rounds = [
        played("worker-kill", 1, normal=1.0),
        played("worker-kill", 2, lost=2, normal=4.0),
        played("edge-kill", 1, normal=None),
    ]
    lines = {line.fault: line for line in by_fault(rounds)}
    assert list(lines) == ["edge-kill", "worker-kill", "all"]
    kill = lines["worker-kill"]
    assert (kill.rounds, kill.failed, kill.counts.lost) == (2, 1, 2)
    assert (kill.normal, kill.slowest) == (2.5, 4.0)
    assert (lines["edge-kill"].normal, lines["all"].slowest) == (None, None)
    text = table(rounds).splitlines()
    assert [cell.strip() for cell in text[3].split("|")[1:-1]] == [
        *("worker-kill", "2", "1", "20", "18", "2", "0", "0", "2", "0", "0", "2.5 s", "4.0 s")
    ]
    assert len({len(line) for line in text}) == 1
    assert table([])


def test_the_time_that_is_left_is_what_such_rounds_took() -> None:
    kill, away = FAULTS["worker-kill"], FAULTS["database-away-5-minutes"]
    assert seconds_left([kill, away], []) == 20 + 8 + 20 + 300
    done = [played("worker-kill", 1), replace(played("worker-kill", 2), seconds=40.0)]
    assert seconds_left([kill, kill], done) == 70
    assert seconds_left([away], done) == 300 + 25
    assert [spoken(20), spoken(90), spoken(7300)] == ["under a minute", "2 min", "2 h 2 min"]


def test_brief_rounds_keep_what_has_to_outlast_a_time_out(tmp_path: Path) -> None:
    """An edge holds frames for 20 s: what is over before that is another fault."""
    from levity_lab.soak.sittings import brief

    shorter = {name: brief(fault).seconds for name, fault in FAULTS.items()}
    assert shorter["worker-kill"] == shorter["broker-restart"] == 4
    for name, seconds in shorter.items():
        assert seconds == FAULTS[name].seconds or seconds == 4
        if FAULTS[name].seconds > 13:
            assert seconds == FAULTS[name].seconds
    with pytest.raises(CommandError, match="no end that could be resumed"):
        call_command("soak", "--length", "8h", "--resume", str(tmp_path / "x"))


def test_a_machine_that_stood_still_is_no_verdict_but_what_was_lost_is() -> None:
    """Times that nobody measured prove nothing; rows that are missing do."""
    late = played("worker-kill", 1, normal=None)
    assert (late.good, late.measured) == (False, True)
    late.stood_still = 121.0
    assert (late.good, late.measured) == (False, False)
    lost = replace(late, counts=Counts(lost=1))
    assert (lost.good, lost.measured) == (False, True)
    assert replace(played("worker-kill", 1), stood_still=121.0).measured


def test_the_report_says_how_the_rounds_were_played(stage: Stage, tmp_path: Path) -> None:
    report, _ = sitting(options(tmp_path, brief=True))
    assert as_dict(report)["brief"] is True
    assert [each["fault"] for each in as_dict(report)["faults"]][-1] == "all"
