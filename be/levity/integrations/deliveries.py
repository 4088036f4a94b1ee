"""Events on their way to webhooks: at least once, in order for each charge point, for days.

- `fan_out` writes a `Delivery` for each event that a webhook wants.
- `due` are those that may be sent: of each charge point the oldest, so that none is overtaken.
- `attempt` sends one. An answer that says no delays this charge point only; a receiver that does
  not answer at all, or says that it is busy, is left alone for a while. Only an event that the
  receiver has refused for days is given up; one that could not be delivered at all waits until it
  is deleted with all old events.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from random import uniform
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from levity.integrations.models import Delivery, Event, Webhook
from levity.integrations.rendering import body, public_id, site_names
from levity.integrations.signing import signed_headers
from levity.posting import Answer, BadWebhook, Unreached, post, shown_host
from levity.secrets.sealing import Unreadable
from levity_ws import __version__

__all__ = ["SWITCHED_OFF", "attempt", "due", "fan_out", "forget_deliveries", "send_test"]

log = logging.getLogger(__name__)

AT_ONCE = 500
LOGGED = timedelta(days=14)
"""For so long the log says what was sent."""
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200)
)
"""After an answer that says no: after the last of them, that long again."""
GIVEN_UP = timedelta(days=3)
ALONE = tuple(timedelta(seconds=seconds) for seconds in (2, 5, 15, 60, 180, 600))
"""How long a receiver that does not answer is left alone."""
DOWN = 3
"""So many failures in a row, with an answer, and it is left alone, too."""
LONGEST_WISH = timedelta(days=1)
"""The longest Retry-After that we heed."""
JITTER = 0.2
GONE, BUSY = 410, (429, 503)
SWITCHED_OFF = ": switched off by the receiver"
"""How the error of such a webhook ends."""
MOST_BYTES = 20_000

State = Delivery.State
Post = Callable[..., Answer]


def fan_out(webhook: Webhook, horizon: int, now: datetime) -> int:
    """Write deliveries for events up to this one; how many events were looked at."""
    if webhook.position >= horizon:
        return 0
    events = Event.objects.filter(id__gt=webhook.position, id__lte=horizon).order_by("id")
    seen = list(
        events.values_list("id", "type", "charge_point", "identity", "site", "at")[:AT_ONCE]
    )
    # Ids that were rolled back are in no row: no need to look for them again.
    reached = seen[-1][0] if len(seen) == AT_ONCE else max(horizon, webhook.position)
    sites = set(webhook.sites.values_list("pk", flat=True))
    rows = [
        Delivery(
            webhook=webhook,
            event=pk,
            type=kind,
            charge_point=charge_point or 0,
            identity=identity,
            at=at,
            next_at=now,
        )
        for pk, kind, charge_point, identity, site, at in seen
        if (not webhook.types or kind in webhook.types) and (not sites or site in sites)
    ]
    with transaction.atomic():
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)
        Webhook.objects.filter(pk=webhook.pk).update(position=reached)
    webhook.position = reached
    return len(seen)


def due(webhook: Webhook, now: datetime) -> QuerySet[Delivery]:
    """What may be sent now, the oldest first: of each charge point at most one."""
    waiting = Delivery.objects.filter(webhook=webhook, state=State.WAITING)
    before = waiting.filter(charge_point=OuterRef("charge_point"), event__lt=OuterRef("event"))
    return waiting.filter(~Exists(before), next_at__lte=now).order_by("event")


def attempt(webhook: Webhook, delivery: Delivery, now: datetime, send: Post = post) -> bool:
    """Send this one; True if the receiver has it now. What came of it is written down."""
    event = Event.objects.filter(pk=delivery.event).first()
    if event is None:
        _finish(delivery, State.DEAD, now, error="it was deleted before it could be delivered")
        return False
    try:
        answer = _send(webhook, event, now, send)
    except Unreached as error:
        _leave_alone(webhook, delivery, now, str(error))
        return False
    except (BadWebhook, Unreadable, ValueError) as error:
        _leave_alone(webhook, delivery, now, _why(error))
        return False
    if answer.is_taken:
        _finish(delivery, State.SENT, now, status=answer.status)
        _note(webhook, failures=0, error="", paused_until=None, sent_at=now)
        return True
    said = f"{shown_host(webhook.url)} answered {answer.status} {answer.reason}"[:200]
    if answer.status == GONE:
        _put_off(delivery, now, said, answer.status)
        _note(webhook, enabled=False, error=f"{said}{SWITCHED_OFF}")
        log.warning("webhook %s is switched off: %s", webhook, said)
        return False
    if answer.status in BUSY:
        _leave_alone(webhook, delivery, now, said, answer)
        return False
    failures = webhook.failures + 1
    _put_off(delivery, now, said, answer.status)
    pause = None
    if failures >= DOWN:
        pause = now + _jittered(ALONE[min(failures - DOWN, len(ALONE) - 1)])
    _note(webhook, failures=failures, error=said, paused_until=pause)
    return False


def send_test(webhook: Webhook, now: datetime, send: Post = post) -> str:
    """Send an event that means nothing; why it was not taken, or an empty text."""
    event = Event(pk=0, type="test", at=now, data={"text": "This is a test."})
    try:
        answer = _send(webhook, event, now, send)
    except (BadWebhook, Unreadable, ValueError) as error:
        return _why(error)
    return "" if answer.is_taken else f"it answered {answer.status} {answer.reason}"[:200]


def forget_deliveries(now: datetime) -> int:
    """Delete what the log need not show any more; what waits and what was given up stays."""
    over = Q(state__in=(State.SENT, State.DISCARDED), done_at__lt=now - LOGGED)
    keys = list(Delivery.objects.filter(over).values_list("pk", flat=True)[:5000])
    return Delivery.objects.filter(pk__in=keys).delete()[0]


def _send(webhook: Webhook, event: Event, now: datetime, send: Post) -> Answer:
    content = body(event, site_names(), with_tags=webhook.may_see_tags)
    if len(content) >= MOST_BYTES:
        event.data = {"truncated": True}
        content = body(event, site_names(), with_tags=webhook.may_see_tags)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Levity/{__version__}",
        **signed_headers(webhook.secrets(now), public_id(event), int(time.time()), content),
    }
    return send(webhook.url, content, headers)


def _why(error: Exception) -> str:
    if isinstance(error, Unreadable):
        return "its secret can't be decrypted because SECRET_KEY has changed: make a new one"
    return str(error)[:200]


def _finish(
    delivery: Delivery, state: str, now: datetime, status: int | None = None, error: str = ""
) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        state=state,
        attempts=delivery.attempts + 1,
        first_tried_at=delivery.first_tried_at or now,
        done_at=now,
        status=status,
        error=error[:255],
    )


def _put_off(delivery: Delivery, now: datetime, said: str, status: int) -> None:
    """The receiver said no to this event: later again, or never."""
    since = delivery.first_tried_at or now
    if now - since >= GIVEN_UP:
        _finish(delivery, State.DEAD, now, status, said)
        return
    pause = PAUSES[min(delivery.attempts, len(PAUSES) - 1)]
    _try_later(delivery, now, now + _jittered(pause), said, status)


def _leave_alone(
    webhook: Webhook, delivery: Delivery, now: datetime, said: str, answer: Answer | None = None
) -> None:
    """The receiver can't be reached, or is busy: no event goes to it for a while."""
    failures = webhook.failures + 1
    until = now + _jittered(ALONE[min(failures - 1, len(ALONE) - 1)])
    if answer is not None and (wish := _wished(answer.retry_after, now)) is not None:
        until = max(until, wish)
    _try_later(delivery, now, now, said, answer.status if answer else None)
    _note(webhook, failures=failures, error=said[:255], paused_until=until)


def _try_later(
    delivery: Delivery, now: datetime, at: datetime, said: str, status: int | None
) -> None:
    Delivery.objects.filter(pk=delivery.pk, state=State.WAITING).update(
        attempts=delivery.attempts + 1,
        first_tried_at=delivery.first_tried_at or now,
        next_at=at,
        status=status,
        error=said[:255],
    )


def _note(webhook: Webhook, **values: Any) -> None:
    for name, value in values.items():
        setattr(webhook, name, value)
    Webhook.objects.filter(pk=webhook.pk).update(**values)


def _wished(text: str, now: datetime) -> datetime | None:
    """The time that a Retry-After names: seconds, or a date."""
    if text.isascii() and text.strip().isdigit():
        return now + min(timedelta(seconds=min(int(text[:9]), 10**6)), LONGEST_WISH)
    try:
        return min(parsedate_to_datetime(text), now + LONGEST_WISH)
    except (TypeError, ValueError):
        return None


def _jittered(pause: timedelta) -> timedelta:
    return pause * uniform(1 - JITTER, 1 + JITTER)
