"""How sure the figure of a session is: each check with its verdict in words, flags, and the trail.

What is shown was recorded with the session (`Transaction.checks`, `SessionRepair`), but for what
its neighbours say: that is looked up, since they may have come later.
"""

import json
from datetime import datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from levity.ocpp.models import Connector, Message, SessionRepair, Transaction
from levity.ocpp.rules.chain.settle import AFTER, BEFORE, settle
from levity.ocpp.rules.checks import (
    AGREES,
    BOUNDS,
    CLOCK,
    CONTRADICTS,
    LIMIT,
    MISSING,
    POWER,
    SAMPLES,
    SILENT,
    START_STOP,
    Check,
    of_json,
)
from levity.ocpp.store.chain import sessions_near
from levity.pages.chargers.billing_class import class_badge, flag_lines, session_class
from levity.pages.chargers.chain import claimed, most_power
from levity.pages.chargers.connectors import chain_address
from levity.pages.chargers.facts_said import fact_said, reasons_said
from levity.pages.chargers.sure_words import confidence_said, source_said
from levity.pages.kit.formats import (
    NOTHING,
    badge,
    change_link,
    excerpt,
    kwh,
    link,
    list_url,
    said,
    shown_time,
    site_zone,
)

__all__ = ["check_lines", "how_sure", "neighbours"]

KINDS = {
    START_STOP: gettext_noop("Meter at start and stop"),
    SAMPLES: gettext_noop("Meter values"),
    POWER: gettext_noop("Power and time"),
    LIMIT: gettext_noop("Most that the connector can deliver"),
    CLOCK: gettext_noop("The charger's clock"),
    BEFORE: gettext_noop("Session before on the connector"),
    AFTER: gettext_noop("Session after on the connector"),
}
"""What was compared, for people; an unknown kind is shown as it is."""
VERDICTS = {
    AGREES: (gettext_noop("agrees"), "good"),
    SILENT: (gettext_noop("says nothing"), ""),
    MISSING: (gettext_noop("is missing"), "warn"),
    CONTRADICTS: (gettext_noop("contradicts"), "bad"),
    BOUNDS: (gettext_noop("only a bound"), "busy"),
}
"""Of each verdict the words and the tone."""
TRAIL = 20
"""So many changes are shown, the newest first."""


def how_sure(item: Transaction, user: Any) -> dict[str, Any]:
    """What the section shows."""
    content = _content(item.checks)
    checks = of_json(content.get("checks"))
    own = _own(item, content.get("own"))
    zone = site_zone(item)
    repairs = [
        {
            "at": shown_time(repair.at, zone),
            "energy": _change(kwh(repair.old_energy), kwh(repair.new_energy)),
            "confidence": _change(said(repair.old_confidence), said(repair.new_confidence)),
            "reason": reasons_said(repair.reason),
        }
        for repair in SessionRepair.objects.filter(transaction=item.pk)[:TRAIL]
    ]
    return {
        "energy": kwh(item.energy),
        "source": source_said(item.energy_source),
        "confidence": confidence_said(item.confidence),
        "class": class_badge(session_class(item)),
        "own": own,
        "checks": check_lines((*checks, *_beside(item)), zone),
        "has_own": bool(checks),
        "flags": flag_lines(item.flags) if item.flags else "",
        "repairs": repairs,
        "neighbours": [
            (title, change_link(Transaction, found.pk, f"#{found.pk}"), shown_time(at, zone))
            for title, found, at in neighbours(item)
        ],
        "chain": _chain(item) if user.has_perm("ocpp.view_connector") else "",
        "messages": link(
            list_url(Message, transaction=item.pk), gettext("Messages of this session")
        ),
        "is_decided": item.energy_source == "corrected",
        "is_over": item.state != Transaction.State.ACTIVE,
    }


def check_lines(checks: tuple[Check, ...], zone: tzinfo | None) -> list[dict[str, str]]:
    """Each of these checks in words, its times in this zone."""
    return [
        {
            "kind": said(KINDS.get(check.kind, excerpt(check.kind, 40).capitalize())),
            "verdict": _verdict(check.verdict),
            "detail": fact_said(check.detail, zone),
        }
        for check in checks
    ]


def _verdict(verdict: str) -> str:
    word, tone = VERDICTS.get(verdict, (excerpt(verdict, 40), ""))
    return badge(said(word), tone)


def _beside(item: Transaction) -> tuple[Check, ...]:
    """What the sessions beside it on its connector say, now: they may have come later."""
    if item.state == Transaction.State.ACTIVE or item.connector is None:
        return ()
    place = item.evse, item.connector
    wanted = [(item.charge_point_id, place, item.started_at)]
    near = sessions_near(wanted).get(item.charge_point_id, ())
    there = [each for each in near if each.place == place]
    settled = settle(there, most_power(item.charge_point))
    return next((each.checks for each in settled if each.session.id == item.pk), ())


def neighbours(item: Transaction) -> list[tuple[str, Transaction, datetime]]:
    """The sessions before and after on its connector: (title, session, when it began)."""
    if item.connector is None:
        return []
    at, pk = item.started_at, item.pk
    there = Transaction.objects.filter(
        charge_point=item.charge_point_id, evse=item.evse, connector=item.connector
    )
    # Of two that began at the same time the one with the lower number comes first.
    before = there.filter(Q(started_at__lt=at) | Q(pk__lt=pk), started_at__lte=at)
    after = there.filter(Q(started_at__gt=at) | Q(pk__gt=pk), started_at__gte=at)
    found = (
        (gettext("Session before"), before.order_by("-started_at", "-id").first()),
        (gettext("Session after"), after.order_by("started_at", "id").first()),
    )
    return [(title, other, other.started_at) for title, other in found if other is not None]


def _chain(item: Transaction) -> str:
    """A link to the chain of its connector, around the time of the session."""
    if item.connector is None:
        return ""
    place = {"evse": item.evse, "number": item.connector}
    found = Connector.objects.filter(charge_point=item.charge_point_id, **place).first()
    if found is None:
        return ""
    since = claimed(item, timezone.now()).since
    address = chain_address(found.pk, since, site_zone(item))
    text = gettext("Chain of connector %(number)s") % {"number": item.connector}
    return link(address, text)


def _own(item: Transaction, alone_said: Any) -> str:
    """What it came to by itself, where its neighbours have changed that; else empty."""
    if not isinstance(alone_said, list) or len(alone_said) < 3:
        return ""
    wh, source, confidence = alone_said[:3]
    try:
        alone = None if wh is None else Decimal(str(wh))
    except InvalidOperation:
        return ""
    if (alone, source, confidence) == (item.energy, item.energy_source, item.confidence):
        return ""
    figure = kwh(alone)
    if source:
        parts = {"energy": figure, "source": source_said(source)}
        figure = gettext("%(energy)s from %(source)s") % parts
    return f"{figure}, {confidence_said(confidence)}" if confidence else figure


def _content(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text) if text else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _change(before: str, after: str) -> str:
    if before == after:
        return before or NOTHING
    return f"{before or NOTHING} → {after or NOTHING}"
