"""Webhooks while Levity itself is stopped, started and killed: nothing is kept in memory."""

import threading
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import pytest

from levity.integrations.deliveries import fan_out
from levity.integrations.models import Delivery, Webhook
from levity.integrations.order import Order
from levity.integrations.runner import send_all
from levity.posting import Answer
from tests.integrations.test_webhooks import Receiver, happen, hook
from tests.ocpp.charger import NOW

__all__ = ["hook"]

HOURS = 24
CHARGERS = ("CP1", "CP2", "CP3")


class Killed(BaseException):
    """The process is gone: nothing after this line of it ran."""


class LastSeen(Receiver):
    """Takes an event, and Levity is killed before it has noted that."""

    kill_after = 0

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        answer = super().__call__(url, body, headers)
        if len(self.taken) == self.kill_after:
            raise Killed
        return answer


def a_process(receiver: Receiver, now: datetime) -> None:
    """From its start to its end: what `Runner` does, with this clock and without its threads."""
    order = Order()
    # On Postgres, the second look knows that nothing older is still to come.
    horizon = [order.look(now) for _ in range(2)][-1]
    for webhook in Webhook.objects.filter(enabled=True):
        while fan_out(webhook, horizon, now):
            pass
        if webhook.paused_until is None or webhook.paused_until <= now:
            send_all(webhook.pk, threading.Event(), lambda: now, receiver)


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_is_down_for_a_day_gets_every_event_also_if_levity_restarts(
    hook: Webhook,
) -> None:
    """In order for each charger; what comes twice has the id that it had, and nothing else does.

    Levity starts anew every hour of that day, does not run in every fourth, and is killed with an
    event on its way twice when the receiver is back.
    """
    receiver = LastSeen()
    receiver.is_down = True
    now = NOW
    for hour in range(HOURS):
        for identity in CHARGERS:
            happen(identity, hour)
        if hour % 4:
            a_process(receiver, now)
        now += timedelta(hours=1)
    assert receiver.taken == []
    receiver.is_down = False
    for receiver.kill_after in (5, 12):
        now += timedelta(hours=1)
        with pytest.raises(Killed):
            a_process(receiver, now)
        assert Delivery.objects.filter(state="waiting").exists()
    now += timedelta(hours=1)
    a_process(receiver, now)

    ids = [headers["webhook-id"] for headers, _ in receiver.taken]
    told = list(zip(ids, receiver.numbers, strict=True))
    assert len(told) == HOURS * len(CHARGERS) + 2, "the two that were on their way came again"
    first: dict[str, Any] = {}
    for name, what in told:
        assert first.setdefault(name, what) == what, "the same id is the same event"
    assert len(first) == len(set(first.values())) == HOURS * len(CHARGERS)
    for identity in CHARGERS:
        mine = [number for charger, number in receiver.numbers if charger == identity]
        assert [number for number, _ in groupby(mine)] == list(range(HOURS))
    assert not Delivery.objects.exclude(state="sent").exists()
