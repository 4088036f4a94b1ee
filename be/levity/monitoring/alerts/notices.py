"""Errors that a charger reports while it is Available: what happened, and to which card. OCPP does
not report their end. They are over with the next status of the connector, with what resolves them
(an accepted local list), or after a day.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import orjson

from levity.monitoring.alerts.conditions import Finding, called, plain
from levity.ocpp.chargers.faults import NOTICE
from levity.ocpp.models import Command, Connector, StatusEvent
from levity.ocpp.store.messages.codec import Exchange
from levity.ocpp.store.messages.reading import newest_first
from levity.ocpp.store.messages.wanted import MOMENT, Place, Wanted

__all__ = ["KEPT", "charger_notices"]

KEPT = timedelta(days=1)
CONFLICT = "LocalListConflict"
# At most how long before the card was presented.
JUST_BEFORE = timedelta(minutes=2)
AT_MOST, EVENTS, LISTS = 200, 20, 20


def charger_notices(now: datetime) -> list[Finding]:
    """Errors that chargers reported within the last day while Available."""
    rows = Connector.objects.filter(NOTICE).select_related("charge_point").order_by("pk")
    found: list[Finding] = []
    for connector in rows[:AT_MOST]:
        if connector.error_code == CONFLICT:
            found += _conflicts(connector, now)
        else:
            found += _told(connector, now)
    return found


def _told(connector: Connector, now: datetime) -> Iterator[Finding]:
    charge_point = connector.charge_point
    event = (
        StatusEvent.objects.filter(
            charge_point=charge_point,
            connector=connector.number,
            error_code=connector.error_code,
        )
        .order_by("-id")
        .first()
    )
    if event is None or event.received_at < now - KEPT:
        return
    more = [plain(part) for part in (connector.vendor_error_code, connector.info) if part]
    yield Finding(
        "charger-notice",
        f"{connector.pk}:{connector.error_code}",
        f"{_where(connector)} reported {plain(connector.error_code, 64)} while Available",
        "; ".join(more),
        charge_point=charge_point.pk,
        site=charge_point.site_id,
        at=event.received_at,
    )


def _conflicts(connector: Connector, now: datetime) -> Iterator[Finding]:
    """Each card whose entry in the charger's list differs from our answer."""
    charge_point = connector.charge_point
    since = now - KEPT
    sent = _lists(charge_point.pk)
    if sent and sent[0].finished_at:
        since = max(since, sent[0].finished_at)
    wanted = Wanted(
        charge_points=[charge_point.pk],
        sender="cp",
        actions=["StatusNotification"],
        since=since + MOMENT,
    )
    told = (event for event in newest_first(wanted) if CONFLICT in event.request)
    cards: set[str] = set()
    for event in islice(told, EVENTS):
        card, status = _presented(event)
        if card.lower() in cards:
            continue
        cards.add(card.lower())
        what = "its local list disagrees with the id tags here"
        if card:
            what += f" on {plain(card, 40)}: {_listed(card, sent)} there, {status or '?'} here"
        yield Finding(
            "charger-notice",
            f"{connector.pk}:{CONFLICT}:{card[:40].lower()}",
            f"{_where(connector)}: {what}",
            "",
            charge_point=charge_point.pk,
            site=charge_point.site_id,
            at=event.received_at,
        )


def _presented(event: Exchange) -> tuple[str, str]:
    """The card of the Call before it, and what we answered."""
    wanted = Wanted(
        charge_points=[event.charge_point_id],
        actions=("Authorize", "StartTransaction"),
        since=event.received_at - JUST_BEFORE,
        before=Place(event.received_at, event.id),
    )
    before = next(newest_first(wanted, 1), None)
    if before is None:
        return "", ""
    card = _within(before.request, 3).get("idTag")
    info = _within(before.response, 2).get("idTagInfo")
    status = info.get("status") if isinstance(info, dict) else ""
    return (card if isinstance(card, str) else ""), str(status or "")


def _within(frame: str, place: int) -> dict[str, Any]:
    """The payload of a stored frame."""
    try:
        content = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(content, list) or len(content) <= place:
        return {}
    return content[place] if isinstance(content[place], dict) else {}


def _lists(charge_point: int) -> list[Command]:
    """The local lists that this charger has accepted, the newest first."""
    accepted = Command.objects.filter(
        charge_point=charge_point,
        action="SendLocalList",
        state=Command.State.ANSWERED,
        result_status="Accepted",
    )
    return list(accepted.order_by("-id")[:LISTS])


def _listed(card: str, sent: list[Command]) -> str:
    """The card's status in the charger's list, as far as we have sent the list."""
    for command in sent:
        payload = command.payload if isinstance(command.payload, dict) else {}
        for entry in payload.get("localAuthorizationList") or ():
            if isinstance(entry, dict) and str(entry.get("idTag", "")).lower() == card.lower():
                info = entry.get("idTagInfo")
                return str(info.get("status")) if isinstance(info, dict) else "removed"
        if payload.get("updateType") == "Full":
            return "not listed"
    return "otherwise"


def _where(connector: Connector) -> str:
    charge_point = connector.charge_point
    name = called(charge_point.identity, charge_point.name)
    return f"connector {connector.number} of {name}" if connector.number else name
