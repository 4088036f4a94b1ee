"""Alerts about what does not leave the house, or stopped by itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from levity.files.models import Campaign, Firmware
from levity.integrations.deliveries import SWITCHED_OFF
from levity.integrations.models import Delivery, Event, Horizon, Reader, Webhook
from levity.integrations.order import Order
from levity.monitoring.alerts import raise_and_end
from levity.monitoring.alerts.conditions import leaving
from levity.monitoring.kinds import KINDS
from levity.monitoring.metrics.exposition import exposition
from levity.monitoring.metrics.site_state import State

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def hook(**values: Any) -> Webhook:
    row = Webhook(name="billing", url="https://hook.example/t0ken", **values)
    row.keep_secret("whsec_x")
    row.save()
    return row


@pytest.mark.parametrize(
    ("values", "tried", "said"),
    [
        ({"enabled": False, "error": f"410{SWITCHED_OFF}"}, None, "was switched off"),
        ({"enabled": False, "error": "500"}, None, ""),
        ({"failures": 9, "error": "500"}, timedelta(hours=2), "has failed for more than an hour"),
        ({"failures": 9, "error": "500"}, timedelta(minutes=50), ""),
        ({"failures": 0}, timedelta(hours=2), ""),
    ],
)
def test_a_webhook_that_fails_or_was_switched_off_is_an_alert(
    values: Any, tried: timedelta | None, said: str
) -> None:
    row = hook(**values)
    if tried is not None:
        Delivery.objects.create(
            webhook=row, event=1, type="x", at=NOW, next_at=NOW, first_tried_at=NOW - tried
        )
    found = [finding.summary for finding in leaving.webhooks_failing(NOW)]
    assert found == ([f"the webhook billing {said}"] if said else [])


def test_a_campaign_that_stopped_by_itself_is_an_alert_until_it_goes_on() -> None:
    firmware = Firmware.objects.create(version="2", name="fw", path="x", size=1)
    row = Campaign.objects.create(
        firmware=firmware, name="spring", state="stopped", why="2 failed", starts_at=NOW
    )
    [found] = leaving.campaigns_stopped()
    assert (found.summary, found.detail) == (
        *("the firmware campaign spring stopped by itself", "2 failed"),
    )
    Campaign.objects.filter(pk=row.pk).update(state="running")
    assert leaving.campaigns_stopped() == []


@pytest.mark.parametrize("reader", ["webhook", "mqtt", "feed", "nobody"])
def test_events_that_wait_are_an_alert_where_somebody_delivers(
    reader: str, django_assert_num_queries: Any
) -> None:
    if reader == "webhook":
        hook()
    else:
        Reader.objects.create(name=reader, read_at=NOW)
    event = Event.objects.create(type="charger.booted", at=NOW - timedelta(seconds=300))
    delivers = reader in ("webhook", "mqtt")
    with django_assert_num_queries(1):
        assert leaving.events_behind(NOW) == (300.0 if delivers else 0.0)
    assert len(leaving.events_delayed(NOW)) == delivers
    assert leaving.events_delayed(NOW - timedelta(seconds=181)) == []
    Horizon.objects.create(id=1, event=event.pk)
    assert leaving.events_behind(NOW) == 0.0


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_long_transaction_in_another_database_delays_events_and_is_named() -> None:
    """The numbers of transactions are the cluster's."""
    other = {**connection.get_connection_params(), "dbname": "postgres"}
    other.pop("cursor_factory", None)
    hook()
    order = Order()
    stranger = connection.Database.connect(**other)
    try:
        stranger.cursor().execute("SELECT pg_current_xact_id()")
        Event.objects.create(type="charger.booted", at=NOW - timedelta(seconds=300))
        assert order.look(NOW) == order.look(NOW) == 0
        [found] = leaving.events_delayed(NOW)
        assert found.summary == "events wait for 300 s before they are delivered"
        # (One of another lane's tests may be older.)
        assert found.detail.startswith("The oldest writing transaction: database ")
    finally:
        stranger.close()


def test_they_are_checked_with_the_others_and_told_as_a_metric() -> None:
    hook(enabled=False, error=SWITCHED_OFF)
    kinds = {finding.kind for finding in raise_and_end.look(NOW).findings}
    assert "webhook-failing" in kinds
    assert kinds <= set(KINDS)
    assert "levity_events_delay_seconds 0.0" in exposition([State()]).decode()
