"""What people decide about webhooks: pages, API and command line call these."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from levity.integrations.deliveries import send_test
from levity.integrations.models import Delivery, Event, Webhook
from levity.integrations.signing import new_secret
from levity.ocpp import events
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.events import TYPES
from levity.ocpp.models import Site
from levity.ocpp.visibility import is_limited
from levity.posting import BadWebhook, check_url, shown_host
from levity_ws.frozen import frozen

__all__ = [
    "Wishes",
    "change",
    "create",
    "discard",
    "remove",
    "replay",
    "replay_range",
    "rotate",
    "test",
    "validate",
]

ROTATED = timedelta(days=1)
"""For so long a secret that was replaced signs as well."""
MOST_REPLAYED = 100_000
CHANGE = "integrations.change_webhook"
State = Delivery.State


@frozen
class Wishes:
    """A webhook as a person wants it."""

    name: str
    url: str
    enabled: bool = True
    types: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    may_see_tags: bool = False


def validate(wishes: Wishes) -> None:
    """Raise `NotPossible` for what can't be."""
    if not wishes.name.strip():
        raise NotPossible("a webhook needs a name")
    try:
        check_url(wishes.url)
    except BadWebhook as error:
        raise NotPossible(str(error)) from error
    if unknown := sorted(set(wishes.types) - set(TYPES)):
        raise NotPossible(f"there are no events of the type {', '.join(unknown)}")


def create(wishes: Wishes, who: Who) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is shown this once. It gets events from now on."""
    _whole_installation(who, "integrations.add_webhook")
    validate(wishes)
    if Webhook.objects.filter(name=wishes.name).exists():
        raise NotPossible(f"there is a webhook called {wishes.name} already")
    secret = new_secret()
    row = Webhook(
        name=wishes.name,
        url=wishes.url,
        enabled=wishes.enabled,
        types=list(wishes.types),
        may_see_tags=wishes.may_see_tags,
        position=_newest(),
    )
    row.keep_secret(secret)
    with transaction.atomic():
        row.save()
        row.sites.set(wishes.sites)
        note(who, [row], "webhook created", {}, _shown(wishes))
    _look_again()
    return row, secret


def change(row: Webhook, wishes: Wishes, who: Who) -> None:
    """Change it. One that is switched on gets what happens from then on, and what still waits."""
    _whole_installation(who, CHANGE)
    validate(wishes)
    if Webhook.objects.filter(name=wishes.name).exclude(pk=row.pk).exists():
        raise NotPossible(f"there is a webhook called {wishes.name} already")
    with transaction.atomic():
        before = _shown(_wishes_of(Webhook.objects.get(pk=row.pk)))
        row = Webhook.objects.select_for_update().get(pk=row.pk)
        if wishes.enabled and not row.enabled:
            row.position, row.failures, row.paused_until, row.error = _newest(), 0, None, ""
        if wishes.url != row.url:
            row.failures, row.paused_until, row.error = 0, None, ""
        row.name, row.url, row.enabled = wishes.name, wishes.url, wishes.enabled
        row.types, row.may_see_tags = list(wishes.types), wishes.may_see_tags
        row.save()
        row.sites.set(wishes.sites)
        note(who, [row], "webhook changed", before, _shown(wishes))
    _look_again()


def rotate(row: Webhook, who: Who, now: datetime | None = None) -> str:
    """A new secret, shown this once. For a day, the old one signs as well."""
    _whole_installation(who, CHANGE)
    secret, now = new_secret(), now or timezone.now()
    with transaction.atomic():
        row = Webhook.objects.select_for_update().get(pk=row.pk)
        row.sealed_old_secret, row.old_secret_until = row.sealed_secret, now + ROTATED
        row.keep_secret(secret)
        row.save()
        note(who, [row], "webhook secret replaced")
    return secret


def remove(row: Webhook, who: Who) -> None:
    """Delete it, with its log."""
    _whole_installation(who, "integrations.delete_webhook")
    with transaction.atomic():
        note(who, [row], "webhook deleted", _shown(_wishes_of(row)))
        row.delete()
    _look_again()


def test(row: Webhook, who: Who) -> str:
    """Send an event of the type `test` now; why it was not taken, or an empty text."""
    _whole_installation(who, CHANGE)
    said = send_test(row, timezone.now())
    note(who, [row], "webhook tested", {}, {"result": said or "taken"})
    return said


def replay(deliveries: QuerySet[Delivery], who: Who) -> int:
    """Send these again, with the same ids; how many. What was deleted meanwhile stays as it is."""
    _whole_installation(who, CHANGE)
    kept = Event.objects.values("pk")
    again = deliveries.exclude(state=State.WAITING).filter(event__in=kept)
    hooks = list(Webhook.objects.filter(pk__in=again.values("webhook")))
    count = again.update(**_waiting())
    note(who, hooks, f"{count} deliveries replayed")
    return count


def replay_range(row: Webhook, since: datetime, until: datetime, who: Who) -> int:
    """Send all events of this time that this webhook wants, again or for the first time."""
    _whole_installation(who, CHANGE)
    wanted = Event.objects.filter(at__gte=since, at__lt=until, pk__lte=row.position)
    if row.types:
        wanted = wanted.filter(type__in=row.types)
    if sites := list(row.sites.values_list("pk", flat=True)):
        wanted = wanted.filter(site__in=sites)
    columns = ("pk", "type", "charge_point", "identity", "at")
    found = list(wanted.order_by("pk").values_list(*columns)[: MOST_REPLAYED + 1])
    if len(found) > MOST_REPLAYED:
        raise NotPossible(f"more than {MOST_REPLAYED:,} events: choose a shorter time")
    now = timezone.now()
    with transaction.atomic():
        known = Delivery.objects.filter(webhook=row, event__in=[item[0] for item in found])
        known.update(**_waiting())
        new = [
            Delivery(
                webhook=row,
                event=pk,
                type=kind,
                charge_point=charge_point or 0,
                identity=identity,
                at=at,
                next_at=now,
            )
            for pk, kind, charge_point, identity, at in found
        ]
        Delivery.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
        note(who, [row], f"{len(found)} events replayed")
    return len(found)


def discard(deliveries: QuerySet[Delivery], who: Who) -> int:
    """These are not sent any more; how many."""
    _whole_installation(who, CHANGE)
    waiting = deliveries.filter(state__in=(State.WAITING, State.DEAD))
    hooks = list(Webhook.objects.filter(pk__in=waiting.values("webhook")))
    count = waiting.update(state=State.DISCARDED, done_at=timezone.now())
    note(who, hooks, f"{count} deliveries discarded")
    return count


def _waiting() -> dict[str, object]:
    return {
        "state": State.WAITING,
        "attempts": 0,
        "first_tried_at": None,
        "next_at": timezone.now(),
        "done_at": None,
        "status": None,
        "error": "",
    }


def _whole_installation(who: Who, permission: str) -> None:
    """Events of all sites leave the house: not for a person of some sites."""
    if who is not None and is_limited(who):
        raise NotAllowed("webhooks are for people who see all sites")
    if who is not None and not who.has_perm(permission):
        raise NotAllowed(f"your role, or your token's scope, lacks the permission {permission}")


def _newest() -> int:
    return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _wishes_of(row: Webhook) -> Wishes:
    return Wishes(
        row.name,
        row.url,
        row.enabled,
        tuple(row.types),
        tuple(row.sites.all()),
        row.may_see_tags,
    )


def _shown(wishes: Wishes) -> dict[str, object]:
    """For the audit: of the address only the host, for the rest may be a secret."""
    return {
        "name": wishes.name,
        "address": shown_host(wishes.url),
        "enabled": wishes.enabled,
        "types": list(wishes.types),
        "sites": [site.name for site in wishes.sites],
        "may_see_tags": wishes.may_see_tags,
    }


def _look_again() -> None:
    """Somebody else may want events now, or nobody any more."""
    transaction.on_commit(events.refresh)
