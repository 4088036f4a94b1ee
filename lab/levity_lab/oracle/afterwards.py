"""What is done to a world that was played: readings are corrected, loose energy is summed up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.db import connection

from levity.ocpp.store.loose import renew
from levity_lab.oracle.lives import Life
from levity_lab.oracle.table import cause_of, example
from levity_lab.oracle.verdict import Judged, Verdict, allowed, judge
from levity_lab.oracle.world import BEGIN, DAY

__all__ = ["Corrected", "Unassigned", "compare", "correct", "sum_up"]

_ALL = ("correct_meter_values", "1970-01-01", "2027-01-01")
_RIGHT = ("right", "marked")
_HIDDEN = ("high", "unflagged")
_EXAMPLES = 5


@dataclass(slots=True)
class Corrected:
    """What `correct_meter_values` made of right and wrong sessions."""

    spoilt: Counter[str] = field(default_factory=Counter)
    """By cause: right before, wrong afterwards."""
    mended: Counter[str] = field(default_factory=Counter)
    hidden: Counter[str] = field(default_factory=Counter)
    """By cause: wrong before and afterwards, but only now at `high` or without a flag."""
    again: int = 0
    """Values that a second run would change."""
    examples: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Nothing is worse than before, and a second run finds nothing more."""
        return not (self.spoilt or self.hidden or self.again)

    def __str__(self) -> str:
        named = ", ".join(f"{cause} {count}" for cause, count in self.spoilt.most_common())
        hidden = ", ".join(f"{cause} {count}" for cause, count in self.hidden.most_common())
        return (
            f"correct_meter_values: right ones made wrong {self.spoilt.total()} "
            f"({named or 'none'}), wrong ones no longer marked {self.hidden.total()} "
            f"({hidden or 'none'}), wrong ones made right {self.mended.total()}; a second run "
            f"would change {self.again} values"
        )

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "spoilt": dict(self.spoilt),
            "mended": dict(self.mended),
            "hidden": dict(self.hidden),
            "again": self.again,
        }


@dataclass(slots=True)
class Unassigned:
    """Energy in no session of the books: what meters know, and what Levity shows. In Wh."""

    true: float = 0.0
    told: float = 0.0
    missed: Counter[str] = field(default_factory=Counter)
    """By cause: connectors of which less than half is shown, or none."""
    invented: Counter[str] = field(default_factory=Counter)
    """By cause: connectors where billed and unassigned together are more than the meter moved."""

    def __str__(self) -> str:
        def named(counts: Counter[str]) -> str:
            return ", ".join(f"{cause} {count}" for cause, count in counts.most_common()) or "none"

        return (
            f"unassigned energy: {self.true / 1000:,.1f} kWh true, {self.told / 1000:,.1f} kWh "
            f"shown; connectors of which less than half is shown: {named(self.missed)}; connectors "
            f"with more than their meters moved: {named(self.invented)}"
        )

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "true_wh": round(self.true, 1),
            "told_wh": round(self.told, 1),
            "missed": dict(self.missed),
            "invented": dict(self.invented),
        }


def correct(lives: Sequence[Life], before: Verdict, into: Corrected) -> None:
    """Run `correct_meter_values` over all of it, and judge again; and look for what a second run
    would change."""
    call_command(*_ALL, stderr=StringIO())
    found = StringIO()
    call_command(*_ALL, dry_run=True, csv="-", stdout=found, stderr=StringIO())
    into.again += len(found.getvalue().splitlines()) - 1
    into.examples += [f"a second run: {line}" for line in found.getvalue().splitlines()[1:3]]
    compare(before, judge(lives), into)


def compare(before: Verdict, after: Verdict, into: Corrected) -> None:
    """Count what has become of each session."""
    was = {_key(each): each.kind for each in before.judged}
    for each in after.judged:
        kind = was[_key(each)]
        if kind in _RIGHT and each.kind not in _RIGHT:
            into.spoilt[cause_of(each)] += 1
            if len(into.examples) < _EXAMPLES:
                into.examples.append(f"spoilt by correct_meter_values: {example(each)}")
        elif kind not in _RIGHT and each.kind in _RIGHT:
            into.mended[cause_of(each)] += 1
        elif kind != each.kind and each.kind in _HIDDEN:
            into.hidden[cause_of(each)] += 1


def _key(judged: Judged) -> tuple[str, int]:
    return judged.life.identity, judged.session.number


def sum_up(lives: Sequence[Life], verdict: Verdict, into: Unassigned) -> None:
    """Have energy of no session summed up, and compare it with the meters.

    Only where registers go on from one session to the next: else nothing tells of it.
    """
    named = ", ".join(["%s"] * len(lives))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT identity, id FROM ocpp_chargepoint WHERE identity IN ({named})",  # noqa: S608
            [life.identity for life in lives],
        )
        keys = dict(cursor.fetchall())
        renew(list(keys.values()), "2026-10", "2026-12", datetime.fromtimestamp(_END, UTC))
        cursor.execute(
            "SELECT charge_point_id, connector, SUM(wh) FROM ocpp_unassignedenergy GROUP BY 1, 2"
        )
        told = {(key, connector): float(wh) for key, connector, wh in cursor.fetchall()}
    billed: Counter[tuple[str, int]] = Counter()
    for each in verdict.judged:
        billed[each.life.identity, each.session.connector.number] += round(each.billed)
    for life in lives:
        if life.make.counts != "lifetime":
            continue
        for connector in life.connectors:
            moved = connector.meter.flow.wh(float("inf"))
            # Also what is in quarantine, or was never told, is in no session.
            true = max(0.0, moved - billed[life.identity, connector.number])
            here = told.get((keys[life.identity], connector.number), 0.0)
            into.true += true
            into.told += here
            if true > 100 and here < true / 2:
                into.missed[life.cause] += 1
            slack = sum(allowed(session, life) for session in connector.sessions)
            if here > 10 and billed[life.identity, connector.number] + here > moved + slack:
                into.invented[life.cause] += 1


_END = BEGIN + 30 * DAY
