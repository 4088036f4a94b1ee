"""The verdict: every true session held against what the database says, read by plain SQL.

Nothing here asks Levity what it thinks; only tables and columns are named.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from levity_lab.oracle.lives import Connector, Life, Session
from levity_lab.oracle.world import HOUR

__all__ = ["KINDS", "Judged", "Verdict", "judge"]

KINDS = (
    "right",
    "marked",
    "flagged",
    "high",
    "unflagged",
    "quarantined",
    "untold",
    "lost",
    "doubled",
)
"""right: and `high`; marked: right, but medium or low; flagged: wrong with a flag or low; high:
wrong at `high` with a flag; unflagged: wrong without any; quarantined: a person decides; untold:
the charger never told it, or was never answered; lost: acknowledged and nowhere; doubled: twice."""


_COLUMNS = (
    *("id", "connector", "state", "id_tag", "started_at", "stopped_at", "meter_start"),
    *("meter_stop", "energy", "confidence", "energy_source", "flags", "stop_reason"),
)
Row = dict[str, Any]


@dataclass(slots=True)
class Judged:
    """One true session, and what the books make of it."""

    life: Life
    session: Session
    kind: str
    billed: float
    rows: list[Row]
    neighbour: bool
    """It has no oddity itself, but its charger has one."""
    quarantined: list[Row] = field(default_factory=list)

    @property
    def is_bad(self) -> bool:
        """It must not be, whatever the oddity: the exit status tells of it."""
        if self.kind not in ("high", "unflagged"):
            return self.kind in ("lost", "doubled")
        at_high = any(row["confidence"] == "high" for row in self.rows)
        return self.session.tellable or (self.session.doubtful and at_high)


@dataclass(slots=True)
class Over:
    """A connector on which more is billed than its meter moved."""

    life: Life
    connector: Connector
    moved: float
    billed: float
    plausible: float
    """Billed without the rows that are flagged as implausible."""


@dataclass(slots=True)
class Verdict:
    """All of one world."""

    judged: list[Judged] = field(default_factory=list)
    over: list[Over] = field(default_factory=list)
    phantom: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """By cause: Wh in rows that belong to no true session."""


def judge(lives: Sequence[Life]) -> Verdict:
    """Hold these lives, which were played in this database, against it."""
    verdict = Verdict()
    identities = {life.identity: life for life in lives}
    keys = dict(_pairs("SELECT identity, id FROM ocpp_chargepoint WHERE identity LIKE %s", "ORA-%"))
    rows = _by(_read("ocpp_transaction", _COLUMNS, "charge_point_id"), "charge_point_id")
    aside = _by(
        _read(
            "ocpp_quarantinedmessage",
            ("id", "action", "payload", "reason", "resolved_at"),
            "charge_point_id",
        ),
        "charge_point_id",
    )
    for identity, life in identities.items():
        key = keys.get(identity)
        here = rows.get(key, [])
        odd = [each for each in aside.get(key, []) if each["resolved_at"] is None]
        _one(life, here, odd, verdict)
    return verdict


def _one(life: Life, rows: list[Row], aside: list[Row], verdict: Verdict) -> None:
    owners = _owners(life, rows)
    told_of = {_canonical(told): each for each in life.sessions for told in each.told}
    # A stop that was recorded with another session first is kept without its words.
    ended_at = {end: each for each in life.sessions for told in each.told if (end := _end(told))}
    held: dict[int, list[Row]] = defaultdict(list)
    for message in aside:
        payload = json.loads(message["payload"])
        session = told_of.get(_canonical(payload)) or ended_at.get(_end(payload) or (0, ""))
        if session is not None:
            held[session.number].append(message)
    of = defaultdict(list)
    for row in rows:
        if (owner := owners.get(row["id"])) is not None:
            of[owner.number].append(row)
        elif row["energy"]:
            verdict.phantom[life.cause] += float(row["energy"])
    for session in life.sessions:
        mine = of[session.number]
        kind = _kind(session, life, mine, held[session.number])
        billed = sum(float(row["energy"] or 0) for row in mine)
        verdict.judged.append(
            Judged(life, session, kind, billed, mine, not session.cause, held[session.number])
        )
    for connector in life.connectors:
        _moved(life, connector, rows, verdict)


def _end(payload: dict[str, Any]) -> tuple[float, str] | None:
    """Register and time (to the second) of a stop; None if it lacks one of them."""
    try:
        return float(payload["meterStop"]), payload["timestamp"][:19]
    except (KeyError, TypeError, ValueError):
        return None


def _owners(life: Life, rows: list[Row]) -> dict[int, Session]:
    """Whose each row is: by the id in the answer to a StartTransaction, else by its Stop."""
    owners: dict[int, Session] = {}
    for session in life.sessions:
        for number in session.ids:
            owners.setdefault(number, session)
    known = {row["id"] for row in rows}
    without = [each for each in life.sessions if known.isdisjoint(each.ids)]
    for row in rows:
        if row["id"] in owners:
            continue
        for session in without:
            stops = {str(told.get("meterStop")) for told in session.told if "meterStop" in told}
            tags = {told["idTag"] for told in session.told if told.get("idTag")}
            same_stop = row["meter_stop"] is not None and str(int(row["meter_stop"])) in stops
            if same_stop or (row["id_tag"] and row["id_tag"] in tags):
                owners[row["id"]] = session
                break
    return owners


def allowed(session: Session, life: Life) -> float:
    """Wh by which a figure may be off."""
    truth = session.truth
    least = max(10.0, 0.005 * truth)
    if session.estimate:
        power = max((piece[2] for piece in session.pieces), default=0.0)
        least = max(least, 0.03 * truth + life.make.period * power / HOUR)
    return least + session.slack


def _kind(session: Session, life: Life, rows: list[Row], held: list[Row]) -> str:
    if not rows:
        if held:
            return "quarantined"
        if (
            session.forgotten
            or not session.told
            or not session.acknowledged & {"StartTransaction", "StopTransaction"}
        ):
            return "untold"
        return "lost"
    off = allowed(session, life)
    charged = [row for row in rows if float(row["energy"] or 0) > off]
    if len(charged) > 1 and sum(float(row["energy"]) for row in charged) > session.truth + off:
        return "doubled"
    row = max(rows, key=lambda each: float(each["energy"] or -1))
    right = row["energy"] is not None and abs(float(row["energy"]) - session.truth) <= off
    if right:
        return "right" if row["confidence"] == "high" else "marked"
    if _is_split(charged, session.truth, off):
        return "marked"
    if row["confidence"] == "high":
        return "high" if row["flags"] else "unflagged"
    if not row["flags"] and row["confidence"] != "low" and row["state"] == "stopped":
        return "unflagged"
    return "quarantined" if held else "flagged"


def _is_split(rows: list[Row], truth: float, off: float) -> bool:
    """One person's session that was told as two: each is flagged, and together they are right."""
    together = sum(float(row["energy"]) for row in rows)
    return len(rows) > 1 and all(row["flags"] for row in rows) and abs(together - truth) <= off


def _moved(life: Life, connector: Connector, rows: Iterable[Row], verdict: Verdict) -> None:
    """No more may be billed on a connector than its meter moved: to the Wh, by segment."""
    mine = [row for row in rows if row["connector"] == connector.number]
    if len(life.connectors) == 1:
        mine = list(rows)
    billed = sum(float(row["energy"] or 0) for row in mine)
    sane = sum(float(row["energy"] or 0) for row in mine if "implausible" not in row["flags"])
    moved = connector.meter.flow.wh(float("inf"))
    rounding = connector.meter.segments() + sum(
        allowed(each, life) for each in connector.sessions if each.estimate
    )
    if life.make.counts == "session":
        rounding += len(connector.sessions)
    if billed > moved + rounding:
        verdict.over.append(Over(life, connector, moved, billed, sane))


def _canonical(payload: Any) -> str:
    return json.dumps(payload, sort_keys=True)


def _read(table: str, columns: Iterable[str], *more: str) -> list[Row]:
    named = [*columns, *more]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(named)} FROM {table} ORDER BY id")  # noqa: S608
        return [dict(zip(named, row, strict=True)) for row in cursor.fetchall()]


def _pairs(statement: str, *values: str) -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _by(rows: Iterable[Row], name: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[name]].append(row)
    return dict(found)
