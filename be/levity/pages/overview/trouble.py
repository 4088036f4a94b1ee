"""What needs a person: what waits for a decision, failed, or is in doubt."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext, gettext_noop

from levity.ocpp.models import (
    IN_TOTALS,
    ChargePointCertificate,
    Command,
    FailedMessage,
    QuarantinedMessage,
    RefusedHandshake,
    Transaction,
)
from levity.ocpp.rules.flags import DO_NOT_BILL, LOOK, Class, class_of
from levity.ocpp.visibility import visible
from levity.pages.kit.at_once import how_many, how_many_of_newest
from levity.pages.kit.formats import list_url
from levity.pages.kit.hooks import Tile
from levity.pages.overview.kept import kept, scope_of
from levity.pages.overview.tiles import tile

__all__ = ["questions", "to_check", "trouble"]

DAY = timedelta(days=1)
# A number beyond this is shown as "more than": the page never counts a big table.
COUNTED = 999
# The newest commands among which those are looked for that failed in the last day.
LOOK_BACK = 5_000
# Seconds for which the number of sessions to check is kept.
KEPT = 60.0
CHECKS: dict[Class, tuple[str, str]] = {
    LOOK: (
        gettext_noop("sessions to check before billing"),
        gettext_noop("session to check before billing"),
    ),
    DO_NOT_BILL: (
        gettext_noop("sessions not to bill as they are"),
        gettext_noop("session not to bill as it is"),
    ),
}
"""By what they ask: of many and of one."""
FAILURES = (
    Command.State.REFUSED,
    Command.State.TIMED_OUT,
    Command.State.EXPIRED,
    Command.State.FAILED,
)
WAITING = ChargePointCertificate.State.WAITING
TITLES: dict[str, tuple[str, ...]] = {
    "quarantined": (gettext_noop("in quarantine"),),
    "unread": (gettext_noop("failed messages"), gettext_noop("failed message")),
    "refused": (
        gettext_noop("kinds of refused connections (24 h)"),
        gettext_noop("kind of refused connection (24 h)"),
    ),
    "undone": (
        gettext_noop("commands that failed (24 h)"),
        gettext_noop("command that failed (24 h)"),
    ),
    "asked": (
        gettext_noop("certificate requests await a decision"),
        gettext_noop("certificate request awaits a decision"),
    ),
}
"""By question: of many and, last, of one."""


def questions(now: datetime, user: Any) -> dict[str, Subquery]:
    """How much there is of each kind that this person may see."""
    yesterday = now - DAY

    def seen(rows: QuerySet[Any]) -> QuerySet[Any] | None:
        named = f"{rows.model._meta.app_label}.view_{rows.model._meta.model_name}"
        return visible(rows, user) if user.has_perm(named) else None

    rows = {
        "quarantined": seen(QuarantinedMessage.objects.filter(resolved_at=None)),
        "unread": seen(FailedMessage.objects.filter(replayed_at=None)),
        "refused": seen(RefusedHandshake.objects.filter(last_at__gte=yesterday)),
        "asked": seen(ChargePointCertificate.objects.filter(state=WAITING)),
    }
    asked: dict[str, Subquery] = {
        name: how_many(found, COUNTED + 1) for name, found in rows.items() if found is not None
    }
    if (commands := seen(Command.objects.all())) is not None:
        failed = Q(state__in=FAILURES, finished_at__gte=yesterday)
        asked["undone"] = how_many_of_newest(commands, LOOK_BACK, failed)
    return asked


def trouble(found: dict[str, int]) -> list[Tile]:
    """A line for each kind of which there is something."""
    failed = urlencode([("state__exact", str(state)) for state in FAILURES])
    addresses = {
        "quarantined": list_url(QuarantinedMessage, open="yes"),
        "unread": list_url(FailedMessage, open="yes"),
        "refused": list_url(RefusedHandshake),
        "undone": f"{list_url(Command)}?{failed}",
        "asked": list_url(ChargePointCertificate, state__exact=WAITING),
    }
    tiles = []
    for name, titles in TITLES.items():
        if count := found.get(name):
            most = gettext("more than %(count)s") % {"count": COUNTED}
            shown = most if count > COUNTED else str(count)
            title = gettext(titles[-1] if count == 1 else titles[0])
            tiles.append(tile(title, shown, addresses[name], "bad"))
    return tiles


def to_check(now: datetime, user: Any) -> list[Tile]:
    """Sessions of this month and the last that ask something of who bills them."""
    first = (timezone.localtime(now).replace(day=1) - DAY).replace(day=1)
    since = first.replace(hour=0, minute=0, second=0, microsecond=0)

    def counted() -> dict[Class, int]:
        rows = visible(Transaction.objects.filter(IN_TOTALS, started_at__gte=since), user)
        ended = rows.exclude(state=Transaction.State.ACTIVE)
        doubtful = ended.filter(~Q(flags="") | Q(confidence="low")).order_by()
        found: dict[Class, int] = {}
        words = doubtful.values("flags", "confidence").annotate(count=Count("pk"))
        for flags, confidence, count in words.values_list("flags", "confidence", "count"):
            category = class_of(flags, confidence)
            found[category] = found.get(category, 0) + count
        return found

    counts = kept(("to check", scope_of(user), since), KEPT, counted)
    day = f"{since:%Y-%m-%d}"
    tiles = []
    for category, names in CHECKS.items():
        if count := counts.get(category):
            address = list_url(Transaction, **{"class": category, "started_at_from": day})
            title = gettext(names[-1] if count == 1 else names[0])
            title = gettext("%(what)s (since %(day)s)") % {"what": title, "day": day}
            tiles.append(tile(title, count, address, "warn"))
    return tiles
