"""Past sessions from another system: imported once, marked as such, and never billed in silence.

They are written a portion of one charge point at a time, so that no charger waits; an import that
was broken off is run again, and adds what is missing. Nothing automatic changes them later.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from django.db import transaction as database
from django.utils import timezone

from levity.db.rows import reserve_ids
from levity.ocpp.audit import Noted, Who, note_each
from levity.ocpp.changes import changes_told
from levity.ocpp.deciding import NotAllowed
from levity.ocpp.decisions.history_csv import PastSession, by_charger, read_history
from levity.ocpp.decisions.id_tags_csv import Problem
from levity.ocpp.decisions.sessions import take_turn
from levity.ocpp.models import ChargePoint, Transaction
from levity.ocpp.rules.chain.claims import IMPORTED
from levity.ocpp.rules.lives import most
from levity.ocpp.store.loose import power_of
from levity.ocpp.visibility import is_limited

__all__ = ["Imported", "import_history"]

PORTION = 200
SAME = timedelta(seconds=1)
"""Systems cut off fractions of a second."""
ADD = "ocpp.add_transaction"


@dataclass(slots=True)
class Imported:
    """What an import did, or would do."""

    added: int = 0
    known: int = 0
    """Recorded already: by an import before, or by Levity itself."""
    wh: Decimal = Decimal()
    """Of those that were added."""
    first: datetime | None = None
    last: datetime | None = None
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    done: bool = False
    """False: nothing was written, for it was a trial or a line was wrong."""


def import_history(
    data: bytes,
    who: Who,
    *,
    zone: tzinfo | None = None,
    skip_errors: bool = False,
    dry_run: bool = False,
    progress: Callable[[int, int], object] = lambda done, of: None,
) -> Imported:
    """Add the sessions of this CSV, all or (with `skip_errors`) those of good lines. Raises
    `BadFile`. `progress` is told (lines done, of how many)."""
    if who is not None and (is_limited(who) or not who.has_perm(ADD)):
        raise NotAllowed("only who may add sessions at all sites may import past ones")
    read = read_history(data, zone)
    found = Imported(problems=read.problems, notes=read.notes)
    new: list[list[PastSession]] = []
    for sessions in by_charger(read.sessions):
        new.append(_new_of(sessions, _recorded(sessions), found))
    found.problems.sort(key=lambda problem: problem.line)
    every = [session for sessions in new for session in sessions]
    found.added, found.wh = len(every), sum((session.energy for session in every), Decimal())
    found.first = min((session.started_at for session in every), default=None)
    found.last = max((session.stopped_at for session in every), default=None)
    if dry_run or (found.problems and not skip_errors):
        return found
    found.added, done = 0, 0
    for sessions in new:
        for at in range(0, len(sessions), PORTION):
            portion = sessions[at : at + PORTION]
            found.added += _write(portion, who, found)
            done += len(portion)
            progress(done, len(every))
    found.done = True
    return found


class _There:
    """What is known of one charge point, connector by connector."""

    def __init__(self) -> None:
        self.spans: dict[int, list[tuple[datetime, datetime, str, str]]] = {}

    def add(self, connector: int | None, span: tuple[datetime, datetime, str, str]) -> None:
        spans = self.spans.setdefault(connector or 0, [])
        spans.insert(bisect_left(spans, span), span)

    def met(self, session: PastSession) -> tuple[bool, str]:
        """(it is there already, what it overlaps; empty: nothing)."""
        overlaps = ""
        # A session whose connector is not known may be that of any.
        places = [*self.spans] if session.connector is None else [session.connector, 0]
        for place in places:
            spans = self.spans.get(place, [])
            # None begins later than this one ends; the longest that is accepted lasts a year.
            end = bisect_left(spans, (session.stopped_at + SAME,))
            for begun, ended, id_tag, name in reversed(spans[:end]):
                same = abs(begun - session.started_at) <= SAME
                if same and id_tag == session.id_tag.lower():
                    return True, name
                if begun < session.stopped_at and ended > session.started_at:
                    overlaps = overlaps or name
                if begun < session.started_at - timedelta(days=367):
                    break
        return False, overlaps


def _new_of(sessions: list[PastSession], there: _There, found: Imported) -> list[PastSession]:
    new = []
    for session in sessions:
        is_known, overlaps = there.met(session)
        if is_known:
            found.known += 1
        elif overlaps:
            found.problems.append(Problem(session.line, f"it overlaps {overlaps} on its connector"))
        else:
            name = f"line {session.line}"
            span = (session.started_at, session.stopped_at, session.id_tag.lower(), name)
            there.add(session.connector, span)
            new.append(session)
    return new


def _recorded(sessions: list[PastSession]) -> _There:
    """What is recorded of this charge point around these sessions."""
    there, now = _There(), timezone.now()
    last = max(session.stopped_at for session in sessions)
    rows = Transaction.objects.filter(
        charge_point=sessions[0].charge_point, started_at__lte=last + SAME
    ).order_by("started_at", "pk")
    columns = ("pk", "connector", "id_tag", "started_at", "stopped_at", "state")
    for pk, connector, id_tag, begun, ended, state in rows.values_list(*columns):
        until = now if state == Transaction.State.ACTIVE else max(ended or begun, begun)
        there.add(connector, (begun, until, id_tag.lower(), f"session {pk}"))
    return there


def _write(sessions: list[PastSession], who: Who, found: Imported) -> int:
    """These of one charge point, unless they have come meanwhile; how many were added."""
    charger, now = sessions[0].charge_point, timezone.now()
    with database.atomic(), changes_told():
        take_turn(charger)
        new = _new_of(sessions, _recorded(sessions), found)
        ids = reserve_ids(Transaction, len(new))
        rows = [_row(pk, session, charger, now) for pk, session in zip(ids, new, strict=True)]
        # Nobody waits for the news of what is long over.
        with changes_told(lambda: ids, with_events=False):
            Transaction.objects.bulk_create(rows)
        note_each(
            who,
            [
                Noted(row, "imported", {}, {"energy": row.energy, "number": session.number})
                for row, session in zip(rows, new, strict=True)
            ],
        )
    return len(new)


def _row(pk: int, session: PastSession, charger: ChargePoint, now: datetime) -> Transaction:
    seconds = (session.stopped_at - session.started_at).total_seconds()
    is_plausible = session.energy <= Decimal(most(seconds, power_of(charger)))
    values: dict[str, Any] = {
        "flags": IMPORTED if is_plausible else f"{IMPORTED} implausible-energy",
        # Nobody here saw the samples; without the meter nothing can be held against it at all.
        "confidence": "medium" if is_plausible and session.has_registers else "low",
    }
    return Transaction(
        pk=pk,
        charge_point=charger,
        connector=session.connector,
        state=Transaction.State.STOPPED,
        id_tag=session.id_tag,
        started_at=session.started_at,
        start_received_at=now,
        stopped_at=session.stopped_at,
        stop_received_at=now,
        meter_start=session.meter_start,
        meter_stop=session.meter_stop,
        meter_last=session.meter_stop,
        meter_last_at=session.stopped_at if session.meter_stop is not None else None,
        stop_reason=session.stop_reason,
        energy=session.energy,
        power=0,
        energy_source=IMPORTED,
        **values,
    )
