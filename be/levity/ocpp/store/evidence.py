"""Calls of ours whose answers were lost, settled by what the charger says later.

Nothing is asked of the database for a frame of a charger that owes no answer: `evidence_until` of
the charge point, which is loaded anyway, says so.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Case, F, QuerySet, Value, When

from levity.ocpp.command_events import finish
from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.rules.evidence import LONG, SETTLED_AFTER, SOON
from levity.ocpp.store.messages.reading import newest_first
from levity.ocpp.store.messages.wanted import MOMENT, Wanted
from levity.ocpp.store.news import tell_of_ended
from levity.ocpp.store.values import Outcome
from levity.ocpp.versions import ASKED, SAID, SLOW, Version, version_of
from levity.ocpp.wire.frames import Call, parse

__all__ = ["confirm_commands", "expect_evidence", "settle_by_evidence", "settle_by_log"]

AT_ONCE = 50
LOOKED_AT = 200
"""Messages of one charger that are looked through for evidence."""
State = Command.State
Confirmed = dict[int, tuple[str, datetime]]
"""Command id -> (what shows it, when that came)."""


def expect_evidence(commands: QuerySet[Command], now: datetime) -> None:
    """These sent commands are given up now: what their chargers say later may tell their fate."""
    soon, late = now + SOON, now + LONG
    owners = commands.filter(action__in=ASKED).values("charge_point")
    slow = commands.filter(action__in=SLOW).values("charge_point")
    ChargePoint.objects.filter(pk__in=owners).update(
        evidence_until=Case(
            When(pk__in=slow, then=Value(late)),
            When(evidence_until__gt=soon, then=F("evidence_until")),
            default=Value(soon),
        )
    )


def settle_by_evidence(outcomes: Sequence[Outcome]) -> None:
    """What these frames show about Calls of ours that were given up."""
    saying: dict[int, list[Outcome]] = defaultdict(list)
    for item in outcomes:
        charge_point, frame = item.charge_point, item.arrival.frame
        if charge_point is None or charge_point.evidence_until is None:
            continue
        if not isinstance(frame, Call) or frame.action not in SAID or item.error_code:
            continue
        if item.arrival.at <= charge_point.evidence_until:
            saying[charge_point.id].append(item)
    if not saying:
        return
    oldest = min(items[0].arrival.at for items in saying.values()) - LONG
    rows = Command.objects.filter(
        charge_point__in=saying,
        state=State.TIMED_OUT,
        confirmed_by="",
        action__in=ASKED,
        sent_at__gte=oldest,
    ).order_by("-pk")
    confirmed: Confirmed = {}
    for pk, owner, action, payload, sent_at in rows.values_list(
        "pk", "charge_point_id", "action", "payload", "sent_at"
    )[: AT_ONCE * len(saying)]:
        for item in saying[owner]:
            frame = item.arrival.frame
            assert isinstance(frame, Call)
            version, at = item.arrival.version, item.arrival.at
            said = _confirmation(version, action, payload, sent_at, frame, at)
            if said:
                confirmed[pk] = said, at
                break
    _write(confirmed)


def settle_by_log(now: datetime) -> int:
    """Calls that wait for an answer for a while, and of which the log shows that they were carried
    out; how many.

    The next Call may go out then: the charger is not busy with this one.
    """
    waiting = list(
        Command.objects.filter(state=State.SENT, action__in=ASKED, sent_at__lte=now - SETTLED_AFTER)
        .order_by("pk")
        .values_list(
            "pk", "charge_point_id", "charge_point__subprotocol", "action", "payload", "sent_at"
        )[:AT_ONCE]
    )
    confirmed: Confirmed = {}
    for pk, charge_point, spoken, action, payload, sent_at in waiting:
        wanted = Wanted(
            charge_points=[charge_point],
            sender="cp",
            actions=SAID,
            has_error=False,
            since=sent_at,
            until=now - SETTLED_AFTER + MOMENT,
        )
        found = list(islice(newest_first(wanted, LOOKED_AT), LOOKED_AT))
        for exchange in reversed(found):
            frame, at = parse(exchange.request), exchange.received_at
            if isinstance(frame, Call) and (
                said := _confirmation(version_of(spoken), action, payload, sent_at, frame, at)
            ):
                confirmed[pk] = said, at
                break
    return _write(confirmed)


def _confirmation(
    version: Version, action: str, asked: Any, sent_at: datetime | None, said: Call, at: datetime
) -> str:
    if sent_at is None or not isinstance(asked, Mapping) or not isinstance(said.payload, Mapping):
        return ""
    return version.evidence.confirmation(action, asked, sent_at, said.action, said.payload, at)


def _write(confirmed: Confirmed) -> int:
    for pk, (said, at) in confirmed.items():
        confirm_commands([pk], said, at)
    return len(confirmed)


def confirm_commands(commands: Any, said: str, at: datetime) -> None:
    """These commands (ids, or a query for them) were carried out, as this shows; where an answer
    came, it stands."""
    done = finish(
        Command.objects.filter(pk__in=commands, state__in=(State.SENT, State.TIMED_OUT)),
        state=State.ANSWERED,
        confirmed_by=f"{said}; its own answer did not come"[:255],
        error_description="",
        secret="",
        finished_at=at,
    )
    if done:
        tell_of_ended()
